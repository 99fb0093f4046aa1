//! The form of a certificate that a client prefers (RFC 9110 §12.5.1): its `Accept` compared with the
//! available forms (RFC 8555 §7.4.2, §9.1).

use axum::http::{HeaderMap, header};

/// A form of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// The chain as PEM, leaf first.
    Pem,
    /// The one certificate as DER (RFC 2585).
    Der,
    /// The chain in a PKCS #7 message (RFC 5273, RFC 8551).
    Pkcs7,
}

impl Form {
    /// The value of `Content-Type`.
    pub(super) const fn media_type(self) -> &'static str {
        match self {
            Self::Pem => "application/pem-certificate-chain",
            Self::Der => "application/pkix-cert",
            Self::Pkcs7 => "application/pkcs7-mime; smime-type=certs-only",
        }
    }

    /// The form that the request prefers, PEM before DER before PKCS #7. PEM too if it accepts none of
    /// them: clients send what their HTTP library accepts, and a certificate is issued by then.
    pub(super) fn preferred(headers: &HeaderMap) -> Self {
        let values = headers.get_all(header::ACCEPT).iter();
        let ranges: Vec<Range> = values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(Range::parse)
            .collect();
        let mut preferred = Self::Pem;
        for form in [Self::Der, Self::Pkcs7] {
            if form.quality(&ranges) > preferred.quality(&ranges) {
                preferred = form;
            }
        }
        preferred
    }

    /// The quality that the most specific matching range gives this form, in thousandths.
    fn quality(self, ranges: &[Range]) -> u16 {
        let fitting = ranges.iter().filter(|range| range.takes(self));
        let most = fitting.max_by_key(|range| range.specificity());
        most.map_or(0, |range| range.quality)
    }
}

/// One element of `Accept`.
struct Range {
    media: String,
    /// `smime-type`, which only PKCS #7 has.
    smime: Option<String>,
    quality: u16,
}

impl Range {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let media = parts.next()?.to_ascii_lowercase();
        if media.is_empty() {
            return None;
        }
        let mut range = Self {
            media,
            smime: None,
            quality: 1000,
        };
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            match name.trim().to_ascii_lowercase().as_str() {
                "q" => range.quality = thousandths(value.trim()),
                "smime-type" => {
                    range.smime = Some(value.trim().trim_matches('"').to_ascii_lowercase())
                }
                _ => {}
            }
        }
        Some(range)
    }

    fn takes(&self, form: Form) -> bool {
        let whole = form.media_type();
        let media = whole.split(';').next().unwrap_or(whole);
        let parameter = self.smime.as_deref();
        match self.media.as_str() {
            // `*` alone is what some libraries send for `*/*`.
            "*" | "*/*" | "application/*" => parameter.is_none(),
            named => named == media && parameter.is_none_or(|kind| kind == "certs-only"),
        }
    }

    fn specificity(&self) -> u8 {
        match self.media.as_str() {
            "*" | "*/*" => 0,
            "application/*" => 1,
            _ if self.smime.is_none() => 2,
            _ => 3,
        }
    }
}

/// `0.75` as 750; anything else as 0.
fn thousandths(text: &str) -> u16 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits: String = fraction.chars().chain("000".chars()).take(3).collect();
    let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit()) && fraction.len() <= 3;
    match (whole, all_digits) {
        ("1", true) => 1000,
        ("0" | "", true) => digits.parse().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn preferred(values: &[&'static str]) -> Form {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::ACCEPT, HeaderValue::from_static(value));
        }
        Form::preferred(&headers)
    }

    #[test]
    fn the_chain_is_pem_unless_requested_otherwise() {
        for values in [
            &[][..],
            &["*/*"],
            &["application/*"],
            &[""],
            &["text/html, *; q=.2"],
        ] {
            assert_eq!(preferred(values), Form::Pem, "{values:?}");
        }
    }

    #[test]
    fn the_format_with_the_highest_weight_is_used() {
        for (value, form) in [
            ("application/pkix-cert", Form::Der),
            ("Application/PKIX-Cert;q=0.3", Form::Der),
            ("application/pkcs7-mime", Form::Pkcs7),
            ("application/pkcs7-mime; smime-type=certs-only", Form::Pkcs7),
            (
                "application/pkcs7-mime;smime-type=\"certs-only\"",
                Form::Pkcs7,
            ),
            (
                "application/pkix-cert, application/pem-certificate-chain",
                Form::Pem,
            ),
            (
                "application/pkix-cert;q=0.8, application/pem-certificate-chain;q=0.75",
                Form::Der,
            ),
            ("*/*;q=0.1, application/pkcs7-mime", Form::Pkcs7),
            ("application/pem-certificate-chain;q=0, */*", Form::Der),
            (
                "application/pem-certificate-chain;q=0, application/pkix-cert;q=0.000, */*;q=0.001",
                Form::Pkcs7,
            ),
            (
                "application/pkcs7-mime;smime-type=signed-data, application/pkix-cert;q=0.1",
                Form::Der,
            ),
        ] {
            assert_eq!(preferred(&[value]), form, "{value}");
        }
        assert_eq!(
            preferred(&["text/html", "application/pkix-cert"]),
            Form::Der
        );
    }

    #[test]
    fn where_no_format_is_accepted_it_is_pem() {
        for value in [
            "text/html",
            "application/json",
            "application/pkix-cert;q=0",
            "application/pkix-cert;q=2",
            "application/pkix-cert;q=0.0001",
            "application/pkcs7-mime;smime-type=signed-data",
            "*/*;q=0",
        ] {
            assert_eq!(preferred(&[value]), Form::Pem, "{value}");
        }
    }
}
