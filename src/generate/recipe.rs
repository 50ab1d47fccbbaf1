//! The digest of a derived secret's parameters, by which a changed declaration is seen.
//!
//! Only arrays are digested: the order of an object's keys would hang on a feature that any dependency can switch on.

use serde_json::{Value, json};

use super::{Context, keypair};
use crate::manifest::model::{Ca, Certificate, Declaration, Kind, Token, Usage};
use crate::manifest::template::{Piece, Template};
use crate::secret::digest::sha256_hex;
use crate::token::algorithm::Algorithm;
use crate::token::claims::role_name;

/// Digest of the parameters of a derived kind (`ca`, `certificate`, `template`, `token`), `None` for the others: it
/// differs when the declaration changed in a way that asks for re-issue. The inputs' values and versions are no part of it.
pub fn recipe_digest(declaration: &Declaration, context: &Context<'_>) -> Option<String> {
    let parameters = match &declaration.kind {
        Kind::Ca(ca) => authority(ca, context),
        Kind::Certificate(certificate) => leaf(certificate),
        Kind::Template(template) => text(template),
        Kind::Token(token) => claims(token),
        _ => return None,
    };
    Some(digest(declaration, &parameters))
}

fn digest(declaration: &Declaration, parameters: &Value) -> String {
    let canonical = json!(["vault-kit/recipe/1", declaration.kind.name(), parameters]).to_string();
    let mut digest = sha256_hex(canonical.as_bytes());
    digest.truncate(32);
    digest
}

/// Digest of the parameters by which a value is drawn, `None` for the kinds that are not.
///
/// Other than [`recipe_digest`] it asks for no new value: one that was drawn is good until it is replaced.
pub fn drawing_digest(declaration: &Declaration) -> Option<String> {
    let parameters = match &declaration.kind {
        Kind::ApiKey { prefix } => json!([prefix]),
        Kind::EncryptionKey(it) | Kind::Random(it) => json!([it.bytes, format!("{:?}", it.encoding)]),
        Kind::Keypair { algorithm } => json!([keypair::jws_name(*algorithm)]),
        Kind::Passphrase { words, separator } => json!([words, separator]),
        Kind::Password(it) => {
            let classes: Vec<String> = it.classes.iter().map(|class| format!("{class:?}")).collect();
            json!([it.length, it.alphabet, classes])
        }
        Kind::Uuid => json!([]),
        _ => return None,
    };
    Some(digest(declaration, &parameters))
}

/// With the project and environment: they are in the subject.
fn authority(ca: &Ca, context: &Context<'_>) -> Value {
    json!([
        ["project", context.project],
        ["environment", context.environment],
        ["issuer", ca.issuer],
        ["algorithm", keypair::jws_name(ca.algorithm)],
        ["ttl", ca.ttl.seconds()],
        ["common_name", ca.common_name],
        ["permitted_dns", ca.permitted_dns],
        ["permitted_ip", ca.permitted_ip.iter().map(ToString::to_string).collect::<Vec<_>>()],
    ])
}

fn leaf(certificate: &Certificate) -> Value {
    let usage = match certificate.usage {
        Usage::Client => "client",
        Usage::Server => "server",
    };
    json!([
        ["issuer", certificate.issuer],
        ["algorithm", keypair::jws_name(certificate.algorithm)],
        ["usage", usage],
        ["dns", certificate.dns],
        ["ip", certificate.ip.iter().map(ToString::to_string).collect::<Vec<_>>()],
        ["uri", certificate.uri],
        ["ttl", certificate.ttl.seconds()],
    ])
}

fn claims(token: &Token) -> Value {
    json!([
        ["signed_by", token.signed_by],
        ["algorithm", Algorithm::from(token.algorithm).name()],
        ["role", token.role.map(role_name)],
        ["subject", token.subject],
        ["audience", token.audience],
        ["scope", token.scope],
        ["issuer", token.issuer],
        ["ttl", token.ttl.seconds()],
    ])
}

