//! The versions of TLS that the configuration of nginx allows.

use super::Bench;
use crate::check::deployed::Gateway;
use crate::check::finding::{Code, Finding};
use crate::check::judge::fix::in_table;
use crate::manifest::deployment::TlsVersion;
use crate::nginx::{Configuration, Directive};

/// The directives that list versions: for clients, and for what nginx asks itself.
const PROTOCOLS: [&str; 4] = ["ssl_protocols", "proxy_ssl_protocols", "grpc_ssl_protocols", "uwsgi_ssl_protocols"];

/// The versions from the oldest on.
const VERSIONS: [&str; 6] = ["SSLv2", "SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"];

impl Bench<'_> {
    /// Every listed version is new enough, and every server that speaks TLS has a list.
    pub(super) fn gateway(&mut self) {
        let (manifest, facts) = (self.manifest, self.facts);
        let Some(deployment) = &manifest.deployment else { return };
        for file in &deployment.nginx {
            let found = facts.deployed.gateways.get(file);
            if let Some(configuration) = self.opened(("nginx", &deployment.nginx), file, found) {
                self.versions(file, configuration, deployment.tls_min);
            }
        }
    }

    /// What a file that a field of `[deployment]` names says, if it was read.
    pub(super) fn opened<'f, C>(
        &mut self,
        (field, files): (&str, &[String]),
        file: &str,
        found: Option<&'f Gateway<C>>,
    ) -> Option<&'f C> {
        match found {
            Some(Gateway::Read(configuration)) => return Some(configuration),
            Some(Gateway::Absent) => {
                let others = files.iter().filter(|it| *it != file).map(|it| format!("\"{it}\""));
                let others = others.collect::<Vec<_>>().join(", ");
                let fix = format!("write `{file}`, or {}", in_table("deployment", format!("{field} = [{others}]")));
                self.about_file(Code::Missing, file, "is not there", fix);
            }
            Some(Gateway::Unseen(it)) if it.is_fault => {
                self.about_file(Code::ComposeUnreadable, file, format!("it is not judged: {}", it.why), &it.fix);
            }
            Some(Gateway::Unseen(it)) => self.not_checked(file, &it.why),
            None => self.not_checked(file, "nobody looked at it"),
        }
        None
    }

    fn versions(&mut self, file: &str, configuration: &Configuration, least: TlsVersion) {
        for why in &configuration.unread {
            self.not_checked(format!("the versions of TLS in what {file} includes"), why);
        }
        let allowed = allowed(least);
        let fix = format!("ssl_protocols {};", allowed.join(" "));
        for directive in configuration.directives.iter().filter(|it| PROTOCOLS.contains(&it.name.as_str())) {
            let old: Vec<&str> =
                directive.arguments.iter().map(String::as_str).filter(|it| !allowed.contains(it)).collect();
            if !old.is_empty() {
                // Only what is a version is shown: whatever else stands there, nginx refuses.
                let known: Vec<&str> = VERSIONS.into_iter().filter(|it| old.contains(it)).collect();
                let what =
                    if known.is_empty() { "something that is no version of TLS".into() } else { known.join(", ") };
                let message = format!("`{}` allows {what}; the least is TLS {least}", directive.name);
                let fix = fix.replacen("ssl_protocols", &directive.name, 1);
                self.verdict.findings.push(
                    Finding::new(Code::WeakTls, message, fix).of_file(place(directive, file)).at_line(directive.line),
                );
            }
        }
        let speaks_tls =
            |it: &&Directive| it.name == "listen" && it.arguments.iter().any(|it| it == "ssl" || it == "quic");
        let (blocks, outside) = configuration.in_force("ssl_protocols");
        let is_silent = |it: &&Directive| !it.block.map_or(outside, |block| blocks[block]);
        let mut silent = configuration.directives.iter().filter(speaks_tls).filter(is_silent);
        if let Some(listen) = silent.next() {
            if !configuration.unread.is_empty() {
                return;
            }
            if configuration.named("include").any(|it| !is_harmless(it)) {
                return self.not_checked(
                    format!("the versions of TLS in {file}"),
                    "a file that it includes may decide them, and is not mounted from the project",
                );
            }
            let message =
                format!("leaves the versions of TLS to nginx, whose releases differ; the least is TLS {least}");
            let finding = Finding::new(Code::WeakTls, message, fix).of_file(place(listen, file)).at_line(listen.line);
            self.verdict.findings.push(finding);
        }
    }
}

/// The file that a directive stands in.
fn place<'d>(directive: &'d Directive, file: &'d str) -> &'d str {
    directive.file.as_deref().unwrap_or(file)
}

/// The versions that are new enough.
fn allowed(least: TlsVersion) -> &'static [&'static str] {
    match least {
        TlsVersion::Tls12 => &VERSIONS[4..],
        TlsVersion::Tls13 => &VERSIONS[5..],
    }
}

/// What nginx ships, which says nothing of TLS.
fn is_harmless(include: &Directive) -> bool {
    include.arguments.iter().all(|it| it.ends_with("mime.types") || it.ends_with("_params"))
}
