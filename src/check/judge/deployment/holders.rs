//! Which services get a secret.

use std::collections::{BTreeMap, BTreeSet};

use super::Bench;
use crate::check::delivered::Delivered;
use crate::check::finding::{Code, Finding};
use crate::compose::model::{Definition, HostPath, Mount, Need, VariableUse, Watch};
use crate::compose::{Location, Project, Service, Text};
use crate::image::Ignored;
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
            let held = self.held(&names, &delivered, project);
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

    /// Who puts one of these in as a variable, or has a file with it that is not for everybody.
    fn held<'p>(&self, names: &BTreeSet<&SecretName>, delivered: &Delivered<'_>, project: &'p Project) -> Held<'p> {
        let both = names.iter().flat_map(|it| [Some((*it).clone()), it.previous()]);
        let variables: BTreeSet<String> = both.flatten().map(|it| it.to_string()).collect();
        let has_it = |names_in: &[&SecretName]| names_in.iter().any(|it| names.contains(it));
        let files = delivered.files.iter().filter(|(_, file)| file.is_secret && has_it(&file.names));
        let files: Vec<&str> = files.map(|(path, _)| path.as_str()).collect();
        let mut held = Held::new();
        for (name, service) in &project.services {
            let at = by_variable(name, service, &variables, project).or_else(|| {
                files.iter().find_map(|path| {
                    let built =
                        || project.is_built_with(service, path).or_else(|| self.in_context(service, path, project));
                    project
                        .reads(service, path)
                        .or_else(built)
                        .or_else(|| self.synchronised(name, service, path, project))
                })
            });
            let at = at.or_else(|| {
                let external =
                    service.secrets.iter().filter(|it| project.secrets.get(&it.source).is_some_and(|it| it.external));
                let mut given = external.filter(|it| self.of_swarm(name, it).is_some_and(|it| names.contains(it)));
                given.next().map(|it| &it.at)
            });
            held.extend(at.map(|at| (name.as_str(), at)));
        }
        held
    }

    /// Where a service is built from a further directory that a file is in, unless that keeps it back.
    fn in_context<'p>(&self, service: &'p Service, path: &str, project: &Project) -> Option<&'p Location> {
        let is_sent = |it: &&HostPath| {
            let ignored = self.facts.deployed.contexts.get(&it.path);
            project.below(it, path).is_some_and(|rest| ignored.is_none_or(|it| !it.keeps_back(rest)))
        };
        service.build.as_ref()?.contexts.values().find(is_sent).map(|it| &it.text.at)
    }

    /// Where Compose copies a file into the container when it changes. It does not see what is kept back from the builder.
    fn synchronised<'p>(
        &self,
        name: &str,
        service: &'p Service,
        path: &str,
        project: &Project,
    ) -> Option<&'p Location> {
        let image = self.facts.deployed.images.get(name);
        let is_kept_back = image.is_some_and(|image| {
            let context = &image.context;
            context
                .within
                .get(path)
                .is_some_and(|within| context.ignored.as_ref().is_ok_and(|it| it.keeps_back(within)))
        });
        let takes = |it: &&Watch| {
            let ignored: Vec<&str> = it.ignored.iter().map(Text::as_str).collect();
            let is_left_out = |rest: &str| Ignored::parse(&ignored.join("\n")).keeps_back(rest);
            it.syncs && project.below(&it.path, path).is_some_and(|rest| !is_left_out(rest))
        };
        service.watches.iter().filter(|_| !is_kept_back).find(takes).map(|it| &it.at)
    }
}

/// Where one of these variables is put into a service, or into a secret or config that it gets.
fn by_variable<'p>(
    name: &str,
    service: &'p Service,
    variables: &BTreeSet<String>,
    project: &'p Project,
) -> Option<&'p Location> {
    let put_in = || service.variables.iter().find(|(name, _)| variables.contains(*name)).map(|(_, at)| at);
    // What is handed on as it is stands in no text.
    let is_handed_on = |it: &&VariableUse| it.need == Need::HandedOn || it.path.ends_with(".env_file");
    let of_service = project.uses.iter().filter(|it| it.service.as_deref() == Some(name));
    let mut handed_on = of_service.filter(is_handed_on).filter(|it| variables.contains(&it.name));
    let is_made_of = |it: &Definition| {
        let content = it.content.iter().flat_map(|it| &it.variables).map(String::as_str);
        it.environment.as_ref().map(Text::as_str).into_iter().chain(content).any(|it| variables.contains(it))
    };
    let given = |mounts: &'p [Mount], defined: &BTreeMap<String, Definition>| {
        mounts.iter().find(|it| defined.get(&it.source).is_some_and(is_made_of)).map(|it| &it.at)
    };
    let built = || given(&service.build.as_ref()?.secrets, &project.secrets);
    put_in()
        .or_else(|| handed_on.next().map(|it| &it.at))
        .or_else(|| given(&service.secrets, &project.secrets))
        .or_else(|| given(&service.configs, &project.configs))
        .or_else(built)
}
