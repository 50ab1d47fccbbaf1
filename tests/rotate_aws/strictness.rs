//! A client that puts `AWSPENDING` on its version with the value itself, as most do.

use serde_json::json;

use crate::client::{Client, id, with_secret};
use crate::within;

#[test]
fn of_sixteen_that_send_another_value_under_the_same_mark_and_token_the_double_lets_one_win() {
    let test = "strictness::of_sixteen_that_send_another_value_under_the_same_mark_and_token_the_double_lets_one_win";
    within(test, || {
        let (fake, _) = with_secret();
        let put = |writer: usize| {
            let value = format!("of-writer-{writer}");
            Client::of(&fake).put("s", 'b', &value, &["AWSPENDING"]).map(|_| value)
        };
        let answers: Vec<Result<String, String>> = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..16).map(|writer| scope.spawn(move || put(writer))).collect();
            writers.into_iter().map(|writer| writer.join().unwrap()).collect()
        });
        let won: Vec<&String> = answers.iter().flatten().collect();
        assert_eq!(won.len(), 1, "{answers:?}");
        assert_eq!(fake.value_of("s", &id('b')), won[0].as_bytes());
        let lost = answers.iter().filter(|it| it.as_ref().is_err_and(|code| code == "ResourceExistsException"));
        assert_eq!(lost.count(), 15, "{answers:?}");
    });
}

#[test]
fn a_mark_that_is_sent_with_a_value_is_stolen_and_one_that_is_attached_is_not() {
    within("strictness::a_mark_that_is_sent_with_a_value_is_stolen_and_one_that_is_attached_is_not", || {
        let (fake, mut client) = with_secret();
        client.put("s", 'b', "2", &["AWSPENDING"]).unwrap();
        client.put("s", 'c', "3", &["AWSPENDING"]).unwrap();
        assert_eq!(fake.holder("s", "AWSPENDING"), Some(id('c')), "as AWS says that it does");
        client.put("s", 'd', "4", &["vault-kit"]).unwrap();
        let attach = json!({ "SecretId": "s", "VersionStage": "AWSPENDING", "MoveToVersionId": id('d') });
        assert_eq!(client.refused("UpdateSecretVersionStage", &attach), "InvalidParameterException");
        assert_eq!(fake.holder("s", "AWSPENDING"), Some(id('c')));
    });
}
