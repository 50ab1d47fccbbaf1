//! AWS Secrets Manager for `remote.py`: the tests' double as a program of its own, which reads orders from stdin.
//!
//! The first line on stdout is the environment that leads a client here; each order is answered by one line of JSON.
//!
//! - `fill PREFIX OWNER COUNT`: makes secrets `PREFIX` + `00000`, `00001` and so on, tagged as ours.
//! - `change PREFIX COUNT`: gives each of them a new value.
//! - `latency MILLISECONDS`: every answer takes so long.
//! - `forget`: forgets the requests that came.
//! - `counts`: what came since, by operation, how many values were handed out, and how many were asked for at once.

#![expect(clippy::print_stdout, reason = "its answers go to stdout")]

#[path = "../tests/support/aws/mod.rs"]
mod aws;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws::Fake;
use serde_json::{Value, json};

/// Length of a value: 32 bytes in base64.
const LENGTH: usize = 43;

fn main() {
    let fake = Fake::start();
    println!("{}", json!(fake.environment().into_iter().collect::<BTreeMap<_, _>>()));
    let mut made = 0;
    for order in std::io::stdin().lines() {
        let order = order.expect("orders are lines of text");
        let words: Vec<&str> = order.split(' ').collect();
        let answer = match words[..] {
            ["fill", prefix, owner, count] => {
                for name in names(prefix, count) {
                    fake.put(&name, value(&mut made));
                    fake.tag(&name, "vault-kit:managed", owner);
                }
                json!({})
            }
            ["change", prefix, count] => {
                for name in names(prefix, count) {
                    fake.put(&name, value(&mut made));
                }
                json!({})
            }
            ["latency", milliseconds] => {
                fake.latency(Duration::from_millis(milliseconds.parse().expect("milliseconds")));
                json!({})
            }
            ["forget"] => {
                fake.forget();
                json!({})
            }
            ["counts"] => counts(&fake),
            _ => panic!("no such order: {order}"),
        };
        println!("{answer}");
    }
}

fn names(prefix: &str, count: &str) -> impl Iterator<Item = String> {
    let count: usize = count.parse().expect("a count");
    (0..count).map(move |number| format!("{prefix}{number:05}"))
}

/// A value that there was not before.
fn value(made: &mut usize) -> String {
    *made += 1;
    format!("{made:x}-{}", "v8Jq0zRk3XyT".repeat(4)).chars().take(LENGTH).collect()
}

fn counts(fake: &Fake) -> Value {
    let log = fake.log();
    let operations: BTreeSet<&str> = log.iter().map(|entry| entry.operation.as_str()).collect();
    let calls: BTreeMap<&str, usize> = operations.into_iter().map(|it| (it, fake.calls(it))).collect();
    let failed = log.iter().filter(|entry| entry.outcome != "ok").count();
    json!({
        "calls": calls,
        "failed": failed,
        "values": fake.values_read(),
        "in_flight": fake.most_in_flight(),
    })
}
