//! What Compose makes of a text.

use proptest::prelude::*;

use super::*;

fn values() -> Values {
    [("A", "a"), ("EMPTY", ""), ("DOLLAR", "$A")].map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

fn made(template: &str) -> Result<String, Wrong> {
    substitute(template, &values(), &mut Used::default())
}

#[test]
fn what_stands_in_the_file_is_kept_beside_what_is_put_in() {
    for (template, text) in [
        ("a${A}b$A", "a${A}b${A}"),
        ("$NONE-${EMPTY}!", "${NONE}-${EMPTY}!"),
        ("$$A ${NONE:?m}", "$A ${NONE}"),
        ("${NONE:-d}${A:-d}", "d${A}"),
        ("${NONE:-x${A}}", "x${A}"),
        ("${NONE:+d}${A:+d}", "d"),
    ] {
        let mut used = Used::default();
        assert!(substitute(template, &values(), &mut used).is_ok());
        assert_eq!(used.written, text, "{template}");
    }
}

#[test]
fn variables_are_put_in_as_compose_does() {
    for (template, text) in [
        ("", ""),
        ("x$A-${A}y", "xa-ay"),
        ("$$A $${A} $", "$A ${A} $"),
        ("$1 $- ${A}$", "$1 $- a$"),
        ("$NONE|${NONE}|${EMPTY}", "||"),
        ("${NONE:-d}${EMPTY:-d}${A:-d}", "dda"),
        ("${NONE-d}${EMPTY-d}${A-d}", "da"),
        ("${NONE:+d}${EMPTY:+d}${A:+d}", "d"),
        ("${NONE+d}${EMPTY+d}${A+d}", "dd"),
        ("${A:?m}${A?m}${EMPTY?m}", "aa"),
        ("${NONE:-${OTHER:-${A}}}!", "a!"),
        ("${NONE:-${A}-${A}}}", "a-a}"),
        ("${NONE:-{}}", "{}"),
        ("${NONE-x:-y}", "x:-y"),
        ("${NONE:-$$A}", "$A"),
        ("${DOLLAR}", "$A"),
        ("${NONE:-http://h?q=1}", "http://h?q=1"),
    ] {
        assert_eq!(made(template).as_deref(), Ok(text), "{template}");
    }
}

#[test]
fn what_is_no_variable_is_refused() {
    for template in ["${", "${}", "${A", "${1}", "${A:}", "${A:x}", "${A!}", "${NONE:-a\nb}", "${ A }", "${NONE:-${B}"]
    {
        assert_eq!(made(template), Err(Wrong::Template), "{template}");
    }
}

#[test]
fn uses_tell_how_badly_a_variable_is_needed() {
    let mut used = Used::default();
    let text = substitute("$A ${B:-${C}} ${A:-$D} ${E:+x} ${F?m}", &values(), &mut used).unwrap();
    assert_eq!(text, "a  a  ");
    let noted: Vec<_> = used.variables.iter().map(|(name, need)| (name.as_str(), *need)).collect();
    let expected =
        [("A", Need::Expected), ("B", Need::Default), ("C", Need::Expected), ("A", Need::Default), ("E", Need::Asked)];
    assert_eq!(noted[..5], expected);
    assert_eq!((noted[5], used.missing), (("F", Need::Required), vec!["F".to_owned()]));
}

#[test]
fn defaults_within_defaults_and_growing_texts_come_to_an_end() {
    let deep = format!("{}{}", "${X:-".repeat(10_000), "}".repeat(10_000));
    assert_eq!(made(&deep), Err(Wrong::TooMuch));
    let big = Values::from([("BIG".to_owned(), "x".repeat(1000))]);
    assert_eq!(substitute(&"$BIG ".repeat(2000), &big, &mut Used::default()), Err(Wrong::TooMuch));
    assert!(made(&"${A:-}".repeat(100_000)).is_ok());
}

proptest! {
    #[test]
    fn any_text_is_made_or_refused(template in "[$A{}:?+\\-\\n x\u{e9}]{0,40}") {
        let _ = made(&template);
    }
}
