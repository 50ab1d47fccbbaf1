//! A client that knows nothing but HTTP, and a secret to try it on.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::aws::{Fake, REGION};

/// A client that keeps its connection and knows nothing but HTTP.
pub(crate) struct Client {
    pub(crate) connection: BufReader<TcpStream>,
    pub(crate) key: &'static str,
    pub(crate) scope: String,
}

/// An answer as it came: status, head, body.
pub(crate) type Raw = (u16, String, String);

impl Client {
    pub(crate) fn of(fake: &Fake) -> Self {
        let connection = TcpStream::connect(fake.address()).expect("the double listens");
        connection.set_nodelay(true).expect("an option of the socket");
        let scope = format!("20261122/{REGION}/secretsmanager/aws4_request");
        Self { connection: BufReader::new(connection), key: "AKIAIOSFODNN7EXAMPLE", scope }
    }

    pub(crate) fn authorization(&self) -> String {
        format!(
            "Authorization: AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders=host;x-amz-date;x-amz-target, \
             Signature={:064}\r\nX-Amz-Date: 20261122T084200Z\r\n",
            self.key, self.scope, 0
        )
    }

    /// Sends headers and a body; `None` when the connection ends before the answer does.
    pub(crate) fn send(&mut self, headers: &str, body: &str) -> Option<Raw> {
        let length = body.len();
        let request = format!("POST / HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: {length}\r\n\r\n{body}");
        self.connection.get_mut().write_all(request.as_bytes()).ok()?;
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.connection.read_line(&mut head).ok()? == 0 {
                return None;
            }
        }
        let field = |name| head.lines().find_map(|line| line.strip_prefix(name)).expect("a field that must be there");
        let mut body = vec![0; field("Content-Length: ").parse().expect("a length")];
        self.connection.read_exact(&mut body).ok()?;
        let status = head[9..12].parse().expect("a status");
        Some((status, head.clone(), String::from_utf8(body).expect("text")))
    }

    pub(crate) fn ask_raw(&mut self, operation: &str, parameters: &Value) -> Option<Raw> {
        let authorization = self.authorization();
        let target =
            format!("X-Amz-Target: secretsmanager.{operation}\r\nContent-Type: application/x-amz-json-1.1\r\n");
        self.send(&(authorization + &target), &parameters.to_string())
    }

    /// The answer, or the code of the error.
    pub(crate) fn ask(&mut self, operation: &str, parameters: &Value) -> Result<Value, String> {
        let (status, _, body) = self.ask_raw(operation, parameters).ok_or("no answer")?;
        let body: Value = serde_json::from_str(&body).map_err(|_| "no JSON")?;
        if status == 200 { Ok(body) } else { Err(body["__type"].as_str().expect("a code").to_owned()) }
    }

    #[track_caller]
    pub(crate) fn ok(&mut self, operation: &str, parameters: &Value) -> Value {
        self.ask(operation, parameters).unwrap_or_else(|code| panic!("{operation}: {code}"))
    }

    #[track_caller]
    pub(crate) fn refused(&mut self, operation: &str, parameters: &Value) -> String {
        self.ask(operation, parameters).expect_err(operation)
    }

    /// Puts a value under the token that a letter stands for.
    pub(crate) fn put(&mut self, name: &str, letter: char, value: &str, labels: &[&str]) -> Result<Value, String> {
        let mut parameters = json!({ "SecretId": name, "ClientRequestToken": id(letter), "SecretString": value });
        if !labels.is_empty() {
            parameters["VersionStages"] = json!(labels);
        }
        self.ask("PutSecretValue", &parameters)
    }

    pub(crate) fn relabel(&mut self, label: &str, from: Option<char>, to: Option<char>) -> Result<Value, String> {
        let mut parameters = json!({ "SecretId": "s", "VersionStage": label });
        for (key, letter) in [("RemoveFromVersionId", from), ("MoveToVersionId", to)] {
            if let Some(letter) = letter {
                parameters[key] = id(letter).into();
            }
        }
        self.ask("UpdateSecretVersionStage", &parameters)
    }

    pub(crate) fn listed(&mut self, parameters: &Value) -> Vec<String> {
        names(&self.ok("ListSecrets", parameters))
    }
}

pub(crate) fn names(page: &Value) -> Vec<String> {
    let name = |secret: &Value| secret["Name"].as_str().expect("a name").to_owned();
    page["SecretList"].as_array().expect("a list").iter().map(name).collect()
}

/// A version id of 32 characters.
pub(crate) fn id(letter: char) -> String {
    letter.to_string().repeat(32)
}

/// The labels of each version that has some, by the letter of its id.
pub(crate) fn labels(fake: &Fake) -> String {
    let versions = fake.versions("s");
    let told = versions.iter().filter(|(_, labels)| !labels.is_empty());
    told.map(|(id, labels)| format!("{}:{}", &id[..1], labels.join("+"))).collect::<Vec<_>>().join(" ")
}

/// A secret `s` whose version `a` is in force, and a client.
pub(crate) fn with_secret() -> (Fake, Client) {
    let fake = Fake::start();
    let mut client = Client::of(&fake);
    client.ok("CreateSecret", &json!({ "Name": "s", "ClientRequestToken": id('a'), "SecretString": "1" }));
    (fake, client)
}

/// Parameters with more of them.
pub(crate) fn with(parameters: &Value, more: &Value) -> Value {
    let mut all = parameters.clone();
    all.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    all
}
