"""Measures vault-kit side by side with its peers, in one run, and prints a Markdown table.

A figure alone says more about the machine than about the program, so what counts is the ratio between two commands that
took turns (A B A B …) on the same machine. Each is a whole process, from start to exit: the median of wall time, of CPU
time (user and system, children included, from wait4) and, in runs of their own, of the largest resident set. Only the
standard library.

A peer that is not installed is named as not measured. A command that fails is named as failed, never timed.
"""

import argparse
import base64
import contextlib
import ctypes
import dataclasses
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
SIZES = [1, 10, 100, 1_000, 10_000]
RUNS_AT_LEAST = 5
MEMORY_RUNS = 5
PR_SET_CHILD_SUBREAPER = 36


@dataclasses.dataclass(frozen=True)
class Command:
    """One contestant: what to run, where, and how to put things back before each run."""

    label: str
    argv: list[str]
    directory: pathlib.Path
    before: object = None  # called before each run, outside the time that is taken
    stdin: str = os.devnull


@dataclasses.dataclass(frozen=True)
class Figures:
    wall: float  # milliseconds
    cpu: float  # milliseconds
    memory: float  # MB (10^6 bytes)


@dataclasses.dataclass(frozen=True)
class Row:
    task: str
    ours: str
    figures: Figures | None
    peer: str
    peer_figures: Figures | None
    target: str = ""
    note: str = ""


class Failed(Exception):
    """A command did not do what it was timed for."""


@contextlib.contextmanager
def inside(directory: pathlib.Path):
    home = os.getcwd()
    os.chdir(directory)
    try:
        yield
    finally:
        os.chdir(home)


def run_once(command: Command, environment: dict[str, str]) -> Figures:
    """Wall and CPU time of one run; its memory is told by `peak_memory`."""
    if command.before:
        command.before()
    executable = shutil.which(command.argv[0], path=environment["PATH"]) or command.argv[0]
    silent = [(os.POSIX_SPAWN_OPEN, 0, command.stdin, os.O_RDONLY, 0)]
    silent += [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_WRONLY, 0) for fd in (1, 2)]
    with inside(command.directory):
        start = time.perf_counter_ns()
        child = os.posix_spawn(executable, command.argv, environment, file_actions=silent)
        _, status, usage = os.wait4(child, 0)
        wall = time.perf_counter_ns() - start
    if code := os.waitstatus_to_exitcode(status):
        raise Failed(f"exit code {code}")
    return Figures(wall / 1e6, (usage.ru_utime + usage.ru_stime) * 1e3, 0)


def become_subreaper() -> bool:
    """Orphans of our children become our children (Linux): see `peak_memory`."""
    try:
        return ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
    except (OSError, AttributeError):
        return False


def peak_memory(command: Command, environment: dict[str, str]) -> float:
    """The largest resident set of one run, in MB.

    Linux counts what a process was before its exec, and a child of this one was Python. So a shell starts the command
    and leaves it to us: its past is then a small shell's.
    """
    if command.before:
        command.before()
    starter = ["/bin/sh", "-c", '"$@" <"$0" >/dev/null 2>&1 & echo $!', command.stdin, *command.argv]
    with inside(command.directory):
        child = int(subprocess.run(starter, env=environment, capture_output=True, check=True).stdout)
        try:
            _, status, usage = os.wait4(child, 0)
        except ChildProcessError:
            # It ended before the shell, which took its record along: too small a process to matter.
            return float("nan")
    if code := os.waitstatus_to_exitcode(status):
        raise Failed(f"exit code {code}")
    return usage.ru_maxrss * 1024 / 1e6


def median(samples: list[Figures], memory: float) -> Figures:
    wall, cpu = (statistics.median(getattr(sample, field) for sample in samples) for field in ("wall", "cpu"))
    return Figures(wall, cpu, memory)


def in_turn(commands: list[Command], bench: "Bench") -> dict[str, Figures | str]:
    """Runs all commands in turn; a label leads to its medians, or to the reason why there are none."""
    results: dict[str, Figures | str] = {}
    contestants = []
    warm_up = time.perf_counter()
    for command in commands:
        try:
            run_once(command, bench.environment)
            contestants.append(command)
        except (Failed, OSError) as error:
            results[command.label] = f"failed ({error})"
            bench.note(f"`{' '.join(command.argv[:4])}`: {error}")
    # Slow contestants get fewer turns, but the same number as everybody in their round.
    elapsed = time.perf_counter() - warm_up
    turns = max(RUNS_AT_LEAST, min(bench.runs, int(bench.seconds / max(elapsed, 1e-3))))
    samples: dict[str, list[Figures]] = {command.label: [] for command in contestants}
    for _ in range(turns):
        for command in contestants:
            try:
                samples[command.label].append(run_once(command, bench.environment))
            except (Failed, OSError) as error:
                results[command.label] = f"failed ({error})"
    for command in contestants:
        if command.label not in results:
            results[command.label] = median(samples[command.label], median_memory(command, bench))
    return results


