//! Whether the user of a container can read what it is given. Docker mounts files as they are on the host: owner and mode there
//! decide, and `uid`, `gid` and `mode` of a file secret are ignored.

use std::collections::{BTreeMap, BTreeSet};

use super::{Bench, names};
use crate::check::delivered::Delivered;
use crate::check::deployed::NamedFile;
use crate::check::facts::{FileFact, Place};
use crate::check::finding::Code;
use crate::check::judge::fix::in_table;
use crate::compose::model::VolumeKind;
use crate::compose::{Location, Project, Service, Text};
use crate::shell;

/// Who a container runs as.
struct User {
    uid: u32,
    /// `None` = only the image's own `/etc/passwd` tells.
    gid: Option<u32>,
    groups: Vec<u32>,
    /// Root's right to read what belongs to others, which `cap_drop` can take.
    reads_all: bool,
}

/// How a file stands on the host, or will.
struct Standing {
    mode: u32,
    uid: u32,
    gid: Option<u32>,
}

impl Bench<'_> {
    pub(super) fn readable(&mut self, project: &Project, delivered: &Delivered<'_>) {
        let mut unknown: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (name, service) in &project.services {
            let given = given(project, service, delivered);
            if given.is_empty() {
                continue;
            }
            let user = match self.user(name, service) {
                Ok(Some(user)) => user,
                Ok(None) => continue,
                Err(why) => {
                    unknown.entry(why).or_default().push(name);
                    continue;
                }
            };
            let standing = given.into_iter().filter_map(|(path, at)| Some((path, at, self.standing(path, delivered)?)));
            let closed: Vec<_> = standing.filter(|(_, _, standing)| !user.can_read(standing)).collect();
            let unset = service.user.iter().flat_map(|it| &it.variables).filter(|it| !self.is_known(it));
            let unset: Vec<String> = unset.map(|it| format!("`{it}`")).collect();
            match closed.first() {
                // Whoever starts it may say so: only the default is known here.
                Some((.., standing)) if !unset.is_empty() => {
                    let (uid, unset, owner) = (user.uid, unset.join(" or "), standing.uid);
                    let why =
                        format!("it runs as {uid} unless {unset} says otherwise, not set here; {owner} owns the files");
                    unknown.entry(why).or_default().push(name);
                }
                _ => {
                    for (path, at, standing) in closed {
                        self.unreadable(name, &user, path, &standing, at, delivered);
                    }
                }
            }
        }
        for (why, services) in unknown {
            self.not_checked(format!("whether {} can read what is mounted for it", names(services)), why);
        }
    }

    fn unreadable(
        &mut self,
        name: &str,
        user: &User,
        path: &str,
        it: &Standing,
        at: &Location,
        delivered: &Delivered<'_>,
    ) {
        let (uid, mode, owner) = (user.uid, it.mode, it.uid);
        let message =
            format!("`{name}` runs as {uid} and cannot read `{path}`, which is {mode:04o} and belongs to {owner}");
        let group = it.gid.map_or_else(String::new, |gid| format!(":{gid}"));
        let output = delivered.output(path).map(|output| {
            let line = format!("uid = {uid}    # then `sudo {}`", self.command("render"));
            in_table(&format!("outputs.{}", output.name), line)
        });
        let as_owner = format!("let `{name}` run as user: \"{owner}{group}\"");
        let fix = match output {
            // Nobody is to become root in order to read a file.
            Some(output) if owner == 0 => output,
            Some(output) => format!("{as_owner}; or {output}"),
            None if owner == 0 => format!("sudo chown {uid} {}", shell::path(path)),
            None => as_owner,
        };
        self.at(Code::SecretUnreadable, at, message, fix);
    }

    /// `Ok(None)` = the image decides, and nobody here knows it; `Err` = a name that only the image can look up.
    fn user(&self, name: &str, service: &Service) -> Result<Option<User>, String> {
        let image = self.facts.deployed.images.get(name);
        let of_image = || {
            let image = image?;
            image.dockerfile.as_ref().ok()?.1.user_of(image.target.as_deref())
        };
        let declared = service.user.as_ref().map(Text::as_str).filter(|it| !it.is_empty());
        let Some(text) = declared.or_else(of_image) else { return Ok(None) };
        let (user, group) = text.split_once(':').map_or((text, None), |(user, group)| (user, Some(group)));
        let number = |text: &str| if text == "root" { Some(0) } else { text.parse().ok() };
        let uid = number(user).ok_or("the uid of its user is only known to its image")?;
        Ok(Some(User {
            uid,
            gid: group.and_then(number),
            groups: service.group_add.iter().filter_map(|it| number(it.as_str())).collect(),
            reads_all: uid == 0 && reads_all(service),
        }))
    }

    /// As it was seen; where nobody looks at this machine, as it is declared.
    fn standing(&self, path: &str, delivered: &Delivered<'_>) -> Option<Standing> {
        if self.places.contains(&Place::Host) {
            if let Some(FileFact::File(it)) = self.facts.files.get(path) {
                return Some(Standing { mode: it.mode, uid: it.uid, gid: Some(it.gid) });
            }
            if let Some(NamedFile::File { mode, uid, gid }) = self.facts.deployed.files.get(path) {
                return Some(Standing { mode: *mode, uid: *uid, gid: Some(*gid) });
            }
        }
        let output = delivered.output(path)?;
        Some(Standing { mode: output.mode, uid: output.uid?, gid: output.gid })
    }
}

impl User {
    fn can_read(&self, file: &Standing) -> bool {
        let groups: BTreeSet<u32> = self.groups.iter().copied().chain(self.gid).collect();
        let may_be_in_group = file.gid.is_none_or(|gid| groups.contains(&gid)) || self.gid.is_none();
        let right = match () {
            () if self.uid == file.uid => 0o400,
            () if may_be_in_group && file.mode & 0o040 != 0 => 0o040,
            () => 0o004,
        };
        self.reads_all || file.mode & right != 0
    }
}

/// Whether root in a container may read what belongs to others: Docker gives it `DAC_OVERRIDE` unless that is dropped.
fn reads_all(service: &Service) -> bool {
    let has = |list: &[Text], capability: &str| {
        let is =
            |it: &str| it.eq_ignore_ascii_case("ALL") || it.trim_start_matches("CAP_").eq_ignore_ascii_case(capability);
        list.iter().any(|it| is(it.as_str()))
    };
    let given = has(&service.cap_add, "DAC_OVERRIDE") || has(&service.cap_add, "DAC_READ_SEARCH");
    given || !has(&service.cap_drop, "DAC_OVERRIDE")
}

/// The files with secrets that a service is given, and where.
fn given<'p>(project: &'p Project, service: &'p Service, delivered: &'p Delivered<'_>) -> Vec<(&'p str, &'p Location)> {
    let secrets = service.secrets.iter().filter_map(|mount| {
        let file = project.secrets.get(&mount.source)?.file.as_ref()?;
        Some((file.path.as_str(), &mount.at))
    });
    let binds = service.volumes.iter().filter(|it| it.kind == VolumeKind::Bind);
    let bound = binds.filter_map(|bind| Some((bind.host.as_ref()?, &bind.at))).flat_map(|(host, at)| {
        delivered.below(&host.path).filter(|(_, file)| file.is_secret).map(move |(path, _)| (path, at))
    });
    secrets.chain(bound).collect()
}
