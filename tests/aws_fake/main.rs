//! The double of AWS Secrets Manager is as strict as AWS, and speaks so that a real SDK understands it.

#[path = "../support/aws/mod.rs"]
mod aws;
mod client;
mod labels;
mod limits;
mod secrets;
#[path = "../support/mod.rs"]
mod support;
mod troubles;

use serde_json::{Value, json};

use aws::Fake;
use support::{Run, python, python_judge, skip};

#[test]
fn boto3_understands_every_answer_and_error() {
    let has_boto3 = |python| std::process::Command::new(python).args(["-c", "import boto3"]).output();
    if !python().is_some_and(|python| has_boto3(python).unwrap().status.success()) {
        return skip("aws-boto3", "no boto3 in .venv: run tests/setup");
    }
    let fake = Fake::start().account("210987654321");
    let mut judge = python_judge("boto3_round_trip.py").unwrap();
    let run = Run::of(judge.env_clear().envs(fake.environment())).assert_code(0);
    let expected = json!({
        "account": "210987654321",
        "create again": "ResourceExistsException",
        "read empty": "ResourceNotFoundException",
        "put another value": "ResourceExistsException",
        "move from nowhere": "InvalidParameterException",
        "stages": [["AWSCURRENT", "judge"], ["AWSPREVIOUS"]],
        "versions": [[], ["AWSCURRENT"], ["AWSPREVIOUS", "judge"]],
        "batch": ["/judge/binary", "/judge/text"],
        "batch errors": {
            "/judge/empty": "ResourceNotFoundException",
            "/judge/none": "ResourceNotFoundException",
        },
        "tags": [{ "Key": "b", "Value": "" }],
        "replicas": [["eu-central-1", "InSync"]],
        "pages": [["/judge/binary", "/judge/text"], ["/judge/empty"]],
        "days": 7,
        "read deleted": "InvalidRequestException",
        "listed with it": 3,
        "listed without it": 2,
        "describe what is gone": "ResourceNotFoundException",
    });
    assert_eq!(serde_json::from_str::<Value>(&run.stdout).unwrap(), expected);
    assert_eq!(fake.value("/judge/binary"), (0..=255).collect::<Vec<u8>>());
}
