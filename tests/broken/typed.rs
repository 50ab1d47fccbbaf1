//! Credentials that somebody typed into a Compose file: each is told at its line, and nothing else is.

use std::collections::BTreeSet;
use std::process::Command;

use crate::support::{Project, Run, owner};

const MANIFEST: &str = r#"
[project]
name = "shop"
compose = ["compose.yml"]

[secrets.DB_PASSWORD]
kind = "password"
[secrets.PORT]
kind = "setting"
value = "6379"

[outputs.env]
format = "dotenv"
path = ".env"
secrets = ["DB_PASSWORD", "PORT"]

[deployment]
outside = ["DB_PASSWORD", "PORT"]
"#;

/// What is to be told ends with `# !`.
const COMPOSE: &str = r#"
services:
  arguments:
    image: redis
    entrypoint: /entry --user app --password "hunter2"  # !
    command: redis-server --requirepass hunter2 --appendonly yes  # !
    healthcheck: { test: redis-cli -a hunter2 ping }  # !
  lists:
    image: a
    entrypoint: [app, --api-key=hunter2]  # !
    command:
      - --verbose
      - --db-password
      - hunter2  # !
    healthcheck:
      test: [CMD, curl, -f, "http://app:hunter2@localhost/health"]  # !
  scripts:
    image: a
    entrypoint: ["sh", "-c", "export PGPASSWORD=hunter2 && exec app"]  # !
    command: sh -c "exec redis-server --port ${PORT} --masterauth=hunter2"  # !
    healthcheck: { test: [CMD-SHELL, "mysqladmin ping -u root -phunter2 || exit 1"] }  # !
  headers:
    image: a
    command: ["curl", "-H", "Authorization: Bearer hunter2hunter2", "-u", "app:"]  # !
    entrypoint: [curl, -u, "app:hunter2", "http://a"]  # !
    healthcheck: { test: [CMD, mongosh, --username, root, -p, hunter2, --eval, ping] }  # !
  programs:
    image: a
    command: consul agent -server -encrypt hunter2  # !
    entrypoint: [sh, -c, "mc alias set a http://minio:9000 app hunter2 && exec app"]  # !
    healthcheck: { test: [CMD-SHELL, "cypher-shell -u neo4j -p hunter2 'RETURN 1'"] }  # !
  quiet:
    image: a
    command: redis-server --requirepass "$$DB_PASSWORD" --appendonly yes --tls-key redis.key --maxmemory 1gb
    entrypoint: [app, --password-file, /run/secrets/x, --token-ttl, "3600", --no-password, app, -p, "8080", --secret, "id=x,src=y"]
    healthcheck: { test: [CMD-SHELL, "mkdir -p data && redis-cli -a ${UNKNOWN} ping && psql --password app && mysql -p\"$$X\" db && pg_isready -U app -p 5432"] }
  values:
    image: a
    environment:
      DATABASE: postgresql+asyncpg://app:hunter2@db/app  # !
      SETTINGS: '{"db": {"user": "app", "password": "hunter2"}}'  # !
      DSN: host=db user=app password=hunter2  # !
      THING: glpat-7Jt9QfYkP3mVbX2nRzLh  # !
      BLOB: eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U  # !
      NEXT_PUBLIC_ANON: eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U
      GIT_COMMIT: 6f1ed002ab5595859014ebf0951522d9aabbccdd
      URL: https://app:${UNKNOWN}@host/x
      OTHER: 'host=db password=${UNKNOWN} dbname=x'
      JSON: '{"user": "app", "password": "${UNKNOWN}", "token": ""}'
      OPTIONS: --max-old-space-size=512 --token-file=/run/secrets/token
    logging:
      driver: splunk
      options:
        splunk-url: https://splunk.example.com
        splunk-token: 7Jt9QfYk  # !
        tag: app
  others:
    image: a
    logging: { driver: loki, options: { loki-url: "https://app:${UNKNOWN}@loki/push", splunk-token: "${UNKNOWN}" } }
    configs: [redis, fine]
  header:
    image: a
    command: ["fetch", "--header=Authorization: Bearer hunter2hunter2"]  # !
    entrypoint: ["fetch", "--http-header=X-Vault-Token: hunter2"]  # !
    healthcheck: { test: [CMD, curl, "-HPRIVATE-TOKEN: hunter2", "http://a"] }  # !
  fine-header:
    image: a
    command: ["fetch", "--header=Authorization: Bearer $$TOKEN", "--header=X-Token: ${UNKNOWN}"]
    entrypoint: ["fetch", "--forward-header=X-Auth-Token", "--header=Accept: text/html", "--auth=oidc"]
  hooks:
    image: a
    post_start:
      - command: ["app", "login", "--password", "hunter2"]  # !
        environment:
          HOOK_TOKEN: hunter2  # !
      - command: sh -c "app login $$HOOK_TOKEN"
        environment: [HOOK_TOKEN, MODE=fast]
    pre_stop:
      - command: curl -u app:hunter2 http://localhost/drain  # !
        environment: ["DRAIN_SECRET=hunter2"]  # !
    develop:
      watch:
        - path: ./src
          action: sync+exec
          target: /app
          exec:
            command: app reload --token=hunter2  # !
            environment: { RELOAD_KEY: hunter2 }  # !
        - { path: ./doc, action: sync, target: /doc }
    annotations:
      com.example.api-key: hunter2  # !
      com.example.token-ttl: "60"
  provided:
    provider:
      type: cloud
      options:
        region: eu
        api-token: hunter2  # !
        urls: ["https://a", "https://app:hunter2@b"]  # !
  names:
    image: a
    environment:
      BASIC_AUTH: bob:hunter2  # !
      PASSWORD_SALT: hunter2  # !
      AUTH: 9fK2mQ7xLp4Vz8Nd  # !
      KEY: 9fK2mQ7xLp4Vz8Nd  # !
      OTHER_AUTH: oidc
      REDIS_KEY: app:sessions
      CONSUL_KEY: config/app
      CACHE: ${CACHE_KEY:-app:sessions}
      SESSIONS: ${REDIS_KEY:-app:sessions}
    labels:
      traefik.http.middlewares.a.headers.customrequestheaders.X-Token: ""
      traefik.http.middlewares.b.headers.customrequestheaders.X-Api-Key: X-Token
      traefik.http.middlewares.c.headers.customrequestheaders.X-Token: "true"
      traefik.http.middlewares.d.headers.customrequestheaders.X-Token: hunter2  # !
