//! Places, uses and problems; what the files amount to is compared with the reference in `tests/compose`.

use proptest::prelude::*;

use super::model::{Origin, VariableUse};
use super::*;

fn files(files: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
    files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect()
}

fn of(list: &[(&str, &str)]) -> Resolved {
    let compose = [list[0].0.to_owned()];
    resolve(
        &Request { files: &compose, variables: &BTreeMap::new(), env_files: None, directory: "project" },
        &files(list),
    )
}

/// The project of files that have nothing wrong.
fn project(list: &[(&str, &str)]) -> Project {
    let resolved = of(list);
    assert_eq!(resolved.problems, []);
    resolved.project
}

/// `file:line kind message` of each problem.
fn problems(list: &[(&str, &str)]) -> Vec<String> {
    let told = |it: Problem| format!("{}:{} {:?} {}", it.at.file, it.at.line, it.kind, it.message);
    of(list).problems.into_iter().map(told).collect()
}

fn place(at: &Location) -> String {
    format!("{}:{}", at.file, at.line)
}

const SHOP: [(&str, &str); 3] = [
    (
        "compose.yaml",
        "services:\n  api:\n    image: api:${TAG:-1}\n    environment:\n      PASSWORD: ${PASSWORD:?x}\n      PLAIN: text\n      TOKEN:\n    \
         env_file: api.env\n    ports:\n      - 80:80\n",
    ),
    ("api.env", "# x\nFROM_FILE=a${PASSWORD}\n"),
    (".env", "PASSWORD=hunter2\n"),
];

#[test]
fn every_value_tells_where_it_stands_and_which_variables_made_it() {
    let project = project(&SHOP);
    let api = &project.services["api"];
    assert_eq!(place(&api.at), "compose.yaml:2");
    let image = api.image.as_ref().unwrap();
    assert_eq!(
        (image.as_str(), place(&image.at), &image.variables[..]),
        ("api:1", "compose.yaml:3".into(), &["TAG".to_owned()][..])
    );
    let password = &api.environment["PASSWORD"];
    let value = password.value.as_ref().unwrap();
    assert_eq!((value.as_str(), place(&value.at), value.is_literal()), ("hunter2", "compose.yaml:5".into(), false));
    assert_eq!(password.origin, Origin::Environment);
    assert!(api.environment["PLAIN"].value.as_ref().unwrap().is_literal());
    assert_eq!((api.environment["TOKEN"].origin, &api.environment["TOKEN"].value), (Origin::Host, &None));
    let from_file = &api.environment["FROM_FILE"];
    assert_eq!((place(&from_file.at), from_file.origin), ("api.env:2".into(), Origin::EnvFile));
    assert_eq!(from_file.value.as_ref().unwrap().variables, ["PASSWORD"]);
    assert_eq!(place(&api.ports[0].at), "compose.yaml:10");
    assert_eq!(project.files, [".env", "api.env", "compose.yaml"]);
}

#[test]
fn every_use_of_a_variable_is_noted() {
    let shown = |it: &VariableUse| format!("{} {:?} {} {} {}", it.name, it.need, place(&it.at), it.path, it.known);
    let mut uses: Vec<String> = project(&SHOP).uses.iter().map(shown).collect();
    uses.sort();
    assert_eq!(
        uses,
        [
            "PASSWORD Expected api.env:2 services.api.env_file true",
            "PASSWORD Required compose.yaml:5 services.api.environment.PASSWORD true",
            "TAG Default compose.yaml:3 services.api.image false",
            "TOKEN HandedOn compose.yaml:7 services.api.environment.TOKEN false",
        ]
    );
}

#[test]
fn what_stands_where_a_key_is_due_is_not_told() {
    let compose = "services:\n  a:\n    image: a\n    environment:\n      hunter2 hunter2: ${X\n      hunter2=: [1]\n  \
                   hunter2!:\n    ports: x\n    image: ${Y:?}\n";
    let told = problems(&[("compose.yaml", compose)]);
    assert!(told.len() > 3 && !told.concat().contains("hunter2"), "{told:?}");
}

#[test]
fn a_service_with_a_dot_in_its_name_is_known_by_its_name() {
    let uses = project(&[("compose.yaml", "services: {a.b: {image: a$X}}\nnetworks: {default: {name: $Y}}")]).uses;
    let services: Vec<_> = uses.iter().map(|it| (it.name.as_str(), it.service.as_deref())).collect();
    assert!(services.contains(&("X", Some("a.b"))) && services.contains(&("Y", None)), "{services:?}");
}

