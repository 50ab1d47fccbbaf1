//! `PostgreSQL`, with eight clients that log in all the time.

use super::{project, rotate, with_clients};
use crate::postgres::{ADMIN, Postgres};
use crate::support::{Project, counted};

/// `more` is further said of the password, `user` what stands for its user in a template.
fn shop(postgres: &Postgres, more: &str, user: &str) -> Project {
    let manifest = format!(
        "[project]\nname = \"shop\"\n[secrets.ADMIN]\nkind = \"external\"\n\
         [secrets.PASSWORD]\nkind = \"password\"\nhooks = [\"postgres\"]\n{more}\n\
         [secrets.LOGIN]\nkind = \"template\"\ntemplate = \"{user} ${{PASSWORD}}\"\n\
         [hooks.postgres]\nprogram = \"hooks/postgres\"\nsteps = [\"set\", \"test\", \"retire\"]\nsecrets = [\"ADMIN\"]\n\
         options = {{ host = \"{}\", user = \"app\" }}\n\
         [outputs.app]\nformat = \"docker-secrets\"\npath = \"app\"\nsecrets = [\"LOGIN\"]\n",
        postgres.host().display()
    );
    let shop = project(&manifest, &["postgres"], &[("ADMIN", ADMIN)]);
    // The first one was never set.
    rotate(&shop, "PASSWORD", 1);
    shop
}

fn logs_in(postgres: &Postgres, login: &str) -> bool {
    let (user, password) = login.split_once(' ').unwrap();
    postgres.logs_in(user, password)
}

#[test]
fn nobody_is_refused_while_the_command_rotates_the_password_of_two_users_fifty_times() {
    let Some(postgres) = Postgres::start() else { return };
    postgres.execute("CREATE ROLE app_a; CREATE ROLE app_b");
    let shop = shop(&postgres, "usernames = [\"app_a\", \"app_b\"]\noverlap = \"1s\"", "${PASSWORD | username}");
    let found = with_clients(&shop.path("app/login"), |it| logs_in(&postgres, it), || rotate(&shop, "PASSWORD", 50));
    assert!(found.uses > 400, "{found:?}");
    found.assert_nobody_refused();
    assert!(!postgres.log().contains(&String::from_utf8(shop.get("PASSWORD")).unwrap()));
}

#[test]
fn one_user_is_refused_until_the_command_has_delivered_the_new_password() {
    let Some(postgres) = Postgres::start() else { return };
    postgres.execute("CREATE ROLE app");
    let shop = shop(&postgres, "", "app");
    let work = || (0..10).for_each(|_| drop(shop.run(["rotate", "PASSWORD"]).assert_code(0)));
    let found = with_clients(&shop.path("app/login"), |it| logs_in(&postgres, it), work);
    // A figure for whoever decides between one user and two.
    counted(&format!(
        "one user, 10 rotations: of {} logins {} were refused, the longest gap took {:?}",
        found.uses, found.refused, found.gap
    ));
    assert!(logs_in(&postgres, &shop.read("app/login")));
}
