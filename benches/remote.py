"""Measures `vault-kit sync` against a double of AWS, side by side with boto3 and fnox, and prints Markdown.

The double runs on this machine and answers at once, or after a latency. So times at 0 ms tell what a program itself
takes, and times at 20 ms what it waits for besides; how often it waits one request after the other (its rounds) is
taken at 100 ms, where it hardly hangs on what else the machine does. See `measure.py` for how the figures are taken.
"""

import argparse
import json
import math
import os
import pathlib
import platform
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import measure
from measure import Bench, Command, Failed, Figures, run_once

HERE = pathlib.Path(__file__).resolve().parent
PREFIX = "/bench/prod/"
BATCH = 20  # BatchGetSecretValue's limit
BATCHES = 8  # batches that vault-kit has in flight
PAGE = 100  # ListSecrets' limit; each page has the token of the next one
SLOW = 100  # milliseconds

Row = tuple[str, ...]


class Double:
    """The double, as a process of its own that takes orders."""

    def __init__(self, program: str, count: int) -> None:
        self.count = count
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.environment = json.loads(self.process.stdout.readline())
        self.order(f"fill {PREFIX} bench/prod {count}")

    def __enter__(self) -> "Double":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stdin.close()
        self.process.wait()

    def order(self, line: str) -> dict:
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise Failed(f"the double did not take `{line}`")
        return json.loads(answer)

    def change(self) -> None:
        self.order(f"change {PREFIX} {self.count}")


class Host:
    """A project whose secrets are all in AWS, each in a remote secret of its own, and delivered into one `.env`."""

    def __init__(self, bench: Bench, count: int) -> None:
        self.bench = bench
        self.directory = bench.scratch / f"host-{count}"
        self.directory.mkdir()
        lines = ["[project]", 'name = "bench"', 'default_environment = "prod"', "", "[environments.prod]"]
        lines += [f'aws = {{ account = "123456789012", region = "eu-west-1", prefix = "{PREFIX}" }}', ""]
        for number in range(count):
            lines += [f"[secrets.SECRET_{number:05}]", 'kind = "external"', "optional = true"]
            lines += [f'aws = "{number:05}"', ""]
        lines += ["[outputs.env]", 'format = "dotenv"', 'path = ".env"', 'secrets = ["*"]', ""]
        (self.directory / "vault-kit.toml").write_text("\n".join(lines))
        bench.prepare([bench.vault_kit, "--non-interactive", "init"], self.directory)
        self.places = {"project": self.directory, "state": bench.scratch / "home/state"}
        self.save("initialised")

    def save(self, name: str) -> None:
        """Keeps project and state as they are now, for `reset`."""
        for part, place in self.places.items():
            shutil.copytree(place, self.saved(name) / part, symlinks=True)

    def reset(self, name: str) -> None:
        """Puts them back. Each turn so finds the same store: one that was pulled into often holds more versions."""
        for part, place in self.places.items():
            for entry in place.iterdir():
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
            shutil.copytree(self.saved(name) / part, place, symlinks=True, dirs_exist_ok=True)

    def saved(self, name: str) -> pathlib.Path:
        return self.bench.scratch / f"{self.directory.name}-{name}"

    def pull(self) -> None:
        self.bench.prepare([self.bench.vault_kit, "--non-interactive", "sync", "pull"], self.directory)

    def command(self, *words: str, before: object = None) -> Command:
        argv = [self.bench.vault_kit, "--non-interactive", *words]
        return Command(" ".join(words), argv, self.directory, before=before)


def python_with_boto3(environment: dict[str, str]) -> str | None:
    for python in (str(HERE.parent / ".venv/bin/python"), sys.executable):
        argv = [python, "-c", "import boto3"]
        if os.path.exists(python) and not subprocess.run(argv, env=environment, capture_output=True).returncode:
            return python
    return None


def boto3(bench: Bench, count: int, threads: int) -> list[Command]:
    python = python_with_boto3(bench.environment)
    if python is None:
        bench.absent.add("boto3")
        return []
    argv = [python, str(HERE / "boto3_pull.py"), PREFIX, str(count), str(threads), "boto3.env"]
    return [Command(f"boto3, batches, {threads} at once" if threads > 1 else "boto3, batches", argv, bench.scratch)]


