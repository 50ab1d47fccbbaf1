//! What changed here goes there: sent under a label of our own, and then put in force by compare-and-swap.

use std::collections::BTreeMap;

use super::content;
use super::judge::Verdict;
use super::look::{Field, Item, State};
use super::place::{OWNER_TAG, owner};
use super::problem;
use crate::error::{Error, Kind, Result};
use crate::gather::Gather;
use crate::manifest::model::Aws;
use crate::name::VersionId;
use crate::remote::{Answer, CURRENT, Cause, Content, Creation, Failure, OWN_LABEL, Relabelling, Remote, Sending};
use crate::secret::Secret;
use crate::store::Store;
use crate::store::synced::Base;

/// One remote secret to be written, or whose base has to be noted.
#[derive(Debug)]
pub struct Job {
    /// Its full name.
    pub name: String,
    /// What is done.
    pub action: Action,
    /// The base once it is done, but for the ARN of one that is made.
    pub base: Base,
    /// Whether keys that changed there alone are left as they are: then the old base stays, and a pull finds them.
    pub is_partial: bool,
    /// What is sent; `None` where only the base is noted.
    content: Option<Content>,
    description: Option<String>,
}

/// What is done with a remote secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// It is made.
    Create,
    /// It gets a new version in place of this one, and only of this one.
    Replace(String),
    /// Both sides have the same already.
    Note,
}

/// The jobs that follow from what was found, and what stands against others.
pub fn jobs(items: &[Item<'_>], store: &Store, ours: bool) -> (Vec<Job>, Vec<Error>) {
    let (mut jobs, mut problems) = (Vec::new(), Vec::new());
    for item in items {
        match problem::against_push(item, ours) {
            Some(problem) => problems.push(problem),
            None => match job(item, store, ours) {
                Ok(job) => jobs.extend(job),
                Err(problem) => problems.push(problem),
            },
        }
    }
    (jobs, problems)
}

fn job(item: &Item<'_>, store: &Store, ours: bool) -> Result<Option<Job>> {
    match item.state {
        _ if ours && item.yields_to_ours() => write(item, store).map(Some),
        State::Absent | State::Same | State::Pull => Ok(None),
        State::Advance => Ok(note(item)),
        _ => write(item, store).map(Some),
    }
}

/// A base that both sides have reached without us.
fn note(item: &Item<'_>) -> Option<Job> {
    let arn = item.arn()?;
    let base = item.base_of(arn, item.version?);
    Some(Job {
        name: item.place.name.clone(),
        action: Action::Note,
        base,
        is_partial: false,
        content: None,
        description: None,
    })
}

fn write(item: &Item<'_>, store: &Store) -> Result<Job> {
    let name = &item.place.name;
    let there = item.bundle_there();
    // In a bundle ours was chosen over what conflicts with it, and over nothing else.
    let is_left = |it: &Field<'_>| it.verdict == Verdict::Pull && item.is_bundle();
    let is_kept = |it: &Field<'_>| match it.verdict {
        // What is the same is left as it is written there: a number stays one.
        Verdict::Same => there.is_some(),
        Verdict::Behind => item.state == State::Push,
        _ => is_left(it),
    };
    let sent = item.fields.iter().filter(|it| !is_kept(it));
    let ours: BTreeMap<&str, &Secret> = sent.filter_map(|it| Some((it.key, &it.here.as_ref()?.value))).gather();
    let value = content::merged(item.place, there, &ours)?;
    let (action, arn) = match (item.version, item.arn()) {
        (Some(version), Some(arn)) => (Action::Replace(version.to_owned()), arn.to_owned()),
        _ => (Action::Create, String::new()),
    };
    let version = token(item, store, &arn, &value);
    let base = item.base_of(&arn, &version);
    let description = item.place.description().map(str::to_owned);
    let (name, content) = (name.clone(), Some(Content::of(value)));
    Ok(Job { name, action, base, is_partial: item.fields.iter().any(is_left), content, description })
}

/// The id that the version will have. The same attempt made again has the same, so that a lost answer does no harm.
///
/// A value that is sent as it is keeps the id that it has here: then the `kid` that is made of it is the same everywhere.
fn token(item: &Item<'_>, store: &Store, arn: &str, value: &Secret) -> String {
    let own = match &item.fields[..] {
        [Field { declaration, here: Some(here), .. }] if !item.is_bundle() && !declaration.is_object() => here.version,
        _ => None,
    };
    let derived = || {
        let from = item.version.unwrap_or_default();
        let what = content::fingerprints(store).of(value);
        VersionId::derived(&format!("vault-kit/push/1|{arn}|{}|{from}|{what}", item.place.name))
    };
    own.unwrap_or_else(derived).to_string()
}

/// What became of a job.
#[derive(Debug)]
pub struct Done {
    /// The remote secret's full name.
    pub name: String,
    /// Its base, or why it has none.
    pub result: Result<Base, Error>,
}

