//! Which programs are handed credentials in their arguments, and how: one row for each way.

use super::value::is_digits;

/// Where a credential stands in the arguments of a program.
pub(super) enum Takes {
    /// Behind one of these options, or behind a `=` there.
    Behind(&'static [&'static str]),
    /// In the very word of one of these options, as in `-pSECRET`.
    Joined(&'static [&'static str]),
    /// Behind or in the word of one of these options, behind a name and this sign.
    Login(&'static [&'static str], char),
    /// Behind one of these options, where `pass:` says that it is not the place of one.
    Marked(&'static [&'static str]),
    /// The word of that number, from 0, that is no option.
    Word(usize),
    /// The last word that is no option.
    Last,
    /// A name, and behind it the value that is set.
    Setting,
    /// A word such as `NAME/SECRET@HOST`.
    Slashed,
    /// What `echo` or `printf` writes into its input.
    Input,
    /// The same, behind a name and a `:`.
    LoginInput,
}

/// Programs; words of theirs that stand first, in this order; and what they take. A word that ends with a dot is the beginning of
/// one, and one letter behind a dash may stand among others.
pub(super) struct Row(&'static [&'static str], &'static [&'static str], pub(super) Takes);

const DATABASES: &[&str] =
    &["mariadb", "mariadb-admin", "mariadb-check", "mariadb-dump", "mysql", "mysqladmin", "mysqlcheck", "mysqldump"];
const DIRECTORIES: &[&str] = &["ldapadd", "ldapdelete", "ldapmodify", "ldappasswd", "ldapsearch", "ldapwhoami"];
const ORACLE: &[&str] = &["exp", "expdp", "imp", "impdp", "rman", "sqlldr", "sqlplus"];
const PACKAGES: &[&str] = &["npm", "pip", "pip3", "pnpm", "yarn"];
const PHP_AND_PYTHON: &[&str] = &["composer", "poetry"];
const REDIS: &[&str] = &["redis-benchmark", "redis-cli", "valkey-benchmark", "valkey-cli"];
const REGISTRIES: &[&str] = &["az", "buildah", "crane", "docker", "helm", "nerdctl", "oras", "podman", "skopeo"];
const SHELLS: &[&str] =
    &["cqlsh", "cypher-shell", "influx", "mongo", "mongodump", "mongorestore", "mongosh", "rabbitmqadmin", "sshpass"];

/// What has no name of a credential; options that have one need no row.
const ROWS: &[Row] = &[
    Row(REDIS, &[], Takes::Behind(&["-a"])),
    Row(REDIS, &["config", "set"], Takes::Setting),
    Row(SHELLS, &[], Takes::Behind(&["-p"])),
    Row(&["sshpass"], &[], Takes::Joined(&["-p"])),
    Row(DATABASES, &[], Takes::Joined(&["-p"])),
    Row(&["bcp", "ipmitool", "mosquitto_pub", "mosquitto_sub", "sqlcmd", "unzip", "zip"], &[], Takes::Behind(&["-P"])),
    Row(&["bcp", "sqlcmd"], &[], Takes::Joined(&["-P"])),
    Row(&["7z", "7za", "7zr", "rar", "unrar"], &[], Takes::Joined(&["-p"])),
    Row(ORACLE, &[], Takes::Slashed),
    Row(DIRECTORIES, &[], Takes::Behind(&["-w"])),
    Row(DIRECTORIES, &[], Takes::Joined(&["-w"])),
    Row(&["nats-server", "valkey-server"], &[], Takes::Behind(&["--auth"])),
    Row(&["curl"], &[], Takes::Login(&["-u", "--user", "-U", "--proxy-user"], ':')),
    Row(&["http", "https"], &[], Takes::Login(&["-a", "--auth"], ':')),
    Row(&["etcdctl"], &[], Takes::Login(&["--user"], ':')),
    Row(&["smbclient"], &[], Takes::Login(&["-U"], '%')),
    Row(&["lftp"], &[], Takes::Login(&["-u"], ',')),
    Row(REGISTRIES, &["login"], Takes::Behind(&["-p"])),
    Row(REGISTRIES, &["login"], Takes::Joined(&["-p"])),
    Row(REGISTRIES, &["login", "--password-stdin"], Takes::Input),
    Row(&["keytool"], &[], Takes::Behind(&["-srcstorepass", "-deststorepass", "-srckeypass", "-destkeypass"])),
    Row(&["openssl"], &[], Takes::Marked(&["-pass", "-passin", "-passout"])),
    Row(&["openssl"], &["enc"], Takes::Behind(&["-k"])),
    Row(&["openssl"], &["passwd"], Takes::Last),
    Row(&["aws"], &["configure", "set"], Takes::Setting),
    Row(PACKAGES, &["config", "set"], Takes::Setting),
    Row(&["npm"], &["set"], Takes::Setting),
    Row(&["git"], &["config"], Takes::Setting),
    Row(PHP_AND_PYTHON, &["config", "http-basic."], Takes::Word(1)),
    Row(PHP_AND_PYTHON, &["config", "pypi-token."], Takes::Word(0)),
    Row(PHP_AND_PYTHON, &["config", "github-oauth."], Takes::Word(0)),
    Row(PHP_AND_PYTHON, &["config", "gitlab-token."], Takes::Word(0)),
    Row(&["rabbitmqctl"], &["add_user"], Takes::Word(1)),
    Row(&["rabbitmqctl"], &["authenticate_user"], Takes::Word(1)),
    Row(&["rabbitmqctl"], &["change_password"], Takes::Word(1)),
    Row(&["mc", "mcli"], &["alias", "set"], Takes::Word(3)),
    Row(&["mc", "mcli"], &["config", "host", "add"], Takes::Word(3)),
    Row(&["mc", "mcli"], &["admin", "user", "add"], Takes::Word(2)),
    Row(&["consul", "nomad", "serf"], &[], Takes::Behind(&["-encrypt", "--encrypt"])),
    Row(&["ngrok"], &["authtoken"], Takes::Word(0)),
    Row(&["ngrok"], &["config", "add-authtoken"], Takes::Word(0)),
    Row(&["wpa_passphrase"], &[], Takes::Word(1)),
    Row(&["htpasswd", "mosquitto_passwd"], &["-b"], Takes::Last),
    Row(&["caddy"], &["hash-password"], Takes::Behind(&["-p", "--plaintext"])),
    Row(&["useradd", "usermod"], &[], Takes::Behind(&["-p"])),
    Row(&["x11vnc"], &[], Takes::Behind(&["-storepasswd"])),
    Row(&["chpasswd"], &[], Takes::LoginInput),
    Row(&["passwd"], &[], Takes::Input),
    Row(&["smbpasswd"], &["-s"], Takes::Input),
    Row(&["vncpasswd"], &["-f"], Takes::Input),
    Row(&["sudo"], &["-S"], Takes::Input),
    Row(&["htpasswd"], &["-i"], Takes::Input),
    Row(&["gh"], &["auth", "login", "--with-token"], Takes::Input),
    Row(&["gpg", "gpg2"], &["--passphrase-fd"], Takes::Input),
];

