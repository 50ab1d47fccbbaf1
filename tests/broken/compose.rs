//! What services are given: declared, delivered, readable, and nowhere in the open.

use crate::support::CANARY;
use crate::{append, broken, edit};

broken! {
    a_required_variable_that_nobody_declared: "mcp-rag", |project| {
        edit(project, "docker-compose.yml", "LLM_BACKEND: canned", "LLM_BACKEND: \"${LLM_BACKEND:?which}\"");
    } => "variable-undeclared" at "LLM_BACKEND" in "docker-compose.yml";
    a_secret_that_nobody_declared: "mcp-rag" with ["--at", "repo"], |project| {
        edit(project, "docker-compose.yml", "LLM_BACKEND: canned", "LLM_TOKEN: \"${LLM_TOKEN:-}\"");
    } => "variable-undeclared" at "LLM_TOKEN" in "docker-compose.yml";
    a_secret_that_no_output_delivers: "mcp-rag", |project| {
        edit(project, "vault-kit.toml", "\"JWT_SECRET\", \"JWT_LIFETIME\"]", "\"JWT_LIFETIME\"]");
        project.run(["render"]).assert_code(0);
    } => "variable-undelivered" at "JWT_SECRET" in "docker-compose.yml";
    a_secret_that_the_environment_does_not_have: "mcp-rag", |project| {
        edit(project, "docker-compose.yml", "LLM_BACKEND: canned", "LLM_KEY: \"${OPENAI_API_KEY:?x}\"");
    } => "variable-undelivered" at "OPENAI_API_KEY" in "docker-compose.yml";
    an_env_file_that_is_not_there: "docker-mcp", |project| {
        edit(project, "docker-compose.yml", "    expose: [\"8501\"]", "    expose: [\"8501\"]\n    env_file: [ui.env]");
    } => "env-file-missing" at "ui.env" in "docker-compose.yml";
    a_secret_file_that_nobody_writes: "docker-mcp", |project| {
        edit(project, "docker-compose.yml", "file: ./.secrets/api_keys", "file: ./.secrets/valid_keys");
        edit(project, "vault-kit.toml", "tls_min = \"1.2\"", "tls_min = \"1.2\"\noutside = [\"VALID_API_KEYS\", \"MCP_API_KEY\"]");
    } => "secret-file-missing" at "valid_keys" in "docker-compose.yml";
    a_file_variable_that_points_nowhere: "docker-mcp", |project| {
        edit(project, "docker-compose.yml", "VALID_API_KEYS_FILE: /run/secrets/api_keys", "VALID_API_KEYS_FILE: /run/secrets/keys");
    } => "file-variable-dangling" at "VALID_API_KEYS_FILE" in "docker-compose.yml";
    a_file_variable_of_a_service_without_the_secret: "docker-mcp", |project| {
        edit(project, "docker-compose.yml", "secrets: [postgres_password, api_keys]", "secrets: [api_keys]");
    } => "file-variable-dangling" at "POSTGRES_PASSWORD_FILE" in "docker-compose.yml";
    a_file_variable_beside_what_is_delivered: "omni2", |project| {
        edit(project, "docker-compose.yml", "SIGNING_KEY_FILE: /run/secrets/signing_key", "SIGNING_KEY_FILE: /etc/omni2/public/key.pem");
    } => "file-variable-dangling" at "SIGNING_KEY_FILE" in "docker-compose.yml";
    a_secret_that_the_container_s_user_cannot_read: "docker-mcp", |project| {
        let user = "user: \"${MCP_UID:-1000}:${MCP_GID:-1000}\"\n    environment:\n      <<: *database\n      VALID";
        edit(project, "docker-compose.yml", user, "user: \"54321:54321\"\n    environment:\n      <<: *database\n      VALID");
    } => "secret-unreadable" at "secrets:" in "docker-compose.yml";
    a_key_in_a_mounted_directory_that_the_user_cannot_read: "omni2", |project| {
        edit(project, "docker-compose.yml", "user: \"${OMNI2_UID:-1000}:${OMNI2_GID:-1000}\"\n    command:", "user: \"54321\"\n    command:");
    } => "secret-unreadable" at "traefik/tls" in "docker-compose.yml";
    a_secret_for_root_without_root_s_rights: "omni2" with ["--at", "repo"], |project| {
        edit(project, "docker-compose.yml", "user: \"${OMNI2_UID:-1000}:${OMNI2_GID:-1000}\"\n    environment:", "user: root\n    cap_drop: [ALL]\n    environment:");
        edit(project, "vault-kit.toml", "path = \".secrets/auth\"", "path = \".secrets/auth\"\nuid = 54321");
    } => "secret-unreadable" at "signing_key" in "docker-compose.yml";
    a_password_in_the_compose_file: "mcp-rag", |project| {
        let text = format!("POSTGRES_PASSWORD: {CANARY}");
        edit(project, "docker-compose.yml", "POSTGRES_PASSWORD: \"${DATABASE_PASSWORD:?run vault-kit init}\"", &text);
    } => "secret-in-environment" at "POSTGRES_PASSWORD" in "docker-compose.yml";
    a_password_as_the_default_of_its_variable: "docker-mcp", |project| {
        let text = format!("${{GRAFANA_ADMIN_PASSWORD:-{CANARY}}}");
        edit(project, "docker-compose.yml", "${GRAFANA_ADMIN_PASSWORD:?run vault-kit init}", &text);
    } => "secret-in-environment" at "GF_SECURITY_ADMIN_PASSWORD" in "docker-compose.yml";
    a_password_in_a_url: "mcp-rag", |project| {
        let text = format!("LLM_BACKEND: https://app:{CANARY}@llm.test/v1");
        edit(project, "docker-compose.yml", "LLM_BACKEND: canned", &text);
    } => "secret-in-environment" at "LLM_BACKEND" in "docker-compose.yml";
    a_secret_in_an_argument: "mcp-rag", |project| {
        edit(project, "docker-compose.yml", "\\\"$$REDIS_PASSWORD\\\"", "$REDIS_PASSWORD");
    } => "secret-in-arguments" at "requirepass" in "docker-compose.yml";
    a_password_that_is_typed_into_a_command: "mcp-rag", |project| {
        let shell = r#"["sh", "-c", "printf 'requirepass %s\\ndir /data\\n' \"$$REDIS_PASSWORD\" | redis-server -"]"#;
        edit(project, "docker-compose.yml", shell, &format!("redis-server --requirepass {CANARY} --dir /data"));
    } => "secret-in-environment" at "requirepass" in "docker-compose.yml";
    a_secret_in_a_label: "docker-mcp", |project| {
        edit(project, "docker-compose.yml", "    networks: [frontend]\n    expose: [\"8501\"]", "    labels: { ui.key: \"${UI_API_KEY}\" }\n    networks: [frontend]\n    expose: [\"8501\"]");
    } => "secret-in-label" at "ui.key" in "docker-compose.yml";
    a_password_of_the_gateway_in_a_label: "omni2", |project| {
        let label = format!("- traefik.enable=true\n      - traefik.http.middlewares.x.basicauth.users=admin:{CANARY}");
        edit(project, "docker-compose.yml", "- traefik.enable=true", &label);
    } => "secret-in-label" at "basicauth.users" in "docker-compose.yml";
    a_secret_as_a_build_argument: "mcp-rag", |project| {
        let image = "image: \"${MCP_REGISTRY:-mcp-rag}/api:${MCP_VERSION:-latest}\"";
        edit(project, "docker-compose.yml", image, &format!("{image}\n    build: {{ context: app, args: {{ PIP_TOKEN: \"${{JWT_SECRET}}\" }} }}"));
        project.write("app/Dockerfile", "FROM scratch\n");
    } => "secret-in-build-args" at "PIP_TOKEN" in "docker-compose.yml";
    a_secret_that_no_service_reads: "mcp-rag", |project| {
        append(project, "vault-kit.toml", "\n[secrets.FORGOTTEN]\nkind = \"setting\"\nvalue = \"1\"\n");
    } => "unused" at "FORGOTTEN" in "vault-kit.toml";
    a_compose_file_that_is_not_there: "mcp-rag", |project| {
        edit(project, "vault-kit.toml", "compose = [\"docker-compose.yml\"]", "compose = [\"docker-compose.yml\", \"prod.yml\"]");
    } => "compose-invalid";
    a_misspelt_key: "mcp-rag", |project| {
        edit(project, "docker-compose.yml", "depends_on: [mcp-rag]", "depend_on: [mcp-rag]");
    } => "compose-invalid" at "depend_on" in "docker-compose.yml";
    a_port_that_is_published_in_a_swarm: "docker-mcp" with ["-e", "prod", "--at", "repo", "--fail-on", "warning", "--skip", "secret-external", "--skip", "unused"], |project| {
        crate::swarm(project);
        append(project, "docker-compose.swarm.yml", "services:\n  postgres:\n    ports: [\"5432:5432\"]\n");
    } => "port-published" at "5432" in "docker-compose.swarm.yml";
    a_secret_of_swarm_that_nobody_puts_there: "omni2", |project| {
        edit(project, "docker-compose.yml", "\nsecrets:\n", "\nsecrets:\n  stripe: { external: true, name: omni2_stripe }\n");
        edit(project, "docker-compose.yml", "    secrets: [signing_key]", "    secrets: [signing_key, stripe]");
    } => "secret-external" at "stripe" in "docker-compose.yml";
    a_compose_file_that_is_not_named: "docker-mcp", |project| {
        let text = project.read("vault-kit.toml").replacen("compose = [\"docker-compose.yml\"]\n", "", 1);
        let (before, rest) = text.split_once("[deployment]\n").unwrap();
        project.write("vault-kit.toml", [before, &rest[rest.find("# --- Files").unwrap()..]].concat());
    } => "compose-unnamed";
    a_compose_file_of_one_environment_that_is_not_named: "docker-mcp", |project| {
        let text = project.read("vault-kit.toml").replacen("compose = [\"docker-compose.yml\"]\n", "", 1);
        let (before, rest) = text.split_once("[deployment]\n").unwrap();
        project.write("vault-kit.toml", [before, &rest[rest.find("# --- Files").unwrap()..]].concat());
        std::fs::rename(project.path("docker-compose.yml"), project.path("docker-compose.prod.yml")).unwrap();
    } => "compose-unnamed";
    a_compose_file_that_is_a_directory: "mcp-rag", |project| {
        std::fs::remove_file(project.path("docker-compose.yml")).unwrap();
        std::fs::create_dir(project.path("docker-compose.yml")).unwrap();
    } => "compose-unreadable";
    a_compose_file_that_compose_refuses: "mcp-rag", |project| {
        edit(project, "docker-compose.yml", "depends_on: [mcp-rag]", "depends_on: [mcp]");
    } => "compose-invalid" at "mcp" in "docker-compose.yml";
}