def fnox(bench: Bench, double: Double) -> pathlib.Path | None:
    """fnox's project of the same secrets. Without a cache, as `exec` and `export` are by default."""
    if not bench.has("fnox"):
        return None
    directory = bench.scratch / f"fnox-{double.count}"
    directory.mkdir(exist_ok=True)
    lines = ["root = true", "[providers.sm]", 'type = "aws-sm"', 'region = "eu-west-1"', f'prefix = "{PREFIX}"']
    lines += [f'endpoint = "{double.environment["AWS_ENDPOINT_URL_SECRETS_MANAGER"]}"', "", "[secrets]"]
    lines += [f'SECRET_{number:05} = {{ provider = "sm", value = "{number:05}" }}' for number in range(double.count)]
    (directory / "fnox.toml").write_text("\n".join(lines) + "\n")
    return directory


class Remote:
    """What is measured, and the tables that come of it."""

    def __init__(self, bench: Bench, program: str) -> None:
        self.bench = bench
        self.program = program
        self.times: list[Row] = []
        self.requests: list[Row] = []
        self.failures: list[Row] = []

    def double(self, count: int) -> Double:
        double = Double(self.program, count)
        self.bench.environment.update(double.environment)
        return double

    def compare(self, task: str, ours: Command, peers: list[tuple[Command, str]], wanted: str = "") -> None:
        """Times ours beside each peer; the targets are ratios of wall time, or what is said of ours alone."""
        results = measure.in_turn([ours, *(peer for peer, _ in peers)], self.bench)
        mine = results[ours.label]
        self.times.append((task, f"`{ours.label}`", *figures(mine), "–", "–", wanted or "–"))
        for peer, target in peers:
            theirs = results[peer.label]
            ratios = ("–", "–")
            if isinstance(mine, Figures) and isinstance(theirs, Figures):
                ratios = (f"1/{theirs.wall / mine.wall:.1f}", f"1/{theirs.cpu / mine.cpu:.1f}")
            self.times.append((task, peer.label, *figures(theirs), *ratios, target or "–"))

    def count(self, double: Double, task: str, command: Command, unavoidable: int | None, wanted: str = "") -> None:
        """Which requests one run makes, and how many of them it waits for one after the other."""
        walls = {}
        for latency in (0, SLOW):
            double.order(f"latency {latency}")
            samples = []
            for _ in range(2):
                if command.before:
                    command.before()
                double.order("forget")
                samples.append(run_once(without_before(command), self.bench.environment).wall)
            walls[latency] = min(samples)
        double.order("latency 0")
        seen = double.order("counts")
        calls = ", ".join(f"{count} {operation}" for operation, count in seen["calls"].items())
        rounds = round((walls[SLOW] - walls[0]) / SLOW, 1)
        ratio = f"{rounds / unavoidable:.2f}" if unavoidable else "–"
        failed = f", {seen['failed']} failed" if seen["failed"] else ""
        row = (task, f"`{command.label}`", (calls or "none") + failed, str(seen["values"]), str(seen["in_flight"]))
        self.requests.append((*row, f"{rounds:.1f}", str(unavoidable or "–"), ratio, wanted or "–"))


def figures(result: Figures | str) -> tuple[str, str, str]:
    if isinstance(result, str):
        return (result, "–", "–")
    return (f"{result.wall:.1f}", f"{result.cpu:.1f}", f"{result.memory:.1f}")


def without_before(command: Command) -> Command:
    return Command(command.label, command.argv, command.directory)


def measure_pull(remote: Remote, count: int) -> None:
    bench = remote.bench
    with remote.double(count) as double:
        host = Host(bench, count)
        batches = math.ceil(count / BATCH)
        rounds = math.ceil(batches / BATCHES)
        # What changed is known page after page, and what the last one tells of is still to be read then.
        rounds_listed = max(math.ceil(count / PAGE), rounds) + 1
        host.pull()
        host.save("pulled")

        def change() -> None:
            host.reset("pulled")
            double.change()

        first = host.command("sync", "pull", before=lambda: host.reset("initialised"))
        changed = host.command("sync", "pull", before=change)
        one, eight = boto3(bench, count, 1), boto3(bench, count, 8)
        remote.compare(f"first pull, {count:,} at 0 ms", first, [(it, "≤ 1/40 of wall") for it in one])
        remote.compare(f"all {count:,} changed, 0 ms", changed, [(it, "≤ 1/40 of wall") for it in one])
        remote.count(double, f"first pull, {count:,}", first, rounds, "rounds ≤ 1.3")
        remote.count(double, f"all {count:,} changed", changed, rounds_listed, "rounds ≤ 1.3")
        if count >= 1_000:
            measure_fnox(remote, double, host, changed, eight)
            # From here on nothing changes.
            host.pull()
            for verb in ("pull", "push", "status"):
                command = host.command("sync", verb)
                remote.count(double, f"nothing to do, {count:,}", command, None, "≤ 10 calls, no value")
            remote.compare(f"nothing to do, {count:,}, 0 ms", host.command("sync", "pull"), [])
            remote.compare(f"nothing to do, {count:,}, 0 ms", host.command("sync", "push"), [])


