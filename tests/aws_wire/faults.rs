//! What happens when AWS throttles, fails, or is not there.

use std::time::{Duration, Instant};

use serde_json::json;
use vault_kit::remote::aws::Patience;
use vault_kit::remote::{Cause, Remote};

use super::server::{Reply, Server};
use super::{KEYS, client, within};

/// A listing without secrets.
fn nothing() -> Reply {
    Reply::json(&json!({ "SecretList": [] }))
}

fn description(id: &str) -> Reply {
    Reply::json(&json!({ "ARN": format!("arn:{id}"), "Name": id }))
}

type Fault = fn() -> Reply;

fn passes(number: usize, fault: Fault, cause: Cause) {
    let server = Server::new(move |asked| if asked.number < 2 { fault() } else { nothing() });
    let (aws, notices) = client(&server.endpoint, Patience::Unattended);
    assert_eq!(aws.list("/p/"), Ok(vec![]), "fault {number}");
    assert_eq!(server.asked().len(), 3, "fault {number}");
    let told: Vec<_> = notices.lock().unwrap().iter().map(|it| (it.cause, it.operation)).collect();
    assert_eq!(told, [(cause, "ListSecrets"); 2], "fault {number}");
    for (notice, most) in notices.lock().unwrap().iter().zip([500, 1_000]) {
        let most = Duration::from_millis(most);
        assert!(notice.wait >= most / 2 && notice.wait <= most, "fault {number}: {notice:?}");
    }
}

