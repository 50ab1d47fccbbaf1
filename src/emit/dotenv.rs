//! `NAME=value` lines, in the narrowest quoting that the reader at hand takes for what it is.

use zeroize::Zeroizing;

use super::class::{Class, Content, Hazard, Quoting, Refusal, classify, first};
use super::{Values, Warning, dotenv_block};
use crate::error::{Error, Kind, Result};
use crate::manifest::Output;
use crate::manifest::model::Dialect;
use crate::name::SecretName;
use crate::secret::Secret;

/// The longest line of docker's reader (Go's `bufio.Scanner`), less its line break, in bytes.
const LINE_LIMIT: usize = 65_534;

/// All dialects, and the order in which they are proposed.
const DIALECTS: [Dialect; 5] =
    [Dialect::Portable, Dialect::Compose, Dialect::Shell, Dialect::Systemd, Dialect::DockerRun];

/// How one value is written, or why it is not.
#[derive(Debug, PartialEq, Eq)]
struct Encoding {
    quoting: Quoting,
    hazards: Vec<Hazard>,
}

/// Renders the file, or the block within the file that is there.
pub(super) fn emit(
    output: &Output,
    dialect: Dialect,
    values: &Values<'_>,
    existing: Option<&Secret>,
    adopt: bool,
) -> Result<(Secret, Vec<Warning>)> {
    let assignments = super::primaries(output, values)?;
    if let Some(file) = existing
        && !adopt
        && dotenv_block::is_complete(&output.path, dialect, &assignments, file)?
    {
        return Ok((file.duplicate(), Vec::new()));
    }
    let mut warnings = Vec::new();
    let mut refused = Vec::new();
    let size = assignments.iter().map(|(name, value)| name.as_str().len() + 4 * value.len() + 8).sum();
    let mut lines = Zeroizing::new(Vec::with_capacity(size));
    for &(name, value) in &assignments {
        match encoding(dialect, name, value.expose()) {
            Ok(encoding) => {
                write_line(&mut lines, name, value.expose(), encoding.quoting);
                warnings.extend(encoding.hazards.into_iter().map(|hazard| Warning::new(name, hazard)));
            }
            Err(refusal) => refused.push((name, value, refusal)),
        }
    }
    if !refused.is_empty() {
        return Err(not_portable(output, dialect, &refused));
    }
    let file = dotenv_block::merge(&output.path, dialect, &lines, &assignments, existing, adopt)?;
    Ok((file, warnings))
}

/// The quoting for a reader, by measurement of that reader.
fn encoding(dialect: Dialect, name: &SecretName, value: &[u8]) -> Result<Encoding, Refusal> {
    if !name.is_variable() {
        return Err(Refusal::Name);
    }
    if dialect == Dialect::Portable {
        return match classify(value) {
            Class::Plain => Ok(Encoding { quoting: Quoting::Unquoted, hazards: Vec::new() }),
            Class::Quoted(quoting, hazards) => Ok(Encoding { quoting, hazards }),
            Class::Refused(refusal) => Err(refusal),
        };
    }
    let content = Content::of(value);
    content.refused_everywhere().map_or(Ok(()), Err)?;
    let quoting = match dialect {
        Dialect::DockerRun => docker_run(&content, name.as_str().len() + 1 + value.len())?,
        Dialect::Shell if content.is_plain() => Quoting::Unquoted,
        Dialect::Shell => Quoting::ShellSingle,
        _ if !content.utf8 => return Err(Refusal::NotUtf8),
        _ if content.is_plain() => Quoting::Unquoted,
        Dialect::Systemd if content.single => Quoting::ShellDouble,
        // Compose takes a backslash before the closing quote for an escape.
        Dialect::Compose if content.single || content.ends_with_backslash() => Quoting::Escaped,
        _ => Quoting::Single,
    };
    Ok(Encoding { quoting, hazards: Vec::new() })
}

/// docker takes everything after `=` for the value, but a carriage return at the end of the line.
fn docker_run(content: &Content<'_>, line: usize) -> Result<Quoting, Refusal> {
    let refusal = first(&[
        (!content.utf8, Refusal::NotUtf8),
        (content.cr, Refusal::CarriageReturn),
        (content.newline, Refusal::LineBreak),
        (line > LINE_LIMIT, Refusal::TooLong),
    ]);
    refusal.map_or(Ok(Quoting::Unquoted), Err)
}

fn write_line(lines: &mut Vec<u8>, name: &SecretName, value: &[u8], quoting: Quoting) {
    lines.extend_from_slice(name.as_str().as_bytes());
    lines.push(b'=');
    let quote: &[u8] = match quoting {
        Quoting::Unquoted => b"",
        Quoting::Single | Quoting::ShellSingle => b"'",
        Quoting::Double | Quoting::ShellDouble | Quoting::Escaped => b"\"",
    };
    lines.extend_from_slice(quote);
    for &byte in value {
        match escaped(byte, quoting) {
            Some(escape) => lines.extend_from_slice(escape),
            None => lines.push(byte),
        }
    }
    lines.extend_from_slice(quote);
    lines.push(b'\n');
}