/// Does the jobs; each by itself, so that one that fails leaves the others.
pub fn push(remote: &dyn Remote, jobs: Vec<Job>, store: &Store, aws: &Aws) -> Vec<Done> {
    let (notes, writes): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|job| job.action == Action::Note);
    let (creations, replacements): (Vec<_>, Vec<_>) = writes.into_iter().partition(|job| job.action == Action::Create);
    let mut done: Vec<Done> = notes.into_iter().map(|job| Done { name: job.name, result: Ok(job.base) }).collect();
    done.extend(create(remote, creations, store, aws));
    done.extend(replace(remote, replacements));
    done
}

fn create(remote: &dyn Remote, jobs: Vec<Job>, store: &Store, aws: &Aws) -> Vec<Done> {
    let mut tags = aws.tags.clone();
    tags.insert(OWNER_TAG.to_owned(), owner(&store.project, &store.environment));
    let creations: Vec<_> = jobs.iter().filter_map(|job| job.creation(aws, &tags)).collect();
    let answers = remote.create(&creations);
    drop(creations);
    let done = |(job, answer): (Job, Answer<String>)| {
        let result = answer
            .map(|arn| Base { arn, attempt: Some("0".to_owned()), ..job.base })
            .map_err(|failure| refused(&failure, &job.name, None));
        Done { name: job.name, result }
    };
    jobs.into_iter().zip(answers).map(done).collect()
}

fn replace(remote: &dyn Remote, jobs: Vec<Job>) -> Vec<Done> {
    let sendings: Vec<_> = jobs.iter().filter_map(Job::sending).collect();
    let answers = remote.send(&sendings);
    drop(sendings);
    let (mut sent, mut done) = (Vec::new(), Vec::new());
    for (mut job, answer) in jobs.into_iter().zip(answers) {
        // Wiped as soon as it is there.
        job.content = None;
        match answer {
            Ok(()) => sent.push(job),
            Err(failure) => done.push(Done { result: Err(refused(&failure, &job.name, None)), name: job.name }),
        }
    }
    done.extend(put_in_force(remote, sent));
    done
}

fn put_in_force(remote: &dyn Remote, jobs: Vec<Job>) -> Vec<Done> {
    let swaps: Vec<_> = jobs.iter().filter_map(Job::swap).collect();
    let answers = remote.relabel(&swaps);
    drop(swaps);
    let is_lost = |answer: &Answer<()>| answer.as_ref().is_err_and(|failure| failure.cause == Cause::Conflict);
    let lost = jobs.iter().zip(&answers).filter(|(_, answer)| is_lost(answer));
    let withdrawals: Vec<_> = lost.map(|(job, _)| job.withdrawal()).collect();
    // A version that keeps our label does no harm: the next one that is sent takes it.
    drop(remote.relabel(&withdrawals));
    drop(withdrawals);
    let done = |(job, answer): (Job, Answer<()>)| {
        let result = answer.map_err(|failure| refused(&failure, &job.name, job.action.replaces()));
        Done { result: result.map(|()| job.base), name: job.name }
    };
    jobs.into_iter().zip(answers).map(done).collect()
}

impl Job {
    fn creation<'j>(&'j self, aws: &'j Aws, tags: &'j BTreeMap<String, String>) -> Option<Creation<'j>> {
        Some(Creation {
            name: &self.name,
            token: &self.base.version,
            content: self.content.as_ref()?,
            description: self.description.as_deref(),
            kms_key: aws.kms_key.as_deref(),
            tags,
            replicas: &aws.replicas,
        })
    }

    fn sending(&self) -> Option<Sending<'_>> {
        Some(Sending { arn: &self.base.arn, token: &self.base.version, content: self.content.as_ref()? })
    }

    fn swap(&self) -> Option<Relabelling<'_>> {
        let from = Some(self.action.replaces()?);
        Some(Relabelling { arn: &self.base.arn, label: CURRENT, from, to: Some(&self.base.version) })
    }

    fn withdrawal(&self) -> Relabelling<'_> {
        Relabelling { arn: &self.base.arn, label: OWN_LABEL, from: Some(&self.base.version), to: None }
    }
}

impl Action {
    /// The version that must be in force when another one takes its place.
    fn replaces(&self) -> Option<&str> {
        if let Self::Replace(version) = self { Some(version) } else { None }
    }
}

fn refused(failure: &Failure, name: &str, from: Option<&str>) -> Error {
    if failure.cause != Cause::Conflict {
        return failure.about(&format!("`{name}`"));
    }
    let message = match from {
        Some(from) => format!("somebody else changed `{name}` in AWS: version {from} is not in force there any more"),
        None => format!("somebody else made or changed `{name}` in AWS first"),
    };
    Error::new(Kind::Conflict, "remote-conflict", message)
        .hint(format!("see how with `vault-kit sync diff {name}`, then choose"))
}
