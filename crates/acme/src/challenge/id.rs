//! The ids of challenges: each follows from its authorization's id and its method, so that a challenge that nobody has
//! answered need not be stored.

use uuid::Uuid;

use super::Method;

/// The bits of an id that number the method.
const METHOD: u128 = 0xf;

/// The id of an authorization, from a unique one; those of its challenges follow from it.
pub const fn authorization_id(unique: Uuid) -> Uuid {
    Uuid::from_u128(unique.as_u128() & !METHOD)
}

/// The id of an authorization's challenge with this method.
pub const fn challenge_id(authorization: Uuid, method: Method) -> Uuid {
    Uuid::from_u128(authorization.as_u128() | method.code() as u128)
}

/// The authorization and the method that an id of a challenge names; none for an id that was made otherwise.
pub fn of_challenge_id(challenge: Uuid) -> Option<(Uuid, Method)> {
    let code = u8::try_from(challenge.as_u128() & METHOD).ok()?;
    Some((authorization_id(challenge), Method::of_code(code)?))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_id_of_a_challenge_names_its_authorization_and_its_method() {
        let authorization = authorization_id(Uuid::from_u128(u128::MAX));
        for method in Method::ALL {
            let id = challenge_id(authorization, *method);
            assert_eq!(of_challenge_id(id), Some((authorization, *method)));
        }
        assert_eq!(of_challenge_id(authorization), None);
    }

    #[test]
    fn no_two_methods_have_the_same_number() {
        let codes: HashSet<u8> = Method::ALL.iter().map(|method| method.code()).collect();
        assert_eq!(codes.len(), Method::ALL.len());
        assert!(codes.iter().all(|code| (1..16).contains(code)));
    }
}
