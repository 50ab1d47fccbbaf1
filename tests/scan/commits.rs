//! Commits and pushes as people make them, in real git with our hooks: each is stopped by what it has, and by nothing else.

use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;

use crate::git::{git, repository};
use crate::hooks::{auth, install, person, person_in};
use crate::support::{Project, Run};
use crate::{findings, report, scan, set};

/// A repository with our hooks and what it pushes to.
struct Guarded {
    project: Project,
    remote: Project,
    auth: String,
}

impl Guarded {
    fn new() -> Self {
        let (project, remote) = (repository(), Project::empty());
        git(&remote, &["init", "-q", "--bare", "-b", "main"]).assert_code(0);
        install(&project);
        let it = Self { auth: auth(&project), project, remote };
        it.push().assert_code(0);
        it
    }

    /// Git with the hooks, as a person runs it.
    fn git(&self, arguments: &[&str]) -> Run {
        person(&self.project, arguments)
    }

    fn push(&self) -> Run {
        self.git(&["push", "-q", self.remote.root().to_str().unwrap(), "main"])
    }

    /// Commits what is staged past our hooks.
    fn commit_unseen(&self) {
        self.git(&["commit", "-q", "--no-verify", "-m", "x"]).assert_code(0);
    }

    /// Pushes past our hooks.
    fn push_unseen(&self) {
        let remote = self.remote.root().to_str().unwrap();
        self.git(&["push", "-q", "--no-verify", remote, "main"]).assert_code(0);
    }

    fn stage_all(&self) {
        git(&self.project, &["add", "-A"]).assert_code(0);
    }

    fn add_in_part(&self, answers: &str) {
        let mut add = person_in(&self.project, self.project.root(), &["add", "-p"]);
        Run::with_stdin(&mut add, answers.as_bytes()).assert_code(0);
    }

    /// What `main` is here and there.
    fn tips(&self) -> [String; 2] {
        [&self.project, &self.remote].map(|it| git(it, &["rev-parse", "main"]).assert_code(0).stdout)
    }

    /// A run was stopped by a leak at these places, and nothing came of it.
    #[track_caller]
    fn assert_told(&self, run: &Run, before: &[String; 2], places: &[&str]) {
        assert!(run.code != 0 && !run.both().contains(&self.auth), "{run:?}");
        for place in places {
            assert!(run.both().contains(&format!("leaked  {place} ")), "{place}: {run:?}");
        }
        assert_eq!(self.tips(), *before, "{run:?}");
    }

    /// What is staged is stopped as a commit and, where somebody went past that, as a push. Is staged again afterwards.
    #[track_caller]
    fn assert_stopped(&self, places: &[&str]) {
        let before = self.tips();
        let run = self.git(&["commit", "-q", "-m", "x"]);
        self.assert_told(&run, &before, places);
        self.commit_unseen();
        let before = self.tips();
        let run = self.push();
        self.assert_told(&run, &before, places);
        git(&self.project, &["reset", "-q", "--soft", "HEAD~1"]).assert_code(0);
    }

    /// What is staged is committed and pushed.
    #[track_caller]
    fn assert_passes(&self) {
        let [before, _] = self.tips();
        self.git(&["commit", "-q", "-m", "x"]).assert_code(0);
        self.push().assert_code(0);
        let [here, there] = self.tips();
        assert!(here == there && here != before, "{here} {there}");
    }
}

/// A text of many lines, the second and the next to last of which may be others.
fn lines(second: &str, late: &str) -> String {
    let each = (0..40).map(|line| match line {
        1 => format!("{second}\n"),
        38 => format!("{late}\n"),
        _ => format!("line {line}\n"),
    });
    each.collect()
}

