//! What a set of Compose files amounts to, after merging, `extends`, `include` and interpolation.

mod parts;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use parts::{Address, Build, EnvFile, Healthcheck, Hook, Limits, Mount, Port, VolumeKind, VolumeMount, Watch};
pub use text::Text;

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// The path relative to the project's root, as a person knows it; absolute where it is elsewhere.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: u32,
}

/// A path on the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPath {
    /// As it is written.
    pub text: Text,
    /// Relative to the project's root and without `.` and `..`, as far as it is beneath the root; `../x` or absolute elsewhere. A
    /// path that begins with `~` stays as it is.
    pub path: String,
}

/// A flag and where it is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flag {
    /// Whether it is on.
    pub on: bool,
    /// Where it is written.
    pub at: Location,
}

/// All Compose files of a project as one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Project {
    /// `name`.
    pub name: Option<Text>,
    /// The services, those behind profiles too.
    pub services: BTreeMap<String, Service>,
    /// Top-level `secrets`.
    pub secrets: BTreeMap<String, Definition>,
    /// Top-level `configs`.
    pub configs: BTreeMap<String, Definition>,
    /// Top-level `networks`. `default` is among them if a service uses it.
    pub networks: BTreeMap<String, Network>,
    /// Top-level `volumes`.
    pub volumes: BTreeMap<String, Volume>,
    /// Each place where a variable is put in.
    pub uses: Vec<VariableUse>,
    /// Addresses of what lies on other hosts, and is not read: of includes, of what is extended, of build contexts.
    pub addresses: Vec<Address>,
    /// The files that were read: Compose files, what they include and extend, env files.
    pub files: Vec<String>,
    /// The env files that its variables come from, those of included projects too, whether or not they are there.
    pub variable_files: BTreeSet<String>,
    /// Where paths of the host lead that do not show it by their letters, by [`HostPath::path`]: into the project, and empty for a
    /// directory that the project is in. Empty unless somebody looked.
    pub leads: BTreeMap<String, String>,
}

/// How badly a variable is needed where it is put in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// `$VAR` and `${VAR}`: Compose warns and puts in nothing.
    Expected,
    /// `${VAR:?message}` and `${VAR?message}`: Compose refuses to go on.
    Required,
    /// `${VAR:-default}` and `${VAR-default}`.
    Default,
    /// `${VAR:+text}` and `${VAR+text}`: only asked whether it is there.
    Asked,
    /// `NAME` without a value in `environment`, in build arguments or in an env file: handed on as it is, or left out.
    HandedOn,
    /// `environment: NAME` of a top-level secret or config.
    Source,
}

/// One place where a variable of the host or of `.env` is put in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariableUse {
    /// The variable.
    pub name: String,
    /// Where.
    pub at: Location,
    /// The keys that lead there, such as `services.api.environment.PORT`; of an env file `services.api.env_file`.
    pub path: String,
    /// The service, if it is one's.
    pub service: Option<String>,
    /// How badly.
    pub need: Need,
    /// Whether the given environment knows it.
    pub known: bool,
    /// Its default, where that was put in and is a text without variables of its own.
    pub default: Option<Text>,
    /// Whether it may be none, but a piece of the password that it stands in.
    pub is_piece: bool,
}

