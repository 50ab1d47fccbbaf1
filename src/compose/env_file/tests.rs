//! What Compose makes of the lines of a `.env` file; `tests/compose` compares it with the reference.

use proptest::prelude::*;

use super::*;

fn values(text: &str) -> Values {
    let mut known = Values::new();
    read(text.as_bytes(), &Values::from([("HOST".to_owned(), "host".to_owned())]), &mut known).unwrap();
    known
}

fn bad(text: &str) -> (u32, &'static str) {
    let bad = read(text.as_bytes(), &Values::new(), &mut Values::new()).unwrap_err();
    (bad.line, bad.why)
}

#[test]
fn values_are_unquoted_unescaped_and_filled_in() {
    let values = values(concat!(
        "\u{feff}# x\nA=a # b\nexport B: 'it\\'s $A'\n\nC=\"$A\\n\\$A \\0101 \\0 \\q\"\nHOST\nNONE\nD=$HOST-${NONE:-none}\n",
        "A=again\nE=\"two\nlines\"\nF=end",
    ));
    let expected = [
        ("A", "again"),
        ("B", "it's $A"),
        ("C", "a\n$A A \\ \\q"),
        ("D", "host-none"),
        ("E", "two\nlines"),
        ("F", "end"),
        ("HOST", "host"),
    ];
    assert_eq!(values, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
}

#[test]
fn an_assignment_knows_its_line_and_its_variables() {
    let assignments = read(b"A=1\n# x\nB=\"2\n3\"\nC=$A${X:-}\n", &Values::new(), &mut Values::new()).unwrap();
    assert_eq!(assignments.iter().map(|it| it.line).collect::<Vec<_>>(), [1, 3, 5]);
    let Given::Value { used, .. } = &assignments[2].given else { unreachable!() };
    assert_eq!(used.variables.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["A", "X"]);
}

#[test]
fn raw_lines_keep_everything_behind_the_sign() {
    let mut known = Values::new();
    read_raw(b"A= 'x' $B # y \r\n # n\n\nHOST\n", &Values::from([("HOST".into(), "h".into())]), &mut known).unwrap();
    assert_eq!(known, [("A", " 'x' $B # y "), ("HOST", "h")].map(|(name, value)| (name.into(), value.into())).into());
    assert_eq!(read_raw(b"A=1\nhunter2 x=1", &Values::new(), &mut known).unwrap_err().line, 2);
}

#[test]
fn refusals_tell_the_line_and_never_the_text() {
    assert_eq!(bad("A=1\nB='hunter2\n\n"), (2, "the quote is never closed"));
    assert_eq!(bad("hunter2 x=1\n"), (1, "a name has a blank"));
    assert_eq!(bad("A=1\nhunter2+=x\n"), (2, "a name has a character that Compose does not take"));
    assert_eq!(bad("A=${hunter2\n"), (1, "`${` is not followed by a name and `}`"));
    assert_eq!(bad("A=1\nB=${X:?hunter2}\n"), (2, "a required variable is not set"));
    assert!(read(b"A=\xff", &Values::new(), &mut Values::new()).is_err());
}

proptest! {
    #[test]
    fn any_file_is_read_or_refused(text in "[A=:'\"\\\\ \\n\\r#${}0é\u{a0}]{0,60}") {
        let _ = read(text.as_bytes(), &Values::new(), &mut Values::new());
        let _ = read_raw(text.as_bytes(), &Values::new(), &mut Values::new());
    }
}
