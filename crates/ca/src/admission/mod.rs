//! Admission: the one place where a right to a certificate becomes a [`Grant`]. Every request
//! passes [`admit`], whichever way it came in; a check that stands elsewhere alone is a bug.
//!
//! | check | new certificate | renewal of an ordered certificate |
//! |---|---|---|
//! | account, external account key | standing | the same |
//! | permits that names rest on | standing | the same |
//! | certificate renewed | – | ours, its lineage unrevoked, within its validity, renewal allowed |
//! | provisioner | there and not disabled | the same |
//! | key | not compromised, of a kind for the profile | the same, and so the key that asks |
//! | names | profile, policies of key, provisioner, authority, name constraints of the chain | the same |
//! | validation of names | by the order | not asked again |
//! | times | claims of provisioner and profile | the old period, at most the longest of the claims |
//! | CAA | asked | asked, with the methods of the record |
//!
//! A certificate that no account has ordered, or that the records do not know, has no account, permits,
//! profile and methods to ask for: its provisioner has to be there, and CAA is not asked.
//!
//! Not here: reading records, fetching facts and making the certificate.

pub mod caa;
mod grant;
mod policy;
mod question;
mod request;
mod standing;

use acme::challenge::{Means, Method};
use acme::identifier::Device;
use jiff::{SignedDuration, Timestamp};
use pki::{AltName, Certificate, Name, device};

pub(crate) use grant::{CertificateContents, LeafContents, Parts, server_name};
pub use grant::{Grant, Grounds, Recipient};
pub(crate) use policy::{CommonNameRule, LeafTerms, Profiles};
pub use policy::{IssuancePolicy, PublishedAt};
pub use question::{Facts, Objection, Question};
pub(crate) use request::Contents;
pub use request::{AccountBasis, Asked, Basis, IssuanceRequest, Validation};
pub use standing::{KeyStanding, Renewed, Right, Standing};

use crate::claims::Lifetime;
use crate::profile::{CommonName, Offer, Profile};
use crate::refusal::Refusal;
use grant::in_order;
use question::Unsettled;

/// The answer to a request.
pub enum Admission {
    /// The certificate may be made.
    Grant(Grant),
    /// Fetch this fact, add it to the facts and ask again with the request, which comes back.
    Ask(Question, Box<IssuanceRequest>),
    /// The certificate may not be made.
    Refusal(Refusal),
}

/// Decides on a request by what the configuration says, what the records say and which facts are
/// known so far. The order: rights, names, key, times, facts from outside.
#[must_use]
pub fn admit(
    request: IssuanceRequest,
    policy: &IssuancePolicy<'_>,
    standing: &Standing,
    facts: &Facts,
    now: Timestamp,
) -> Admission {
    let decided = match decide(&request, policy, standing, now) {
        Ok(decided) => decided,
        Err(refusal) => return Admission::Refusal(refusal),
    };
    match question::settle(&request, policy, facts) {
        Ok(objections) => Admission::Grant(grant(request, policy, decided, objections)),
        Err(Unsettled::Ask(question)) => Admission::Ask(question, Box::new(request)),
        Err(Unsettled::Refused(refusal)) => Admission::Refusal(refusal),
    }
}

/// Decides as [`admit`] would, as far as no fact from outside is needed: so that neither limits nor
/// look-ups are spent on what is refused anyhow.
///
/// # Errors
/// Why the request would be refused.
pub fn precheck(
    request: &IssuanceRequest,
    policy: &IssuancePolicy<'_>,
    standing: &Standing,
    now: Timestamp,
) -> Result<(), Refusal> {
    decide(request, policy, standing, now).map(drop)
}

/// Decides as [`admit`] would, as far as neither key nor facts from outside are needed: when an
/// order is created, so that no client validates names that it cannot get.
///
/// # Errors
/// Why a request for these names would be refused.
pub fn preview(
    asked: &Asked,
    policy: &IssuancePolicy<'_>,
    now: Timestamp,
) -> Result<Lifetime, Refusal> {
    barred(policy)?;
    names(asked, policy, None)?;
    times(asked, policy, now)
}

/// What was decided on the way to a grant.
struct Decided {
    common_name: Option<String>,
    lifetime: Lifetime,
}

fn decide(
    request: &IssuanceRequest,
    policy: &IssuancePolicy<'_>,
    standing: &Standing,
    now: Timestamp,
) -> Result<Decided, Refusal> {
    lineage(request, standing)?;
    rights(request, standing)?;
    barred(policy)?;
    belongs(request, policy)?;
    if let Contents::Renewed(old) = &request.contents {
        renewable(old, policy, now)?;
    }
    keys(standing)?;
    attested(request)?;
    let common_name = common_name(request, policy)?;
    names(&request.asked, policy, common_name.as_deref())?;
    key_kind(request, policy)?;
    let lifetime = match &request.contents {
        Contents::New => times(&request.asked, policy, now)?,
        Contents::Renewed(old) => same_period(old, policy, now),
    };
    Ok(Decided {
        common_name,
        lifetime,
    })
}

