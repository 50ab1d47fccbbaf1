//! The systems that ship with vault-kit: each is a folder of `examples/`, built in.

use crate::error::{Error, Result};
use crate::project::MANIFEST;

/// A shipped system.
#[derive(Debug)]
pub struct Preset {
    /// What `init --preset` calls it.
    pub name: &'static str,
    /// Path and text of each file, the manifest first.
    pub files: &'static [(&'static str, &'static str)],
    /// What the variables begin with by which its containers run as the owner of the files: `SUTRA_UID`, `SUTRA_GID`.
    pub owner: Option<&'static str>,
}

macro_rules! preset {
    (@owner $owner:literal) => { Some($owner) };
    (@owner) => { None };
    ($name:literal $(owned by $owner:literal)?: $($file:literal),+ $(,)?) => {
        Preset {
            name: $name,
            files: &[$(($file, include_str!(concat!("../examples/", $name, "/", $file)))),+],
            owner: preset!(@owner $($owner)?),
        }
    };
}

impl Preset {
    /// The manifest's text.
    pub fn manifest(&self) -> Result<&'static str> {
        let manifest = self.files.iter().find(|(path, _)| *path == MANIFEST);
        manifest.map(|(_, text)| *text).ok_or_else(|| Error::bug(format!("preset `{}` has no manifest", self.name)))
    }
}

/// All of them, by name.
pub static PRESETS: [Preset; 5] = [
    preset!(
        "docker-mcp" owned by "MCP": "vault-kit.toml", "docker-compose.yml", "docker-compose.swarm.yml", "nginx/nginx.conf"
    ),
    preset!("e2i": "vault-kit.toml", "docker/docker-compose.secure.yml", "docker/nginx/nginx.conf"),
    preset!(
        "mcp-rag": "vault-kit.toml", "docker-compose.yml", "nginx/nginx.conf", "k8s/prod/application.yaml",
        "k8s/prod/database-credentials.yaml", "k8s/secret-store.yaml", "k8s/service-account.yaml",
        "iam/prod-ci-check.json", "iam/prod-reader.json", "iam/prod-rotator.json", "iam/staging-ci-check.json",
        "iam/staging-reader.json", "iam/staging-rotator.json"
    ),
    preset!(
        "omni2" owned by "OMNI2": "vault-kit.toml", "docker-compose.yml", "auth/auth_service.py", "auth/Dockerfile", "nginx/nginx.conf",
        "traefik/tls.yml"
    ),
    preset!("sutra" owned by "SUTRA": "vault-kit.toml", "docker-compose.yml"),
];

/// The preset of that name.
pub fn named(name: &str) -> Result<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name).ok_or_else(|| {
        let names: Vec<&str> = PRESETS.iter().map(|preset| preset.name).collect();
        Error::usage("there is no such preset").hint(format!("presets: {}", names.join(", ")))
    })
}
