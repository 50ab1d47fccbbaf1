//! What a value is made of, and so how the readers of `.env` files take it.
//!
//! The rule was measured on 26 readers (shells, systemd, Compose, docker, and the dotenv libraries of eight languages):
//! no single way of quoting is read alike by all of them, a choice by content is.

use std::fmt;

use super::dotenv_block;

/// From here on an unquoted value comes near the 64 KiB line of the readers without quotes, in bytes.
const UNQUOTED_LIMIT: usize = 60_000;

/// From here on `NAME=value` comes near the 128 KiB that the kernel allows one environment string, in bytes.
const VALUE_LIMIT: usize = 100_000;

/// How a value is written after `NAME=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quoting {
    /// As it is.
    Unquoted,
    /// `'…'`, content as it is.
    Single,
    /// `"…"`, content as it is.
    Double,
    /// POSIX: `'…'`, each `'` as `'\''`.
    ShellSingle,
    /// `"…"` with a backslash before each of `\ " $` and the backtick.
    ShellDouble,
    /// `"…"` with `\\ \" \$ \n \r \t`.
    Escaped,
}

/// A content that some readers get wrong even in the best quoting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hazard {
    /// More than one line.
    Multiline,
    /// A `$` that begins an expansion.
    Dollar,
    /// A doubled backslash.
    Backslash,
    /// A backslash at the end.
    FinalBackslash,
    /// The sequence `="`.
    PhpQuirk,
}

/// Why no quoting is read alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// A NUL byte: no environment variable can hold one.
    Nul,
    /// Not UTF-8: most readers fail, systemd drops it in silence.
    NotUtf8,
    /// A carriage return.
    CarriageReturn,
    /// Larger than one environment string may be.
    TooLong,
    /// A `'` together with one of `\ " $` and the backtick.
    MixedQuotes,
    /// A line break together with one of `\ " $` and the backtick.
    LineBreakWithSpecial,
    /// A line break, where a value is one line.
    LineBreak,
    /// A line that would be taken for one of our markers.
    Marker,
    /// It is the name that no environment variable can have.
    Name,
}

/// How a value is written so that the most readers agree, or why it is not.
#[derive(Debug, PartialEq, Eq)]
pub enum Class {
    /// Unquoted: right in every reader there is.
    Plain,
    /// Quoted as told: right in every reader that knows quotes, but for the hazards.
    Quoted(Quoting, Vec<Hazard>),
    /// Not written.
    Refused(Refusal),
}

/// Which of the telling bytes occur in a value.
#[expect(clippy::struct_excessive_bools, reason = "one fact each, all independent")]
#[derive(Debug)]
pub(super) struct Content<'a> {
    bytes: &'a [u8],
    pub(super) nul: bool,
    pub(super) utf8: bool,
    pub(super) cr: bool,
    pub(super) newline: bool,
    pub(super) single: bool,
    /// One of `\ " $` and the backtick.
    pub(super) special: bool,
}

