//! Traefik: who is asked before a request goes to a service that trusts its headers, and which TLS is spoken.

use crate::support::{Project, Run, owner};
use crate::{append, broken, edit};

broken! {
    a_route_whose_middleware_is_taken_away: "omni2", |project| {
        edit(project, "docker-compose.yml", "      - traefik.http.routers.api.middlewares=auth\n", "");
    } => "route-unprotected" at "routers.api.rule" in "docker-compose.yml";
    a_web_socket_that_asks_nobody: "omni2", |project| {
        edit(project, "docker-compose.yml", "routers.status.middlewares=auth\n", "routers.status.middlewares=auth-strip\n");
    } => "route-unprotected" at "routers.status.rule" in "docker-compose.yml";
    a_chain_that_asks_no_more: "omni2", |project| {
        edit(project, "docker-compose.yml", "chain.middlewares=auth-strip,auth-ask", "chain.middlewares=auth-strip");
    } => "route-unprotected";
    a_role_that_the_answer_does_not_set: "omni2", |project| {
        edit(project, "docker-compose.yml", "authResponseHeaders=X-User-Id,X-User-Role,", "authResponseHeaders=X-User-Id,");
    } => "header-forgeable" at "authResponseHeaders" in "docker-compose.yml";
    an_answer_that_sets_nothing: "omni2", |project| {
        edit(project, "docker-compose.yml", "      - traefik.http.middlewares.auth-ask.forwardauth.authResponseHeaders=X-User-Id,X-User-Role,X-User-Scope\n", "");
    } => "header-forgeable" at "forwardauth" in "docker-compose.yml";
    an_open_route_that_hands_on_what_clients_say: "omni2", |project| {
        edit(project, "docker-compose.yml", "      - traefik.http.routers.health.middlewares=auth\n", "");
        append_row(project);
    } => "header-forgeable" at "routers.health.rule" in "docker-compose.yml";
    an_open_route_that_goes_before_all_others: "omni2", |project| {
        edit(project, "docker-compose.yml", "routers.health.middlewares=auth\n", "routers.health.middlewares=auth-strip\n");
        edit(project, "docker-compose.yml", "routers.health.rule=Path(`/health`)", "routers.health.rule=PathPrefix(`/`)");
        edit(project, "docker-compose.yml", "routers.health.priority=50", "routers.health.priority=500");
        append_row(project);
    } => "route-unprotected" at "routers.health.rule" in "docker-compose.yml";
    an_open_route_that_was_renamed: "omni2", |project| {
        append_row(project);
        edit(project, "vault-kit.toml", "[\"health\"]", "[\"healthz\"]");
    } => "deployment-unknown" at "healthz" in "vault-kit.toml";
    a_gateway_of_traefik_that_speaks_an_old_tls: "omni2", |project| {
        edit(project, "traefik/tls.yml", "VersionTLS12", "VersionTLS11");
    } => "weak-tls" at "minVersion" in "traefik/tls.yml";
    a_gateway_that_leaves_tls_to_traefik: "omni2", |project| {
        edit(project, "traefik/tls.yml", "  options:\n    default:\n      minVersion: VersionTLS12\n", "");
    } => "weak-tls" at "certFile" in "traefik/tls.yml";
    a_set_of_options_without_a_version: "omni2", |project| {
        edit(project, "traefik/tls.yml", "  options:\n", "  options:\n    partners: { sniStrict: true }\n");
    } => "weak-tls" at "partners" in "traefik/tls.yml";
    a_file_of_the_gateway_that_is_gone: "omni2", |project| {
        std::fs::remove_file(project.path("traefik/tls.yml")).unwrap();
    } => "missing";
}

fn append_row(project: &Project) {
    append(project, "vault-kit.toml", "\n[deployment.open_routes]\nomni2-bridge = [\"health\"]\n");
}

#[test]
fn an_open_route_that_takes_the_headers_away_is_fine() {
    let project = crate::whole("omni2");
    edit(
        &project,
        "docker-compose.yml",
        "routers.health.middlewares=auth\n",
        "routers.health.middlewares=auth-strip\n",
    );
    append_row(&project);
    for place in ["repo", "host"] {
        crate::check(&project, &["--strict", "--at", place]).assert_code(0);
    }
}

const MANIFEST: &str = r#"
[project]
name = "shop"
compose = ["compose.yml"]
[secrets.X]
kind = "setting"
value = "1"
[deployment]
outside = ["X"]
traefik = ["dynamic.yml"]
forward_auth = { api = ["X-User"] }
"#;

const ASK: &str =
    "http: { middlewares: { ask: { forwardAuth: { address: 'http://auth', authResponseHeaders: [x-user] } } } }\n";

