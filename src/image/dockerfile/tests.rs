//! What a Dockerfile says, in each of the forms that Docker takes.

use proptest::prelude::*;

use super::*;

/// Each instruction as `line:stage does`.
fn shown(text: &str) -> Vec<String> {
    let setting = |it: &Setting| match &it.value {
        Some(value) => format!("{}={value}{}", it.name, if it.expands { " $" } else { "" }),
        None => it.name.clone(),
    };
    let does = |does: &Does| match does {
        Does::Argument(it) => format!("ARG {}", setting(it)),
        Does::Variable(it) => format!("ENV {}", setting(it)),
        Does::Label(it) => format!("LABEL {}", setting(it)),
        Does::Copies(it) => {
            let from = it.from.iter().map(|from| format!(" from {from}"));
            let excluded = it.excluded.iter().map(|excluded| format!(" without {excluded}"));
            let rest: String = from.chain(excluded).collect();
            format!("COPY {} to {}{rest}", it.sources.join("|"), it.target)
        }
        Does::Directory(path) => format!("WORKDIR {path}"),
        Does::Runs(it) => format!("{} {}", it.keyword, it.words.join("|")),
        Does::User(user) => format!("USER {user}"),
    };
    let stage = |stage: Option<usize>| stage.map_or("-".to_owned(), |stage| stage.to_string());
    let file = Dockerfile::parse(text);
    file.instructions.iter().map(|it| format!("{}:{} {}", it.line, stage(it.stage), does(&it.does))).collect()
}

#[test]
fn variables_arguments_and_labels_are_read_in_each_of_their_forms() {
    let text = r#"
ARG VERSION=3.20
FROM alpine:${VERSION} AS base
ARG TOKEN
ARG A=1 B="two words"
ENV OLD form with  blanks
ENV ONE=1 TWO="2 3" THREE=a\ b \
    # a comment within
    FOUR='$HOME' FIVE=$ONE \

    SIX=6
label "com.example.vendor"="ACME" multi='x'
"#;
    assert_eq!(
        shown(text),
        [
            "2:- ARG VERSION=3.20",
            "4:0 ARG TOKEN",
            "5:0 ARG A=1",
            "5:0 ARG B=two words",
            "6:0 ENV OLD=form with  blanks",
            "7:0 ENV ONE=1",
            "7:0 ENV TWO=2 3",
            "7:0 ENV THREE=a b",
            "7:0 ENV FOUR=$HOME",
            "7:0 ENV FIVE=$ONE $",
            "7:0 ENV SIX=6",
            "12:0 LABEL com.example.vendor=ACME",
            "12:0 LABEL multi=x",
        ]
    );
}

#[test]
fn what_is_copied_has_its_sources_and_where_it_goes() {
    let text = "FROM a\n\
        COPY --chown=1:1 --link .env app /srv/\n\
        COPY [\"with blank\", \"/srv/\"]\n\
        COPY --from=build /x /y\n\
        ADD https://example.com/x.tar ./local.tar /srv/\n\
        COPY <<EOF /etc/x\nCOPY .env /inner\nEOF\n\
        COPY <<-\"END\" <<OTHER /etc/\n\tCOPY b /c\n\tEND\nCOPY d /e\nOTHER\n\
        RUN cat <<EOF\nENV TOKEN=x\nEOF\n\
        RUN echo 1 << 2\n\
        COPY . .\n";
    let copied: Vec<String> = shown(text).into_iter().filter(|it| it.contains("COPY")).collect();
    assert_eq!(
        copied,
        [
            "2:0 COPY .env|app to /srv/",
            "3:0 COPY with blank to /srv/",
            "4:0 COPY /x to /y from build",
            "5:0 COPY ./local.tar to /srv/",
            "7:0 COPY COPY .env /inner",
            "10:0 COPY COPY b /c",
            "12:0 COPY COPY d /e",
            "18:0 COPY . to .",
        ]
    );
}

