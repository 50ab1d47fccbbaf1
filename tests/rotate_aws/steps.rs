//! Each rule of the protocol.

use vault_kit::error::Error;
use vault_kit::remote::{CURRENT, OWN_LABEL, PENDING, Remote as _, Sending};
use vault_kit::rotate::claim::{self, ATTEMPT_TAG, Claimed, Promoted, Seen};

use crate::aws::Fake;
use crate::owner::Owner;
use crate::rig::{Ended, Host, NAME, OWNER, content, current, fake, pending, text};
use crate::within;

/// The double, a host, what it saw, and the id of the version that follows from that.
struct Scene {
    fake: Fake,
    host: Host,
    seen: Seen,
    id: String,
}

impl Scene {
    fn new() -> Self {
        let fake = fake("0-first");
        let host = Host::of(&fake);
        let seen = host.see().unwrap();
        let id = claim::id(&seen).to_string();
        fake.forget();
        Self { fake, host, seen, id }
    }

    fn claim(&self, value: &str) -> Result<Claimed, Error> {
        claim::claim(&self.host.aws, &self.seen, OWNER, content(value))
    }

    /// The value that a claim which must go on answers with.
    #[track_caller]
    fn goes_on(&self, value: &str) -> String {
        match self.claim(value) {
            Ok(Claimed::Go { id, content }) if id == self.id => text(&content),
            other => panic!("{other:?}"),
        }
    }

    /// What another host sends to the same id.
    fn other_sends(&self, value: &str) {
        let content = content(value);
        let sending = Sending { arn: &self.seen.arn, token: &self.id, content: &content };
        Host::of(&self.fake).aws.send(&[sending]).remove(0).unwrap();
    }

    fn labels(&self) -> Vec<Vec<String>> {
        self.fake.versions(NAME).into_values().filter(|labels| !labels.is_empty()).collect()
    }
}

#[test]
fn a_rotation_alone_takes_five_requests() {
    within("steps::a_rotation_alone_takes_five_requests", || {
        let scene = Scene::new();
        let owner = Owner::with(2, &scene.fake);
        scene.host.aws.account().unwrap();
        let ended = scene.host.rotate(&scene.seen, "1-new", &owner, crate::rig::Crash::Never).unwrap();
        assert_eq!(ended, Ended::Rotated(scene.id.clone(), Promoted::Now));
        let asked: Vec<String> = scene.fake.log().into_iter().map(|it| it.operation).collect();
        assert_eq!(
            asked,
            [
                "GetCallerIdentity",
                "PutSecretValue",
                "UpdateSecretVersionStage",
                "DescribeSecret",
                "UpdateSecretVersionStage",
                "UpdateSecretVersionStage",
            ]
        );
        assert_eq!((current(&scene.fake), pending(&scene.fake)), (scene.id.clone(), None));
        assert_eq!(scene.fake.value(NAME), b"1-new");
        assert_eq!(scene.labels().len(), 2, "{:?}", scene.fake.versions(NAME));
        assert!(matches!(scene.claim("2-late").unwrap(), Claimed::Already { id } if id == scene.id));
        assert_eq!(pending(&scene.fake), None);
        assert_eq!(owner.violations(), [] as [String; 0]);
    });
}

#[test]
fn whoever_sends_second_goes_on_with_the_value_of_the_first() {
    within("steps::whoever_sends_second_goes_on_with_the_value_of_the_first", || {
        let scene = Scene::new();
        scene.other_sends("1-theirs");
        assert_eq!(scene.goes_on("1-ours"), "1-theirs");
        assert_eq!(pending(&scene.fake).as_ref(), Some(&scene.id));
        // And whoever comes third, once it is marked.
        scene.fake.forget();
        assert_eq!(scene.goes_on("1-again"), "1-theirs");
        assert_eq!(scene.fake.all_calls(), 4);
        assert_eq!(claim::promote(&scene.host.aws, &scene.seen, &scene.id).unwrap(), Promoted::Now);
        assert_eq!(claim::promote(&scene.host.aws, &scene.seen, &scene.id).unwrap(), Promoted::Already);
        assert_eq!(scene.fake.value(NAME), b"1-theirs");
    });
}