fn text(template: &Template) -> Value {
    let piece = |piece: &Piece| match piece {
        Piece::Literal(text) => json!(text),
        Piece::Reference { name, filters } => {
            json!([name, filters.iter().map(|filter| filter.name()).collect::<Vec<_>>()])
        }
    };
    template.pieces.iter().map(piece).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::tests::{Scene, name};
    use crate::manifest::model::{KeyAlgorithm, RandomBytes, Role, TokenAlgorithm};
    use crate::manifest::period::Period;

    fn digest(kind: Kind) -> Option<String> {
        recipe_digest(&Declaration::bare("X", kind), &Scene::new().context())
    }

    fn template(text: &str) -> Kind {
        Kind::Template(Template::parse(text).unwrap())
    }

    fn ca(ttl: i64) -> Kind {
        Kind::Ca(Ca {
            issuer: None,
            algorithm: KeyAlgorithm::Es256,
            ttl: Period::days(ttl),
            common_name: None,
            permitted_dns: vec![],
            permitted_ip: vec![],
        })
    }

    #[test]
    fn only_derived_kinds_have_a_digest() {
        let bytes = RandomBytes { bytes: 32, encoding: crate::manifest::model::Encoding::Hex };
        for kind in [Kind::Uuid, Kind::External, Kind::Random(bytes)] {
            assert_eq!(digest(kind), None);
        }
        assert_eq!(digest(ca(1)).unwrap().len(), 32);
    }

    #[test]
    fn what_is_drawn_has_a_digest_of_how() {
        let drawn = |kind: Kind| drawing_digest(&Declaration::bare("X", kind));
        let random = |bytes| Kind::Random(RandomBytes { bytes, encoding: crate::manifest::model::Encoding::Hex });
        assert_eq!(drawn(random(32)), drawn(random(32)));
        assert_ne!(drawn(random(32)), drawn(random(33)));
        assert_ne!(drawn(random(32)), drawn(Kind::Uuid));
        assert_eq!((drawn(ca(1)), drawn(Kind::External)), (None, None));
    }

    #[test]
    fn the_digest_stays_what_it_was_in_the_first_release() {
        // Computed with Python's hashlib over `["vault-kit/recipe/1","template",["a",["B",["json"]]]]`.
        assert_eq!(digest(template("a${B | json}")).unwrap(), "5febf70b6653d3882a23f0a4822ceb2c");
    }

    #[test]
    fn the_digest_differs_exactly_when_the_parameters_do() {
        assert_eq!(digest(template("a${B}")), digest(template("a${B}")));
        assert_eq!(digest(ca(10)), digest(ca(10)));
        assert_ne!(digest(ca(10)), digest(ca(11)));
        let texts = ["a${B}", "b${B}", "a${C}", "a${B | json}", "aB", "a$${B}"];
        let digests: std::collections::BTreeSet<_> = texts.map(|text| digest(template(text))).into_iter().collect();
        assert_eq!(digests.len(), texts.len());
    }

    fn token(change: fn(&mut Token)) -> Kind {
        let mut token = Token {
            signed_by: name("KEY"),
            algorithm: TokenAlgorithm::Hs256,
            role: None,
            subject: "s".into(),
            audience: vec!["a".into()],
            scope: vec![],
            issuer: "i".into(),
            ttl: Period::days(1),
        };
        change(&mut token);
        Kind::Token(token)
    }

    fn certificate(change: fn(&mut Certificate)) -> Kind {
        let mut certificate = Certificate {
            issuer: None,
            algorithm: KeyAlgorithm::Es256,
            usage: Usage::Server,
            dns: vec!["a".into()],
            ip: vec![],
            uri: vec![],
            ttl: Period::days(1),
        };
        change(&mut certificate);
        Kind::Certificate(certificate)
    }

    #[test]
    fn every_parameter_of_a_token_and_of_a_certificate_counts() {
        let kinds = [
            token(|_| ()),
            token(|token| token.signed_by = name("OTHER")),
            token(|token| token.algorithm = TokenAlgorithm::Hs512),
            token(|token| token.role = Some(Role::Admin)),
            token(|token| token.subject = "t".into()),
            token(|token| token.audience.push("b".into())),
            token(|token| token.scope.push("a".into())),
            token(|token| token.issuer = "j".into()),
            token(|token| token.ttl = Period::days(2)),
            certificate(|_| ()),
            certificate(|leaf| leaf.issuer = Some(name("CA"))),
            certificate(|leaf| leaf.algorithm = KeyAlgorithm::Eddsa),
            certificate(|leaf| leaf.usage = Usage::Client),
            certificate(|leaf| leaf.dns.push("b".into())),
            certificate(|leaf| leaf.ip.push("::1".parse().unwrap())),
            certificate(|leaf| leaf.uri.push("b".into())),
            certificate(|leaf| leaf.ttl = Period::days(2)),
        ];
        let count = kinds.len();
        let digests: std::collections::BTreeSet<_> = kinds.into_iter().map(digest).collect();
        assert_eq!(digests.len(), count);
    }
}
