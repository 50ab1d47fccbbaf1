//! What every format delivers and refuses, and what `.env` files read back as.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::dotenv_read::read_as;
use super::*;
use crate::manifest::model::{Ca, Certificate, Dialect, KeyAlgorithm, PemFile, Usage};
use crate::manifest::period::Period;
use crate::secret::parts::Part;

fn name(text: &str) -> SecretName {
    SecretName::new(text).unwrap()
}

fn output(format: Format, secrets: &[&str]) -> Output {
    Output {
        name: "out".parse().unwrap(),
        format,
        path: "dir/file".into(),
        secrets: secrets.iter().map(|secret| name(secret)).collect(),
        mode: 0o600,
        directory_mode: None,
        uid: None,
        gid: None,
        in_place: false,
        atomic: false,
        environments: None,
        line: 1,
    }
}

fn text(value: &[u8]) -> (manifest::Kind, Parts) {
    (manifest::Kind::External, Parts::value(Secret::copy_of(value)))
}

type Material = BTreeMap<SecretName, (manifest::Kind, Parts)>;

fn material(entries: impl IntoIterator<Item = (&'static str, (manifest::Kind, Parts))>) -> Material {
    entries.into_iter().map(|(secret, material)| (name(secret), material)).collect()
}

fn emitted(output: &Output, material: &Material) -> Result<Emission> {
    let values =
        material.iter().map(|(name, (kind, parts))| (name, Value { kind, parts, lists: None, roots: None })).collect();
    emit(output, &values, &|_| Ok(None), false)
}

/// Path, content and whether it is public, of every file.
fn files(output: &Output, material: &Material) -> Vec<(String, String, bool)> {
    let file = |file: EmittedFile| (file.path, file.bytes.expose_text().unwrap().to_owned(), file.public);
    emitted(output, material).unwrap().files.into_iter().map(file).collect()
}

fn problem(output: &Output, material: &Material) -> (&'static str, String) {
    let error = emitted(output, material).unwrap_err();
    (error.code(), error.to_string())
}

fn dotenv(dialect: Dialect) -> Format {
    Format::Dotenv { dialect }
}

fn certificate(chain: &[u8]) -> (manifest::Kind, Parts) {
    let kind = manifest::Kind::Certificate(Certificate {
        issuer: None,
        algorithm: KeyAlgorithm::Es256,
        usage: Usage::Server,
        dns: Vec::new(),
        ip: Vec::new(),
        uri: Vec::new(),
        ttl: Period::parse("90d").unwrap(),
    });
    let piece = |part, text: &[u8]| (part, Secret::copy_of(text));
    let pieces =
        [piece(Part::Ca, b"ROOT\n"), piece(Part::Cert, b"LEAF"), piece(Part::Chain, chain), piece(Part::Key, b"KEY\n")];
    (kind, pieces.into_iter().fold(Parts::default(), |parts, (part, piece)| parts.with(part, piece)))
}

fn ca() -> (manifest::Kind, Parts) {
    let kind = manifest::Kind::Ca(Ca {
        issuer: None,
        algorithm: KeyAlgorithm::Es256,
        ttl: Period::parse("90d").unwrap(),
        common_name: None,
        permitted_dns: Vec::new(),
        permitted_ip: Vec::new(),
    });
    (kind, Parts::default().with(Part::Cert, Secret::copy_of(b"ROOT\n")).with(Part::Key, Secret::copy_of(b"KEY\n")))
}

#[test]
fn a_dotenv_file_holds_the_block_in_the_manifests_order_and_is_shared() {
    let material = material([("A", text(b"1")), ("B", text(b"it's"))]);
    let emission = emitted(&output(dotenv(Dialect::Portable), &["B", "A", "ABSENT"]), &material).unwrap();
    let [file] = &emission.files[..] else { panic!("one file") };
    let block = "# >>> vault-kit: managed, do not edit inside >>>\nB=\"it's\"\nA=1\n# <<< vault-kit <<<\n";
    assert_eq!(file.bytes.expose_text(), Some(block));
    assert_eq!((file.path.as_str(), file.shared, file.public), ("dir/file", true, false));
    assert_eq!(file.holds, [name("B"), name("A")]);
    assert_eq!(emission.warnings, []);
}

#[test]
fn a_hazard_is_a_warning_that_names_the_readers() {
    let material = material([("A", text(b"$HOME")), ("B", text(b"a\nb"))]);
    let warnings = emitted(&output(dotenv(Dialect::Portable), &["A", "B"]), &material).unwrap().warnings;
    assert_eq!(warnings.iter().map(|warning| warning.secret.as_str()).collect::<Vec<_>>(), ["A", "B"]);
    assert!(warnings[0].message.contains("dotenv-expand") && !warnings[0].message.contains("HOME"));
    assert!(warnings[1].message.contains("direnv"));
}

#[test]
fn everything_that_an_output_cannot_carry_is_told_at_once_with_what_to_do() {
    let material = material([("A", text(b"a\rhunter2")), ("B", text(b"fine")), ("C", text(b"'\"hunter2"))]);
    let error = emitted(&output(dotenv(Dialect::Portable), &["A", "B", "C"]), &material).unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Manifest, "not-portable"));
    let message = error.to_string();
    assert!(message.contains("`out`") && message.contains("`A` holds a carriage return; `C` holds `'`"), "{message}");
    assert!(!message.contains("hunter2") && !message.contains("`B`"));
    let hints = error.hints().join("\n");
    assert!(hints.contains("docker-secrets") && hints.contains("base64") && hints.contains("dialect = \"compose\""));
}

