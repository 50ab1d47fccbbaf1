//! The command line: clap's types, and one thin file a command. The only place that knows clap.

mod apikey;
mod bring_up;
mod cert;
mod check;
mod completions;
mod consequences;
mod context;
mod generate;
mod get;
mod import;
mod init;
mod man;
mod paste;
mod recipients;
mod remove;
mod render;
mod run;
mod schema;
mod session;
mod set;
mod status;
mod store;
mod summary;
mod sync;
mod table;
mod token;
mod trust;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};

use crate::error::Result;
use crate::exit::{Exit, Kind};
use crate::ui::Ui;
use context::Context;
use paste::Paste;

/// Makes, delivers and checks the secrets of a deployment from one manifest.
#[derive(Debug, Parser)]
#[command(name = "vault-kit", version, propagate_version = false, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done or nothing to do, 1 findings, 2 usage, 3 manifest, 4 store or identity,
5 AWS unreachable, 6 permission, 7 conflict or busy, 8 incomplete, 9 disk or system,
70 a bug, 130 interrupted. `run`: 126 or 127 before the command starts, then its own.";

/// What every command takes.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "On every command")]
pub struct Global {
    /// Work in this directory (`init` makes it)
    #[arg(short = 'C', long = "dir", value_name = "DIR", global = true)]
    dir: Option<PathBuf>,
    /// Use this manifest instead of looking for vault-kit.toml
    #[arg(short, long, value_name = "FILE", global = true)]
    file: Option<PathBuf>,
    /// The environment; else VAULT_KIT_ENV, else the manifest's default
    #[arg(short, long, value_name = "NAME", global = true)]
    env: Option<String>,
    /// Print data and errors as JSON
    #[arg(long, global = true)]
    json: bool,
    /// Say nothing but warnings and errors
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Say more
    #[arg(short, long, global = true)]
    verbose: bool,
    /// No colour (also: NO_COLOR)
    #[arg(long, global = true)]
    no_color: bool,
    /// Answer yes to every question
    #[arg(long, global = true)]
    yes: bool,
    /// Never ask
    #[arg(long, global = true)]
    non_interactive: bool,
    /// Longest wait for another vault-kit to finish
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = context::parse_timeout, global = true)]
    lock_timeout: std::time::Duration,
    /// Write although the clock stands behind the store
    #[arg(long, global = true)]
    accept_clock: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Bring a manifest to life: make what is missing and write every output
    Init(init::Arguments),
    /// Take the values of an existing .env or JSON file into the store
    Import(import::Arguments),
    /// Judge store, ledger and files; exit 1 with one finding a problem
    Check(check::Arguments),
    /// List the secrets with their versions and dates
    Status(status::Arguments),
    /// Make missing values, or new ones with --replace
    Generate(generate::Arguments),
    /// Take a value by prompt, stdin or --from-file
    Set(set::Arguments),
    /// Write a value's exact bytes to stdout
    Get(get::Arguments),
    /// Forget a secret with all its versions
    Remove(remove::Arguments),
    /// Write the outputs
    Render(render::Arguments),
    /// Replace this process by a command with the secrets in its environment
    Run(run::Arguments),
    /// AWS Secrets Manager: compare, push, pull
    Sync(sync::Arguments),
    /// Certificates: issue or import, look at, verify, renew, revoke
    Cert(cert::Arguments),
    /// Let this manifest's absolute paths and AWS roles take effect
    Trust(trust::Arguments),
    /// The sealed store
    Store(store::Arguments),
    /// Who can open the store
    Recipients(recipients::Arguments),
    /// Signed tokens: mint, revoke, list, verify, look into, publish their keys
    Token(token::Arguments),
    /// Keys that are issued to others: issue, judge, take back
    Apikey(apikey::Arguments),
    /// Print a JSON Schema
    Schema(schema::Arguments),
    /// Print a shell's completions
    Completions(completions::Arguments),
    /// Print a manual page, or write all of them into a directory
    Man(man::Arguments),
}

/// Parses and runs one command line.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => return refuse(&error, arguments.iter().any(|it| it == "--json")),
    };
    let context = Context::new(cli.global);
    match dispatch(&context, cli.command) {
        Ok(exit) => exit,
        Err(error) => {
            let error = Paste::new(&context).error(error);
            context.ui.error(&error);
            run::exit_of(&error)
        }
    }
}

fn dispatch(context: &Context, command: Command) -> Result<Exit> {
    match command {
        Command::Init(arguments) => init::run(context, &arguments),
        Command::Import(arguments) => import::run(context, &arguments),
        Command::Check(arguments) => check::run(context, &arguments),
        Command::Status(arguments) => status::run(context, &arguments),
        Command::Generate(arguments) => generate::run(context, &arguments),
        Command::Set(arguments) => set::run(context, &arguments),
        Command::Get(arguments) => get::run(context, &arguments),
        Command::Remove(arguments) => remove::run(context, &arguments),
        Command::Render(arguments) => render::run(context, &arguments),
        Command::Run(arguments) => run::run(context, &arguments),
        Command::Sync(arguments) => sync::run(context, &arguments),
        Command::Cert(arguments) => cert::run(context, &arguments),
        Command::Trust(arguments) => trust::run(context, &arguments),
        Command::Store(arguments) => store::run(context, &arguments),
        Command::Recipients(arguments) => recipients::run(context, &arguments),
        Command::Token(arguments) => token::run(context, &arguments),
        Command::Apikey(arguments) => apikey::run(context, &arguments),
        Command::Schema(arguments) => schema::run(context, &arguments),
        Command::Completions(arguments) => completions::run(context, &arguments),
        Command::Man(arguments) => man::run(context, &arguments),
    }
}

/// Help and version are answers; everything else that clap says is a usage error.
fn refuse(error: &clap::Error, json: bool) -> Exit {
    let ui = Ui { json, ..Ui::default() };
    let text = error.render().to_string();
    if !error.use_stderr() {
        return ui.print(&text).map_or(Exit::from(Kind::System), |()| Exit::DONE);
    }
    let text = text.trim_start_matches("error: ").trim_end();
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    // What stands where no argument belongs may be a value: it is not said again.
    let is_stray = error.kind() == ErrorKind::UnknownArgument && !first.contains("'-");
    let first =
        if is_stray { "an argument stands where none belongs; values are never given as arguments" } else { first };
    ui.usage(&format!("{first}\n{rest}"));
    Exit::from(Kind::Usage)
}