def median_memory(command: Command, bench: "Bench") -> float:
    if not bench.measures_memory:
        return float("nan")
    return statistics.median(peak_memory(command, bench.environment) for _ in range(MEMORY_RUNS))


class Bench:
    def __init__(self, arguments: argparse.Namespace, scratch: pathlib.Path) -> None:
        self.vault_kit = str(pathlib.Path(arguments.vault_kit).resolve())
        self.runs = arguments.runs
        self.seconds = arguments.seconds
        self.scratch = scratch
        self.rows: list[Row] = []
        self.notes: list[str] = []
        self.environment = self.clean_environment()
        self.absent: set[str] = set()
        self.measures_memory = become_subreaper()

    def clean_environment(self) -> dict[str, str]:
        """A home of its own: no identity, configuration or cache of the person who measures."""
        home = self.scratch / "home"
        for directory in ("config", "state", "cache"):
            (home / directory).mkdir(parents=True)
        return {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_STATE_HOME": str(home / "state"),
            "XDG_CACHE_HOME": str(home / "cache"),
            "LC_ALL": "C.UTF-8",
            "VAULT_KIT_IDENTITY_FILE": str(home / "identity.txt"),
        }

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def has(self, program: str) -> bool:
        found = shutil.which(program, path=self.environment["PATH"]) is not None
        if not found:
            self.absent.add(program)
        return found

    def prepare(self, argv: list[str], directory: pathlib.Path, stdin: bytes = b"", allowed: tuple[int, ...] = (0,)) -> bytes:
        done = subprocess.run(argv, cwd=directory, env=self.environment, input=stdin, capture_output=True, check=False)
        if done.returncode not in allowed:
            last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
            raise Failed(f"`{' '.join(argv[:4])}` ended with {done.returncode}: {' '.join(last)}")
        return done.stdout

    def compare(self, task: str, ours: Command, peers: list[Command], targets: dict[str, str] | None = None) -> None:
        results = in_turn([ours, *peers], self)
        mine = results[ours.label]
        targets = targets or {}
        for peer in peers or [None]:
            theirs = results[peer.label] if peer else None
            # A target under "" is one on our own figures, whoever the peer.
            wanted = [targets[key] for key in dict.fromkeys([peer.label if peer else "", ""]) if key in targets]
            self.rows.append(
                Row(
                    task,
                    ours.label,
                    mine if isinstance(mine, Figures) else None,
                    peer.label if peer else "",
                    theirs if isinstance(theirs, Figures) else None,
                    ", ".join(wanted),
                    "; ".join(text for text in (mine, theirs) if isinstance(text, str)),
                )
            )


def project(bench: Bench, count: int) -> pathlib.Path:
    """A project of `count` random secrets, brought to life: store, ledger, `.env` and one file a secret."""
    directory = bench.scratch / f"vault-kit-{count}"
    if directory.exists():
        return directory
    directory.mkdir()
    lines = ['[project]', 'name = "bench"', ""]
    for index in range(count):
        lines += [f"[secrets.SECRET_{index:05}]", 'kind = "random"', ""]
    lines += ["[outputs.files]", 'format = "docker-secrets"', 'path = ".secrets"', 'secrets = ["*"]', ""]
    (directory / "vault-kit.toml").write_text("\n".join(lines))
    bench.prepare([bench.vault_kit, "--non-interactive", "init"], directory)
    return directory


def values(count: int) -> dict[str, str]:
    """What the peers' stores hold: names as ours, values of the same length."""
    return {f"SECRET_{index:05}": os.urandom(24).hex()[:43] for index in range(count)}


def rage_store(bench: Bench, count: int) -> Command:
    """Decryption alone, of the very file that vault-kit reads."""
    directory = project(bench, count)
    store = next(directory.glob(".vault-kit/*.age"))
    return Command("rage -d", ["rage", "-d", "-i", bench.environment["VAULT_KIT_IDENTITY_FILE"], str(store)], directory)


