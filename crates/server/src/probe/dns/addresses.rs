//! The addresses of one name as one server has them, of both families at once. Aliases are followed, also where the
//! resolver does not do it.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use acme::challenge::Trace;
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Name, RecordType};
use tokio::time::timeout;

use super::question::{Question, Unanswered};
use super::records::{MOST_ALIASES, alias_of};
use super::{Answer, BUDGET, address, word};

/// A server, and how long it has for each address family.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    pub(super) server: SocketAddr,
    pub(super) within: Duration,
}

impl Asked {
    /// Asks for the addresses of `name`, which the search list has made of another name if it is `searched`.
    pub(super) async fn addresses(
        self,
        name: &str,
        searched: Option<&str>,
        trace: &mut Trace,
    ) -> Answer {
        // A name that is too long with this domain appended does not exist.
        let Ok(mut name) = Name::from_ascii(name) else {
            return Answer::NoSuchName;
        };
        name.set_fqdn(true);
        let v6 = self.look_up(&name, RecordType::AAAA);
        let v4 = self.look_up(&name, RecordType::A);
        let (v6, v4) = both(v6, v4).await;
        let suffix = searched.map_or_else(String::new, |name| format!(" for {name}"));
        trace.answers.extend(words(&v6, &v4).map(|w| w + &suffix));
        match (v6, v4) {
            (Outcome::Found(mut found), Outcome::Found(more)) => {
                found.extend(more);
                Answer::Addresses(found)
            }
            (Outcome::Found(found), _) | (_, Outcome::Found(found)) => Answer::Addresses(found),
            (Outcome::NoName, _) | (_, Outcome::NoName) => Answer::NoSuchName,
            (Outcome::NoRecords, Outcome::NoRecords) => Answer::NoAddresses,
            (v6, v4) => Answer::Failed {
                silent: v6.is_silence() || v4.is_silence(),
            },
        }
    }

    async fn look_up(self, name: &Name, kind: RecordType) -> Outcome {
        let asked = timeout(self.within, self.follow(name.clone(), kind));
        asked.await.unwrap_or(Outcome::Silence)
    }

    /// Asks for a name, and for where its aliases lead as long as an answer ends there.
    async fn follow(self, mut name: Name, kind: RecordType) -> Outcome {
        for _ in 0..=MOST_ALIASES {
            let question = Question {
                name: &name,
                kind,
                recursive: true,
            };
            let answer = match question.ask(self.server, self.within).await {
                Ok(answer) => answer,
                Err(Unanswered::Silence) => return Outcome::Silence,
                Err(Unanswered::Failed(words)) => return Outcome::Failed(words),
            };
            let code = answer.metadata.response_code;
            if code == ResponseCode::NXDomain {
                return Outcome::NoName;
            }
            if code != ResponseCode::NoError {
                return Outcome::Failed(word(code));
            }
            let last = end(&answer, &name);
            let owned = answer.answers.iter().filter(|record| record.name == last);
            let found: Vec<_> = owned.filter_map(|record| address(&record.data)).collect();
            if !found.is_empty() {
                return Outcome::Found(found);
            }
            if last == name {
                return Outcome::NoRecords;
            }
            name = last;
        }
        Outcome::Failed(format!("more than {MOST_ALIASES} aliases (CNAME) in a row"))
    }
}

/// Where the aliases of a name end in one answer.
fn end(answer: &Message, name: &Name) -> Name {
    let mut last = name.clone();
    for _ in 0..MOST_ALIASES {
        match alias_of(answer, &last) {
            Some(target) => last = target,
            None => break,
        }
    }
    last
}

/// The answer about one address family.
pub(super) enum Outcome {
    Found(Vec<IpAddr>),
    NoName,
    NoRecords,
    Silence,
    Failed(String),
}

impl Outcome {
    pub(super) fn words(&self, kind: &str) -> String {
        match self {
            Self::Found(found) => {
                let shown = found.iter().take(SHOWN);
                let shown: Vec<_> = shown.map(|a| format!("{kind} {a}")).collect();
                let more = found.len().saturating_sub(SHOWN);
                match more {
                    0 => shown.join(", "),
                    more => format!("{} and {more} more", shown.join(", ")),
                }
            }
            Self::NoName => "NXDOMAIN".to_owned(),
            Self::NoRecords => format!("no {kind}"),
            Self::Silence => format!("nothing in time (time-out) to {kind}"),
            Self::Failed(words) => format!("{words} to {kind}"),
        }
    }

    fn is_silence(&self) -> bool {
        matches!(self, Self::Silence)
    }
}

/// The two answers in words, once if they are the same.
fn words(v6: &Outcome, v4: &Outcome) -> impl Iterator<Item = String> + use<> {
    let both = match (v6, v4) {
        (Outcome::NoName, _) | (_, Outcome::NoName) => Some("NXDOMAIN".to_owned()),
        (Outcome::Silence, Outcome::Silence) => Some("nothing in time (time-out)".to_owned()),
        (Outcome::Failed(a), Outcome::Failed(b)) if a == b => Some(a.clone()),
        _ => None,
    };
    let each = match both {
        Some(words) => vec![words],
        None => vec![v6.words("AAAA"), v4.words("A")],
    };
    each.into_iter()
}

/// Waits for both; once the first has addresses the other gets little more time.
async fn both(
    one: impl Future<Output = Outcome>,
    two: impl Future<Output = Outcome>,
) -> (Outcome, Outcome) {
    tokio::pin!(one, two);
    let patience = |first: &Outcome| match first {
        Outcome::Found(_) => GRACE,
        Outcome::NoName | Outcome::NoRecords | Outcome::Silence | Outcome::Failed(_) => BUDGET,
    };
    tokio::select! {
        first = &mut one => {
            let second = timeout(patience(&first), two).await;
            (first, second.unwrap_or(Outcome::Silence))
        }
        second = &mut two => {
            let first = timeout(patience(&second), one).await;
            (first.unwrap_or(Outcome::Silence), second)
        }
    }
}

/// How long the second address family may lag behind the first.
const GRACE: Duration = Duration::from_millis(500);
/// How many addresses of one answer are shown: the owner of the zone decides how many there are.
const SHOWN: usize = 8;