/// What is told of a service `api` with these lines, and of a file of Traefik's: codes, and what was not checked.
#[track_caller]
fn assert_told(service: &str, dynamic: &str, expected: &[&str], not_checked: &str) {
    let project = Project::with_manifest(MANIFEST);
    project.write("compose.yml", format!("services:\n  api:\n    image: a\n    {service}\n"));
    project.write("dynamic.yml", dynamic);
    let run = Run::of(project.command(["check", "--at", "repo", "--json"]).envs(owner(&project)));
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"));
    let codes: Vec<&str> =
        report["findings"].as_array().unwrap().iter().map(|it| it["code"].as_str().unwrap()).collect();
    assert_eq!(codes, expected, "{service}: {}", run.stdout);
    let unseen = report["not_checked"].to_string();
    assert!(if not_checked.is_empty() { unseen == "[]" } else { unseen.contains(not_checked) }, "{service}: {unseen}");
}

#[test]
fn routers_and_middlewares_are_those_of_labels_and_files() {
    let label = |text: &str| format!("labels: [\"traefik.http.routers.r.rule=Path(`/`)\", {text}]");
    assert_told(&label("\"traefik.http.routers.r.middlewares=ask@file\""), ASK, &[], "");
    assert_told(&label("\"Traefik.enable=true\""), ASK, &["route-unprotected"], "");
    assert_told(&label("\"traefik.enable=false\""), ASK, &[], "the routes of Traefik to `api`");
    // Of another provider, and of nobody who is read here.
    assert_told(&label("\"traefik.http.routers.r.middlewares=ask\""), ASK, &[], "who is asked");
    assert_told(&label("\"traefik.http.routers.r.middlewares=ask@consul\""), ASK, &[], "who is asked");
    let other = ASK.replace("[x-user]", "[X-Role]");
    assert_told(&label("\"traefik.http.routers.r.middlewares=ask@file\""), &other, &["header-forgeable"], "");
    let pattern = ASK.replace("[x-user]", "[], authResponseHeadersRegex: '^X-'");
    assert_told(&label("\"traefik.http.routers.r.middlewares=ask@file\""), &pattern, &[], "");
    let entry_point = label("\"traefik.enable=true\"") + "\n    command: [--entryPoints.web.http.middlewares=ask@file]";
    assert_told(&entry_point, ASK, &[], "who is asked");
    // What Traefik serves itself is no route to the service.
    let internal = label("\"traefik.http.routers.r.service=api@internal\"");
    assert_told(&internal, ASK, &[], "the routes of Traefik to `api`");
    assert_told("labels: [\"traefik.tcp.routers.r.rule=HostSNI(`*`)\"]", ASK, &["route-unprotected"], "");
}

#[test]
fn a_file_leads_to_a_service_by_its_address() {
    let file = |host: &str, middlewares: &str| {
        let service = format!("services: {{ s: {{ loadBalancer: {{ servers: [{{ url: 'http://{host}:80/' }}] }} }} }}");
        let router = format!("routers: {{ r: {{ rule: 'Path(`/`)', service: s{middlewares} }} }}");
        ASK.replacen("http: { ", &format!("http: {{ {service}, {router}, "), 1)
    };
    assert_told("expose: [80]", &file("api", ""), &["route-unprotected"], "");
    assert_told("expose: [80]", &file("api", ", middlewares: [ask]"), &[], "");
    assert_told("expose: [80]", &file("other", ""), &[], "the routes of Traefik to `api`");
    // By the name that a container's service has of itself, and by one that its labels give.
    let named = |name: &str, label: &str| {
        let router = format!("routers: {{ r: {{ rule: 'Path(`/`)', service: {name} }} }}");
        let file = ASK.replacen("http: { ", &format!("http: {{ {router}, "), 1);
        assert_told(&format!("labels: [\"{label}\"]"), &file, &["route-unprotected"], "");
    };
    named("api-shop@docker", "traefik.enable=true");
    named("own@docker", "traefik.http.services.own.loadbalancer.server.port=80");
}

#[test]
fn a_file_that_cannot_be_read_as_yaml_is_told() {
    let label = "labels: [\"traefik.http.routers.r.rule=Path(`/`)\", \"traefik.http.routers.r.middlewares=ask@file\"]";
    assert_told(label, "http: [\n", &[], "line 2 is not YAML");
    let project = Project::with_manifest(&MANIFEST.replace("dynamic.yml", "dynamic.toml"));
    project.write("dynamic.toml", "[tls.options.default]\n");
    project.write("compose.yml", format!("services:\n  api:\n    image: a\n    {label}\n"));
    let run = project.run(["check", "--at", "repo", "--strict"]).assert_code(1);
    assert!(run.stdout.contains("only YAML is read"), "{run:?}");
}
