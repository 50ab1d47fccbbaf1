//! Names and values as they stand in Compose files, with what is to be said of each.

use super::*;

#[test]
fn a_name_tells_by_its_end() {
    for name in ["DB_PASSWORD", "API_KEY", "github-token", "com.example.db.password", "SECRET_KEY_BASE", "APP_SECRET"] {
        assert!(is_credential(name), "{name}");
    }
    assert!(["clientSecret", "apiKey", "REDISCLI_AUTH", "requirepass"].iter().all(|it| is_credential(it)));
    for name in [
        "publicKey",
        "tokenTtl",
        "PWD",
        "TOKEN_TTL",
        "PUBLIC_KEY",
        "STRIPE_PUBLISHABLE_KEY",
        "NEXT_PUBLIC_MAPS_KEY",
        "GPG_KEY",
        "PASSWORD_FILE",
        "COMPASS",
        "",
        "KEY",
        "_",
    ] {
        assert!(!is_credential(name), "{name}");
    }
}

#[test]
fn a_text_is_a_credential_by_its_name_or_by_its_shape() {
    for (name, text) in [
        ("DB_PASSWORD", "changeme"),
        ("API_KEY", "123456"),
        ("DATABASE_URL", "postgres://app:hunter2@db/app"),
        ("TLS", "-----BEGIN PRIVATE KEY-----\nx"),
        ("SQLALCHEMY", "postgresql+asyncpg://app:hunter2@db/app"),
        ("BROKERS", "redis://a,redis://:hunter2@b"),
        ("DSN", "host=db user=app password=hunter2 dbname=app"),
        ("CONNECTION", "Server=db;User Id=sa;Password=hunter2;Encrypt=True"),
        ("MYSQL", "app:hunter2@tcp(db:3306)/app"),
        ("CONFIG", r#"{"db": {"user": "app", "password": "hunter2"}}"#),
        ("CONFIG", r#"[{"clientSecret": "hunter2"}]"#),
        ("HOOK", "https://example.com/hook?token=hunter2"),
        ("JAVA_OPTS", "-Xmx1g -Djavax.net.ssl.keyStorePassword=hunter2"),
        ("THING", "glpat-7Jt9QfYkP3mVbX2nRzLh"),
        ("THING", "AKIAIOSFODNN7QWERTYU"),
        ("NEXT_PUBLIC_STORAGE", "AKIAIOSFODNN7QWERTYU"),
        ("NEXT_PUBLIC_CLIENT_SECRET", "hunter2"),
        ("NUXT_PUBLIC_SECRET_KEY", "hunter2"),
        ("VITE_STRIPE_KEY", "hunter2hunter2"),
        (
            "VITE_SUPABASE_KEY",
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJzdXBhYmFzZSIsInJvbGUiOiJzZXJ2aWNlX3JvbGUiLCJleHAiOjE5OTk5OTk5OTl9.XAhCmZ6fq1jzXx8hS9hQPC825lIQjo3D7_bLYI5CTOI",
        ),
        ("SESSION_KEY", "hunter2"),
        ("SESSION_KEY", "keyboard-cat"),
    ] {
        assert!(is_literal(name, text), "{name}");
    }
    for (name, text) in [
        ("DB_PASSWORD", ""),
        ("ALLOW_EMPTY_PASSWORD", "Yes"),
        ("MAX_PASS", "5"),
        ("TLS_KEY", "/run/secrets/key"),
        ("AUTH_SECRET", "https://auth.example.com"),
        ("DATABASE_URL", "postgres://app:@db/app"),
        ("MODE", "changeme"),
        ("SQLALCHEMY", "postgresql+asyncpg://app@db/app"),
        ("DSN", "host=db user=app password= dbname=app"),
        ("CONFIG", r#"{"password": "", "token": "$TOKEN", "secretName": "app"}"#),
        ("CONFIG", "{not: json, password: hunter2}"),
        ("NEXT_PUBLIC_MAPS", "AIzaSyA7Jt9QfYkP3mVbX2nRzLh8CdGs5KuEaT6"),
        ("VITE_STRIPE_KEY", "pk_live_51H7Jt9QfYkP3mVbX2nRzLh8C"),
        ("STRIPE_KEY", "pk_test_51H7Jt9QfYkP3mVbX2nRzLh8C"),
        ("VITE_SUPABASE_KEY", "sb_publishable_7Jt9QfYkP3mVbX2nRzLh8C_dGs5KuE"),
        (
            "VITE_SUPABASE_KEY",
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJzdXBhYmFzZSIsInJvbGUiOiJhbm9uIiwiZXhwIjoxOTk5OTk5OTk5fQ.VGnu7pMxzK7mLrZ9BpWU_QauMHFVbKgh7nSPfAjEYKc",
        ),
        ("VITE_SENTRY_DSN", "https://6f1ed002ab5595859014ebf0951522d9@o1.ingest.sentry.io/42"),
        ("SESSION_KEY", "sid"),
        ("session.cookie.key", "connect.sid"),
        ("COOKIE_KEY", "_app_session"),
        ("IMAGE", "sha256:6f1ed002ab5595859014ebf0951522d96f1ed002ab5595859014ebf0951522d9"),
        ("JAVA_OPTS", "-Xmx1g -Dcom.sun.management.jmxremote.authenticate=false"),
        ("CSP", "default-src 'self'; img-src https://cdn.example.com"),
    ] {
        assert!(!is_literal(name, text), "{name} {text}");
    }
}

#[test]
fn a_line_of_an_env_file_holds_a_credential_or_does_not() {
    for line in ["DB_PASSWORD=hunter2", "export API_KEY='hunter2'", " URL = postgres://a:b@c/d"] {
        assert!(assigned(line).is_some(), "{line}");
    }
    for line in ["", "# DB_PASSWORD=x", "DB_PASSWORD=", "DB_PASSWORD= # later", "DB_PASSWORD=${X}", "KEY_FILE=a", "A=b"]
    {
        assert_eq!(assigned(line), None, "{line}");
    }
}

/// Names and values of real Compose files which check must tell: images' documented variables, and what people make of them.
const SECRETS: [(&str, &str); 81] = [
    ("GF_SECURITY_ADMIN_PASSWORD", "admin"),
    ("POSTGRES_PASSWORD", "postgres"),
    ("MYSQL_ROOT_PASSWORD", "1234"),
    ("MARIADB_ROOT_PASSWORD", "my-secret-pw"),
    ("MONGO_INITDB_ROOT_PASSWORD", "example"),
    ("MINIO_ROOT_PASSWORD", "minioadmin"),
    ("RABBITMQ_DEFAULT_PASS", "guest"),
    ("RABBITMQ_ERLANG_COOKIE", "s3cr3tc00ki3"),
    ("KEYCLOAK_ADMIN_PASSWORD", "admin"),
    ("KC_DB_PASSWORD", "change_me"),
    ("PGADMIN_DEFAULT_PASSWORD", "SuperSecret"),
    ("ELASTIC_PASSWORD", "elastic"),
    ("NEO4J_AUTH", "neo4j/s3cr3tpassword"),
    ("REDISCLI_AUTH", "hunter2"),
    ("BASIC_AUTH", "bob:secret"),
    ("BASIC_AUTH_USERS", "bob:secret"),
    ("AUTH", "bob:secret"),
    ("AUTH", "Basic Ym9iOnNlY3JldA=="),
    ("PROXY_AUTHORIZATION", "Bearer abcdefgh12"),
    ("UPSTREAM_HEADER", "Bearer abcdefgh12"),
    ("UPSTREAM_HEADER", "'bearer abcdefgh12=='"),
    ("UPSTREAM", "Basic Ym9iOnNlY3JldA=="),
    ("UPSTREAM", "Token 9fK2mQ7xLp4Vz8Nd"),
    ("traefik.http.middlewares.m.headers.customrequestheaders.Authorization", "Basic Ym9iOnNlY3JldA=="),
    ("traefik.http.middlewares.m.headers.customrequestheaders.X-Token", "hunter2"),
    ("AUTH", "9fK2mQ7xLp4Vz8Nd"),
    ("KEY", "9fK2mQ7xLp4Vz8Nd"),
    ("KEY", "0123456789abcdef0123456789abcdef"),
    ("AUTH_SALT", "put your unique phrase here"),
    ("HASHIDS_SALT", "abc"),
    ("PASSWORD_PEPPER", "kitchen"),
    ("APP_KEY", "base64:8sGq4sM0mFqXj2m1a3Hn0l1B3b0aJxk1c4Dqg3v8n2E="),
    ("REDIS_KEY", "h6Vb2nQ8xWz4Lk7Ty1Rm5Pc9Jd3Fg0AsAzCaXyz12Qk="),
    ("COSMOS_PRIMARY_KEY", "C2y6yDjf5R0ob0N8A7Cgv30VRDJIWEHLM4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw"),
    ("NEW_RELIC_LICENSE_KEY", "eu01xx66c637a29c3982469a3fe8d1982d002c4a"),
    ("SECRET_KEY_BASE", "changeme"),
    ("DJANGO_SECRET_KEY", "django-insecure-abc"),
    ("JWT_SECRET", "12345"),
    ("NEXTAUTH_SECRET", "secret"),
    ("HASURA_GRAPHQL_ADMIN_SECRET", "myadminsecretkey"),
    ("HASURA_GRAPHQL_JWT_SECRET", r#"{"type": "HS256", "key": "0123456789abcdef"}"#),
    ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY"),
    ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7QWERTYU"),
    ("GITEA__database__PASSWD", "gitea"),
    ("GITEA__security__INTERNAL_TOKEN", "hunter2"),
    ("LDAP_BIND_PW", "hunter2"),
    ("DBPASSWORD", "hunter2"),
    ("AUTHTOKEN", "hunter2"),
    ("spring.datasource.password", "hunter2"),
    ("clientSecret", "hunter2"),
    ("STRIPE_KEY", "hunter2"),
    ("ENCRYPTION_KEY", "changeme"),
    ("VAULT_DEV_ROOT_TOKEN_ID", "hvs.CAESIJ9fK2mQ7xLp4Vz8Nd1Wc3Rt5Yb6Hj8Gk0"),
    ("OTEL_EXPORTER_OTLP_HEADERS", "Authorization=Bearer abcdefgh12"),
    ("SPRING_DATASOURCE_URL", "jdbc:postgresql://db/app?user=app&password=hunter2"),
    ("CELERY_BROKER_URL", "amqp://app:hunter2@mq//"),
    ("API_TOKEN2", "hunter2"),
    ("API_TOKEN_2", "hunter2"),
    ("TOKEN1", "hunter2"),
    ("DB_PASSWORD1", "hunter2"),
    ("DB_PASSWORD_1", "hunter2"),
    ("SECRET2", "hunter2"),
    ("API_KEY_2", "hunter2"),
    ("apiToken2", "hunter2"),
    ("PASSWORD_OLD", "hunter2"),
    ("PASSWORD_NEW", "hunter2"),
    ("DB_PASSWORD_PREVIOUS", "hunter2"),
    ("DB_PASSWORD_BACKUP_2", "hunter2"),
    ("KEY_1", "9fK2mQ7xLp4Vz8Nd"),
    ("DBPASS", "hunter2"),
    ("SMTPPASS", "hunter2"),
    ("WG_PRIVATEKEY", "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk="),
    ("WIFI_PSK", "hunter2"),
    ("TS_AUTHKEY", "tskey-auth-abc"),
    ("CREDS", "bob:hunter2"),
    ("HTPASSWD", "bob:hunter2"),
    ("GITLAB_OMNIBUS_CONFIG", "external_url 'https://a'\ngitlab_rails['smtp_password'] = \"hunter2Secret!x\"\n"),
    ("GITLAB_OMNIBUS_CONFIG", "gitlab_rails['x'] = 1; gitlab_rails['smtp_password'] = 'hunter2'"),
    ("CONFIG", "smtp_password = hunter2"),
    ("CONFIG", "user: app\npassword: 'hunter2'"),
    ("CONFIG", "<db><password>hunter2</password></db>"),
];

/// Names and values of real Compose files which are no secrets.
const PLAIN: [(&str, &str); 90] = [
    ("POSTGRES_PASSWORD_FILE", "/run/secrets/pw"),
    ("KEYCLOAK_ADMIN", "admin"),
    ("MINIO_ROOT_USER", "minioadmin"),
    ("AWS_ACCESS_KEY_ID", ""),
    ("TOKEN_URL", "https://auth.example.com/token"),
    ("JWT_ALGORITHM", "HS256"),
    ("JWT_ISSUER", "shop"),
    ("JWT_PRIVATE_KEY", "/run/secrets/jwt"),
    ("JWT_PRIVATE_KEY", "jwt.pem"),
    ("TLS_KEY", "tls/server.key"),
    ("PASSWORD_MIN_LENGTH", "12"),
    ("MIN_PASSWORD", "123456"),
    ("MAX_TOKEN", "128000"),
    ("MAX_TOKENS", "128000"),
    ("OPENAI_TOKENS", "128000"),
    ("SECRET_NAME", "app-db"),
    ("DB_SECRET", "prod/app/db"),
    ("DB_SECRET", "arn:aws:secretsmanager:eu-central-1:123456789012:secret:app"),
    ("DB_PASSWORD", "vault:secret/data/app#password"),
    ("KEY_PREFIX", "app"),
    ("CACHE_KEY_PREFIX", "app:v2"),
    ("CACHE_KEY", "build-9fK2mQ7xLp4Vz8Nd"),
    ("REDIS_KEY", "app:sessions"),
    ("REDIS_KEY", "sessions"),
    ("REDIS_KEYS", "app:sessions:*"),
    ("CONSUL_KEY", "config/app"),
    ("ETCD_KEY", "/registry/app"),
    ("QUEUE_KEY", "jobs:low:"),
    ("FEATURE_KEY", "user.{id}.flags"),
    ("PRIMARY_KEY", "id"),
    ("FOREIGN_KEY", "user_id"),
    ("SORT_KEY", "created_at"),
    ("SONAR_PROJECT_KEY", "org.example:shop"),
    ("RECAPTCHA_SITE_KEY", "6LeIxAcTAAAAAJcZVRqyHh71UMIEGNQ_MXjiZKhI"),
    ("GPG_KEY", "7169605F62C751356D054A26A821E680E5FA6305"),
    ("SSH_AUTHORIZED_KEYS", "AAAAC3NzaC1lZDI1NTE5AAAAIJ9fK2mQ7xLp4Vz8Nd"),
    ("KEY", "name"),
    ("KEY", "app:sessions"),
    ("KEY", "scram-sha-256"),
    ("API_KEY_HEADER", "X-API-Key"),
    ("API_KEY", "X-API-Key"),
    ("CSRF_TOKEN", "X-CSRF-Token"),
    ("AUTH_TOKEN", "Authorization"),
    ("traefik.http.middlewares.m.headers.customrequestheaders.X-Token", ""),
    ("traefik.http.middlewares.m.headers.customrequestheaders.X-Token", "true"),
    ("traefik.http.middlewares.a.forwardauth.authResponseHeaders", "X-Auth-Token,X-User"),
    ("traefik.http.routers.app.middlewares", "auth@docker"),
    ("AUTH_METHOD", "ldap"),
    ("AUTH", "oidc"),
    ("AUTH", "true"),
    ("SMTP_AUTH", "login"),
    ("NEO4J_AUTH", "none"),
    ("FORWARD_AUTH", "authelia:9091"),
    ("AUTH", "scram-sha-256"),
    ("POSTGRES_HOST_AUTH_METHOD", "trust"),
    ("POSTGRES_INITDB_ARGS", "--auth-host=scram-sha-256 --auth=md5"),
    ("BCRYPT_SALT_ROUNDS", "12"),
    ("BCRYPT_SALT", "12"),
    ("MYSQL_ALLOW_EMPTY_PASSWORD", "1"),
    ("MYSQL_RANDOM_ROOT_PASSWORD", "yes"),
    ("COOKIE_NAME", "sid"),
    ("OTEL_EXPORTER_OTLP_HEADERS", "Authorization=Bearer ${TOKEN}"),
    ("UPSTREAM_HEADER", "Bearer ${TOKEN}"),
    ("TITLE", "Basic authentication"),
    ("TITLE", "Basic monitoring2"),
    ("TITLE", "Token bucket 10000000"),
    ("TITLE", "Bearer authorization"),
    ("CHALLENGE", "Bearer realm=\"api2.example\""),
    ("COMPASS", "north"),
    ("COMPASS_2", "north"),
    ("TOKEN_TTL_2", "hunter2"),
    ("PUBLIC_KEY_2", "hunter2"),
    ("OLDPWD", "hunter2"),
    ("MODE_OLD", "hunter2"),
    ("KEY_1", "name"),
    ("PRIMARY_KEY_2", "id"),
    ("WG_PRIVATEKEY", "/etc/wireguard/key"),
    ("CREDS", "/run/secrets/creds"),
    ("CREDS", "file"),
    ("HTPASSWD", "/etc/nginx/htpasswd"),
    ("TINI_KEY", "595E85A6B1B4779EA4DAAEC70B588DFF0527A9B7"),
    ("KEY", "0x595E85A6B1B4779EA4DAAEC70B588DFF0527A9B7"),
    ("DOVECOT_PASS_ATTRS", "uniqueIdentifier=user,userPassword=password"),
    ("accesslog.fields.headers.names.X-Api-Key", "redact"),
    ("GITLAB_OMNIBUS_CONFIG", "gitlab_rails['smtp_password'] = File.read('/run/secrets/smtp').strip"),
    ("GITLAB_OMNIBUS_CONFIG", "gitlab_rails['smtp_password'] = ENV['SMTP_PASSWORD']"),
    ("GITLAB_OMNIBUS_CONFIG", "# gitlab_rails['smtp_password'] = 'hunter2'\ngitlab_rails['smtp_user_name'] = 'app'"),
    ("CONFIG", "<password></password><secretName>app</secretName>"),
    ("CONFIG", "smtp_password = ${UNKNOWN}"),
    ("HINT", "Password: at least eight letters"),
];

#[test]
fn what_stands_beside_variables_is_a_credential_or_joins_them() {
    for (name, text) in [
        ("DB_PASSWORD", "${APP}hunter2"),
        ("DB_PASSWORD", "hunter2${APP}"),
        ("JWT_SECRET", "${APP}-very-secret-${STAGE}"),
        ("API_KEY", "${REGION}9fK2mQ7xLp4Vz8Nd"),
    ] {
        assert!(is_rest_of(name, text), "{name} {text}");
    }
    for (name, text) in [
        ("DB_PASSWORD", "${APP}"),
        ("DB_PASSWORD", "${APP}_${STAGE}"),
        ("DB_PASSWORD", "${APP}-v1"),
        ("DB_SECRET", "${STAGE}/app/db"),
        ("TLS_KEY", "${HOME}/tls/server.key"),
        ("REDIS_KEY", "${APP}:sessions"),
        ("APP_KEY", "${APP}:sessions"),
        ("TOKEN_URL", "https://${HOST}/token"),
        ("AUTH_TOKEN", "https://${HOST}/token"),
        ("HOST", "db.${DOMAIN}"),
        ("AUTH_SECRET", "${HOST}:8080"),
    ] {
        assert!(!is_rest_of(name, text), "{name} {text}");
    }
}

/// Lines of configuration files, with a credential and without.
#[test]
fn a_line_of_a_configuration_holds_a_credential_or_does_not() {
    for line in [
        "<password>hunter2</password>",
        "  <apiKey type=\"x\">hunter2</apiKey>",
        "//registry.example.com/:_authToken=hunter2",
        "user default on >hunter2 ~* +@all",
        "password = hunter2",
        "rails['password'] = \"hunter2\"",
    ] {
        assert!(in_document(line).is_some(), "{line}");
    }
    for line in [
        "<password>${UNKNOWN}</password>",
        "<passwordFile>/run/secrets/x</passwordFile>",
        "// password = hunter2",
        "//registry.example.com/:_authToken=${NPM_TOKEN}",
        "user default on nopass ~* +@all",
        "user default on >$PW ~*",
        "rails['password'] = ENV[\"X\"]",
    ] {
        assert_eq!(in_document(line), None, "{line}");
    }
}

#[test]
fn what_only_names_a_key_of_somebody_elses_is_no_credential_in_a_command() {
    let is_typed = |text| typed(&[Argument { text, is_whole: true }]).is_some();
    for text in [
        "gpg --batch --keyserver hkps://keys.openpgp.org --recv-keys 595E85A6B1B4779EA4DAAEC70B588DFF0527A9B7",
        "apt-key adv --keyserver keyserver.ubuntu.com --recv-keys E0C56BD4",
        "key='595E85A6B1B4779EA4DAAEC70B588DFF0527A9B7'; gpg --batch --recv-keys \"$key\"",
        "traefik --accesslog.fields.headers.names.X-Api-Key=redact --accesslog.fields.headers.names.Authorization=drop",
    ] {
        assert!(!is_typed(text), "{text}");
    }
    for text in ["app --api-key 595E85A6B1B4779EA4DAAEC70B588DFF0527A9B7", "traefik --headers.names.X-Api-Key=hunter2"]
    {
        assert!(is_typed(text), "{text}");
    }
}

#[test]
fn what_real_compose_files_hold_is_told_from_what_they_only_call_so() {
    let missed: Vec<_> = SECRETS.iter().filter(|(name, value)| !is_literal(name, value)).collect();
    assert!(missed.is_empty(), "{missed:?}");
    let alarms: Vec<_> = PLAIN.iter().filter(|(name, value)| is_literal(name, value)).collect();
    assert!(alarms.is_empty(), "{alarms:?}");
}