fn escaped(byte: u8, quoting: Quoting) -> Option<&'static [u8]> {
    Some(match (quoting, byte) {
        (Quoting::ShellSingle, b'\'') => br"'\''",
        (Quoting::ShellDouble | Quoting::Escaped, b'\\') => br"\\",
        (Quoting::ShellDouble | Quoting::Escaped, b'"') => b"\\\"",
        (Quoting::ShellDouble | Quoting::Escaped, b'$') => br"\$",
        (Quoting::ShellDouble, b'`') => br"\`",
        (Quoting::Escaped, b'\n') => br"\n",
        (Quoting::Escaped, b'\r') => br"\r",
        (Quoting::Escaped, b'\t') => br"\t",
        _ => return None,
    })
}

/// All refusals of an output in one error, with what would carry the values.
fn not_portable(output: &Output, dialect: Dialect, refused: &[(&SecretName, &Secret, Refusal)]) -> Error {
    let reasons: Vec<String> = refused.iter().map(|(name, _, refusal)| format!("`{name}` {refusal}")).collect();
    let message = format!(
        "output `{}` cannot carry what its readers (dialect `{}`) would not read alike: {}",
        output.name,
        dialect.name(),
        reasons.join("; ")
    );
    let mut error = Error::new(Kind::Manifest, "not-portable", message)
        .hint("deliver it as a file: an output with `format = \"docker-secrets\"`, read through `NAME_FILE`");
    let carries = |other: Dialect| refused.iter().all(|(name, value, _)| encoding(other, name, value.expose()).is_ok());
    if refused.iter().all(|(.., refusal)| *refusal != Refusal::Name && *refusal != Refusal::TooLong) {
        error = error.hint("or deliver a template `${NAME | base64}` that the program decodes");
    }
    match DIALECTS.into_iter().find(|&other| other != dialect && carries(other)) {
        Some(other) => error.hint(format!("or, if that is the only reader, `dialect = \"{}\"`", other.name())),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(dialect: Dialect, value: &[u8]) -> Result<String, Refusal> {
        let name = SecretName::new("A").unwrap();
        let encoding = encoding(dialect, &name, value)?;
        let mut lines = Vec::new();
        write_line(&mut lines, &name, value, encoding.quoting);
        Ok(String::from_utf8_lossy(&lines).trim_end_matches('\n').to_owned())
    }

    #[test]
    fn a_plain_value_is_unquoted_in_every_dialect() {
        for dialect in DIALECTS {
            assert_eq!(line(dialect, b"a1/=").unwrap(), "A=a1/=");
            assert_eq!(line(dialect, b"").unwrap(), "A=");
        }
    }

    #[test]
    fn each_dialect_quotes_an_apostrophe_with_a_dollar_its_own_way() {
        let value = br#"it's $HOME `x` "q" \"#;
        assert_eq!(line(Dialect::Portable, value), Err(Refusal::MixedQuotes));
        assert_eq!(line(Dialect::Shell, value).unwrap(), r#"A='it'\''s $HOME `x` "q" \'"#);
        assert_eq!(line(Dialect::Systemd, value).unwrap(), r#"A="it's \$HOME \`x\` \"q\" \\""#);
        assert_eq!(line(Dialect::Compose, value).unwrap(), r#"A="it's \$HOME `x` \"q\" \\""#);
        assert_eq!(line(Dialect::DockerRun, value).unwrap(), r#"A=it's $HOME `x` "q" \"#);
    }

    #[test]
    fn a_command_substitution_stands_in_single_quotes_or_behind_backslashes() {
        for dialect in [Dialect::Portable, Dialect::Shell, Dialect::Systemd, Dialect::Compose] {
            for value in ["$(id)", "`id`"] {
                assert_eq!(line(dialect, value.as_bytes()).unwrap(), format!("A='{value}'"));
            }
        }
    }

    #[test]
    fn docker_run_refuses_what_it_would_change() {
        assert_eq!(line(Dialect::DockerRun, b" 'x' # "), Ok("A= 'x' # ".into()));
        assert_eq!(line(Dialect::DockerRun, b"a\nB=1"), Err(Refusal::LineBreak));
        assert_eq!(line(Dialect::DockerRun, b"a\r"), Err(Refusal::CarriageReturn));
        assert_eq!(line(Dialect::DockerRun, b"\xff"), Err(Refusal::NotUtf8));
        assert!(line(Dialect::DockerRun, &vec![b'a'; LINE_LIMIT - 2]).is_ok());
        assert_eq!(line(Dialect::DockerRun, &vec![b'a'; LINE_LIMIT - 1]), Err(Refusal::TooLong));
    }

    #[test]
    fn nul_and_overlong_values_are_refused_in_every_dialect() {
        for dialect in DIALECTS {
            assert_eq!(line(dialect, b"a\0"), Err(Refusal::Nul));
            assert_eq!(line(dialect, &vec![b' '; 100_001]), Err(Refusal::TooLong));
        }
    }

    #[test]
    fn only_the_shell_carries_bytes_that_are_not_text() {
        assert_eq!(line(Dialect::Shell, b"\xff").map(|line| line.len()), Ok("A='\u{fffd}'".len()));
        for dialect in [Dialect::Portable, Dialect::Compose, Dialect::Systemd, Dialect::DockerRun] {
            assert_eq!(line(dialect, b"\xff"), Err(Refusal::NotUtf8));
        }
    }

    #[test]
    fn a_name_that_is_no_variable_is_refused() {
        let name = SecretName::new("db.password").unwrap();
        assert_eq!(encoding(Dialect::Portable, &name, b"x"), Err(Refusal::Name));
    }
}
