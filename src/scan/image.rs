//! Whether a file is a container image, so that whoever names another one is not told that nothing leaked.

use std::fs::File;
use std::io::{BufReader, ErrorKind};
use std::path::Path;

use super::tar;
use crate::error::{Error, Result};

/// What every image has: that of `docker save`, and that of an OCI layout.
const MARKS: [&[u8]; 3] = [b"manifest.json", b"index.json", b"oci-layout"];

/// Refuses what is no image as `docker save` writes it; `shown` is what the user calls it.
///
/// A file that breaks off is told by the search itself.
pub fn expect(path: &Path, shown: &Path) -> Result<()> {
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
