//! Whether a file is a container image, and a whole one, so that whoever names another one is not told that nothing leaked.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read as _};
use std::path::Path;

use serde_json::Value;

use super::tar;
use crate::error::{Error, Result};

/// What every image has: that of `docker save`, and that of an OCI layout.
const MARKS: [&[u8]; 3] = [b"manifest.json", b"index.json", b"oci-layout"];

/// Refuses what is no image as `docker save` writes it; `shown` is what the user calls it.
///
/// A file that breaks off is told by the search itself.
pub fn expect(path: &Path, shown: &Path) -> Result<()> {
    // It is read more than once, which a pipe cannot be.
    if std::fs::metadata(path).is_ok_and(|it| !it.is_file() && !it.is_dir()) {
        return Err(Error::usage(format!("`{}` is no regular file", shown.display()))
            .hint("write the image with `docker save -o image.tar IMAGE`"));
    }
    let file = File::open(path).map_err(|error| Error::io(format!("read `{}`", shown.display()), error))?;
    let mut is_image = false;
    let visited = tar::visit(&mut BufReader::new(file), &mut |name, _| {
        is_image = MARKS.contains(&name.strip_prefix(b"./").unwrap_or(name));
        // An image is large, and is read by the search anyway.
        if is_image { Err(ErrorKind::Other.into()) } else { Ok(()) }
    });
    if is_image || visited.is_err_and(|error| error.kind() == ErrorKind::UnexpectedEof) {
        return Ok(());
    }
    Err(Error::usage(format!("`{}` is no container image", shown.display())).hint(
        "write one with `docker save -o image.tar IMAGE`; other archives are looked into as `vault-kit scan FILE`",
    ))
}

/// A larger member is no list of others.
const LARGEST_LIST: u64 = 1 << 20;

/// What an image says that it consists of, and what is not in the file: configuration and layers.
///
/// A file that breaks off is told by the search itself.
pub fn missing(path: &Path, shown: &Path) -> Result<BTreeSet<String>> {
    let file = File::open(path).map_err(|error| Error::io(format!("read `{}`", shown.display()), error))?;
    let (mut named, mut there) = (BTreeSet::new(), BTreeSet::new());
    let _ = tar::visit(&mut BufReader::new(file), &mut |name, content| {
        let name = String::from_utf8_lossy(name.strip_prefix(b"./").unwrap_or(name)).into_owned();
        let mut start = [0];
        if matches!(content.read(&mut start), Ok(1)) && b"[{".contains(&start[0]) {
            let mut text = start.to_vec();
            content.take(LARGEST_LIST).read_to_end(&mut text)?;
            // What is no JSON is a layer, or a file that is no list.
            if let Ok(list) = serde_json::from_slice(&text) {
                name_members(&list, &mut named);
            }
        }
        there.insert(name);
        Ok(())
    });
    Ok(named.difference(&there).cloned().collect())
}

/// Adds the members that a list names: that of `docker save`, or one of an OCI layout.
fn name_members(list: &Value, named: &mut BTreeSet<String>) {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    for image in list.as_array().into_iter().flatten() {
        named.extend(image.get("Config").and_then(text));
        named.extend(image.get("Layers").and_then(Value::as_array).into_iter().flatten().filter_map(text));
    }
    let each = |key: &str| list.get(key).and_then(Value::as_array).into_iter().flatten();
    let blobs = each("manifests").chain(each("layers")).chain(list.get("config"));
    let digests = blobs.filter_map(|blob| blob.get("digest")?.as_str()?.split_once(':'));
    named.extend(digests.map(|(algorithm, hex)| format!("blobs/{algorithm}/{hex}")));
}
