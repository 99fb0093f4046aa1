//! Claims: how long certificates may live and whether they may be renewed, as the authority
//! and a provisioner say it, merged; and the one decision on a requested lifetime.

use jiff::{SignedDuration, Timestamp};

use crate::words;

/// The claims that hold for a provisioner, every one decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// The shortest life of a certificate.
    pub minimum: SignedDuration,
    /// The longest life of a certificate, not counting the backdate.
    pub maximum: SignedDuration,
    /// The life of a certificate whose request names none.
    pub default: SignedDuration,
    /// Certificates of this provisioner may not be renewed.
    pub disable_renewal: bool,
    /// An expired certificate may still be renewed.
    pub allow_renewal_after_expiry: bool,
    /// Certificates do not carry the extension that names their provisioner.
    pub disable_extension: bool,
}

impl Default for Claims {
    fn default() -> Self {
        Self {
            minimum: SignedDuration::from_mins(5),
            maximum: SignedDuration::from_hours(24),
            default: SignedDuration::from_hours(24),
            disable_renewal: false,
            allow_renewal_after_expiry: false,
            disable_extension: false,
        }
    }
}

/// Claims as written in a file: what is absent is left to the level above.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Overrides {
    /// `minTLSCertDuration`
    pub minimum: Option<SignedDuration>,
    /// `maxTLSCertDuration`
    pub maximum: Option<SignedDuration>,
    /// `defaultTLSCertDuration`
    pub default: Option<SignedDuration>,
    /// `disableRenewal`
    pub disable_renewal: Option<bool>,
    /// `allowRenewalAfterExpiry`
    pub allow_renewal_after_expiry: Option<bool>,
    /// `disableSmallstepExtensions`
    pub disable_extension: Option<bool>,
}

/// Why claims contradict each other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Inconsistent {
    /// A duration is zero or negative.
    #[error("{0} must be greater than 0")]
    NotPositive(&'static str),
    /// Two durations are in the wrong order.
    #[error("{smaller} must not be greater than {greater}")]
    Reversed {
        /// The claim that has to be the smaller one.
        smaller: &'static str,
        /// The claim that has to be the greater one.
        greater: &'static str,
    },
}

/// Why a certificate cannot have the validity that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadLifetime {
    /// It is shorter than the claims allow.
    #[error("{}", words::too_short(*.requested, *.minimum))]
    TooShort {
        /// The life asked for.
        requested: SignedDuration,
        /// The shortest one allowed.
        minimum: SignedDuration,
    },
    /// It is longer than the claims allow.
    #[error("{}", words::too_long(*.requested, *.maximum))]
    TooLong {
        /// The life asked for.
        requested: SignedDuration,
        /// The longest one allowed, the backdate included.
        maximum: SignedDuration,
    },
    /// It has ended already.
    #[error("the requested notAfter {not_after} is in the past; ask for a later one, or for none")]
    EndsInThePast {
        /// The end asked for.
        not_after: Timestamp,
    },
    /// It ends before it begins.
    #[error("the requested notAfter {not_after} is not after notBefore {not_before}")]
    EndsBeforeItBegins {
        /// The begin asked for.
        not_before: Timestamp,
        /// The end asked for.
        not_after: Timestamp,
    },
}

const MINIMUM: &str = "minTLSCertDuration";
const MAXIMUM: &str = "maxTLSCertDuration";
const DEFAULT: &str = "defaultTLSCertDuration";

impl Claims {
    /// These claims with what a lower level overrides. A default alone that lies outside
    /// the inherited bounds moves the bound with it.
    ///
    /// # Errors
    /// When the result contradicts itself.
    pub fn merge(&self, over: &Overrides) -> Result<Self, Inconsistent> {
        let default = over.default.unwrap_or(self.default);
        let moved = over.default.is_some();
        let minimum = over.minimum.unwrap_or(if moved && default < self.minimum {
            default
        } else {
            self.minimum
        });
        let maximum = over.maximum.unwrap_or(if moved && default > self.maximum {
            default
        } else {
            self.maximum
        });
        let merged = Self {
            minimum,
            maximum,
            default,
            disable_renewal: over.disable_renewal.unwrap_or(self.disable_renewal),
            allow_renewal_after_expiry: over
                .allow_renewal_after_expiry
                .unwrap_or(self.allow_renewal_after_expiry),
            disable_extension: over.disable_extension.unwrap_or(self.disable_extension),
        };
        merged.check().map(|()| merged)
    }

    /// The validity of a certificate for which this much was requested: `notBefore` as asked
    /// or `now` less the backdate, `notAfter` as asked or the default life from then on.
    /// Whole seconds. The same answer serves at newOrder and once more when it is issued.
    ///
    /// # Errors
    /// When what was asked is over already, reversed, or outside the bounds.
    pub fn lifetime(
        &self,
        not_before: Option<Timestamp>,
        not_after: Option<Timestamp>,
        backdate: SignedDuration,
        now: Timestamp,
    ) -> Result<Lifetime, BadLifetime> {
        let begins = not_before.unwrap_or_else(|| minus(now, backdate));
        let ends = not_after.unwrap_or_else(|| plus(not_before.unwrap_or(now), self.default));
        let lifetime = Lifetime {
            not_before: whole_seconds(begins),
            not_after: whole_seconds(ends),
        };
        if lifetime.not_after <= now {
            return Err(BadLifetime::EndsInThePast {
                not_after: lifetime.not_after,
            });
        }
        if lifetime.not_after <= lifetime.not_before {
            return Err(BadLifetime::EndsBeforeItBegins {
                not_before: lifetime.not_before,
                not_after: lifetime.not_after,
            });
        }
        let requested = lifetime.length();
        if requested < self.minimum {
            return Err(BadLifetime::TooShort {
                requested,
                minimum: self.minimum,
            });
        }
        let maximum = self.maximum.saturating_add(backdate);
        if requested > maximum {
            return Err(BadLifetime::TooLong { requested, maximum });
        }
        Ok(lifetime)
    }