#[test]
fn of_a_file_that_is_staged_in_part_that_part_is_committed_and_judged() {
    let it = Guarded::new();
    it.project.write("long.txt", lines("a", "b"));
    it.stage_all();
    it.assert_passes();
    let key = format!("key = {}", it.auth);
    // Only what stays in the work tree leaks.
    it.project.write("long.txt", lines("harmless", &key));
    it.add_in_part("y\nn\n");
    it.assert_passes();
    assert!(it.project.read("long.txt").contains(&it.auth));
    // Only what is staged leaks; the work tree was mended since.
    it.project.write("long.txt", lines(&key, "harmless"));
    it.add_in_part("y\nn\n");
    it.project.write("long.txt", lines("mended", "harmless"));
    it.assert_stopped(&["long.txt:2"]);
    // `commit -p` has an index of its own.
    git(&it.project, &["reset", "-q"]).assert_code(0);
    it.project.write("long.txt", lines("other", &key));
    let commit = |answers: &str| {
        let mut commit = person_in(&it.project, it.project.root(), &["commit", "-q", "-p", "-m", "x"]);
        Run::with_stdin(&mut commit, answers.as_bytes())
    };
    // Git itself shows what it asks about.
    let stopped = commit("n\ny\n");
    assert!(stopped.code != 0 && stopped.stderr.contains("leaked  long.txt:39 "), "{stopped:?}");
    commit("y\nn\n").assert_code(0);
    it.push().assert_code(0);
}

#[test]
fn a_leak_that_moves_is_found_where_it_goes_and_one_that_goes_away_is_let_go() {
    let it = Guarded::new();
    it.project.write("old.txt", &it.auth);
    it.stage_all();
    it.commit_unseen();
    it.push_unseen();
    git(&it.project, &["mv", "old.txt", "new.txt"]).assert_code(0);
    it.assert_stopped(&["new.txt:1"]);
    // With more in it, which git tells as a rename too.
    it.project.write("new.txt", format!("one\n{}\n", it.auth));
    it.stage_all();
    it.assert_stopped(&["new.txt:2"]);
    // The remote has the value already: a commit without it makes nothing worse.
    git(&it.project, &["rm", "-q", "-f", "new.txt"]).assert_code(0);
    it.assert_passes();
    // One that only this repository had would be pushed with the commit that takes it out.
    it.project.write("passing.txt", &it.auth);
    it.stage_all();
    it.commit_unseen();
    git(&it.project, &["rm", "-q", "passing.txt"]).assert_code(0);
    it.git(&["commit", "-q", "-m", "x"]).assert_code(0);
    let before = it.tips();
    it.assert_told(&it.push(), &before, &["passing.txt:1"]);
}

#[test]
fn binary_files_and_names_that_no_text_has_are_told_by_commit_and_push() {
    let it = Guarded::new();
    it.project.write("image.bin", [b"\0\x01\0\xff", it.auth.as_bytes(), b"\0"].concat());
    let odd = |name: &[u8]| it.project.root().join(std::ffi::OsStr::from_bytes(name));
    std::fs::create_dir(odd(b"dir\n\xfe")).unwrap();
    // In a range the same content is told once, so each has another.
    for name in [&b"new\nline"[..], b"latin-\xff", b"dir\n\xfe/-x", b":(top)*"] {
        std::fs::write(odd(name), format!("{}\n{}\n", name.escape_ascii(), it.auth)).unwrap();
    }
    it.stage_all();
    it.assert_stopped(&["image.bin (byte 4)", "new\\nline:2", "latin-\\xff:2", "dir\\n\\xfe/-x:2", ":(top)*:2"]);
    for name in [&b"image.bin"[..], b"new\nline", b"latin-\xff", b"dir\n\xfe/-x", b":(top)*"] {
        std::fs::write(odd(name), b"\0clean\xff").unwrap();
    }
    it.stage_all();
    it.assert_passes();
}

