//! Why each code is told: what leads there, what it risks, and what cures it.
//!
//! One table, in the order of the codes. A code without an entry fails a test here.

use super::facts::Place::{self, Env, Host, Remote, Repo};
use super::finding::{Code, Severity};

/// What there is to know of a code besides its findings.
#[derive(Clone, Copy, Debug)]
pub struct Explanation {
    /// The code as JSON and people read it.
    pub code: &'static str,
    /// Where `check` has to look to find it; none of them for what another command finds.
    pub places: &'static [Place],
    /// What leads there.
    pub cause: &'static str,
    /// What happens, or may happen, because of it.
    pub risk: &'static str,
    /// What to do.
    pub cure: &'static str,
}

macro_rules! explanations {
    ($($code:literal at [$($place:ident),*] cause $cause:literal risk $risk:literal cure $cure:literal)*) => {
        &[$(Explanation { code: $code, places: &[$($place),*], cause: $cause, risk: $risk, cure: $cure },)*]
    };
}

const TABLE: &[Explanation] = explanations! {
    "store-missing" at [Host]
        cause "The ledger is there and the sealed store is not: it was deleted, or only a part of `.vault-kit/` was copied."
        risk "Every value is lost with it, unless a second copy or a backup exists; writers refuse to begin anew."
        cure "`vault-kit store recover` takes the second copy of the user's state directory; else restore `.vault-kit/` from a backup."
    "ledger-stale" at [Host]
        cause "The ledger's first line names another state of the store: a writer was killed between the two, or one of them was copied alone."
        risk "What the check says of versions, dates and strength may be old."
        cure "`vault-kit render`, by somebody who has the identity, derives the ledger anew."
    "clock-behind" at [Host]
        cause "The clock of this machine is earlier than the newest time in the store by more than five minutes: it was put back, or a change was made while it ran ahead."
        risk "By such a clock what has expired is taken for valid, and what was rotated is rotated again; so writers refuse, the timer too, until it has caught up."
        cure "Where the clock is wrong, set it (`timedatectl set-ntp true`). Where it is right and ran ahead then, `vault-kit store recover --accept-clock` sets the store's time back for good; `--accept-clock` with another command lets that one through."
    "recipients-changed" at [Host]
        cause "The manifest names other people or keys than the store is sealed to: somebody edited `recipients`."
        risk "Whoever was added cannot open the store, and whoever was removed still can; every writer refuses."
        cure "Review the change, then `vault-kit recipients apply`; rotate what a removed person could read."
    "account-changed" at [Host]
        cause "The manifest names another AWS account or prefix than the store was bound to; or a region is asked in which nothing is that the store agreed on with AWS, which only `sync` tells."
        risk "Values could be sent to an account that is not yours; every writer refuses."
        cure "Undo the edit, or `vault-kit recipients apply` after a look at the account."
    "tracked-by-git" at [Repo, Host]
        cause "A file that holds values was added to the git index: one that an output writes, or an env file of a service with credentials in it."
        risk "Whoever can read the repository, or any clone of its history, has the values."
        cure "`git rm --cached` the file, ignore it, and replace every value in it with `vault-kit incident` or `generate --replace`: history keeps what was pushed."
    "example-value" at [Repo, Host]
        cause "A committed example file shows a value that is in force."
        risk "The secret is public to everybody who reads the repository."
        cure "Replace the value, and put an empty or invented one into the example."
    "secret-in-manifest" at [Repo, Host]
        cause "Somebody typed a credential into the manifest: as the value of a setting, into a template, an option of a hook, or a text for people."
        risk "The manifest is committed: whoever can read the repository, or any clone of its history, has the value."
        cure "Declare a secret in its place (`kind = \"external\"`, or what vault-kit makes), put it into a template by `${NAME}`, hand it to a hook by `secrets`; and replace the value."
    "mode-too-open" at [Host]
        cause "A file allows more than its output declares, or the identity, the store or the manifest is open to other users: a `chmod`, a copy, or another writer."
        risk "Other accounts on this host can read the values, or change the manifest."
        cure "The `chmod` of the finding; `vault-kit render` tightens outputs as well."
    "mode-too-narrow" at [Host]
        cause "The mode of a file gives its readers less than its output declares."
        risk "A service that runs as another user or in another group cannot start."
        cure "`vault-kit render`, or the `chmod` of the finding."
    "wrong-owner" at [Host]
        cause "A file belongs to somebody else than declared: it was written by another user, or by root with `sudo`."
        risk "Its owner can read and replace it, and the service that should read it perhaps cannot."
        cure "The `chown` of the finding, or `vault-kit render` as the right user."
    "symlink" at [Host]
        cause "A symlink stands where a file or directory of an output should be."
        risk "Values could be written to, or read from, a place that somebody else chose; writers refuse it."
        cure "Look where it leads, remove it, and `vault-kit render`."
    "hard-linked" at [Host]
        cause "A file of an output has another name: somebody made a hard link to it, or a backup did."
        risk "What is written there is under the other name too, where it may be open to others; writers refuse it."
        cure "Look for the other name as the finding says, and remove one of the two."
    "not-a-file" at [Host]
        cause "A directory, device, socket or pipe stands where a file should be. Docker makes a directory where it shall mount a file that is missing."
        risk "The service reads nothing, and the file cannot be written."
        cure "Remove it, `vault-kit render`, and start the containers again."
    "directory-writable-by-others" at [Host]
        cause "Another account may write in a directory above a file that holds values."
        risk "It can put a file of its own in the place of yours, and read what is written there next."
        cure "The `chmod` of the finding."
    "orphaned" at [Host]
        cause "A file that was delivered has no output any more: the output was renamed, moved or taken out of the manifest."
        risk "Its values lie about, are replaced by no rotation, and are seen by nobody."
        cure "Remove the file, or of one that was changed since what vault-kit wrote: its block in a dotenv file. Or declare the output again."
    "not-ignored" at [Repo, Host]
        cause "No line of `.gitignore` covers a file that holds values, or a later one takes it back."
        risk "The next `git add .` commits the values."
        cure "The `printf` of the finding adds the line; `vault-kit init` adds those that the project's own `.gitignore` lacks."
    "missing" at [Repo, Host, Env]
        cause "Nobody supplied or made the value yet, an output was not written (at `repo`: one of format `external-secret`, which is committed), or a variable is not set in the job that was looked at."
        risk "The service does not start, or starts without what protects it."
        cure "`vault-kit generate` or `vault-kit set` for a value, `vault-kit render` for a file, the job's own settings for a variable."
    "placeholder" at [Host, Env]
        cause "The value is one that stands for another, such as `changeme` or `your-api-key-here`."
        risk "Everybody knows it: it is the first thing that is tried."
        cure "Supply the real one with `vault-kit set`, or let `vault-kit generate --replace` make one."
    "banned" at [Host]
        cause "A value that an incident declared leaked is in force, or still stands in a file, maybe in a line of others."
        risk "Whoever found the leak can use it."
        cure "Replace it now: the command of the finding; for what others issue, get a new one from them first."
    "still-accepted" at [Host]
        cause "A value that leaked was replaced, and its owner, such as a database, was told it by a hook and was not asked to refuse it: that failed, or no hook is declared any more."
        risk "Whoever found the leak can still log in with it."
        cure "The command of the finding. Where no hook is left, have the owner refuse the value by hand, then `vault-kit incident close ID` says so."
    "weak" at [Host, Env]
        cause "The value is short, or made of words and patterns: fewer bits than a guesser needs years for."
        risk "It can be found by trying, offline from any hash or token that is made with it."
        cure "`vault-kit generate --replace` for what we can make; else a longer one from whoever issues it."
    "weak-recipe" at [Repo, Host, Env, Remote]
        cause "The `length` and `alphabet` that are declared draw too few bits, so that every new value is weak as well."
        risk "It can be found by trying, offline from any hash or token that is made with it."
        cure "Raise `length` and replace the value; where the other side takes no longer one, allow the finding with the reason."
    "self-signed" at [Host]
        cause "A certificate that a person supplied for production, with its key, is signed by that key."
        risk "No client trusts it, unless it is told not to look; and often it is a CA, whose key could sign for any name."
        cure "Supply one of a CA that the clients trust, or let `kind = \"certificate\"` make one, or have `cert import` judge it."
    "pattern-mismatch" at [Host, Env]
        cause "The value does not look as the secret's `pattern` says: another key was pasted, or a part of it is missing."
        risk "The provider refuses it when it is needed."
        cure "`vault-kit set` with the right value, or correct the pattern."
    "quoted" at [Env]
        cause "A variable was set with the quotes or the blanks that stand around the value in a file: `docker run --env-file` and most CI systems take them for a part of it."
        risk "A program gets another value than the one that is meant, and is refused with it."
        cure "Set the variable to the bare value, without quotes, blanks and a line break at its ends; where they belong to it, allow the finding with the reason."
    "reused" at [Host]
        cause "Two environments or two names have the same value."
        risk "A leak in one opens the other, and a rotation of one leaves the leaked value in force."
        cure "Give one of them a value of its own."
    "revoked" at [Host]
        cause "A certificate or token that is in force was revoked, by its serial, its id or its subject, and none was made in its place."
        risk "Verifiers that read the list refuse it: whoever uses it is locked out."
        cure "`vault-kit generate --replace`, which makes another one."
    "expired" at [Host]
        cause "A certificate or token is past its end, and nobody renewed it."
        risk "Every verifier refuses it: the outage has begun."
        cure "`vault-kit cert renew` or `vault-kit generate --replace`, then see why the schedule did not."
    "expiring" at [Host]
        cause "A certificate or token ends soon, and the time in which it should have been renewed has begun."
        risk "It works today, and will not when it ends."
        cure "`vault-kit cert renew` or `vault-kit generate --replace`; `vault-kit schedule install` does it from now on."
    "crl-expired" at [Host]
        cause "The delivered revocation list is past its `nextUpdate`."
        risk "A verifier that reads it refuses every certificate of the CA."
        cure "`vault-kit render` makes and delivers a new one."
    "crl-expiring" at [Host]
        cause "The delivered revocation list is past half of its time, and nobody made the next."
        risk "When it ends, verifiers refuse every certificate of the CA."
        cure "`vault-kit render`, and have it run more often than half of the list's time."
    "rotation-failed" at [Host]
        cause "A step of a rotation failed: its hook ended with an error, ran out of time, or could not be started."
        risk "The value is not replaced, and its owner may know the new one already. A scheduled run tries again after a pause."
        cure "Mend what the hook said, then `vault-kit rotate resume`; or give it up with `vault-kit rotate abort`."
    "rotation-unfinished" at [Host]
        cause "A rotation was begun, and nobody is at work on it: a run was killed, and no schedule follows it up."
        risk "The owner may accept one value while another one is delivered."
        cure "`vault-kit rotate resume`, and `vault-kit schedule install` so that it is followed up by itself."
    "reload-owed" at [Host]
        cause "Files were replaced, and the program that reads them was not told, since its `reload` hook failed or was not reached."
        risk "It goes on with the old values, and fails when those are retired."
        cure "`vault-kit rotate resume` calls the hook again."
    "hook-unusable" at [Repo, Host]
        cause "The program of a hook is gone, was moved, is not executable, names an interpreter that is not there, or others may change it; or it, its options or its secrets changed since this user ran `vault-kit trust`."
        risk "The rotation stops when it is due, at night perhaps: the old value stays in force, or a program goes on with old files."
        cure "The command of the finding; `vault-kit trust` once you read what changed, as the user that rotates. In a repository only what was committed is judged, never trust."
    "owner-untold" at [Host]
        cause "A value came into force by `init`, `generate`, `set` or `import`, which call no hook, or a hook of `rotate tell` failed."
        risk "Files have a value that its owner may refuse, such as a database with the password of before: what reads them fails at its next login."
        cure "`vault-kit rotate tell NAME`, once the owner runs: its hooks set the value in force and test it."
    "rotation-due" at [Host]
        cause "The value is older than its `rotate` allows, and its window has ended."
        risk "What leaked unnoticed stays valid for longer than you decided."
        cure "`vault-kit rotate --due`, or the command of the finding; `vault-kit schedule install` does it from now on."
    "declaration-changed" at [Host]
        cause "The manifest declares another value than the one that was made: other names, length, algorithm or signer."
        risk "What is in force is not what was reviewed."
        cure "`vault-kit generate --replace` or `vault-kit cert renew`, or undo the edit."
    "token-orphaned" at [Host]
        cause "The key that signed a declared token was replaced or revoked after the token was made."
        risk "Verifiers refuse the token: whoever uses it is locked out."
        cure "`vault-kit generate --replace` of the token, which signs it with the key that is in force."
    "input-changed" at [Host]
        cause "A template or certificate was made of a value that was replaced since, and was not made anew with it."
        risk "Whoever reads it works with the value of before, and fails once that is refused."
        cure "`vault-kit generate` with its name makes it of what is in force, and delivers it."
    "stale" at [Repo, Host]
        cause "A file does not hold what store and manifest say now: it was edited, copied from elsewhere, or not written since the last change. At `repo` it is an `external-secret`, for which the manifest is enough."
        risk "The service runs with an old or a foreign value."
        cure "`vault-kit render`; take an edit that you want to keep into the store first, with `vault-kit import`."
    "name-outside-block" at [Host]
        cause "A `.env` was written by hand or imported, and names of ours stand in it without the marker lines of vault-kit's block, or outside of them; or one of these was deleted."
        risk "What stands there is kept as it is: the next value cannot be written, and a rotation stops before it begins."
        cure "`vault-kit render --adopt` moves the lines into the block; where they have other values than the store, `--yes` drops those, names them, and `vault-kit import --replace` takes them in instead."
    "mounted-stale" at [Host]
        cause "A container mounts a single file, and still has the one that was replaced."
        risk "It goes on with the old value until it is started again."
        cure "The `docker compose restart` of the finding; mount the directory, or set `in_place = true`, to be rid of it."
    "undeclared" at [Host]
        cause "The store holds a secret that the manifest does not declare: it was taken out, or renamed."
        risk "None today: nobody delivers or rotates it, and it stays sealed."
        cure "`vault-kit remove` forgets it; declare it again if it is needed."
    "copy-too-old" at [Host]
        cause "No `sync pull` got an answer of AWS for longer than `stale_after`: nobody runs it, or AWS cannot be reached from here."
        risk "`run`, `render` and the files that were delivered go on with values that may have been replaced or revoked since; only `sync pull` itself fails."
        cure "`vault-kit sync pull`; where it fails, what it says. Schedule it more often than `stale_after`."
    "remote-missing" at [Remote]
        cause "The manifest declares the secret to be in AWS, and there is none of that name."
        risk "Whoever reads it from there does not start."
        cure "`vault-kit sync push`."
    "remote-unusable" at [Remote]
        cause "The secret is in AWS without a value, or scheduled for deletion."
        risk "Whoever reads it from there does not start, now or when it is deleted."
        cure "Restore it in AWS if its deletion was a mistake, then `vault-kit sync push`."
    "remote-key-missing" at [Remote]
        cause "The bundle in AWS has no key for a declared secret, or `null` for its value: somebody took it out, or it was declared later."
        risk "Whoever reads the key from there does not start, or starts with an empty credential."
        cure "`vault-kit sync push --ours NAME` puts ours there; correct `bundle_key` if it has another name."
    "remote-drift" at [Remote]
        cause "AWS has another version than the one that both sides agreed on last: somebody changed it there, or here, alone."
        risk "Hosts run with different values."
        cure "`vault-kit sync status` tells who changed; then `vault-kit sync push` or `sync pull`."
    "remote-rotation-due" at [Remote]
        cause "The secret was not changed in AWS for longer than its rotation allows. AWS tells when anything of it changed, a tag too: a value may be older than that, and never younger."
        risk "What leaked unnoticed stays valid for longer than you decided."
        cure "Rotate it where it is kept, and `vault-kit sync push`."
    "remote-key" at [Remote]
        cause "The secret is encrypted in AWS with another KMS key than declared."
        risk "Other roles than you decided can decrypt it."
        cure "Correct the key in AWS, or the manifest's `kms_key`."
    "remote-replica" at [Remote]
        cause "A declared copy in another region is missing, or not in sync."
        risk "What runs in that region has an old value, or none."
        cure "Paste the finding's `aws secretsmanager replicate-secret-to-regions …`, which `sync push` does only for secrets that it makes; `aws secretsmanager describe-secret` tells why a copy failed."
    "compose-invalid" at [Repo, Host]
        cause "A Compose file is not there, is not YAML, or says something that Docker Compose refuses."
        risk "`docker compose up` stops, and what the deployment is held to cannot be judged."
        cure "Mend the line of the finding; `docker compose config` says the same in Compose's own words."
    "compose-unreadable" at [Repo, Host]
        cause "A Compose file, a Dockerfile, a `.dockerignore` or a file in `nginx` or `traefik` is a directory, a pipe, a symlink, larger than 1 MiB or not readable by whoever checks, or its aliases, variables or `extends` multiply it beyond any project."
        risk "Services, ports and secrets of it are not judged: whatever is wrong there goes unnoticed."
        cure "Put a regular file of text and of a sensible size there, and let whoever runs `check` read it."
    "compose-unnamed" at [Repo, Host]
        cause "There is a Compose file beside the manifest, and no `compose` in the manifest."
        risk "Services that lack a secret, or have one in the open, go unnoticed."
        cure "Add the line of the finding to the manifest; where it starts nothing of this project, say so: `compose = []`."
    "variable-undeclared" at [Repo, Host]
        cause "A Compose file puts in a variable that is required or looks like a secret, and the manifest does not know it."
        risk "The service does not start, or starts with an empty credential; or somebody keeps the value by hand."
        cure "Declare it in the manifest and put it into a `dotenv` output, or mend the name."
    "variable-undelivered" at [Repo, Host]
        cause "A Compose file puts in a variable that is declared, but that no `dotenv` output of the environment writes to a file which Compose takes variables from: the `.env` beside the first Compose file, or `compose_env_files`."
        risk "The service does not start, or starts with an empty credential."
        cure "Add the name to the `secrets` of the output, or the environment to its `environments`; or say how Compose is started: `compose_env_files` (`docker compose --env-file`), `compose_run = true` (`vault-kit run -- docker compose up`)."
    "variable-overridden" at [Host]
        cause "The environment in which `check` runs has a variable that a Compose file puts in, with another value than the one that an output delivers: an `export`, a profile, a CI job."
        risk "Compose takes the shell's before that of any env file: started from there, the services get a value that nobody rotates, or an old one."
        cure "`unset` it, take it out of the profile, or start Compose by `vault-kit run`, whose values go before those of the shell."
    "env-file-missing" at [Repo, Host]
        cause "A service has an `env_file` that is not there, and no output writes one to that path."
        risk "`docker compose up` refuses to start the service."
        cure "Let a `dotenv` output write it, mend the path, or mark it `required: false`."
    "secret-file-missing" at [Repo, Host]
        cause "A secret of the Compose file is a file that is not there, and no output writes one to that path."
        risk "Docker makes a directory of that name and mounts it: the service reads nothing."
        cure "Let a `docker-secrets` or `pem` output write it, or mend the path."
    "secret-external" at [Repo, Host]
        cause "A secret of the Compose file is `external`, and no hook of the manifest hands it to the service that has it, as `docker-swarm` does."
        risk "Nobody here makes it, rotates it or knows how old it is; if it is not in Swarm, the stack is not deployed."
        cure "Let `docker-swarm` hand it over, with the service in `services` and the secret's name as `target`; what others make, allow it with a reason."
    "file-variable-dangling" at [Repo, Host]
        cause "A variable such as `POSTGRES_PASSWORD_FILE` names a path where nothing is mounted into that service."
        risk "The service does not start, or falls back to a default password."
        cure "Add the secret to the `secrets` of the service, or mend the path."
    "secret-unreadable" at [Repo, Host]
        cause "The container runs as a user who by owner and mode cannot read a file that is mounted for it. Compose ignores `uid`, `gid` and `mode` of file secrets: the file on the host decides."
        risk "The service does not start, mostly with a `permission denied` that names no cause."
        cure "Run the service as the owner of the file (`user:`), or declare that user as `uid` of the output."
    "secret-in-environment" at [Repo, Host]
        cause "A credential stands in a Compose file: in an `environment`, as a value or as the default of a variable, typed into `command`, `entrypoint`, a health check or a hook, in the `content` of a config, or in an option of a driver."
        risk "Whoever can read the repository has it, and every deployment shares it."
        cure "Take it in by a variable, declare that in the manifest, and replace the value: history keeps the old one."
    "secret-in-arguments" at [Repo, Host]
        cause "A Compose file puts a secret into `command`, `entrypoint` or a health check by a variable."
        risk "Everybody on the host reads it in the list of processes, and `docker inspect` shows it."
        cure "Hand it over as a file or variable, and let the program in the container read it: `$$NAME` in a shell there."
    "secret-in-label" at [Repo, Host]
        cause "A secret, or the hash of a password, is put into a label."
        risk "Whoever may ask Docker reads it, and so does every program that watches labels, such as a gateway."
        cure "Hand it over as a file: for Traefik `usersFile`."
    "secret-in-build-args" at [Repo, Host]
        cause "A secret is handed to a build as an argument."
        risk "It stays in the history and the provenance of the image: whoever has the image has it."
        cure "Use a build secret (`RUN --mount=type=secret`), and replace the value if an image was built."
    "secret-in-image" at [Repo, Host]
        cause "A Dockerfile puts a secret into the image: by `ENV`, `ARG`, `LABEL`, typed into what it runs, or by copying a file that holds one."
        risk "Whoever has the image, or one made of it, has the secret; a later layer that deletes the file changes nothing."
        cure "Keep the file back by `.dockerignore`, hand secrets over when the container starts, and replace what was in an image."
    "secret-in-build-context" at [Repo, Host]
        cause "A file with secrets lies in a build context, and no `.dockerignore` keeps it back."
        risk "It is sent to the builder, and the next `COPY . .` puts it into the image."
        cure "Add its line to the `.dockerignore`; `vault-kit init` does so for the project's own."
    "deployment-unknown" at [Repo, Host]
        cause "`[deployment]` names a service or network that is in no Compose file: a slip, or it was renamed."
        risk "The rule judges nothing, and what it was for goes unjudged."
        cure "Mend the name, or take the rule out."
    "port-published" at [Repo, Host]
        cause "A service publishes a port of the host that `[deployment]` does not name for it."
        risk "It can be reached from outside past the gateway: Docker opens published ports before the host's firewall rules."
        cure "Take it out of `ports`; services reach each other by name without. If it is meant, name it in `[deployment]`."
    "port-not-loopback" at [Repo, Host]
        cause "A port that is declared for this host alone is published on every address."
        risk "What relies on being reached from here only can be reached by everybody."
        cure "Put `127.0.0.1:` in front of it."
    "network-not-internal" at [Repo, Host]
        cause "A network that should be `internal: true` is not."
        risk "A service on it that is taken over reaches the internet, and published ports reach it."
        cure "Add `internal: true` to the network, and a second network to those who must get out."
    "network-not-isolated" at [Repo, Host]
        cause "A network that should keep its containers apart does not switch inter-container communication off."
        risk "One container on it that is taken over reaches the others."
        cure "Add the `driver_opts` of the finding."
    "network-subnet" at [Repo, Host]
        cause "A network lies in another subnet than declared, or Docker chooses one."
        risk "Firewall rules, certificates and name constraints that name the subnet do not fit."
        cure "Declare the subnet in `ipam`, or mend the manifest."
    "network-matrix" at [Repo, Host]
        cause "A service is on a network that its row of the matrix does not have, or not on one that it has, or has no row."
        risk "It reaches, or is reached by, what it should be kept apart from; or it does not work."
        cure "Mend the networks of the service, or the row if the change is meant."
    "secret-holders" at [Repo, Host]
        cause "`holders` of `[deployment]` says which services get a secret, and the Compose files give it, or a URL that is made of it, to another one, or not to one of those."
        risk "Who breaks into the service has a secret that is not for it; or services that need the same value do not have it, and refuse each other."
        cure "Take the variable or the mount out of the service, or give it to the one that lacks it; or mend the row if the change is meant."
    "new-privileges" at [Repo, Host]
        cause "A container lacks `no-new-privileges:true`, which `[deployment]` demands of every one."
        risk "A program in it can become root by a setuid file."
        cure "Add `security_opt: [\"no-new-privileges:true\"]`."
    "not-read-only" at [Repo, Host]
        cause "A container that `[deployment]` lists as read-only can write to its root file system."
        risk "Who breaks in can leave programs there."
        cure "Add `read_only: true`, and `tmpfs` or volumes for what it writes."
    "no-limits" at [Repo, Host]
        cause "A container has no limit of processors or memory, which `[deployment]` demands of every one."
        risk "One that runs wild takes the host, and everything on it, down."
        cure "Add `deploy.resources.limits`."
    "privileged" at [Repo, Host]
        cause "A container runs with `privileged: true`."
        risk "Whoever breaks into it is root on the host."
        cure "Take it out and add the capabilities that it needs; or allow the finding, with a reason."
    "host-namespace" at [Repo, Host]
        cause "A container shares the network, processes or memory of the host."
        risk "Neither networks nor published ports keep it apart: it reaches whatever listens on the host."
        cure "Take `network_mode: host`, `pid: host` or `ipc: host` out."
    "weak-tls" at [Repo, Host]
        cause "The gateway's configuration allows a version of TLS below `tls_min`, or leaves the choice to nginx or Traefik."
        risk "Connections can be brought down to versions that are broken (RFC 8996)."
        cure "The `ssl_protocols` line of the finding, then reload nginx; for Traefik its `minVersion`."
    "route-unprotected" at [Repo, Host]
        cause "A router of Traefik leads to a service of `forward_auth` and passes no ForwardAuth, or one of `open_routes` goes before one that asks: it has the higher priority, or the longer rule."
        risk "Whoever comes by that route is let in without a token, and can say who they are in the headers that the service trusts."
        cure "Put the middleware that asks into the router's `middlewares`; or name the router in `open_routes`, if everybody may come."
    "header-forgeable" at [Repo, Host]
        cause "The `authResponseHeaders` of a ForwardAuth lack a header that `forward_auth` names, or an open route does not take it away."
        risk "Traefik hands on what the client sends under that name: anybody can be anybody, in any role."
        cure "Name the header in `authResponseHeaders`; on an open route, empty it by `headers.customrequestheaders`. `vault-kit token forward-auth labels` prints both."
    "unused" at [Repo, Host]
        cause "A secret or setting is declared, and no service of the Compose files reads its variable or file."
        risk "It is made, kept and rotated for nobody; or a service lost it by a mistake."
        cure "Take it out of the manifest; or name it in `outside` of `[deployment]`, if a person or another host reads it."
    "wildcard-origin" at [Repo, Host, Env]
        cause "A setting, a value or a job's variable of `prod`, `production` or `staging`, such as `CORS_ORIGINS`, allows `*`."
        risk "Any web page can call the service with the browser of your users."
        cure "Name the origins: of a setting in `values = { prod = \"https://app.example.com\" }`, of a value with `set`."
    "account-shared" at [Repo, Host]
        cause "`aws` of two environments names the same account, and one of them is `prod` or `production`."
        risk "Whoever may do in the account what the other environment takes, such as change IAM or a key, reaches production's values."
        cure "Give production an account of its own, and write its number into `aws` of `[environments.prod]`."
    "policy-stale" at [Repo, Host]
        cause "A file such as `iam/prod-reader.json` was printed by `vault-kit iam policy` and is not what that prints now: a secret, prefix or account changed, or somebody edited it."
        risk "Services are denied what they need, as by an ARN that lacks the slash of its names; or they may read what is not theirs."
        cure "`vault-kit iam policy` prints it anew, with `-e` and `--role` as the name of the file says; put it into the file, and attach it."
    "external-store" at [Repo, Host]
        cause "The `SecretStore` that an `external-secret` names is in a file beside it or above, and leads to another region or account than `aws` of the environment; or its service account has no role (`eks.amazonaws.com/role-arn`), or a placeholder for one."
        risk "The operator is denied the values, or reads those of another environment: pods do not start, or with the wrong ones."
        cure "Write the region, and the ARN of a role of the environment's account, into the file of the finding; the role has the policy of `vault-kit iam policy --role reader`."
    "leaked" at [Repo]
        cause "`scan` found a known value, or what a rule blocks, in a file, a commit or an image; `check --range` finds it in commits, also those that were pushed with `--no-verify`."
        risk "Whoever can read that place has the value, and git keeps it when the file is gone."
        cure "`vault-kit incident NAME` replaces and bans it; then take it out of the place where it was found."
    "leak-suspected" at [Repo]
        cause "A commit of the range that `check --range` looked through has what looks like somebody's credential, by a rule that only warns, or an archive that was not looked through to its end."
        risk "If it is one, or has one in it, whoever can read the repository has it."
        cure "Look at it: replace it where it is one, or add the line for `.vault-kit-ignore` that `scan` tells."
    "allow-expired" at [Repo, Host, Env, Remote]
        cause "An entry of `check.allow` in the manifest names a day in `until` that has passed."
        risk "What was put up with for a while has become a habit; its findings fail again."
        cure "Mend what it allowed and take the entry out, or decide anew: another `until`, with a reason."
    "allow-too-long" at [Repo, Host, Env, Remote]
        cause "An entry of `[[check.allow]]` has a day in `until` that is more than a year (366 days) away."
        risk "What it puts up with is silenced for longer than anybody remembers why."
        cure "Set `until` to a day within a year, and look at it again then."
    "allow-unused" at [Repo, Host, Env, Remote]
        cause "An entry of `check.allow` matches no finding: the problem is mended, or secret, file or environment are others."
        risk "It would hide the same problem when it comes back."
        cure "Take the entry out of the manifest, or name the `environments` that it is for."
};

