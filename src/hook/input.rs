//! What a program reads on its standard input: one JSON object, the only place where it meets a value.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use serde::{Serialize, Serializer};
use zeroize::Zeroizing;

use super::Step;
use crate::error::{Error, Result};
use crate::name::{EnvName, HookName, OutputName, SecretName, VersionId};
use crate::secret::Secret;
use crate::secret::parts::{Part, Parts};

/// The JSON Schema (draft 2020-12) of a hook's input.
pub const SCHEMA: &str = include_str!("../../schemas/hook-input.schema.json");

/// The version of the format.
const SCHEMA_VERSION: u32 = 1;

/// A call of a hook; borrows every value from the store.
#[derive(Debug)]
pub struct Call<'a> {
    /// What is asked for.
    pub step: Step,
    /// The project's name.
    pub project: &'a str,
    /// The environment at hand.
    pub environment: &'a EnvName,
    /// The new version's id, which is the rotation's; `None` for `reload`, and for a failure of none.
    pub rotation: Option<VersionId>,
    /// What is rotated, with its kind.
    pub secret: Option<(&'a SecretName, &'a str)>,
    /// The value that shall serve.
    pub new: Option<Given<'a>>,
    /// The value that served until now.
    pub old: Option<Given<'a>>,
    /// The current values of the hook's `secrets`.
    pub secrets: BTreeMap<&'a SecretName, Given<'a>>,
    /// The hook's `options`.
    pub options: &'a BTreeMap<String, String>,
    /// The files that the secrets at hand are delivered in.
    pub outputs: Vec<Affected<'a>>,
    /// For `reload`: the secrets whose files changed.
    pub changed: Vec<&'a SecretName>,
    /// For `notify`: what failed.
    pub failure: Option<Failure<'a>>,
}

/// A value and its version.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a> {
    /// The version.
    pub version: VersionId,
    /// The user that it belongs to.
    pub username: Option<&'a str>,
    /// The value, or its pieces.
    pub parts: &'a Parts,
}

/// A file that a secret is delivered in.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Affected<'a> {
    /// The output.
    pub output: &'a OutputName,
    /// Absolute path of the file or directory; for `reload` of a file that may have changed, where each secret has one.
    pub path: String,
    /// Those of the secrets at hand that it holds.
    pub secrets: Vec<&'a SecretName>,
}

/// What failed, without a value.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Failure<'a> {
    /// Whose rotation it was; absent for a `reload`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<&'a SecretName>,
    /// The step of the rotation, such as `set`; `run` where the run was refused as a whole.
    pub step: &'a str,
    /// The hook, where one failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hook: Option<&'a HookName>,
    /// The stable code of the error.
    pub code: &'a str,
    /// The error in words.
    pub message: &'a str,
    /// The command that goes on with it.
    pub resume: &'a str,
}

/// What a hook reads.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "The input of a rotation hook"))]
struct Document<'a> {
    /// 1; a program refuses what it does not know.
    #[cfg_attr(test, schemars(extend("const" = 1)))]
    schema_version: u32,
    /// What is asked for; the program's argument says the same.
    #[cfg_attr(test, schemars(extend("enum" = ["set", "test", "retire", "reload", "notify"])))]
    step: &'a str,
    /// The project's name.
    project: &'a str,
    /// The environment at hand.
    environment: &'a EnvName,
    /// The same for all steps of one rotation, and for every repetition of a step: the id of the new version.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    rotation: Option<VersionId>,
    /// The name of what is rotated.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a SecretName>,
    /// Its kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'a str>,
    /// The value that shall serve; absent for `reload` and `notify`.
    #[serde(skip_serializing_if = "Option::is_none")]
    new: Option<Value<'a>>,
    /// The value that served until now; `null` for the first.
    old: Option<Value<'a>>,
    /// The current values of the hook's `secrets`, by name.
    secrets: BTreeMap<&'a SecretName, Value<'a>>,
    /// The hook's `options`.
    options: &'a BTreeMap<String, String>,
    /// The files that the secrets at hand are delivered in.
    outputs: &'a [Affected<'a>],
    /// For `reload`: the secrets that changed in files of the hook's outputs since it reloaded last.
    changed: &'a [&'a SecretName],
    /// For `notify`: what failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'a Failure<'a>>,
}