#[test]
fn debug_shows_no_value() {
    let shown = format!("{:?}", of(&SHOP));
    assert!(shown.contains("PASSWORD") && !shown.contains("hunter2") && !shown.contains("api:1"), "{shown}");
}

#[test]
fn variables_of_the_host_win_over_those_of_the_file() {
    let compose = ["compose.yaml".to_owned()];
    let variables = BTreeMap::from([("PASSWORD".to_owned(), Secret::copy_of(b"of-the-host"))]);
    let request = Request { files: &compose, variables: &variables, env_files: None, directory: "project" };
    let project = resolve(&request, &files(&SHOP)).project;
    assert_eq!(project.services["api"].environment["PASSWORD"].value.as_ref().unwrap().as_str(), "of-the-host");
}

#[test]
fn what_is_missing_is_told_apart_from_what_is_wrong() {
    let told = problems(&[SHOP[0]]);
    assert_eq!(
        told,
        [
            "compose.yaml:5 Missing `services.api.environment.PASSWORD`: the required variable `PASSWORD` is not set",
            "compose.yaml:8 Missing `services.api.env_file`: `api.env` does not exist",
        ]
    );
    assert_eq!(
        problems(&[("compose.yaml", "services: {a: {image: a, ports: [hunter2]}}")]),
        ["compose.yaml:1 Refused `services.a.ports` has an entry that names no ports"]
    );
}

#[test]
fn cycles_are_told_with_their_way() {
    let cycle = "services:\n  a: {image: a, extends: b}\n  b: {extends: {service: a, file: other.yaml}}\n";
    let other = "services:\n  a: {extends: {service: b, file: compose.yaml}}\n";
    let told = problems(&[("compose.yaml", cycle), ("other.yaml", other)]);
    assert!(told.iter().any(|it| it.ends_with("extend each other: `a` → `b` → `a` → `b`")), "{told:?}");
    let told = problems(&[("compose.yaml", "include: [b/b.yaml]"), ("b/b.yaml", "include: [../compose.yaml]")]);
    assert_eq!(told, ["b/b.yaml:1 Refused the files include each other: `compose.yaml` → `b/b.yaml` → `compose.yaml`"]);
}

#[test]
fn chains_of_extends_come_to_an_end() {
    let chain = (0..200).map(|n| format!("  s{n}: {{image: a, extends: s{}}}\n", n + 1)).collect::<Vec<_>>().concat();
    let told = problems(&[("compose.yaml", &format!("services:\n{chain}  s200: {{image: a}}\n"))]);
    assert!(told.iter().any(|it| it.contains("NotRead `extends` goes over more than 50 services")), "{told:?}");
}

#[test]
fn services_that_extends_multiplies_come_to_an_end() {
    let labels = (0..2000).map(|n| format!("      l{n}: x\n")).collect::<Vec<_>>().concat();
    let copies = (0..110).map(|n| format!("  s{n}: {{extends: base}}\n")).collect::<Vec<_>>().concat();
    let compose = format!("services:\n  base:\n    image: a\n    labels:\n{labels}{copies}");
    let told = problems(&[("compose.yaml", &compose)]);
    assert!(told.iter().any(|it| it.contains("NotRead the project has more than 200000 entries")), "{told:?}");
}

#[test]
fn values_that_variables_multiply_come_to_an_end() {
    let big = format!("BIG={}\n", "x".repeat(900_000));
    let uses = (0..30).map(|n| format!("      - A{n}=$BIG\n")).collect::<Vec<_>>().concat();
    let compose = format!("services:\n  a:\n    image: a\n    environment:\n{uses}");
    let told = problems(&[("compose.yaml", &compose), (".env", &big)]);
    assert!(told.iter().any(|it| it.contains("NotRead") && it.contains("grows too long by its variables")), "{told:?}");
}

#[test]
fn files_without_end_come_to_an_end() {
    let includes: Vec<String> = (0..500).map(|n| format!("f{n}.yaml")).collect();
    let mut all = files(&[("compose.yaml", &format!("include: [{}]", includes.join(", ")))]);
    all.extend(includes.iter().map(|path| (path.clone(), b"services: {}".to_vec())));
    let compose = ["compose.yaml".to_owned()];
    let problems =
        resolve(&Request { files: &compose, variables: &BTreeMap::new(), env_files: None, directory: "p" }, &all)
            .problems;
    assert!(problems.iter().any(|it| it.message == "more than 200 files belong to the project"), "{problems:?}");
}

