//! The programs that AWS profiles name as sources of credentials (`credential_process`). They are children of ours, started
//! by the SDK, which hands them the whole environment.

use aws_config::profile::{self, ProfileSet};
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_types::os_shim_internal::{Env, Fs};

/// The user's AWS files, with every `credential_process` made to start without the variables `withheld`.
pub(super) async fn without(withheld: &[&str]) -> EnvConfigFiles {
    // Files that the SDK cannot read either name no program for it to start.
    let profiles = profile::load(&Fs::real(), &Env::real(), &EnvConfigFiles::default(), None).await;
    let overlay = profiles.map(|profiles| overlay(&profiles, withheld)).unwrap_or_default();
    let files = EnvConfigFiles::builder().include_default_config_file(true).include_default_credentials_file(true);
    // What comes last goes before what other files say of the same key.
    if overlay.is_empty() { files } else { files.with_contents(EnvConfigFileKind::Credentials, overlay) }.build()
}

/// Profiles that hold nothing but their program, which a shell starts: it drops the variables first.
fn overlay(profiles: &ProfileSet, withheld: &[&str]) -> String {
    let mut text = String::new();
    for name in profiles.profiles().filter(|_| !withheld.is_empty()) {
        if let Some(command) = profiles.get_profile(name).and_then(|profile| profile.get("credential_process")) {
            // Lines that begin with a space continue the value.
            let command = command.replace('\n', "\n ");
            text.extend(["[", name, "]\ncredential_process = unset ", &withheld.join(" "), ";", &command, "\n"]);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn parsed(kinds: &[(EnvConfigFileKind, &str)]) -> ProfileSet {
        let files =
            kinds.iter().fold(EnvConfigFiles::builder(), |files, (kind, text)| files.with_contents(*kind, *text));
        profile::load(&Fs::real(), &Env::real(), &files.build(), None).await.unwrap()
    }

    #[test]
    fn every_program_of_every_profile_starts_without_the_variables_and_is_the_same_otherwise() {
        use EnvConfigFileKind::{Config, Credentials};
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let config = "[default]\ncredential_process = one --flag 'a b'\nregion = eu-west-1\n\
                      [profile two]\nCredential_Process=\n  key = $(two)\n  x= ;three # y=\n\
                      [profile three]\nrole_arn = r\nsource_profile = two\n\
                      [profile four]\ncredential_process = hidden\n";
        let credentials =
            "[four]\ncredential_process = \"/a path/four\" x # a comment\n[a/b@c+d]\ncredential_process = 5\n";
        runtime.block_on(async {
            let before = parsed(&[(Config, config), (Credentials, credentials)]).await;
            let overlay = overlay(&before, &["A", "B"]);
            let after = parsed(&[(Config, config), (Credentials, credentials), (Credentials, &overlay)]).await;
            for name in before.profiles() {
                let of = |set: &ProfileSet, key: &str| set.get_profile(name).unwrap().get(key).map(str::to_owned);
                let expected = of(&before, "credential_process").map(|command| format!("unset A B;{command}"));
                assert_eq!(of(&after, "credential_process"), expected, "{name}");
                for key in ["region", "role_arn", "source_profile"] {
                    assert_eq!(of(&after, key), of(&before, key), "{name}");
                }
            }
            assert_eq!(before.profiles().count(), 5);
        });
    }
}