#[test]
fn what_is_run_is_read_in_each_of_its_forms() {
    let text = "FROM a\n\
        RUN --mount=type=cache,target=/x --network=none make \\\n  # a comment\n  all\n\
        RUN [\"make\", \"a b\"]\n\
        RUN [ -f x ] && make\n\
        RUN <<EOF\nset -e\n# a comment\nmake\nEOF\n\
        COPY <<EOF /etc/x\nRUN inner\nEOF\n\
        HEALTHCHECK --interval=5s CMD [\"check\", \"-q\"]\n\
        healthcheck none\n\
        ONBUILD RUN make\n\
        ENTRYPOINT exec app\n\
        CMD [\"--port\", \"80\"]\n";
    assert_eq!(
        shown(text),
        [
            "2:0 RUN make   all",
            "5:0 RUN make|a b",
            "6:0 RUN [ -f x ] && make",
            "7:0 RUN <<EOF",
            "8:0 RUN set -e",
            "10:0 RUN make",
            "13:0 COPY RUN inner",
            "15:0 HEALTHCHECK check|-q",
            "16:0 HEALTHCHECK none",
            "17:0 RUN make",
            "18:0 ENTRYPOINT exec app",
            "19:0 CMD --port|80",
        ]
    );
}

#[test]
fn a_backtick_can_be_the_escape() {
    let text = "# syntax=docker/dockerfile:1\n# escape=`\nFROM a\nENV A=1 `\n  B=c:\\dir\n";
    assert_eq!(shown(text), ["4:0 ENV A=1", "4:0 ENV B=c:\\dir"]);
    let later = "# a comment\n# escape=`\nFROM a\nENV A=1 \\\n  B=2\n";
    assert_eq!(shown(later), ["4:0 ENV A=1", "4:0 ENV B=2"]);
}

#[test]
fn an_image_is_made_of_its_stage_and_those_beneath_it() {
    let text = "FROM --platform=linux/amd64 a AS one\nUSER 1000:1000\nFROM b AS two\nUSER app\nFROM One as three\n\
        USER $WHO\nFROM one\n";
    let file = Dockerfile::parse(text);
    let stages: Vec<_> = file.stages.iter().map(|it| (it.base.as_str(), it.name.as_deref(), it.line)).collect();
    assert_eq!(stages, [("a", Some("one"), 1), ("b", Some("two"), 3), ("One", Some("three"), 5), ("one", None, 7)]);
    assert_eq!(file.stages_of(None), [3, 0]);
    assert_eq!(file.stages_of(Some("TWO")), [1]);
    assert_eq!(file.stages_of(Some("2")), [2, 0]);
    assert!(file.stages_of(Some("none")).is_empty());
    assert_eq!(file.user_of(None), Some("1000:1000"));
    assert_eq!((file.user_of(Some("two")), file.user_of(Some("three"))), (Some("app"), None));
}

#[test]
fn what_is_not_a_dockerfile_is_passed_over() {
    for text in [
        "",
        "\\",
        "#\\\n",
        "COPY",
        "ENV",
        "ENV A",
        "FROM",
        "ARG =",
        "RUN <<",
        "COPY <<E x",
        "\u{feff}FROM a",
        "ENV \"A",
    ] {
        let file = Dockerfile::parse(text);
        assert!(file.stages_of(None).len() <= 1, "{text:?}");
    }
    assert_eq!(Dockerfile::parse("FROM a AS a\nFROM a AS a\n").stages_of(Some("a")), [1, 0]);
}

#[test]
fn a_value_is_not_in_debug() {
    let file = Dockerfile::parse("FROM a\nENV TOKEN=canary\nARG TOKEN=canary\nLABEL token=canary\n");
    assert!(!format!("{file:?}").contains("canary"));
}

proptest! {
    #[test]
    fn any_text_is_read(text in "(FROM|ENV|ARG|COPY|RUN|LABEL)?[ a-z=\"'\\\\<\n#$]{0,80}|\\PC*") {
        let file = Dockerfile::parse(&text);
        prop_assert!(file.instructions.iter().all(|it| it.line as usize <= text.lines().count()));
    }
}
