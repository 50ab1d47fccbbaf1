//! The A-label of an internationalised DNS name (RFC 5890, RFC 3492), for a person to paste.

/// The first code point that is not basic.
const FIRST: u32 = 128;

/// The longest label (RFC 1035 §2.3.4).
const LONGEST_LABEL: usize = 63;

/// A DNS name with every label in ASCII.
///
/// `None` where case folding alone does not lead to the one right spelling: signs that normalisation changes, and
/// everything that is not a letter or digit.
pub(super) fn a_labels(name: &str) -> Option<String> {
    let labels: Option<Vec<String>> = name.to_lowercase().split('.').map(a_label).collect();
    Some(labels?.join("."))
}

fn a_label(label: &str) -> Option<String> {
    if label.is_ascii() {
        return Some(label.to_owned());
    }
    let label: Vec<u32> =
        label.chars().map(|sign| is_settled(sign).then_some(u32::from(sign))).collect::<Option<_>>()?;
    Some(format!("xn--{}", encode(&label)?)).filter(|label| label.len() <= LONGEST_LABEL)
}

/// Letters and digits outside the blocks of compatibility forms and of jamo that normalisation composes.
fn is_settled(sign: char) -> bool {
    let composes = matches!(sign, '\u{1100}'..='\u{11ff}' | '\u{2000}'..='\u{2fff}' | '\u{f900}'..='\u{ffff}');
    sign == '-' || sign.is_alphanumeric() && !composes
}

/// RFC 3492 §6.3; `None` on overflow.
fn encode(label: &[u32]) -> Option<String> {
    let mut output: String =
        label.iter().filter(|&&code| code < FIRST).filter_map(|&code| char::from_u32(code)).collect();
    let basic = u32::try_from(output.len()).ok()?;
    let length = u32::try_from(label.len()).ok()?;
    if basic > 0 {
        output.push('-');
    }
    let (mut least, mut delta, mut bias, mut handled) = (FIRST, 0_u32, 72, basic);
    while handled < length {
        let next = label.iter().copied().filter(|&code| code >= least).min()?;
        delta = delta.checked_add((next - least).checked_mul(handled + 1)?)?;
        for &code in label {
            if code < next {
                delta = delta.checked_add(1)?;
            } else if code == next {
                variable_length(delta, bias, &mut output);
                bias = adapt(delta, handled + 1, handled == basic);
                (delta, handled) = (0, handled + 1);
            }
        }
        (delta, least) = (delta.checked_add(1)?, next + 1);
    }
    Some(output)
}

fn variable_length(mut number: u32, bias: u32, output: &mut String) {
    let mut position = 36;
    loop {
        let threshold = u32::saturating_sub(position, bias).clamp(1, 26);
        if number < threshold {
            output.push(digit(number));
            return;
        }
        output.push(digit(threshold + (number - threshold) % (36 - threshold)));
        number = (number - threshold) / (36 - threshold);
        position += 36;
    }
}

/// `a` to `z`, then `0` to `9`.
fn digit(number: u32) -> char {
    let (base, offset) = if number < 26 { (b'a', number) } else { (b'0', number - 26) };
    // Below 36, so it is ASCII.
    char::from_u32(u32::from(base) + offset).unwrap_or_default()
}

fn adapt(delta: u32, points: u32, is_first: bool) -> u32 {
    let mut delta = if is_first { delta / 700 } else { delta / 2 };
    delta += delta / points;
    let mut steps = 0;
    while delta > 455 {
        delta /= 35;
        steps += 36;
    }
    steps + 36 * delta / (delta + 38)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_names_get_their_known_a_labels() {
        // By `python3 -c 'print("…".encode("idna"))'` and, for the two that IDNA 2003 maps away, RFC 5891's own.
        for (name, expected) in [
            ("bücher.example", "xn--bcher-kva.example"),
            ("MÜNCHEN.de", "xn--mnchen-3ya.de"),
            ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
            ("почта.рф", "xn--80a1acny.xn--p1ai"),
            ("straße.de", "xn--strae-oqa.de"),
            ("*.bücher.example", "*.xn--bcher-kva.example"),
            ("plain.example", "plain.example"),
        ] {
            assert_eq!(a_labels(name).as_deref(), Some(expected));
        }
    }

    #[test]
    fn no_a_label_is_offered_where_it_could_be_another_name() {
        let long = "ü".repeat(64);
        for name in ["u\u{308}.de", "ｅxample.de", "a ü.de", "ü_.de", "☃.net", long.as_str()] {
            assert_eq!(a_labels(name), None, "{name:?}");
        }
    }
}
