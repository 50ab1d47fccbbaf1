//! The secrets together: what they refer to exists, is of a kind that serves, and nothing waits for itself.

use super::secrets::{Declared, Secrets};
use super::{Scope, authority, covers, usernames};
use crate::manifest::issue::Problems;
use crate::manifest::model::{Encoding, Kind, TokenAlgorithm};
use crate::manifest::order;

/// Checks all references, decides the algorithms of tokens, and puts the secrets in order: their positions.
pub(super) fn resolve(secrets: &mut Secrets, scope: &Scope<'_>, problems: &mut Problems) -> Vec<usize> {
    let mut graph = Vec::with_capacity(secrets.list.len());
    let mut algorithms = Vec::new();
    for (position, declared) in secrets.list.iter().enumerate() {
        let found = targets(declared, secrets, problems);
        for &target in &found {
            check_presence(declared, &secrets.list[target], scope, problems);
            usernames::check_template(declared, &secrets.list[target], problems);
            if let Some(algorithm) = check_kind(declared, &secrets.list[target], problems) {
                algorithms.push((position, target, algorithm));
            }
        }
        graph.push(found);
    }
    check_one_algorithm_a_key(secrets, &algorithms, problems);
    for (position, _, algorithm) in algorithms {
        let declaration = secrets.list[position].declaration_mut();
        if let Some(Kind::Token(token)) = declaration.map(|declaration| &mut declaration.kind) {
            token.algorithm = algorithm;
        }
    }
    authority::permit_declared(secrets);
    authority::check(secrets, problems);
    in_order(secrets, &graph, problems)
}

/// RFC 8725 §3.1: a key signs with one algorithm, or its `kid` would not tell verifiers which.
fn check_one_algorithm_a_key(
    secrets: &Secrets,
    algorithms: &[(usize, usize, TokenAlgorithm)],
    problems: &mut Problems,
) {
    for (index, (position, key, algorithm)) in algorithms.iter().enumerate() {
        let mut before = algorithms[..index].iter().filter(|(_, other, _)| other == key);
        let Some((other, _, first)) = before.find(|(_, _, other)| other != algorithm) else { continue };
        let (one, other, key) = (&secrets.list[*position], &secrets.list[*other], &secrets.list[*key]);
        let (algorithm, first) = (algorithm_name(*algorithm), algorithm_name(*first));
        let message = format!(
            "`secrets.{}` is signed with {algorithm} by `{}`, which signs `secrets.{}` with {first}",
            one.name, key.name, other.name
        );
        problems.add_with_hint(one.reference_at, message, "give each algorithm a key of its own");
    }
}

fn in_order(secrets: &Secrets, graph: &order::Graph, problems: &mut Problems) -> Vec<usize> {
    let name = |position: usize| &secrets.list[position].name;
    match order::order(graph) {
        Ok(order) => order,
        Err(cycles) => {
            for cycle in cycles {
                let names: Vec<&str> = cycle.iter().map(|&position| name(position).as_str()).collect();
                let at = secrets.list[cycle[0]].reference_at;
                problems.add(at, format!("secrets refer to each other in a circle: `{}`", names.join(" → ")));
            }
            Vec::new()
        }
    }
}

/// The declared secrets that one refers to; the others are reported by their place, since what stands there may be anything.
fn targets(declared: &Declared, secrets: &Secrets, problems: &mut Problems) -> Vec<usize> {
    let Some(declaration) = &declared.declaration else { return Vec::new() };
    let mut found = Vec::new();
    for (index, name) in declaration.references().into_iter().enumerate() {
        if let Some(position) = secrets.position(name.as_str()) {
            found.push(position);
            continue;
        }
        let place = match &declaration.kind {
            Kind::Token(_) => format!("`secrets.{}.signed_by` names", declared.name),
            Kind::Template(_) => format!("reference {} of `secrets.{}.template` is to", index + 1, declared.name),
            _ => format!("`secrets.{}.issuer` names", declared.name),
        };
        let message = format!("{place} a secret that is not declared");
        problems.add_with_guess(declared.reference_at, message, name.as_str(), secrets.names(), || {
            Some("declare it as a table of its own beneath `secrets`".to_owned())
        });
    }
    found
}

fn check_presence(declared: &Declared, target: &Declared, scope: &Scope<'_>, problems: &mut Problems) {
    let (Some(one), Some(other)) = (&declared.declaration, &target.declaration) else { return };
    if !covers(other.environments.as_ref(), one.environments.as_ref(), scope) {
        let message = format!(
            "`secrets.{}` exists in environments in which `{}`, which it needs, does not",
            one.name, other.name
        );
        problems.add_with_hint(declared.reference_at, message, "give both the same `environments`");
    }
}

/// Whether the target's kind serves; for a token, the algorithm that it decides.
fn check_kind(declared: &Declared, target: &Declared, problems: &mut Problems) -> Option<TokenAlgorithm> {
    let (Some(one), Some(other)) = (&declared.declaration, &target.declaration) else { return None };
    match (&one.kind, &other.kind) {
        (Kind::Token(_), kind) => return check_signer(declared, target, kind, problems),
        (Kind::Template(_), Kind::Ca(_) | Kind::Certificate(_) | Kind::ImportedCertificate(_)) => {
            let message = format!(
                "`secrets.{}.template` refers to `{}`, which is several files, not one text",
                one.name, other.name
            );
            problems.add_with_hint(declared.reference_at, message, "deliver certificates with a `pem` output");
        }
        (Kind::Template(_), _) | (_, Kind::Ca(_)) => {}
        (_, kind) => {
            let message =
                format!("`secrets.{}.issuer` is `{}`, of kind `{}`, not `ca`", one.name, other.name, kind.name());
            problems.add_with_hint(declared.reference_at, message, "name a secret of kind `ca`");
        }
    }
    None
}

