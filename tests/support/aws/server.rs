//! Connections, each with a thread of its own, and what becomes of a request on its way.

use std::io::{BufReader, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::Value;

use super::answers::written;
use super::fault::{Answered, Fault};
use super::http::{Reply, Request};
use super::knobs::{Fate, Trouble};
use super::parameters::Parameters;
use super::state::State;
use super::watch::Entry;
use super::{Shared, caller, reads, values, writes};

const SECRETS_MANAGER: &str = "secretsmanager";
const STS: &str = "sts";

/// Carries an operation out and answers in JSON.
#[derive(Clone, Copy)]
enum Operation {
    Read(fn(&mut State, &Parameters) -> Answered<Vec<u8>>),
    Write(fn(&mut State, &Parameters) -> Answered<Value>),
}

use Operation::{Read, Write};

/// What is known to [`SECRETS_MANAGER`], and the parameters of each that are.
const OPERATIONS: [(&str, &[&str], Operation); 14] = [
    ("BatchGetSecretValue", &["SecretIdList", "Filters", "MaxResults", "NextToken"], Read(reads::batch_get)),
    (
        "CreateSecret",
        &[
            "Name",
            "ClientRequestToken",
            "Description",
            "KmsKeyId",
            "SecretBinary",
            "SecretString",
            "Tags",
            "AddReplicaRegions",
        ],
        Write(writes::create),
    ),
    ("DeleteSecret", &["SecretId", "RecoveryWindowInDays", "ForceDeleteWithoutRecovery"], Write(writes::delete)),
    ("DescribeSecret", &["SecretId"], Read(reads::describe)),
    ("GetSecretValue", &["SecretId", "VersionId", "VersionStage"], Read(reads::get)),
    ("ListSecretVersionIds", &["SecretId", "MaxResults", "NextToken", "IncludeDeprecated"], Read(reads::list_versions)),
    (
        "ListSecrets",
        &["IncludePlannedDeletion", "MaxResults", "NextToken", "Filters", "SortOrder", "SortBy"],
        Read(reads::list),
    ),
    (
        "PutSecretValue",
        &["SecretId", "ClientRequestToken", "SecretBinary", "SecretString", "VersionStages"],
        Write(values::put),
    ),
    ("ReplicateSecretToRegions", &["SecretId", "AddReplicaRegions"], Write(writes::replicate)),
    ("RestoreSecret", &["SecretId"], Write(writes::restore)),
    ("TagResource", &["SecretId", "Tags"], Write(writes::tag)),
    ("UntagResource", &["SecretId", "TagKeys"], Write(writes::untag)),
    (
        "UpdateSecret",
        &["SecretId", "ClientRequestToken", "Description", "KmsKeyId", "SecretBinary", "SecretString"],
        Write(values::update),
    ),
    (
        "UpdateSecretVersionStage",
        &["SecretId", "VersionStage", "RemoveFromVersionId", "MoveToVersionId"],
        Write(values::move_label),
    ),
];

/// Takes connections until the server is stopped.
pub(super) fn serve(listener: &TcpListener, shared: &Arc<Shared>) {
    for connection in listener.incoming() {
        if shared.is_stopped.load(Ordering::SeqCst) {
            return;
        }
        let Ok(connection) = connection else { continue };
        let shared = Arc::clone(shared);
        std::thread::spawn(move || talk(connection, &shared));
    }
}

fn talk(mut connection: TcpStream, shared: &Arc<Shared>) {
    let (Ok(()), Ok(reading), Ok(known)) =
        (connection.set_nodelay(true), connection.try_clone(), connection.try_clone())
    else {
        return;
    };
    let number = shared.requests.fetch_add(1, Ordering::SeqCst);
    shared.connections().insert(number, known);
    let mut reading = BufReader::with_capacity(16_384, reading);
    while !shared.is_stopped.load(Ordering::SeqCst) {
        let Some(request) = Request::read(&mut reading) else { break };
        let now = shared.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
        shared.most_in_flight.fetch_max(now, Ordering::SeqCst);
        let (answer, goes_on) = answer(&request, shared);
        shared.in_flight.fetch_sub(1, Ordering::SeqCst);
        // The client may have gone; its next request would tell.
        let is_written = connection.write_all(&answer).is_ok();
        if !goes_on || !is_written || request.wants_to_close() {
            break;
        }
    }
    shared.connections().remove(&number);
    // The handles that still read keep the connection open otherwise.
    let _ = connection.shutdown(Shutdown::Both);
}

/// What is written in answer, and whether the connection goes on.
fn answer(request: &Request, shared: &Arc<Shared>) -> (Vec<u8>, bool) {
    let number = shared.requests.fetch_add(1, Ordering::SeqCst);
    let (service, operation) = addressed(request);
    let Fate { latency, hooks, trouble } = shared.knobs().fate(&operation);
    std::thread::sleep(latency);
    if !hooks.is_empty() {
        let somebody = shared.handle();
        for hook in hooks {
            hook(&somebody);
        }
    }
    let mut entry = Entry { operation, names: Vec::new(), outcome: "ok".to_owned() };
    let (reply, outcome) = match trouble.and_then(|trouble| refusal(trouble, &entry.operation)) {
        Some(fault) => (refused(service, &fault), None),
        None if trouble == Some(Trouble::DropBefore) => {
            "dropped before".clone_into(&mut entry.outcome);
            shared.log().push(entry);
            return (Vec::new(), false);
        }
        None => match trouble.and_then(instead) {
            Some(reply) => (reply, trouble),
            None => (applied(service, request, shared, &mut entry), trouble),
        },
    };
    if let Some(error) = reply.error {
        error.clone_into(&mut entry.outcome);
    }
    if let Some(trouble) = outcome {
        entry.outcome = format!("{} but {trouble:?}", entry.outcome);
    }
    shared.log().push(entry);
    let behind = shared.knobs().behind;
    let bytes = reply.bytes(number, behind);
    match outcome {
        Some(Trouble::Garbage) => {
            let body = b"<html><body>It works!</body></html>".to_vec();
            (Reply { status: 200, content_type: "text/html", error: None, body }.bytes(number, behind), true)
        }
        Some(Trouble::Empty) => {
            (Reply { status: 200, error: None, body: Vec::new(), ..reply }.bytes(number, behind), true)
        }
        Some(Trouble::Truncated) => (bytes[..bytes.len() - reply.body.len().div_ceil(2)].to_vec(), false),
        Some(Trouble::DropAfter) => (Vec::new(), false),
        _ => (bytes, true),
    }
}

/// The service and operation that a request names.
fn addressed(request: &Request) -> (&'static str, String) {
    if let Some(target) = request.header("x-amz-target") {
        return (SECRETS_MANAGER, target.strip_prefix("secretsmanager.").unwrap_or(target).to_owned());
    }
    let body = String::from_utf8_lossy(&request.body);
    let action = body.split('&').find_map(|pair| pair.strip_prefix("Action="));
    action.map_or((SECRETS_MANAGER, String::new()), |action| (STS, action.to_owned()))
}

/// The error of a trouble that keeps the operation from being applied.
fn refusal(trouble: Trouble, operation: &str) -> Option<Fault> {
    match trouble {
        Trouble::Throttling => Some(Fault::throttled()),
        Trouble::Internal => Some(Fault::internal()),
        Trouble::Denied => Some(Fault::denied(operation)),
        Trouble::Code(code) => Some(Fault::new(code, "So it was ordered.")),
        _ => None,
    }
}

/// The answer of somebody who is not AWS.
fn instead(trouble: Trouble) -> Option<Reply> {
    let content_type = "application/x-amz-json-1.1";
    match trouble {
        Trouble::Says(text) => {
            let body = serde_json::json!({ "__type": text, "Message": text, "message": text }).to_string().into_bytes();
            Some(Reply { status: 400, content_type, error: None, body })
        }
        Trouble::Page(text) => Some(Reply { status: 200, content_type, error: None, body: text.as_bytes().to_vec() }),
        _ => None,
    }
}

fn refused(service: &str, fault: &Fault) -> Reply {
    if service == STS {
        return Reply { error: Some(fault.code), ..caller::refusal(fault) };
    }
    Reply {
        status: fault.status,
        content_type: "application/x-amz-json-1.1",
        error: Some(fault.code),
        body: fault.json(),
    }
}

fn applied(service: &'static str, request: &Request, shared: &Shared, entry: &mut Entry) -> Reply {
    let result = if service == STS { identity(request, shared, entry) } else { operated(request, shared, entry) };
    result.unwrap_or_else(|fault| refused(service, &fault))
}

fn identity(request: &Request, shared: &Shared, entry: &Entry) -> Answered<Reply> {
    let state = shared.state();
    caller::access_key(request, STS, &state.region)?;
    if entry.operation != "GetCallerIdentity" {
        return Err(Fault::new("InvalidAction", "Could not find such an operation"));
    }
    Ok(caller::identity(&state.account))
}

fn operated(request: &Request, shared: &Shared, entry: &mut Entry) -> Answered<Reply> {
    let is_json = request.header("content-type") == Some("application/x-amz-json-1.1");
    let is_ours = request.header("x-amz-target").is_some_and(|it| it.starts_with("secretsmanager."));
    let found = OPERATIONS.iter().find(|(name, ..)| *name == entry.operation);
    let (true, true, "POST", "/", Some((name, known, operation))) =
        (is_json, is_ours, request.method.as_str(), request.path.as_str(), found)
    else {
        return Err(Fault::new("UnknownOperationException", "The double knows no such operation"));
    };
    let mut state = shared.state();
    let key = caller::access_key(request, SECRETS_MANAGER, &state.region)?;
    if key.starts_with("DENIED") {
        return Err(Fault::denied(name));
    }
    let parameters = Parameters::read(&request.body, known)?;
    state.bury();
    entry.names = parameters.ids().map(|id| state.name_of(id)).collect();
    state.permit(name, &parameters)?;
    let body = match operation {
        Read(read) => read(&mut state, &parameters)?,
        Write(write) => written(&write(&mut state, &parameters)?),
    };
    drop(state);
    Ok(Reply { status: 200, content_type: "application/x-amz-json-1.1", error: None, body })
}
