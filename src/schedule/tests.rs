//! Units and lines, and the words that hurt.

use super::*;

fn job(directory: &str, account: Account) -> Job {
    Job {
        project: "shop".to_owned(),
        environment: "prod".to_owned(),
        program: "/usr/local/bin/vault-kit".to_owned(),
        directory: directory.to_owned(),
        place: directory.to_owned(),
        manifest: "vault-kit.toml".to_owned(),
        identity: "/etc/vault-kit/identity.txt".to_owned(),
        every: Every::Minutes(5),
        writes: vec!["/var/lib/vault-kit/0123456789abcdef".to_owned()],
        state_home: None,
        runs_roots: false,
        account,
    }
}

#[test]
fn a_schedule_is_what_a_calendar_can_say() {
    for (text, every) in [
        ("1m", Every::Minutes(1)),
        ("300s", Every::Minutes(5)),
        ("30m", Every::Minutes(30)),
        ("60m", Every::Hours(1)),
        ("6h", Every::Hours(6)),
        ("1d", Every::Hours(24)),
    ] {
        assert_eq!(Every::parse(text), Some(every), "{text}");
    }
    for text in ["", "30s", "7m", "90m", "5h", "2d", "0m", "90s", "never"] {
        assert_eq!(Every::parse(text), None, "{text}");
    }
}

