//! Every value in every encoding, in every kind of file.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};

use crate::support::{Project, program, skip};
use crate::{STRIPE, findings, report, scan, set, shop};

const VALUES: [&str; 4] = ["AUTH", "DB_PASSWORD", "DB_URL", "STRIPE"];

/// What stands between two pieces of a text in one line.
const GLUE: [(&str, &str); 9] = [
    ("Java", "\" + \""),
    ("C", "\" \""),
    ("Python", "\" b\""),
    ("PHP", "' . '"),
    ("SQL", "' || '"),
    ("Lua", "\" .. \""),
    ("a shell", "\"\""),
    ("a list", "\", \""),
    ("a notebook", "\\\" + \\\""),
];

/// A text in lines of some length, each of which is indented.
fn wrapped(text: &str, width: usize, indent: &str) -> String {
    let lines = text.as_bytes().chunks(width).map(|line| format!("{indent}{}", str::from_utf8(line).unwrap()));
    lines.collect::<Vec<_>>().join("\n")
}

/// Every piece of a text in another form.
fn each<T>(pieces: impl Iterator<Item = T>, form: impl Fn(T) -> String) -> String {
    pieces.map(form).collect::<Vec<_>>().concat()
}

fn percent(value: &str, kept: &str, lower: bool) -> String {
    let one = |byte: u8| match char::from(byte) {
        it if it.is_ascii_alphanumeric() || kept.contains(it) => it.to_string(),
        _ if lower => format!("%{byte:02x}"),
        _ => format!("%{byte:02X}"),
    };
    value.bytes().map(one).collect()
}

/// A value as it may stand in a text.
fn dresses(value: &str) -> BTreeMap<String, Vec<u8>> {
    let bytes = value.as_bytes();
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    let mut add = |name: &str, text: String| drop(texts.insert(name.to_owned(), text));
    add("raw", value.to_owned());
    for user in ["", "a", "ab", "abc"] {
        let before = [user.as_bytes(), bytes, b":"].concat();
        add(&format!("base64 behind {}", user.len()), BASE64.encode(&before));
        add(&format!("base64url behind {}", user.len()), BASE64URL.encode(&before));
        add(&format!("unpadded base64 behind {}", user.len()), BASE64_NOPAD.encode(&[user.as_bytes(), bytes].concat()));
    }
    add("base64url", BASE64URL_NOPAD.encode(bytes));
    add("hex", HEXLOWER.encode(bytes));
    add("HEX", HEXUPPER.encode(bytes));
    for lower in [false, true] {
        for (name, kept) in [("rfc", "-._~"), ("quote", "-._~/"), ("component", "-._~!*'()")] {
            add(&format!("url {name} {lower}"), percent(value, kept, lower));
        }
        add(&format!("form {lower}"), percent(value, "-._* ", lower).replace(' ', "+"));
    }
    let json = serde_json::to_string(value).unwrap();
    add("json", json.clone());
    add("json in json", serde_json::to_string(&json).unwrap());
    let ascii = |it: char| {
        let escaped = serde_json::to_string(&it).unwrap();
        if it.is_ascii() { escaped[1..escaped.len() - 1].to_owned() } else { format!("\\u{:04x}", u32::from(it)) }
    };
    add("json in ascii", value.chars().map(ascii).collect());
    // What needs no escape in JSON, as encoders escape it who think of HTML or of no harm.
    let also = |special: &str, upper: bool| {
        let one = |it: char| match it {
            '/' if special.contains(it) => "\\/".to_owned(),
            _ if special.contains(it) && upper => format!("\\u{:04X}", u32::from(it)),
            _ if special.contains(it) => format!("\\u{:04x}", u32::from(it)),
            _ => serde_json::to_string(&it).unwrap().trim_matches('"').to_owned(),
        };
        each(value.chars(), one)
    };
    if !value.contains('"') {
        add("json of Go", also("&<>", false));
        add("json of PHP", also("/", false));
        add("json of .NET", also("&'+<>`", true));
    }
    add("every character as \\u", each(value.encode_utf16(), |unit| format!("\\u{unit:04x}")));
    add("every character as \\\\U", each(value.encode_utf16(), |unit| format!("\\\\u{unit:04X}")));
    add("every byte as \\x", each(value.bytes(), |byte| format!("\\x{byte:02x}")));
    add("every byte as %", each(value.bytes(), |byte| format!("%{byte:02X}")));
    let long = BASE64.encode(&[&[7; 50][..], bytes, &[9; 50]].concat());
    add("wrapped at 64", wrapped(&long, 64, ""));
    add("wrapped at 76", wrapped(&long, 76, "").replace('\n', "\r\n"));
    add("in a YAML block", format!("key: |\n{}", wrapped(&long, 64, "    ")));
    add("with escaped line breaks", wrapped(&long, 64, "").replace('\n', "\\n"));
    add("in pieces of a program", wrapped(&long, 64, "").replace('\n', "\" +\n    \""));
    for (name, glue) in GLUE {
        add(&format!("glued in {name}"), format!("x = \"{}\";", wrapped(&long, 64, "").replace('\n', glue)));
    }
    add("hex in lines", wrapped(&HEXLOWER.encode(bytes), 32, "  "));
    let mut dresses: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for (name, text) in texts {
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        dresses.insert(format!("{name}, UTF-16LE"), [b"\xff\xfe", &little[..]].concat());
        dresses.insert(format!("{name}, UTF-16BE"), big);
        dresses.insert(name, text.into_bytes());
    }
    dresses
}

