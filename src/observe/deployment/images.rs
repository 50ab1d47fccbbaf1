//! How the services are built that are built here: their Dockerfiles, and the directories that those copy from.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use super::{Observer, beneath};
use crate::check::delivered::Delivered;
use crate::check::deployed::{Context, Image, Known, NamedFile, Unread};
use crate::compose::Project;
use crate::compose::model::{Build, HostPath, Variable};
use crate::gather::Gather;
use crate::image::dockerfile::Arguments;
use crate::image::layers::{Layers, Source};
use crate::image::{Dockerfile, Ignored};
use crate::observe::{Ours, PRIVATE};

/// More patterns than this are not tried on every file.
const MOST_PATTERNS: usize = 2000;

impl Observer<'_> {
    pub(super) fn images(&self, project: &Project) -> BTreeMap<String, Image> {
        let built = project.services.iter().filter_map(|(name, it)| Some((name, it.build.as_ref()?)));
        let secret = OnceCell::new();
        let secret = || secret.get_or_init(|| self.secret_files());
        let mut images = built.filter_map(|(name, build)| Some((name.clone(), self.image(build, &secret)?))).gather();
        self.find_ours(&mut images);
        images
    }

    /// Searches what is copied for values of ours: services are often built from one context, which is read once.
    fn find_ours(&self, images: &mut BTreeMap<String, Image>) {
        let contexts = images.values().flat_map(Image::contexts);
        let taken: BTreeSet<&str> = contexts.flat_map(|(_, it)| it.known.taken.keys().map(String::as_str)).collect();
        if taken.is_empty() {
            return;
        }
        let found = self.values.ours_in(&taken);
        for known in images.values_mut().flat_map(Image::contexts_mut).map(|it| &mut it.known) {
            match &found {
                Ok(Ours { found, unread }) => {
                    let ours = known.taken.iter();
                    let ours = ours.filter_map(|(path, within)| Some((within.clone(), found.get(path)?.clone())));
                    known.ours = ours.gather();
                    let why = known.taken.keys().find_map(|path| Some(format!("`{path}`: {}", unread.get(path)?)));
                    known.unseen = known.unseen.take().or(why);
                }
                Err(why) if !known.taken.is_empty() => drop(known.unseen.get_or_insert_with(|| why.clone())),
                Err(_) => {}
            }
        }
    }

    fn image<'s>(&self, build: &Build, secret: &impl Fn() -> &'s BTreeSet<String>) -> Option<Image> {
        // Somebody else's repository, or no context at all.
        let context = &build.context.as_ref()?.path;
        let beside = build.dockerfile.as_ref().map(|it| format!("{}.dockerignore", it.path));
        let own = beside.filter(|path| matches!(self.content(path), Ok(Some(_))));
        let mut dockerfile = match (&build.dockerfile_inline, &build.dockerfile) {
            (Some(text), _) => Ok((text.at.file.to_string(), Dockerfile::parse(text.as_str()))),
            (None, Some(path)) => self.dockerfile(path),
            (None, None) => Err(Unread::elsewhere("its Dockerfile is elsewhere")),
        };
        if let Ok((_, dockerfile)) = &mut dockerfile {
            dockerfile.resolve(&arguments(build));
        }
        let target = build.target.as_ref().map(|it| it.as_str().to_owned());
        let called: BTreeSet<&str> = build.contexts.keys().map(String::as_str).collect();
        let layers = dockerfile.as_ref().ok().map(|(_, it)| Layers::new(it, &called));
        let look = |name: Option<&str>, directory: &str, ignore_file: String| {
            let ignored = self.ignored(&ignore_file);
            let known = match (&layers, &ignored) {
                (Some(layers), Ok(ignored)) => {
                    let of_it = name.map_or(Source::Context, Source::Named);
                    let copies = layers.copies(target.as_deref()).into_iter().filter(|(_, _, source)| *source == of_it);
                    self.known(directory, copies.flat_map(|(_, copied, _)| &copied.sources), ignored)
                }
                _ => Known::default(),
            };
            Context { ignore_file, ignored, within: self.within(directory, secret()), known }
        };
        let further = build
            .contexts
            .iter()
            .map(|(name, it)| (name.clone(), look(Some(name), &it.path, beneath(&it.path, ".dockerignore"))));
        let named = further.gather();
        let context = look(None, context, own.unwrap_or_else(|| beneath(context, ".dockerignore")));
        Some(Image { dockerfile, inline: build.dockerfile_inline.clone(), target, context, named })
    }

    pub(super) fn ignored(&self, path: &str) -> Result<Ignored, Unread> {
        let ignored = Ignored::parse(&self.text(path)?.unwrap_or_default());
        let is_too_long = ignored.len() > MOST_PATTERNS;
        let why = || format!("`{path}` has more than {MOST_PATTERNS} patterns");
        if is_too_long { Err(Unread::elsewhere(why())) } else { Ok(ignored) }
    }

    fn dockerfile(&self, path: &HostPath) -> Result<(String, Dockerfile), Unread> {
        let path = &path.path;
        let text = self.text(path)?.ok_or_else(|| Unread::elsewhere(format!("`{path}` does not exist")))?;
        Ok((path.clone(), Dockerfile::parse(&text)))
    }

    /// The files with secrets that an output of any environment writes, and those of our own that are here: the stores and the
    /// identity that opens them.
    fn secret_files(&self) -> BTreeSet<String> {
        let manifest = self.subject.manifest;
        let delivered = manifest.environments.keys().map(|environment| Delivered::new(manifest, environment));
        let files = delivered.flat_map(|it| it.files).filter(|(path, file)| file.is_secret && !path.starts_with('/'));
        let stores = manifest.environments.keys().map(|environment| format!("{PRIVATE}{environment}.age"));
        let stores = stores.filter(|path| matches!(self.named_file(path), NamedFile::File { .. }));
        let identity = self.identity.and_then(|it| it.canonicalize().ok()?.to_str().map(str::to_owned));
        files.map(|(path, _)| path).chain(stores).chain(identity).collect()
    }
}

/// The arguments of a build; of one that a variable without a value here is put into, nothing is known.
fn arguments(build: &Build) -> Arguments {
    let value = |it: &Variable| {
        let value = it.value.as_ref().filter(|it| it.variables.is_empty() || !it.as_str().is_empty());
        value.map(|it| it.as_str().to_owned())
    };
    build.args.iter().map(|(name, it)| (name.clone(), value(it))).gather()
}