def age_recipient(bench: Bench) -> str:
    project(bench, 1)
    identity = pathlib.Path(bench.environment["VAULT_KIT_IDENTITY_FILE"])
    for line in identity.read_text().splitlines():
        if "age1" in line and line.startswith("#"):
            return line[line.index("age1") :].strip()
    tool = "rage-keygen" if bench.has("rage-keygen") else "age-keygen"
    return bench.prepare([tool, "-y", str(identity)], bench.scratch).decode().strip()


def sops_store(bench: Bench, count: int) -> pathlib.Path:
    directory = bench.scratch / f"sops-{count}"
    if not directory.exists():
        directory.mkdir()
        (directory / "plain.json").write_text(json.dumps(values(count)))
        bench.environment["SOPS_AGE_KEY_FILE"] = bench.environment["VAULT_KIT_IDENTITY_FILE"]
        recipient = age_recipient(bench)
        sealed = bench.prepare(["sops", "--encrypt", "--age", recipient, "plain.json"], directory)
        (directory / "secrets.json").write_bytes(sealed)
        (directory / "plain.json").unlink()
    return directory


def fnox_store(bench: Bench, count: int) -> pathlib.Path:
    """fnox keeps each value as an age file of its own, in its configuration."""
    directory = bench.scratch / f"fnox-{count}"
    if not directory.exists():
        directory.mkdir()
        recipient = age_recipient(bench)
        bench.environment["FNOX_AGE_KEY_FILE"] = bench.environment["VAULT_KIT_IDENTITY_FILE"]
        lines = ["root = true", "[providers.age]", 'type = "age"', f'recipients = ["{recipient}"]', "", "[secrets]"]
        for name, value in values(count).items():
            sealed = bench.prepare(["rage", "-r", recipient], directory, value.encode())
            lines.append(f'{name} = {{ provider = "age", value = "{base64.b64encode(sealed).decode()}" }}')
        (directory / "fnox.toml").write_text("\n".join(lines) + "\n")
    return directory


def secretspec_project(bench: Bench, count: int) -> pathlib.Path:
    directory = bench.scratch / f"secretspec-{count}"
    if not directory.exists():
        directory.mkdir()
        given = values(count)
        lines = ["[project]", 'name = "bench"', 'revision = "1.0"', "", "[profiles.default]"]
        lines += [f'{name} = {{ description = "bench", required = true }}' for name in given]
        (directory / "secretspec.toml").write_text("\n".join(lines) + "\n")
        (directory / ".env").write_text("".join(f"{name}={value}\n" for name, value in given.items()))
    return directory


def attempt(bench: Bench, peer: str, make: object) -> list[Command]:
    """The peer's command as a list of one; of none, with a note, when its store cannot be made here."""
    try:
        return [make()]
    except (Failed, OSError, StopIteration) as error:
        bench.note(f"{peer} could not be set up: {error}")
        return []


def measure_start(bench: Bench) -> None:
    rage = [Command("rage --version", ["rage", "--version"], bench.scratch)] if bench.has("rage") else []
    bench.compare(
        "cold start",
        Command("--version", [bench.vault_kit, "--version"], bench.scratch),
        rage,
        {"rage --version": "≤ 1.2"},
    )
    sutra = bench.scratch / "sutra"
    sutra.mkdir()
    bench.prepare([bench.vault_kit, "--non-interactive", "init", "--preset", "sutra"], sutra)
    bench.compare(
        "check of sutra", Command("check", [bench.vault_kit, "check"], sutra), rage, {"rage --version": "≤ 1.2"}
    )


def measure_init(bench: Bench) -> None:
    ours, theirs = bench.scratch / "init", bench.scratch / "openssl"

    def empty(directory: pathlib.Path) -> None:
        shutil.rmtree(directory, ignore_errors=True)
        # The second copy and the trust decisions, which belong to the directory's path.
        shutil.rmtree(bench.scratch / "home/state", ignore_errors=True)
        directory.mkdir()

    empty(ours)
    peers = []
    if bench.has("openssl"):
        empty(theirs)
        script = ["bash", str(HERE / "generate-secrets.sh"), str(theirs)]
        peers.append(Command("openssl script, no fsync", script, bench.scratch, before=lambda: empty(theirs)))
    argv = [bench.vault_kit, "--non-interactive", "init", "--preset", "sutra"]
    bench.compare(
        "sutra from nothing",
        Command("init --preset sutra", argv, ours, before=lambda: empty(ours)),
        peers,
        {"openssl script, no fsync": "≤ 0.15"},
    )