#[test]
fn a_mark_that_a_dead_finisher_left_on_the_version_in_force_is_taken_off() {
    within("steps::a_mark_that_a_dead_finisher_left_on_the_version_in_force_is_taken_off", || {
        let scene = Scene::new();
        scene.fake.relabel(NAME, PENDING, Some(&scene.seen.current));
        assert_eq!(scene.goes_on("1-new"), "1-new");
        assert_eq!(pending(&scene.fake), Some(scene.id));
    });
}

#[test]
fn a_mark_on_a_version_of_ours_that_cannot_come_into_force_is_taken_off() {
    within("steps::a_mark_on_a_version_of_ours_that_cannot_come_into_force_is_taken_off", || {
        // By our label.
        let scene = Scene::new();
        let dead = scene.fake.put_labelled(NAME, "0-dead", &["another"]);
        scene.fake.relabel(NAME, PENDING, Some(&dead));
        scene.fake.before("UpdateSecretVersionStage", 1, move |fake| fake.relabel(NAME, OWN_LABEL, Some(&dead)));
        assert_eq!(scene.goes_on("1-new"), "1-new");

        // By its id, since our label went on: an abort died before it took the mark off.
        let scene = Scene::new();
        assert_eq!(scene.goes_on("1-aborted"), "1-aborted");
        scene.fake.tag(NAME, ATTEMPT_TAG, "1");
        let seen = scene.host.see().unwrap();
        let next = claim::claim(&scene.host.aws, &seen, OWNER, content("1-next")).unwrap();
        assert!(
            matches!(&next, Claimed::Go { id, content } if *id != scene.id && text(content) == "1-next"),
            "{next:?}"
        );

        // A push took the place of the version that it began from.
        let scene = Scene::new();
        assert_eq!(scene.goes_on("1-too-late"), "1-too-late");
        scene.fake.put(NAME, "1-pushed");
        let seen = scene.host.see().unwrap();
        let next = claim::claim(&scene.host.aws, &seen, OWNER, content("2-next")).unwrap();
        assert!(matches!(&next, Claimed::Go { content, .. } if text(content) == "2-next"), "{next:?}");
    });
}

#[test]
fn a_mark_on_a_version_of_ours_whose_base_was_forgotten_is_taken_off_where_versions_may_be_listed() {
    let test = "steps::a_mark_on_a_version_of_ours_whose_base_was_forgotten_is_taken_off_where_versions_may_be_listed";
    within(test, || {
        let scene = Scene::new();
        scene.goes_on("1-slept");
        for value in ["1-pushed", "2-pushed"] {
            let pushed = scene.fake.put_labelled(NAME, value, &[CURRENT, OWN_LABEL]);
            assert_eq!(current(&scene.fake), pushed);
        }
        assert_eq!(scene.fake.versions(NAME)[&scene.seen.current], [] as [String; 0]);
        let seen = scene.host.see().unwrap();
        scene.fake.deny("ListSecretVersionIds");
        let error = claim::claim(&scene.host.aws, &seen, OWNER, content("3-new")).unwrap_err();
        assert_eq!(error.code(), "remote-pending");
        scene.fake.heal();
        let claimed = claim::claim(&scene.host.aws, &seen, OWNER, content("3-again")).unwrap();
        assert!(matches!(&claimed, Claimed::Go { content, .. } if text(content) == "3-new"), "{claimed:?}");
    });
}

#[test]
fn a_mark_of_somebody_else_is_refused_and_left() {
    within("steps::a_mark_of_somebody_else_is_refused_and_left", || {
        let scene = Scene::new();
        let theirs = scene.fake.put_labelled(NAME, "1-lambda", &[PENDING]);
        let error = scene.claim("1-ours").unwrap_err();
        assert_eq!((error.code(), error.kind().code()), ("remote-pending", 7));
        assert_eq!(
            error.to_string(),
            format!("somebody else rotates `{NAME}`: version {theirs} has AWSPENDING, and is not ours")
        );
        assert_eq!(
            error.hints(),
            [
                "wait until they are done".to_owned(),
                format!(
                    "or, if they never will be: `aws secretsmanager update-secret-version-stage --secret-id {NAME} \
                     --version-stage AWSPENDING --remove-from-version-id {theirs}`"
                )
            ]
        );
        assert_eq!(pending(&scene.fake), Some(theirs));
        assert_eq!(scene.fake.value(NAME), b"0-first");
        // Once it is gone, the same version goes on.
        scene.fake.relabel(NAME, PENDING, None);
        assert_eq!(scene.goes_on("1-later"), "1-ours");
    });
}

