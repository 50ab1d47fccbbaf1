//! The parts of a service that are entries of their own.

use std::collections::BTreeMap;

use super::{HostPath, Location, Text, Variable};

/// One entry of `env_file`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvFile {
    /// The file.
    pub path: HostPath,
    /// Whether Compose refuses to go on without it.
    pub required: bool,
    /// `format: raw`: quotes and dollars stand for themselves.
    pub raw: bool,
    /// Whether it was there to be read.
    pub found: bool,
}

/// One entry of a service's `secrets` or `configs`, or of a build's `secrets`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// The name of the top-level definition.
    pub source: String,
    /// Where the container sees it: an absolute path; of a build secret its id.
    pub target: String,
    /// `uid`. Compose ignores it for files.
    pub uid: Option<Text>,
    /// `gid`. Compose ignores it for files.
    pub gid: Option<Text>,
    /// `mode`, as it is written. Compose ignores it for files.
    pub mode: Option<Text>,
    /// Where.
    pub at: Location,
}

/// One published port. A range is one entry a port, as Compose sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// The host's address, as it is written; `None`: all of them.
    pub host_ip: Option<String>,
    /// The host's port, or the range that Docker may choose from; `None`: Docker chooses.
    pub published: Option<String>,
    /// The container's port.
    pub target: u16,
    /// `tcp` or `udp`.
    pub protocol: String,
    /// Where, and with which variables.
    pub at: Location,
    /// The variables that were put in, sorted.
    pub variables: Vec<String>,
}

/// What kind of thing a volume mount is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VolumeKind {
    /// A path of the host.
    Bind,
    /// A named volume, or an anonymous one.
    Volume,
    /// Memory.
    Tmpfs,
    /// Any other: `npipe`, `cluster`, `image`.
    Other,
}

/// One entry of a service's `volumes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeMount {
    /// What it is.
    pub kind: VolumeKind,
    /// The host's path, of a bind.
    pub host: Option<HostPath>,
    /// The name of the volume, of a named one.
    pub volume: Option<String>,
    /// Where the container sees it.
    pub target: String,
    /// Whether the container may only read it.
    pub read_only: bool,
    /// Where.
    pub at: Location,
    /// The variables that were put in, sorted.
    pub variables: Vec<String>,
}

/// How an image is built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// Where.
    pub at: Location,
    /// `context`; `None` where it is a URL or only `additional_contexts`.
    pub context: Option<HostPath>,
    /// The directories among `additional_contexts`, by name.
    pub contexts: BTreeMap<String, HostPath>,
    /// The Dockerfile: `dockerfile` or `Dockerfile`, beneath the context; `None` where it is written inline or the context is
    /// elsewhere.
    pub dockerfile: Option<HostPath>,
    /// `dockerfile_inline`.
    pub dockerfile_inline: Option<Text>,
    /// `args`; a value that comes from the host is as in [`super::Service::environment`].
    pub args: BTreeMap<String, Variable>,
    /// `secrets`.
    pub secrets: Vec<Mount>,
    /// `target`.
    pub target: Option<Text>,
    /// `labels`.
    pub labels: BTreeMap<String, Text>,
}

/// Resource limits: `deploy.resources.limits`, or the older `cpus`, `mem_limit` and `pids_limit`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Processors.
    pub cpus: Option<Text>,
    /// Memory.
    pub memory: Option<Text>,
    /// Processes.
    pub pids: Option<Text>,
}

/// A command that Compose runs in a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// The key that it stands under, such as `post_start`.
    pub key: &'static str,
    /// `command`: one text if it is written as a string, else one a word.
    pub command: Vec<Text>,
    /// `environment`.
    pub environment: BTreeMap<String, Variable>,
}

/// What Compose does when files change: one entry of `develop.watch`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch {
    /// `path`.
    pub path: HostPath,
    /// Whether it copies them into the container.
    pub syncs: bool,
    /// `ignore`: patterns of what it leaves out, from the path on.
    pub ignored: Vec<Text>,
    /// Where.
    pub at: Location,
}

/// What stands where a file or a directory is due, and leads to another host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The keys that lead there, such as `include` and `services.api.build.context`.
    pub key: String,
    /// The address. It may hold a credential: never to be shown.
    pub text: Text,
}

/// A health check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Healthcheck {
    /// Where.
    pub at: Location,
    /// `test`: one text if it is written as a string, else one a word.
    pub test: Vec<Text>,
    /// `disable`, or a test of `NONE`.
    pub disabled: bool,
}
