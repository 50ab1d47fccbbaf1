//! A server that answers what a test tells it to.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

/// A request, as far as tests look at it.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// How many requests came before.
    pub(crate) number: usize,
    /// The operation, such as `ListSecrets`; empty for STS.
    pub(crate) operation: String,
    pub(crate) head: String,
    /// `Null` where it is no JSON.
    pub(crate) body: Value,
    pub(crate) text: String,
}

/// What it gets.
pub(crate) enum Reply {
    /// Status and body.
    Status(u16, String),
    /// Bytes that need not be HTTP.
    Raw(Vec<u8>),
    /// The connection is reset before the request was read.
    Reset,
    /// Nothing for so long, then the end of the connection.
    Hang(Duration),
}

impl Reply {
    pub(crate) fn json(body: &Value) -> Self {
        Self::Status(200, body.to_string())
    }

    /// An error as Secrets Manager gives it.
    pub(crate) fn error(status: u16, code: &str) -> Self {
        Self::Status(status, serde_json::json!({ "__type": code, "message": "s3cr3t-message" }).to_string())
    }
}

/// A server that lives as long as the test.
pub(crate) struct Server {
    pub(crate) endpoint: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    pub(crate) fn new(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (log, answer) = (Arc::clone(&asked), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                std::thread::spawn(move || serve(&stream.unwrap(), &log, &*answer));
            }
        });
        Self { endpoint, asked }
    }

    /// What was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// The operations that were asked for so far, in order.
    pub(crate) fn operations(&self) -> Vec<String> {
        self.asked().into_iter().map(|it| it.operation).collect()
    }
}

fn serve(stream: &TcpStream, log: &Mutex<Vec<Asked>>, answer: &dyn Fn(&Asked) -> Reply) {
    let mut stream = stream;
    while let Some((length, mut asked)) = peek(stream) {
        {
            let mut log = log.lock().unwrap();
            asked.number = log.len();
            log.push(asked.clone());
        }
        let reply = answer(&asked);
        if matches!(reply, Reply::Reset) {
            // What was not read when a connection is closed resets it.
            return;
        }
        stream.read_exact(&mut vec![0; length]).unwrap();
        match reply {
            Reply::Status(status, body) => {
                let head = format!(
                    "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nContent-Type: application/x-amz-json-1.1\r\n\
                     x-aws-ec2-metadata-token-ttl-seconds: 60\r\nx-amzn-RequestId: 00000000-1111-2222-3333-44444444{:04}\r\n\r\n",
                    body.len(),
                    asked.number
                );
                stream.write_all((head + &body).as_bytes()).unwrap();
            }
            Reply::Raw(bytes) => return stream.write_all(&bytes).unwrap(),
            Reply::Hang(time) => return std::thread::sleep(time),
            Reply::Reset => return,
        }
    }
}

/// The next request and its length, left where it is; `None` = there is none.
fn peek(stream: &TcpStream) -> Option<(usize, Asked)> {
    let mut buffer = vec![0; 1 << 18];
    loop {
        let seen = stream.peek(&mut buffer).ok().filter(|&seen| seen > 0)?;
        let text = String::from_utf8_lossy(&buffer[..seen]).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let header = |name: &str| {
                let lines = head.lines().filter_map(|line| line.split_once(": "));
                lines.filter(|(it, _)| it.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned()).next()
            };
            let length: usize = header("content-length").map_or(0, |it| it.parse().unwrap());
            if body.len() >= length {
                let operation = header("x-amz-target").unwrap_or_default().replace("secretsmanager.", "");
                let (head, text) = (head.to_owned(), body[..length].to_owned());
                let body = serde_json::from_str(&text).unwrap_or_default();
                return Some((head.len() + 4 + length, Asked { number: 0, operation, head, body, text }));
            }
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}