#[test]
fn a_state_that_is_no_more_is_superseded_and_leaves_no_mark() {
    within("steps::a_state_that_is_no_more_is_superseded_and_leaves_no_mark", || {
        let scene = Scene::new();
        scene.fake.put(NAME, "1-by-hand");
        assert!(matches!(scene.claim("1-ours").unwrap(), Claimed::Superseded));
        assert_eq!((pending(&scene.fake), scene.fake.value(NAME)), (None, b"1-by-hand".to_vec()));

        let scene = Scene::new();
        scene.fake.tag(NAME, ATTEMPT_TAG, "1");
        assert!(matches!(scene.claim("1-ours").unwrap(), Claimed::Superseded));
        assert_eq!((pending(&scene.fake), scene.fake.value(NAME)), (None, b"0-first".to_vec()));
    });
}

#[test]
fn what_is_in_force_already_is_said_and_loses_the_mark() {
    within("steps::what_is_in_force_already_is_said_and_loses_the_mark", || {
        let scene = Scene::new();
        assert_eq!(scene.goes_on("1-new"), "1-new");
        scene.fake.relabel(NAME, CURRENT, Some(&scene.id));
        assert_eq!(pending(&scene.fake).as_ref(), Some(&scene.id));
        assert!(matches!(scene.claim("1-late").unwrap(), Claimed::Already { id } if id == scene.id));
        assert_eq!(pending(&scene.fake), None);
    });
}

#[test]
fn a_refused_promotion_is_what_the_description_says() {
    within("steps::a_refused_promotion_is_what_the_description_says", || {
        // Somebody with the same value was first.
        let scene = Scene::new();
        scene.goes_on("1-new");
        let id = scene.id.clone();
        scene.fake.before("UpdateSecretVersionStage", 2, move |fake| fake.relabel(NAME, CURRENT, Some(&id)));
        assert_eq!(claim::promote(&scene.host.aws, &scene.seen, &scene.id).unwrap(), Promoted::Already);

        // Somebody with another one was.
        let scene = Scene::new();
        scene.goes_on("1-new");
        scene.fake.before("UpdateSecretVersionStage", 2, |fake| drop(fake.put(NAME, "1-by-hand")));
        let error = claim::promote(&scene.host.aws, &scene.seen, &scene.id).unwrap_err();
        assert_eq!((error.code(), error.kind().code()), ("remote-conflict", 7));
        assert_eq!(scene.fake.value(NAME), b"1-by-hand");

        // Long before.
        let scene = Scene::new();
        scene.goes_on("1-new");
        scene.fake.put(NAME, "1-by-hand");
        assert_eq!(claim::promote(&scene.host.aws, &scene.seen, &scene.id).unwrap_err().code(), "remote-conflict");
        assert_eq!(scene.fake.value(NAME), b"1-by-hand");
    });
}

#[test]
fn what_somebody_took_back_is_not_put_in_force_again() {
    within("steps::what_somebody_took_back_is_not_put_in_force_again", || {
        let scene = Scene::new();
        let owner = Owner::with(2, &scene.fake);
        scene.host.rotate_now("1-bad", &owner);
        scene.fake.relabel(NAME, CURRENT, Some(&scene.seen.current));
        let error = scene.claim("1-again").unwrap_err();
        assert_eq!(error.code(), "remote-conflict");
        assert!(error.hints()[0].contains("--tags Key=vault-kit:attempt,Value=1`"), "{:?}", error.hints());
        assert_eq!(pending(&scene.fake), None);
        scene.fake.tag(NAME, ATTEMPT_TAG, "1");
        let seen = scene.host.see().unwrap();
        assert!(matches!(claim::claim(&scene.host.aws, &seen, OWNER, content("1-good")).unwrap(), Claimed::Go { .. }));
    });
}

