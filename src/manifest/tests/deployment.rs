//! The Compose files, and what a deployment demands of them.

use super::Refusal;
use crate::manifest::deployment::{Ports, TlsVersion};
use crate::manifest::parse;
use crate::name::EnvName;

pub(super) const DEPLOYMENT: &[Refusal] = &[
    (
        r#"[project]
name = "p"
compose = ["/srv/compose.yml", "../x.yml", "a.yml", "./a.yml", "", ".git/config"]
[environments.dev]
compose = ["~\n"]
"#,
        &[
            (
                3,
                "`project.compose` names a path that must be relative to the manifest's directory",
                "write the path of a file below the manifest's directory, with `/` and without `..`",
            ),
            (
                3,
                "`project.compose` names a path that leads out of its directory with `..`",
                "write the path of a file below the manifest's directory, with `/` and without `..`",
            ),
            (3, "`project.compose` names a file twice", ""),
            (
                3,
                "`project.compose` names a path that is empty",
                "write the path of a file below the manifest's directory, with `/` and without `..`",
            ),
            (
                3,
                "`project.compose` names a path that leads into `.vault-kit` or `.git`",
                "write the path of a file below the manifest's directory, with `/` and without `..`",
            ),
            (
                5,
                "`environments.dev.compose` names a path that holds a backslash or a control character",
                "write the path of a file below the manifest's directory, with `/` and without `..`",
            ),
        ],
    ),
    (
        r#"[project]
name = "p"
[deployment]
internal = ["data"]
tls_min = "1.1"
"#,
        &[
            (
                3,
                "`deployment` is about Compose files, and `project.compose` names none",
                "add `compose = [\"docker-compose.yml\"]` to `[project]`",
            ),
            (5, "`deployment.tls_min` must be one of `1.2`, `1.3`", "did you mean `1.2`?"),
        ],
    ),
    (
        r#"[project]
name = "p"
[deployment]
tls_min = "1.3"
"#,
        &[(
            4,
            "`deployment.tls_min` without `deployment.nginx` or `deployment.traefik` judges nothing",
            "add `nginx = [\"nginx/nginx.conf\"]` or `traefik = [\"traefik/tls.yml\"]`: the files that it is asked of",
        )],
    ),
    (
        r#"[project]
name = "p"
compose = ["compose.yml"]
[deployment]
traefik = ["../tls.yml"]
forward_auth = { api = ["X-User", "X-User", "X User"] }
open_routes = { web = ["a"] }
"#,
        &[
            (
                5,
                "`deployment.traefik` names a path that leads out of its directory with `..`",
                "write the path of a file below the manifest's directory, with `/` and without `..`",
            ),
            (6, "`deployment.forward_auth` names a header twice", ""),
            (
                6,
                "`deployment.forward_auth` holds something that is not a name",
                "it holds only A–Z a–z 0–9 `_` `.` `-`, as the Compose file has it",
            ),
            (
                7,
                "`deployment.open_routes` names a service that `deployment.forward_auth` does not",
                "name it there too, with the headers that it believes, or take it out: its routes are open to everybody",
            ),
        ],
    ),
    (
        r#"[project]
name = "p"
compose = ["c.yml"]
[deployment]
publik = {}
public = { nginx = ["80", "70-90"], "a b" = ["1"], api = ["http"] }
localhost = { nginx = ["80"] }
internal = ["data", "data", "a/b"]
subnets = { data = "172.20.0.1/24" }
matrix = { api = ["data", "data"] }
no_new_privileges = "yes"
outside = ["ADMIN_TOKN"]
holders = { ADMIN_TOKN = [], ADMIN_TOKEN = ["api", "api", "a b"], ISSUER = [] }
[secrets.ADMIN_TOKEN]
kind = "uuid"
[secrets.ISSUER]
kind = "setting"
value = "x"
"#,
        &[
            (4, "`deployment.public` and `deployment.localhost` both have port 80 of `nginx`", ""),
            (5, "`deployment.publik` is not a field", "did you mean `public`?"),
            (6, "`deployment.public` names a port twice", ""),
            (
                6,
                "`deployment.public` holds something that is not a name",
                "it holds only A–Z a–z 0–9 `_` `.` `-`, as the Compose file has it",
            ),
            (
                6,
                "`deployment.public` holds something that is not a port",
                "write the host's port: `\"443\"`, `\"53/udp\"` or `\"8000-8010\"`",
            ),
            (8, "`deployment.internal` names something twice", ""),
            (
                8,
                "`deployment.internal` holds something that is not a name",
                "it holds only A–Z a–z 0–9 `_` `.` `-`, as the Compose file has it",
            ),
            (
                9,
                "`deployment.subnets` holds something that is not a subnet",
                "write its first address and the length, such as `\"172.20.0.0/24\"`",
            ),
            (10, "`deployment.matrix` names a network twice", ""),
            (11, "`deployment.no_new_privileges` must be `true` or `false`, not text", ""),
            (12, "`deployment.outside` names a secret that is not declared", "did you mean `ADMIN_TOKEN`?"),
            (13, "`deployment.holders` names a secret that is not declared", "did you mean `ADMIN_TOKEN`?"),
            (13, "`deployment.holders` names a service twice", ""),
            (
                13,
                "`deployment.holders` holds something that is not a name",
                "it holds only A–Z a–z 0–9 `_` `.` `-`, as the Compose file has it",
            ),
            (13, "`deployment.holders` names a setting, which everybody may have", ""),
        ],
    ),
];