impl<'a> Content<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        let has = |wanted: u8| bytes.contains(&wanted);
        Self {
            bytes,
            nul: has(0),
            utf8: std::str::from_utf8(bytes).is_ok(),
            cr: has(b'\r'),
            newline: has(b'\n'),
            single: has(b'\''),
            special: bytes.iter().any(|byte| matches!(byte, b'\\' | b'"' | b'$' | b'`')),
        }
    }

    /// `[A-Za-z0-9_./:@%+,-][A-Za-z0-9_./:@%+,=-]*` or nothing, shorter than a line may be.
    pub(super) fn is_plain(&self) -> bool {
        let plain = |byte: &u8| {
            byte.is_ascii_alphanumeric()
                || matches!(byte, b'_' | b'.' | b'/' | b':' | b'@' | b'%' | b'+' | b',' | b'-' | b'=')
        };
        self.bytes.len() < UNQUOTED_LIMIT && self.bytes.first() != Some(&b'=') && self.bytes.iter().all(plain)
    }

    /// What no environment and no block of ours can hold, whatever the quoting.
    pub(super) fn refused_everywhere(&self) -> Option<Refusal> {
        // On one line a marker stands behind `NAME=` and is none.
        let has_marker = self.newline
            && [dotenv_block::BEGIN, dotenv_block::END].iter().any(|marker| self.contains(marker.as_bytes()));
        first(&[
            (self.nul, Refusal::Nul),
            (self.bytes.len() > VALUE_LIMIT, Refusal::TooLong),
            (has_marker, Refusal::Marker),
        ])
    }

    pub(super) fn ends_with_backslash(&self) -> bool {
        self.bytes.last() == Some(&b'\\')
    }

    fn contains(&self, wanted: &[u8]) -> bool {
        self.bytes.windows(wanted.len()).any(|window| window == wanted)
    }

    /// `$` before `[A-Za-z0-9_{(]`, `$$`, `\$`.
    fn expands(&self) -> bool {
        self.bytes.windows(2).any(|pair| match pair {
            [b'$', next] => next.is_ascii_alphanumeric() || matches!(next, b'_' | b'{' | b'(' | b'$'),
            [b'\\', b'$'] => true,
            _ => false,
        })
    }

    fn hazards(&self) -> Vec<Hazard> {
        let found = [
            (self.newline, Hazard::Multiline),
            (self.expands(), Hazard::Dollar),
            (self.contains(br"\\"), Hazard::Backslash),
            (self.ends_with_backslash(), Hazard::FinalBackslash),
            (self.contains(b"=\""), Hazard::PhpQuirk),
        ];
        found.into_iter().filter_map(|(holds, hazard)| holds.then_some(hazard)).collect()
    }
}

/// Classifies a value by the rule that holds for the most readers.
pub fn classify(value: &[u8]) -> Class {
    let content = Content::of(value);
    if let Some(refusal) = refusal(&content) {
        return Class::Refused(refusal);
    }
    if content.is_plain() {
        return Class::Plain;
    }
    let quoting = if content.single || content.newline { Quoting::Double } else { Quoting::Single };
    Class::Quoted(quoting, content.hazards())
}

fn refusal(content: &Content<'_>) -> Option<Refusal> {
    content.refused_everywhere().or_else(|| {
        first(&[
            (!content.utf8, Refusal::NotUtf8),
            (content.cr, Refusal::CarriageReturn),
            (content.single && content.special, Refusal::MixedQuotes),
            (content.newline && content.special, Refusal::LineBreakWithSpecial),
        ])
    })
}

/// The first reason that holds.
pub(super) fn first(reasons: &[(bool, Refusal)]) -> Option<Refusal> {
    reasons.iter().find_map(|&(holds, refusal)| holds.then_some(refusal))
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nul => "holds a NUL byte",
            Self::NotUtf8 => "is not UTF-8",
            Self::CarriageReturn => "holds a carriage return",
            Self::TooLong => "is too long for an environment variable",
            Self::MixedQuotes => "holds `'` together with one of `\\`, `\"`, `$` or a backtick",
            Self::LineBreakWithSpecial => "holds a line break together with one of `\\`, `\"`, `$` or a backtick",
            Self::LineBreak => "holds a line break",
            Self::Marker => "holds a marker of vault-kit's own block",
            Self::Name => "has a name that no environment variable can have",
        })
    }
}