/// Whether what the request rests on still stands. What it rests on and was not looked up counts
/// as ended.
fn rights(request: &IssuanceRequest, standing: &Standing) -> Result<(), Refusal> {
    if let Some(account) = &request.basis.account {
        if standing.account != Right::Valid {
            return Err(Refusal::AccountEnded { id: account.id });
        }
        if let Some(key) = &account.external_key
            && standing.external_key != Right::Valid
        {
            let key = key.clone();
            return Err(Refusal::ExternalKeyRemoved { key });
        }
    }
    permits(request, standing)
}

/// Whether the permits stand that names rest on; each binds those names alone.
fn permits(request: &IssuanceRequest, standing: &Standing) -> Result<(), Refusal> {
    for Validation { name, means } in &request.basis.validations {
        if let Means::Permit(id) = means
            && !standing.permits.contains(id)
        {
            let name = name.to_string();
            return Err(Refusal::PermitEnded { name });
        }
    }
    Ok(())
}

/// Whether the certificate that is renewed, and what was made of it, lets it be renewed.
fn lineage(request: &IssuanceRequest, standing: &Standing) -> Result<(), Refusal> {
    let Contents::Renewed(old) = &request.contents else {
        return Ok(());
    };
    let serial = old.serial().to_string();
    match standing.renewed {
        Renewed::Valid | Renewed::Unknown => Ok(()),
        Renewed::Revoked => Err(Refusal::Revoked { serial }),
        Renewed::LineageEnded => Err(Refusal::LineageEnded { serial }),
        Renewed::Superseded => Err(Refusal::Superseded { serial }),
        Renewed::Deleted => Err(Refusal::RecordDeleted { serial }),
        Renewed::ServerCertificate => Err(Refusal::ServerCertificate { serial }),
        Renewed::None => Err(Refusal::NotOurs { serial }),
    }
}

/// Whether the policy is that of the request's provisioner.
fn belongs(request: &IssuanceRequest, policy: &IssuancePolicy<'_>) -> Result<(), Refusal> {
    // A renewal's provisioner may be gone: that is what its policy is barred for.
    let named = request.basis.provisioner.as_deref();
    match (&request.contents, named, policy.provisioner) {
        (Contents::New, named, own) if named != own => Err(Refusal::ForeignOrder {
            order: named.unwrap_or_default().to_owned(),
            provisioner: own.unwrap_or_default().to_owned(),
        }),
        _ => Ok(()),
    }
}

fn barred(policy: &IssuancePolicy<'_>) -> Result<(), Refusal> {
    policy.barred.clone().map_or(Ok(()), Err)
}

/// Whether the claims let a certificate be renewed at this time.
fn renewable(
    old: &Certificate,
    policy: &IssuancePolicy<'_>,
    now: Timestamp,
) -> Result<(), Refusal> {
    let claims = policy.claims;
    if claims.disable_renewal {
        return Err(Refusal::RenewalDisabled {
            provisioner: policy.provisioner.unwrap_or_default().to_owned(),
        });
    }
    if now < old.not_before() {
        return Err(Refusal::NotYetValid {
            at: old.not_before(),
        });
    }
    if now > old.not_after() && !claims.allow_renewal_after_expiry {
        return Err(Refusal::Expired {
            at: old.not_after(),
        });
    }
    Ok(())
}

fn keys(standing: &Standing) -> Result<(), Refusal> {
    match (standing.asking_key, standing.certified_key) {
        (KeyStanding::Compromised, _) => Err(Refusal::CompromisedAskingKey),
        (_, KeyStanding::Compromised | KeyStanding::NotAsked) => Err(Refusal::CompromisedKey),
        (KeyStanding::Good | KeyStanding::NotAsked, KeyStanding::Good) => Ok(()),
    }
}

/// Whether the name of a device stays with the key that the device attested: a renewal for another key
/// would move it to one in software.
fn attested(request: &IssuanceRequest) -> Result<(), Refusal> {
    let Contents::Renewed(old) = &request.contents else {
        return Ok(());
    };
    let by_device = |one: &Validation| one.means == Means::Challenge(Method::DeviceAttest01);
    let named = old.alt_names().iter().any(device::is_device_name);
    let is_attested = named || request.basis.validations.iter().any(by_device);
    if is_attested && old.public_key().ok() != Some(&request.key) {
        return Err(Refusal::AttestedKey {
            serial: old.serial().to_string(),
        });
    }
    Ok(())
}

