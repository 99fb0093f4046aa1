//! Devices, their makers, and the statements of each format.

use jiff::Timestamp;
use minicbor::Encoder;
use pki::device::{HardwareModule, PermanentIdentifier};
use pki::extension::{basic_constraints, extended_key_usage, key_usage, subject_alt_names};
use pki::{
    AltName, Certificate, ExtendedKeyUsage, Extension, KeyUsages, Name, ObjectIdentifier,
    PrivateKey, Serial, SignatureAlgorithm, TbsCertificate, assemble, oid, sha256,
};
use uuid::Uuid;

use super::super::*;
use crate::challenge::{CaaIdentity, Ports, RedirectPorts, judge};

pub(super) const TOKEN: &str = "DGyRejmCefe7v4NfDGDKfA";
pub(super) const THUMBPRINT: &str = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
pub(super) const NOW: &str = "2026-11-28T12:00:00Z";

pub(super) fn p256() -> PrivateKey {
    PrivateKey::from_pem(include_bytes!("../../../../testdata/certificate.pem"), None).unwrap()
}

pub(super) fn rsa() -> PrivateKey {
    PrivateKey::from_pem(include_bytes!("../../../../testdata/rsa.pem"), None).unwrap()
}

pub(super) fn p384() -> PrivateKey {
    let pem = include_bytes!("../../../../../pki/testdata/openssl/p384.key");
    PrivateKey::from_pem(pem, None).unwrap()
}

pub(super) fn ed25519() -> PrivateKey {
    let pem = include_bytes!("../../../../../pki/testdata/openssl/ed25519.key");
    PrivateKey::from_pem(pem, None).unwrap()
}

/// The key of the makers' roots.
pub(super) fn root_key() -> PrivateKey {
    PrivateKey::from_pem(include_bytes!("../../../../testdata/account.pem"), None).unwrap()
}

/// Makes a key of these tests.
pub(super) type Key = fn() -> PrivateKey;

/// How a certificate is made.
pub(super) struct Plan {
    pub(super) subject: Name,
    pub(super) issuer: &'static str,
    pub(super) key: Key,
    pub(super) from: &'static str,
    pub(super) until: &'static str,
    pub(super) extensions: Vec<Extension>,
}

impl Plan {
    pub(super) fn leaf(key: Key, extensions: Vec<Extension>) -> Self {
        Self {
            subject: Name::common_name("device").unwrap(),
            issuer: "Maker",
            key,
            from: "2026-11-01T00:00:00Z",
            until: "2026-12-31T00:00:00Z",
            extensions,
        }
    }

    pub(super) fn sign(&self) -> Certificate {
        let tbs = TbsCertificate {
            serial: Serial::from_random([7; 16]),
            issuer: Name::common_name(self.issuer).unwrap(),
            subject: self.subject.clone(),
            not_before: self.from.parse().unwrap(),
            not_after: self.until.parse().unwrap(),
            public_key: (self.key)().public().clone(),
            extensions: self.extensions.clone(),
        };
        let algorithm = SignatureAlgorithm::EcdsaSha256;
        let der = tbs.to_der(algorithm).unwrap();
        let signature = root_key().sign(algorithm, &der).unwrap();
        assemble(&der, algorithm, &signature).unwrap()
    }
}

pub(super) fn root(name: &'static str) -> Certificate {
    let usage = key_usage(KeyUsages::KEY_CERT_SIGN);
    let mut plan = Plan::leaf(root_key, vec![usage, basic_constraints(None)]);
    plan.subject = Name::common_name(name).unwrap();
    plan.issuer = name;
    plan.sign()
}

pub(super) fn plain(oid: ObjectIdentifier, value: &[u8]) -> Extension {
    Extension {
        oid,
        critical: false,
        value: value.to_vec(),
    }
}

