//! Many at once.

use vault_kit::name::SecretName;

use crate::support::{Project, counted};

/// Enough for every commit; a hundred with `VAULT_KIT_RACE_ROUNDS=100` when the tests are built.
fn rotations() -> usize {
    option_env!("VAULT_KIT_RACE_ROUNDS").and_then(|text| text.parse().ok()).unwrap_or(20)
}

#[test]
fn eight_processes_with_many_rotations_each_lose_none() {
    let names: Vec<String> = (0..8).map(|index| format!("KEY_{index}")).collect();
    let secrets: Vec<String> = names.iter().map(|name| format!("[secrets.{name}]\nkind = \"random\"\n")).collect();
    let secrets = secrets.concat();
    let project = Project::empty_in_memory();
    let output = "[outputs.env]\nformat = \"dotenv\"\npath = \".env\"\n";
    project.write("vault-kit.toml", format!("[project]\nname = \"shop\"\nkeep = 2\n{secrets}{output}"));
    project.run(["init"]).assert_code(0);
    let before = project.store().generation;
    std::thread::scope(|scope| {
        for name in &names {
            scope.spawn(|| {
                for _ in 0..rotations() {
                    project.run(["rotate", name, "--lock-timeout", "5m"]).assert_code(0);
                }
            });
        }
    });
    let store = project.store();
    assert_eq!(store.generation, before + 8 * u64::try_from(rotations()).unwrap());
    for name in &names {
        assert_eq!(store.secrets[&SecretName::new(name.as_str()).unwrap()].len(), rotations() + 1);
        let value = String::from_utf8(project.get(name)).unwrap();
        assert!(project.read(".env").contains(&value), "{name}");
    }
    project.run(["check"]).assert_code(0);
    counted(&format!("8 processes in one directory: {0} of {0} rotations are there", 8 * rotations()));
}