fn check_signer(declared: &Declared, target: &Declared, key: &Kind, problems: &mut Problems) -> Option<TokenAlgorithm> {
    let wanted = declared.algorithm.as_ref();
    match key {
        Kind::Keypair { algorithm } => {
            let fitting = TokenAlgorithm::from(*algorithm);
            if let Some(wrong) = wanted.filter(|wanted| wanted.value != fitting) {
                let message =
                    format!("`secrets.{}.algorithm` does not fit the key pair `{}`", declared.name, target.name);
                problems.add_with_hint(
                    wrong.at,
                    message,
                    format!("leave it out or write `{}`", algorithm_name(fitting)),
                );
            }
            Some(fitting)
        }
        Kind::Random(_) | Kind::Password(_) | Kind::External => {
            let algorithm = wanted.map_or(TokenAlgorithm::Hs256, |wanted| wanted.value);
            if let Some(needed) = hmac_key(algorithm) {
                check_strength(declared, target, (key, needed), algorithm, problems);
            } else if is_rsa(algorithm) && matches!(key, Kind::External) {
                // A PEM that a person supplies; it is read when it signs.
            } else if is_rsa(algorithm) {
                let message = format!(
                    "`secrets.{}.algorithm` needs an RSA key, and `{}` is made here",
                    declared.name, target.name
                );
                let hint = "vault-kit makes no RSA keys: declare the key as `external` and supply its PEM";
                problems.add_with_hint(wanted.map_or(declared.at, |wanted| wanted.at), message, hint);
            } else {
                let message =
                    format!("`secrets.{}.algorithm` needs a key pair, and `{}` is text", declared.name, target.name);
                let hint = "use `HS256`, or sign with a secret of kind `keypair`";
                problems.add_with_hint(wanted.map_or(declared.at, |wanted| wanted.at), message, hint);
            }
            Some(algorithm)
        }
        other => {
            let message = format!(
                "`secrets.{}.signed_by` is `{}`, of kind `{}`, which signs no tokens",
                declared.name,
                target.name,
                other.name()
            );
            let hint = "sign with a `random` or `password` (HS256), or with a `keypair` (ES256, ES384, EdDSA)";
            problems.add_with_hint(declared.reference_at, message, hint);
            None
        }
    }
}

/// RFC 7518 §3.2: an HMAC key is at least as long as the hash. The key is the delivered text, so its bytes count;
/// an external one is measured when it is there.
fn check_strength(
    declared: &Declared,
    target: &Declared,
    (key, needed): (&Kind, u32),
    algorithm: TokenAlgorithm,
    problems: &mut Problems,
) {
    let (length, field) = match key {
        Kind::Random(random) => (text_length(random.bytes, random.encoding), "bytes"),
        Kind::Password(password) => (password.length, "length"),
        _ => return,
    };
    if length < needed {
        let algorithm = algorithm_name(algorithm);
        let message = format!(
            "`secrets.{}.signed_by` is `{}`, whose {length} characters are too short for {algorithm}",
            declared.name, target.name
        );
        problems.add_with_hint(
            declared.reference_at,
            message,
            format!("{algorithm} needs {needed}: raise `secrets.{}.{field}`", target.name),
        );
    }
}

fn text_length(bytes: u32, encoding: Encoding) -> u32 {
    match encoding {
        Encoding::Base64 => bytes.div_ceil(3) * 4,
        Encoding::Base64url => (bytes * 4).div_ceil(3),
        Encoding::Hex => bytes * 2,
    }
}

/// The shortest key of an HMAC algorithm, in bytes.
fn hmac_key(algorithm: TokenAlgorithm) -> Option<u32> {
    match algorithm {
        TokenAlgorithm::Hs256 => Some(32),
        TokenAlgorithm::Hs384 => Some(48),
        TokenAlgorithm::Hs512 => Some(64),
        _ => None,
    }
}

/// Whether the key is an RSA key, which vault-kit does not make.
fn is_rsa(algorithm: TokenAlgorithm) -> bool {
    use TokenAlgorithm::{Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};
    matches!(algorithm, Ps256 | Ps384 | Ps512 | Rs256 | Rs384 | Rs512)
}

fn algorithm_name(algorithm: TokenAlgorithm) -> &'static str {
    match algorithm {
        TokenAlgorithm::Eddsa => "EdDSA",
        TokenAlgorithm::Es256 => "ES256",
        TokenAlgorithm::Es384 => "ES384",
        TokenAlgorithm::Hs256 => "HS256",
        TokenAlgorithm::Hs384 => "HS384",
        TokenAlgorithm::Hs512 => "HS512",
        TokenAlgorithm::Ps256 => "PS256",
        TokenAlgorithm::Ps384 => "PS384",
        TokenAlgorithm::Ps512 => "PS512",
        TokenAlgorithm::Rs256 => "RS256",
        TokenAlgorithm::Rs384 => "RS384",
        TokenAlgorithm::Rs512 => "RS512",
    }
}
