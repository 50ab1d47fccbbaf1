//! `cert import`: a certificate that somebody else issued, such as Let's Encrypt, into the store.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use chrono::SecondsFormat;
use clap::Args;
use data_encoding::HEXLOWER;
use serde::Serialize;

use super::{Context, Error, Exit, Host, Kind, Result, parse_host, read_for_change, tell};
use crate::cli::session::Session;
use crate::cli::summary::{Deed, Summary};
use crate::gather::Gather;
use crate::generate::Facts;
use crate::manifest::model::{ImportedCertificate, Usage};
use crate::manifest::{Declaration, Kind as SecretKind};
use crate::name::{EnvName, SecretName};
use crate::plan::Plan;
use crate::secret::Secret;
use crate::secret::parts::{Part, Parts};
use crate::store::{Origin, Store};
use crate::ui::SCHEMA_VERSION;
use crate::x509::chain::{self, Chain};
use crate::x509::describe::{Description, describe};
use crate::x509::finding::Finding;
use crate::x509::import::{File, Judged, Material, Use, judge};

#[derive(Debug, Args)]
pub struct Arguments {
    /// The secret: a `certificate` with issuer = "import"
    name: String,
    /// The certificate and its chain, PEM; links are followed, as /etc/letsencrypt/live has them
    #[arg(long, value_name = "FILE")]
    fullchain: PathBuf,
    /// Its private key, PEM: PKCS#8, SEC 1 or PKCS#1, not encrypted
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// More of its chain, PEM
    #[arg(long, value_name = "FILE")]
    chain: Option<PathBuf>,
    /// A host that it must be valid for, besides the declared ones; may be repeated
    #[arg(long, value_name = "NAME", value_parser = parse_host)]
    host: Vec<Host>,
    /// Tell what would be done, and do nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// What is told of an import that was refused.
#[derive(Debug, Serialize)]
struct Refused<'a> {
    schema_version: u32,
    dry_run: bool,
    environment: &'a EnvName,
    #[serde(rename = "refused")]
    secret: &'a SecretName,
    #[serde(flatten)]
    told: Told<'a>,
}

#[derive(Debug, Serialize)]
struct Imported<'a> {
    #[serde(flatten)]
    summary: &'a Summary<'a>,
    #[serde(flatten)]
    told: Told<'a>,
}

#[derive(Debug, Serialize)]
struct Told<'a> {
    findings: &'a [Finding],
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<Description>,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    let session = Session::open(context)?;
    let name = session.secret(&arguments.name)?;
    let declaration = &session.manifest.secrets[&name];
    let wanted = imported(declaration)?;
    let files = Files::read(context, arguments)?;
    let judged = files.judge(&session, arguments, wanted)?;
    let certificate = judged.chain.as_ref().map(|chain| describe(&chain.leaf, context.now));
    let told = Told { findings: &judged.findings, certificate };
    if !context.ui.json {
        tell(context.ui, &judged.findings)?;
    }
    let (false, Some(chain), Some(key)) = (judged.is_refused(), &judged.chain, &judged.key) else {
        return refuse(&session, &name, told, arguments.dry_run);
    };
    store(&session, declaration, (parts(chain, key), facts(chain)), told, arguments.dry_run)
}

fn imported(declaration: &Declaration) -> Result<&ImportedCertificate> {
    let SecretKind::ImportedCertificate(wanted) = &declaration.kind else {
        let message = format!("`{}` is not declared as a certificate that is imported", declaration.name);
        let hint = format!(
            "in vault-kit.toml, below `[secrets.{}]`: `kind = \"certificate\"` and `issuer = \"import\"`",
            declaration.name
        );
        return Err(Error::usage(message).hint(hint));
    };
    Ok(wanted)
}

struct Files {
    fullchain: Secret,
    key: Secret,
    chain: Option<Secret>,
    key_mode: Option<u32>,
}

impl Files {
    /// Reads all of them, and tells of all that cannot be read.
    fn read(context: &Context, arguments: &Arguments) -> Result<Self> {
        let mut errors = Vec::new();
        let mut read = |path: &Path| read_for_change(context, path).map_err(|error| errors.push(error)).ok();
        let fullchain = read(&arguments.fullchain);
        let key = read(&arguments.key);
        let chain = arguments.chain.as_deref().map(&mut read);
        // The mode of what a link leads to: that is what others could read.
        let key_mode = std::fs::metadata(context.resolve(&arguments.key)).ok().filter(std::fs::Metadata::is_file);
        match (Error::all(errors), fullchain, key) {
            (None, Some(fullchain), Some(key)) => {
                Ok(Self { fullchain, key, chain: chain.flatten(), key_mode: key_mode.map(|it| it.mode()) })
            }
            (Some(error), ..) => Err(error),
            (None, ..) => Err(Error::bug("a file was neither read nor refused")),
        }
    }