/// Around what is planted: what the file would have there.
const KINDS: [(&str, &[u8], &[u8]); 6] = [
    ("env", b"# of the shop\nKEY=", b"\nOTHER=1\n"),
    ("yaml", b"shop:\n  key: \"", b"\"\n  other: 1\n"),
    ("py", b"def key():\n    return b'", b"'\n"),
    ("md", b"# Shop\nUse `", b"`, please.\n"),
    ("log", b"2026-01-01 login\n2026-01-01 user=x token=", b" 200 OK\n"),
    ("bin", b"\x7fELF\0\0\0\x01\n\0", b"\0\0\xff\xfe\0"),
];

#[test]
fn a_value_is_found_in_the_json_of_every_encoder_wherever_it_stands() {
    for value in ["Kx7mQ&9pLw2Rt<Zb4Nc8Vd", "S3cure/Pa55/xyz/Abc12", "aB3+dE6&gH9>jK2&mN5pQ8<sT1+vW4yZ7"] {
        let project = shop();
        project.run_with_stdin(["set", "STRIPE"], value.as_bytes()).assert_code(0);
        let mut planted = BTreeSet::new();
        let of_json = |dress: &str| dress.starts_with("json") && !dress.contains("UTF-16");
        for (dress, bytes) in dresses(value).into_iter().filter(|(dress, _)| of_json(dress)) {
            for before in 0..16 {
                let file = format!("planted/{before} {dress}");
                project.write(&file, [&b"zyxwvutsrqponmlk"[..before], b"\":\"", &bytes[..], b"\"}\n"].concat());
                planted.insert(file);
            }
        }
        let run = scan(&project, &["planted"]).assert_code(1);
        let found: BTreeSet<String> = findings(&run).into_iter().map(|(_, file, _)| file).collect();
        assert_eq!(planted.difference(&found).collect::<Vec<_>>(), Vec::<&String>::new(), "{value}");
    }
}

#[test]
fn every_value_is_found_in_every_dress_and_file_and_nothing_else_is() {
    let project = shop();
    let mut planted = BTreeSet::new();
    for secret in VALUES {
        let value = String::from_utf8(project.get(secret)).unwrap();
        for (number, (dress, bytes)) in dresses(&value).into_iter().enumerate() {
            // Narrow text in every kind of file, UTF-16 in one after the other.
            let kinds = if dress.contains("UTF-16") { &KINDS[number % KINDS.len()..][..1] } else { &KINDS[..] };
            for (kind, before, behind) in kinds {
                let file = format!("planted/{secret}-{number}.{kind}");
                project.write(&file, [*before, &bytes, behind].concat());
                planted.insert((secret.to_owned(), dress.clone(), file));
            }
        }
        let look_alike: String = value.chars().rev().collect();
        project.write(&format!("planted/clean-{secret}"), look_alike);
    }
    let run = scan(&project, &["planted"]).assert_code(1);
    let found: BTreeSet<(String, String)> =
        findings(&run).into_iter().map(|(secret, file, _)| (secret, file)).collect();
    let missed: BTreeSet<_> = planted
        .iter()
        .filter(|(secret, _, file)| !found.contains(&(secret.clone(), file.clone())))
        .map(|(secret, dress, _)| (secret, dress))
        .collect();
    assert!(missed.is_empty(), "missed: {missed:#?}");
    assert!(planted.len() > 800, "{}", planted.len());
    // The URL has the password in it, so that both are found in some files of either.
    let owners = |file: &str| VALUES.iter().any(|secret| file.contains(&format!("/{secret}-")));
    assert!(found.iter().all(|(_, file)| owners(file)), "{found:?}");
    let strangers: Vec<_> = found
        .iter()
        .filter(|(secret, file)| {
            !(file.contains(&format!("/{secret}-")) || secret.starts_with("DB_") && file.contains("/DB_"))
        })
        .collect();
    assert!(strangers.is_empty(), "{strangers:?}");
    assert!(!run.both().contains(STRIPE) && !run.both().contains("7Kd0"));
}