def measure_check(bench: Bench) -> None:
    for count in (10, 1_000, 10_000):
        peers = []
        # Beyond 1,000 names secretspec's provider for .env takes minutes.
        if count <= 1_000 and bench.has("secretspec"):
            argv = ["secretspec", "check", "--provider", "dotenv", "--no-prompt"]
            peers += attempt(
                bench, "secretspec", lambda: Command("secretspec check", argv, secretspec_project(bench, count))
            )
        target = {"secretspec check": "≤ 1"} if count == 10 else {"": "< 60 ms CPU"} if count == 10_000 else {}
        ours = Command("check", [bench.vault_kit, "check"], project(bench, count))
        bench.compare(f"check, {count:,} secrets", ours, peers, target)
    for name in ("docker-mcp", "e2i", "mcp-rag", "omni2", "sutra"):
        check_of_example(bench, name)


def check_of_example(bench: Bench, name: str) -> None:
    """`check` of a shipped system with its Compose file."""
    directory = bench.scratch / f"example-{name}"
    directory.mkdir()
    # Containers are to read their files, also those of a root that measures.
    prefix = {"docker-mcp": "MCP", "omni2": "OMNI2", "sutra": "SUTRA"}.get(name)
    if prefix:
        (directory / ".env").write_text(f"{prefix}_UID={os.geteuid()}\n{prefix}_GID={os.getegid()}\n")
    bench.prepare([bench.vault_kit, "--non-interactive", "init", "--preset", name], directory)
    # What only a person can supply is missing, which is a finding: it is judged all the same.
    argv = [bench.vault_kit, "check", "--skip", "missing"]
    bench.compare(f"check of {name}", Command("check", argv, directory), [], {"": "< 20 ms CPU"})


def measure_run(bench: Bench) -> None:
    targets = {
        1: {"rage -d": "≤ 1.3"},
        1_000: {"sops exec-env": "≤ 0.2", "fnox exec": "≤ 0.05"},
        10_000: {"sops exec-env": "≤ 0.15", "rage -d": "≤ 4"},
    }
    for count in SIZES:
        peers = []
        if bench.has("rage"):
            peers += attempt(bench, "rage", lambda: rage_store(bench, count))
        if bench.has("sops"):
            argv = ["sops", "exec-env", "secrets.json", "true"]
            peers += attempt(bench, "sops", lambda: Command("sops exec-env", argv, sops_store(bench, count)))
        # A process a value: at 10,000 making the store would take longer than all the rest.
        if count <= 1_000 and bench.has("fnox") and bench.has("rage"):
            argv = ["fnox", "exec", "--", "true"]
            peers += attempt(bench, "fnox", lambda: Command("fnox exec", argv, fnox_store(bench, count)))
        ours = Command("run -- true", [bench.vault_kit, "run", "--", "true"], project(bench, count))
        bench.compare(f"decrypt and exec, {count:,} secrets", ours, peers, targets.get(count))


def measure_set(bench: Bench) -> None:
    """Changes one value. vault-kit fsyncs the file and its directory."""
    for count in (1_000, 10_000):
        directory = set_project(bench, count)
        peers = []
        if bench.has("sops"):
            argv = ["sops", "set", "secrets.json", '["SECRET_00000"]', json.dumps("changed" * 6)]
            peers += attempt(bench, "sops", lambda: Command("sops set", argv, sops_store(bench, count)))
        if count <= 1_000 and bench.has("fnox") and bench.has("rage"):
            argv = ["fnox", "set", "--provider", "age", "SECRET_00000", "changed" * 6]
            peers += attempt(bench, "fnox", lambda: Command("fnox set", argv, fnox_store(bench, count)))
        # Each run brings another value: setting the same one again would be nothing to do.
        value = directory / "value"
        ours = Command(
            "set",
            [bench.vault_kit, "--non-interactive", "set", "SUPPLIED", "--from-file", str(value)],
            directory,
            before=lambda value=value: value.write_text(os.urandom(24).hex()),
        )
        target = {"sops set": "≤ 0.25", "fnox set": "≤ 0.4"} if count == 1_000 else {"": "< 40 ms CPU"}
        bench.compare(f"set one of {count:,}", ours, peers, target)


