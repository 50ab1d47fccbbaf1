//! Resource limits, which have two places.

use crate::compose::model::{Limits, Text};
use crate::compose::problem::Problems;
use crate::compose::tree::Fields;

/// `deploy.resources.limits`, or the older `cpus`, `mem_limit` and `pids_limit`.
pub(super) fn limits(fields: &Fields<'_>, problems: &mut Problems) -> Limits {
    let older = Limits {
        cpus: checked("cpus", is_number, fields.scalar("cpus", problems), problems),
        memory: checked("mem_limit", is_size, fields.scalar("mem_limit", problems), problems),
        pids: checked("pids_limit", is_whole, fields.scalar("pids_limit", problems), problems),
    };
    let Some(limits) = fields
        .below("deploy", problems)
        .and_then(|deploy| deploy.below("resources", problems))
        .and_then(|resources| resources.below("limits", problems))
    else {
        return older;
    };
    let newer = Limits {
        cpus: checked("cpus", is_number, limits.scalar("cpus", problems), problems),
        memory: checked("memory", is_size, limits.string("memory", problems), problems),
        pids: checked("pids", is_whole, limits.scalar("pids", problems), problems),
    };
    let pairs = [(&older.cpus, &newer.cpus), (&older.memory, &newer.memory), (&older.pids, &newer.pids)];
    for (older, newer) in pairs {
        if let Some(older) = older
            && amount(older) != newer.as_ref().and_then(amount)
        {
            let message = format!("`{}` has other limits than its `deploy.resources.limits`", fields.path);
            problems.refused(&older.at, message);
        }
    }
    Limits { cpus: newer.cpus.or(older.cpus), memory: newer.memory.or(older.memory), pids: newer.pids.or(older.pids) }
}

fn checked(key: &str, is_right: fn(&str) -> bool, text: Option<Text>, problems: &mut Problems) -> Option<Text> {
    if let Some(text) = text.as_ref().filter(|text| !is_right(text.as_str())) {
        problems.refused(&text.at, format!("`{key}` is no amount"));
    }
    text
}

fn is_number(text: &str) -> bool {
    text.parse::<f64>().is_ok()
}

fn is_whole(text: &str) -> bool {
    text.parse::<i64>().is_ok()
}

fn is_size(text: &str) -> bool {
    size(text).is_some()
}

/// A size in bytes, such as `512M`, `1.5g` or `64mb`.
fn size(text: &str) -> Option<f64> {
    let text = text.to_ascii_lowercase();
    let digits = text.find(|it: char| !it.is_ascii_digit() && it != '.').unwrap_or(text.len());
    let unit = text[digits..].strip_prefix(' ').unwrap_or(&text[digits..]);
    let unit = unit.strip_suffix('b').unwrap_or(unit);
    let power = match unit.strip_suffix('i').unwrap_or(unit) {
        "" => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        "p" => 5,
        _ => return None,
    };
    Some(text[..digits].parse::<f64>().ok()? * 1024_f64.powi(power))
}

fn amount(text: &Text) -> Option<u64> {
    // In thousandths: as exact as processors are given, and more than bytes need.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, and is only compared")]
    size(text.as_str()).map(|amount| (amount * 1000.0).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in [("5", 5.0), ("1k", 1024.0), ("1.5 MB", 1_572_864.0), ("2GiB", 2_147_483_648.0)] {
            assert_eq!(size(text), Some(bytes), "{text}");
        }
        assert!(["", "x", "5x", "-1", "1.2.3", "m"].iter().all(|text| size(text).is_none()));
    }
}