#[test]
fn a_private_key_is_found_as_a_file_in_a_block_of_yaml_as_json_and_as_der() {
    let project = shop();
    let pem = String::from_utf8(project.get("SIGNING")).unwrap();
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = BASE64.decode(body.as_bytes()).unwrap();
    let block = pem.lines().fold(String::new(), |block, line| block + "      " + line + "\n");
    let files: [(&str, Vec<u8>); 7] = [
        ("key.pem", pem.clone().into_bytes()),
        ("body.txt", body.into_bytes()),
        ("block.yaml", format!("tls:\n    key: |\n{block}").into_bytes()),
        ("key.json", serde_json::to_vec(&serde_json::json!({ "key": pem })).unwrap()),
        ("secret.yaml", format!("data:\n  key: {}\n", BASE64.encode(pem.as_bytes())).into_bytes()),
        ("key.hex", HEXLOWER.encode(&der).into_bytes()),
        ("key.der", der),
    ];
    for (file, bytes) in &files {
        project.write(&format!("keys/{file}"), bytes);
    }
    let run = scan(&project, &["keys"]).assert_code(1);
    let found: BTreeSet<String> = findings(&run).into_iter().filter(|it| it.0 == "SIGNING").map(|it| it.1).collect();
    assert_eq!(found, files.iter().map(|(file, _)| format!("keys/{file}")).collect());
}

#[test]
fn archives_are_looked_into_one_level_deep() {
    let Some(python) = program("python3") else {
        return skip("archives_are_looked_into_one_level_deep", "there is no python3");
    };
    let project = shop();
    let auth = String::from_utf8(project.get("AUTH")).unwrap();
    project.write("inner.txt", format!("one\ntwo\nkey={auth}\n"));
    let script = r#"
import gzip, io, tarfile, zipfile
text = open("inner.txt", "rb").read()
for name, method in (("stored.zip", zipfile.ZIP_STORED), ("app.jar", zipfile.ZIP_DEFLATED)):
    with zipfile.ZipFile(name, "w", method) as archive:
        archive.writestr("dir/inner.txt", text)
for name, mode, form in (("a.tar", "w", tarfile.USTAR_FORMAT), ("a.tar.gz", "w:gz", tarfile.PAX_FORMAT), ("gnu.tgz", "w:gz", tarfile.GNU_FORMAT)):
    with tarfile.open(name, mode, format=form) as archive:
        info = tarfile.TarInfo("x" * 90 + "/" + "inner.txt")
        info.size = len(text)
        archive.addfile(info, io.BytesIO(text))
with gzip.open("log.gz", "wb") as file:
    file.write(text)
"#;
    let made = std::process::Command::new(python).args(["-c", script]).current_dir(project.root()).status().unwrap();
    assert!(made.success());
    std::fs::create_dir(project.path("archives")).unwrap();
    for file in ["stored.zip", "app.jar", "a.tar", "a.tar.gz", "gnu.tgz", "log.gz"] {
        std::fs::rename(project.path(file), project.path(&format!("archives/{file}"))).unwrap();
    }
    let long = format!("{}/inner.txt", "x".repeat(90));
    let expected = [
        "archives/stored.zip!dir/inner.txt".to_owned(),
        "archives/app.jar!dir/inner.txt".to_owned(),
        format!("archives/a.tar!{long}"),
        format!("archives/a.tar.gz!{long}"),
        format!("archives/gnu.tgz!{long}"),
        "archives/log.gz".to_owned(),
    ];
    let found = findings(&scan(&project, &["archives"]).assert_code(1));
    assert_eq!(found, expected.into_iter().map(|file| ("AUTH".to_owned(), file, 3)).collect());
}

