//! Objects of Kubernetes that say from where, and as whom, the External Secrets Operator reads.

use crate::compose::flat::Entry;
use crate::compose::{Location, Text};

/// Which service account has which role (IRSA).
const ROLE: &str = "eks.amazonaws.com/role-arn";

/// An object that matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// `SecretStore`, `ClusterSecretStore` or `ServiceAccount`.
    pub kind: String,
    /// Where its name stands.
    pub at: Location,
    /// `metadata.name`.
    pub name: String,
    /// `metadata.namespace`; `None` = that which it is applied to.
    pub namespace: Option<String>,
    /// Of a store: the region that it reads from.
    pub region: Option<Text>,
    /// The role by which it reads: a store's own, or that of a service account.
    pub role: Option<Text>,
    /// Of a store: the service account that it reads as, and that one's namespace.
    pub account: Option<(String, Option<String>)>,
}

impl Object {
    /// Reads a document; `None` = it is something else.
    pub fn read(document: &[Entry]) -> Option<Self> {
        let find = |keys: &[&str]| document.iter().find(|it| it.keys == keys).map(|it| &it.text);
        let text = |keys: &[&str]| find(keys).map(|it| it.as_str().to_owned());
        let kind = text(&["kind"])?;
        let name = find(&["metadata", "name"])?;
        let aws = |key: &str| find(&["spec", "provider", "aws", key]).cloned();
        let reference = |key: &str| text(&["spec", "provider", "aws", "auth", "jwt", "serviceAccountRef", key]);
        let (region, role, account) = match kind.as_str() {
            "SecretStore" | "ClusterSecretStore" => {
                (aws("region"), aws("role"), reference("name").map(|it| (it, reference("namespace"))))
            }
            "ServiceAccount" => (None, find(&["metadata", "annotations", ROLE]).cloned(), None),
            _ => return None,
        };
        let namespace = text(&["metadata", "namespace"]);
        Some(Self { kind, at: name.at.clone(), name: name.as_str().to_owned(), namespace, region, role, account })
    }

    /// Whether it is called so. What names no namespace may be in any.
    pub fn is_called(&self, name: &str, namespace: Option<&str>) -> bool {
        let in_it = self.namespace.as_deref().zip(namespace).is_none_or(|(own, other)| own == other);
        self.name == name && in_it
    }
}

/// The account in the ARN of a role; `None` = it is none.
pub fn account_of(role: &str) -> Option<&str> {
    let mut parts = role.splitn(6, ':');
    let (arn, partition, service, region) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let (account, resource) = (parts.next()?, parts.next()?);
    let is_arn = arn == "arn" && partition.starts_with("aws") && service == "iam" && region.is_empty();
    let is_account = account.len() == 12 && account.bytes().all(|it| it.is_ascii_digit());
    let is_role = resource.strip_prefix("role/").is_some_and(|it| {
        let plain = |it: u8| it.is_ascii_alphanumeric() || b"/_+=,.@-".contains(&it);
        !it.is_empty() && it.bytes().all(plain)
    });
    (is_arn && is_account && is_role).then_some(account)
}

#[cfg(test)]
mod tests {
    use super::account_of;

    #[test]
    fn a_role_has_an_account_of_twelve_digits_and_a_name() {
        for role in ["arn:aws:iam::222222222222:role/a", "arn:aws-cn:iam::222222222222:role/path/to/a_b+c=d,e.f@g-h"] {
            assert_eq!(account_of(role), Some("222222222222"), "{role}");
        }
        for other in [
            "",
            "a",
            "arn:aws:iam::222222222222:user/a",
            "arn:aws:iam::222222222222:role/",
            "arn:aws:iam::ACCOUNT_ID:role/a",
            "arn:aws:iam::22222222222:role/a",
            "arn:aws:iam::222222222222:role/<name>",
            "arn:aws:sts::222222222222:role/a",
        ] {
            assert_eq!(account_of(other), None, "{other}");
        }
    }
}
