//! `127.0.0.1:8000-8001:80-81/tcp` to one entry a port.

use std::net::IpAddr;

use super::Canonical;
use crate::compose::tree::{Kind, Map, Node, Tag, Value};

/// More ports than this in one entry, and we stop counting.
const MOST: u32 = 65_536;

/// One port of a short form.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Published {
    pub host_ip: String,
    /// Empty: Docker chooses.
    pub host: String,
    pub target: u16,
    pub protocol: String,
}

impl Canonical<'_> {
    /// Ports in their short forms to long ones.
    pub(super) fn ports(&mut self, node: &mut Node, path: &str) {
        let Value::List(list) = &node.value else {
            return self.list(node, path, &mut |_, _| {});
        };
        let mut ports = Vec::with_capacity(list.len());
        for entry in list {
            match &entry.value {
                Value::Map(_) => ports.push(entry.clone()),
                Value::Scalar(scalar) if matches!(scalar.kind, Kind::Text | Kind::Integer) => match parse(&scalar.text)
                {
                    Some(parsed) => ports.extend(parsed.into_iter().map(|port| long(&port, entry, &scalar.variables))),
                    None if entry.tag == Tag::Reset => {}
                    None => drop(self.refused::<()>(&entry.at, format!("`{path}` has an entry that names no ports"))),
                },
                _ => drop(
                    self.refused::<()>(&entry.at, format!("`{path}` has an entry that is neither string nor mapping")),
                ),
            }
        }
        node.value = Value::List(ports);
    }
}

fn long(port: &Published, entry: &Node, variables: &[String]) -> Node {
    let mut map = Map::new();
    let mut put = |key: &str, value: &str| {
        if !value.is_empty() {
            map.insert(key.to_owned(), Node::text(value, &entry.at, variables));
        }
    };
    put("host_ip", &port.host_ip);
    put("published", &port.host);
    put("target", &port.target.to_string());
    put("protocol", &port.protocol);
    Node::new(Value::Map(map), &entry.at)
}

/// `[[IP:]HOST:]CONTAINER[/PROTOCOL]` with ranges.
pub(super) fn parse(text: &str) -> Option<Vec<Published>> {
    let (ports, protocol) = match text.split_once('/') {
        Some((ports, protocol)) if !protocol.contains('/') => (ports, protocol),
        Some(_) => return None,
        None => (text, "tcp"),
    };
    let protocol = if protocol.is_empty() { "tcp".to_owned() } else { protocol.to_ascii_lowercase() };
    if !matches!(protocol.as_str(), "tcp" | "udp" | "sctp") {
        return None;
    }
    let (before, container) = ports.rsplit_once(':').unwrap_or(("", ports));
    let (host_ip, host) = before.rsplit_once(':').unwrap_or(("", before));
    let host_ip = address(host_ip)?;
    let (first, last) = range(container)?;
    let hosts = if host.is_empty() { None } else { Some(range(host)?) };
    let published = |offset: u16| match hosts {
        None => Some(String::new()),
        Some((from, to)) if to - from == last - first => Some((from + offset).to_string()),
        // One port of the container, and Docker chooses one of the host's.
        Some((from, to)) if first == last => Some(format!("{from}-{to}")),
        Some(_) => None,
    };
    let port = |offset: u16| {
        let published = published(offset)?;
        Some(Published {
            host_ip: host_ip.clone(),
            host: published,
            target: first + offset,
            protocol: protocol.clone(),
        })
    };
    (u32::from(last - first) < MOST).then(|| (0..=last - first).map(port).collect())?
}

/// An address without its brackets.
fn address(text: &str) -> Option<String> {
    if text.is_empty() {
        return Some(String::new());
    }
    let bare = text.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(text);
    bare.parse::<IpAddr>().ok().map(|_| bare.to_owned())
}

fn range(text: &str) -> Option<(u16, u16)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let number = |text: &str| text.parse::<u16>().ok().filter(|_| !text.starts_with('+'));
    let (first, last) = (number(first)?, number(last)?);
    (first <= last).then_some((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Vec<String> {
        let shown = |it: Published| format!("{}|{}|{}|{}", it.host_ip, it.host, it.target, it.protocol);
        parse(text).unwrap().into_iter().map(shown).collect()
    }

    #[test]
    fn short_ports_are_one_entry_each() {
        assert_eq!(parsed("80"), ["||80|tcp"]);
        assert_eq!(parsed("8080:80"), ["|8080|80|tcp"]);
        assert_eq!(parsed("127.0.0.1:8080:80/udp"), ["127.0.0.1|8080|80|udp"]);
        assert_eq!(parsed("127.0.0.1::80"), ["127.0.0.1||80|tcp"]);
        assert_eq!(parsed("[::1]:8080:80"), ["::1|8080|80|tcp"]);
        assert_eq!(parsed("::1:8080:80"), ["::1|8080|80|tcp"]);
        assert_eq!(parsed("8000-8001:80-81"), ["|8000|80|tcp", "|8001|81|tcp"]);
        assert_eq!(parsed("8000-8010:80"), ["|8000-8010|80|tcp"]);
        assert_eq!(parsed("3000-3001"), ["||3000|tcp", "||3001|tcp"]);
    }

    #[test]
    fn what_names_no_ports_is_refused() {
        for text in
            ["", "x", "80/x", "99999", "8000-8003:80-81", "81-80", "host:80:80", "1:2:3:4:5:80", "+80", "80/tcp/x", ":"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