#[test]
fn what_passes_is_tried_again_and_told() {
    within("faults::what_passes_is_tried_again_and_told", &KEYS, "", |_| {
        let faults: [(Fault, Cause); 8] = [
            (|| Reply::error(400, "ThrottlingException"), Cause::Throttled),
            (|| Reply::error(503, "SlowDown"), Cause::Throttled),
            (|| Reply::Status(429, "slow down".into()), Cause::Throttled),
            (|| Reply::error(500, "InternalServiceError"), Cause::Unreachable),
            (|| Reply::Status(502, "<html>bad gateway</html>".into()), Cause::Unreachable),
            (|| Reply::Reset, Cause::Unreachable),
            (|| Reply::Raw(Vec::new()), Cause::Unreachable),
            (|| Reply::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".to_vec()), Cause::Unreachable),
        ];
        std::thread::scope(|threads| {
            for (number, (fault, cause)) in faults.into_iter().enumerate() {
                threads.spawn(move || passes(number, fault, cause));
            }
        });
    });
}

#[test]
fn tries_end_with_patience() {
    within("faults::tries_end_with_patience", &KEYS, "", |_| {
        let wait = Patience::Wait(Duration::from_millis(1_200));
        for (patience, tries) in [(Patience::Interactive, 2..=2), (Patience::Unattended, 4..=4), (wait, 3..=4)] {
            let server = Server::new(|_| Reply::error(400, "ThrottlingException"));
            let (aws, notices) = client(&server.endpoint, patience);
            let failure = aws.list("/p/").unwrap_err();
            assert_eq!((failure.cause, failure.operation), (Cause::Throttled, "ListSecrets"));
            assert_eq!(failure.code.as_deref(), Some("ThrottlingException"));
            assert!(failure.request.unwrap().starts_with("00000000-1111-2222-3333-44444444"));
            let asked = server.asked().len();
            assert!(tries.contains(&asked), "{patience:?}: {asked}");
            assert_eq!(notices.lock().unwrap().len(), asked - 1);
        }
    });
}

#[test]
fn all_verbs_of_a_command_have_one_patience() {
    within("faults::all_verbs_of_a_command_have_one_patience", &KEYS, "", |_| {
        let server = Server::new(|_| Reply::error(400, "ThrottlingException"));
        let (aws, _) = client(&server.endpoint, Patience::Wait(Duration::from_millis(1_200)));
        aws.list("/p/").unwrap_err();
        let asked = server.asked().len();
        assert!(asked > 1);
        aws.describe(&["/p/a"]).pop().unwrap().unwrap_err();
        assert_eq!(server.asked().len(), asked + 1, "nothing of it is left");
    });
}

#[test]
fn what_is_no_answer_is_not_asked_for_again() {
    within("faults::what_is_no_answer_is_not_asked_for_again", &KEYS, "", |_| {
        let bodies =
            ["", "{}", "<html>s3cr3t-message</html>", "{\"SecretList\": 7}", "{\"SecretList\": [{}]}", "[1]", "{"];
        for body in bodies {
            let server = Server::new(move |_| Reply::Status(200, body.into()));
            let (aws, notices) = client(&server.endpoint, Patience::Unattended);
            let failure = aws.list("/p/").unwrap_err();
            assert_eq!(failure.cause, Cause::Garbled, "{body}");
            assert!(!format!("{failure:?} {}", failure.about("`/p/`")).contains("s3cr3t"), "{failure:?}");
            assert_eq!((server.asked().len(), notices.lock().unwrap().len()), (1, 0), "{body}");
        }
    });
}

#[test]
fn a_machine_that_is_not_there_costs_a_person_no_patience_and_not_once_a_secret() {
    within("faults::a_machine_that_is_not_there_costs_a_person_no_patience_and_not_once_a_secret", &KEYS, "", |_| {
        // A port that was free a moment ago refuses.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (aws, notices) = client(&format!("http://127.0.0.1:{port}"), Patience::Interactive);
        let start = Instant::now();
        let failure = aws.list("/p/").unwrap_err();
        assert_eq!((failure.cause, failure.code.as_deref()), (Cause::Unreachable, Some("ConnectionFailed")));
        let ids: Vec<String> = (0..500).map(|number| format!("/p/{number}")).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let causes: Vec<Cause> = aws.describe(&ids).into_iter().map(|it| it.unwrap_err().cause).collect();
        assert_eq!(causes, [Cause::Unreachable; 500]);
        assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
        assert_eq!(notices.lock().unwrap().len(), 2, "one notice a verb");
    });
}

#[test]
fn a_person_does_not_wait_twice_for_a_machine_that_does_not_answer() {
    within("faults::a_person_does_not_wait_twice_for_a_machine_that_does_not_answer", &KEYS, "", |_| {
        let server = Server::new(|_| Reply::Hang(Duration::from_mins(1)));
        let (aws, _) = client(&server.endpoint, Patience::Interactive);
        let start = Instant::now();
        let failure = aws.account().unwrap_err();
        assert_eq!((failure.cause, failure.code.as_deref()), (Cause::Unreachable, Some("TimedOut")));
        assert!((9..14).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
        assert_eq!(server.asked().len(), 1);
    });
}

#[test]
fn one_throttled_secret_does_not_restart_the_others() {
    within("faults::one_throttled_secret_does_not_restart_the_others", &KEYS, "", |_| {
        let server = Server::new(|asked| match asked.number {
            3 | 7 => Reply::error(400, "ThrottlingException"),
            _ => description(asked.body["SecretId"].as_str().unwrap()),
        });
        let (aws, _) = client(&server.endpoint, Patience::Unattended);
        let ids: Vec<String> = (0..40).map(|number| format!("/p/{number}")).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let names: Vec<String> = aws.describe(&ids).into_iter().map(|it| it.unwrap().name).collect();
        assert_eq!(names, ids);
        assert_eq!(server.asked().len(), 42);
    });
}

#[test]
fn sixteen_reads_and_eight_writes_are_in_flight_and_no_more() {
    within("faults::sixteen_reads_and_eight_writes_are_in_flight_and_no_more", &KEYS, "", |_| {
        use std::sync::atomic::{AtomicUsize, Ordering};
        static NOW: AtomicUsize = AtomicUsize::new(0);
        static MOST: AtomicUsize = AtomicUsize::new(0);
        let server = Server::new(|asked| {
            MOST.fetch_max(NOW.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(200));
            NOW.fetch_sub(1, Ordering::SeqCst);
            description(asked.body["SecretId"].as_str().unwrap())
        });
        let (aws, _) = client(&server.endpoint, Patience::Unattended);
        let ids = ["/p/a"; 48];
        assert!(aws.describe(&ids).iter().all(Result::is_ok));
        assert_eq!(MOST.swap(0, Ordering::SeqCst), 16);
        assert!(aws.restore(&ids).iter().all(Result::is_ok));
        assert_eq!(MOST.swap(0, Ordering::SeqCst), 8);
    });
}
