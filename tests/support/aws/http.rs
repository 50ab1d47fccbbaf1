//! HTTP/1.1 as far as the SDKs speak it: requests with a length, and answers in one write.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpStream;
use std::time::{Duration, SystemTime};

/// More than any request to the service can have.
const MOST_BYTES: usize = 1 << 20;

/// A request.
#[derive(Debug, Default)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) error: Option<&'static str>,
    pub(super) body: Vec<u8>,
}

impl Request {
    /// The next request of a connection; `None` when the client left, or does not speak HTTP.
    pub(super) fn read(connection: &mut BufReader<TcpStream>) -> Option<Self> {
        let first = line(connection)?;
        let mut words = first.split(' ');
        let mut request = Self { method: words.next()?.to_owned(), path: words.next()?.to_owned(), ..Self::default() };
        loop {
            let line = line(connection)?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':')?;
            request.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let length: usize = request.header("content-length").unwrap_or("0").parse().ok()?;
        if length > MOST_BYTES {
            return None;
        }
        request.body.resize(length, 0);
        connection.read_exact(&mut request.body).ok()?;
        Some(request)
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    /// The names of the headers that a signature must cover.
    pub(super) fn headers_to_sign(&self) -> impl Iterator<Item = &str> {
        let names = self.headers.iter().map(|(name, _)| name.as_str());
        names.filter(|name| *name == "host" || (name.starts_with("x-amz-") && *name != "x-amz-user-agent"))
    }

    pub(super) fn wants_to_close(&self) -> bool {
        self.header("connection").is_some_and(|it| it.eq_ignore_ascii_case("close"))
    }
}

fn line(connection: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    connection.take(16_384).read_line(&mut line).ok()?;
    line.strip_suffix("\r\n").map(str::to_owned)
}

impl Reply {
    /// Head and body. `request` is the request's number, of which its id is made.
    pub(super) fn bytes(&self, request: usize, behind: Duration) -> Vec<u8> {
        let mut head = String::with_capacity(320 + self.body.len());
        let reason = if self.status == 200 { "OK" } else { "Error" };
        let length = self.body.len();
        let id = format!("fa4e0000-0000-4000-8000-{request:012x}");
        // Writing to a `String` cannot fail.
        let _ = write!(
            head,
            "HTTP/1.1 {} {reason}\r\nDate: {}\r\nContent-Type: {}\r\nContent-Length: {length}\r\n\
             x-amzn-RequestId: {id}\r\n",
            self.status,
            date(behind),
            self.content_type
        );
        if let Some(error) = self.error {
            let _ = write!(head, "x-amzn-ErrorType: {error}\r\n");
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

/// The time as HTTP writes it.
#[expect(clippy::disallowed_methods, reason = "a server has a clock of its own")]
fn date(behind: Duration) -> String {
    let now = chrono::DateTime::<chrono::Utc>::from(SystemTime::now() - behind);
    now.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
