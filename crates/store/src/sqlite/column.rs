//! How values are stored in columns: ids as 16 bytes, times as milliseconds UTC, composite values as JSON text,
//! statuses as their words on the wire.

use acme::identifier::{Identifier, device};
use acme::problem::Problem;
use jiff::Timestamp;
use rusqlite::Row;
use rusqlite::types::{
    FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, Type, Value, ValueRef,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::error::Error;

/// An id.
#[derive(Clone, Copy)]
pub(super) struct Id(pub(super) Uuid);

impl ToSql for Id {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(self.0.as_bytes())))
    }
}

impl FromSql for Id {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let bytes = value.as_blob()?;
        Uuid::from_slice(bytes)
            .map(Self)
            .map_err(FromSqlError::other)
    }
}

/// A point in time; truncated to the millisecond.
#[derive(Clone, Copy)]
pub(super) struct At(pub(super) Timestamp);

impl ToSql for At {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Owned(Value::Integer(self.0.as_millisecond())))
    }
}

impl FromSql for At {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let milliseconds = value.as_i64()?;
        Timestamp::from_millisecond(milliseconds)
            .map(Self)
            .map_err(FromSqlError::other)
    }
}

/// A value as JSON text.
pub(super) struct Json<T>(pub(super) T);

impl<T: Serialize> ToSql for Json<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let text = serde_json::to_string(&self.0)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        Ok(ToSqlOutput::Owned(Value::Text(text)))
    }
}

impl<T: DeserializeOwned> FromSql for Json<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let text = value.as_str()?;
        serde_json::from_str(text)
            .map(Self)
            .map_err(FromSqlError::other)
    }
}

/// The identifiers of an order, as a JSON array of texts. Those of earlier releases are objects with `type` and `value`.
pub(super) struct Identifiers<T>(pub(super) T);

impl ToSql for Identifiers<&[Identifier]> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let texts: Vec<_> = self.0.iter().map(identifier_text).collect();
        let text = serde_json::to_string(&texts)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        Ok(ToSqlOutput::Owned(Value::Text(text)))
    }
}

impl FromSql for Identifiers<Vec<Identifier>> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let text = value.as_str()?;
        if text.starts_with("[{") {
            return Json::column_result(value).map(|json| Self(json.0));
        }
        let texts: Vec<String> = serde_json::from_str(text).map_err(FromSqlError::other)?;
        let all: Result<_, _> = texts.iter().map(|text| identifier_of(text)).collect();
        all.map(Self).map_err(FromSqlError::other)
    }
}

/// One of the identifiers of such a column, from their texts, without its first `begin` octets.
pub(super) fn identifier_at(
    texts: &[String],
    place: usize,
    begin: usize,
) -> Result<Identifier, Error> {
    let part = texts.get(place).and_then(|text| text.get(begin..));
    identifier_of(part.unwrap_or_default()).map_err(|why| damaged(0, why.to_string()).into())
}

/// An identifier as one text: that of a device has its type before it, the others are told apart without.
fn identifier_text(identifier: &Identifier) -> String {
    match identifier {
        Identifier::Device(device) => format!("{}:{device}", device.kind()),
        Identifier::Dns(_) | Identifier::Wildcard(_) | Identifier::Ip(_) => identifier.to_string(),
    }
}

fn identifier_of(text: &str) -> Result<Identifier, Problem> {
    let kinds = [device::PERMANENT_IDENTIFIER, device::HARDWARE_MODULE];
    match text.split_once(':') {
        Some((kind, value)) if kinds.contains(&kind) => Identifier::parse(kind, value),
        Some(_) | None => Identifier::guess(text),
    }
}

/// Reads a closed word, such as a status.
pub(super) fn word<T>(
    row: &Row<'_>,
    column: usize,
    parse: impl FnOnce(&str) -> Option<T>,
) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    parse(text).ok_or_else(|| damaged(column, format!("unknown word {text:?}")))
}

/// The error of a column whose text cannot be read.
pub(super) fn damaged(column: usize, what: String) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, what.into())
}

/// Truncates a time to what the store keeps.
pub(super) fn kept(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_of_every_type_is_read_back_from_its_text() {
        let all = [
            ("dns", "*.a.lab"),
            ("ip", "2001:db8::1"),
            ("permanent-identifier", "a.lab"),
            ("permanent-identifier", "10.0.0.1/1.2.3"),
            ("permanent-identifier", "say \"ü\": \\"),
            ("hardware-module", "S1/1.2.3.4"),
        ]
        .map(|(kind, value)| Identifier::parse(kind, value).unwrap());
        let written = Identifiers(&all[..]);
        let Ok(ToSqlOutput::Owned(Value::Text(text))) = written.to_sql() else {
            panic!()
        };
        let read = Identifiers::<Vec<_>>::column_result(ValueRef::Text(text.as_bytes()));
        assert_eq!(read.unwrap().0, all);
        let texts: Vec<String> = serde_json::from_str(&text).unwrap();
        for (place, one) in all.iter().enumerate().skip(1) {
            assert_eq!(&identifier_at(&texts, place, 0).unwrap(), one);
        }
    }
}
