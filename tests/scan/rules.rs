//! What looks like somebody's credential, and what may stand where it stands.

use crate::git::{git, repository};
use crate::support::Project;
use crate::{SHOP, findings, report, scan, set, shop};

/// Put together here, so that this file has none.
pub(crate) fn github_token() -> String {
    ["ghp_", "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ", "0mLq17"].concat()
}

fn jwt() -> String {
    ["eyJhbGciOiJIUzI1NiJ9.", "eyJzdWIiOiIxIn0.", "dGhpcyBpcyBhIHNpZ25hdHVyZSBvZiBzb21lYm9keSBlbHNl"].concat()
}

#[test]
fn a_rule_blocks_warns_or_is_off_as_the_manifest_says() {
    let project = shop();
    project.write("ci.yml", format!("token: {}\n", github_token()));
    project.write("test.py", format!("\nTOKEN = '{}'\n", jwt()));
    let both = set(&[("github-token", "ci.yml", 1), ("jwt", "test.py", 2)]);
    let run = scan(&project, &[]).assert_code(1);
    assert_eq!(findings(&run), both);
    assert!(!run.stdout.contains(&github_token()) && !run.stdout.contains(&jwt()[30..]));
    // A warning alone fails nothing.
    scan(&project, &["test.py"]).assert_code(0);

    project.write("vault-kit.toml", format!("{SHOP}\n[scan]\nrules = {{ jwt = \"block\", github-token = \"off\" }}\n"));
    let run = scan(&project, &[]).assert_code(1);
    assert_eq!(findings(&run), set(&[("jwt", "test.py", 2)]));
    project.write("vault-kit.toml", format!("{SHOP}\n[scan]\nrules = {{ jtw = \"block\" }}\n"));
    let run = project.run(["scan"]).assert_code(3);
    assert!(run.stderr.contains("did you mean `jwt`?"), "{run:?}");
}

#[test]
fn our_own_keys_are_known_by_their_checksum_and_a_known_key_is_told_as_known() {
    let project = shop();
    let issued = project.run(["apikey", "new", "partner"]).assert_code(0).stdout;
    let key = issued.split_whitespace().find(|word| word.starts_with("shop_dev_")).unwrap().to_owned();
    project.write("partner.txt", format!("key: {key}\n"));
    project.write("typo.txt", format!("key: {}x\n", &key[..key.len() - 1]));
    project.write("key.pem", project.get("SIGNING"));
    let run = scan(&project, &["partner.txt", "typo.txt", "key.pem"]).assert_code(1);
    assert_eq!(findings(&run), set(&[("api-key", "partner.txt", 1), ("SIGNING", "key.pem", 2)]));
}

/// The line that a finding says would let it pass.
fn line(project: &Project, file: &str) -> String {
    report(&scan(project, &[file]))["findings"][0]["ignore"].as_str().unwrap().to_owned()
}

#[test]
fn the_line_that_is_printed_lets_that_very_finding_pass_before_there_is_a_commit() {
    let project = repository();
    let file = "docs/a #1.md";
    project.write(file, format!("{}\n", github_token()));
    git(&project, &["add", "docs"]).assert_code(0);
    let ignore =
        report(&scan(&project, &["--staged"]).assert_code(1))["findings"][0]["ignore"].as_str().unwrap().to_owned();
    assert!(!ignore.contains(&github_token()));
    project.write(
        ".vault-kit-ignore",
        format!("# Of the shop.\n{}\n", ignore.replace("why it may stand here", "an example of GitHub's")),
    );
    // What is committed without the line is a leak wherever it arrives.
    let run = scan(&project, &["--staged"]).assert_code(1);
    assert!(run.stdout.contains("its line in .vault-kit-ignore is not in git's index"), "{run:?}");
    git(&project, &["add", ".vault-kit-ignore"]).assert_code(0);
    let run = scan(&project, &["--staged"]).assert_code(0);
    assert_eq!(report(&run)["ignored"][0]["ignored"], "an example of GitHub's");
    assert!(project.run(["scan", "--staged"]).assert_code(0).stdout.contains("an example of GitHub's"));
    // Another one in the same file, and the same one elsewhere, are others.
    project.write(
        file,
        format!("{}\n{}\n", github_token(), ["ghp_", "123456789012345678901234567890", "000000"].concat()),
    );
    project.write("copy.md", github_token());
    assert_eq!(findings(&scan(&project, &["docs", "copy.md"]).assert_code(1)), set(&[("github-token", "copy.md", 1)]));
}

#[test]
fn a_line_ends_on_its_day_and_a_known_value_is_told_although_it_may_stand() {
    let project = shop();
    project.write("a.txt", project.get("AUTH"));
    let (words, _) = line(&project, "a.txt")
        .rsplit_once(" a.txt # ")
        .map(|(words, rest)| (words.to_owned(), rest.to_owned()))
        .unwrap();
    project.write(".vault-kit-ignore", format!("{words} until=2999-12-31 a.txt # rotated on Friday\n"));
    let run = project.run(["scan", "a.txt"]).assert_code(0);
    assert!(run.stdout.contains("ignored  a.txt:1  leaked: rotated on Friday"), "{}", run.stdout);
    project.write(".vault-kit-ignore", format!("{words} until=2020-01-01 a.txt # rotated on Friday\n"));
    assert!(project.run(["scan", "a.txt"]).assert_code(1).stdout.contains("has ended"));
    // As people and their editors write it.
    project.write(".vault-kit-ignore", format!("\u{feff}{words}   ./a.txt   # rotated on Friday \r\n"));
    scan(&project, &["a.txt"]).assert_code(0);
    project.run(["generate", "--replace", "AUTH", "--yes"]).assert_code(0);
    project.write(".vault-kit-ignore", format!("{words} a.txt # rotated on Friday\n"));
    scan(&project, &["a.txt"]).assert_code(0);
    project.write("a.txt", project.get("AUTH"));
    scan(&project, &["a.txt"]).assert_code(1);
}