/// A value: exactly one of `value`, `value_base64` and `parts`.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Value<'a> {
    /// The version.
    #[cfg_attr(test, schemars(with = "String"))]
    version: VersionId,
    /// The user that it belongs to, of secrets with `usernames`.
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
    /// The value.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    #[serde(rename = "value")]
    text: Option<Text<'a>>,
    /// The value in base64 (RFC 4648 §4), if it is not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    #[serde(rename = "value_base64")]
    bytes: Option<Base64<'a>>,
    /// The pieces of a certificate or key pair, PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<BTreeMap<String, String>>"))]
    parts: Option<BTreeMap<&'static str, Text<'a>>>,
}

/// A value that is UTF-8.
struct Text<'a>(&'a str);

/// A value that is not.
struct Base64<'a>(&'a Secret);

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

impl Serialize for Base64<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = Zeroizing::new(String::with_capacity(BASE64.encode_len(self.0.len())));
        BASE64.encode_append(self.0.expose(), &mut text);
        serializer.serialize_str(&text)
    }
}

impl<'a> Given<'a> {
    /// Fails for a value that was purged, and for a piece that is no text, which ours always are.
    fn document(&self) -> Result<Value<'a>> {
        let Self { version, username, parts } = *self;
        let empty = Value { version, username, text: None, bytes: None, parts: None };
        if let Some(value) = parts.part(Part::Value) {
            return Ok(match value.expose_text() {
                Some(text) => Value { text: Some(Text(text)), ..empty },
                None => Value { bytes: Some(Base64(value)), ..empty },
            });
        }
        let pieces: Option<BTreeMap<_, _>> =
            parts.iter().map(|(part, piece)| Some((part.name(), Text(piece.expose_text()?)))).collect();
        let pieces = pieces.filter(|pieces| !pieces.is_empty());
        let pieces = pieces.ok_or_else(|| Error::bug("a hook was to get a value that is not there"))?;
        Ok(Value { parts: Some(pieces), ..empty })
    }

    /// The most that its values take up in JSON: an escape is six bytes long.
    fn size(&self) -> usize {
        256 + self.parts.iter().map(|(_, piece)| 6 * piece.len() + 16).sum::<usize>()
    }
}

