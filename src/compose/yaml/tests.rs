//! What becomes of YAML, and what is refused.

use proptest::prelude::*;

use super::*;
use crate::compose::problem::{Problem, ProblemKind};

fn document(text: &str) -> Result<Vec<Node>, Vec<Problem>> {
    let mut problems = Problems::default();
    read(text.as_bytes(), &"f".into(), &mut problems).ok_or_else(|| problems.sorted())
}

fn map(text: &str) -> Map {
    into_map(document(text).unwrap().remove(0)).unwrap()
}

/// Line, kind and message of the only problem.
fn problem(text: &str) -> (u32, ProblemKind, String) {
    let mut problems = document(text).unwrap_err();
    assert_eq!(problems.len(), 1);
    let problem = problems.remove(0);
    (problem.at.line, problem.kind, problem.message)
}

#[test]
fn entries_know_the_line_of_their_key() {
    let map = map("a: 1\nb:\n  c:\n    - x\n    - |\n      long\n  d: {e: f,\n      g: h}\n");
    let line = |node: &Node| node.at.line;
    assert_eq!((line(&map["a"]), line(&map["b"])), (1, 2));
    let inner = map["b"].map().unwrap();
    assert_eq!((line(&inner["c"]), line(&inner["d"])), (3, 7));
    assert_eq!(inner["c"].list().unwrap().iter().map(line).collect::<Vec<_>>(), [4, 6]);
    assert_eq!(line(&inner["d"].map().unwrap()["g"]), 8);
}

#[test]
fn an_alias_stands_where_it_is_used_and_what_is_merged_where_it_is_written() {
    let map = map("x: &x {a: 1}\ny: &y text\nz:\n  <<: *x\n  b: *y\n");
    let z = map["z"].map().unwrap();
    assert_eq!((z["a"].at.line, z["b"].at.line), (1, 5));
}

#[test]
fn scalars_are_what_go_takes_them_for() {
    for (text, value, kind) in [
        ("0777", "511", Kind::Integer),
        ("'0777'", "0777", Kind::Text),
        ("1.10", "1.1", Kind::Float),
        ("1e30", "1e+30", Kind::Float),
        ("0.00001", "1e-05", Kind::Float),
        ("100000000000000000000", "100000000000000000000", Kind::Float),
        ("1000000000000000000000", "1e+21", Kind::Float),
        ("yes", "yes", Kind::Text),
        ("True", "true", Kind::Boolean),
        ("2024-01-02", "2024-01-02", Kind::Date),
        ("1.2.3", "1.2.3", Kind::Text),
        ("!!str 5", "5", Kind::Text),
        ("!!int '5'", "5", Kind::Integer),
    ] {
        let map = map(&format!("a: {text}\n"));
        let scalar = map["a"].scalar();
        assert_eq!(scalar.map(|it| (it.text.as_str(), it.kind)), Some((value, kind)), "{text}");
    }
    assert!(map("a: ~\nb:\nc: null\n").values().all(Node::is_null));
}

#[test]
fn problems_tell_lines_and_never_the_text() {
    use ProblemKind::{NotRead, Refused};
    let told = |text: &str| problem(text);
    assert_eq!(
        told("a: 1\nb: 2\na: hunter2\n"),
        (3, Refused, "`a` stands twice in the mapping, first on line 1".into())
    );
    assert_eq!(told("? [hunter2]\n: b\n"), (1, Refused, "a key is not a string".into()));
    assert_eq!(told("a: 1\n5: hunter2\n"), (2, Refused, "a key is not a string".into()));
    assert_eq!(told("a: b\n<<: hunter2\n"), (2, Refused, "`<<` takes a mapping or a list of mappings".into()));
    let alias = "an alias stands within what it is an alias of";
    assert_eq!(told("a: &a\n  b: *a\n"), (2, Refused, alias.into()));
    let (line, kind, message) = told("a: b\nc: *hunter2\n");
    assert_eq!((line, kind), (2, Refused));
    assert!(!message.contains("hunter2"));
    let (.., message) = told(&format!("{}{}", "[".repeat(100), "]".repeat(100)));
    assert_eq!((message.as_str(), told("a: \"hunter2\nb: [\n").1), ("lists and mappings go deeper than 64", Refused));
    let deep = format!(
        "a:{}",
        "\n".to_owned() + &(1..80).map(|n| format!("{}a:\n", " ".repeat(n))).collect::<Vec<_>>().concat()
    );
    assert_eq!(told(&deep).1, NotRead);
}

#[test]
fn aliases_that_grow_come_to_an_end() {
    let bomb = (0..12)
        .map(|n| format!("a{}: &a{} [{}]\n", n + 1, n + 1, vec![format!("*a{n}"); 9].join(",")))
        .collect::<Vec<_>>()
        .concat();
    let (.., kind, message) = problem(&format!("a0: &a0 [x, x]\n{bomb}"));
    assert_eq!(kind, ProblemKind::NotRead);
    assert_eq!(message, "the file has more than 100000 entries, aliases counted as what they stand for");
}

#[test]
fn long_files_are_read_in_time() {
    let wide = (0..40_000).map(|n| format!("k{n}: v\n")).collect::<Vec<_>>().concat();
    assert_eq!(map(&wide).len(), 40_000);
    assert!(document(&"- ".repeat(200_000)).is_err());
    assert!(document(&"{".repeat(200_000)).is_err());
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes, &"f".into(), &mut Problems::default());
    }

    #[test]
    fn any_yaml_is_read_or_refused(
        pieces in prop::collection::vec(
            prop::sample::select(vec![
                "a", ": ", "\n", "  ", "- ", "&x ", "*x", "<<: ", "!reset ", "!!str ", "{", "}", "[", "]", ", ", "|", ">-", "'",
                "\"", "\\", "#", "---\n", "...\n", "? ", "\t", "%YAML 1.2\n", "0x", "\u{feff}", "é", "null", "\r\n", "!<x> ",
            ]),
            0..40,
        ),
    ) {
        let _ = document(&pieces.concat());
    }
}
