//! Challenges that nobody has answered: the row of their authorization stands for them, and one gets a row of its own
//! when something happens to it.

use acme::authz::Authorization;
use acme::challenge::{self, Challenge, Method, Status};
use acme::problem::Problem;
use jiff::Timestamp;
use rusqlite::Connection;
use uuid::Uuid;

use super::column::Id;
use super::own;
use crate::error::Error;

/// What an authorization's row has of its challenges.
pub(super) struct Untouched {
    /// Their token.
    pub(super) token: String,
    /// The numbers of their methods, in order, as hexadecimal digits.
    pub(super) methods: String,
}

/// The challenge that decided an authorization, in its row.
pub(super) struct Decided {
    /// Its method.
    pub(super) method: Method,
    /// When it was proven.
    pub(super) validated: Option<Timestamp>,
    /// Why it failed.
    pub(super) error: Option<Problem>,
}

/// What stands for the challenges of an authorization, if nothing else has to be kept of them.
pub(super) fn of(authorization: &Authorization) -> Option<Untouched> {
    let token = &authorization.challenges.first()?.token;
    let is_untouched = |it: &Challenge| {
        it.status == Status::Pending
            && it.token == *token
            && it.id == challenge::challenge_id(authorization.id, it.method)
    };
    let all = authorization.challenges.iter();
    let digit = |it: &Challenge| char::from_digit(it.method.code().into(), 16);
    authorization
        .challenges
        .iter()
        .all(is_untouched)
        .then_some(Untouched {
            token: token.clone(),
            methods: all.filter_map(digit).collect(),
        })
}

/// Adds the challenges that have no row to those that have one, in the order of the methods. One of them may have
/// decided the authorization.
pub(super) fn complete(
    authorization: &mut Authorization,
    untouched: &Untouched,
    decided: Option<Decided>,
) {
    let mut decided = decided;
    let mut touched = std::mem::take(&mut authorization.challenges);
    let methods = untouched.methods.chars().filter_map(method);
    let challenges = methods.map(|method| {
        let id = challenge::challenge_id(authorization.id, method);
        match touched.iter().position(|it| it.id == id) {
            Some(at) => touched.swap_remove(at),
            None => {
                let verdict = decided.take_if(|it| it.method == method);
                let (validated, error) =
                    verdict.map_or((None, None), |it| (it.validated, it.error));
                Challenge {
                    id,
                    method,
                    token: untouched.token.clone(),
                    status: match (validated, &error) {
                        (Some(_), _) => Status::Valid,
                        (None, Some(_)) => Status::Invalid,
                        (None, None) => Status::Pending,
                    },
                    validated,
                    error,
                }
            }
        }
    });
    authorization.challenges = challenges.collect();
}

/// Gives a challenge a row of its own, unless it has one or there is no such challenge.
pub(super) fn give_row(connection: &Connection, id: Uuid) -> Result<(), Error> {
    let Some((authorization, method)) = challenge::of_challenge_id(id) else {
        return Ok(());
    };
    own::give_row(connection, authorization)?;
    connection
        .prepare_cached(
            "INSERT OR IGNORE INTO challenges (id, authorization_id, position, method, token, status)
             SELECT ?1, id, instr(methods, ?3), ?4, token, 'pending'
             FROM authorizations WHERE id = ?2 AND instr(methods, ?3) > 0 AND decided IS NOT ?5",
        )?
        .execute((
            Id(id),
            Id(authorization),
            format!("{:x}", method.code()),
            method.as_str(),
            method.code(),
        ))?;
    Ok(())
}

fn method(digit: char) -> Option<Method> {
    Method::of_code(u8::try_from(digit.to_digit(16)?).ok()?)
}

#[cfg(test)]
mod tests {
    use acme::challenge::challenge_id;

    use super::*;
    use crate::port::{Authorizations as _, Orders as _};
    use crate::sqlite::{Options, Store, authorizations};
    use crate::suite::harness;

    #[tokio::test]
    async fn an_authorization_that_nobody_has_touched_is_the_same_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let open = || Store::open(&dir.path().join("s"), Options::default()).unwrap();
        let store = open();
        let account = harness::account(&store).await;
        let new = harness::new_order(&account, &["a.example", "b.example"]);
        store.create_order(new.clone()).await.unwrap();
        let id = new.authorizations[0].id;
        let has_row = async |store: &Store| {
            let found = store.read(move |connection| authorizations::has_row(connection, id));
            found.await.unwrap()
        };
        assert!(!has_row(&store).await);
        store.close().await;
        let store = open();
        for authorization in &new.authorizations {
            let read = store.authorization(authorization.id).await;
            assert_eq!(read, Ok(Some(authorization.clone())));
        }
        assert!(!has_row(&store).await);
    }

    #[tokio::test]
    async fn an_abandoned_order_of_a_hundred_names_takes_at_most_30_kib() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("s"), Options::default()).unwrap();
        let account = harness::account(&store).await;
        let names: Vec<_> = (0..100)
            .map(|n| {
                format!(
                    "{n:03}{0}.{1}.{1}.{2}",
                    "x".repeat(60),
                    "y".repeat(63),
                    "z".repeat(61)
                )
            })
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let bytes = async || {
            let pages = store.read(|connection| {
                let pragma = |name| connection.pragma_query_value(None, name, |row| row.get(0));
                Ok::<(i64, i64), _>((pragma("page_count")?, pragma("page_size")?))
            });
            let (count, size) = pages.await.unwrap();
            count * size
        };
        let empty = bytes().await;
        for _ in 0..ORDERS {
            let mut new = harness::new_order(&account, &names);
            for authorization in &mut new.authorizations {
                let id = authorization.id;
                authorization.challenges = (Method::USUAL.iter())
                    .map(|method| Challenge::new(challenge_id(id, *method), *method, &[7; 16]))
                    .collect();
            }
            store.create_order(new).await.unwrap();
        }
        let each = (bytes().await - empty) / ORDERS;
        assert!(each <= 30 * 1024, "{each} bytes for each order");
    }

    const ORDERS: i64 = 20;
}