#[test]
fn the_service_of_a_system() {
    let job = job("/srv/shop", Account::Other("deploy".to_owned()));
    insta::assert_snapshot!(systemd::service(&job), @r#"
    # Written by `vault-kit schedule install`; `vault-kit schedule remove` removes it.

    [Unit]
    Description=Rotate the secrets of shop (prod) that are due
    After=network-online.target
    Wants=network-online.target

    [Service]
    Type=oneshot
    ExecStart=/usr/local/bin/vault-kit --log json -C /srv/shop -f vault-kit.toml -e prod --non-interactive --quiet rotate --due
    WorkingDirectory=/srv/shop
    LoadCredential=identity:/etc/vault-kit/identity.txt
    Environment=VAULT_KIT_IDENTITY_FILE=%d/identity

    User=deploy
    NoNewPrivileges=yes
    LockPersonality=yes
    MemoryDenyWriteExecute=yes
    RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
    RestrictNamespaces=yes
    RestrictRealtime=yes
    RestrictSUIDSGID=yes
    SystemCallArchitectures=native
    SystemCallFilter=@system-service
    SystemCallErrorNumber=EPERM
    UMask=0077
    CapabilityBoundingSet=
    ProtectSystem=strict
    PrivateTmp=yes
    PrivateDevices=yes
    ProtectClock=yes
    ProtectControlGroups=yes
    ProtectHostname=yes
    ProtectKernelLogs=yes
    ProtectKernelModules=yes
    ProtectKernelTunables=yes
    ProtectProc=invisible
    ProtectHome=yes
    ReadWritePaths=-/srv/shop
    ReadWritePaths=-/var/lib/vault-kit/0123456789abcdef
    "#);
}

#[test]
fn the_timer() {
    let job = job("/srv/shop", Account::Own);
    insta::assert_snapshot!(systemd::timer(&job), @r#"
    # Written by `vault-kit schedule install`; `vault-kit schedule remove` removes it.

    [Unit]
    Description=Rotate the secrets of shop (prod) that are due

    [Timer]
    OnCalendar=*:0/5
    RandomizedDelaySec=30
    Persistent=true

    [Install]
    WantedBy=timers.target
    "#);
}

#[test]
fn a_home_is_hidden_unless_it_is_needed() {
    let protects = |directory: &str| {
        let service = systemd::service(&job(directory, Account::Root));
        service.lines().find_map(|line| line.strip_prefix("ProtectHome=")).unwrap().to_owned()
    };
    assert_eq!(protects("/srv/shop"), "yes");
    for home in ["/home/alice/shop", "/root", "/run/user/1000/shop"] {
        assert_eq!(protects(home), "read-only", "{home}");
    }
    assert_eq!(protects("/rootless/shop"), "yes");
    let own = systemd::service(&job("/srv/shop", Account::Own));
    assert!(own.contains("\nProtectHome=read-only\n"), "its credentials are in /run/user: {own}");
}

#[test]
fn a_service_knows_where_its_user_s_state_is() {
    assert!(systemd::service(&job("/srv/shop", Account::Root)).contains("\nUser=root\n"), "only then it has a HOME");
    let elsewhere = Job { state_home: Some("/data/50% more".to_owned()), ..job("/srv/shop", Account::Own) };
    let service = systemd::service(&elsewhere);
    assert!(service.contains("\nEnvironment=\"XDG_STATE_HOME=/data/50%% more\"\n"), "{service}");
    let line = crontab::line(&elsewhere);
    assert!(line.contains(r" XDG_STATE_HOME='/data/50\% more' "), "{line}");
}

#[test]
fn a_user_s_own_service_whose_hooks_are_root_s_keeps_knowing_whose_they_are() {
    let own = Job { runs_roots: true, ..job("/srv/shop", Account::Own) };
    let service = systemd::service(&own);
    for key in ["PrivateUsers=", "ProtectSystem=", "ProtectHome=", "PrivateTmp=", "ReadWritePaths="] {
        assert!(!service.contains(&format!("\n{key}")), "{service}");
    }
    assert!(service.contains("\n# Without PrivateUsers=yes, ") && service.contains("\nSystemCallFilter="), "{service}");
    // The system's manager needs no such namespace.
    let of_system = Job { account: Account::Other("deploy".to_owned()), ..own };
    assert!(systemd::service(&of_system).contains("\nProtectSystem=strict\n"));
}

#[test]
fn a_project_in_a_temporary_directory_is_not_hidden_from_its_own_service() {
    let is_private = |job: &Job| systemd::service(job).lines().any(|line| line == "PrivateTmp=yes");
    assert!(is_private(&job("/srv/tmp", Account::Own)) && is_private(&job("/tmpfs/shop", Account::Own)));
    for directory in ["/tmp/shop", "/var/tmp/shop", "/tmp"] {
        let job = job(directory, Account::Own);
        assert!(!is_private(&job) && systemd::service(&job).contains("\n# Without PrivateTmp=yes: "), "{directory}");
    }
    let linked = Job { place: "/tmp/shop".to_owned(), ..job("/srv/shop", Account::Own) };
    assert!(!is_private(&linked), "by whatever path");
}

#[test]
fn a_path_with_a_symlink_stays_as_it_was_given_and_names_the_same_units() {
    let linked = Job { place: "/data/shop".to_owned(), ..job("/srv/shop", Account::Own) };
    let service = systemd::service(&linked);
    assert!(service.contains(" -C /srv/shop ") && service.contains("\nWorkingDirectory=/srv/shop\n"), "{service}");
    let writable = "\nReadWritePaths=-/srv/shop\nReadWritePaths=-/data/shop\n";
    assert!(service.contains(writable), "{service}");
    assert_eq!(linked.name(), job("/data/shop", Account::Own).name());
}

#[test]
fn words_are_escaped_for_who_reads_them() {
    let job = job(r#"/srv/a b/100%/"q"/it's/$HOME/ü\x"#, Account::Own);
    let service = systemd::service(&job);
    let line = |key: &str| service.lines().find_map(|line| line.strip_prefix(key)).unwrap();
    assert!(line("ExecStart=").contains(r#" -C "/srv/a b/100%%/\"q\"/it's/$$HOME/ü\\x" -f "#), "{service}");
    assert_eq!(line("WorkingDirectory="), r#"/srv/a b/100%%/"q"/it's/$HOME/ü\x"#);
    assert_eq!(line("ReadWritePaths="), r#""-/srv/a b/100%%/\"q\"/it's/$HOME/ü\\x""#);
    let line = crontab::line(&job);
    assert!(line.contains(r#" -C '/srv/a b/100\%/"q"/it'\''s/$HOME/ü\x' -f "#), "{line}");
}

#[test]
fn a_crontab_keeps_its_other_lines_and_one_of_ours() {
    let [one, other] = ["/srv/one", "/srv/other"].map(|directory| job(directory, Account::Own));
    let start = "MAILTO=ops\n# nightly\n0 3 * * * backup";
    let with = |text: &str, job: &Job| crontab::with(text, job, Some(&crontab::line(job)));
    let both = with(&with(start, &one), &other);
    assert_eq!(both.lines().count(), 5, "{both}");
    assert_eq!(with(&both, &other), both, "idempotent");
    let hourly = Job { every: Every::Hours(1), ..job("/srv/other", Account::Own) };
    let changed = with(&both, &hourly);
    assert!(changed.lines().count() == 5 && changed.contains("\n0 * * * * VAULT_KIT_IDENTITY_FILE="), "{changed}");
    assert_eq!(crontab::with(&crontab::with(&both, &one, None), &other, None), format!("{start}\n"));
}

#[test]
fn each_directory_and_environment_has_a_name_of_its_own() {
    let shop = job("/srv/shop", Account::Own);
    assert_eq!(shop.name(), job("/srv/shop", Account::Root).name());
    assert_ne!(shop.name(), job("/srv/shop2", Account::Own).name());
    assert_ne!(shop.name(), Job { environment: "dev".to_owned(), ..job("/srv/shop", Account::Own) }.name());
    assert_eq!(job("/srv/a\nExecStart=x", Account::Own).unfit(), Some("/srv/a\nExecStart=x"));
}