def measure_fnox(remote: Remote, double: Double, host: Host, changed: Command, eight: list[Command]) -> None:
    bench, count = remote.bench, double.count
    directory = fnox(bench, double)
    run = host.command("run", "--", "true")
    peers = []
    if directory:
        execute = Command("fnox exec -- true", ["fnox", "exec", "--", "true"], directory)
        export = Command("fnox export", ["fnox", "export"], directory)
        peers = [execute, export]
        # It ends with 0 whether it got anything or not: the column of values tells.
        remote.count(double, f"{count:,} secrets", execute, None)
    remote.compare(f"all {count:,} changed, 0 ms", changed, [(it, "CPU ≤ 1") for it in peers])
    remote.compare(f"{count:,} to a child, 0 ms", run, [(it, "") for it in peers[:1]])
    double.order("latency 20")
    waiting = [(it, "≤ 1/5 of wall") for it in peers] + [(it, "") for it in eight]
    remote.compare(f"all {count:,} changed, 20 ms", changed, waiting)
    remote.compare(f"{count:,} to a child, 20 ms", run, [(it, "≤ 1/5 of wall") for it in peers[:1]])
    double.order("latency 0")


def measure_status(remote: Remote) -> None:
    count = 10_000
    with remote.double(count) as double:
        host = Host(remote.bench, count)
        host.pull()
        status = host.command("sync", "status")
        remote.compare(f"status of {count:,}, 0 ms", status, [], "CPU < 150 ms, < 40 MB")
        double.order("forget")
        run_once(status, remote.bench.environment)
        seen = double.order("counts")
        calls = ", ".join(f"{number} {operation}" for operation, number in seen["calls"].items())
        row = (f"status of {count:,}", "`sync status`", calls, str(seen["values"]), str(seen["in_flight"]))
        remote.requests.append((*row, "–", "–", "–", "100 calls, no value"))


def measure_down(remote: Remote) -> None:
    """Nobody listens where AWS should be."""
    bench = remote.bench
    with remote.double(20) as double:
        host = Host(bench, 20)
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
        double.environment["AWS_ENDPOINT_URL_SECRETS_MANAGER"] = nobody
        directory = fnox(bench, double)
        bench.environment.update({"AWS_ENDPOINT_URL_SECRETS_MANAGER": nobody, "AWS_ENDPOINT_URL_STS": nobody})
        contestants = [host.command("sync", "pull"), host.command("run", "--", "true")]
        if directory:
            contestants.append(Command("fnox exec -- true", ["fnox", "exec", "--", "true"], directory))
        for command in contestants:
            start = time.perf_counter()
            done = subprocess.run(command.argv, cwd=command.directory, env=bench.environment, capture_output=True)
            wall = time.perf_counter() - start
            lines = re.sub(r"\x1b\[[0-9;]*m", "", done.stderr.decode(errors="replace")).strip().splitlines()
            error = next((line for line in lines if "error" in line.lower()), lines[-1] if lines else "")
            error = error.replace("|", "\\|")[:160]
            row = (f"`{command.label}`", str(done.returncode), f"{wall:.1f}", str(len(lines)), error)
            remote.failures.append(row)