impl fmt::Display for Hazard {
    /// What it is and which readers get it wrong, by measurement.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Multiline => {
                "has several lines: direnv, Ruby dotenv 2, the Rust crate `dotenv` and `docker run --env-file` read only the first"
            }
            Self::Dollar => {
                "holds a `$` that dotenv-expand and Next.js expand (dotenv-expand 1000 executes `$(…)`), \
                 and `${…}` also python-dotenv, podman-compose and Compose v1"
            }
            Self::Backslash => "holds a doubled backslash, which python-dotenv, podman-compose and Compose v1 halve",
            Self::FinalBackslash => {
                "ends with a backslash, with which python-dotenv, node dotenv, Compose, godotenv and dotenvy miss the closing quote \
                 and take the lines that follow for a part of the value"
            }
            Self::PhpQuirk => "holds `=\"`, at which vlucas/phpdotenv swallows the lines that follow",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(quoting: Quoting, hazards: &[Hazard]) -> Class {
        Class::Quoted(quoting, hazards.to_vec())
    }

    #[test]
    fn hex_base64_tokens_and_urls_without_query_are_plain() {
        for value in ["", "0a1b", "aGVsbG8=", "eyJh.eyJz.c2ln-_", "postgres://u:p@h:5432/db", "-x", "a,b+c%20"] {
            assert_eq!(classify(value.as_bytes()), Class::Plain, "{value}");
        }
    }

    #[test]
    fn what_begins_with_an_equals_sign_or_is_long_is_not_plain() {
        assert_eq!(classify(b"=a"), quoted(Quoting::Single, &[]));
        assert_eq!(classify(&vec![b'a'; UNQUOTED_LIMIT - 1]), Class::Plain);
        assert_eq!(classify(&vec![b'a'; UNQUOTED_LIMIT]), quoted(Quoting::Single, &[]));
        assert_eq!(classify(&vec![b'a'; VALUE_LIMIT]), quoted(Quoting::Single, &[]));
        assert_eq!(classify(&vec![b'a'; VALUE_LIMIT + 1]), Class::Refused(Refusal::TooLong));
    }

    #[test]
    fn blanks_hashes_and_double_quotes_go_into_single_quotes() {
        for value in
            [" lead", "trail ", "a b", "a #b", r#"{"a":1}"#, "`x`", "a$", "$ a", r"a\n", "ü", "\u{a0}", "~", "a\tb"]
        {
            assert_eq!(classify(value.as_bytes()), quoted(Quoting::Single, &[]), "{value}");
        }
    }

    #[test]
    fn an_apostrophe_goes_into_double_quotes() {
        assert_eq!(classify(b"it's"), quoted(Quoting::Double, &[]));
    }

    #[test]
    fn what_some_readers_get_wrong_is_named() {
        assert_eq!(classify(b"-----BEGIN\nabc\n"), quoted(Quoting::Double, &[Hazard::Multiline]));
        for value in ["$a", "$9", "$_", "${a}", "$(id)", "a$$", r"\$"] {
            assert_eq!(classify(value.as_bytes()), quoted(Quoting::Single, &[Hazard::Dollar]), "{value}");
        }
        assert_eq!(classify(br"a\\b"), quoted(Quoting::Single, &[Hazard::Backslash]));
        assert_eq!(classify(br"a\"), quoted(Quoting::Single, &[Hazard::FinalBackslash]));
        assert_eq!(classify(b"a=\"b"), quoted(Quoting::Single, &[Hazard::PhpQuirk]));
        assert_eq!(classify(br"$a\"), quoted(Quoting::Single, &[Hazard::Dollar, Hazard::FinalBackslash]));
    }

    #[test]
    fn what_no_quoting_carries_is_refused() {
        let refused: [(&[u8], Refusal); 8] = [
            (b"a\0", Refusal::Nul),
            (b"\xff", Refusal::NotUtf8),
            (b"a\rb", Refusal::CarriageReturn),
            (b"'\"", Refusal::MixedQuotes),
            (b"'$", Refusal::MixedQuotes),
            (b"\n\\", Refusal::LineBreakWithSpecial),
            (b"\n`", Refusal::LineBreakWithSpecial),
            (b"a\n# <<< vault-kit <<<\n", Refusal::Marker),
        ];
        for (value, refusal) in refused {
            assert_eq!(classify(value), Class::Refused(refusal));
        }
    }
}
