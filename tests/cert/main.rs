//! `cert`: what it says of certificates, beside what OpenSSL and pkilint say of the same ones.
#![expect(clippy::unwrap_used, reason = "in the helpers of tests too, a failure is the test's")]

#[path = "../support/mod.rs"]
mod support;

#[path = "../../src/x509/sample.rs"]
mod sample;

mod import;
mod inspect;
mod lint;
mod needs_renewal;
mod verify;

use std::process::Command;

use support::program;

/// Now, in seconds since 1970: openssl, unlike the library, cannot be told another time for everything.
#[expect(clippy::disallowed_methods, reason = "judges go by the clock on the wall")]
fn now() -> i64 {
    chrono::Utc::now().timestamp()
}

fn openssl() -> Command {
    Command::new(program("openssl").expect("openssl is installed: run tests/setup"))
}

/// The codes of the findings in an answer.
fn codes(answer: &str) -> Vec<String> {
    let answer: serde_json::Value = serde_json::from_str(answer).unwrap_or_else(|error| panic!("{error}: {answer}"));
    let findings = answer["findings"].as_array().unwrap_or_else(|| panic!("no findings: {answer}"));
    findings.iter().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
}