    fn check(&self) -> Result<(), Inconsistent> {
        for (name, value) in [
            (MINIMUM, self.minimum),
            (MAXIMUM, self.maximum),
            (DEFAULT, self.default),
        ] {
            if value <= SignedDuration::ZERO {
                return Err(Inconsistent::NotPositive(name));
            }
        }
        for (smaller, greater, holds) in [
            (MINIMUM, MAXIMUM, self.minimum <= self.maximum),
            (MINIMUM, DEFAULT, self.minimum <= self.default),
            (DEFAULT, MAXIMUM, self.default <= self.maximum),
        ] {
            if !holds {
                return Err(Inconsistent::Reversed { smaller, greater });
            }
        }
        Ok(())
    }
}

/// From when to when a certificate holds, in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime {
    /// The first second.
    pub not_before: Timestamp,
    /// The last second.
    pub not_after: Timestamp,
}

impl Lifetime {
    /// The time between the two ends.
    #[must_use]
    pub fn length(&self) -> SignedDuration {
        self.not_after.duration_since(self.not_before)
    }

    /// The life that begins a backdate before `now` and ends `life` after it.
    #[must_use]
    pub fn from_now(now: Timestamp, backdate: SignedDuration, life: SignedDuration) -> Self {
        Self {
            not_before: whole_seconds(minus(now, backdate)),
            not_after: whole_seconds(plus(now, life)),
        }
    }

    /// This life, ended where `end` says if that comes first.
    #[must_use]
    pub fn until_at_most(self, end: Timestamp) -> Self {
        Self {
            not_after: self.not_after.min(end),
            ..self
        }
    }
}

fn plus(at: Timestamp, duration: SignedDuration) -> Timestamp {
    at.checked_add(duration).unwrap_or(Timestamp::MAX)
}

fn minus(at: Timestamp, duration: SignedDuration) -> Timestamp {
    at.checked_sub(duration).unwrap_or(Timestamp::MIN)
}

/// Certificates know whole seconds only; the fraction is cut, as on the wire.
fn whole_seconds(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_millisecond().div_euclid(1000)).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: SignedDuration = SignedDuration::from_mins(1);

    fn now() -> Timestamp {
        "2026-11-23T21:49:19.75Z".parse().unwrap()
    }

    fn hours(n: i64) -> SignedDuration {
        SignedDuration::from_hours(n)
    }

    #[test]
    fn without_a_request_a_certificate_lives_a_day_and_a_minute() {
        let life = Claims::default()
            .lifetime(None, None, MINUTE, now())
            .unwrap();
        assert_eq!(life.length(), SignedDuration::from_secs(86_460));
        assert_eq!(life.not_before.to_string(), "2026-11-23T21:48:19Z");
    }

    #[test]
    fn the_upper_bound_allows_for_the_backdate() {
        let claims = Claims::default();
        let at = |life: SignedDuration| Some(plus(now(), life));
        assert!(claims.lifetime(None, at(hours(24)), MINUTE, now()).is_ok());
        let refused = claims
            .lifetime(None, at(hours(100)), MINUTE, now())
            .unwrap_err();
        assert_eq!(
            refused.to_string(),
            "requested duration of 100h1m0s is more than the authorized maximum certificate duration of 24h1m0s"
        );
    }

    #[test]
    fn a_life_that_is_too_short_reversed_or_over_is_refused() {
        let claims = Claims::default();
        let at = |seconds: i64| Some(plus(now(), SignedDuration::from_secs(seconds)));
        assert!(matches!(
            claims.lifetime(None, at(60), MINUTE, now()),
            Err(BadLifetime::TooShort { .. })
        ));
        assert!(matches!(
            claims.lifetime(at(7200), at(3600), MINUTE, now()),
            Err(BadLifetime::EndsBeforeItBegins { .. })
        ));
        assert!(matches!(
            claims.lifetime(at(-7200), at(-3600), MINUTE, now()),
            Err(BadLifetime::EndsInThePast { .. })
        ));
    }

    #[test]
    fn a_default_alone_moves_the_bound_it_crosses() {
        let base = Claims::default();
        let longer = base
            .merge(&Overrides {
                default: Some(hours(48)),
                ..Overrides::default()
            })
            .unwrap();
        assert_eq!((longer.minimum, longer.maximum), (base.minimum, hours(48)));
        let shorter = base
            .merge(&Overrides {
                default: Some(MINUTE),
                ..Overrides::default()
            })
            .unwrap();
        assert_eq!((shorter.minimum, shorter.maximum), (MINUTE, base.maximum));
    }

    #[test]
    fn a_maximum_below_the_inherited_default_is_inconsistent() {
        let merged = Claims::default().merge(&Overrides {
            maximum: Some(hours(1)),
            ..Overrides::default()
        });
        assert_eq!(
            merged,
            Err(Inconsistent::Reversed {
                smaller: DEFAULT,
                greater: MAXIMUM
            })
        );
    }

    #[test]
    fn a_duration_of_zero_is_inconsistent() {
        let merged = Claims::default().merge(&Overrides {
            minimum: Some(SignedDuration::ZERO),
            ..Overrides::default()
        });
        assert_eq!(merged, Err(Inconsistent::NotPositive(MINIMUM)));
    }
}
