//! Which services get a secret.

use std::collections::{BTreeMap, BTreeSet};

use super::Bench;
use crate::check::delivered::Delivered;
use crate::check::finding::{Code, Finding};
use crate::compose::{Location, Project};
use crate::manifest::Kind;
use crate::manifest::deployment::Deployment;
use crate::name::SecretName;

/// The services that hold a secret, and where that is written.
type Held<'p> = BTreeMap<&'p str, &'p Location>;

impl<'a> Bench<'a> {
    /// A secret of `holders` goes to the services of its row, and to no other.
    pub(super) fn holders(&mut self, deployment: &'a Deployment, project: &Project) {
        let (manifest, environment) = (self.manifest, self.environment);
        let delivered = Delivered::new(manifest, environment);
        let is_here = |name: &SecretName| manifest.secret(name.as_str()).is_some_and(|it| it.is_in(environment));
        for (name, rule) in deployment.holders.iter().filter(|(name, _)| is_here(name)) {
            let names = self.with_what_tells_it(name);
            let held = held(&names, &delivered, project);
            for (service, at) in held.iter().filter(|(service, _)| !rule.value.contains(**service)) {
                let message = format!("`{service}` gets `{name}`, which is not for it");
                let fix = format!(
                    "take it out of `{service}`; or, if it is meant, add \"{service}\" to the row of {name} in deployment.holders"
                );
                self.holder(name, at, message, fix);
            }
            // One that is misspelled is another finding.
            let lacking = rule.value.iter().filter_map(|it| Some((it, project.services.get(it)?)));
            for (service, it) in lacking.filter(|(service, _)| !held.contains_key(service.as_str())) {
                let message = format!("`{service}` does not get `{name}`, which is for it");
                let fix = format!(
                    "give it to `{service}` as the others have it, or take \"{service}\" out of the row of {name} in deployment.holders"
                );
                self.holder(name, &it.at, message, fix);
            }
        }
    }

    fn holder(&mut self, name: &SecretName, at: &Location, message: String, fix: String) {
        let finding = Finding::new(Code::SecretHolders, message, fix).about(name);
        self.verdict.findings.push(finding.of_file(&at.file).at_line(at.line));
    }

    /// A secret, and the templates that its value stands in.
    fn with_what_tells_it(&self, name: &'a SecretName) -> BTreeSet<&'a SecretName> {
        let mut names = BTreeSet::from([name]);
        // Each secret stands after everything that it refers to.
        for declaration in self.manifest.secrets_in(self.environment) {
            let tells = matches!(declaration.kind, Kind::Template(_));
            if tells && declaration.references().iter().any(|it| names.contains(it)) {
                names.insert(&declaration.name);
            }
        }
        names
    }
}

/// Who puts one of these in as a variable, or has a file with it that is not for everybody.
fn held<'p>(names: &BTreeSet<&SecretName>, delivered: &Delivered<'_>, project: &'p Project) -> Held<'p> {
    let variables: BTreeSet<String> =
        names.iter().flat_map(|it| [Some((*it).clone()), it.previous()]).flatten().map(|it| it.to_string()).collect();
    let mut held = Held::new();
    for used in project.uses.iter().filter(|it| variables.contains(&it.name)) {
        // What is only extended is no service of the project.
        let service = used.service.as_deref().and_then(|it| project.services.get_key_value(it));
        if let Some((service, _)) = service {
            held.entry(service).or_insert(&used.at);
        }
    }
    let of_variable = |name: &str| {
        project
            .secrets
            .get(name)
            .and_then(|it| it.environment.as_ref())
            .is_some_and(|it| variables.contains(it.as_str()))
    };
    for (service, it) in &project.services {
        if let Some(mount) = it.secrets.iter().find(|it| of_variable(&it.source)) {
            held.entry(service).or_insert(&mount.at);
        }
        let has_it = |names_in: &[&SecretName]| names_in.iter().any(|it| names.contains(it));
        let files = delivered.files.iter().filter(|(_, file)| file.is_secret && has_it(&file.names));
        for at in files.filter_map(|(path, _)| project.reads(it, path)) {
            held.entry(service).or_insert(at);
        }
    }
    held
}
