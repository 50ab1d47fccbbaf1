//! Addresses where a file or a directory is due: what they lead to lies on other hosts, and is not read.

use super::model::Address;
use super::problem::safe;
use super::tree::{Map, Node, Value};

/// Whether a text leads to another host: a URL, `git@host:…`, or what Docker takes for a repository.
pub(super) fn is_remote(text: &str) -> bool {
    let (host, _) = text.split_once('/').unwrap_or((text, ""));
    let is_ssh = host.split_once(':').is_some_and(|(user, _)| user.contains('@'));
    text.contains("://") || is_ssh || text.starts_with("github.com/")
}

/// The addresses in a file in its long forms, by the keys that lead to them.
pub(super) fn addresses(root: &Map) -> Vec<Address> {
    let mut found = Vec::new();
    for path in
        root.get("include").and_then(Node::list).unwrap_or_default().iter().filter_map(|it| it.map()?.get("path"))
    {
        collect(path, "include", &mut found);
    }
    for (name, service) in root.get("services").and_then(Node::map).into_iter().flatten() {
        let Some(service) = service.map() else { continue };
        let fields = |key: &str| service.get(key).and_then(Node::map);
        let under = |key: &str| format!("services.{}.{key}", safe(name));
        let (build, extends) = (fields("build"), fields("extends"));
        for key in ["context", "additional_contexts"] {
            if let Some(node) = build.and_then(|it| it.get(key)) {
                collect(node, &under(&format!("build.{key}")), &mut found);
            }
        }
        if let Some(node) = extends.and_then(|it| it.get("file")) {
            collect(node, &under("extends.file"), &mut found);
        }
    }
    found
}

/// The addresses in a text, a list or a map of texts.
fn collect(node: &Node, key: &str, found: &mut Vec<Address>) {
    match &node.value {
        Value::List(list) => list.iter().for_each(|node| collect(node, key, found)),
        Value::Map(map) => map.values().for_each(|node| collect(node, key, found)),
        Value::Scalar(_) | Value::Null => {
            let text = node.as_text().filter(|text| is_remote(text.as_str()));
            found.extend(text.map(|text| Address { key: key.to_owned(), text }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_told_from_a_path() {
        for text in ["https://a/b.git", "git@a:b/c.git", "me@a:b", "oci://a/b:1", "ssh://git@a/b", "github.com/a/b"] {
            assert!(is_remote(text), "{text}");
        }
        for text in ["", ".", "../a", "a.yml", "/srv/a:b", "dir@2/a:b.yml", "C:a", "~/a"] {
            assert!(!is_remote(text), "{text}");
        }
    }
}
