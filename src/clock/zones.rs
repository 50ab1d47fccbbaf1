//! The time zones of the system.

use std::fs;
use std::io::{ErrorKind, Read};
use std::path::Path;

use crate::zone::{NoZone, Zone, Zones};

/// Where systems keep the compiled time zone database; `/etc/zoneinfo` is where NixOS does.
const DIRECTORIES: [&str; 4] = ["/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo"];

/// Files that list the names of zones, beside them, and in which column.
const LISTS: [(&str, usize); 2] = [("zone1970.tab", 2), ("zone.tab", 2)];

/// The largest file that is read: the longest zones have less than a tenth.
const LARGEST: u64 = 256 * 1024;

/// The time zones of the system.
#[derive(Clone, Copy, Debug)]
pub struct SystemZones;

impl Zones for SystemZones {
    fn find(&self, name: &str) -> Result<Zone, NoZone> {
        let mut is_known = false;
        for directory in DIRECTORIES.map(Path::new).into_iter().filter(|it| it.is_dir()) {
            is_known = true;
            if !Zone::is_name(name) {
                continue;
            }
            match read(&directory.join(name)) {
                Ok(bytes) => return Zone::from_tzif(name, &bytes).ok_or(NoZone::Unreadable),
                // A directory of zones is not one.
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
                Err(error) if error.kind() == ErrorKind::IsADirectory => {}
                Err(_) => return Err(NoZone::Unreadable),
            }
        }
        Err(if is_known { NoZone::Unknown } else { NoZone::NoData })
    }

    fn names(&self) -> Vec<String> {
        let lists = DIRECTORIES.iter().flat_map(|it| LISTS.map(|(file, column)| (Path::new(it).join(file), column)));
        let names = lists.filter_map(|(path, column)| Some((String::from_utf8(read(&path).ok()?).ok()?, column)));
        names.map(|(text, column)| column_of(&text, column)).find(|it| !it.is_empty()).unwrap_or_default()
    }
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(LARGEST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn column_of(text: &str, column: usize) -> Vec<String> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split('\t').nth(column)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_knows_its_zones_and_no_other_file() {
        assert_eq!(SystemZones.find("Europe/Berlin").map(|zone| zone.to_string()), Ok("Europe/Berlin".to_owned()));
        for name in ["Europe/Berlim", "Europe", "../../../etc/passwd", "zone1970.tab", ""] {
            assert_eq!(SystemZones.find(name), Err(NoZone::Unknown), "{name}");
        }
        assert!(SystemZones.names().iter().any(|name| name == "Europe/Berlin"));
    }
}
