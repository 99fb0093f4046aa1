//! JSON objects whose members have different names, which serde alone does not ask for.

use std::fmt;

use serde::{
    Deserialize,
    de::{Deserializer, MapAccess, Visitor},
};
use serde_json::{Map, Value};

use super::jws::Error;

/// One JSON object whose own members have different names.
pub(super) fn object(json: &[u8], place: &'static str) -> Result<Map<String, Value>, Error> {
    let members: Members = serde_json::from_slice(json).map_err(|error| Error::Json {
        place,
        reason: error.to_string(),
    })?;
    match members.duplicate {
        Some(name) => Err(Error::Duplicate { place, name }),
        None => Ok(members.map),
    }
}

/// The members of an object, and the first name that came twice.
struct Members {
    map: Map<String, Value>,
    duplicate: Option<String>,
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Members, A::Error> {
                let mut members = Members {
                    map: Map::new(),
                    duplicate: None,
                };
                while let Some((name, value)) = access.next_entry::<String, Value>()? {
                    if members.map.insert(name.clone(), value).is_some() {
                        members.duplicate.get_or_insert(name);
                    }
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(Reader)
    }
}