def set_project(bench: Bench, count: int) -> pathlib.Path:
    """Random secrets and one that a person supplies, which is the one that is set."""
    directory = bench.scratch / f"vault-kit-set-{count}"
    directory.mkdir()
    lines = ["[project]", 'name = "bench"', "", "[secrets.SUPPLIED]", 'kind = "external"', ""]
    for index in range(count - 1):
        lines += [f"[secrets.SECRET_{index:05}]", 'kind = "random"', ""]
    (directory / "vault-kit.toml").write_text("\n".join(lines))
    # What a person must supply is missing at first: a finding, not a failure.
    bench.prepare([bench.vault_kit, "--non-interactive", "init"], directory, allowed=(0, 1))
    return directory


def measure_certificates(bench: Bench) -> None:
    """A new key and certificate beneath a CA that is there. vault-kit also seals the key, keeps a copy, and fsyncs both."""
    directory = bench.scratch / "certificates"
    directory.mkdir()
    lines = ["[project]", 'name = "bench"', "[secrets.CA]", 'kind = "ca"', "[secrets.WEB]", 'kind = "certificate"']
    lines += ['issuer = "CA"', 'dns = ["localhost"]', ""]
    (directory / "vault-kit.toml").write_text("\n".join(lines))
    bench.prepare([bench.vault_kit, "--non-interactive", "init"], directory)
    peers = []
    if bench.has("openssl"):
        argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        argv += ["-keyout", "key.pem", "-out", "cert.pem", "-days", "90", "-subj", "/CN=localhost"]
        peers.append(Command("openssl req -x509", argv, directory))
    if bench.has("mkcert"):
        bench.environment["CAROOT"] = str(directory / "mkcert")
        (directory / "mkcert").mkdir()
        argv = ["mkcert", "-ecdsa", "-cert-file", "leaf.pem", "-key-file", "leaf.key", "localhost"]
        peers.append(Command("mkcert -ecdsa", argv, directory))
    ours = Command("cert renew --force", [bench.vault_kit, "cert", "renew", "WEB", "--force"], directory)
    target = {peer.label: "≤ 0.33 of CPU" for peer in peers}
    bench.compare("a new P-256 certificate", ours, peers, target)


def measure_tokens(bench: Bench) -> None:
    """One process a token, against the cheapest process there is."""
    directory = bench.scratch / "tokens"
    directory.mkdir()
    lines = ["[project]", 'name = "bench"', "[secrets.KEY]", 'kind = "keypair"', "[secrets.TOKEN]", 'kind = "token"']
    lines += ['signed_by = "KEY"', 'role = "service"', ""]
    (directory / "vault-kit.toml").write_text("\n".join(lines))
    bench.prepare([bench.vault_kit, "--non-interactive", "init"], directory)
    token, keys = directory / "token", directory / "keys.json"
    token.write_bytes(bench.prepare([bench.vault_kit, "get", "TOKEN"], directory))
    keys.write_bytes(bench.prepare([bench.vault_kit, "token", "jwks"], directory))
    nothing = Command("/bin/true", ["/bin/true"], directory)
    target = {"/bin/true": "≤ 3 of CPU"}
    verify = [bench.vault_kit, "token", "verify"]
    public = ["--jwks", str(keys), "--issuer", "bench", "--audience", "bench"]
    mint = [bench.vault_kit, "token", "mint", "--role", "reader", "--subject", "user:42"]
    # What is measured afterwards ends before this one, so that there is nothing to record.
    bench.prepare([*mint, "--ttl", "12h"], directory)
    for task, argv in [
        ("verify a token, keys in the store", verify),
        ("verify a token, keys in a file", verify + public),
        ("mint a token", mint),
    ]:
        ours = Command(" ".join(argv[1:3]), argv, directory, stdin=str(token))
        bench.compare(task, ours, [nothing], target)


def measure_rotations(bench: Bench) -> None:
    """What cron starts every five minutes, and a hundred rotations at once."""
    directory = bench.scratch / "rotations"
    directory.mkdir()
    names = [f"SECRET_{index:04}" for index in range(1_000)]
    lines = ['[project]', 'name = "bench"', ""]
    for name in names:
        lines += [f"[secrets.{name}]", 'kind = "random"', 'rotate = "90d"', ""]
    lines += ["[outputs.env]", 'format = "dotenv"', 'path = ".env"', ""]
    (directory / "vault-kit.toml").write_text("\n".join(lines))
    bench.prepare([bench.vault_kit, "--non-interactive", "init"], directory)
    due = Command("rotate --due", [bench.vault_kit, "rotate", "--due"], directory)
    nothing = Command("/bin/true", ["/bin/true"], directory)
    bench.compare("nothing due of 1,000", due, [nothing], {"/bin/true": "≤ 5 of CPU"})
    argv = [bench.vault_kit, "--non-interactive", "rotate", *names[:100]]
    bench.compare("100 rotations of 1,000", Command("rotate", argv, directory), [], {"": "< 150 ms CPU"})


