//! Redis, with eight clients that log in all the time.

use super::{project, rotate, with_clients};
use crate::redis::{ADMIN, Redis};

#[test]
fn nobody_is_refused_while_the_command_rotates_fifty_passwords() {
    let Some(redis) = Redis::start() else { return };
    let manifest = format!(
        "[project]\nname = \"shop\"\n[secrets.ADMIN]\nkind = \"external\"\n\
         [secrets.PASSWORD]\nkind = \"password\"\nhooks = [\"redis\"]\noverlap = \"1s\"\n\
         [hooks.redis]\nprogram = \"hooks/redis\"\nsteps = [\"set\", \"test\", \"retire\"]\nsecrets = [\"ADMIN\"]\n\
         options = {{ socket = \"{}\", user = \"app\" }}\n\
         [outputs.app]\nformat = \"docker-secrets\"\npath = \"app\"\nsecrets = [\"PASSWORD\"]\n",
        redis.socket().display()
    );
    let shop = project(&manifest, &["redis"], &[("ADMIN", ADMIN)]);
    // The first one was never set.
    rotate(&shop, "PASSWORD", 1);
    let logs_in = |password: &str| redis.logs_in("app", password);
    let found = with_clients(&shop.path("app/password"), logs_in, || rotate(&shop, "PASSWORD", 50));
    assert!(found.uses > 400, "{found:?}");
    found.assert_nobody_refused();
}
