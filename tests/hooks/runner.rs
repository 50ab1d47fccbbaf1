//! What the runner does with programs that behave well, badly, or not at all.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use vault_kit::hook::{Ended, Status, Step};
use vault_kit::secret::Secret;

use crate::scene::Scene;

fn run(program: &str, input: &[u8]) -> (Ended, Duration) {
    run_with("timeout = \"2s\"", program, input)
}

fn run_with(more: &str, program: &str, input: &[u8]) -> (Ended, Duration) {
    let scene = Scene::new(&format!("#!/bin/sh\n{program}\n"), more);
    let started = Instant::now();
    let ended = scene.run(Step::Set, input.to_vec());
    (ended, started.elapsed())
}

/// More than a pipe holds.
fn large() -> Vec<u8> {
    vec![b'x'; 4 << 20]
}

#[test]
fn the_exit_code_says_how_it_went() {
    for (program, status) in [
        ("exit 0", Status::Done),
        ("exit 75", Status::Later),
        ("exit 1", Status::Failed(1)),
        ("exit 255", Status::Failed(255)),
        ("kill -9 $$", Status::Killed(9)),
        ("kill -15 $$", Status::Killed(15)),
    ] {
        assert_eq!(run_with("", program, b"").0.status, status, "{program}");
    }
}

#[test]
fn a_program_finds_its_step_its_input_its_directory_and_nothing_else() {
    let program =
        "#!/bin/sh\necho \"$# $1\"; pwd; env | sort; cat\nls -l /proc/self/fd | grep -c -e pipe -e /hooks/x\n";
    let mut scene = Scene::new(program, "");
    scene.environment = vec![("LANG".into(), "C".into()), ("DOCKER_HOST".into(), "unix:///x".into())];
    let ended = scene.run(Step::Retire, b"the input\n".to_vec());
    let text = ended.redacted(&[]);
    let lines: Vec<&str> =
        text.lines().filter(|line| !line.starts_with("_=") && !line.starts_with("OLDPWD=")).collect();
    let project = scene.project().canonicalize().unwrap().display().to_string();
    let (pwd, within) = (format!("PWD={project}"), format!("VAULT_KIT_HOOK_OF={project}"));
    let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    assert_eq!(lines[..2], ["1 retire", &project]);
    assert_eq!(lines[2..lines.len() - 2], ["DOCKER_HOST=unix:///x", "LANG=C", path, pwd.as_str(), within.as_str()]);
    assert_eq!(lines[lines.len() - 2], "the input");
}

#[test]
fn a_program_need_not_read_its_input() {
    let (ended, took) = run("exit 0", &large());
    assert_eq!(ended.status, Status::Done);
    assert!(took < Duration::from_millis(1500), "{took:?}");
    let (ended, _) = run("exec 0<&-; sleep 0.2; exit 3", &large());
    assert_eq!(ended.status, Status::Failed(3));
    let (ended, _) = run("head -c 10 >&2", &large());
    assert_eq!((ended.status, ended.redacted(&[]).as_str()), (Status::Done, "xxxxxxxxxx"));
}

#[test]
fn an_input_of_any_length_arrives_whole() {
    let (ended, _) = run_with("", "wc -c", &large());
    assert_eq!(ended.redacted(&[]).trim(), (4 << 20).to_string());
}

#[test]
fn output_without_an_end_is_read_and_bounded() {
    let (ended, took) = run("cat >&2; yes", &large());
    assert_eq!(ended.status, Status::TimedOut);
    assert!(took < Duration::from_secs(4), "{took:?}");
    let text = ended.redacted(&[]);
    assert!(text.len() < 140_000 && text.contains("… (more was written)"), "{}", text.len());
    let (ended, _) = run_with("", "head -c 200000000 /dev/zero | tr '\\0' y; exit 4", b"");
    assert_eq!((ended.status, ended.redacted(&[]).len() < 70_000), (Status::Failed(4), true));
}

#[test]
fn somebody_who_is_left_behind_with_the_pipes_keeps_nobody_waiting() {
    let (ended, took) = run("setsid sleep 30 & exit 0", &large());
    assert_eq!(ended.status, Status::Done);
    assert!(took < Duration::from_millis(1500), "{took:?}");
}

#[test]
fn a_program_whose_time_is_up_ends_with_all_that_it_started() {
    let (ended, took) = run("sleep 30 & echo $!; wait", b"");
    assert_eq!(ended.status, Status::TimedOut);
    assert!((Duration::from_secs(2)..Duration::from_secs(4)).contains(&took), "{took:?}");
    let child = Pid::from_raw(ended.redacted(&[]).trim().parse().unwrap()).unwrap();
    let is_gone = || test_kill_process(child).is_err() || is_zombie(child);
    let until = Instant::now() + Duration::from_secs(2);
    while !is_gone() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(is_gone());
}

fn is_zombie(pid: Pid) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
    status.contains(") Z ")
}

#[test]
fn a_program_that_ignores_sigterm_is_killed_five_seconds_later() {
    let (ended, took) = run("trap '' TERM; sleep 30 & sleep 30", b"");
    assert_eq!(ended.status, Status::TimedOut);
    assert!((Duration::from_secs(7)..Duration::from_secs(10)).contains(&took), "{took:?}");
}

#[test]
fn a_signal_to_us_ends_the_program_and_leaves_us_the_time_to_say_so() {
    let scene = Scene::new("#!/bin/sh\ntouch started\nsleep 30\n", "");
    scene.trust();
    let running = scene.start(Step::Set, Vec::new());
    while !scene.project().join("started").exists() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let started = Instant::now();
    kill_process(rustix::process::getpid(), Signal::INT).unwrap();
    assert_eq!(running.wait().unwrap().status, Status::Interrupted);
    assert!(started.elapsed() < Duration::from_secs(3));
}

#[test]
fn a_value_that_a_program_prints_in_pieces_is_not_shown() {
    let program = "printf 'it is hun'; sleep 0.1; printf 'ter2hunter2, '; echo hunter2hunter2 | base64 >&2; exit 1";
    let (ended, _) = run_with("", program, b"");
    let value = Secret::copy_of(b"hunter2hunter2");
    assert!(ended.redacted(&[]).contains("hunter2"), "without a value there is nothing to blot out");
    let text = ended.redacted(&[&value]);
    assert!(text.starts_with("it is [redacted], \n[redacted]"), "{text}");
    assert!(format!("{ended:?}").contains("21 bytes"), "{ended:?}");
    // Cut off in the middle of the value, by the bound of what is kept.
    let program = "head -c 65530 /dev/zero | tr '\\0' y; printf hunter2hunter2";
    let (ended, _) = run_with("", program, b"");
    assert!(!ended.redacted(&[&value]).contains('h'), "the beginning of a value is shown");
}
