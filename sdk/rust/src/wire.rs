//! How values stand on the wire, where that is not how Rust has them.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::body::Bytes;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// The fields of a request. What was not given is left out, so that the server's default holds.
#[derive(Default)]
pub(crate) struct Fields(Map<String, Value>);

impl Fields {
    /// With one more field, where there is a value.
    pub(crate) fn with(mut self, name: &str, value: Option<impl Into<Value>>) -> Self {
        if let Some(value) = value {
            self.0.insert(name.to_owned(), value.into());
        }
        self
    }

    /// The same for a time, in seconds.
    pub(crate) fn with_seconds(self, name: &str, value: Option<Duration>) -> Self {
        self.with(name, value.map(|value| value.as_secs_f64()))
    }

    /// The same for bytes, in base64.
    pub(crate) fn with_base64(self, name: &str, value: Option<&[u8]>) -> Self {
        self.with(name, value.map(|bytes| STANDARD.encode(bytes)))
    }

    /// The same for texts by name.
    pub(crate) fn with_texts<'a, M>(self, name: &str, value: Option<M>) -> Self
    where
        M: IntoIterator<Item = (&'a String, &'a String)>,
    {
        self.with(
            name,
            value.map(|texts| {
                let pairs = texts.into_iter();
                pairs
                    .map(|(name, text)| (name.clone(), text.clone().into()))
                    .collect::<Map<_, _>>()
            }),
        )
    }

    /// As a body.
    pub(crate) fn into_bytes(self) -> Bytes {
        Value::Object(self.0).to_string().into()
    }
}

/// A query or a part of a path with all but letters, digits and `-._~` written as `%XX`.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(byte.into());
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

/// Reads bytes in base64.
pub(crate) fn bytes<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<u8>>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    text.map(|text| STANDARD.decode(text))
        .transpose()
        .map_err(Error::custom)
}

/// Reads seconds.
pub(crate) fn duration<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    Duration::try_from_secs_f64(f64::deserialize(from)?).map_err(Error::custom)
}

/// Reads seconds, or null.
pub(crate) fn duration_or_null<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<Duration>, D::Error> {
    let seconds = Option::<f64>::deserialize(from)?;
    seconds
        .map(Duration::try_from_secs_f64)
        .transpose()
        .map_err(Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_given_is_left_out() {
        let fields = Fields::default()
            .with("a", Some("x"))
            .with("b", None::<u64>)
            .with_seconds("c", Some(Duration::from_millis(500)))
            .with_base64("d", Some(&[255]));
        assert_eq!(fields.into_bytes(), r#"{"a":"x","c":0.5,"d":"/w=="}"#);
    }

    #[test]
    fn what_has_a_meaning_in_an_address_is_escaped() {
        assert_eq!(
            escaped("a b/ü?&=#%-._~9"),
            "a%20b%2F%C3%BC%3F%26%3D%23%25-._~9"
        );
    }

    #[test]
    fn times_that_are_none_are_refused() {
        let read = |text| duration(&mut serde_json::Deserializer::from_str(text));
        assert_eq!(read("0.25").unwrap(), Duration::from_millis(250));
        for text in ["-1", "1e300", "null", "\"1\""] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
