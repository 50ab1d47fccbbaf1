//! The parameters of each kind, with their defaults and limits.

use std::collections::{BTreeMap, BTreeSet};

use super::{Place, Scope, hosts, non_empty, unknown_environment, within};
use crate::manifest::entropy::LONGEST as LONGEST_PASSWORD;
use crate::manifest::issue::Problems;
use crate::manifest::model::{
    Ca, Certificate, CharClass, Encoding, ImportedCertificate, KeyAlgorithm, Kind, Password, RandomBytes, Role, Token,
    TokenAlgorithm, Usage,
};
use crate::manifest::period::Period;
use crate::manifest::raw::{
    RawApiKey, RawCa, RawCertificate, RawKind, RawPassphrase, RawPassword, RawRandom, RawSetting, RawToken, Texts,
};
use crate::manifest::read::{At, Field};
use crate::manifest::template::{Filter, Template, TemplateError};
use crate::name::{EnvName, SecretName};

/// The longest life of a token.
const LONGEST_TOKEN: Period = Period::days(365);

/// The characters of a password unless declared.
const ALPHANUMERIC: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// One secret whose kind is being read.
pub(super) struct Recipe<'a> {
    pub(super) name: &'a SecretName,
    pub(super) at: usize,
    pub(super) place: Place<'a>,
    pub(super) scope: &'a Scope<'a>,
    /// The environments in which it exists; `None` = all.
    pub(super) environments: Option<&'a BTreeSet<EnvName>>,
    /// Whether everything in its table could be read.
    pub(super) sound: bool,
}

