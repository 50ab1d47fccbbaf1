//! What a deployment promises: ports, networks, containers, TLS.

use crate::{broken, edit};

broken! {
    a_port_that_is_published: "docker-mcp", |project| {
        edit(project, "docker-compose.yml", "expose: [\"5432\"]", "ports: [\"127.0.0.1:5432:5432\"]");
    } => "port-published" at "5432" in "docker-compose.yml";
    another_port_of_a_service_that_publishes: "docker-mcp", |project| {
        edit(project, "docker-compose.yml", "ports: [\"80:80\", \"443:443\"]", "ports: [\"80:80\", \"443:443\", \"8080-8081:80\"]");
    } => "port-published" at "8080" in "docker-compose.yml";
    a_port_that_docker_chooses: "e2i", |project| {
        edit(project, "docker/docker-compose.secure.yml", "networks: [data, celery]", "networks: [data, celery]\n    ports: [\"6379\"]");
    } => "port-published" at "6379" in "docker/docker-compose.secure.yml";
    a_port_of_datagrams: "docker-mcp", |project| {
        edit(project, "docker-compose.yml", "expose: [\"5432\"]", "ports: [\"127.0.0.1:53:53/udp\"]");
    } => "port-published" at "53/udp" in "docker-compose.yml";
    a_gateway_that_is_open_to_everybody: "omni2", |project| {
        edit(project, "docker-compose.yml", "\"127.0.0.1:8090:8090\"", "\"8090:8090\"");
    } => "port-not-loopback" at "8090" in "docker-compose.yml";
    an_administrator_s_port_that_is_open_to_everybody: "sutra", |project| {
        edit(project, "docker-compose.yml", "127.0.0.1:9000:9000", "0.0.0.0:9000:9000");
    } => "port-not-loopback" at "9000" in "docker-compose.yml";
    a_network_that_reaches_the_outside: "sutra", |project| {
        edit(project, "docker-compose.yml", "    internal: true\n", "");
    } => "network-not-internal" at "sutra-internal" in "docker-compose.yml";
    a_network_that_says_it_is_not_internal: "e2i", |project| {
        edit(project, "docker/docker-compose.secure.yml", "  celery:\n    internal: true", "  celery:\n    internal: false");
    } => "network-not-internal" at "internal: false" in "docker/docker-compose.secure.yml";
    a_network_whose_containers_reach_each_other: "e2i", |project| {
        edit(project, "docker/docker-compose.secure.yml", "enable_icc: \"false\"", "enable_icc: \"true\"");
    } => "network-not-isolated" at "enable_icc" in "docker/docker-compose.secure.yml";
    a_network_in_another_subnet: "sutra", |project| {
        edit(project, "docker-compose.yml", "172.20.0.0/24", "172.30.0.0/24");
    } => "network-subnet" at "172.30" in "docker-compose.yml";
    a_service_on_one_network_too_many: "e2i", |project| {
        edit(project, "docker/docker-compose.secure.yml", "networks: [public, app]", "networks: [public, app, data]");
    } => "network-matrix" at "data" in "docker/docker-compose.secure.yml";
    a_service_that_lacks_a_network: "e2i", |project| {
        edit(project, "docker/docker-compose.secure.yml", "networks: [data, celery]", "networks: [data]");
    } => "network-matrix";
    a_scheduler_beside_the_data: "e2i", |project| {
        edit(project, "docker/docker-compose.secure.yml", "    networks: [celery]\n", "    networks: [celery, data]\n");
    } => "network-matrix" at "celery, data" in "docker/docker-compose.secure.yml";
    a_service_that_no_row_of_the_matrix_has: "mcp-rag", |project| {
        edit(project, "docker-compose.yml", "services:\n", "services:\n  adminer:\n    <<: *hardened\n    image: adminer\n    networks: [backend]\n    deploy: { resources: { limits: { cpus: \"1\", memory: 64M } } }\n");
    } => "network-matrix" at "adminer" in "docker-compose.yml";
    a_second_service_that_mounts_the_signing_key: "omni2", |project| {
        edit(project, "docker-compose.yml", "    networks: [backend]\n    expose: [\"8000\"]", "    user: \"${OMNI2_UID:-1000}:${OMNI2_GID:-1000}\"\n    secrets: [signing_key]\n    networks: [backend]\n    expose: [\"8000\"]");
    } => "secret-holders" at "secrets: [signing_key]" in "docker-compose.yml";
    a_service_that_mounts_the_directory_of_the_signing_key: "omni2", |project| {
        edit(project, "docker-compose.yml", "    networks: [backend]\n    expose: [\"8000\"]", "    user: \"${OMNI2_UID:-1000}:${OMNI2_GID:-1000}\"\n    volumes: [\"./.secrets:/keys:ro\"]\n    networks: [backend]\n    expose: [\"8000\"]");
    } => "secret-holders" at "./.secrets:/keys" in "docker-compose.yml";
    a_service_without_the_secret_that_all_share: "sutra", |project| {
        edit(project, "docker-compose.yml", "    environment: *auth\n    networks: [sutra-public, sutra-internal]\n    ports: [\"127.0.0.1:9000:9000\"]", "    networks: [sutra-public, sutra-internal]\n    ports: [\"127.0.0.1:9000:9000\"]");
    } => "secret-holders" at "sutra-control:" in "docker-compose.yml";
    a_service_that_gets_the_shared_secret_and_needs_it_not: "sutra", |project| {
        edit(project, "docker-compose.yml", "    networks: [sutra-public]\n", "    environment: *auth\n    networks: [sutra-public]\n");
    } => "secret-holders" at "SUTRA_AUTH_SECRET" in "docker-compose.yml";
    a_service_without_the_token_that_it_calls_others_with: "sutra", |project| {
        edit(project, "docker-compose.yml", "    secrets: [service_token]\n    networks: [sutra-internal]\n    expose: [\"7001\", \"7002\"]", "    networks: [sutra-internal]\n    expose: [\"7001\", \"7002\"]");
    } => "secret-holders" at "grid-master:" in "docker-compose.yml";
    a_service_that_gets_the_administrators_token: "sutra", |project| {
        edit(project, "docker-compose.yml", "    networks: [sutra-public]\n", "    secrets: [admin_token]\n    networks: [sutra-public]\n");
        edit(project, "docker-compose.yml", "\nsecrets:\n", "\nsecrets:\n  admin_token: { file: ./.secrets/tokens/admin_token.txt }\n");
    } => "secret-holders" at "secrets: [admin_token]" in "docker-compose.yml";
    a_storage_server_without_its_certificate: "sutra", |project| {
        edit(project, "docker-compose.yml", "  volumes:\n    - ./.secrets/tls:/run/tls:ro\n  networks: [sutra-internal]\n", "  networks: [sutra-internal]\n");
    } => "secret-holders" at "storage-server:" in "docker-compose.yml";
    a_url_that_tells_the_password_to_a_service_that_is_not_to_have_it: "mcp-rag", |project| {
        edit(project, "vault-kit.toml", "tls_min = \"1.2\"", "tls_min = \"1.2\"\nholders = { REDIS_PASSWORD = [\"redis\"] }");
    } => "secret-holders" at "REDIS_URL" in "docker-compose.yml";
    a_row_of_holders_about_a_service_that_was_renamed: "omni2", |project| {
        edit(project, "vault-kit.toml", "[\"auth-service\"] }", "[\"auth-service\", \"auth\"] }");
    } => "deployment-unknown" at "holders" in "vault-kit.toml";
    a_container_that_can_gain_privileges: "docker-mcp", |project| {
        edit(project, "docker-compose.yml", "    networks: [monitoring]\n", "    security_opt: []\n    networks: [monitoring]\n");
    } => "new-privileges" at "prometheus" in "docker-compose.yml";
    a_container_that_writes_where_it_should_not: "docker-mcp", |project| {
        edit(project, "docker-compose.yml", "    networks: [monitoring]\n", "    read_only: false\n    networks: [monitoring]\n");
    } => "not-read-only" at "read_only: false" in "docker-compose.yml";
    a_database_that_can_gain_privileges: "e2i", |project| {
        edit(project, "docker/docker-compose.secure.yml", "    networks: [data, celery]\n", "    security_opt: []\n    networks: [data, celery]\n");
    } => "new-privileges" at "redis:" in "docker/docker-compose.secure.yml";
    a_database_that_writes_where_it_should_not: "e2i", |project| {
        edit(project, "docker/docker-compose.secure.yml", "    networks: [data, celery]\n", "    read_only: false\n    networks: [data, celery]\n");
    } => "not-read-only" at "read_only: false" in "docker/docker-compose.secure.yml";
    a_frontend_without_limits: "e2i", |project| {
        edit(project, "docker/docker-compose.secure.yml", "    networks: [app]\n    deploy: { resources: { limits: { cpus: \"0.5\", memory: 512M } } }\n", "    networks: [app]\n");
    } => "no-limits" at "frontend:" in "docker/docker-compose.secure.yml";
    a_service_without_the_certificate_that_it_serves: "sutra", |project| {
        edit(project, "docker-compose.yml", "    volumes:\n      - ./.secrets/tls:/run/tls:ro\n    secrets: [service_token]\n", "    secrets: [service_token]\n");
    } => "secret-holders" at "sutra-api:" in "docker-compose.yml";
    a_container_without_limits: "mcp-rag", |project| {
        edit(project, "docker-compose.yml", "    depends_on: [mcp-rag]\n    deploy: { resources: { limits: { cpus: \"0.5\", memory: 256M } } }", "    depends_on: [mcp-rag]");
    } => "no-limits" at "nginx" in "docker-compose.yml";
    a_container_with_half_of_its_limits: "mcp-rag", |project| {
        edit(project, "docker-compose.yml", "cpus: \"0.5\", memory: 256M } } }\n\n  mcp-rag", "cpus: \"0.5\" } } }\n\n  mcp-rag");
    } => "no-limits" at "nginx" in "docker-compose.yml";
    a_container_whose_limit_is_none_to_docker: "mcp-rag", |project| {
        edit(project, "docker-compose.yml", "cpus: \"0.5\", memory: 256M } } }\n\n  mcp-rag", "cpus: \"0.0\", memory: 256M } } }\n\n  mcp-rag");
    } => "no-limits" at "nginx" in "docker-compose.yml";
    a_privileged_container: "omni2", |project| {
        edit(project, "docker-compose.yml", "environment: { CONTAINERS", "privileged: true\n    environment: { CONTAINERS");
    } => "privileged" at "privileged" in "docker-compose.yml";
    a_container_that_sees_the_host_s_processes: "docker-mcp", |project| {
        edit(project, "docker-compose.yml", "    networks: [monitoring]\n", "    pid: host\n    networks: [monitoring]\n");
    } => "host-namespace" at "pid: host" in "docker-compose.yml";
    a_container_on_the_host_s_network: "docker-mcp", |project| {
        edit(project, "docker-compose.yml", "    networks: [monitoring]\n", "    network_mode: host\n");
        edit(project, "vault-kit.toml", "prometheus = [\"monitoring\"]", "prometheus = []");
    } => "host-namespace" at "network_mode" in "docker-compose.yml";
    a_rule_about_a_service_that_was_renamed: "omni2", |project| {
        edit(project, "vault-kit.toml", "read_only = [\"traefik\",", "read_only = [\"traefic\",");
    } => "deployment-unknown" at "traefic" in "vault-kit.toml";
    a_gateway_that_speaks_an_old_tls: "e2i", |project| {
        edit(project, "docker/nginx/nginx.conf", "ssl_protocols TLSv1.2 TLSv1.3;", "ssl_protocols TLSv1 TLSv1.2 TLSv1.3;");
    } => "weak-tls" at "ssl_protocols" in "docker/nginx/nginx.conf";
    a_gateway_that_leaves_tls_to_nginx: "docker-mcp", |project| {
        edit(project, "nginx/nginx.conf", "        ssl_protocols TLSv1.2 TLSv1.3;\n", "");
    } => "weak-tls";
    a_gateway_below_the_tls_that_is_asked: "mcp-rag", |project| {
        edit(project, "vault-kit.toml", "tls_min = \"1.2\"", "tls_min = \"1.3\"");
    } => "weak-tls" at "ssl_protocols" in "nginx/nginx.conf";
}