    fn judge(&self, session: &Session<'_>, arguments: &Arguments, wanted: &ImportedCertificate) -> Result<Judged> {
        let name = |path: &Path| path.display().to_string();
        let names = [&arguments.fullchain, &arguments.key].map(|path| name(path));
        let chain_name = arguments.chain.as_deref().map(name).unwrap_or_default();
        let declared = wanted.dns.iter().cloned().chain(wanted.ip.iter().map(ToString::to_string));
        let declared: Option<Vec<Host>> = declared.map(|host| Host::parse(&host)).collect();
        let declared = declared.ok_or_else(|| Error::bug("a declared name is no host"))?;
        let hosts: Vec<Host> = declared.into_iter().chain(arguments.host.iter().cloned()).collect();
        let material = Material {
            fullchain: File { name: &names[0], content: &self.fullchain },
            chain: self.chain.as_ref().map(|content| File { name: &chain_name, content }),
            key: File { name: &names[1], content: &self.key },
            key_mode: self.key_mode,
        };
        Ok(judge(
            &material,
            &Use {
                hosts: &hosts,
                purpose: match wanted.usage {
                    Usage::Client => "clientAuth",
                    Usage::Server => "serverAuth",
                },
                is_production: ["prod", "production", "staging"].contains(&session.environment.as_str()),
                now: session.context.now,
            },
        ))
    }
}

fn refuse(session: &Session<'_>, name: &SecretName, told: Told<'_>, dry_run: bool) -> Result<Exit> {
    let ui = session.context.ui;
    if ui.json {
        let environment = &session.environment;
        ui.object(&Refused { schema_version: SCHEMA_VERSION, dry_run, environment, secret: name, told })?;
    }
    ui.say(&format!("refused       {name}: nothing was changed"));
    Ok(Exit::from(Kind::Findings))
}

fn parts(chain: &Chain, key: &Secret) -> Parts {
    let parts = Parts::default()
        .with(Part::Cert, chain::to_pem([&chain.leaf]))
        .with(Part::Chain, chain::to_pem(&chain.intermediates))
        .with(Part::Key, key.duplicate());
    match &chain.root {
        Some(root) => parts.with(Part::Ca, chain::to_pem([root])),
        None => parts,
    }
}

fn facts(chain: &Chain) -> Facts {
    let leaf = &chain.leaf;
    let facts = [
        ("algorithm", leaf.key.kind.name()),
        ("intermediates", chain.intermediates.len().to_string()),
        ("not_before", leaf.not_before.to_rfc3339_opts(SecondsFormat::Secs, true)),
        ("root", if chain.root.is_some() { "yes" } else { "no" }.to_owned()),
        ("serial", HEXLOWER.encode(&leaf.serial)),
        ("subject", leaf.all_names().join(",")),
    ];
    let facts: BTreeMap<String, String> = facts.into_iter().map(|(key, fact)| (key.to_owned(), fact)).gather();
    Facts { expires: Some(leaf.not_after), facts }
}

fn store(
    session: &Session<'_>,
    declaration: &Declaration,
    (parts, facts): (Parts, Facts),
    told: Told<'_>,
    dry_run: bool,
) -> Result<Exit> {
    let context = session.context;
    let identities = context.identities()?;
    let _lock = session.lock_unless_dry(dry_run)?;
    let mut opened = session.open_store_unless_dry(&identities, dry_run)?;
    let files = session.files();
    let world = session.delivering_world(&files, &identities, false)?;
    world.check_agreement(&opened.store)?;
    parts.primary().map_or(Ok(()), |key| opened.store.refuse_banned(&declaration.name, key))?;
    let mut changed = Vec::new();
    if !holds(&opened.store, declaration, &parts) {
        let version = world.given_parts(declaration, parts, facts, Origin::Imported)?;
        let id = version.id;
        opened.store.promote(&declaration.name, version);
        opened.store.note_known(&declaration.name, id, context.now);
        changed.push(declaration.name.clone());
    }
    let delivered = if dry_run {
        world.rehearse(&mut opened.store)?
    } else {
        world.settle(&mut opened, "cert import", &changed)?
    };
    let plan = Plan::default();
    let deed = (!changed.is_empty()).then_some(Deed::Import(&declaration.name));
    let summary = Summary::new(&session.environment, &session.manifest, &plan, &delivered, dry_run).with(deed);
    if context.ui.json {
        context.ui.object(&Imported { summary: &summary, told })?;
    } else {
        summary.tell(context)?;
    }
    Ok(delivered.exit())
}

/// Whether the store has the very same already.
fn holds(store: &Store, declaration: &Declaration, parts: &Parts) -> bool {
    store.value(declaration).is_some_and(|version| version.parts == *parts)
}