/// The common name: the one asked for unless the profile drops it, or the first host name or device
/// where the provisioner demands one.
fn common_name(
    request: &IssuanceRequest,
    policy: &IssuancePolicy<'_>,
) -> Result<Option<String>, Refusal> {
    let is_dropped = |profile: &Profile| profile.common_name == CommonName::Dropped;
    // A renewal copies the name, whatever the profile says by now.
    let is_new = matches!(request.contents, Contents::New);
    let dropped = is_new && policy.profiles.chosen.is_some_and(is_dropped);
    let asked = request.common_name.clone().filter(|_| !dropped);
    if asked.is_some() || policy.leaf.common_name == CommonNameRule::Optional {
        return Ok(asked);
    }
    match usual_common_name(&request.asked.names) {
        Some(name) => Ok(Some(name)),
        None => Err(Refusal::NoCommonName {
            provisioner: policy.provisioner.unwrap_or_default().to_owned(),
        }),
    }
}

/// The first host name; without one, the first device.
fn usual_common_name(names: &[AltName]) -> Option<String> {
    let host = names.iter().find_map(|name| match name {
        AltName::Dns(name) => Some(name.clone()),
        AltName::Ip(_) | AltName::Email(_) | AltName::Uri(_) | AltName::Other { .. } => None,
    });
    let device = |name| {
        let device = Device::from_alt_name(name).ok()??;
        device.common_name().map(str::to_owned)
    };
    host.or_else(|| names.iter().find_map(device))
}

fn names(
    asked: &Asked,
    policy: &IssuancePolicy<'_>,
    common_name: Option<&str>,
) -> Result<(), Refusal> {
    if let Some(profile) = policy.profiles.chosen {
        profile.check(&asked.names, policy.profiles.offered)?;
    }
    policy.levels.check(&asked.names, common_name)?;
    if let Some(chain) = policy.chain {
        let subject = common_name.map(Name::common_name).transpose()?;
        chain.check_names(&asked.names, &subject.unwrap_or_else(Name::empty))?;
    }
    Ok(())
}

/// Whether the key is of a kind that the profile is for. Where the profile of a certificate is not
/// known, those that the old key fits decide on a change of key: it may have been made by any of them.
fn key_kind(request: &IssuanceRequest, policy: &IssuancePolicy<'_>) -> Result<(), Refusal> {
    let kind = request.key.kind();
    let old = match (&request.contents, policy.profiles.chosen) {
        (_, Some(profile)) => return Ok(profile.check_key(kind)?),
        (Contents::New, None) => return Ok(()),
        (Contents::Renewed(old), None) => old,
    };
    let own = old.public_key()?;
    if *own == request.key {
        return Ok(());
    }
    let offered = policy.profiles.offered.iter().map(Offer::profile);
    let mut fitting = offered.filter(|profile| profile.check_key(own.kind()).is_ok());
    Ok(fitting.try_for_each(|profile| profile.check_key(kind))?)
}

fn times(asked: &Asked, policy: &IssuancePolicy<'_>, now: Timestamp) -> Result<Lifetime, Refusal> {
    let (begin, end) = (asked.not_before, asked.not_after);
    Ok(policy.claims.lifetime(begin, end, policy.backdate, now)?)
}

/// A renewed certificate holds from now on for as long as the old one did, or for the longest that
/// the claims allow now if that is shorter.
fn same_period(old: &Certificate, policy: &IssuancePolicy<'_>, now: Timestamp) -> Lifetime {
    let longest = policy.claims.maximum.saturating_add(policy.backdate);
    let period = old.not_after().duration_since(old.not_before());
    let period = period.min(longest);
    // A life no longer than the backdate would be over before it is handed out.
    let backdate = if policy.backdate < period {
        policy.backdate
    } else {
        SignedDuration::ZERO
    };
    Lifetime::from_now(now, backdate, period.saturating_sub(backdate))
}

fn grant(
    request: IssuanceRequest,
    policy: &IssuancePolicy<'_>,
    decided: Decided,
    objections: Vec<Objection>,
) -> Grant {
    let grounds = Grounds {
        profile: policy.profiles.chosen.map(|profile| profile.name.clone()),
        validations: request.basis.validations,
    };
    let body = match request.contents {
        Contents::Renewed(old) => CertificateContents::Copy(*old),
        Contents::New => CertificateContents::LeafContents(Box::new(LeafContents {
            names: in_order(request.asked.names),
            common_name: decided.common_name,
            provisioner: policy.leaf.extension.clone(),
            profile: policy.profiles.chosen.cloned(),
            published_at: policy.leaf.published_at.clone(),
        })),
    };
    let parts = Parts {
        key: request.key,
        lifetime: decided.lifetime,
        recipient: request.recipient,
        grounds,
        body,
    };
    Grant::new(parts, objections)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub mod weather;
