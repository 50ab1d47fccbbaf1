//! A machine in this process, with owners and programs that a test makes up.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::BASE64;
use vault_kit::clock::{Clock, SystemZones};
use vault_kit::error::{Error, Result};
use vault_kit::manifest::{self, Manifest};
use vault_kit::name::{EnvName, OutputName, SecretName};
use vault_kit::private_file::Root;
use vault_kit::rotate::Report;
use vault_kit::rotate::machine::Machine;
use vault_kit::rotate::programs::{Call, Ended, Programs, Running, Status, Step};
use vault_kit::secret::Secret;
use vault_kit::secret::digest::sha256_hex;
use vault_kit::store::Stage;
use vault_kit::store::files::StoreFiles;
use vault_kit::store::identity::Identities;
use vault_kit::world::{Consent, World};

use crate::support::Project;

/// A password whose owner is told by programs, one that nobody is told of, and what is made of both.
pub(crate) const MANIFEST: &str = r#"
[project]
name = "shop"

[secrets.DB]
kind = "password"
rotate = "30d"
group = "database"

[secrets.SESSION]
kind = "random"
rotate = "30d"

[secrets.URL]
kind = "template"
template = "postgres://app:${DB}@db/app?s=${SESSION}"

[outputs.env]
format = "dotenv"
path = ".env"

[outputs.other]
format = "docker-secrets"
path = "other"
secrets = ["SESSION"]
"#;

/// What a test makes the programs do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Done,
    Later,
    Fail,
    TimeOut,
    NotStarted,
}

/// One question to a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) hook: String,
    pub(crate) step: Step,
    /// SHA-256 of the new value.
    pub(crate) new: Option<String>,
    pub(crate) old: Option<String>,
}

/// Somebody who accepts values, the programs that tell them, a clock, and death at a chosen moment.
pub(crate) struct Stagehand {
    pub(crate) now: Cell<DateTime<Utc>>,
    /// The hooks by secret, each with its steps.
    hooks: BTreeMap<&'static str, Vec<(&'static str, Vec<Step>)>>,
    /// The hooks that reload after an output.
    reloads: BTreeMap<&'static str, &'static str>,
    acts: RefCell<BTreeMap<Step, Act>>,
    pub(crate) asked: RefCell<Vec<Asked>>,
    /// The digests of the values that the owner accepts.
    pub(crate) accepted: RefCell<BTreeSet<String>>,
    /// How many moments are left to live.
    left: Cell<Option<usize>>,
    pub(crate) moments: Cell<usize>,
    /// What a test looks at while a program runs; it is told how the new value would be found, masked.
    pub(crate) waiting: RefCell<Option<Look>>,
}

/// What death is told by.
struct Death;

impl Stagehand {
    pub(crate) fn new(project: &Project) -> Self {
        let hand = Self::without_owner(project);
        hand.accepted.borrow_mut().insert(sha256_hex(&project.get("DB")));
        hand
    }

    pub(crate) fn without_owner(project: &Project) -> Self {
        Self {
            now: Cell::new(project.store().updated),
            hooks: BTreeMap::new(),
            reloads: BTreeMap::new(),
            acts: RefCell::default(),
            asked: RefCell::default(),
            accepted: RefCell::default(),
            left: Cell::new(None),
            moments: Cell::new(0),
            waiting: RefCell::default(),
        }
    }

    pub(crate) fn with_hook(mut self, secret: &'static str, hook: &'static str, steps: &[Step]) -> Self {
        self.hooks.entry(secret).or_default().push((hook, steps.to_vec()));
        self
    }

    pub(crate) fn with_reload(mut self, output: &'static str, hook: &'static str) -> Self {
        self.reloads.insert(output, hook);
        self
    }

    /// The usual: `DB` has an owner, and a server reads `.env`.
    pub(crate) fn usual(project: &Project) -> Self {
        let hand = Self::new(project).with_hook("DB", "postgres", &[Step::Set, Step::Test, Step::Retire]);
        hand.with_reload("env", "nginx").with_reload("other", "cache")
    }

    pub(crate) fn act(&self, step: Step, act: Act) {
        self.acts.borrow_mut().insert(step, act);
    }

    pub(crate) fn pass(&self, time: TimeDelta) {
        self.now.set(self.now.get() + time);
    }

    /// From now on lives for so many moments.
    pub(crate) fn live(&self, moments: Option<usize>) {
        self.left.set(moments);
    }

    /// A moment at which a process may die.
    fn moment(&self) {
        self.moments.set(self.moments.get() + 1);
        match self.left.get() {
            Some(0) => resume_unwind(Box::new(Death)),
            left => self.left.set(left.map(|left| left - 1)),
        }
    }

    pub(crate) fn steps(&self) -> Vec<(String, Step)> {
        self.asked.borrow_mut().drain(..).map(|it| (it.hook, it.step)).collect()
    }
}

impl Clock for Stagehand {
    /// The machine reads the clock whenever it opens the store: between any two changes of it.
    fn now(&self) -> DateTime<Utc> {
        self.moment();
        self.now.get()
    }
}

impl Programs for Stagehand {
    fn hooks(&self, secret: &SecretName, step: Step) -> Vec<String> {
        let hooks = self.hooks.get(secret.as_str()).into_iter().flatten();
        hooks.filter(|(_, steps)| steps.contains(&step)).map(|(hook, _)| (*hook).to_owned()).collect()
    }

    fn reloads(&self, outputs: &BTreeSet<OutputName>) -> BTreeSet<String> {
        let hooks = outputs.iter().filter_map(|output| self.reloads.get(output.as_str()));
        hooks.map(|hook| (*hook).to_owned()).collect()
    }