configs:
  redis:
    content: |
      port 6379
      # requirepass none
      requirepass hunter2  # !
  api:
    content: '{"apiKey": "hunter2"}'  # !
  blank:
    content: |-  # it begins with lines that are empty

      # and with a comment

      user app
      requirepass hunter2  # !
  behind:
    content:
      |
      port 6379
      requirepass hunter2  # !
  folded:
    content: >  # !
      port: 6379

      requirepass: hunter2

      user: app
  escaped:
    content: "port 6379\nrequirepass hunter2\nuser app"  # !
  fine:
    content: |
      # password: hunter2
      password_file: /run/secrets/x
      password: ${UNKNOWN}
      token: "$$TOKEN"
      secret: {{ env "SECRET" }}
      password = get_password()
      user: app
volumes:
  share:
    driver_opts:
      type: cifs
      o: addr=nas,username=app,password=hunter2  # !
  plain:
    driver_opts: { type: nfs, o: "addr=nas,rw" }
"#;

/// The lines of a file that are told with one of these codes.
fn told(project: &Project, file: &str, codes: &[&str]) -> (BTreeSet<usize>, String) {
    let run = Run::of(project.command(["check", "--at", "repo", "--json"]).envs(owner(project))).assert_code(1);
    assert!(!run.both().contains("hunter2") && !run.both().contains("7Jt9QfYk"), "{run:?}");
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap().iter();
    let ours = findings.filter(|it| it["file"] == file && codes.contains(&it["code"].as_str().unwrap()));
    let lines = ours.map(|it| usize::try_from(it["line"].as_u64().unwrap()).unwrap());
    (lines.collect(), run.stdout)
}

