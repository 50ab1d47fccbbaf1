//! Containers that go on with a file which was replaced since they mounted it: a bind mount of a single file stays with the
//! inode, and a rename puts another one in its place.

pub mod client;
mod inside;

use std::collections::BTreeMap;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::check::NotChecked;
use crate::check::facts::StaleMount;
use crate::gather::Gather;
use client::Client;

/// What Docker is asked of each container: one line each.
const FORMAT: &str = "{{json .Name}} {{json .State.Pid}} {{json .Config.Labels}} {{json .Mounts}}";

/// A running container, as far as it counts here.
#[derive(Debug, PartialEq, Eq)]
struct Container {
    name: String,
    pid: u32,
    labels: BTreeMap<String, String>,
    mounts: Vec<Mount>,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Mount {
    #[serde(rename = "Type")]
    kind: String,
    #[serde(default)]
    source: PathBuf,
    #[serde(default)]
    destination: String,
}

/// What was seen, and what could not be.
#[derive(Debug, Default)]
pub struct Seen {
    /// The mounts of files that are not those which stand at the path now.
    pub stale: Vec<StaleMount>,
    /// What could not be looked at.
    pub unseen: Vec<NotChecked>,
}

/// Where Docker is asked: its socket, and where its program is looked for.
#[derive(Debug)]
pub struct Docker {
    /// `DOCKER_HOST`.
    pub host: Option<String>,
    /// `PATH`.
    pub path: Option<std::ffi::OsString>,
}

impl Docker {
    /// The socket of a daemon on this machine, if there is one: others' containers mount other files.
    fn socket(&self) -> Option<PathBuf> {
        let path = match self.host.as_deref().filter(|host| !host.is_empty()) {
            None => "/var/run/docker.sock",
            Some(host) => host.strip_prefix("unix://")?,
        };
        let is_socket = std::fs::metadata(path).is_ok_and(|facts| facts.file_type().is_socket());
        is_socket.then(|| PathBuf::from(path))
    }
}

/// Looks at the containers that mount one of these files by itself. Without a daemon there is none, and nothing is unseen.
pub fn look(docker: &Docker, root: &Path, files: &[&str]) -> Seen {
    let mut seen = Seen::default();
    let Some(socket) = docker.socket().filter(|_| !files.is_empty()) else { return seen };
    let here: BTreeMap<PathBuf, &str> =
        files.iter().filter_map(|path| Some((root.join(path).canonicalize().ok()?, *path))).gather();
    match Client::new(&socket, docker.path.as_deref()).and_then(|client| running(&client)) {
        Ok(containers) => {
            for container in &containers {
                for (mount, file) in container.single_files(&here) {
                    seen.judge(container, mount, file, &root.join(file));
                }
            }
        }
        Err(why) => seen.unseen.push(NotChecked { what: "files that containers mount singly".into(), why }),
    }
    seen
}

fn running(client: &Client) -> Result<Vec<Container>, String> {
    let ids = client.run(&["ps", "--quiet", "--no-trunc"])?;
    let ids: Vec<&str> = std::str::from_utf8(&ids).unwrap_or_default().split_whitespace().collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let lines = client.run(&[&["inspect", "--type", "container", "--format", FORMAT], &ids[..]].concat())?;
    parse(&lines).ok_or_else(|| "docker answers in a form that is not understood".to_owned())
}

/// Reads the answer to [`FORMAT`].
fn parse(lines: &[u8]) -> Option<Vec<Container>> {
    let lines = lines.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| container(line).ok()).collect()
}

fn container(line: &[u8]) -> serde_json::Result<Container> {
    let mut values = serde_json::Deserializer::from_slice(line);
    let name = String::deserialize(&mut values)?;
    let pid = u32::deserialize(&mut values)?;
    let labels = Option::<BTreeMap<String, String>>::deserialize(&mut values)?.unwrap_or_default();
    let mounts = Option::<Vec<Mount>>::deserialize(&mut values)?.unwrap_or_default();
    Ok(Container { name: name.trim_start_matches('/').to_owned(), pid, labels, mounts })
}

impl Container {
    /// Its mounts of files of ours.
    fn single_files<'s>(&'s self, here: &'s BTreeMap<PathBuf, &str>) -> impl Iterator<Item = (&'s Mount, &'s str)> {
        let binds = self.mounts.iter().filter(|mount| mount.kind == "bind");
        binds.filter_map(|mount| Some((mount, *here.get(&mount.source.canonicalize().ok()?)?)))
    }
}

impl Seen {
    fn judge(&mut self, container: &Container, mount: &Mount, file: &str, path: &Path) {
        let Ok(facts) = std::fs::metadata(path) else { return };
        match inside::inode(container.pid, &mount.destination) {
            Ok(inode) if inode == (facts.dev(), facts.ino()) => {}
            Ok(_) => {
                let label = |key: &str| container.labels.get(key).cloned();
                let service = label("com.docker.compose.project").zip(label("com.docker.compose.service"));
                let (file, container) = (file.to_owned(), container.name.clone());
                self.stale.push(StaleMount { file, container, service });
            }
            // It ended meanwhile.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                let what = format!("{file} as container {} mounts it", container.name);
                self.unseen.push(NotChecked { what, why: format!("it cannot be looked at: {error}; root can") });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_line_by_line_and_no_further() {
        let line = r#""/shop-web-1" 42 {"com.docker.compose.service":"web"} [{"Type":"bind","Source":"/srv/.env","Destination":"/app/.env","Mode":"","RW":true},{"Type":"tmpfs","Destination":"/tmp"}]"#;
        let read = parse(format!("{line}\n\"/x\" 7 null []\n").as_bytes()).unwrap();
        assert_eq!((read[0].name.as_str(), read[0].pid, read[0].mounts.len()), ("shop-web-1", 42, 2));
        assert_eq!(read[0].mounts[0].source, Path::new("/srv/.env"));
        assert_eq!((read[1].labels.len(), read[1].mounts.len()), (0, 0));
        assert_eq!(parse(b"\n"), Some(Vec::new()));
        for bad in [&b"{}"[..], b"\"/x\" -1 {} []", b"\"/x\" 1 {}", b"\xff"] {
            assert_eq!(parse(bad), None);
        }
    }

    #[test]
    fn another_machine_s_daemon_is_not_asked() {
        for host in ["tcp://10.0.0.1:2376", "ssh://root@host", "unix:///nonexistent/docker.sock"] {
            assert_eq!(Docker { host: Some(host.into()), path: None }.socket(), None, "{host}");
        }
    }
}
