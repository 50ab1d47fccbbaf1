//! Certificate revocation lists (RFC 5280 §5), each with a number and a day by which the next one is there.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use data_encoding::HEXLOWER_PERMISSIVE;
use rcgen::{CertificateRevocationListParams, RevokedCertParams, SerialNumber};
use serde::{Deserialize, Serialize};

use super::{key_identifier, offset, pem, signing};
use crate::error::{Error, Result};
use crate::generate::issuer::Issuer;
use crate::generate::{Input, Inputs};
use crate::name::SecretName;
use crate::secret::Secret;
use crate::secret::parts::Parts;

/// How long a list is good for.
pub const LIFE: TimeDelta = TimeDelta::days(7);

/// For machines whose clock is behind.
const BACKDATE: TimeDelta = TimeDelta::minutes(5);

/// Why a certificate is revoked: the `CRLReason` of RFC 5280 §5.3.1, as far as a person may give it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Reason {
    /// The subject's name or another fact changed.
    AffiliationChanged,
    /// The CA's key is known to others.
    CaCompromise,
    /// It is no longer needed.
    CessationOfOperation,
    /// The key is known to others.
    KeyCompromise,
    /// It is no longer entitled.
    PrivilegeWithdrawn,
    /// Another one took its place.
    Superseded,
    /// None is given.
    #[default]
    Unspecified,
}

impl Reason {
    /// All, in the order of their names.
    pub const ALL: [Self; 7] = [
        Self::AffiliationChanged,
        Self::CaCompromise,
        Self::CessationOfOperation,
        Self::KeyCompromise,
        Self::PrivilegeWithdrawn,
        Self::Superseded,
        Self::Unspecified,
    ];

    /// The name in RFC 5280.
    pub fn name(self) -> &'static str {
        match self {
            Self::AffiliationChanged => "affiliationChanged",
            Self::CaCompromise => "cACompromise",
            Self::CessationOfOperation => "cessationOfOperation",
            Self::KeyCompromise => "keyCompromise",
            Self::PrivilegeWithdrawn => "privilegeWithdrawn",
            Self::Superseded => "superseded",
            Self::Unspecified => "unspecified",
        }
    }

    /// RFC 5280 §5.3.1: no code at all stands for none given.
    fn code(self) -> Option<rcgen::RevocationReason> {
        Some(match self {
            Self::AffiliationChanged => rcgen::RevocationReason::AffiliationChanged,
            Self::CaCompromise => rcgen::RevocationReason::CaCompromise,
            Self::CessationOfOperation => rcgen::RevocationReason::CessationOfOperation,
            Self::KeyCompromise => rcgen::RevocationReason::KeyCompromise,
            Self::PrivilegeWithdrawn => rcgen::RevocationReason::PrivilegeWithdrawn,
            Self::Superseded => rcgen::RevocationReason::Superseded,
            Self::Unspecified => return None,
        })
    }
}

/// An entry of a list.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// The certificate's serial, in hex.
    pub serial: &'a str,
    /// When it was revoked.
    pub at: DateTime<Utc>,
    /// Why.
    pub reason: Reason,
}

/// Signs the list of a CA, PEM, and tells by when the next one must be there: after [`LIFE`], or with the CA's own end.
///
/// Fails as issuing a certificate does when the CA cannot sign.
pub fn list(
    name: &SecretName,
    ca: &Parts,
    entries: &[Entry<'_>],
    number: u64,
    now: DateTime<Utc>,
) -> Result<(Secret, DateTime<Utc>)> {
    let inputs = Inputs::from([(name, Input::new(None, ca))]);
    let issuer = Issuer::load(name, &inputs, name, now)?;
    let now = now.trunc_subsecs(0);
    let next_update = (now + LIFE).min(issuer.not_after).max(now + TimeDelta::seconds(1));
    let revoked_certs = entries.iter().map(revoked).collect::<Result<_>>()?;
    let params = CertificateRevocationListParams {
        this_update: offset((now - BACKDATE).max(issuer.not_before))?,
        next_update: offset(next_update)?,
        crl_number: SerialNumber::from(number),
        issuing_distribution_point: None,
        revoked_certs,
        key_identifier_method: key_identifier(issuer.key.public()),
    };
    let signed = signing(&issuer)?.and_then(|issuer| params.signed_by(&issuer));
    let signed = signed.map_err(|_| Error::bug("rcgen cannot sign a revocation list"))?;
    Ok((pem::encode(pem::REVOCATION_LIST, signed.der()), next_update))
}

fn revoked(entry: &Entry<'_>) -> Result<RevokedCertParams> {
    let serial = HEXLOWER_PERMISSIVE.decode(entry.serial.as_bytes());
    let serial = serial.map_err(|_| Error::bug("a recorded serial is not hex"))?;
    Ok(RevokedCertParams {
        serial_number: SerialNumber::from_slice(&serial),
        revocation_time: offset(entry.at.trunc_subsecs(0))?,
        reason_code: entry.reason.code(),
        invalidity_date: None,
    })
}