#[test]
fn what_is_typed_is_told_where_it_stands() {
    let project = Project::with_manifest(MANIFEST);
    project.write("compose.yml", COMPOSE);
    let marked = (1..).zip(COMPOSE.lines()).filter(|(_, text)| text.ends_with("# !")).map(|(line, _)| line);
    let (lines, report) =
        told(&project, "compose.yml", &["secret-in-arguments", "secret-in-environment", "secret-in-label"]);
    assert_eq!(lines, marked.collect(), "{report}");
}

/// As [`COMPOSE`]. `PORT` is a setting.
const DEFAULTS: &str = r#"
services:
  a:
    image: a
    environment:
      LDAP_BIND: ${DB_PASSWORD:-hunter2}  # !
      LDAP_OTHER: ${DB_PASSWORD-hunter2}  # !
      LDAP_THIRD: ${BIND_PASSWORD:-hunter2}  # !
      LDAP_URL: "ldap://${HOST:-ldap}/${BIND_PASSWORD:-hunter2}"  # !
      LDAP_SET: "${PORT}:${BIND_PASSWORD:-hunter2}"  # !
      LDAP_EMPTY: "cn=app${DB_PASSWORD:-}"
      LDAP_HOST: ${LDAP_HOST:-hunter2}
      LDAP_PORT: ${PORT:-hunter2}
      LDAP_FILE: ${BIND_PASSWORD_FILE:-hunter2}
      LDAP_KEY: ${LDAP_KEY:-/etc/ldap.key}
      LDAP_NEXT: ${DB_PASSWORD_PREVIOUS:-}
      LDAP_NESTED: ${DB_PASSWORD:-${HOST:-ldap}}
      LDAP_BESIDE: postgres://${PORT}:hunter2@${DB_HOST:-db}:${PORT}/app  # !
      LDAP_BROUGHT: postgres://app:${DB_PASSWORD}@db:${PORT}/app?sslmode=require
      LDAP_BOTH: postgres://app:${DB_PASSWORD}@db:${PORT}/app?sslpassword=hunter2  # !
      LDAP_PASSWORD: ${PORT}hunter2  # !
      LDAP_TOKEN: ${PORT}
      LDAP_SECRET: base64:${DB_PASSWORD}${PORT}
      LDAP_JSON: '{"port": "${PORT}", "password": "hunter2"}'  # !
  b:
    image: b
    environment:
      - GF_SECURITY_ADMIN_PASSWORD=${DB_PASSWORD:-hunter2}  # !
      - SMTP_PASSWORD=hunter2  # !
      - MAIL_PASSWORD=${PORT}=hunter2  # !
      - MAIL_TOKEN=$PORT
configs:
  known:
    content: |
      port ${PORT}
      requirepass hunter2  # !
      user ${PORT}
  brought:
    content: |
      port ${PORT}
      requirepass ${DB_PASSWORD}
"#;

#[test]
fn a_default_is_told_by_the_name_of_its_variable_and_mended_in_the_form_that_is_there() {
    let project = Project::with_manifest(MANIFEST);
    project.write("compose.yml", DEFAULTS);
    let marked = (1..).zip(DEFAULTS.lines()).filter(|(_, text)| text.ends_with("# !")).map(|(line, _)| line);
    let (lines, report) = told(&project, "compose.yml", &["secret-in-environment"]);
    assert_eq!(lines, marked.collect(), "{report}");
    for fix in [
        r#"write LDAP_BIND: \"${DB_PASSWORD:?}\"; replace"#,
        r#"write LDAP_THIRD: \"${BIND_PASSWORD:?}\", and declare it"#,
        "write - GF_SECURITY_ADMIN_PASSWORD=${DB_PASSWORD:?}; replace",
        "write - SMTP_PASSWORD=${SMTP_PASSWORD:?}, and declare it",
    ] {
        assert!(report.contains(fix), "{fix}: {report}");
    }
    assert!(!report.contains("DB_PASSWORD_PREVIOUS"), "{report}");
}

