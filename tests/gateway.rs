//! The gateway of the example omni2: a real nginx asks its auth service, which asks vault-kit; a backend tells what arrived.
#![expect(clippy::unwrap_used, reason = "in the helpers of tests too, a failure is the test's")]

mod support;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use support::{Project, Run, Server, Shared, program, skip, with_socket};

/// The system, started on the loopback address.
struct Gateway {
    // Before the project: nginx and Python end before their files vanish.
    _nginx: Server,
    _auth: Server,
    project: Project,
    curl: PathBuf,
    port: u16,
}

/// What a client got, and what the backend did.
struct Answer {
    status: u16,
    /// The headers of the answer, and of the backend's request where there was one.
    text: String,
}

fn gateway() -> Option<Arc<Gateway>> {
    static GATEWAY: Shared<Gateway> = Shared::new();
    let (Some(nginx), Some(curl), Some(python)) = (program("nginx"), program("curl"), program("python3")) else {
        skip("gateway", "no nginx, curl or python3: run tests/setup");
        return None;
    };
    Some(GATEWAY.get(|| Gateway::start(&nginx, curl, &python)))
}

impl Gateway {
    fn start(nginx: &Path, curl: PathBuf, python: &Path) -> Self {
        let project = Project::preset("omni2");
        let (auth, auth_port) = auth_service(python, &project);
        let mut command = Command::new(nginx);
        let port = with_socket(&mut command);
        project.write("nginx/test.conf", configuration(&project, port, auth_port, backend()));
        command.arg("-p").arg(project.path("nginx")).args(["-c", "test.conf", "-e", "log"]);
        let nginx = Server(command.spawn().unwrap());
        Self { _nginx: nginx, _auth: auth, project, curl, port }
    }

    fn mint(&self, role: &str) -> String {
        let subject = format!("user:{role}");
        let run = self.project.run(["token", "mint", "--role", role, "--subject", &subject, "--revocable"]);
        run.assert_code(0).stdout.trim_end().to_owned()
    }

    /// Asks for a path with these headers.
    fn get(&self, path: &str, headers: &[&str]) -> Answer {
        let mut command = Command::new(&self.curl);
        command.args(["-q", "--silent", "--show-error", "--include", "--noproxy", "*", "--max-time", "60"]);
        command.arg("--cacert").arg(self.project.path("traefik/tls/cert.pem"));
        for header in headers {
            command.args(["-H", header]);
        }
        let run = Run::of(command.arg(format!("https://127.0.0.1:{}{path}", self.port))).assert_code(0);
        let status = run.stdout.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, text: run.stdout }
    }
}

impl Answer {
    /// What the backend was told in a header; nothing where it had none.
    fn backend(&self, name: &str) -> Option<&str> {
        let prefix = format!("backend {}: ", name.to_lowercase());
        self.text.lines().find_map(|line| line.strip_prefix(&prefix))
    }

    fn reached_the_backend(&self) -> bool {
        self.text.contains("backend get ")
    }
}

/// The example's service on a free port.
fn auth_service(python: &Path, project: &Project) -> (Server, u16) {
    let mut command = Command::new(python);
    command.args(["-I", "-u"]).arg(project.path("auth/auth_service.py")).env_clear();
    command.env("VAULT_KIT", env!("CARGO_BIN_EXE_vault-kit")).env("LISTEN", "127.0.0.1").env("PORT", "0");
    command.env("JWKS_FILE", project.path("public/jwks.json")).env("REVOKED_FILE", project.path("public/revoked.json"));
    command.env("AUTH_ISSUER", "omni2").env("AUTH_AUDIENCE", "omni2");
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (Server(child), line.trim_end().strip_prefix("listening on ").unwrap().parse().unwrap())
}

/// Answers every request with its own lines, in lower case; ends with the test.
fn backend() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || listener.incoming().flatten().for_each(|stream| drop(tell(stream))));
    port
}