#[test]
fn an_archive_behind_other_bytes_is_looked_into_or_told() {
    let Some(python) = program("python3") else {
        return skip("an_archive_behind_other_bytes_is_looked_into_or_told", "there is no python3");
    };
    let project = shop();
    project.write("src/__main__.py", format!("one\ntwo\nkey={}\n", String::from_utf8(project.get("AUTH")).unwrap()));
    project.write("stub", b"#!/bin/sh\nexec java -jar \"$0\"\n");
    project.write("stripe", STRIPE);
    let script = r#"
import gzip, io, os, tarfile, zipapp, zipfile
text = open("src/__main__.py", "rb").read()
stub = open("stub", "rb").read()
def zipped(*names, comment=b"", how=zipfile.ZIP_DEFLATED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", how) as archive:
        for name in names:
            archive.writestr(name, text)
        archive.comment = comment
    return buffer.getvalue()
def tarred(name, text):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo(name)
        info.size = len(text)
        archive.addfile(info, io.BytesIO(text))
    return buffer.getvalue()
def write(name, *pieces):
    with open("behind/" + name, "wb") as file:
        file.write(b"".join(pieces))
os.mkdir("behind")
# The places in it count from the beginning of the file, in the next ones from that of the archive.
zipapp.create_archive("src", "behind/app.pyz", interpreter="/usr/bin/env python3", compressed=True)
write("app", stub, zipped("in.txt"))
write("app.exe", b"MZ" + bytes(300_000), zipped("in.txt", comment=b"x" * 60_000), b"trailing")
# Its bytes can be read as they are: told once, as a member.
write("stored", stub, zipped("in.txt", how=zipfile.ZIP_STORED))
write("both", open("stripe", "rb").read(), b"\n", zipped("in.txt"))
write("two.zip", zipped("first.txt"), zipped("second.txt", "third.txt"))
write("outer.zip", b"")
with zipfile.ZipFile("behind/outer.zip", "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr("inner.bin", stub + zipped("in.txt"))
write("install.run", stub, gzip.compress(tarred("in.txt", text)))
write("two.tgz", gzip.compress(tarred("plain.txt", b"plain")), gzip.compress(tarred("in.txt", text)))
"#;
    let made = std::process::Command::new(python).args(["-c", script]).current_dir(project.root()).status().unwrap();
    assert!(made.success());
    let run = scan(&project, &["behind"]).assert_code(1);
    let found: BTreeSet<String> = findings(&run).into_iter().map(|it| format!("{} {}", it.0, it.1)).collect();
    let expected = [
        "AUTH behind/app!in.txt",
        "AUTH behind/app.exe!in.txt",
        "AUTH behind/app.pyz!__main__.py",
        "AUTH behind/both!in.txt",
        "AUTH behind/stored!in.txt",
        "AUTH behind/two.tgz",
        "AUTH behind/two.zip!second.txt",
        "AUTH behind/two.zip!third.txt",
        "STRIPE behind/both",
    ];
    assert_eq!(found, expected.map(str::to_owned).into());
    let report = report(&run);
    let told: BTreeSet<(&str, bool)> = report["not_checked"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["what"].as_str().unwrap(), it["why"].as_str().unwrap().contains("stands behind other bytes")))
        .filter(|it| it.0.starts_with("behind/"))
        .collect();
    let expected = [("behind/install.run", true), ("behind/outer.zip!inner.bin", true), ("behind/two.zip", true)];
    assert_eq!(told, expected.into());
}

#[test]
fn an_image_is_looked_into_layer_by_layer_and_its_configuration_too() {
    let Some(python) = program("python3") else {
        return skip("an_image_is_looked_into_layer_by_layer_and_its_configuration_too", "there is no python3");
    };
    let project = shop();
    project.write("auth", project.get("AUTH"));
    let script = r#"
import gzip, io, json, tarfile
auth = open("auth").read()
def layer(name, text):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo(name)
        info.size = len(text)
        archive.addfile(info, io.BytesIO(text))
    return buffer.getvalue()
config = {"config": {"Env": ["PATH=/bin", "KEY=" + auth], "Labels": {}}, "history": [{"created_by": "ENV KEY=..."}]}
members = {
    "blobs/sha256/aa": layer("app/.env", b"A=1\nKEY=" + auth.encode() + b"\n"),
    "blobs/sha256/bb": gzip.compress(layer("etc/passwd", b"root:" + auth.encode())),
    "blobs/sha256/cc": json.dumps(config).encode(),
    "blobs/sha256/dd": b"\x28\xb5\x2f\xfd" + bytes(1000),
    "manifest.json": b"[]",
}
with tarfile.open("image.tar", "w") as archive:
    for name, content in members.items():
        info = tarfile.TarInfo(name)
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
"#;
    let made = std::process::Command::new(python).args(["-c", script]).current_dir(project.root()).status().unwrap();
    assert!(made.success());
    let run = scan(&project, &["--image", "image.tar"]).assert_code(1);
    let expected = [
        ("AUTH", "image.tar!blobs/sha256/aa!app/.env", 2),
        ("AUTH", "image.tar!blobs/sha256/bb!etc/passwd", 1),
        ("AUTH", "image.tar!blobs/sha256/cc", 1),
    ];
    assert_eq!(findings(&run), set(&expected));
    assert!(run.stdout.contains("image.tar!blobs/sha256/dd") && run.stdout.contains("zstd"));
}

#[test]
fn what_is_found_across_the_pieces_in_which_a_file_is_read_is_found_once() {
    let project = shop();
    let auth = project.get("AUTH");
    let mut file = Vec::new();
    let mut expected = BTreeSet::new();
    // Lines of many lengths, so that every byte of the value is once the first of a piece.
    for line in 0..2000u64 {
        file.write_all(&vec![b'.'; usize::try_from(line * 131 % 1009).unwrap()]).unwrap();
        file.write_all(&auth).unwrap();
        file.push(b'\n');
        expected.insert(("AUTH".to_owned(), "big.txt".to_owned(), line + 1));
    }
    project.write("big.txt", &file);
    let run = scan(&project, &["big.txt"]).assert_code(1);
    assert_eq!(findings(&run), expected);
    assert_eq!(report(&run)["findings"].as_array().unwrap().len(), 2000);
}

#[test]
fn what_cannot_be_told_from_other_text_is_named_and_not_looked_for() {
    let project = shop();
    project.write("notes.txt", "k7Q2x dev production localhost postgres\n");
    let run = scan(&project, &["notes.txt"]).assert_code(0);
    let report = report(&run);
    let unseen: Vec<&str> =
        report["not_checked"].as_array().unwrap().iter().map(|it| it["what"].as_str().unwrap()).collect();
    assert_eq!(unseen, ["SHORT (dev)"]);
    scan(&project, &["notes.txt", "--strict"]).assert_code(1);
}

#[test]
fn a_value_of_before_is_found_as_one_of_before() {
    let project = shop();
    let old: Project = project;
    let value = old.get("AUTH");
    old.run(["generate", "--replace", "AUTH", "--yes"]).assert_code(0);
    old.write("old.txt", &value);
    old.write("new.txt", old.get("AUTH"));
    let run = scan(&old, &["old.txt", "new.txt"]).assert_code(1);
    let report = report(&run);
    let states: Vec<_> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["file"].as_str().unwrap(), it["state"].as_str().unwrap()))
        .collect();
    assert_eq!(states, [("new.txt", "current"), ("old.txt", "past")]);
    // An incident reads the report as it is.
    old.write("report.json", &run.stdout);
    old.run(["incident", "--from-scan", "report.json", "--dry-run", "--yes"]).assert_code(0);
    old.run(["incident", "AUTH", "--yes"]).assert_code(0);
    assert!(scan(&old, &["old.txt"]).assert_code(1).stdout.contains("\"banned\""));
}

#[test]
fn pieces_in_one_line_are_put_together() {
    let project = shop();
    let value = String::from_utf8(project.get("AUTH")).unwrap();
    let mut expected = BTreeSet::new();
    for (name, glue) in GLUE {
        let (file, (first, rest)) = (format!("src/{name}"), value.split_at(20));
        project.write(&file, format!("one\nx = \"{first}{glue}{rest}\"\nthree\n"));
        expected.insert(("AUTH".to_owned(), file, 2));
    }
    // Pieces that nothing joins are none.
    project.write("src/other", format!("x = \"{}\": \"{}\"\n", &value[..20], &value[20..]));
    assert_eq!(findings(&scan(&project, &["src"]).assert_code(1)), expected);
}