const GOOD: &str = r#"
[project]
name = "p"
compose = ["./docker/compose.yml", "docker/prod.yml"]

[environments.dev]
[environments.prod]
compose = []

[secrets.ADMIN_TOKEN]
kind = "uuid"

[deployment]
public = { nginx = ["80", "443"] }
localhost = { grafana = ["3000"], dns = ["53/udp"] }
internal = ["data"]
isolated = ["public"]
subnets = { data = "172.20.0.0/24" }
no_new_privileges = true
read_only = ["nginx"]
limits = true
tls_min = "1.3"
nginx = ["nginx/nginx.conf"]
outside = ["ADMIN_TOKEN"]

[deployment.matrix]
nginx = ["public", "app"]
scheduler = []

[deployment.holders]
ADMIN_TOKEN = ["api"]
"#;

#[test]
fn a_deployment_has_its_rules_by_name_and_line() {
    let manifest = parse(GOOD, "m").unwrap();
    let environment = |name: &str| EnvName::new(name).unwrap();
    assert_eq!(manifest.compose_in(&environment("dev")), ["docker/compose.yml", "docker/prod.yml"]);
    assert_eq!(manifest.compose_in(&environment("prod")), [""; 0], "an environment can do without Compose");
    let deployment = manifest.deployment.unwrap();
    assert!(deployment.names_ports && deployment.no_new_privileges && deployment.limits);
    assert_eq!(deployment.public["nginx"].value, ["80", "443"].map(|port| Ports::parse(port).unwrap()));
    assert_eq!((deployment.localhost["dns"].value[0].udp, deployment.localhost["dns"].line), (true, 15));
    assert_eq!(deployment.matrix["nginx"].line, 27);
    assert!(deployment.matrix["scheduler"].value.is_empty());
    let holders = &deployment.holders["ADMIN_TOKEN"];
    assert_eq!((holders.line, holders.value.iter().map(String::as_str).collect()), (31, vec!["api"]));
    assert_eq!(deployment.subnets["data"].value.to_string(), "172.20.0.0/24");
    assert_eq!(
        (deployment.tls_min, deployment.nginx.as_slice()),
        (TlsVersion::Tls13, &["nginx/nginx.conf".to_owned()][..])
    );
    assert_eq!(manifest.warnings, []);
}

#[test]
fn without_a_deployment_nothing_is_promised() {
    let manifest = parse("[project]\nname = \"p\"\n", "m").unwrap();
    assert!(manifest.deployment.is_none() && manifest.compose.is_none());
}