#[test]
fn a_file_that_says_it_all_stays_as_it_is_even_with_what_we_could_not_write() {
    let material = material([("A", text(b"it's \"$x\"")), ("B", text(b"1"))]);
    let values =
        material.iter().map(|(name, (kind, parts))| (name, Value { kind, parts, lists: None, roots: None })).collect();
    let output = output(dotenv(Dialect::Portable), &["A", "B"]);
    let present = "B=1\r\n# mine\nA=\"it's \\\"\\$x\\\"\"";
    let existing = |path: &str| Ok((path == "dir/file").then(|| Secret::copy_of(present.as_bytes())));
    let emission = emit(&output, &values, &existing, false).unwrap();
    assert_eq!(emission.files[0].bytes.expose_text(), Some(present));
    assert_eq!(emit(&output, &values, &existing, true).unwrap_err().code(), "not-portable");
}

#[test]
fn a_docker_secret_is_a_file_of_exactly_its_bytes() {
    let names = BTreeMap::from([(name("B"), "tokens/b.txt".to_owned())]);
    let material = material([("DB_PASS", text(b"a\n\n")), ("B", text(b"x")), ("TLS", certificate(b""))]);
    let found = files(&output(Format::DockerSecrets { files: names }, &["DB_PASS", "B", "TLS"]), &material);
    let file = |path: &str, text: &str| (path.to_owned(), text.to_owned(), false);
    assert_eq!(
        found,
        [file("dir/file/db_pass", "a\n\n"), file("dir/file/tokens/b.txt", "x"), file("dir/file/tls", "KEY\n")]
    );
}

#[test]
fn two_secrets_in_one_file_are_refused() {
    let material = material([("A", text(b"1")), ("a", text(b"2"))]);
    let (code, message) = problem(&output(Format::DockerSecrets { files: BTreeMap::new() }, &["A", "a"]), &material);
    assert_eq!((code, message.as_str()), ("duplicate-path", "output `out` would write `dir/file/a` twice"));
}

#[test]
fn json_is_sorted_and_escaped() {
    let material = material([("B", text(b"\"\\\n")), ("A", text("é$".as_bytes()))]);
    let found = files(&output(Format::Json, &["B", "A"]), &material);
    let json = "{\n  \"A\": \"é$\",\n  \"B\": \"\\\"\\\\\\n\"\n}\n";
    assert_eq!(found, [("dir/file".to_owned(), json.to_owned(), false)]);
    assert_eq!(files(&output(Format::Json, &[]), &Material::new())[0].1, "{}\n");
}

#[test]
fn json_refuses_what_is_not_text_by_name() {
    let material = material([("A", text(b"\xff"))]);
    assert_eq!(
        problem(&output(Format::Json, &["A"]), &material),
        ("not-portable", "output `out` cannot carry `A`: it is not UTF-8".into())
    );
}

fn pem(files: &[(PemFile, &str)], secrets: &[&str]) -> Output {
    output(Format::Pem { files: files.iter().map(|&(piece, file)| (piece, file.to_owned())).collect() }, secrets)
}

fn file(path: &str, text: &str, public: bool) -> (String, String, bool) {
    (format!("dir/file/{path}"), text.to_owned(), public)
}

#[test]
fn a_certificate_under_a_root_has_no_chain_and_only_its_key_is_secret() {
    let found = files(&pem(&[], &["TLS"]), &material([("TLS", certificate(b""))]));
    let wanted = [
        file("cert.pem", "LEAF", true),
        file("fullchain.pem", "LEAF\n", true),
        file("key.pem", "KEY\n", false),
        file("ca.pem", "ROOT\n", true),
    ];
    assert_eq!(found, wanted);
}

