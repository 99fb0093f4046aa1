//! Reads a request's body. An object is never read from an array, as serde would do, and names of
//! members are taken in any letter case, as servers in Go take them: some clients send `Identifiers`.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor,
};
use serde::forward_to_deserialize_any;

/// Reads one JSON text. What is in a [`serde_json::Value`] stays as it was sent.
///
/// # Errors
/// When it is not JSON, does not fit `T`, has an array in place of an object, or has a member twice,
/// also where the letter case of its names differs.
pub fn read<T: DeserializeOwned>(json: &[u8]) -> Result<T, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_slice(json);
    let body = T::deserialize(Strict(&mut reader))?;
    reader.end()?;
    Ok(body)
}

/// What is read by these rules: a deserializer, or a part of one.
struct Strict<T>(T);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Strict<D> {
    type Error = D::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(Members { fields, visitor })
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_option(Strict(visitor))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_seq(Strict(visitor))
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_tuple(len, Strict(visitor))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_tuple(len, Strict(visitor))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(Strict(visitor))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_enum(name, variants, visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_ignored_any(visitor)
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct identifier
    }
}

/// Passes what is within an option, an array or a map on by the same rules.
impl<'de, V: Visitor<'de>> Visitor<'de> for Strict<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.0.visit_some(Strict(inner))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<V::Value, A::Error> {
        self.0.visit_seq(Strict(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(Strict(entries))
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Strict<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(Strict(inner))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Strict<A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.0.next_element_seed(Strict(seed))
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Strict<A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.0.next_key_seed(seed)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.0.next_value_seed(Strict(seed))
    }
}

/// Reads a struct from an object, and from nothing else.
struct Members<V> {
    fields: &'static [&'static str],
    visitor: V,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Members<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_map(Named {
            fields: self.fields,
            entries,
        })
    }
}

/// The members of an object under the names that the struct has for them; a struct refuses one that
/// comes twice.
struct Named<A> {
    fields: &'static [&'static str],
    entries: A,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Named<A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        let fields = self.fields;
        self.entries.next_key_seed(Name { fields, seed })
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.entries.next_value_seed(Strict(seed))
    }
}

/// Reads the name of a member.
struct Name<S> {
    fields: &'static [&'static str],
    seed: S,
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Name<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<S::Value, D::Error> {
        inner.deserialize_str(self)
    }
}

impl<'de, S: DeserializeSeed<'de>> Visitor<'de> for Name<S> {
    type Value = S::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_str<E: Error>(self, sent: &str) -> Result<S::Value, E> {
        let mut fields = self.fields.iter().copied();
        let field = fields.find(|field| field.eq_ignore_ascii_case(sent));
        let name: StrDeserializer<'_, E> = StrDeserializer::new(field.unwrap_or(sent));
        self.seed.deserialize(name)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::message::account::NewAccount;
    use crate::message::order::NewOrder;

    fn refused<T: DeserializeOwned + fmt::Debug>(json: &str, words: &str) {
        let error = read::<T>(json.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(words), "{json}: {error}");
    }

    #[test]
    fn an_array_is_no_object_at_any_depth() {
        for json in [
            "[[]]",
            r#"{"identifiers": [["dns", "a.lab"]]}"#,
            r#"{"identifiers": [{"type": "dns", "value": "a.lab"}, ["dns", "a.lab"]]}"#,
        ] {
            assert!(serde_json::from_str::<NewOrder>(json).is_ok(), "{json}");
            refused::<NewOrder>(json, "expected an object");
        }
        refused::<Option<NewOrder>>("[[]]", "expected an object");
    }

    #[test]
    fn names_are_taken_in_any_letter_case_and_once() {
        let exact = r#"{"identifiers": [{"type": "dns", "value": "a.lab"}], "profile": "p"}"#;
        let go = r#"{"Identifiers": [{"Type": "dns", "VALUE": "a.lab"}], "Profile": "p"}"#;
        let exact: NewOrder = read(exact.as_bytes()).unwrap();
        assert_eq!(read::<NewOrder>(go.as_bytes()).unwrap(), exact);
        for twice in [
            r#"{"identifiers": [], "Identifiers": []}"#,
            r#"{"Identifiers": [], "identifiers": []}"#,
            r#"{"identifiers": [], "identifiers": []}"#,
        ] {
            refused::<NewOrder>(twice, "duplicate field `identifiers`");
        }
    }

    #[test]
    fn what_is_no_struct_is_read_as_serde_reads_it() {
        let sent = r#"{"externalAccountBinding": {"Protected": ["x"], "n": null}, "odd": [[{}]]}"#;
        let account: NewAccount = read(sent.as_bytes()).unwrap();
        let binding = account.external_account_binding.unwrap();
        assert_eq!(binding["Protected"][0], "x");
        let value: Value = read(sent.as_bytes()).unwrap();
        assert_eq!(value["odd"][0][0], serde_json::json!({}));
        assert_eq!(read::<(u8, Option<bool>)>(b"[1, null]").unwrap(), (1, None));
        for broken in ["", "{", "{} {}", r#"{"identifiers": 7}"#, "null", "7"] {
            assert!(read::<NewOrder>(broken.as_bytes()).is_err(), "{broken}");
        }
    }
}
