//! YAML files of other programs, such as Traefik's and Kubernetes': each scalar with the keys that lead to it. No variable is put in.

use std::path::Path;
use std::sync::Arc;

use super::Text;
use super::problem::Problems;
use super::tree::{Node, Value};
use super::yaml;

/// What stands under some keys.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// The keys that lead to it, those of maps in lists with the number of theirs between.
    pub keys: Vec<String>,
    /// A scalar; those of a list with commas between; empty for what holds nothing.
    pub text: Text,
}

/// Whether a file is one of YAML, by its name.
pub fn is_yaml(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|it| it == "yml" || it == "yaml")
}

/// The entries of each document of a file, in the order of their keys; `Err` = the line on which it stops being YAML.
pub fn documents(bytes: &[u8], file: &str) -> Result<Vec<Vec<Entry>>, u32> {
    let mut problems = Problems::default();
    let Some(documents) = yaml::read(bytes, &Arc::from(file), &mut problems) else {
        return Err(problems.sorted().first().map_or(1, |it| it.at.line));
    };
    let entries = |document| {
        let mut found = Vec::new();
        flatten(document, &[], &mut found);
        found
    };
    Ok(documents.into_iter().map(entries).collect())
}

fn flatten(node: Node, keys: &[String], found: &mut Vec<Entry>) {
    let below = |key: String| [keys, &[key]].concat();
    let text = |text: String| Text::new(text, node.at.clone(), Vec::new());
    match node.value {
        Value::Map(map) if !map.is_empty() => map.into_iter().for_each(|(key, it)| flatten(it, &below(key), found)),
        Value::List(list) if list.iter().any(|it| it.scalar().is_none()) => {
            (0..).zip(list).for_each(|(number, it): (usize, _)| flatten(it, &below(number.to_string()), found));
        }
        Value::List(list) => {
            let words: Vec<&str> = list.iter().filter_map(Node::as_str).collect();
            found.push(Entry { keys: keys.to_vec(), text: text(words.join(",")) });
        }
        Value::Scalar(it) => found.push(Entry { keys: keys.to_vec(), text: text(it.text) }),
        Value::Null | Value::Map(_) => found.push(Entry { keys: keys.to_vec(), text: text(String::new()) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<String> {
        let documents = (0..).zip(documents(text.as_bytes(), "a.yml").unwrap());
        let entries = documents.flat_map(|(number, it): (u32, _)| it.into_iter().map(move |it| (number, it)));
        let shown = |(number, it): (u32, Entry)| {
            format!("{number} {}:{}={}", it.text.at.line, it.keys.join("."), it.text.as_str())
        };
        entries.map(shown).collect()
    }

    #[test]
    fn every_scalar_has_the_keys_that_lead_to_it() {
        let text = "a:\n  b: [x, y]\n  c: 1\nd:\n  - e: f\n  - g\nh: {}\ni:\n---\nj: k\n";
        assert_eq!(
            read(text),
            ["0 2:a.b=x,y", "0 3:a.c=1", "0 5:d.0.e=f", "0 6:d.1=g", "0 7:h=", "0 8:i=", "1 10:j=k"]
        );
        assert_eq!(read(""), [""; 0]);
        assert_eq!(documents(b"a: 1\nb: [", "a.yml"), Err(3));
        assert_eq!(documents(b"a: 1\na: 2\n", "a.yml"), Err(2));
    }
}
