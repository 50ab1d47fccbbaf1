//! `schema`: the JSON Schemas that are built in.

use clap::{Args, ValueEnum};

use super::context::Context;
use crate::error::Result;
use crate::exit::Exit;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Of what: api-keys, audit-record, check-report, fingerprints, hook-input, ledger, manifest, revocations, scan-report or sync-plan
    #[arg(value_enum, hide_possible_values = true)]
    name: Name,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Name {
    /// The hashes of issued API keys
    ApiKeys,
    /// The lines of the audit record
    AuditRecord,
    /// The report of `check --json`
    CheckReport,
    /// The fingerprints of generated values
    Fingerprints,
    /// What a rotation hook reads
    HookInput,
    /// The lines of the ledger
    Ledger,
    /// vault-kit.toml
    Manifest,
    /// The list of revoked tokens
    Revocations,
    /// The report of `scan --json`
    ScanReport,
    /// What a push or pull is going to do
    SyncPlan,
}

pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit> {
    context.ui.print(match arguments.name {
        Name::ApiKeys => include_str!("../../schemas/api-keys.schema.json"),
        Name::AuditRecord => include_str!("../../schemas/audit-record.schema.json"),
        Name::CheckReport => include_str!("../../schemas/check-report.schema.json"),
        Name::Fingerprints => include_str!("../../schemas/fingerprints.schema.json"),
        Name::HookInput => crate::hook::SCHEMA,
        Name::Ledger => include_str!("../../schemas/ledger.schema.json"),
        Name::Manifest => include_str!("../../schemas/manifest.schema.json"),
        Name::Revocations => include_str!("../../schemas/revocations.schema.json"),
        Name::ScanReport => include_str!("../../schemas/scan-report.schema.json"),
        Name::SyncPlan => include_str!("../../schemas/sync-plan.schema.json"),
    })?;
    Ok(Exit::DONE)
}
