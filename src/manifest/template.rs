//! `${NAME | filter}` texts: parsed once, evaluated elsewhere.

use crate::name::SecretName;

/// A parsed template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// Text and references in order.
    pub pieces: Vec<Piece>,
}

/// A stretch of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Copied as it stands.
    Literal(String),
    /// Replaced by a value.
    Reference {
        /// Whose value.
        name: SecretName,
        /// Applied left to right.
        filters: Vec<Filter>,
    },
}

/// What a value goes through before it is put in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// RFC 4648 §4.
    Base64,
    /// A bcrypt hash (`$2b$12$…`).
    Bcrypt,
    /// A JSON string with its quotes.
    Json,
    /// SHA-256 in hex.
    Sha256,
    /// Percent-encoding of all but RFC 3986's unreserved characters.
    Urlencode,
    /// The user that the value belongs to, instead of the value.
    Username,
}

impl Filter {
    /// All filters, by name.
    pub const ALL: [Self; 6] = [Self::Base64, Self::Bcrypt, Self::Json, Self::Sha256, Self::Urlencode, Self::Username];

    /// The name as a template writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Base64 => "base64",
            Self::Bcrypt => "bcrypt",
            Self::Json => "json",
            Self::Sha256 => "sha256",
            Self::Urlencode => "urlencode",
            Self::Username => "username",
        }
    }
}

/// Why a text is not a template. Offsets are bytes into the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplateError {
    /// A `${` without its `}`.
    Unclosed(usize),
    /// What stands between `${` and `}` or `|` is not a name.
    NotAName(usize),
    /// A filter that does not exist.
    UnknownFilter(String),
}

impl Template {
    /// Parses `${NAME}` and `${NAME | filter | filter}`; `$${` stands for a literal `${`.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut unknown = Vec::new();
        let template = Self::parse_reporting(text, &mut unknown)?;
        unknown.pop().map_or(Ok(template), |filter| Err(TemplateError::UnknownFilter(filter)))
    }

    /// As [`Template::parse`], but collects the filters that do not exist and goes on without them: what is wrong with
    /// the names can be told in the same go.
    pub(super) fn parse_reporting(text: &str, unknown: &mut Vec<String>) -> Result<Self, TemplateError> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            if rest[..start].ends_with('$') {
                literal.push_str(&rest[..start - 1]);
                literal.push_str("${");
                rest = &rest[start + 2..];
                continue;
            }
            let offset = text.len() - rest.len() + start;
            literal.push_str(&rest[..start]);
            let length = rest[start..].find('}').ok_or(TemplateError::Unclosed(offset))?;
            if !literal.is_empty() {
                pieces.push(Piece::Literal(std::mem::take(&mut literal)));
            }
            pieces.push(reference(&rest[start + 2..start + length], offset, unknown)?);
            rest = &rest[start + length + 1..];
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        Ok(Self { pieces })
    }

    /// The names it refers to, each once, in order of first use.
    pub fn references(&self) -> impl Iterator<Item = &SecretName> {
        let names = self.pieces.iter().filter_map(|piece| match piece {
            Piece::Literal(_) => None,
            Piece::Reference { name, .. } => Some(name),
        });
        let mut seen = std::collections::BTreeSet::new();
        names.filter(move |name| seen.insert(*name))
    }
}

fn reference(inner: &str, offset: usize, unknown: &mut Vec<String>) -> Result<Piece, TemplateError> {
    let mut words = inner.split('|').map(str::trim);
    let name = words.next().and_then(|word| SecretName::new(word).ok()).ok_or(TemplateError::NotAName(offset))?;
    let mut filters = Vec::new();
    for word in words {
        match Filter::ALL.into_iter().find(|filter| filter.name() == word) {
            Some(filter) => filters.push(filter),
            None => unknown.push(word.to_owned()),
        }
    }
    Ok(Piece::Reference { name, filters })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> SecretName {
        SecretName::new(text).unwrap()
    }

    #[test]
    fn references_and_text_come_apart() {
        let template = Template::parse("postgres://app:${PW | urlencode}@db/${DB}$").unwrap();
        assert_eq!(
            template.pieces,
            [
                Piece::Literal("postgres://app:".into()),
                Piece::Reference { name: name("PW"), filters: vec![Filter::Urlencode] },
                Piece::Literal("@db/".into()),
                Piece::Reference { name: name("DB"), filters: vec![] },
                Piece::Literal("$".into()),
            ]
        );
    }

    #[test]
    fn a_doubled_dollar_is_text() {
        assert_eq!(Template::parse("a$${B}").unwrap().pieces, [Piece::Literal("a${B}".into())]);
    }

    #[test]
    fn errors_tell_the_place() {
        assert_eq!(Template::parse("a${B"), Err(TemplateError::Unclosed(1)));
        assert_eq!(Template::parse("ab${}"), Err(TemplateError::NotAName(2)));
        assert_eq!(Template::parse("${A|rot13}"), Err(TemplateError::UnknownFilter("rot13".into())));
    }

    #[test]
    fn each_name_is_told_once() {
        let template = Template::parse("${A}${B}${A}").unwrap();
        assert_eq!(template.references().map(SecretName::as_str).collect::<Vec<_>>(), ["A", "B"]);
    }
}