/// A member of a statement in CBOR.
pub(super) enum Member {
    Text(&'static str, &'static str),
    Number(&'static str, i64),
    Octets(&'static str, Vec<u8>),
    Chain(Vec<Certificate>),
}

pub(super) fn statement(format: &str, members: &[Member]) -> Vec<u8> {
    let mut out = Encoder::new(Vec::new());
    out.map(2).unwrap().str("fmt").unwrap().str(format).unwrap();
    out.str("attStmt").unwrap();
    out.map(members.len() as u64).unwrap();
    for member in members {
        match member {
            Member::Text(name, text) => out.str(name).unwrap().str(text).unwrap(),
            Member::Number(name, number) => out.str(name).unwrap().i64(*number).unwrap(),
            Member::Octets(name, octets) => out.str(name).unwrap().bytes(octets).unwrap(),
            Member::Chain(chain) => {
                out.str("x5c").unwrap().array(chain.len() as u64).unwrap();
                for one in chain {
                    out.bytes(one.der()).unwrap();
                }
                &mut out
            }
        };
    }
    out.into_writer()
}

pub(super) fn payload(object: &[u8]) -> Vec<u8> {
    format!(
        r#"{{"attObj":"{}","other":1}}"#,
        BASE64URL_NOPAD.encode(object)
    )
    .into_bytes()
}

pub(super) fn rules() -> AttestationRules {
    let roots = Format::ALL.map(|format| FormatRoots {
        format,
        roots: vec![root("Maker")],
    });
    AttestationRules {
        roots: roots.to_vec(),
        ..AttestationRules::default()
    }
}

/// A judgement and all that it looks at.
pub(super) struct Case {
    pub(super) identifier: &'static str,
    pub(super) token: &'static str,
    pub(super) thumbprint: &'static str,
    pub(super) now: &'static str,
    pub(super) rules: AttestationRules,
}

impl Default for Case {
    fn default() -> Self {
        Self {
            identifier: "13906186",
            token: TOKEN,
            thumbprint: THUMBPRINT,
            now: NOW,
            rules: rules(),
        }
    }
}

impl Case {
    pub(super) fn verdict(&self, payload: &[u8]) -> Result<Proof, Box<Finding>> {
        let kind = match self.identifier.contains('/') {
            true => "hardware-module",
            false => "permanent-identifier",
        };
        let identifier = Identifier::parse(kind, self.identifier).unwrap();
        let key_authorization = format!("{}.{}", self.token, self.thumbprint);
        let cx = Context {
            identifier: &identifier,
            token: self.token,
            payload,
            key_authorization: &key_authorization,
            account: Uuid::nil(),
            caa_identity: &CaaIdentity::default(),
            ports: Ports::default(),
            redirect_ports: RedirectPorts::NONE,
            attestation: &self.rules,
            now: self.now.parse::<Timestamp>().unwrap(),
            redirects: &[],
        };
        match judge(Method::DeviceAttest01, &cx, &Observation::Payload) {
            Verdict::Valid(proof) => Ok(proof),
            Verdict::Invalid(finding) => Err(Box::new(finding)),
            other @ (Verdict::Ask(_) | Verdict::Retry(_)) => panic!("{other:?}"),
        }
    }

    pub(super) fn object(&self, object: &[u8]) -> Result<Proof, Box<Finding>> {
        self.verdict(&payload(object))
    }

    /// The reason of a refusal, as the operator sees it.
    pub(super) fn refusal(&self, object: &[u8]) -> String {
        let finding = self.object(object).unwrap_err();
        assert_eq!(finding.problem.kind, Kind::BadAttestationStatement);
        finding.evidence["finding"].as_str().unwrap().to_owned()
    }
}

pub(super) fn key_authorization() -> String {
    format!("{TOKEN}.{THUMBPRINT}")
}

pub(super) fn apple_leaf() -> Plan {
    let freshness = sha256(TOKEN.as_bytes());
    Plan::leaf(
        p256,
        vec![
            plain(oid::APPLE_SERIAL, b"C02PROBE0001"),
            plain(oid::APPLE_UDID, b"00008110-001"),
            plain(oid::APPLE_FRESHNESS, &freshness),
        ],
    )
}

pub(super) fn apple(plan: &Plan) -> Vec<u8> {
    statement("apple", &[Member::Chain(vec![plan.sign()])])
}

pub(super) fn step_leaf(key: Key) -> Plan {
    // 13906186, in four octets after a zero.
    let serial = plain(oid::YUBICO_SERIAL, &[2, 4, 0, 0xd4, 0x31, 0x0a]);
    let firmware = plain(oid::YUBICO_FIRMWARE, &[5, 7, 4]);
    Plan::leaf(key, vec![serial, firmware])
}

pub(super) fn step(plan: &Plan) -> Vec<u8> {
    let message = key_authorization();
    let algorithm = (plan.key)().default_signature();
    let signature = (plan.key)().sign(algorithm, message.as_bytes()).unwrap();
    let mut inner = Encoder::new(Vec::new());
    inner.bytes(&signature).unwrap();
    let signature = Member::Octets("sig", inner.into_writer());
    statement("step", &[signature, Member::Chain(vec![plan.sign()])])
}

/// A statement of a TPM, in parts.
pub(super) struct TpmStatement {
    pub(super) attestation_key: Key,
    pub(super) leaf: Plan,
    pub(super) algorithm: i64,
    pub(super) attributes: u32,
    pub(super) extra_data: Vec<u8>,
    pub(super) signature_head: [u8; 4],
}

impl TpmStatement {
    pub(super) fn by(attestation_key: Key) -> Self {
        let device = PermanentIdentifier {
            value: "13906186".into(),
            assigner: None,
        };
        let module = HardwareModule {
            kind: "1.2.3.4".parse().unwrap(),
            serial: b"M1".to_vec(),
        };
        let names = [
            tpm_directory_name(),
            device.to_alt_name(),
            module.to_alt_name(),
        ];
        let mut leaf = Plan::leaf(
            attestation_key,
            vec![
                extended_key_usage(&[ExtendedKeyUsage::Other(oid::TCG_ATTESTATION_KEY)]),
                subject_alt_names(&names, true),
            ],
        );
        leaf.subject = Name::empty();
        let ecdsa = attestation_key().public().ec_coordinates().is_some();
        Self {
            attestation_key,
            leaf,
            algorithm: -7,
            attributes: 0x0004_0072,
            extra_data: sha256(key_authorization().as_bytes()).to_vec(),
            signature_head: [0, if ecdsa { 0x18 } else { 0x14 }, 0, 0x0b],
        }
    }

    pub(super) fn area(&self) -> Vec<u8> {
        let key = p256();
        let (x, y) = key.public().ec_coordinates().unwrap();
        let attributes = self.attributes.to_be_bytes();
        let head = [&[0, 0x23, 0, 0x0b], &attributes[..], &[0, 0, 0, 0x10]].concat();
        let tail = [0, 0x18, 0, 0x0b, 0, 3, 0, 0x10];
        [&head[..], &tail, &[0, 32], x, &[0, 32], y].concat()
    }

    pub(super) fn certified(&self) -> Vec<u8> {
        let name = [&[0, 0x0b][..], &sha256(&self.area())].concat();
        [
            &[0xff, 0x54, 0x43, 0x47, 0x80, 0x17, 0, 0][..],
            &sized(&self.extra_data),
            &[0; 25],
            &sized(&name),
            &sized(&name),
        ]
        .concat()
    }

    pub(super) fn signature(&self) -> Vec<u8> {
        let ecdsa = (self.attestation_key)().public().ec_coordinates().is_some();
        let algorithm = match ecdsa {
            true => SignatureAlgorithm::EcdsaSha256,
            false => SignatureAlgorithm::RsaSha256,
        };
        let der = (self.attestation_key)()
            .sign(algorithm, &self.certified())
            .unwrap();
        let octets = match self.signature_head[1] {
            0x18 if ecdsa => {
                let (r, rest) = integer(&der[2..]);
                [sized(r), sized(integer(rest).0)].concat()
            }
            0x18 => [sized(&der), sized(&der)].concat(),
            _ => sized(&der),
        };
        [&self.signature_head[..], &octets].concat()
    }

    pub(super) fn members(&self) -> Vec<Member> {
        vec![
            Member::Text("ver", "2.0"),
            Member::Number("alg", self.algorithm),
            Member::Chain(vec![self.leaf.sign()]),
            Member::Octets("sig", self.signature()),
            Member::Octets("certInfo", self.certified()),
            Member::Octets("pubArea", self.area()),
        ]
    }

    pub(super) fn object(&self) -> Vec<u8> {
        statement("tpm", &self.members())
    }
}

/// The contents of an INTEGER in DER, and what follows it.
pub(super) fn integer(der: &[u8]) -> (&[u8], &[u8]) {
    der[2..].split_at(usize::from(der[1]))
}

pub(super) fn sized(octets: &[u8]) -> Vec<u8> {
    let length = u16::try_from(octets.len()).unwrap().to_be_bytes();
    [&length, octets].concat()
}

/// DER of one element of fewer than 128 octets.
pub(super) fn der(tag: u8, contents: &[u8]) -> Vec<u8> {
    [&[tag, u8::try_from(contents.len()).unwrap()], contents].concat()
}

pub(super) fn tpm_directory_name() -> AltName {
    let attribute = |oid: ObjectIdentifier, text: &str| {
        let pair = [der(6, oid.as_bytes()), der(12, text.as_bytes())].concat();
        der(0x31, &der(0x30, &pair))
    };
    let name = [
        attribute(oid::TPM_MANUFACTURER, "id:49424D00"),
        attribute(oid::TPM_MODEL, "swtpm"),
        attribute(oid::TPM_VERSION, "id:20191023"),
    ];
    AltName::Other {
        oid: "directoryName".into(),
        der: der(0xa4, &der(0x30, &name.concat())),
    }
}

/// An Android device's description of its key, by where the attestation was made.
pub(super) fn description(level: u8, challenge: &str) -> Vec<u8> {
    described(level, challenge, 0)
}

/// As [`description`], of a key that was made (0) or imported (2).
pub(super) fn described(level: u8, challenge: &str, origin: u8) -> Vec<u8> {
    let origin = [&[0xbf, 0x85, 0x3e, 3][..], &der(2, &[origin])].concat();
    let serial = [&[0xbf, 0x85, 0x49, 10][..], &der(4, b"13906186")].concat();
    let fields = [
        der(2, &[4]),
        der(10, &[level]),
        der(2, &[4]),
        der(10, &[level]),
        der(4, challenge.as_bytes()),
        der(4, b""),
        der(0x30, &[]),
        der(0x30, &[origin, serial].concat()),
    ]
    .concat();
    der(0x30, &fields)
}

pub(super) fn android_leaf(level: u8, challenge: &str) -> Plan {
    let value = description(level, challenge);
    Plan::leaf(p256, vec![plain(oid::ANDROID_KEY_DESCRIPTION, &value)])
}

pub(super) fn android(plan: &Plan) -> Vec<u8> {
    let signature = (plan.key)().sign(
        (plan.key)().default_signature(),
        key_authorization().as_bytes(),
    );
    let signature = Member::Octets("sig", signature.unwrap());
    let alg = Member::Number("alg", -7);
    statement(
        "android-key",
        &[alg, signature, Member::Chain(vec![plan.sign()])],
    )
}

/// A good statement of each format, with a device that it is about.
pub(super) fn good() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    vec![
        ("apple", "C02PROBE0001", apple(&apple_leaf())),
        ("apple", "00008110-001", apple(&apple_leaf())),
        ("step", "13906186", step(&step_leaf(p256))),
        ("step", "13906186", step(&step_leaf(p384))),
        ("step", "13906186", step(&step_leaf(rsa))),
        ("step", "13906186", step(&step_leaf(ed25519))),
        ("tpm", "13906186", TpmStatement::by(rsa).object()),
        ("tpm", "13906186", TpmStatement::by(root_key).object()),
        ("tpm", "M1/1.2.3.4", TpmStatement::by(rsa).object()),
        (
            "android-key",
            "13906186",
            android(&android_leaf(1, &key_authorization())),
        ),
    ]
}
