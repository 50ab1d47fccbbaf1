//! What was ordered of a push or a pull: to be done, told, written down as a plan, or done as planned.

use std::path::Path;

use super::super::cert::destination;
use super::super::context::Context;
use super::super::input;
use super::super::session::Session;
use super::exchange::Exchange;
use crate::error::{Error, Kind, Result};
use crate::private_file::{Root, WriteOptions};
use crate::store::files::Opened;
use crate::sync::plan::{Direction, Plan, Planned, Settings, VERSION};

/// An order.
pub struct Order<'a> {
    /// The secrets, by our name or theirs; all of them when none is named.
    pub names: &'a [String],
    /// Whether the side that values are taken from prevails where both changed.
    pub prevails: bool,
    /// Whether nothing is to be done.
    pub dry_run: bool,
    plan: Planning<'a>,
}

enum Planning<'a> {
    None,
    /// What would be done is written to this file.
    Write(PlanFile),
    /// What is done must be this.
    Follow(&'a Plan),
}

/// A file that takes a plan, looked at before AWS is asked anything.
struct PlanFile {
    root: Root,
    name: String,
}

impl<'a> Order<'a> {
    /// What flags and arguments say. Whoever writes a plan does nothing else.
    pub fn of(
        context: &Context,
        names: &'a [String],
        prevails: bool,
        dry_run: bool,
        plan_out: Option<&Path>,
    ) -> Result<Self> {
        let plan = match plan_out {
            Some(path) => Planning::Write(PlanFile::find(context, path)?),
            None => Planning::None,
        };
        Ok(Self { names, prevails, dry_run: dry_run || plan_out.is_some(), plan })
    }

    /// A pull of these.
    pub fn to_pull(names: &'a [String], prevails: bool) -> Self {
        Self { names, prevails, dry_run: false, plan: Planning::None }
    }

    /// What a plan says.
    pub fn by(plan: &'a Plan, dry_run: bool) -> Self {
        Self { names: &plan.names, prevails: plan.prevails, dry_run, plan: Planning::Follow(plan) }
    }

    /// Whether a plan is written or followed: then nothing stands in for AWS.
    pub fn has_plan(&self) -> bool {
        !matches!(self.plan, Planning::None)
    }

    /// Writes the plan, or refuses what differs from it. To be called before anything is done.
    pub fn settle(
        &self,
        direction: Direction,
        session: &Session<'_>,
        exchange: &Exchange<'_>,
        opened: &Opened,
        items: impl FnOnce() -> Vec<Planned>,
    ) -> Result<()> {
        if !self.has_plan() {
            return Ok(());
        }
        let now = Plan {
            schema_version: VERSION,
            project: session.manifest.project.clone(),
            environment: session.environment.clone(),
            store_id: opened.digest.is_some().then_some(opened.store.store_id),
            account: exchange.account()?,
            settings: Settings::of(exchange.declared, &exchange.prefix, exchange.remote.region()),
            direction,
            prevails: self.prevails,
            names: self.names.to_vec(),
            items: items(),
        };
        match &self.plan {
            Planning::None => Ok(()),
            Planning::Write(file) => file.write(&now),
            Planning::Follow(plan) => plan.expect(&now),
        }
    }
}

/// Reads a plan that the user named.
pub fn read(context: &Context, path: &Path) -> Result<Plan> {
    Plan::parse(input::read_for_change(context, path)?.expose(), &path.display().to_string())
}

impl PlanFile {
    fn find(context: &Context, path: &Path) -> Result<Self> {
        let (root, name) = destination::locate(context, path)?;
        root.preflight(&name, &WriteOptions::default())?;
        let shown = path.display().to_string();
        if root.read(&name)?.is_some_and(|bytes| Plan::parse(&bytes, &shown).is_err()) {
            let message = format!("`{shown}` is there already, and is no plan of `sync`");
            return Err(Error::new(Kind::Conflict, "foreign-file", message).hint("name another file for the plan"));
        }
        Ok(Self { root, name })
    }

    fn write(&self, plan: &Plan) -> Result<()> {
        self.root.write(&self.name, plan.to_text()?.as_bytes(), &WriteOptions::default()).map(drop)
    }
}