def cells(row: Row) -> list[str]:
    def figure(value: Figures | None, field: str) -> str:
        return f"{getattr(value, field):.1f}" if value else "–"

    ratio, of_cpu = "–", "–"
    if row.figures and row.peer_figures:
        ratio = f"{row.figures.wall / row.peer_figures.wall:.2f}"
        of_cpu = f"{row.figures.cpu / row.peer_figures.cpu:.2f}"
    return [
        row.task,
        f"`{row.ours}`",
        figure(row.figures, "wall"),
        figure(row.figures, "cpu"),
        figure(row.figures, "memory"),
        f"`{row.peer}`" if row.peer else "–",
        figure(row.peer_figures, "wall"),
        figure(row.peer_figures, "cpu"),
        figure(row.peer_figures, "memory"),
        ratio,
        of_cpu,
        row.target or "–",
        row.note,
    ]


def per_added_secret(bench: Bench) -> list[str]:
    """What one more secret costs `run`, between one size and the next."""
    walls = {}
    for row in bench.rows:
        if row.ours == "run -- true" and row.figures:
            walls[int(row.task.split(",", 1)[1].split()[0].replace(",", ""))] = row.figures.wall
    sizes = sorted(walls)
    return [
        f"- from {small:,} to {large:,}: {(walls[large] - walls[small]) / (large - small) * 1000:.2f} µs a secret"
        for small, large in zip(sizes, sizes[1:])
    ]


def report(bench: Bench) -> str:
    head = ["task", "vault-kit", "wall ms", "CPU ms", "peak MB"]
    head += ["peer", "wall ms", "CPU ms", "peak MB", "ratio of wall", "of CPU", "target", "note"]
    lines = [
        f"{platform.system()} {platform.release()}, {platform.machine()}, {os.cpu_count()} cores, load "
        f"{os.getloadavg()[0]:.2f}; medians of at most {bench.runs} turns",
        "",
        "| " + " | ".join(head) + " |",
        "|" + "---|" * len(head),
    ]
    lines += ["| " + " | ".join(cells(row)) + " |" for row in bench.rows]
    lines += ["", "What one more secret costs `run -- true`:", ""] + per_added_secret(bench)
    size = os.path.getsize(bench.vault_kit) / 1e6
    lines += ["", f"Binary: {size:.1f} MB (target: at most 12 MB, stripped)."]
    lines += ["", "Not measured, because not installed: " + (", ".join(sorted(bench.absent)) or "none") + "."]
    if bench.notes:
        lines += ["", "Notes:", ""] + [f"- {note}" for note in bench.notes]
    return "\n".join(lines) + "\n"


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vault-kit", required=True, help="the release binary")
    parser.add_argument("--runs", type=int, default=41, help="turns of each command at most (default 41)")
    parser.add_argument("--seconds", type=float, default=30, help="time for one task (default 30)")
    parser.add_argument("--scratch", help="where to put the projects; a disk, not a tmpfs, or fsync costs nothing")
    parser.add_argument("--only", action="append", choices=sorted(PARTS), help="measure this part alone; repeatable")
    return parser.parse_args()


PARTS = {
    "start": measure_start,
    "init": measure_init,
    "check": measure_check,
    "run": measure_run,
    "set": measure_set,
    "certificates": measure_certificates,
    "tokens": measure_tokens,
    "rotations": measure_rotations,
}


def main() -> int:
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory(prefix="vault-kit-bench-", dir=arguments.scratch) as scratch:
        bench = Bench(arguments, pathlib.Path(scratch))
        complete = True
        for name, part in PARTS.items():
            if arguments.only and name not in arguments.only:
                continue
            print(f"measuring {name} …", file=sys.stderr)
            try:
                part(bench)
            except (Failed, OSError) as error:
                complete = False
                bench.note(f"part `{name}` was not measured: {error}")
        print(report(bench), end="")
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main())
