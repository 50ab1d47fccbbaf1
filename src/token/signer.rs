//! Which secrets sign tokens, and what a token that is asked for takes from the manifest.

use chrono::{DateTime, Utc};

use crate::manifest::Manifest;
use crate::manifest::model::{Declaration, Environment, Kind, Token, TokenAlgorithm};
use crate::name::{EnvName, SecretName, VersionId};
use crate::plan::due;

/// A secret that signs tokens: a key pair, or the key of a declared token.
#[derive(Debug)]
pub struct Signer<'a> {
    /// The secret.
    pub declaration: &'a Declaration,
    /// The declared tokens that it signs, in the order of the manifest.
    pub tokens: Vec<(&'a SecretName, &'a Token)>,
    /// Its one algorithm, as it is declared; a key pair of another one signs with its own.
    pub algorithm: TokenAlgorithm,
}

/// All of an environment, in the order of the manifest.
pub fn signers<'a>(manifest: &'a Manifest, environment: &'a EnvName) -> Vec<Signer<'a>> {
    let tokens_of = |key: &SecretName| -> Vec<_> {
        let declared = manifest.secrets_in(environment).filter_map(|it| match &it.kind {
            Kind::Token(token) if token.signed_by == *key => Some((&it.name, token)),
            _ => None,
        });
        declared.collect()
    };
    let signer = |declaration: &'a Declaration| {
        let tokens = tokens_of(&declaration.name);
        let algorithm = match (&declaration.kind, tokens.first()) {
            (Kind::Keypair { algorithm }, _) => (*algorithm).into(),
            (_, Some((_, token))) => token.algorithm,
            (_, None) => return None,
        };
        Some(Signer { declaration, tokens, algorithm })
    };
    manifest.secrets_in(environment).filter_map(signer).collect()
}

impl Signer<'_> {
    /// Whom an error about the key blames beside it: a declared token, as all but key pairs have.
    pub fn asker(&self) -> &SecretName {
        self.tokens.first().map_or(&self.declaration.name, |(name, _)| name)
    }

    /// The `iss` of its tokens: the project's, unless its declared tokens all have another.
    pub fn issuer<'b>(&'b self, manifest: &'b Manifest) -> &'b str {
        let mut issuers = self.tokens.iter().map(|(_, token)| token.issuer.as_str());
        match issuers.clone().next() {
            Some(first) if issuers.all(|it| it != manifest.issuer) => first,
            _ => &manifest.issuer,
        }
    }

    /// Whom its tokens are for: the project, or what its declared tokens agree on; `None` where they do not.
    pub fn audience(&self, manifest: &Manifest) -> Option<Vec<String>> {
        let Some((_, first)) = self.tokens.first() else { return Some(vec![manifest.project.clone()]) };
        let do_agree = self.tokens.iter().all(|(_, token)| token.audience == first.audience);
        do_agree.then(|| first.audience.clone())
    }

    /// When a version of the key that was made at `created` verifies nothing any more, if it is replaced as soon as it is
    /// due; `None` = nobody plans that.
    pub fn planned_end(
        &self,
        version: VersionId,
        created: DateTime<Utc>,
        environment: Option<&Environment>,
    ) -> Option<DateTime<Utc>> {
        let due = due::rotation(created, Some(version), self.declaration, environment)?.from;
        Some(self.declaration.overlap_in(environment).map_or(due, |overlap| due + overlap.delta()))
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::manifest;

    const MANIFEST: &str = r#"
[project]
name = "shop"
issuer = "https://shop.test"
[secrets.PLAIN]
kind = "random"
[secrets.SHARED]
kind = "random"
bytes = 64
rotate = "30d"
overlap = "24h"
[secrets.PAIR]
kind = "keypair"
algorithm = "eddsa"
[secrets.ONE]
kind = "token"
signed_by = "SHARED"
algorithm = "HS512"
audience = ["grid"]
[secrets.OTHER]
kind = "token"
signed_by = "SHARED"
algorithm = "HS512"
issuer = "https://grid.test"
"#;

    fn of(manifest: &Manifest) -> Vec<Signer<'_>> {
        signers(manifest, &manifest.default_environment)
    }

    #[test]
    fn key_pairs_sign_and_the_keys_of_declared_tokens_and_nothing_else() {
        let manifest = manifest::parse(MANIFEST, "m").unwrap();
        let signers = of(&manifest);
        let found: Vec<_> = signers.iter().map(|it| (it.declaration.name.as_str(), it.algorithm)).collect();
        assert_eq!(found, [("SHARED", TokenAlgorithm::Hs512), ("PAIR", TokenAlgorithm::Eddsa)]);
    }

    #[test]
    fn issuer_and_audience_are_the_projects_unless_the_declared_tokens_say_otherwise() {
        let manifest = manifest::parse(MANIFEST, "m").unwrap();
        let facts = |manifest: &Manifest| -> Vec<_> {
            of(manifest).iter().map(|it| (it.issuer(manifest).to_owned(), it.audience(manifest))).collect()
        };
        let project = Some(vec!["shop".to_owned()]);
        let own = "https://shop.test".to_owned();
        assert_eq!(facts(&manifest), [(own.clone(), None), (own.clone(), project.clone())], "they disagree");
        let grid =
            MANIFEST[..MANIFEST.find("[secrets.OTHER]").unwrap()].to_owned() + "issuer = \"https://grid.test\"\n";
        let manifest = manifest::parse(&grid, "m").unwrap();
        let grid = ("https://grid.test".to_owned(), Some(vec!["grid".to_owned()]));
        assert_eq!(facts(&manifest), [grid, (own, project)]);
    }

    #[test]
    fn a_key_ends_when_its_overlap_does_and_one_that_never_rotates_never() {
        let manifest = manifest::parse(MANIFEST, "m").unwrap();
        let created = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let version = VersionId::from_random([7; 16]);
        let ends: Vec<_> = of(&manifest).iter().map(|it| it.planned_end(version, created, None)).collect();
        let [Some(end), None] = ends[..] else { panic!("{ends:?}") };
        // As early as it may be replaced: nobody is promised a token that dies before its time.
        let early = created + TimeDelta::days(31) - end;
        assert!((TimeDelta::zero()..=TimeDelta::days(1)).contains(&early), "{early}");
    }
}