/// As [`COMPOSE`].
const ADDRESSES: &str = r#"
include:
  - https://app:hunter2@git.example.com/a/b.git  # !
  - https://git.example.com/a/b.git
  - git@git.example.com:a/b.git
  - oci://registry.example.com/a/b:1
  - path: ["ssh://app:hunter2@git.example.com/a"]  # !
services:
  a:
    build: https://app:hunter2@git.example.com/a.git#main  # !
  b:
    build:
      context: .
      additional_contexts: { base: "https://app:hunter2@git.example.com/a.git" }  # !
  c:
    build:
      context: git@git.example.com:a/b.git
      additional_contexts:
        - base=https://app:hunter2@git.example.com/a.git  # !
        - fine=https://app:${UNKNOWN}@git.example.com/a.git
        - other=docker-image://a
  d:
    image: a
    extends: { file: "https://app:hunter2@git.example.com/a.yml", service: a }  # !
"#;

#[test]
fn an_address_of_another_host_is_not_read_and_its_password_is_told_where_it_stands() {
    let project = Project::with_manifest(MANIFEST);
    project.write("compose.yml", ADDRESSES);
    let marked = (1..).zip(ADDRESSES.lines()).filter(|(_, text)| text.ends_with("# !")).map(|(line, _)| line);
    let (lines, report) = told(&project, "compose.yml", &["secret-in-environment"]);
    assert_eq!(lines, marked.collect(), "{report}");
    assert!(!report.contains("compose-invalid"), "{report}");
    assert_eq!(report.matches("what is included is not a file of this host").count(), 5, "{report}");
}

/// As [`COMPOSE`].
const DOCKERFILE: &str = r#"FROM a
RUN curl -H "Authorization: Bearer hunter2hunter2" https://a  # !
RUN --mount=type=secret,id=api_token curl -H "Authorization: Bearer $(cat /run/secrets/api_token)" https://a
RUN curl -H "Authorization: Bearer $TOKEN" https://a && pip install --extra-index-url https://app:${TOKEN}@a/simple b
RUN git clone https://app:hunter2@git.example.com/a  # !
RUN npm config set //registry.npmjs.org/:_authToken=hunter2 && npm ci  # !
RUN apt-get install -y openssh-server && echo 'root:hunter2' | chpasswd  # !
RUN printf 'root:%s' "$(cat /run/secrets/root)" | chpasswd && aws configure set region eu-central-1
RUN mysqld & mysql -e "CREATE USER app IDENTIFIED BY 'hunter2'"  # !
RUN rabbitmqctl add_user app hunter2  # !
RUN <<EOF
set -e
psql postgres://app:hunter2@db/app  # !
# psql postgres://app:hunter2@db/app
EOF
ENTRYPOINT exec app --api-key hunter2  # !
HEALTHCHECK --interval=5s CMD redis-cli -a hunter2 ping  # !
ONBUILD ENV API_TOKEN=hunter2  # !
ONBUILD ARG DB_PASSWORD_1=hunter2  # !
ONBUILD LABEL com.example.api-key=hunter2  # !
ONBUILD ENV MODE=fast
ENV PASSWORD_OLD=hunter2  # !
ENV TINI_KEY=595E85A6B1B4779EA4DAAEC70B588DFF0527A9B7
RUN gpg --batch --recv-keys 595E85A6B1B4779EA4DAAEC70B588DFF0527A9B7 && apt-key adv --recv-keys E0C56BD4
COPY <<EOF /etc/app.conf
user = app
password = hunter2  # !
# password = hunter2
token_file = /run/secrets/x
EOF
ADD https://app:hunter2@example.com/a.tar /srv/  # !
ADD https://example.com/a.tar /srv/
COPY id_rsa keys/server.key /srv/  # !
COPY certs/privkey.pem /srv/  # !
COPY deploy/prod.env /srv/  # !
COPY .npmrc ./.aws/ /srv/  # !
COPY .aws/credentials /srv/  # !
COPY id_rsa.pub certs/ca.pem certs/pubkey.pem prod.env.example example.env .env credentials keys.py /srv/
COPY --from=0 /srv/id_rsa /srv/
CMD ["app", "--password-file", "/run/secrets/x", "--token-ttl=60"]
"#;

