//! A project with one hook, trusted, and calls of it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use chrono::{TimeZone, Utc};
use tempfile::TempDir;
use vault_kit::error::Result;
use vault_kit::hook::{Call, Ended, Found, Given, Hook, Program, Running, Step};
use vault_kit::manifest::{self, Manifest};
use vault_kit::name::{EnvName, SecretName, VersionId};
use vault_kit::private_file::Root;
use vault_kit::secret::Secret;
use vault_kit::secret::parts::Parts;
use vault_kit::trust;

/// A value and the user that it belongs to.
#[derive(Debug, Clone, Copy)]
pub struct Of<'a>(pub Option<&'a str>, pub &'a str);

/// A project in a directory of its own.
#[derive(Debug)]
pub struct Scene {
    top: TempDir,
    manifest: Manifest,
    /// What the hook inherits.
    pub environment: Vec<(OsString, OsString)>,
}

impl Scene {
    /// A hook `x` whose program is this text; `more` are further lines of its table.
    pub fn new(program: &str, more: &str) -> Self {
        let top = TempDir::new().unwrap();
        for directory in ["project", "project/hooks", "state"] {
            std::fs::create_dir(top.path().join(directory)).unwrap();
            chmod(&top.path().join(directory), 0o755);
        }
        let text = format!(
            "[project]\nname = \"shop\"\n[secrets.ADMIN]\nkind = \"password\"\n[secrets.PASSWORD]\nkind = \"password\"\n\
             hooks = [\"x\"]\n[hooks.x]\nprogram = \"hooks/x\"\nsteps = [\"set\", \"test\", \"retire\", \"reload\"]\n\
             secrets = [\"ADMIN\"]\n{more}\n"
        );
        let manifest = manifest::parse(&text, "vault-kit.toml").unwrap();
        let scene = Self { top, manifest, environment: Vec::new() };
        scene.write(program);
        scene
    }

    /// Replaces the program.
    pub fn write(&self, program: &str) {
        // A new inode: somebody may be executing the old one.
        let beside = self.project().join("hooks/.new");
        std::fs::write(&beside, program).unwrap();
        chmod(&beside, 0o755);
        std::fs::rename(beside, self.program()).unwrap();
    }

    pub fn project(&self) -> std::path::PathBuf {
        self.top.path().join("project")
    }

    pub fn program(&self) -> std::path::PathBuf {
        self.project().join("hooks/x")
    }

    pub fn hook(&self) -> &Hook {
        &self.manifest.hooks["x"]
    }

    pub fn find(&self) -> Result<Found> {
        Found::find(&Root::open(&self.project()).unwrap(), self.hook())
    }

    fn state(&self) -> Root {
        Root::open(&self.top.path().join("state")).unwrap()
    }

    /// Trusts the program as it is now.
    pub fn trust(&self) {
        let item = trust::hook_item(&self.manifest, self.hook(), self.find().unwrap().digest());
        trust::record(&self.state(), &[], &[item], Utc.with_ymd_and_hms(2026, 1, 2, 3, 4, 5).unwrap()).unwrap();
    }

    pub fn trusted(&self) -> Result<Program> {
        self.find()?.trusted(Some(&self.state()), &self.manifest, self.hook(), self.environment.clone())
    }

    /// The input of a step, with the values that a rotation would hand over.
    pub fn input(&self, step: Step, new: Of<'_>, old: Option<Of<'_>>, admin: &str) -> zeroize::Zeroizing<Vec<u8>> {
        let (environment, secret) = (EnvName::new("prod").unwrap(), SecretName::new("PASSWORD").unwrap());
        let name = SecretName::new("ADMIN").unwrap();
        let parts = |value: &str| Parts::value(Secret::copy_of(value.as_bytes()));
        let (id, new_parts, old_parts, admin) =
            (VersionId::derived(new.1), parts(new.1), parts(old.map_or("", |old| old.1)), parts(admin));
        let call = Call {
            step,
            project: "shop",
            environment: &environment,
            rotation: Some(id),
            secret: Some((&secret, "password")),
            new: Some(Given { version: id, username: new.0, parts: &new_parts }),
            old: old.map(|old| Given { version: VersionId::derived(old.1), username: old.0, parts: &old_parts }),
            secrets: BTreeMap::from([(&name, Given { version: id, username: None, parts: &admin })]),
            options: &self.hook().options,
            outputs: Vec::new(),
            changed: Vec::new(),
            failure: None,
        };
        call.into_input().unwrap()
    }

    /// Starts a step with an input of any bytes.
    pub fn start(&self, step: Step, input: Vec<u8>) -> Running {
        self.trusted().unwrap().start(step, input.into()).unwrap()
    }

    /// Trusts the program, runs a step with an input of any bytes, and waits for its end.
    pub fn run(&self, step: Step, input: Vec<u8>) -> Ended {
        self.trust();
        self.start(step, input).wait().unwrap()
    }
}

pub fn chmod(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}
