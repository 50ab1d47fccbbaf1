//! `token verify`: good or not, and why not. Claims are printed of a verified token alone.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::read_token;
use crate::cli::context::Context;
use crate::cli::input::{read_named, read_stdin};
use crate::cli::session::Session;
use crate::error::{Error, Kind, Result};
use crate::exit::Exit;
use crate::gather::Gather;
use crate::manifest::model::Role;
use crate::token::claims::{Claims, role_named};
use crate::token::forward_auth;
use crate::token::jwks;
use crate::token::reason::Reason;
use crate::token::revocation::Revocations;
use crate::token::trusted::Trusted;
use crate::token::verify::{Accepted, Verifier, is_scope};
use crate::ui::{SCHEMA_VERSION, Ui};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Take the keys from this JSON Web Key Set: no project, store or identity is needed
    #[arg(long, value_name = "FILE")]
    jwks: Option<PathBuf>,
    /// Refuse what this list revokes
    #[arg(long, value_name = "FILE")]
    revoked: Option<PathBuf>,
    /// Who minted it (else as the manifest declares); may be repeated
    #[arg(long = "issuer", value_name = "ISSUER")]
    issuers: Vec<String>,
    /// Whom it must be for (else as the manifest declares); may be repeated
    #[arg(long = "audience", value_name = "AUDIENCE")]
    audiences: Vec<String>,
    /// Its role must be this one, or one of several: admin, reader, service, writer
    #[arg(long = "require-role", value_name = "ROLE", value_parser = parse_role)]
    roles: Vec<Role>,
    /// Its scope must have this word; all of them where there are several
    #[arg(long = "require-scope", value_name = "SCOPE", value_parser = parse_scope)]
    scopes: Vec<String>,
    /// Read the headers of a request on stdin, and answer as a proxy's authentication service must
    #[arg(long)]
    forward_auth: bool,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    if [&arguments.jwks, &arguments.revoked].into_iter().flatten().any(|path| path.as_os_str() == "-") {
        return Err(Error::usage("stdin is the token's: give keys and revocations as files"));
    }
    let list = arguments.revoked.as_ref().map(|path| {
        let text = read_named(context, path)?;
        Revocations::parse(text.expose(), &path.display().to_string())
    });
    let list = list.transpose()?;
    let Trusted { keys, accepted, mut revocations } = trusted(context, arguments)?;
    revocations.extend(list.unwrap_or_default());
    let verifier = Verifier {
        by_key: accepted,
        otherwise: arguments.accepted(Accepted::default()),
        roles: arguments.roles.clone(),
        scopes: arguments.scopes.clone(),
        revocations: Some(&revocations),
        ..Verifier::new(&keys)
    };
    if arguments.forward_auth {
        return answer_proxy(context, &verifier);
    }
    let token = read_token(context)?;
    let text = token.expose_text().ok_or(Reason::Malformed);
    match text.and_then(|text| verifier.verify(text, context.now)) {
        Ok(claims) => accept(context, &claims),
        Err(reason) => refuse(context.ui, reason),
    }
}

impl Arguments {
    /// What flags say, and where they say nothing, what is declared.
    fn accepted(&self, declared: Accepted) -> Accepted {
        let or = |flags: &[String], declared| if flags.is_empty() { declared } else { flags.to_vec() };
        Accepted { issuers: or(&self.issuers, declared.issuers), audiences: or(&self.audiences, declared.audiences) }
    }
}

fn trusted(context: &Context, arguments: &Arguments) -> Result<Trusted> {
    let Some(path) = &arguments.jwks else {
        let mut trusted = super::trusted(&Session::open(context)?)?;
        for accepted in trusted.accepted.values_mut() {
            *accepted = arguments.accepted(std::mem::take(accepted));
        }
        return Ok(trusted);
    };
    if arguments.issuers.is_empty() || arguments.audiences.is_empty() {
        return Err(Error::usage("keys of a file say neither whose tokens they sign nor for whom")
            .hint("add `--issuer ISSUER --audience AUDIENCE`"));
    }
    let text = read_named(context, path)?;
    let keys = jwks::parse(text.expose(), &path.display().to_string())?;
    Ok(Trusted { keys, ..Trusted::default() })
}

fn accept(context: &Context, claims: &Claims) -> Result<Exit> {
    if context.ui.json {
        context.ui.object(&json!({ "schema_version": SCHEMA_VERSION, "valid": true, "claims": claims }))?;
    } else {
        context.ui.object(claims)?;
    }
    Ok(Exit::DONE)
}

fn refuse(ui: Ui, reason: Reason) -> Result<Exit> {
    let error =
        Error::new(Kind::Findings, "token-refused", format!("the token is refused: {}: {reason}", reason.code()));
    let error = match reason.hint() {
        Some(hint) => error.hint(hint),
        None => error,
    };
    Ui { json: false, ..ui }.error(&error);
    if ui.json {
        let errors = json!([{ "code": error.code(), "message": error.to_string(), "fix": error.hints() }]);
        let answer = json!({
            "schema_version": SCHEMA_VERSION, "valid": false, "reason": reason.code(), "errors": errors,
        });
        ui.object(&answer)?;
    }
    Ok(Kind::Findings.into())
}

fn answer_proxy(context: &Context, verifier: &Verifier<'_>) -> Result<Exit> {
    let answer = forward_auth::answer(read_stdin()?.expose(), verifier, context.now);
    if context.ui.json {
        let headers: serde_json::Map<_, _> =
            answer.headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_str().into())).gather();
        let reason = answer.refusal.map(forward_auth::Refusal::code);
        context.ui.object(&json!({
            "schema_version": SCHEMA_VERSION, "status": answer.status, "headers": headers, "reason": reason,
        }))?;
    } else {
        context.ui.print(&answer.to_text())?;
    }
    let Some(refusal) = answer.refusal else { return Ok(Exit::DONE) };
    context.ui.say(&format!("vault-kit: the request is refused: {}: {refusal}", refusal.code()));
    Ok(Kind::Findings.into())
}

pub fn parse_role(text: &str) -> Result<Role, &'static str> {
    role_named(text).ok_or("roles are admin, reader, service and writer")
}

pub fn parse_scope(text: &str) -> Result<String, &'static str> {
    if is_scope(text) { Ok(text.to_owned()) } else { Err("a scope is one word of visible ASCII") }
}
