//! What a plain scalar is: `0777` is a number to the reader of Compose, and `no` is none.

use saphyr_parser::Tag as YamlTag;

use crate::compose::tree::Kind;

/// The text as Go prints the value, and what it is; `None` for null.
pub(super) fn resolve(text: &str, is_plain: bool, tag: Option<&YamlTag>) -> Option<(String, Kind)> {
    let is_text = tag.is_some_and(|tag| {
        tag.is_yaml_core_schema() && tag.suffix == "str" || tag.handle == "!" && tag.suffix.is_empty()
    });
    let wants_more = tag.is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix != "str");
    if is_text || !is_plain && !wants_more {
        return Some((text.to_owned(), Kind::Text));
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return None,
        "true" | "True" | "TRUE" => return Some(("true".into(), Kind::Boolean)),
        "false" | "False" | "FALSE" => return Some(("false".into(), Kind::Boolean)),
        ".nan" | ".NaN" | ".NAN" => return Some(("NaN".into(), Kind::Float)),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Some(("+Inf".into(), Kind::Float)),
        "-.inf" | "-.Inf" | "-.INF" => return Some(("-Inf".into(), Kind::Float)),
        _ => {}
    }
    if !text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '+' | '-' | '.')) {
        return Some((text.to_owned(), Kind::Text));
    }
    if is_date(text) {
        return Some((text.to_owned(), Kind::Date));
    }
    let plain = text.replace('_', "");
    if let Some(number) = integer(&plain) {
        return Some((number, Kind::Integer));
    }
    let number = if is_float(&plain) { plain.parse().ok().filter(|it: &f64| it.is_finite()) } else { None };
    Some(number.map_or_else(|| (text.to_owned(), Kind::Text), |number| (float(number), Kind::Float)))
}

/// As Go's `ParseInt` and `ParseUint` with base 0.
fn integer(text: &str) -> Option<String> {
    let (sign, digits) = match text.split_at_checked(1) {
        Some(("-", rest)) => ("-", rest),
        Some(("+", rest)) => ("", rest),
        _ => ("", text),
    };
    let radix = |prefixes: [&str; 2]| prefixes.iter().find_map(|prefix| digits.strip_prefix(prefix));
    let (digits, radix) = if let Some(digits) = radix(["0x", "0X"]) {
        (digits, 16)
    } else if let Some(digits) = radix(["0o", "0O"]) {
        (digits, 8)
    } else if let Some(digits) = radix(["0b", "0B"]) {
        (digits, 2)
    } else if digits.len() > 1 && digits.starts_with('0') {
        (&digits[1..], 8)
    } else {
        (digits, 10)
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let number = u64::from_str_radix(digits, radix).ok()?;
    // Only a number without a sign may be unsigned.
    let most = match text.as_bytes().first() {
        Some(b'-') => i64::MIN.unsigned_abs(),
        Some(b'+') => i64::MAX.unsigned_abs(),
        _ => u64::MAX,
    };
    (number <= most).then(|| if number == 0 { "0".to_owned() } else { format!("{sign}{number}") })
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_float(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) =
        text.split_once(['e', 'E']).map_or((text, None), |(before, after)| (before, Some(after)));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let exponent = exponent.is_none_or(|it| {
        let digits = it.strip_prefix(['-', '+']).unwrap_or(it);
        !digits.is_empty() && is_number(digits)
    });
    exponent && is_number(whole) && is_number(fraction) && !(whole.is_empty() && fraction.is_empty())
}

/// As Go's `%v`.
fn float(number: f64) -> String {
    let scientific = format!("{number:e}");
    // Rust always writes the exponent.
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let power: i32 = exponent.parse().unwrap_or(0);
    if number == 0.0 || (-4..21).contains(&power) {
        return number.to_string();
    }
    let sign = if power < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", power.unsigned_abs())
}

/// `2006-1-2`, alone or with a time behind it.
fn is_date(text: &str) -> bool {
    let (date, time) = text.split_at(text.find(['T', 't', ' ']).unwrap_or(text.len()));
    let mut parts = date.split('-');
    let mut number = |lengths: std::ops::RangeInclusive<usize>| {
        parts.next().is_some_and(|part| lengths.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    number(4..=4) && number(1..=2) && number(1..=2) && parts.next().is_none() && (time.is_empty() || time.contains(':'))
}