/// Programs that ask for the password where an option says so.
const ASKING: &[&str] = &["createdb", "createuser", "pg_basebackup", "pg_dump", "pg_isready", "pg_restore", "psql"];

/// Passwords that are in every manual, of what is no secret: the trusted certificates of Java.
const PUBLISHED: [(&str, &str); 1] = [("keytool", "changeit")];

impl Row {
    /// The rows of a program.
    pub(super) fn of(program: &str) -> impl Iterator<Item = &'static Self> + use<'_> {
        ROWS.iter().filter(move |Self(programs, ..)| programs.contains(&program))
    }

    /// How many of the words behind the program are to be left out, if those that must stand there do.
    pub(super) fn begins<'w>(&self, words: impl IntoIterator<Item = &'w str>) -> Option<usize> {
        let mut missing = self.1.iter().peekable();
        let mut left_out = 0;
        for (at, word) in words.into_iter().enumerate() {
            let Some(wanted) = missing.peek() else { break };
            if is_word(wanted, word) {
                missing.next();
                left_out = at + 1;
            }
        }
        missing.next().is_none().then_some(left_out)
    }
}

fn is_word(wanted: &str, word: &str) -> bool {
    if wanted.ends_with('.') {
        return word.starts_with(wanted);
    }
    let flag = wanted.strip_prefix('-').filter(|it| it.len() == 1);
    let among = |letter: &str| {
        let others = word.strip_prefix('-').filter(|it| it.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        others.is_some_and(|it| it.contains(letter))
    };
    flag.map_or_else(|| word.eq_ignore_ascii_case(wanted), among)
}

/// The name of a program that is known here, out of a word that may have the path before it.
pub(super) fn program(word: &str) -> Option<&str> {
    let name = word.rsplit(['/', '\\']).next().unwrap_or(word);
    let name = name.strip_suffix(".exe").unwrap_or(name);
    // A number is the most frequent word that is none.
    let is_known = !is_digits(name) && (ASKING.contains(&name) || Row::of(name).next().is_some());
    is_known.then_some(name)
}

/// Whether a program asks for a password where an option of that name stands.
pub(super) fn asks(program: &str) -> bool {
    ASKING.contains(&program) || DATABASES.contains(&program)
}

/// Whether everybody knows that password of a program's.
pub(super) fn is_published(program: &str, value: &str) -> bool {
    PUBLISHED.contains(&(program, value))
}
