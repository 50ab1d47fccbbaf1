//! README's first screen: what it says that the first command prints, and leaves behind, is so.

use std::collections::BTreeMap;

use crate::support::{self, Project};

/// The lines of README's recording of a command, up to the next one.
fn recorded(readme: &str, command: &str) -> Vec<String> {
    let block = readme.split("```console\n").find(|block| block.contains("made your identity")).expect("the recording");
    let block = &block[..block.find("```").unwrap()];
    let lines = block.lines().skip_while(|line| !(line.starts_with("$ ") && line.contains(command)));
    lines.skip(1).take_while(|line| !line.starts_with("$ ")).map(str::to_owned).collect()
}

#[test]
fn the_first_command_prints_what_the_readme_shows() {
    let readme = std::fs::read_to_string(support::root().join("README.md")).unwrap();
    let project = Project::empty();
    let run = project.run(["init", "--preset", "sutra"]).assert_code(0);
    assert_eq!(run.stdout, "");
    // Where the key is, and that losing it loses the store, is among the lines.
    let identity = project.identity();
    let printed = run.stderr.replace(identity.to_str().unwrap(), "/home/you/.config/vault-kit/identity.txt");
    assert_eq!(printed.lines().collect::<Vec<_>>(), recorded(&readme, " init --preset sutra"));
    assert!(printed.contains("keep a copy somewhere safe, for without it every value is lost"));

    // Containers run as whoever is here, also under root.
    let (user, group) = (rustix::process::geteuid(), rustix::process::getegid());
    let mut check = project.command(["check"]);
    check.env("SUTRA_UID", user.as_raw().to_string()).env("SUTRA_GID", group.as_raw().to_string());
    let run = support::Run::of(&mut check).assert_code(0);
    let printed = [run.both().trim_end(), "exit 0"].join("\n");
    assert_eq!(printed.lines().collect::<Vec<_>>(), recorded(&readme, " check; echo"));
}

#[test]
fn the_first_command_leaves_the_files_and_modes_that_the_readme_lists() {
    let readme = std::fs::read_to_string(support::root().join("README.md")).unwrap();
    let project = Project::preset("sutra");
    let table = readme.split("| file | mode | what |\n").nth(1).unwrap();
    let mut modes = BTreeMap::new();
    for row in table.lines().skip(1).take_while(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.split('|').collect();
        let mode = u32::from_str_radix(cells[2].trim(), 8).unwrap();
        let mut directory = "";
        for path in cells[1].split('`').skip(1).step_by(2) {
            // `.secrets/tokens/service_token.txt`, `admin_token.txt`: the second lies beside the first.
            let path = if path.contains('/') { path.to_owned() } else { format!("{directory}{path}") };
            directory = &cells[1].split('`').nth(1).unwrap()
                [..cells[1].split('`').nth(1).unwrap().rfind('/').map_or(0, |at| at + 1)];
            modes.insert(path, mode);
        }
    }
    let (files, directories): (Vec<_>, Vec<_>) =
        project.snapshot().into_iter().partition(|(path, _)| project.path(path).is_file());
    let files: BTreeMap<String, u32> = files.into_iter().map(|(path, entry)| (path, entry.mode)).collect();
    assert_eq!(files, modes);
    for (path, entry) in directories {
        assert_eq!(entry.mode, if path == "fingerprints" { 0o755 } else { 0o700 }, "{path}");
    }
    assert!(readme.contains("Directories are 0700, but for `fingerprints`, which goes into git and is 0755."));
}