impl Recipe<'_> {
    /// The kind; `None` if something that it cannot do without is missing, which has been reported.
    pub(super) fn kind(&self, raw: RawKind, problems: &mut Problems) -> Option<Kind> {
        Some(match raw {
            RawKind::ApiKey(raw) => self.api_key(raw, problems),
            RawKind::Ca(raw) => Kind::Ca(self.ca(raw, problems)),
            RawKind::Certificate(raw) if is_import(&raw) => {
                Kind::ImportedCertificate(self.imported_certificate(raw, problems))
            }
            RawKind::Certificate(raw) => Kind::Certificate(self.certificate(raw, problems)?),
            RawKind::EncryptionKey(raw) => Kind::EncryptionKey(self.random(raw, problems)),
            RawKind::External(_) => Kind::External,
            RawKind::Keypair(raw) => Kind::Keypair { algorithm: or(raw.algorithm, KeyAlgorithm::Es256) },
            RawKind::Passphrase(raw) => self.passphrase(raw, problems),
            RawKind::Password(raw) => Kind::Password(self.password(raw, problems)),
            RawKind::Random(raw) => Kind::Random(self.random(raw, problems)),
            RawKind::Setting(raw) => self.setting(raw, problems),
            RawKind::Template(raw) => Kind::Template(self.template(&raw.template?, problems)?),
            RawKind::Token(raw) => Kind::Token(self.token(raw, problems)?),
            RawKind::Uuid(_) => Kind::Uuid,
        })
    }

    fn field(&self, key: &str) -> String {
        format!("{}.{key}", self.place)
    }

    /// Names the field only when it is there: most are not.
    fn number(
        &self,
        field: Field<u32>,
        key: &str,
        default: u32,
        range: std::ops::RangeInclusive<u32>,
        problems: &mut Problems,
    ) -> u32 {
        if field.is_none() { default } else { within(field, default, range, &self.field(key), problems) }
    }

    fn text(&self, field: Field<String>, key: &str, problems: &mut Problems) -> Option<String> {
        if field.is_none() { None } else { non_empty(field, &self.field(key), problems) }
    }

    fn random(&self, raw: RawRandom, problems: &mut Problems) -> RandomBytes {
        let bytes = self.number(raw.bytes, "bytes", 32, 16..=1024, problems);
        RandomBytes { bytes, encoding: or(raw.encoding, Encoding::Base64url) }
    }

    fn passphrase(&self, raw: RawPassphrase, problems: &mut Problems) -> Kind {
        let words = self.number(raw.words, "words", 8, 6..=64, problems);
        if let Some(separator) = &raw.separator
            && (separator.value.len() > 16 || separator.value.bytes().any(|byte| !matches!(byte, b' '..=b'~')))
        {
            let message = format!("`{}.separator` must be at most 16 printable ASCII characters", self.place);
            problems.add(separator.at, message);
        }
        Kind::Passphrase { words, separator: raw.separator.map_or_else(|| "-".to_owned(), |field| field.value) }
    }

    fn password(&self, raw: RawPassword, problems: &mut Problems) -> Password {
        let length = self.number(raw.length, "length", 32, 8..=LONGEST_PASSWORD, problems);
        let defaults =
            if raw.alphabet.is_some() { &[][..] } else { &[CharClass::Digit, CharClass::Lower, CharClass::Upper] };
        let alphabet = raw.alphabet.map_or_else(|| ALPHANUMERIC.to_owned(), |field| self.alphabet(field, problems));
        let mut classes: BTreeSet<CharClass> = defaults.iter().copied().collect();
        if let Some(declared) = raw.classes {
            for class in &declared.value {
                self.check_class(class, &alphabet, problems);
            }
            classes = declared.value.into_iter().map(|class| class.value).collect();
        }
        Password { length, alphabet, classes }
    }

    fn alphabet(&self, field: At<String>, problems: &mut Problems) -> String {
        let distinct: BTreeSet<char> = field.value.chars().collect();
        let printable = distinct.iter().all(char::is_ascii_graphic);
        if !printable || distinct.len() != field.value.len() || distinct.len() < 10 {
            let message =
                format!("`{}.alphabet` must be at least 10 printable ASCII characters, each once", self.place);
            problems.add(field.at, message);
        }
        field.value
    }

    fn check_class(&self, class: &At<CharClass>, alphabet: &str, problems: &mut Problems) {
        let (name, is_in): (_, fn(&u8) -> bool) = match class.value {
            CharClass::Digit => ("digit", u8::is_ascii_digit),
            CharClass::Lower => ("lower", u8::is_ascii_lowercase),
            CharClass::Symbol => ("symbol", u8::is_ascii_punctuation),
            CharClass::Upper => ("upper", u8::is_ascii_uppercase),
        };
        if !alphabet.bytes().any(|byte| is_in(&byte)) {
            let message = format!("`{}.classes` asks for `{name}`, which the alphabet does not have", self.place);
            problems.add_with_hint(class.at, message, format!("add such characters to `{}.alphabet`", self.place));
        }
    }

    fn api_key(&self, raw: RawApiKey, problems: &mut Problems) -> Kind {
        let word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        let Some(prefix) = raw.prefix else {
            let project = self.scope.project.chars().map(|letter| if word(letter) { letter } else { '_' });
            return Kind::ApiKey { prefix: project.chain(std::iter::once('_')).collect() };
        };
        if !prefix.value.chars().all(word) || prefix.value.len() > 64 {
            problems.add(prefix.at, format!("`{}.prefix` must be at most 64 of A–Z a–z 0–9 `_`", self.place));
        }
        Kind::ApiKey { prefix: prefix.value }
    }

    fn setting(&self, raw: RawSetting, problems: &mut Problems) -> Kind {
        let mut values = BTreeMap::new();
        for (name, value) in raw.values.map(|map| map.value.0).unwrap_or_default() {
            if let Some((known, _)) = self.scope.environments.get_key_value(name.value.as_str()) {
                values.insert(known.clone(), value.value);
            } else {
                let known = self.scope.environments.keys().map(EnvName::as_str);
                unknown_environment(&name, &self.field("values"), known, problems);
            }
        }
        if raw.value.is_none() && self.sound {
            let exists = |name: &&EnvName| self.environments.is_none_or(|set| set.contains(*name));
            let without = self.scope.environments.keys().filter(exists).filter(|name| !values.contains_key(*name));
            for environment in without {
                let message = format!("`{}` has no value in environment `{environment}`", self.place);
                problems.add_with_hint(self.at, message, "add a `value`, or one for that environment in `values`");
            }
        }
        Kind::Setting { value: raw.value.map(|value| value.value), values }
    }

    fn template(&self, field: &At<String>, problems: &mut Problems) -> Option<Template> {
        let place = self.place;
        let mut unknown = Vec::new();
        let template = Template::parse_reporting(&field.value, &mut unknown);
        for wrong in &unknown {
            self.unknown_filter(wrong, field.at, problems);
        }
        match template {
            Ok(template) => return Some(template),
            Err(TemplateError::Unclosed(_)) => {
                let message = format!("`{place}.template` has a `${{` without its `}}`");
                problems.add_with_hint(field.at, message, "write `$${` for a literal `${`");
            }
            Err(TemplateError::NotAName(_)) => {
                let message = format!("`{place}.template` has a `${{…}}` without a secret's name");
                problems.add_with_hint(field.at, message, "write `${NAME}`, or `$${` for a literal `${`");
            }
            Err(TemplateError::UnknownFilter(wrong)) => self.unknown_filter(&wrong, field.at, problems),
        }
        None
    }

    fn unknown_filter(&self, wrong: &str, at: usize, problems: &mut Problems) {
        let names = Filter::ALL.map(Filter::name);
        let otherwise = || Some(format!("the filters are {}", crate::manifest::read::list(&names)));
        let message = format!("`{}.template` uses a filter that does not exist", self.place);
        problems.add_with_guess(at, message, wrong, names, otherwise);
    }

    fn token(&self, raw: RawToken, problems: &mut Problems) -> Option<Token> {
        let role = raw.role.map(|role| role.value);
        let ttl = raw.ttl.as_ref().map_or_else(|| token_ttl(role), |ttl| ttl.value);
        if let Some(field) = raw.ttl.filter(|field| field.value > LONGEST_TOKEN) {
            let message = format!("`{}.ttl` must be at most `365d`", self.place);
            problems.add_with_hint(field.at, message, "a token is minted anew whenever its key rotates");
        }
        let signer = self.secret_name(raw.signed_by?, "signed_by", problems)?;
        let subject = self.text(raw.subject, "subject", problems);
        let issuer = self.text(raw.issuer, "issuer", problems);
        Some(Token {
            signed_by: signer,
            algorithm: or(raw.algorithm, TokenAlgorithm::Hs256),
            role,
            subject: subject.unwrap_or_else(|| {
                format!("{}:{}", role.map_or("service", role_name), self.name.as_str().to_ascii_lowercase())
            }),
            audience: match raw.audience {
                None => vec![self.scope.project.to_owned()],
                Some(audience) => self.audience(audience, problems),
            },
            scope: self.words(raw.scope, problems),
            issuer: issuer.unwrap_or_else(|| self.scope.issuer.to_owned()),
            ttl,
        })
    }

    fn audience(&self, field: At<Texts>, problems: &mut Problems) -> Vec<String> {
        if field.value.is_empty() {
            let message = format!("`{}.audience` is empty", self.place);
            problems.add_with_hint(field.at, message, "leave it out to mean the project's name");
        }
        let texts = field.value.into_iter();
        texts.filter_map(|text| self.text(Some(text), "audience", problems)).collect()
    }

    /// Scopes are joined by spaces, so none has one (RFC 6749 §3.3).
    fn words(&self, field: Field<Texts>, problems: &mut Problems) -> Vec<String> {
        let words = field.map(|list| list.value).unwrap_or_default();
        for word in &words {
            let visible = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
            if word.value.is_empty() || !word.value.bytes().all(visible) {
                let message = format!("`{}.scope` has an entry that is not one word", self.place);
                problems.add_with_hint(word.at, message, "write each scope as an entry of its own");
            }
        }
        words.into_iter().map(|word| word.value).collect()
    }

    /// A name that cannot be one is no secret's either.
    fn secret_name(&self, field: At<String>, key: &str, problems: &mut Problems) -> Option<SecretName> {
        let name = SecretName::new(field.value).ok();
        if name.is_none() {
            problems.add(field.at, format!("`{}.{key}` is not the name of a secret", self.place));
        }
        name
    }

    fn ca(&self, raw: RawCa, problems: &mut Problems) -> Ca {
        let is_self = raw.issuer.as_ref().is_some_and(|issuer| issuer.value == "self");
        if let Some(field) = raw.issuer.as_ref().filter(|_| is_self) {
            let message = format!("`{}.issuer` cannot be `self`", self.place);
            problems.add_with_hint(field.at, message, "a `ca` without `issuer` is a root");
        }
        let ttl = Period::days(if raw.issuer.is_some() { 1825 } else { 3650 });
        let common_name = self.text(raw.common_name.clone(), "common_name", problems);
        // X.520's upper bound, ub-common-name (RFC 5280, appendix A.1).
        if let Some(field) = raw.common_name.filter(|field| field.value.chars().count() > 64) {
            problems.add(field.at, format!("`{}.common_name` must be at most 64 characters", self.place));
        }
        Ca {
            issuer: raw.issuer.filter(|_| !is_self).and_then(|issuer| self.secret_name(issuer, "issuer", problems)),
            algorithm: or(raw.algorithm, KeyAlgorithm::Es256),
            ttl: or(raw.ttl, ttl),
            common_name,
            permitted_dns: self.dns(raw.permitted_dns, "permitted_dns", problems),
            permitted_ip: self.parsed(
                raw.permitted_ip,
                "permitted_ip",
                "an address range such as `10.0.0.0/8`",
                problems,
            ),
        }
    }

    fn certificate(&self, raw: RawCertificate, problems: &mut Problems) -> Option<Certificate> {
        if let Some(field) = raw.ttl.as_ref().filter(|field| field.value > Certificate::LONGEST) {
            let message = format!("`{}.ttl` must be at most `825d`", self.place);
            problems.add_with_hint(field.at, message, "verifiers refuse leaves that live longer; `90d` is usual");
        }
        let named = [&raw.dns, &raw.ip, &raw.uri].into_iter().flatten().any(|list| !list.value.is_empty());
        if !named && self.sound {
            let message = format!("`{}` names nothing that it is valid for", self.place);
            problems.add_with_hint(self.at, message, "add `dns`, `ip` or `uri`, such as `dns = [\"localhost\"]`");
        }
        let issuer = match raw.issuer? {
            field if field.value == "self" => None,
            field => Some(self.secret_name(field, "issuer", problems)?),
        };
        Some(Certificate {
            issuer,
            algorithm: or(raw.algorithm, KeyAlgorithm::Es256),
            usage: or(raw.usage, Usage::Server),
            dns: self.dns(raw.dns, "dns", problems),
            ip: self.parsed(raw.ip, "ip", "an address such as `127.0.0.1` or `::1`", problems),
            uri: self.uris(raw.uri, problems),
            ttl: or(raw.ttl, Period::days(90)),
        })
    }

    /// Whoever issues it decides about the rest; what is declared is asked of every one that comes.
    fn imported_certificate(&self, raw: RawCertificate, problems: &mut Problems) -> ImportedCertificate {
        let decided = [
            ("algorithm", raw.algorithm.as_ref().map(|field| field.at)),
            ("ttl", raw.ttl.as_ref().map(|field| field.at)),
            ("uri", raw.uri.as_ref().map(|field| field.at)),
        ];
        for (key, at) in decided.into_iter().filter_map(|(key, at)| Some((key, at?))) {
            let message = format!("`{}.{key}` is decided by whoever issues the certificate", self.place);
            problems.add_with_hint(at, message, "leave it out, or let one of our own CAs issue it");
        }
        for text in raw.dns.iter().flat_map(|list| &list.value).filter(|text| text.value.starts_with('*')) {
            let message = format!("an entry of `{}.dns` has a wildcard", self.place);
            problems.add_with_hint(text.at, message, "name the hosts; a certificate with a wildcard may cover them");
        }
        ImportedCertificate {
            usage: or(raw.usage, Usage::Server),
            dns: self.dns(raw.dns, "dns", problems),
            ip: self.parsed(raw.ip, "ip", "an address such as `127.0.0.1` or `::1`", problems),
        }
    }

    fn dns(&self, field: Field<Texts>, key: &str, problems: &mut Problems) -> Vec<String> {
        let mut names = Vec::new();
        for text in field.map(|list| list.value).unwrap_or_default() {
            match hosts::dns_name(&text.value) {
                Ok(name) if key == "dns" || !name.starts_with('*') => names.push(name),
                Ok(_) => problems.add_with_hint(
                    text.at,
                    format!("an entry of `{}.{key}` has a wildcard", self.place),
                    "a permitted name stands for all names below it already",
                ),
                Err((wrong, hint)) => {
                    problems.add_with_hint(text.at, format!("an entry of `{}.{key}` {wrong}", self.place), hint);
                }
            }
        }
        names
    }

    fn parsed<T: std::str::FromStr>(
        &self,
        field: Field<Texts>,
        key: &str,
        wanted: &str,
        problems: &mut Problems,
    ) -> Vec<T> {
        let mut values = Vec::new();
        for text in field.map(|list| list.value).unwrap_or_default() {
            match text.value.parse() {
                Ok(value) => values.push(value),
                Err(_) => problems.add(text.at, format!("an entry of `{}.{key}` is not {wanted}", self.place)),
            }
        }
        values
    }

    fn uris(&self, field: Field<Texts>, problems: &mut Problems) -> Vec<String> {
        let texts = field.map(|list| list.value).unwrap_or_default();
        for text in &texts {
            let wrong =
                if hosts::is_uri(&text.value) { hosts::wrong_spiffe_id(&text.value) } else { Some("is not a URI") };
            if let Some(wrong) = wrong {
                let message = format!("an entry of `{}.uri` {wrong}", self.place);
                problems.add_with_hint(text.at, message, "such as `spiffe://example.org/api`");
            }
        }
        // X509-SVID §2: verifiers refuse a certificate with several.
        if let Some(text) = texts.iter().filter(|_| texts.len() > 1).find(|text| text.value.starts_with("spiffe:")) {
            let message = format!("`{}.uri` has a SPIFFE ID beside other URIs", self.place);
            problems.add_with_hint(text.at, message, "a SPIFFE ID stands alone: write a certificate for each");
        }
        texts.into_iter().map(|text| text.value).collect()
    }
}

fn is_import(raw: &RawCertificate) -> bool {
    raw.issuer.as_ref().is_some_and(|issuer| issuer.value == "import")
}

fn or<T>(field: Field<T>, default: T) -> T {
    field.map_or(default, |field| field.value)
}

fn token_ttl(role: Option<Role>) -> Period {
    match role {
        Some(Role::Admin | Role::Service) => Period::days(90),
        Some(Role::Reader | Role::Writer) | None => Period::hours(1),
    }
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::Admin => "admin",
        Role::Reader => "reader",
        Role::Service => "service",
        Role::Writer => "writer",
    }
}
