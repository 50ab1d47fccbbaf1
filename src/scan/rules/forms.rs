//! The forms of credentials, as those who issue them describe them.

use std::ops::Range;

use data_encoding::{BASE64, BASE64URL_NOPAD};
use memchr::memmem;

use super::{Judge, Text};
use crate::generate::api_key::{self, BODY, CHECKSUM};

/// The texts that a rule begins with.
pub(super) fn of(rule: &str) -> Vec<(&'static [u8], Judge)> {
    let all = |texts: &[&'static str], judge: Judge| texts.iter().map(|text| (text.as_bytes(), judge)).collect();
    match rule {
        "age-identity" => all(&["AGE-SECRET-KEY-1", "AGE-SECRET-KEY-PQ-1"], age_identity),
        "anthropic-key" => all(&["sk-ant-"], |text| text.token(60, 400, is_word)),
        "aws-key" => {
            let mut texts: Vec<(&[u8], Judge)> = all(&["AKIA", "ASIA"], aws_id);
            texts.extend::<Vec<_>>(all(
                &["aws_secret_access_key", "AWS_SECRET_ACCESS_KEY", "SecretAccessKey", "secretAccessKey"],
                aws_secret,
            ));
            texts
        }
        "azure-signature" => all(&["sig="], azure),
        "discord-webhook" => all(&["/webhooks/"], discord),
        "github-token" => {
            let mut texts: Vec<(&[u8], Judge)> = all(&["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], github);
            texts.extend::<Vec<_>>(all(&["github_pat_"], |text| text.token(82, 82, is_word)));
            texts
        }
        "gitlab-token" => all(&["glpat-", "gldt-", "glrt-"], |text| text.token(20, 300, is_dotted)),
        "google-key" => {
            let mut texts: Vec<(&[u8], Judge)> = all(&["AIza"], |text| text.token(35, 35, is_word));
            texts.extend::<Vec<_>>(all(&["GOCSPX-"], |text| text.token(28, 28, is_word)));
            texts
        }
        "jwt" => all(&["eyJhbGci", "eyJ0eXAi", "eyJraWQi", "eyJjdHki", "eyJqa3Ui", "eyJ4NX", "eyJjcml0"], jwt),
        "npm-token" => all(&["npm_"], |text| text.token(36, 36, is_alphanumeric)),
        "openai-key" => {
            let mut texts: Vec<(&[u8], Judge)> =
                all(&["sk-proj-", "sk-svcacct-", "sk-admin-"], |text| text.token(40, 400, is_word));
            texts.extend::<Vec<_>>(all(&["T3BlbkFJ"], openai));
            texts
        }
        "private-key" => all(&["PRIVATE KEY"], private_key),
        "putty-key" => all(&["PuTTY-User-Key-File-"], putty),
        "pypi-token" => all(&["pypi-AgEIcHlwaS5vcmc"], |text| text.token(50, 1000, is_word)),
        "slack-token" => {
            let mut texts: Vec<(&[u8], Judge)> = all(&["xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xapp-"], slack);
            texts.extend::<Vec<_>>(all(&["hooks.slack.com/services/T"], slack_hook));
            texts
        }
        "stripe-key" => all(&["sk_live_", "rk_live_", "whsec_"], |text| text.token(24, 250, is_alphanumeric)),
        "telegram-token" => all(&[":AAE", ":AAF", ":AAG", ":AAH"], telegram),
        _ => Vec::new(),
    }
}

fn is_alphanumeric(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

fn is_dotted(byte: u8) -> bool {
    is_word(byte) || byte == b'.'
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

impl Text<'_> {
    /// How many bytes behind `at` belong to an alphabet.
    fn run(&self, at: usize, is_part: fn(u8) -> bool) -> usize {
        self.bytes.get(at..).unwrap_or_default().iter().take_while(|&&byte| is_part(byte)).count()
    }

    /// Whether what stands before the literal could not be a part of a longer word.
    fn begins(&self) -> bool {
        self.literal.start == 0 || !is_word(self.bytes[self.literal.start - 1])
    }

    /// The literal with a random part of a length behind it.
    fn token(&self, least: usize, most: usize, is_part: fn(u8) -> bool) -> Option<Range<usize>> {
        let length = self.run(self.literal.end, is_part);
        let place = self.literal.start..self.literal.end + length;
        let is_one =
            self.begins() && (least..=most).contains(&length) && is_varied(&self.bytes[self.literal.end..place.end]);
        is_one.then_some(place)
    }
}

/// Whether a text may have been drawn: examples repeat themselves (`xxxx`, `abcabc`).
fn is_varied(text: &[u8]) -> bool {
    let mut seen = [false; 256];
    for &byte in text {
        seen[usize::from(byte)] = true;
    }
    seen.iter().filter(|&&it| it).count() >= (text.len() / 4).clamp(6, 12)
}

/// Prefix, 30 characters of base62 and their checksum.
pub(super) fn own_key(text: &Text<'_>) -> Option<Range<usize>> {
    let end = text.literal.end + BODY + CHECKSUM;
    let key = std::str::from_utf8(text.bytes.get(text.literal.start..end)?).ok()?;
    let is_whole = text.begins() && !text.bytes.get(end).is_some_and(|&it| is_alphanumeric(it));
    (is_whole && api_key::checksum_is_right(key)).then_some(text.literal.start..end)
}

/// As our own keys, with a checksum of the random part alone.
fn github(text: &Text<'_>) -> Option<Range<usize>> {
    let place = text.token(BODY + CHECKSUM, BODY + CHECKSUM, is_alphanumeric)?;
    let key = std::str::from_utf8(&text.bytes[text.literal.end..place.end]).ok()?;
    api_key::checksum_is_right(key).then_some(place)
}

fn age_identity(text: &Text<'_>) -> Option<Range<usize>> {
    // BIP 173's alphabet; the key is 32 bytes and six characters of checksum.
    text.token(58, 58, |byte| b"QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L".contains(&byte))
}

fn aws_id(text: &Text<'_>) -> Option<Range<usize>> {
    let place = text.token(16, 16, |byte| byte.is_ascii_uppercase() || matches!(byte, b'2'..=b'7'))?;
    let next = text.bytes.get(place.end).is_some_and(|&it| is_word(it));
    (!next && !text.bytes[place.clone()].ends_with(b"EXAMPLE")).then_some(place)
}

/// Forty characters of base64 behind the name, an `=` or `:`, and perhaps a quote.
fn aws_secret(text: &Text<'_>) -> Option<Range<usize>> {
    let between = text.run(text.literal.end, |byte| b" \t\"'=:>".contains(&byte));
    let start = text.literal.end + between;
    let length = text.run(start, |byte| is_base64(byte) && byte != b'=');
    let secret = text.bytes.get(start..start + length)?;
    (between > 0 && length == 40 && is_varied(secret) && !secret.ends_with(b"EXAMPLEKEY"))
        .then_some(start..start + length)
}

/// `sk-`, 20 characters, this mark, 20 characters.
fn openai(text: &Text<'_>) -> Option<Range<usize>> {
    let start = text.literal.start.checked_sub(23)?;
    let end = text.literal.end + 20;
    let key = text.bytes.get(start..end)?;
    (key.starts_with(b"sk-") && key[3..].iter().all(|&it| is_alphanumeric(it))).then_some(start..end)
}

/// Parts of digits, and a last one that was drawn.
fn slack(text: &Text<'_>) -> Option<Range<usize>> {
    let place = text.token(20, 250, is_word)?;
    let token = &text.bytes[text.literal.end..place.end];
    let has_digits = token.split(|&it| it == b'-').any(|part| part.len() >= 8 && part.iter().all(u8::is_ascii_digit));
    has_digits.then_some(place)
}

fn slack_hook(text: &Text<'_>) -> Option<Range<usize>> {
    let length = text.run(text.literal.end, |byte| is_alphanumeric(byte) || byte == b'/');
    let place = text.literal.start..text.literal.end + length;
    let parts: Vec<&[u8]> = text.bytes[text.literal.end..place.end].split(|&it| it == b'/').collect();
    let is_one =
        matches!(parts[..], [team, bot, key] if team.len() >= 7 && bot.len() >= 8 && key.len() == 24 && is_varied(key));
    is_one.then_some(place)
}

/// A shared access signature in a query: HMAC-SHA256 in base64, of which a URL has `+`, `/` and `=` as escapes.
fn azure(text: &Text<'_>) -> Option<Range<usize>> {
    let length = text.run(text.literal.end, |byte| is_base64(byte) || byte == b'%');
    let place = text.literal.end..text.literal.end + length;
    let escaped = std::str::from_utf8(&text.bytes[place.clone()]).ok()?;
    let plain = ["+", "/", "="].iter().zip(["%2b", "%2f", "%3d"]).fold(escaped.to_owned(), |it, (plain, escape)| {
        it.replace(escape, plain).replace(&escape.to_ascii_uppercase(), plain)
    });
    let is_in_query = text.literal.start > 0 && matches!(text.bytes[text.literal.start - 1], b'?' | b'&' | b';' | b' ');
    let signature = BASE64.decode(plain.as_bytes()).ok()?;
    (is_in_query && signature.len() == 32 && is_varied(plain.as_bytes())).then_some(place)
}

/// `https://discord.com/api/webhooks/ID/TOKEN`; a version may stand behind `api`.
fn discord(text: &Text<'_>) -> Option<Range<usize>> {
    let before = &text.bytes[text.literal.start.saturating_sub(24)..text.literal.start];
    let is_there =
        ["discord.com/api", "discordapp.com/api"].iter().any(|it| memmem::find(before, it.as_bytes()).is_some());
    let id = text.run(text.literal.end, |byte| byte.is_ascii_digit());
    let start = text.literal.end + id + 1;
    let length = text.run(start, is_word);
    let token = text.bytes.get(start..start + length)?;
    let is_one = is_there && id >= 17 && text.bytes.get(start - 1) == Some(&b'/') && length >= 60 && is_varied(token);
    is_one.then_some(text.literal.start..start + length)
}

/// The number of a bot, and 35 characters, of which the first two are `AA`.
fn telegram(text: &Text<'_>) -> Option<Range<usize>> {
    let digits = text.bytes[..text.literal.start].iter().rev().take(16).take_while(|it| it.is_ascii_digit()).count();
    let length = text.run(text.literal.start + 1, is_word);
    let place = text.literal.start - digits..text.literal.start + 1 + length;
    let is_one = (8..=12).contains(&digits) && length == 35 && is_varied(&text.bytes[text.literal.end..place.end]);
    is_one.then_some(place)
}

/// Three parts of base64url, the first of which is a JSON object with an `alg` that signs.
fn jwt(text: &Text<'_>) -> Option<Range<usize>> {
    let length = text.run(text.literal.start, is_dotted);
    let token = &text.bytes[text.literal.start..text.literal.start + length];
    let mut parts = token.splitn(4, |&it| it == b'.');
    let (header, claims, signature) = (parts.next()?, parts.next()?, parts.next()?);
    let header = BASE64URL_NOPAD.decode(header.get(..header.len().min(1024))?).ok()?;
    let header: serde_json::Value = serde_json::from_slice(&header).ok()?;
    let signs =
        header.get("alg").and_then(serde_json::Value::as_str).is_some_and(|alg| !alg.eq_ignore_ascii_case("none"));
    let is_one = text.begins() && signs && claims.starts_with(b"eyJ") && signature.len() >= 32;
    // A sentence may end behind it.
    let length = length - token.iter().rev().take_while(|&&it| it == b'.').count();
    is_one.then_some(text.literal.start..text.literal.start + length)
}

/// `-----BEGIN … PRIVATE KEY-----` with base64 behind it, whatever the line breaks.
fn private_key(text: &Text<'_>) -> Option<Range<usize>> {
    const BEGIN: &[u8] = b"-----BEGIN ";
    let before = &text.bytes[text.literal.start.saturating_sub(40)..text.literal.start];
    let label = before.len() - memmem::rfind(before, BEGIN)?;
    let start = text.literal.start - label;
    let is_label = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b' ';
    if !text.bytes[start + BEGIN.len()..text.literal.start].iter().all(is_label) {
        return None;
    }
    let rest = text.bytes.get(text.literal.end..)?;
    let rest = rest.strip_prefix(b" BLOCK").unwrap_or(rest).strip_prefix(b"-----")?;
    // The body, or what stands before it in an encrypted or armoured key.
    let body: Vec<u8> = rest.iter().copied().take(2048).take_while(|it| !it.eq(&b'<')).collect();
    let lines = body.split(|it| matches!(it, b'\n' | b'\r' | b'\\' | b' ' | b'"' | b'\''));
    let longest =
        lines.map(|line| line.iter().skip_while(|it| matches!(it, b'n' | b'r')).copied().collect::<Vec<u8>>());
    let is_body = |line: &Vec<u8>| line.len() >= 24 && line.iter().all(|&it| is_base64(it)) && is_varied(line);
    let end = text.bytes.len() - rest.len();
    longest
        .take_while(|line| !line.starts_with(b"-----"))
        .any(|line| is_body(&line))
        .then_some(start..(end + 80).min(text.bytes.len()))
}

fn putty(text: &Text<'_>) -> Option<Range<usize>> {
    let rest = text.bytes.get(text.literal.end..text.literal.end + 2048).or(text.bytes.get(text.literal.end..))?;
    let is_one = matches!(rest, [b'1'..=b'3', b':', ..]) && memmem::find(rest, b"Private-Lines:").is_some();
    is_one.then(|| text.literal.start..(text.literal.end + 80).min(text.bytes.len()))
}
