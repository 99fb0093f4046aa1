//! The object identifiers this crate reads and writes.

use der::asn1::ObjectIdentifier;

const fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(text)
}

macro_rules! oids {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => { $($(#[$doc])* pub const $name: ObjectIdentifier = oid($text);)* };
}

oids! {
    /// id-data, RFC 5652 §4.
    PKCS7_DATA = "1.2.840.113549.1.7.1";
    /// id-signedData, RFC 5652 §5.
    PKCS7_SIGNED_DATA = "1.2.840.113549.1.7.2";
    /// id-ecPublicKey, RFC 5480 §2.1.1.
    EC_PUBLIC_KEY = "1.2.840.10045.2.1";
    /// secp256r1.
    P256 = "1.2.840.10045.3.1.7";
    /// secp384r1.
    P384 = "1.3.132.0.34";
    /// secp521r1.
    P521 = "1.3.132.0.35";
    /// rsaEncryption, RFC 8017.
    RSA = "1.2.840.113549.1.1.1";
    /// id-RSASSA-PSS, RFC 8017.
    RSA_PSS = "1.2.840.113549.1.1.10";
    /// id-mgf1, RFC 8017.
    MGF1 = "1.2.840.113549.1.1.8";
    /// sha256WithRSAEncryption.
    RSA_SHA256 = "1.2.840.113549.1.1.11";
    /// sha384WithRSAEncryption.
    RSA_SHA384 = "1.2.840.113549.1.1.12";
    /// sha512WithRSAEncryption.
    RSA_SHA512 = "1.2.840.113549.1.1.13";
    /// ecdsa-with-SHA256.
    ECDSA_SHA256 = "1.2.840.10045.4.3.2";
    /// ecdsa-with-SHA384.
    ECDSA_SHA384 = "1.2.840.10045.4.3.3";
    /// ecdsa-with-SHA512.
    ECDSA_SHA512 = "1.2.840.10045.4.3.4";
    /// id-Ed25519, RFC 8410: key and signature.
    ED25519 = "1.3.101.112";
    /// id-sha256.
    SHA256 = "2.16.840.1.101.3.4.2.1";
    /// id-sha384.
    SHA384 = "2.16.840.1.101.3.4.2.2";
    /// id-sha512.
    SHA512 = "2.16.840.1.101.3.4.2.3";
    /// id-PBES2, RFC 8018.
    PBES2 = "1.2.840.113549.1.5.13";
    /// id-PBKDF2, RFC 8018.
    PBKDF2 = "1.2.840.113549.1.5.12";
    /// id-scrypt, RFC 7914.
    SCRYPT = "1.3.6.1.4.1.11591.4.11";
    /// id-hmacWithSHA1.
    HMAC_SHA1 = "1.2.840.113549.2.7";
    /// id-hmacWithSHA256.
    HMAC_SHA256 = "1.2.840.113549.2.9";
    /// id-hmacWithSHA384.
    HMAC_SHA384 = "1.2.840.113549.2.10";
    /// id-hmacWithSHA512.
    HMAC_SHA512 = "1.2.840.113549.2.11";
    /// aes128-CBC-PAD.
    AES128_CBC = "2.16.840.1.101.3.4.1.2";
    /// aes192-CBC-PAD.
    AES192_CBC = "2.16.840.1.101.3.4.1.22";
    /// aes256-CBC-PAD.
    AES256_CBC = "2.16.840.1.101.3.4.1.42";
    /// des-EDE3-CBC (RFC 8018 §B.2.2).
    DES_EDE3_CBC = "1.2.840.113549.3.7";
    /// commonName.
    COMMON_NAME = "2.5.4.3";
    /// organizationName.
    ORGANIZATION = "2.5.4.10";
    /// PKCS #9 emailAddress.
    EMAIL_ADDRESS = "1.2.840.113549.1.9.1";
    /// PKCS #9 extensionRequest, RFC 2985.
    EXTENSION_REQUEST = "1.2.840.113549.1.9.14";
    /// subjectKeyIdentifier, RFC 5280 §4.2.1.2.
    SUBJECT_KEY_ID = "2.5.29.14";
    /// keyUsage, RFC 5280 §4.2.1.3.
    KEY_USAGE = "2.5.29.15";
    /// subjectAltName, RFC 5280 §4.2.1.6.
    SUBJECT_ALT_NAME = "2.5.29.17";
    /// basicConstraints, RFC 5280 §4.2.1.9.
    BASIC_CONSTRAINTS = "2.5.29.19";
    /// authorityKeyIdentifier, RFC 5280 §4.2.1.1.
    AUTHORITY_KEY_ID = "2.5.29.35";
    /// extKeyUsage, RFC 5280 §4.2.1.12.
    EXTENDED_KEY_USAGE = "2.5.29.37";
    /// anyExtendedKeyUsage.
    ANY_EXTENDED_KEY_USAGE = "2.5.29.37.0";
    /// id-ce-nameConstraints, RFC 5280 §4.2.1.10.
    NAME_CONSTRAINTS = "2.5.29.30";
    /// id-ce-cRLDistributionPoints, RFC 5280 §4.2.1.13.
    CRL_DISTRIBUTION_POINTS = "2.5.29.31";
    /// id-ce-freshestCRL, RFC 5280 §4.2.1.15.
    FRESHEST_CRL = "2.5.29.46";
    /// id-ce-noRevAvail, RFC 9608 §2.
    NO_REV_AVAIL = "2.5.29.56";
    /// id-pe-authorityInfoAccess, RFC 5280 §4.2.2.1.
    AUTHORITY_INFO_ACCESS = "1.3.6.1.5.5.7.1.1";
    /// id-ad-ocsp, RFC 5280 §4.2.2.1.
    OCSP = "1.3.6.1.5.5.7.48.1";
    /// id-ad-caIssuers: the issuer's certificate.
    CA_ISSUERS = "1.3.6.1.5.5.7.48.2";
    /// id-pe-tlsfeature, RFC 7633 §4.1.
    TLS_FEATURE = "1.3.6.1.5.5.7.1.24";
    /// id-kp-serverAuth.
    SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
    /// id-kp-clientAuth.
    CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
    /// id-kp-codeSigning.
    CODE_SIGNING = "1.3.6.1.5.5.7.3.3";
    /// id-kp-emailProtection.
    EMAIL_PROTECTION = "1.3.6.1.5.5.7.3.4";
    /// id-kp-timeStamping.
    TIME_STAMPING = "1.3.6.1.5.5.7.3.8";
    /// id-kp-OCSPSigning.
    OCSP_SIGNING = "1.3.6.1.5.5.7.3.9";
    /// The step provisioner extension.
    STEP_PROVISIONER = "1.3.6.1.4.1.37476.9000.64.1";
    /// id-pe-acmeIdentifier, RFC 8737 §3.
    ACME_IDENTIFIER = "1.3.6.1.5.5.7.1.31";
    /// id-on-permanentIdentifier, RFC 4043.
    PERMANENT_IDENTIFIER = "1.3.6.1.5.5.7.8.3";
    /// id-on-hardwareModuleName, RFC 4108.
    HARDWARE_MODULE_NAME = "1.3.6.1.5.5.7.8.4";
    /// tcg-kp-AIKCertificate, the purpose of an attestation key.
    TCG_ATTESTATION_KEY = "2.23.133.8.3";
    /// tcg-at-tpmManufacturer.
    TPM_MANUFACTURER = "2.23.133.2.1";
    /// tcg-at-tpmModel.
    TPM_MODEL = "2.23.133.2.2";
    /// tcg-at-tpmVersion.
    TPM_VERSION = "2.23.133.2.3";
    /// The firmware of a YubiKey.
    YUBICO_FIRMWARE = "1.3.6.1.4.1.41482.3.3";
    /// The serial number of a YubiKey.
    YUBICO_SERIAL = "1.3.6.1.4.1.41482.3.7";
    /// When a YubiKey asks for a PIN and a touch.
    YUBICO_POLICIES = "1.3.6.1.4.1.41482.3.8";
    /// The form factor of a YubiKey.
    YUBICO_FORM_FACTOR = "1.3.6.1.4.1.41482.3.9";
    /// The identifier of a device that smallstep's agent manages.
    STEP_MANAGED_DEVICE = "1.3.6.1.4.1.37476.9000.64.4";
    /// Android's KeyDescription.
    ANDROID_KEY_DESCRIPTION = "1.3.6.1.4.1.11129.2.1.17";
    /// The serial number of an Apple device.
    APPLE_SERIAL = "1.2.840.113635.100.8.9.1";
    /// The UDID of an Apple device.
    APPLE_UDID = "1.2.840.113635.100.8.9.2";
    /// The operating system of an Apple device.
    APPLE_OS = "1.2.840.113635.100.8.10.1";
    /// The operating system of an Apple device's Secure Enclave.
    APPLE_SECURE_ENCLAVE_OS = "1.2.840.113635.100.8.10.2";
    /// The freshness of an Apple attestation.
    APPLE_FRESHNESS = "1.2.840.113635.100.8.11.1";
}