    fn expect(&self, _: &BTreeSet<String>) -> Result<()> {
        Ok(())
    }

    fn start(&self, call: &Call<'_>) -> Result<Box<dyn Running>> {
        self.moment();
        let digest = |value: Option<&Secret>| value.map(|value| sha256_hex(value.expose()));
        let new = digest(call.new.and_then(|it| it.parts.primary()));
        let old = digest(call.old.and_then(|it| it.parts.primary()));
        assert!(call.step == Step::Reload || new != old, "{} of {}", call.step.name(), call.hook);
        let act = self.acts.borrow().get(&call.step).copied().unwrap_or(Act::Done);
        if act == Act::NotStarted {
            return Err(Error::usage("it has other bytes than were trusted"));
        }
        self.asked.borrow_mut().push(Asked { hook: call.hook.to_owned(), step: call.step, new: new.clone(), old });
        let status = match act {
            Act::Done => Status::Done,
            Act::Later => Status::Later,
            Act::TimeOut => Status::TimedOut,
            _ => Status::Failed,
        };
        // What failed may have been done all the same.
        let mut accepted = self.accepted.borrow_mut();
        match call.step {
            Step::Set => accepted.extend(new),
            Step::Retire if act == Act::Done => {
                let old = digest(call.old.and_then(|it| it.parts.primary())).unwrap();
                accepted.remove(&old);
            }
            Step::Test => assert!(act != Act::Done || accepted.contains(&new.unwrap()), "it was never set"),
            _ => {}
        }
        drop(accepted);
        self.moment();
        let needles = call.new.and_then(|it| it.parts.primary()).map(|value| needles(value.expose()));
        let look = self.waiting.borrow().clone().filter(|_| call.secret.is_some());
        Ok(Box::new(Fake { status, needles: needles.unwrap_or_default(), look }))
    }
}

/// What a test does while a program runs.
pub(crate) type Look = Rc<dyn Fn(&[Vec<u8>])>;

/// What values are kept as by who looks for them: a needle in the clear would be found.
const MASK: u8 = 0x5a;

pub(crate) fn masked(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| byte ^ MASK).collect()
}

/// By what a value is found: itself, its middle, and base64 of that, which is in base64 of the whole. Masked.
pub(crate) fn needles(value: &[u8]) -> Vec<Vec<u8>> {
    // Whole groups of three bytes before it and in it.
    let middle = &value[(value.len() - 24) / 6 * 3..][..24];
    vec![masked(value), masked(middle), masked(BASE64.encode(middle).as_bytes())]
}

struct Fake {
    status: Status,
    needles: Vec<Vec<u8>>,
    look: Option<Look>,
}

impl Running for Fake {
    fn wait(self: Box<Self>) -> Result<Box<dyn Ended>> {
        if let Some(look) = &self.look {
            look(&self.needles);
        }
        Ok(self)
    }
}

impl Ended for Fake {
    fn status(&self) -> Status {
        self.status
    }

    fn said(&self, _: &[&Secret]) -> String {
        "words of the program".to_owned()
    }
}

/// What a machine needs besides its programs.
pub(crate) struct Ground {
    root: Root,
    manifest: Manifest,
    environment: EnvName,
    identities: Identities,
    state: std::path::PathBuf,
}

impl Ground {
    pub(crate) fn of(project: &Project) -> Self {
        Self {
            root: Root::open(project.root()).unwrap(),
            manifest: manifest::parse_in(&project.read("vault-kit.toml"), "m", &SystemZones).unwrap(),
            environment: EnvName::new("dev").unwrap(),
            identities: project.identities(),
            state: project.state(),
        }
    }

    /// What the machine does with `work`; `None` when it died.
    pub(crate) fn machine(
        &self,
        hand: &Stagehand,
        work: impl FnOnce(&Machine<'_>) -> Result<Report>,
    ) -> Option<Result<Report>> {
        let files = StoreFiles::new(&self.root, Some(self.state.clone()), &self.environment);
        let world = World {
            project: &self.root,
            manifest: &self.manifest,
            manifest_digest: "",
            environment: &self.environment,
            files: &files,
            identities: &self.identities,
            now: hand.now.get(),
            consent: Consent::default(),
            goes_on: false,
            log: |_| (),
        };
        let machine = Machine::new(&world, hand, hand);
        match catch_unwind(AssertUnwindSafe(|| work(&machine))) {
            Ok(done) => Some(done),
            Err(cause) if cause.is::<Death>() => None,
            Err(cause) => resume_unwind(cause),
        }
    }
}

pub(crate) fn names<const N: usize>(names: [&str; N]) -> BTreeSet<SecretName> {
    names.into_iter().map(|name| SecretName::new(name).unwrap()).collect()
}

/// The stages of a secret's versions, but for those of which only a fingerprint is left and that never were in force.
pub(crate) fn stages(project: &Project, name: &str) -> Vec<Stage> {
    let store = project.store();
    let versions = store.secrets[&SecretName::new(name).unwrap()].iter();
    versions.filter(|version| !version.was_given_up()).map(|version| version.stage).collect()
}

/// The value of `DB` in `.env`.
pub(crate) fn delivered(project: &Project) -> String {
    let text = project.read(".env");
    text.lines().find_map(|line| line.strip_prefix("DB=")).unwrap().trim_matches(['\'', '"']).to_owned()
}

/// What the audit record tells as done since the project was made.
pub(crate) fn actions(project: &Project) -> Vec<String> {
    let record = project.read(".vault-kit/audit.jsonl");
    let lines = record.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let done = lines.filter(|line| line.get("intent").is_none());
    done.skip(1).map(|line| line["action"].as_str().unwrap().to_owned()).collect()
}
