//! The ids of authorizations and challenges: that of an order's authorization follows from the order's id and its place,
//! that of a challenge from its authorization's id and its method, so that what nobody has touched need not be stored.

use uuid::Uuid;

use super::Method;

/// The bits of an id that number the method.
const METHOD: u128 = 0xf;

/// The bits of an id that number an authorization of its order, from 1 on.
const PLACE: u128 = 0xff00;

/// The id of an order, from a unique one; those of its authorizations and their challenges follow from it.
pub const fn order_id(unique: Uuid) -> Uuid {
    Uuid::from_u128(unique.as_u128() & !0xffff)
}

/// The id of an order's authorization at this place, 0 for the first; none beyond the 255 that an order's id has room
/// for.
pub fn authorization_of_order(order: Uuid, place: usize) -> Option<Uuid> {
    let number = u8::try_from(place.checked_add(1)?).ok()?;
    let id = order_id(order).as_u128() | u128::from(number) << 8;
    Some(Uuid::from_u128(id))
}

/// The order and the place in it that an id of an authorization names; none for an id that was made otherwise.
pub fn of_authorization_id(authorization: Uuid) -> Option<(Uuid, usize)> {
    let id = authorization.as_u128();
    let number = usize::try_from((id & PLACE) >> 8).ok()?;
    let place = number.checked_sub(1)?;
    (id & 0xff == 0).then_some((order_id(authorization), place))
}

/// The id of an authorization without an order, from a unique one; those of its challenges follow from it.
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
    fn the_id_of_an_authorization_names_its_order_and_its_place() {
        let order = order_id(Uuid::from_u128(u128::MAX));
        for place in [0, 1, 99, 254] {
            let id = authorization_of_order(order, place).unwrap();
            assert_eq!(of_authorization_id(id), Some((order, place)));
            let challenge = challenge_id(id, Method::Http01);
            assert_eq!(of_challenge_id(challenge), Some((id, Method::Http01)));
            assert_eq!(of_authorization_id(challenge), None);
        }
        assert_eq!(authorization_of_order(order, 255), None);
        assert_eq!(of_authorization_id(order), None);
    }

    #[test]
    fn no_two_methods_have_the_same_number() {
        let codes: HashSet<u8> = Method::ALL.iter().map(|method| method.code()).collect();
        assert_eq!(codes.len(), Method::ALL.len());
        assert!(codes.iter().all(|code| (1..16).contains(code)));
    }
}
