//! The command line: clap's types, and one thin file a command. The only place that knows clap.

mod apikey;
mod audit;
mod bring_up;
mod cert;
mod check;
mod completions;
mod consequences;
mod context;
mod explain;
mod exposed;
mod formats;
mod generate;
mod get;
mod hooks;
mod iam;
mod import;
mod incident;
mod init;
mod input;
mod main_tree;
mod man;
mod mounted;
mod paste;
mod readers;
mod recipients;
mod refused;
mod remove;
mod render;
mod rotate;
mod run;
mod scan;
mod schedule;
mod schema;
mod session;
mod set;
mod staged;
mod status;
mod store;
mod summary;
mod sync;
mod table;
mod token;
mod trust;
mod turn;

use std::ffi::OsString;
use std::mem::ManuallyDrop;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, ValueEnum};

use crate::error::Result;
use crate::exit::{Exit, Kind};
use crate::ui::Ui;
use context::Context;
use paste::Paste;

/// Makes, delivers and checks the secrets of a deployment from one manifest.
#[derive(Debug, Parser)]
#[command(name = "vault-kit", version, propagate_version = false, after_help = EXIT_CODES)]
#[command(subcommand_required = true, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    global: Global,
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
    /// Log each change of the store on stderr, as `json`
    #[arg(long, value_enum, value_name = "FORMAT", hide_possible_values = true, global = true)]
    log: Option<Log>,
}

/// What such a line is.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Log {
    /// An object with the fields of the audit record
    Json,
}

/// A command: its name, what it is for, what it takes, and what it does with that.
struct Verb {
    name: &'static str,
    about: &'static str,
    augment: fn(clap::Command) -> clap::Command,
    parse: fn(&ArgMatches) -> Result<Job, clap::Error>,
}

/// A command with its arguments, ready to run.
type Job = Box<dyn FnOnce(&Context) -> Result<Exit>>;

macro_rules! verb {
    ($module:ident, $about:literal) => {
        Verb {
            name: stringify!($module),
            about: $about,
            augment: $module::Arguments::augment_args,
            parse: |matches| {
                let arguments = $module::Arguments::from_arg_matches(matches)?;
                Ok(Box::new(move |context| $module::run(context, &arguments)))
            },
        }
    };
}

const VERBS: [Verb; 28] = [
    verb!(init, "Bring a manifest to life: make what is missing and write every output"),
    verb!(import, "Take the values of an existing .env or JSON file into the store"),
    verb!(check, "Judge store, ledger and files; exit 1 with one finding a problem"),
    verb!(explain, "What a finding's code means, what it risks, and what cures it"),
    verb!(status, "List the secrets with their versions and dates"),
    verb!(generate, "Make missing values, or new ones with --replace"),
    verb!(set, "Take a value by prompt, stdin or --from-file"),
    verb!(get, "Write a value's exact bytes to stdout"),
    verb!(remove, "Forget a secret with all its versions"),
    verb!(render, "Write the outputs"),
    verb!(run, "Replace this process by a command with the secrets in its environment"),
    verb!(rotate, "Replace values: what is due, or by name; plan, status, resume, abort, rollback"),
    verb!(sync, "AWS Secrets Manager: compare, push, pull"),
    verb!(cert, "Certificates: issue or import, look at, verify, renew, revoke"),
    verb!(trust, "Let this manifest's absolute paths and AWS roles take effect"),
    verb!(store, "The sealed store"),
    verb!(recipients, "Who can open the store"),
    verb!(token, "Signed tokens: mint, revoke, list, verify, look into, publish their keys"),
    verb!(apikey, "Keys that are issued to others: issue, judge, take back"),
    verb!(audit, "The record of who did what: show, verify"),
    verb!(scan, "Look for our values, and for other credentials, where they do not belong; exit 1 when there are any"),
    verb!(hooks, "Git's hooks: `scan` and `check` before each commit and push"),
    verb!(incident, "A value leaked: replace it now, ban it, and tell what is left to do"),
    verb!(schedule, "Have `rotate --due` run again and again, by systemd or cron"),
    verb!(iam, "What AWS must allow"),
    verb!(schema, "Print a JSON Schema"),
    verb!(completions, "Print a shell's completions"),
    verb!(man, "Print a manual page, or write all of them into a directory"),
];

/// The command line with the verbs that are `wanted`.
fn command_line(wanted: impl Fn(&str) -> bool) -> clap::Command {
    let verbs = VERBS.iter().filter(|verb| wanted(verb.name));
    verbs.fold(Cli::command(), |line, verb| {
        line.subcommand((verb.augment)(clap::Command::new(verb.name)).about(verb.about))
    })
}

/// Parses and runs one command line.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let (global, job) = match parse(&arguments) {
        Ok(parsed) => parsed,
        Err(error) => return refuse(&error, arguments.iter().any(|it| it == "--json")),
    };
    let context = Context::new(global);
    match job(&context) {
        Ok(exit) => exit,
        Err(error) => {
            let error = Paste::new(&context).error(error);
            context.ui.error(&error);
            run::exit_of(&error)
        }
    }
}

/// Describing every command to clap takes longer than most commands take. One that is not named cannot be meant, so only
/// help, suggestions and errors need them all.
fn parse(arguments: &[OsString]) -> Result<(Global, Job), clap::Error> {
    let named = matches(command_line(|verb| arguments.iter().any(|it| it == verb)), arguments);
    let matches = match named {
        Err(error) if error.kind() != ErrorKind::DisplayVersion => matches(command_line(|_| true), arguments)?,
        named => named?,
    };
    let verb = matches.subcommand().and_then(|(name, rest)| Some((VERBS.iter().find(|it| it.name == name)?, rest)));
    let (verb, rest) = verb.ok_or_else(|| clap::Error::new(ErrorKind::MissingSubcommand))?;
    Ok((Cli::from_arg_matches(&matches)?.global, (verb.parse)(rest)?))
}

/// Matches arguments against a description, which is not dropped: taking it apart would take as long as making it, and
/// what clap knows of our arguments is no secret.
fn matches(line: clap::Command, arguments: &[OsString]) -> Result<ArgMatches, clap::Error> {
    ManuallyDrop::new(line).try_get_matches_from_mut(arguments)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Global, clap::Error> {
        let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        parse(&arguments).map(|(global, _)| global)
    }

    #[test]
    fn every_command_is_described_soundly() {
        command_line(|_| true).debug_assert();
    }

    #[test]
    fn a_value_that_is_called_like_a_command_is_a_value() {
        assert_eq!(parsed("vault-kit -e check get set").unwrap().env.as_deref(), Some("check"));
        assert_eq!(parsed("vault-kit run -- get nothing").unwrap().env, None);
        assert_eq!(parsed("vault-kit -e check").unwrap_err().kind(), ErrorKind::MissingSubcommand);
    }

    #[test]
    fn help_and_suggestions_know_the_commands_that_are_not_named() {
        for line in ["vault-kit chek", "vault-kit --help", "vault-kit help check --yes", "vault-kit check --nope"] {
            let wanted = command_line(|_| true).try_get_matches_from(line.split(' ')).unwrap_err();
            assert_eq!(parsed(line).unwrap_err().to_string(), wanted.to_string());
        }
        assert!(parsed("vault-kit chek").unwrap_err().to_string().contains("'check'"));
    }
}
