//! Which revocation list speaks for a CA, where there are several of it. webpki takes the first that names the CA.

use chrono::{DateTime, Utc};
use webpki::{BorrowedCertRevocationList, CertRevocationList, Error};
use x509_parser::num_bigint::BigUint;

use crate::x509::certificate::Certificate;
use crate::x509::chain::has_signed;

/// A list, and what tells it from others of its CA.
pub(super) struct List<'a> {
    pub(super) parsed: CertRevocationList<'a>,
    issuer: Vec<u8>,
    signed: Vec<u8>,
    signature: Vec<u8>,
    /// From when on it is valid.
    pub(super) this_update: DateTime<Utc>,
    next_update: Option<DateTime<Utc>>,
    number: Option<BigUint>,
}

/// Reads them; one that is damaged spoils all.
pub(super) fn read(ders: &[Vec<u8>]) -> Result<Vec<List<'_>>, Error> {
    ders.iter().map(|der| List::read(der)).collect()
}

/// Of each of these CAs the lists that OpenSSL would go by too: of each scope one, rather one that is valid now, and of those the
/// newest.
pub(super) fn of<'l, 'a>(
    lists: &'l [List<'a>],
    authorities: &[&Certificate],
    now: DateTime<Utc>,
) -> Vec<&'l CertRevocationList<'a>> {
    let mut chosen: Vec<&List<'a>> = Vec::new();
    for authority in authorities {
        let mut own = signed_by(lists, authority);
        own.sort_by_key(|it| std::cmp::Reverse((it.is_valid(now), it.this_update, it.number.as_ref())));
        for list in own {
            let is_same = |it: &&List<'_>| it.issuer == list.issuer && it.scope() == list.scope();
            if !chosen.iter().any(is_same) {
                chosen.push(list);
            }
        }
    }
    chosen.into_iter().map(|it| &it.parsed).collect()
}

/// The lists of a CA. Another one of its name, such as the one before it, has lists of its own; where its key made none of
/// them, webpki says so.
fn signed_by<'l, 'a>(lists: &'l [List<'a>], authority: &Certificate) -> Vec<&'l List<'a>> {
    let of_name: Vec<_> = lists.iter().filter(|it| it.issuer == authority.subject.raw).collect();
    let own: Vec<_> =
        of_name.iter().copied().filter(|it| has_signed(authority, &it.signed, &it.signature) == Some(true)).collect();
    if own.is_empty() { of_name } else { own }
}

impl<'a> List<'a> {
    fn read(der: &'a [u8]) -> Result<Self, Error> {
        let parsed = CertRevocationList::from(BorrowedCertRevocationList::from_der(der)?);
        let (_, told) = x509_parser::parse_x509_crl(der).map_err(|_| Error::BadDer)?;
        let time = |it: x509_parser::time::ASN1Time| DateTime::from_timestamp(it.timestamp(), 0);
        Ok(Self {
            parsed,
            issuer: told.issuer().as_raw().to_vec(),
            signed: told.tbs_cert_list.as_ref().to_vec(),
            signature: told.signature_value.data.to_vec(),
            this_update: time(told.last_update()).ok_or(Error::BadDer)?,
            next_update: told.next_update().and_then(time),
            number: told.crl_number().cloned(),
        })
    }

    fn is_valid(&self, now: DateTime<Utc>) -> bool {
        self.this_update <= now && self.next_update.is_none_or(|end| now < end)
    }

    /// Which certificates of its CA it is about; `None` = all.
    fn scope(&self) -> Option<&[u8]> {
        self.parsed.issuing_distribution_point()
    }
}