fn tell(mut stream: TcpStream) -> std::io::Result<()> {
    let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
    while !request.windows(4).any(|it| it == b"\r\n\r\n") {
        let count = stream.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        request.extend_from_slice(&buffer[..count]);
    }
    let lines = String::from_utf8_lossy(&request).to_lowercase();
    let body: String = lines.lines().flat_map(|line| ["backend ", line, "\n"]).collect();
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

/// The example's configuration, with addresses and paths of this machine.
fn configuration(project: &Project, port: u16, auth: u16, backend: u16) -> String {
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temporary = temporary.map(|name| format!("{name}_temp_path {name};")).concat();
    let mut text = project.read("nginx/nginx.conf");
    for (from, to) in [
        ("worker_processes auto;", "daemon off; worker_processes 1;"),
        ("pid /run/nginx.pid;", "pid pid;"),
        ("server_tokens off;", &format!("access_log off; {temporary}")),
        ("listen 8443 ssl;", &format!("listen 127.0.0.1:{port} ssl;")),
        ("/etc/omni2/tls/", &format!("{}/", project.path("traefik/tls").display())),
        ("auth-service:9000", &format!("127.0.0.1:{auth}")),
        ("omni2-bridge:8000", &format!("127.0.0.1:{backend}")),
    ] {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    text
}

#[test]
fn a_good_token_gets_through_with_the_identity_that_it_proves() {
    let Some(gateway) = gateway() else { return };
    let authorization = format!("Authorization: Bearer {}", gateway.mint("reader"));
    for path in ["/api/v1/tools", "/ws/mcp-status"] {
        let answer = gateway.get(path, &[&authorization]);
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.backend("X-User-Id"), Some("user:reader"));
        assert_eq!(answer.backend("X-User-Role"), Some("reader"));
        assert_eq!(answer.backend("X-User-Scope"), None);
        assert_eq!(answer.backend("Authorization"), None, "the backend needs no token");
    }
}

#[test]
fn without_a_good_token_nobody_gets_to_the_backend() {
    let Some(gateway) = gateway() else { return };
    let token = gateway.mint("writer");
    let mut forged = token.clone();
    let last = forged.pop().unwrap();
    forged.push(if last == 'A' { 'Q' } else { 'A' });
    let none = "{\"alg\":\"none\"}";
    let none = data_encoding::BASE64URL_NOPAD.encode(none.as_bytes());
    let cases = [
        Vec::new(),
        vec!["Authorization: Basic YTpi".to_owned()],
        vec!["Authorization: Bearer x".to_owned()],
        vec![format!("Authorization: Bearer {forged}")],
        vec![format!("Authorization: Bearer {none}.{}.", token.split('.').nth(1).unwrap())],
        vec![format!("Authorization: Bearer {token} {token}")],
    ];
    for headers in cases {
        let headers: Vec<&str> = headers.iter().map(String::as_str).chain(["X-User-Role: admin"]).collect();
        let answer = gateway.get("/api/v1/tools", &headers);
        assert_eq!(answer.status, 401, "{headers:?}: {}", answer.text);
        assert!(answer.text.contains("WWW-Authenticate: Bearer realm=\"vault-kit\""), "{}", answer.text);
        assert!(!answer.reached_the_backend(), "{headers:?}");
    }
}

#[test]
fn a_role_that_is_not_enough_is_forbidden() {
    let Some(gateway) = gateway() else { return };
    for (role, status) in [("reader", 403), ("writer", 403), ("service", 403), ("admin", 200)] {
        let authorization = format!("Authorization: Bearer {}", gateway.mint(role));
        for path in ["/api/v1/admin/flush", "/api/v1/x/../admin/flush", "/api/v1//admin/flush", "/api/v1/%61dmin/flush"]
        {
            let answer = gateway.get(path, &[&authorization, "X-User-Role: admin"]);
            assert_eq!((answer.status, answer.reached_the_backend()), (status, status == 200), "{role} {path}");
        }
    }
}

#[test]
fn a_forged_header_never_gets_through_nor_its_other_spellings() {
    let Some(gateway) = gateway() else { return };
    let authorization = format!("Authorization: Bearer {}", gateway.mint("reader"));
    for name in ["X-User-Role", "x-user-role", "X_User_Role", "X-User_Role", "X.User.Role", "X-User-Id", "X_User_Id"] {
        let forged = format!("{name}: admin");
        for (path, headers) in [("/api/v1/tools", &[&authorization, &forged][..]), ("/health", &[&forged])] {
            let headers: Vec<&str> = headers.iter().map(|it| it.as_str()).collect();
            let answer = gateway.get(path, &headers);
            assert_eq!(answer.status, 200, "{path} {name}: {}", answer.text);
            assert!(answer.reached_the_backend() && !answer.text.contains("admin"), "{path} {name}: {}", answer.text);
            let role = (path != "/health").then_some("reader");
            assert_eq!(answer.backend("X-User-Role"), role, "{path} {name}");
        }
    }
}

#[test]
fn a_revoked_token_is_refused_from_the_next_request_on() {
    let Some(gateway) = gateway() else { return };
    let token = gateway.mint("service");
    let authorization = format!("Authorization: Bearer {token}");
    assert_eq!(gateway.get("/api/v1/tools", &[&authorization]).status, 200);
    gateway.project.run_with_stdin(["token", "revoke", "--token", "-"], token.as_bytes()).assert_code(0);
    let answer = gateway.get("/api/v1/tools", &[&authorization]);
    assert!(answer.status == 401 && answer.text.contains("error_description=\"revoked\""), "{}", answer.text);
}

#[test]
fn what_is_no_route_does_not_reach_the_backend() {
    let Some(gateway) = gateway() else { return };
    let authorization = format!("Authorization: Bearer {}", gateway.mint("admin"));
    for path in ["/", "/metrics", "/healthz", "/_verify", "/_verify_admin", "/api/v2"] {
        let answer = gateway.get(path, &[&authorization]);
        assert!(answer.status == 404 && !answer.reached_the_backend(), "{path}: {}", answer.text);
    }
}