#[test]
fn what_is_typed_into_a_dockerfile_is_told_where_it_stands() {
    let project = Project::with_manifest(MANIFEST);
    project.write("compose.yml", "services:\n  a: { build: ., environment: { X: \"${DB_PASSWORD}${PORT}\" } }\n");
    project.write("Dockerfile", DOCKERFILE);
    project.write(".dockerignore", ".env\n");
    let marked = (1..).zip(DOCKERFILE.lines()).filter(|(_, text)| text.ends_with("# !")).map(|(line, _)| line);
    let (lines, report) = told(&project, "Dockerfile", &["secret-in-image"]);
    assert_eq!(lines, marked.collect(), "{report}");
    // A list is no list with something behind it.
    project.write("Dockerfile", "FROM a\nCMD [\"app\", \"--password=hunter2\"]\n");
    let (lines, report) = told(&project, "Dockerfile", &["secret-in-image"]);
    assert_eq!(lines, BTreeSet::from([2]), "{report}");
}

#[test]
fn what_is_typed_into_a_dockerfile_within_a_compose_file_is_told_where_it_stands() {
    let inline = r#"services:
  block:
    build:
      context: .
      dockerfile_inline: |

        FROM a
        ENV API_TOKEN=hunter2  # !
  quoted:
    build:
      context: .
      dockerfile_inline: "FROM a\nLABEL x=y\nENV API_TOKEN=hunter2\n"  # !
"#;
    let project = Project::with_manifest(MANIFEST);
    project.write("compose.yml", inline);
    let marked = (1..).zip(inline.lines()).filter(|(_, text)| text.ends_with("# !")).map(|(line, _)| line);
    let (lines, report) = told(&project, "compose.yml", &["secret-in-image"]);
    assert_eq!(lines, marked.collect(), "{report}");
}

pub(crate) fn git(project: &Project, arguments: &[&str]) {
    let mut command = Command::new("git");
    Run::of(command.current_dir(project.root()).env("HOME", project.home()).args(arguments)).assert_code(0);
}

#[test]
fn an_env_file_in_git_holds_no_credential() {
    let project = Project::with_manifest(MANIFEST);
    project.write("compose.yml", "services:\n  a: { image: a, env_file: [app.env, local.env, fine.env] }\n");
    project
        .write("app.env", "# what the application reads\nMODE=dev\nAPI_TOKEN=hunter2\nURL=postgres://a:hunter2@db/a\n");
    project.write("local.env", "API_TOKEN=hunter2\n");
    project.write("fine.env", "API_TOKEN=\nOTHER_TOKEN=$DB_PASSWORD\nTOKEN_FILE=/opt/token\n");
    git(&project, &["init", "--quiet"]);
    git(&project, &["add", "--force", "app.env", "fine.env", "compose.yml"]);
    let (lines, report) = told(&project, "app.env", &["tracked-by-git"]);
    assert_eq!(lines, BTreeSet::from([3]), "{report}");
    assert!(report.contains("`API_TOKEN`, `URL`") && report.contains("git rm --cached -- app.env"), "{report}");
    assert!(!report.contains("local.env") && !report.contains("fine.env"), "{report}");
}