#[test]
fn the_full_chain_is_the_leaf_and_the_intermediates_and_never_the_root() {
    let files_wanted = [(PemFile::Chain, "chain.pem"), (PemFile::Fullchain, "tls/cert.pem")];
    let found = files(&pem(&files_wanted, &["TLS"]), &material([("TLS", certificate(b"MIDDLE\n"))]));
    assert_eq!(found, [file("chain.pem", "MIDDLE\n", true), file("tls/cert.pem", "LEAF\nMIDDLE\n", true)]);
}

#[test]
fn a_ca_gives_its_certificate_and_its_key_only_when_asked() {
    assert_eq!(files(&pem(&[], &["CA"]), &material([("CA", ca())])), [file("ca.pem", "ROOT\n", true)]);
    let asked = pem(&[(PemFile::Key, "ca.key")], &["CA"]);
    assert_eq!(files(&asked, &material([("CA", ca())])), [file("ca.key", "KEY\n", false)]);
}

#[test]
fn several_secrets_get_a_directory_each() {
    let keypair = Parts::default().with(Part::Key, Secret::copy_of(b"K")).with(Part::Public, Secret::copy_of(b"P"));
    let keypair = (manifest::Kind::Keypair { algorithm: KeyAlgorithm::Eddsa }, keypair);
    let found = files(&pem(&[], &["SIGN", "CA"]), &material([("CA", ca()), ("SIGN", keypair)]));
    let wanted =
        [file("sign/key.pem", "K", false), file("sign/public.pem", "P", true), file("ca/ca.pem", "ROOT\n", true)];
    assert_eq!(found, wanted);
}

#[test]
fn pem_refuses_what_has_no_such_piece() {
    let (code, message) = problem(&pem(&[], &["A"]), &material([("A", text(b"x"))]));
    assert_eq!(code, "not-portable");
    assert!(message.contains("`A`: kind `external` is neither"), "{message}");
    let asked = pem(&[(PemFile::Public, "p")], &["CA"]);
    assert!(problem(&asked, &material([("CA", ca())])).1.ends_with("it has no public key"));
}

#[test]
fn a_format_of_a_later_release_is_refused_by_name() {
    let error = emitted(&output(Format::NotYet("docker-swarm"), &[]), &Material::new()).unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Manifest, "not-yet-available"));
    assert_eq!(error.to_string(), "outputs of format `docker-swarm` are not yet available");
}

/// Values of what readers stumble over, some well formed and most not.
fn nasty() -> impl Strategy<Value = Vec<u8>> {
    const PIECES: [&str; 21] = [
        "'", "\"", "\\", "$", "`", "#", " ", "\t", "\n", "\r", "=", "=\"", "${A}", "$(id)", " #", "a", "Z9", "é",
        "\u{a0}", "\\n", "B=1",
    ];
    let mixed =
        prop::collection::vec(prop::sample::select(&PIECES[..]), 0..8).prop_map(|pieces| pieces.concat().into_bytes());
    prop_oneof![4 => mixed, 1 => prop::collection::vec(any::<u8>(), 0..12)]
}

proptest! {
    #[test]
    fn what_we_write_we_read_back(values in prop::collection::vec(nasty(), 1..6)) {
        for dialect in [Dialect::Portable, Dialect::Compose, Dialect::Shell, Dialect::Systemd, Dialect::DockerRun] {
            let names = ["A", "B", "C", "D", "E"];
            let material = |value: &Vec<u8>| text(value);
            let carried: Vec<_> = values.iter().zip(names)
                .filter(|(value, name)| emitted(&output(dotenv(dialect), &[name]), &BTreeMap::from([(self::name(name), material(value))])).is_ok())
                .collect();
            let secrets: Vec<_> = carried.iter().map(|&(_, name)| name).collect();
            let all = carried.iter().map(|&(value, name)| (self::name(name), material(value))).collect();
            let emission = emitted(&output(dotenv(dialect), &secrets), &all).unwrap();
            let bytes = emission.files[0].bytes.expose();
            let entries = read_as(dialect, bytes).unwrap();
            prop_assert!(entries.iter().all(|entry| !entry.expands), "{:?}", dialect);
            let found: Vec<_> = entries.iter().map(|entry| (entry.value.expose(), entry.name.as_str())).collect();
            let wanted: Vec<_> = carried.iter().map(|&(value, name)| (&value[..], name)).collect();
            prop_assert_eq!(found, wanted, "{:?}", dialect);
        }
    }

    #[test]
    fn the_shell_dialect_carries_all_but_nul(value in nasty()) {
        let carried = emitted(&output(dotenv(Dialect::Shell), &["A"]), &material([("A", text(&value))])).is_ok();
        prop_assert_eq!(carried, !value.contains(&0));
    }
}