#[test]
fn an_override_file_is_taken_along_where_compose_takes_it() {
    let list = [
        ("app/compose.yaml", "services: {a: {image: a}}"),
        ("app/compose.override.yaml", "services: {a: {user: '5'}}"),
    ];
    assert!(project(&list).services["a"].user.is_some());
    let list = [("app/prod.yaml", "services: {a: {image: a}}"), list[1]];
    assert!(project(&list).services["a"].user.is_none());
}

/// The problems of a Compose file by line.
fn kinds(text: &str) -> Vec<(u32, ProblemKind)> {
    let problems = of(&[("compose.yaml", text)]).problems;
    problems.iter().map(|it| (it.at.line, it.kind)).collect()
}

#[test]
fn what_another_host_may_bring_is_not_said_to_be_missing() {
    let service = "    depends_on: [b]\n    networks: [back]\n    volumes: ['data:/x']\n    secrets: [tls]\n";
    let extended = format!("services:\n  a:\n    extends: {{file: 'https://h/x.yml', service: a}}\n{service}");
    assert_eq!(kinds(&extended), [(3, ProblemKind::Elsewhere)]);
    let included = format!("include: ['oci://h/x:1']\nservices:\n  a:\n    image: a\n{service}");
    assert_eq!(kinds(&included), [(1, ProblemKind::Elsewhere)]);
    let refused = kinds(&format!("services:\n  a:\n{service}"));
    assert!(refused.len() == 5 && refused.iter().all(|(_, kind)| *kind == ProblemKind::Refused), "{refused:?}");
}

#[test]
fn a_mount_that_waits_for_a_variable_is_not_refused() {
    let of = |mount: &str| kinds(&format!("services:\n  a:\n    image: a\n    volumes: ['{mount}']\n"));
    assert_eq!(of("${DATA}:/data"), [(4, ProblemKind::Unvalued)]);
    assert_eq!(of("./x:${DATA}"), [(4, ProblemKind::Unvalued)]);
    assert_eq!(of(":/data"), [(4, ProblemKind::Refused)]);
    assert_eq!(of("./a:/b:ro:${DATA}x"), [(4, ProblemKind::Refused)]);
    assert_eq!(of("${DATA:-./data}:/data"), []);
}

#[test]
fn what_cannot_be_brought_is_told_where_it_is_named() {
    struct Refusing;
    impl Files for Refusing {
        fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Unreadable> {
            match path {
                "compose.yaml" => Ok(Some(b"services:\n  a:\n    image: a\n    env_file: x.env\n".to_vec())),
                "x.env" => Err(Unreadable { why: "is no regular file".to_owned(), fix: "ls -l x.env".to_owned() }),
                _ => Ok(None),
            }
        }
    }
    let compose = ["compose.yaml".to_owned()];
    let resolved =
        resolve(&Request { files: &compose, variables: &BTreeMap::new(), env_files: None, directory: "p" }, &Refusing);
    let problem = &resolved.problems[0];
    assert_eq!((place(&problem.at), problem.kind), ("compose.yaml:4".into(), ProblemKind::Elsewhere));
    assert_eq!(problem.message, "`x.env` is no regular file");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn any_compose_file_is_read_or_refused(
        lines in prop::collection::vec(
            (0_usize..5, prop::sample::select(vec![
                "services:", "a:", "b:", "image: ${X:-a}", "extends: a", "extends: {service: b, file: compose.yaml}", "ports: [80, '1-3:1-3']",
                "- 80:80", "- x", "environment:", "X: $Y", "- X=$Y", "secrets: [s]", "secrets:", "s: {file: x}", "networks:",
                "volumes: ['a:b', ./x:/y]", "build: .", "include: [compose.yaml]", "env_file: [.env]", "depends_on: [a]", "<<: *x",
                "x: &x", "labels: !reset", "command: !override [a]", "deploy: {resources: {limits: {cpus: 1}}}", "---", "cpus: 1",
            ])),
            0..25,
        ),
    ) {
        let text = lines.iter().map(|(depth, line)| format!("{}{line}\n", "  ".repeat(*depth))).collect::<Vec<_>>().concat();
        let _ = of(&[("compose.yaml", &text), (".env", "Y=1\n")]);
    }
}
