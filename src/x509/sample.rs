//! Certificates for tests, made by rcgen; also those that nobody should make. tests/cert includes this file by its path.

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CidrSubnet, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, NameConstraints,
    RevokedCertParams, SanType, SerialNumber,
};
use time::{Duration, OffsetDateTime};

/// A certificate with its key, PEM.
pub(crate) struct Sample {
    pub(crate) pem: String,
    pub(crate) key: String,
    pub(crate) serial: u8,
}

/// A CA.
pub(crate) struct Authority {
    pub(crate) pem: String,
    now: OffsetDateTime,
    issuer: Issuer<'static, KeyPair>,
}

/// Sixteen octets that tell one sample from another.
fn serial(number: u8) -> SerialNumber {
    SerialNumber::from_slice(&[0x41, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, number])
}

fn params(now: i64, common_name: &str, days: i64, number: u8) -> CertificateParams {
    let now = OffsetDateTime::from_unix_timestamp(now).unwrap();
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.not_before = now - Duration::hours(1);
    params.not_after = params.not_before + Duration::days(days) - Duration::seconds(1);
    params.serial_number = Some(serial(number));
    params.use_authority_key_identifier_extension = true;
    params
}

fn authority_params(now: i64, common_name: &str) -> CertificateParams {
    let mut params = params(now, common_name, 3650, 1);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

impl Authority {
    /// A root; `now` in seconds since 1970.
    pub(crate) fn root(now: i64, common_name: &str, edit: impl FnOnce(&mut CertificateParams)) -> Self {
        let mut params = authority_params(now, common_name);
        edit(&mut params);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        let now = OffsetDateTime::from_unix_timestamp(now).unwrap();
        Self { pem, now, issuer: Issuer::new(params, key) }
    }

    /// An intermediate that permits names beneath these domains, and no address; without domains anything.
    pub(crate) fn intermediate(&self, common_name: &str, permitted: &[&str]) -> Self {
        self.beneath(common_name, |params| {
            if !permitted.is_empty() {
                let all = [CidrSubnet::V4([0; 4], [0; 4]), CidrSubnet::V6([0; 16], [0; 16])];
                params.name_constraints = Some(NameConstraints {
                    permitted_subtrees: permitted.iter().map(|it| GeneralSubtree::DnsName((*it).to_owned())).collect(),
                    excluded_subtrees: all.map(GeneralSubtree::IpAddress).to_vec(),
                });
            }
        })
    }

    /// An intermediate, changed before it is signed.
    pub(crate) fn beneath(&self, common_name: &str, edit: impl FnOnce(&mut CertificateParams)) -> Self {
        let mut params = authority_params(self.now.unix_timestamp(), common_name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        edit(&mut params);
        let key = KeyPair::generate().unwrap();
        let pem = params.signed_by(&key, &self.issuer).unwrap().pem();
        Self { pem, now: self.now, issuer: Issuer::new(params, key) }
    }

    /// A server's certificate for these names, changed before it is signed.
    pub(crate) fn leaf(&self, dns: &[&str], number: u8, edit: impl FnOnce(&mut CertificateParams)) -> Sample {
        let params = leaf_params(self.now.unix_timestamp(), dns, number, edit);
        let key = KeyPair::generate().unwrap();
        let pem = params.signed_by(&key, &self.issuer).unwrap().pem();
        Sample { pem, key: key.serialize_pem(), serial: number }
    }

    /// Its revocation list, two days old and good for `days`.
    pub(crate) fn revocation_list(&self, revoked: &[&Sample], days: i64) -> String {
        self.revocation_list_from(revoked, -2, days)
    }

    /// Its revocation list, good for `days` from the day `from` on, today being 0.
    pub(crate) fn revocation_list_from(&self, revoked: &[&Sample], from: i64, days: i64) -> String {
        let entry = |sample: &&Sample| RevokedCertParams {
            serial_number: serial(sample.serial),
            revocation_time: self.now - Duration::minutes(10),
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: self.now + Duration::days(from),
            next_update: self.now + Duration::days(from + days),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: revoked.iter().map(entry).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer).unwrap().pem().unwrap()
    }
}

/// A certificate that its own key signs.
pub(crate) fn self_signed(now: i64, dns: &[&str], edit: impl FnOnce(&mut CertificateParams)) -> Sample {
    let params = leaf_params(now, dns, 9, edit);
    let key = KeyPair::generate().unwrap();
    let pem = params.self_signed(&key).unwrap().pem();
    Sample { pem, key: key.serialize_pem(), serial: 9 }
}

fn leaf_params(now: i64, dns: &[&str], number: u8, edit: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
    let mut params = params(now, dns.first().copied().unwrap_or("nobody"), 90, number);
    params.subject_alt_names = dns
        .iter()
        .map(|it| it.parse().map_or_else(|_| SanType::DnsName((*it).try_into().unwrap()), SanType::IpAddress))
        .collect();
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    edit(&mut params);
    params
}

/// Moves a life so that it ended, or begins, a day from `now`.
pub(crate) fn shift(params: &mut CertificateParams, days: i64) {
    params.not_before += Duration::days(days);
    params.not_after += Duration::days(days);
}