impl Call<'_> {
    /// The JSON, in a buffer that never grew. `reload` and `notify` get no value, whatever is here.
    pub fn into_input(self) -> Result<Zeroizing<Vec<u8>>> {
        let takes_values = self.step.takes_values();
        let given = || self.new.iter().chain(&self.old).chain(self.secrets.values());
        let rest = 4096
            + self.options.iter().map(|(name, value)| name.len() + 6 * value.len() + 8).sum::<usize>()
            + self.outputs.iter().map(|it| 6 * it.path.len() + 256 + 132 * it.secrets.len()).sum::<usize>()
            + 132 * self.changed.len()
            + self.failure.as_ref().map_or(0, |it| 6 * (it.message.len() + it.resume.len()) + 512);
        let mut input = Zeroizing::new(Vec::with_capacity(rest + given().map(Given::size).sum::<usize>()));
        let secrets = self.secrets.iter().filter(|_| takes_values);
        let document = Document {
            schema_version: SCHEMA_VERSION,
            step: self.step.name(),
            project: self.project,
            environment: self.environment,
            rotation: self.rotation,
            secret: self.secret.map(|(name, _)| name),
            kind: self.secret.map(|(_, kind)| kind),
            new: self.new.filter(|_| takes_values).map(|it| it.document()).transpose()?,
            old: self.old.filter(|_| takes_values).map(|it| it.document()).transpose()?,
            secrets: secrets.map(|(&name, it)| Ok((name, it.document()?))).collect::<Result<_>>()?,
            options: self.options,
            outputs: &self.outputs,
            changed: &self.changed,
            failure: self.failure.as_ref(),
        };
        serde_json::to_writer(&mut *input, &document).map_err(|_| Error::bug("a hook's input cannot be written"))?;
        input.push(b'\n');
        Ok(input)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn version() -> VersionId {
        VersionId::derived("x")
    }

    fn call(step: Step, check: impl FnOnce(Call<'_>)) {
        let (environment, secret) = (EnvName::new("prod").unwrap(), SecretName::new("PASSWORD").unwrap());
        let (output, admin) = (OutputName::new("env").unwrap(), SecretName::new("ADMIN").unwrap());
        let options = BTreeMap::from([("host".to_owned(), "db".to_owned())]);
        let new = Parts::value(Secret::copy_of("p\u{f6}\"\n".as_bytes()));
        let old = Parts::value(Secret::copy_of(b"\xff\x00"));
        let pair = Parts::default().with(Part::Cert, Secret::copy_of(b"CERT")).with(Part::Key, Secret::copy_of(b"KEY"));
        check(Call {
            step,
            project: "shop",
            environment: &environment,
            rotation: Some(version()),
            secret: Some((&secret, "password")),
            new: Some(Given { version: version(), username: Some("app_b"), parts: &new }),
            old: Some(Given { version: version(), username: None, parts: &old }),
            secrets: BTreeMap::from([(&admin, Given { version: version(), username: None, parts: &pair })]),
            options: &options,
            outputs: vec![Affected { output: &output, path: "/srv/shop/.env".into(), secrets: vec![&secret] }],
            changed: vec![&secret],
            failure: None,
        });
    }

    #[test]
    fn a_program_reads_one_object_with_every_value_in_its_form() {
        call(Step::Set, |call| {
            let input = call.into_input().unwrap();
            let id = version().to_string();
            let read: serde_json::Value = serde_json::from_slice(&input).unwrap();
            assert_eq!(
                read,
                json!({
                    "schema_version": 1, "step": "set", "project": "shop", "environment": "prod", "rotation": id,
                    "secret": "PASSWORD", "kind": "password",
                    "new": { "version": id, "username": "app_b", "value": "p\u{f6}\"\n" },
                    "old": { "version": id, "value_base64": "/wA=" },
                    "secrets": { "ADMIN": { "version": id, "parts": { "cert": "CERT", "key": "KEY" } } },
                    "options": { "host": "db" },
                    "outputs": [{ "output": "env", "path": "/srv/shop/.env", "secrets": ["PASSWORD"] }],
                    "changed": ["PASSWORD"],
                })
            );
        });
    }

    #[test]
    fn whoever_reloads_or_notifies_gets_no_value() {
        for step in [Step::Reload, Step::Notify] {
            call(step, |call| {
                let input = String::from_utf8(call.into_input().unwrap().to_vec()).unwrap();
                let read: serde_json::Value = serde_json::from_str(&input).unwrap();
                assert_eq!((&read["new"], &read["old"], &read["secrets"]), (&json!(null), &json!(null), &json!({})));
                assert!(!input.contains("KEY") && !input.contains("/wA="), "{input}");
            });
        }
    }

    #[test]
    fn the_buffer_never_grows_so_that_no_copy_stays_behind() {
        let text: String = (0..2000).map(|_| '\u{1}').collect();
        let parts: &'static Parts = Box::leak(Box::new(Parts::value(Secret::from_text(text))));
        call(Step::Set, |mut call| {
            call.new = Some(Given { version: version(), username: None, parts });
            let size = 4096 + call.new.unwrap().size();
            let input = call.into_input().unwrap();
            assert!(input.len() > 12_000 && input.len() < size);
        });
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test that may rewrite a file of the source tree")]
    fn the_shipped_schema_is_the_one_that_the_types_make() {
        let generated = serde_json::to_string_pretty(&schemars::schema_for!(Document<'static>)).unwrap() + "\n";
        if std::env::var_os("UPDATE_SCHEMAS").is_some() {
            std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/hook-input.schema.json"), &generated).unwrap();
            return;
        }
        assert!(generated == SCHEMA, "run `UPDATE_SCHEMAS=1 cargo test --lib schema` and commit schemas/");
    }
}