/// What there is to know of a code; `None` = there is none of that name.
pub fn of_text(code: &str) -> Option<&'static Explanation> {
    TABLE.iter().find(|it| it.code == code)
}

/// All of them, in the order of the codes; at the end those of other commands than `check`.
pub fn all() -> &'static [Explanation] {
    TABLE
}

impl Explanation {
    /// How much a finding of it weighs.
    pub fn severity(&self) -> Severity {
        Code::of_text(self.code).map_or(Severity::Error, Code::severity)
    }

    /// What is wrong, in a sentence.
    pub fn summary(&self) -> &'static str {
        Code::of_text(self.code).map_or("A value stands where others can read it.", Code::summary)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_explained_in_its_place() {
        let explained: Vec<&str> = all().iter().filter(|it| !it.places.is_empty()).map(|it| it.code).collect();
        for code in Code::ALL {
            let text = code.text();
            assert!(
                explained.contains(&text),
                "`{text}` has no entry in src/check/explain.rs: tell cause, risk and cure"
            );
        }
        let codes: Vec<&str> = Code::ALL.iter().map(|code| code.text()).collect();
        assert_eq!(explained, codes, "the table has the order of `codes!` in src/check/finding.rs");
    }

    #[test]
    fn each_explanation_is_whole_sentences() {
        for it in all() {
            for text in [it.cause, it.risk, it.cure, it.summary()] {
                assert!(text.ends_with('.') && text.len() > 20, "{}: {text}", it.code);
            }
        }
    }
}