/// One service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Where it is declared; of several files the last.
    pub at: Location,
    /// `image`.
    pub image: Option<Text>,
    /// `build`.
    pub build: Option<Build>,
    /// `command`: one text if it is written as a string, else one a word.
    pub command: Vec<Text>,
    /// `entrypoint`, as `command`.
    pub entrypoint: Vec<Text>,
    /// The variables that are put in anywhere in it, also where it only extends what puts them in, and where.
    pub variables: BTreeMap<String, Location>,
    /// What the container's environment holds: `environment` over `env_file`.
    pub environment: BTreeMap<String, Variable>,
    /// `env_file`, in order.
    pub env_files: Vec<EnvFile>,
    /// `secrets`.
    pub secrets: Vec<Mount>,
    /// `configs`.
    pub configs: Vec<Mount>,
    /// `ports`.
    pub ports: Vec<Port>,
    /// `expose`.
    pub expose: Vec<Text>,
    /// `volumes`.
    pub volumes: Vec<VolumeMount>,
    /// `volumes_from`.
    pub volumes_from: Vec<Text>,
    /// `develop.watch`.
    pub watches: Vec<Watch>,
    /// `networks`; `default` if there is neither any nor a `network_mode`.
    pub networks: BTreeMap<String, Location>,
    /// `network_mode`.
    pub network_mode: Option<Text>,
    /// `labels`.
    pub labels: BTreeMap<String, Text>,
    /// `annotations`.
    pub annotations: BTreeMap<String, Text>,
    /// `provider.options`, those that are lists under one name.
    pub provider: Vec<(String, Text)>,
    /// `post_start`, `pre_stop` and what `develop.watch` executes.
    pub hooks: Vec<Hook>,
    /// `logging.options`.
    pub logging: BTreeMap<String, Text>,
    /// `user`.
    pub user: Option<Text>,
    /// `group_add`.
    pub group_add: Vec<Text>,
    /// `read_only`.
    pub read_only: Option<Flag>,
    /// `privileged`.
    pub privileged: Option<Flag>,
    /// `security_opt`.
    pub security_opt: Vec<Text>,
    /// `cap_add`.
    pub cap_add: Vec<Text>,
    /// `cap_drop`.
    pub cap_drop: Vec<Text>,
    /// `tmpfs`.
    pub tmpfs: Vec<Text>,
    /// Resource limits.
    pub limits: Limits,
    /// `healthcheck`.
    pub healthcheck: Option<Healthcheck>,
    /// `profiles`; without one it always starts.
    pub profiles: Vec<Text>,
    /// `depends_on`.
    pub depends_on: BTreeMap<String, Location>,
    /// `pid`.
    pub pid: Option<Text>,
    /// `ipc`.
    pub ipc: Option<Text>,
}

/// Where a variable of a container comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// Written under `environment`.
    Environment,
    /// A line of an env file.
    EnvFile,
    /// Named without a value, so taken from the host's environment or `.env`.
    Host,
}

/// A variable of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// The value; `None` where it would come from the host and is not known.
    pub value: Option<Text>,
    /// Where the name stands.
    pub at: Location,
    /// Where the value comes from.
    pub origin: Origin,
}

/// A top-level secret or config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Where it is declared; of several files the last.
    pub at: Location,
    /// `file`.
    pub file: Option<HostPath>,
    /// `environment`: the variable that holds it.
    pub environment: Option<Text>,
    /// `content`, of configs.
    pub content: Option<Text>,
    /// `external`: somebody else makes it.
    pub external: bool,
    /// `name`: what it is called there.
    pub name: Option<Text>,
}

/// A top-level network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Where it is declared; of several files the last. `default`, if nobody declares it: where it is first used.
    pub at: Location,
    /// `internal`.
    pub internal: Option<Flag>,
    /// `external`.
    pub external: bool,
    /// `name`.
    pub name: Option<Text>,
    /// `driver`.
    pub driver: Option<Text>,
    /// `driver_opts`.
    pub driver_opts: BTreeMap<String, Text>,
    /// The subnets of `ipam.config`.
    pub subnets: Vec<Text>,
    /// `attachable`.
    pub attachable: Option<Flag>,
}

/// A top-level volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// Where it is declared; of several files the last.
    pub at: Location,
    /// `external`.
    pub external: bool,
    /// `name`.
    pub name: Option<Text>,
    /// `driver`.
    pub driver: Option<Text>,
    /// `driver_opts`.
    pub driver_opts: BTreeMap<String, Text>,
    /// The path of the host that it is a bind of, by `driver_opts`.
    pub bind: Option<HostPath>,
}
