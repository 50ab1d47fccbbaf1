//! Versions of a secret belong to its users in turn, and templates say whose the value is.

use crate::support::Project;

const MANIFEST: &str = r#"
[project]
name = "shop"

[secrets.PASSWORD]
kind = "password"
usernames = ["app_a", "app_b"]

[secrets.USER]
kind = "template"
template = "${PASSWORD | username}"

[outputs.env]
format = "dotenv"
path = ".env"
secrets = ["USER", "PASSWORD"]
"#;

/// The user and the password that the file has.
fn delivered(project: &Project) -> (String, String) {
    let text = project.read(".env");
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).unwrap();
        line.trim_matches('\'').to_owned()
    };
    (value("USER"), value("PASSWORD"))
}

#[test]
fn users_alternate_with_each_new_value_and_are_delivered_with_it() {
    let project = Project::initialised(MANIFEST);
    let mut seen = vec![delivered(&project)];
    for _ in 0..3 {
        project.run(["generate", "--replace", "PASSWORD", "--yes"]).assert_code(0);
        seen.push(delivered(&project));
    }
    // A value that comes by hand is the next one's too.
    project.run_with_stdin(["set", "PASSWORD"], b"Zk3vYq8mT1xWc5RbLpNs7dHf").assert_code(0);
    project.run(["generate"]).assert_code(0);
    seen.push(delivered(&project));
    let users: Vec<&str> = seen.iter().map(|(user, _)| user.as_str()).collect();
    assert_eq!(users, ["app_a", "app_b", "app_a", "app_b", "app_a"]);
    seen.dedup_by(|one, other| one.1 == other.1);
    assert_eq!(seen.len(), 5, "a user changed without its password");
    project.run(["render"]).assert_code(0);
    assert_eq!(delivered(&project), seen[4]);
}

#[test]
fn a_value_from_before_users_alternated_belongs_to_the_first() {
    let users = "usernames = [\"app_a\", \"app_b\"]\n";
    let before = MANIFEST.replace(users, "").replace("${PASSWORD | username}", "nobody");
    let project = Project::initialised(&before);
    let (_, password) = delivered(&project);
    project.write("vault-kit.toml", MANIFEST);
    project.run(["generate"]).assert_code(0);
    assert_eq!(delivered(&project), ("app_a".to_owned(), password));
    project.run(["generate", "--replace", "PASSWORD", "--yes"]).assert_code(0);
    assert_eq!(delivered(&project).0, "app_b");
}
