//! What is built into images.

use crate::support::{CANARY, Project};
use crate::{append, broken, edit};

/// Lets the service be built here, from a Dockerfile of the project's directory.
fn build(project: &Project, dockerfile: &str) {
    let image = "image: \"${OMNI2_REGISTRY:-omni2}/auth-service:${OMNI2_VERSION:-latest}\"";
    edit(project, "docker-compose.yml", image, &format!("{image}\n    build: ."));
    project.write("Dockerfile", dockerfile);
}

/// Takes a line out of `.dockerignore`.
fn let_through(project: &Project, line: &str) {
    edit(project, ".dockerignore", &format!("{line}\n"), "");
}

broken! {
    a_password_in_the_image: "omni2", |project| {
        build(project, &format!("FROM alpine\nENV A=1 \\\n  DB_PASSWORD={CANARY}\n"));
    } => "secret-in-image" at "ENV" in "Dockerfile";
    a_declared_secret_in_the_image: "omni2", |project| {
        build(project, "FROM alpine\nARG AUTH_SIGNING_KEY\nRUN make\n");
    } => "secret-in-image" at "ARG" in "Dockerfile";
    a_label_with_a_secret_in_the_image: "omni2", |project| {
        build(project, &format!("FROM alpine\nLABEL test.api_key=\"{CANARY}\"\n"));
    } => "secret-in-image" at "LABEL" in "Dockerfile";
    an_env_that_is_copied_by_its_name: "omni2", |project| {
        build(project, "FROM alpine AS build\nCOPY auth /a\nFROM build\nCOPY .env /srv/\n");
        let_through(project, "/.env");
    } => "secret-in-image" at "COPY .env" in "Dockerfile";
    everything_is_copied: "omni2", |project| {
        build(project, "FROM alpine\nWORKDIR /srv\nCOPY . .\n");
        append(project, ".dockerignore", "!/.env\n");
    } => "secret-in-image" at "COPY . ." in "Dockerfile";
    a_key_in_the_image: "omni2", |project| {
        build(project, "FROM alpine\nCOPY [\".secrets/auth\", \"/srv/\"]\n");
        append(project, ".dockerignore", "!.secrets/auth/signing_key.pem\n");
    } => "secret-in-image" at "COPY" in "Dockerfile";
    a_key_that_reaches_the_builder: "omni2", |project| {
        build(project, "FROM alpine AS build\nCOPY . .\nFROM alpine\nCOPY --from=build /srv /srv\n");
        append(project, ".dockerignore", "!.secrets/auth/signing_key.pem\n");
    } => "secret-in-build-context" at "build: ." in "docker-compose.yml";
    a_build_without_a_dockerignore: "omni2", |project| {
        build(project, "FROM alpine\nCOPY auth /srv\n");
        std::fs::remove_file(project.path(".dockerignore")).unwrap();
    } => "secret-in-build-context" at "build: ." in "docker-compose.yml";
    a_user_of_the_image_who_cannot_read: "omni2", |project| {
        build(project, "FROM alpine\nUSER 54321\n");
        edit(project, "docker-compose.yml", "user: \"${OMNI2_UID:-1000}:${OMNI2_GID:-1000}\"\n    environment:", "environment:");
    } => "secret-unreadable" at "signing_key" in "docker-compose.yml";
}