#[test]
fn what_is_not_ours_to_rotate_is_refused_before_and_after_it_was_seen() {
    within("steps::what_is_not_ours_to_rotate_is_refused_before_and_after_it_was_seen", || {
        type Change = fn(&Fake);
        let cases: [(&str, Change); 5] = [
            ("remote-rotated", |fake| fake.rotation_enabled(NAME)),
            ("remote-managed", |fake| fake.owning_service(NAME, "rds")),
            ("remote-managed", |fake| fake.external_type(NAME, "SalesforceClientSecret")),
            ("remote-scheduled", |fake| fake.schedule(NAME, 7)),
            ("remote-replica", |fake| fake.replica_of(NAME, "us-east-1")),
        ];
        for (code, change) in cases {
            let scene = Scene::new();
            change(&scene.fake);
            let error = Seen::of(&scene.host.listed().unwrap(), OWNER).unwrap_err();
            assert_eq!((error.code(), error.kind().code()), (code, 7));
            // AWS itself refuses to write to the last two.
            if code == "remote-rotated" || code == "remote-managed" {
                assert_eq!(scene.claim("1-new").unwrap_err().code(), code);
            } else {
                assert_eq!(scene.claim("1-new").unwrap_err().code(), "remote-refused");
            }
            assert_eq!((pending(&scene.fake), current(&scene.fake)), (None, scene.seen.current), "{code}");
        }
        let fake = Fake::start();
        fake.put_valueless(NAME);
        fake.tag(NAME, "vault-kit:managed", OWNER);
        let listed = Host::of(&fake).listed().unwrap();
        assert_eq!(Seen::of(&listed, OWNER).unwrap_err().code(), "remote-valueless");
        assert_eq!(Seen::of(&listed, "shop/dev").unwrap_err().code(), "remote-foreign");
    });
}

#[test]
fn everything_that_is_asked_for_is_in_the_policy_of_a_rotator() {
    within("steps::everything_that_is_asked_for_is_in_the_policy_of_a_rotator", || {
        let scene = Scene::new();
        let owner = Owner::with(1, &scene.fake);
        scene.fake.relabel(NAME, PENDING, Some(&scene.seen.current));
        scene.host.rotate_now("1-new", &owner);
        let seen = scene.host.see().unwrap();
        let theirs = scene.fake.put_labelled(NAME, "2-lambda", &[PENDING]);
        claim::claim(&scene.host.aws, &seen, OWNER, content("2-new")).unwrap_err();
        assert_eq!(pending(&scene.fake), Some(theirs));
        scene.fake.relabel(NAME, PENDING, None);
        claim::claim(&scene.host.aws, &seen, OWNER, content("2-late")).unwrap();
        claim::abort(&scene.host.aws, &seen, &claim::id(&seen).to_string()).unwrap();
        let manifest = r#"
            project.name = "shop"
            environments.prod.aws = { account = "123456789012", region = "eu-west-1", prefix = "/shop/prod/" }
            secrets.PASSWORD = { kind = "password", aws = "password" }
        "#;
        let manifest = vault_kit::manifest::parse(manifest, "m").unwrap();
        let environment = vault_kit::name::EnvName::new("prod").unwrap();
        let policy = vault_kit::iam::Policy::of(&manifest, &environment, vault_kit::iam::Role::Rotator, true).unwrap();
        let policy = serde_json::to_string(&policy).unwrap();
        let mut asked: Vec<String> = scene.fake.log().into_iter().map(|it| it.operation).collect();
        asked.sort();
        asked.dedup();
        assert_eq!(
            asked,
            [
                "DescribeSecret",
                "GetSecretValue",
                "ListSecretVersionIds",
                "ListSecrets",
                "PutSecretValue",
                "TagResource",
                "UpdateSecretVersionStage"
            ]
        );
        for operation in asked {
            assert!(policy.contains(&format!("\"secretsmanager:{operation}\"")), "{operation}: {policy}");
        }
    });
}
