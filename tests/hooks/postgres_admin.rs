//! `hooks/postgres` with a real server, where the password that it alters with is rotated too.

use crate::postgres::{Postgres, SHIPPED};
use crate::scene::chmod;
use crate::support::Project;

/// The shipped hook, and after a step what a file asks for: to fail, or to kill who called it.
const WRAPPED: &str = r#"#!/bin/sh
python3 hooks/postgres "$1" || exit 1
if [ -e "die-$1" ]; then rm "die-$1"; kill -9 "$PPID"; fi
[ ! -e "fail-$1" ]
"#;

struct Shop {
    project: Project,
    postgres: Postgres,
}

impl Shop {
    /// A database whose admin and application have passwords of the store's.
    fn open() -> Option<Self> {
        let postgres = Postgres::start()?;
        let host = postgres.directory.path().display();
        let hook = |name: &str, user: &str| {
            format!(
                "[hooks.{name}]\nprogram = \"hooks/wrapped\"\nsteps = [\"set\", \"test\", \"retire\"]\n\
                 secrets = [\"PG_ADMIN\"]\noptions = {{ host = \"{host}\", user = \"{user}\" }}\n"
            )
        };
        let manifest = format!(
            "[project]\nname = \"shop\"\n[secrets.APP]\nkind = \"password\"\nhooks = [\"app\"]\n\
             [secrets.PG_ADMIN]\nkind = \"password\"\nhooks = [\"admin\"]\n{}{}",
            hook("admin", "postgres"),
            hook("app", "app")
        );
        let project = Project::with_manifest(&manifest);
        for (file, text) in [("hooks/postgres", SHIPPED), ("hooks/wrapped", WRAPPED)] {
            project.write(file, text);
            chmod(&project.path(file), 0o755);
        }
        chmod(&project.path("hooks"), 0o755);
        project.run(["trust", "--yes"]).assert_code(0);
        project.run(["init"]).assert_code(0);
        let shop = Self { project, postgres };
        // As a database comes up: the admin has the password that was delivered, and the application's role has none.
        let admin = shop.value("PG_ADMIN").replace('\'', "''");
        shop.postgres.execute(&format!("CREATE ROLE app; ALTER ROLE postgres PASSWORD '{admin}'"));
        shop.project.run(["rotate", "tell", "APP", "PG_ADMIN"]).assert_code(0);
        shop.all_log_in();
        Some(shop)
    }

    fn value(&self, name: &str) -> String {
        String::from_utf8(self.project.get(name)).unwrap()
    }

    #[track_caller]
    fn all_log_in(&self) {
        assert!(self.postgres.logs_in("app", &self.value("APP")), "{}", self.log());
        assert!(self.postgres.logs_in("postgres", &self.value("PG_ADMIN")), "{}", self.log());
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.postgres.directory.path().join("log")).unwrap()
    }

    fn touch(&self, file: &str) {
        self.project.write(file, "");
    }

    fn remove(&self, file: &str) {
        std::fs::remove_file(self.project.path(file)).unwrap();
    }
}

#[test]
fn an_admin_is_rotated_together_with_those_that_it_alters() {
    let Some(shop) = Shop::open() else { return };
    let before = ["APP", "PG_ADMIN"].map(|name| shop.value(name));
    shop.project.run(["rotate", "APP", "PG_ADMIN"]).assert_code(0);
    shop.all_log_in();
    let after = ["APP", "PG_ADMIN"].map(|name| shop.value(name));
    assert!(before[0] != after[0] && before[1] != after[1]);
    assert!(!shop.postgres.logs_in("app", &before[0]) && !shop.postgres.logs_in("postgres", &before[1]));
}

#[test]
fn an_admin_whose_rotation_was_cut_short_is_carried_on_or_given_up() {
    let Some(shop) = Shop::open() else { return };
    for verb in [&["rotate", "resume"][..], &["rotate", "abort", "PG_ADMIN"]] {
        // The server knows the new password, and the store does not know that.
        shop.touch("die-set");
        let old = shop.value("PG_ADMIN");
        shop.project.run(["rotate", "PG_ADMIN"]).assert_code(137);
        assert!(!shop.postgres.logs_in("postgres", &old));
        shop.project.run(verb).assert_code(0);
        shop.all_log_in();
        assert_eq!(shop.value("PG_ADMIN") == old, verb.len() == 3);
    }
}

#[test]
fn others_are_altered_with_the_password_that_the_server_knows() {
    let Some(shop) = Shop::open() else { return };
    let (old, app) = (shop.value("PG_ADMIN"), shop.value("APP"));
    shop.touch("fail-test");
    shop.project.run(["rotate", "PG_ADMIN"]).assert_code(8);
    assert!(!shop.postgres.logs_in("postgres", &old));
    shop.remove("fail-test");
    shop.project.run(["rotate", "APP"]).assert_code(0);
    assert!(shop.value("APP") != app && shop.postgres.logs_in("app", &shop.value("APP")));
    // Both at once, and both back again.
    shop.touch("fail-test");
    let app = shop.value("APP");
    shop.project.run(["rotate", "APP"]).assert_code(8);
    shop.remove("fail-test");
    shop.project.run(["rotate", "abort", "APP", "PG_ADMIN"]).assert_code(0);
    assert_eq!((shop.value("PG_ADMIN"), shop.value("APP")), (old, app));
    shop.all_log_in();
}