def instructions(bench: Bench, before: str | None) -> list[Row]:
    """What commands that have nothing to do with AWS execute, in millions, beside an older binary if there is one."""
    if not bench.has("valgrind"):
        return []
    for name in [name for name in bench.environment if name.startswith("AWS_")]:
        del bench.environment[name]
    sutra, one = bench.scratch / "sutra", bench.scratch / "one"
    for directory in (sutra, one):
        directory.mkdir()
    binaries = [before] * bool(before) + [bench.vault_kit]
    # The older one makes the stores, so that both read the same.
    bench.prepare([binaries[0], "--non-interactive", "init", "--preset", "sutra"], sutra)
    (one / "vault-kit.toml").write_text('[project]\nname = "one"\n[secrets.A]\nkind = "random"\n')
    bench.prepare([binaries[0], "--non-interactive", "init"], one)
    rows = []
    for task, words, directory in [
        ("`--version`", ["--version"], bench.scratch),
        ("`check` of sutra", ["check"], sutra),
        # What a process executed is not told once it has become another one: so it finds none to become.
        ("`run`, 1 secret", ["run", "--", "./nothing"], one),
    ]:
        counts = [counted(bench, [binary, *words], directory) for binary in binaries]
        ratio = f"{counts[-1] / counts[0]:.2f}" if before else "–"
        rows.append((task, f"{counts[0]:.2f}" if before else "–", f"{counts[-1]:.2f}", ratio))
    return rows


def counted(bench: Bench, argv: list[str], directory: pathlib.Path) -> float:
    tool = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    done = subprocess.run([*tool, *argv], cwd=directory, env=bench.environment, capture_output=True, check=False)
    found = re.search(rb"Collected : (\d+)", done.stderr)
    if not found:
        raise Failed(f"valgrind counted nothing of `{' '.join(argv)}`, which ended with {done.returncode}")
    return int(found[1]) / 1e6


def table(head: list[str], rows: list[Row]) -> list[str]:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows] + [""]


def report(remote: Remote, counts: list[Row]) -> str:
    bench = remote.bench
    machine = f"{platform.system()} {platform.release()}, {platform.machine()}, {os.cpu_count()} cores"
    lines = [f"{machine}, load {os.getloadavg()[0]:.2f}; medians of at most {bench.runs} turns", ""]
    if remote.times:
        head = ["task", "command", "wall ms", "CPU ms", "peak MB", "ours of its wall", "of its CPU", "target"]
        lines += table(head, remote.times)
    if remote.requests:
        head = ["task", "command", "requests", "values", "at once", "rounds", "unavoidable", "ratio", "target"]
        lines += table(head, remote.requests)
    if remote.failures:
        lines += ["Nobody listens:", ""]
        lines += table(["command", "exit", "seconds", "lines", "error line"], remote.failures)
    if counts:
        lines += ["Instructions without AWS, in millions:", ""]
        lines += table(["task", "before", "now", "ratio"], counts)
    lines.append(f"Binary: {os.path.getsize(bench.vault_kit) / 1e6:.2f} MB (target: at most 12 MB, stripped).")
    if bench.absent:
        lines.append("Not measured, because not installed: " + ", ".join(sorted(bench.absent)) + ".")
    lines += [f"- {note}" for note in bench.notes]
    return "\n".join(lines) + "\n"


PARTS = {
    "pull-200": lambda remote: measure_pull(remote, 200),
    "pull-1000": lambda remote: measure_pull(remote, 1_000),
    "status": measure_status,
    "down": measure_down,
}


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vault-kit", required=True, help="the release binary")
    parser.add_argument("--double", required=True, help="the program that `cargo bench --bench remote --no-run` makes")
    parser.add_argument("--before", help="an older binary, to count instructions beside it")
    parser.add_argument("--runs", type=int, default=15, help="turns of each command at most (default 15)")
    parser.add_argument("--seconds", type=float, default=5, help="time for one task (default 5)")
    parser.add_argument("--scratch", help="where to put the projects; a disk, not a tmpfs, or fsync costs nothing")
    parser.add_argument("--only", action="append", choices=[*PARTS, "instructions"], help="this part alone; repeatable")
    return parser.parse_args()


def main() -> int:
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory(prefix="vault-kit-bench-", dir=arguments.scratch) as scratch:
        bench = Bench(arguments, pathlib.Path(scratch))
        remote = Remote(bench, arguments.double)
        counts: list[Row] = []
        complete = True
        for name in [*PARTS, "instructions"]:
            if arguments.only and name not in arguments.only:
                continue
            print(f"measuring {name} …", file=sys.stderr)
            try:
                if name == "instructions":
                    counts = instructions(bench, arguments.before)
                else:
                    PARTS[name](remote)
            except (Failed, OSError) as error:
                complete = False
                bench.note(f"part `{name}` was not measured: {error}")
        print(report(remote, counts), end="")
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main())