#[test]
fn a_submodule_that_is_updated_stops_nothing_and_hides_nothing_beside_it() {
    let it = Guarded::new();
    let library = Project::empty();
    let commit = |text: &str| {
        library.write("a", text);
        git(&library, &["add", "."]).assert_code(0);
        git(&library, &["commit", "-q", "-m", "x"]).assert_code(0);
    };
    git(&library, &["init", "-q", "-b", "main"]).assert_code(0);
    commit("one");
    git(&it.project, &["submodule", "--quiet", "add", library.root().to_str().unwrap(), "vendor"]).assert_code(0);
    it.assert_passes();
    // What is in it is for its own repository to say.
    commit(&it.auth);
    git(&it.project, &["submodule", "--quiet", "update", "--remote"]).assert_code(0);
    git(&it.project, &["add", "vendor"]).assert_code(0);
    it.project.write("leak.txt", &it.auth);
    git(&it.project, &["add", "leak.txt"]).assert_code(0);
    it.assert_stopped(&["leak.txt:1"]);
    git(&it.project, &["rm", "-q", "-f", "leak.txt"]).assert_code(0);
    it.assert_passes();
    let run = scan(&it.project, &["--range", "HEAD~1.."]).assert_code(0);
    assert!(report(&run)["not_checked"].to_string().contains("vendor"), "{}", run.stdout);
}

#[test]
fn a_merge_is_stopped_by_what_it_brings_and_by_what_was_made_of_a_conflict() {
    let it = Guarded::new();
    let side = |name: &str, file: &str, text: &str| {
        it.git(&["checkout", "-q", "-b", name]).assert_code(0);
        it.project.write(file, text);
        it.stage_all();
        it.commit_unseen();
        it.git(&["checkout", "-q", "main"]).assert_code(0);
    };
    side("clean", "readme", "their shop\n");
    side("leaky", "leak.txt", &it.auth);
    it.project.write("readme", "our shop\n");
    it.stage_all();
    it.assert_passes();
    // One that git commits by itself.
    let before = it.tips();
    let run = it.git(&["merge", "-q", "--no-edit", "leaky"]);
    it.assert_told(&run, &before, &["leak.txt:1"]);
    it.git(&["merge", "--abort"]).assert_code(0);
    it.git(&["merge", "-q", "--no-edit", "--no-verify", "leaky"]).assert_code(0);
    let before = it.tips();
    it.assert_told(&it.push(), &before, &["leak.txt:1"]);
    it.git(&["reset", "-q", "--hard", "HEAD~1"]).assert_code(0);
    // One that a person finishes: what neither side had is in the merge alone.
    assert_ne!(it.git(&["merge", "-q", "clean"]).code, 0, "a conflict");
    it.project.write("readme", format!("both shops\n{}\n", it.auth));
    it.stage_all();
    it.assert_stopped(&["readme:2"]);
}

#[test]
fn a_commit_of_many_files_is_looked_at_file_by_file() {
    let it = Guarded::new();
    let count = std::env::var("VAULT_KIT_COMMIT_FILES").ok().and_then(|it| it.parse().ok()).unwrap_or(5000);
    // One pack, rather than as many files that git would read one by one.
    let mut stream = "commit refs/heads/many\ncommitter a <a@example.com> 0 +0000\ndata 1\nx\n".to_owned();
    stream += "from refs/heads/main^0\n";
    let mut add = |path: String, text: &str| {
        writeln!(stream, "M 100644 inline many/{path}.txt\ndata {}\n{text}", text.len()).unwrap();
    };
    for number in 0..count {
        add(format!("{}/{number}", number % 7), &format!("file {number}\n"));
    }
    add("3/leak".to_owned(), &it.auth);
    let mut import = person_in(&it.project, it.project.root(), &["fast-import", "--quiet"]);
    Run::with_stdin(&mut import, stream.as_bytes()).assert_code(0);
    git(&it.project, &["read-tree", "many"]).assert_code(0);
    let run = scan(&it.project, &["--staged"]).assert_code(1);
    assert_eq!(findings(&run), set(&[("AUTH", "many/3/leak.txt", 1)]));
    assert_eq!(report(&run)["looked_at"]["files"], count + 1);
    it.assert_stopped(&["many/3/leak.txt:1"]);
    git(&it.project, &["rm", "-q", "--cached", "many/3/leak.txt"]).assert_code(0);
    it.assert_passes();
}
