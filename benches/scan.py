#!/usr/bin/env python3
"""Measures `vault-kit scan` beside ripgrep, detect-secrets and gitleaks, and prints Markdown.

Speed: a tree of other people's sources (`--tree`, cut to `--megabytes`), in which nothing is to be found, against
`rg -F` for ten strings with as many threads; both take turns, and the best of `--runs` counts. Whatever is found there is a
false positive. Recall: values of a project are planted in encodings and kinds of files; a tool has found one that names the
file. Only the standard library. A tool that is not on the PATH, or in `--venv`, is named as not measured.
"""

import argparse
import base64
import collections
import json
import os
import pathlib
import secrets
import shutil
import subprocess
import tempfile
import time
import urllib.parse


def measured(argv, directory, environment):
    """Wall and CPU seconds, the largest resident set in MB, exit code and stdout of a command."""
    with tempfile.TemporaryFile() as out:
        start = time.monotonic()
        process = subprocess.Popen(argv, cwd=directory, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, process.returncode, out.read()


def copy_tree(source, target, megabytes):
    """The first files in alphabetical order, up to a size."""
    left, files = megabytes << 20, 0
    for directory, names, here in os.walk(source):
        names.sort()
        for name in sorted(here):
            path = pathlib.Path(directory) / name
            if path.is_symlink() or not path.is_file() or left <= 0:
                continue
            to = target / path.relative_to(source)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, to)
            left, files = left - path.stat().st_size, files + 1
    return files


def project(binary, count, place):
    """A project with so many random values, and the environment to work in it."""
    directory, home = place / f"project-{count}", place / f"home-{count}"
    directory.mkdir()
    home.mkdir()
    lines = ['[project]', 'name = "bench"'] + [f'[secrets.KEY_{number}]\nkind = "random"' for number in range(count)]
    (directory / "vault-kit.toml").write_text("\n".join(lines) + "\n")
    environment = {"HOME": str(home), "PATH": os.environ["PATH"]}
    subprocess.run([binary, "init"], cwd=directory, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return directory, environment


def speed(arguments, place):
    tree = place / "tree"
    files = copy_tree(pathlib.Path(arguments.tree), tree, arguments.megabytes)
    needles = place / "needles"
    needles.write_text("".join(secrets.token_urlsafe(32) + "\n" for _ in range(10)))
    threads = str(os.cpu_count())
    print(f"{arguments.megabytes} MB in {files} files, {threads} threads, load {os.getloadavg()[0]:.0f}\n")
    print("| values | scan: wall ms | CPU ms | peak MB | rg -F: wall ms | CPU ms | peak MB | ratio of wall | of CPU | findings |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for count in arguments.values:
        directory, environment = project(arguments.binary, count, place)
        ours = [arguments.binary, "--json", "scan", str(tree)]
        peer = ["rg", "-uuu", "-F", "-c", "-j", threads, "-f", str(needles), str(tree)]
        best = {}
        for _ in range(arguments.runs):
            for name, argv in (("ours", ours), ("peer", peer)):
                wall, cpu, memory, code, out = measured(argv, directory, environment)
                if code not in (0, 1):
                    raise SystemExit(f"{argv[0]} ends with {code}: {out[:500]!r}")
                report = json.loads(out) if name == "ours" else None
                old = best.get(name, (wall, cpu, memory, report))
                best[name] = (min(old[0], wall), min(old[1], cpu), max(old[2], memory), report)
        (wall, cpu, memory, report), (peer_wall, peer_cpu, peer_memory, _) = best["ours"], best["peer"]
        rules = {}
        for finding in report["findings"]:
            rules[finding["rule"]] = rules.get(finding["rule"], 0) + 1
        print(
            f"| {count:,} | {wall * 1e3:.0f} | {cpu * 1e3:.0f} | {memory:.0f} | {peer_wall * 1e3:.0f} | {peer_cpu * 1e3:.0f} | "
            f"{peer_memory:.0f} | {wall / peer_wall:.2f} | {cpu / peer_cpu:.2f} | {rules or 'none'} |"
        )


def staged(arguments, place):
    """A commit of 1,000 files, of 1 KB each."""
    directory, environment = project(arguments.binary, 20, place)
    environment = environment | {"GIT_CONFIG_NOSYSTEM": "1"}
    for number in range(1000):
        (directory / f"file-{number}.txt").write_text(secrets.token_hex(512))
    for words in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", *words], cwd=directory, env=environment, check=True)
    runs = [measured([arguments.binary, "scan", "--staged"], directory, environment) for _ in range(arguments.runs)]
    wall, cpu, memory, code, _ = min(runs, key=lambda run: run[1])
    print(f"\n`scan --staged` of 1,000 files: wall {wall * 1e3:.0f} ms, CPU {cpu * 1e3:.0f} ms with git's, peak {memory:.0f} MB, exit {code}")


def dresses(value):
    raw = value.encode()
    wrapped = base64.b64encode(b"x" * 50 + raw + b"y" * 50).decode()
    return {
        "plain": value,
        "base64": base64.b64encode(raw).decode(),
        "base64 of user:value": base64.b64encode(b"user:" + raw).decode(),
        "hex": raw.hex(),
        "url": urllib.parse.quote(value, safe=""),
        "json": json.dumps(value)[1:-1],
        "wrapped base64": "\n".join(wrapped[at : at + 64] for at in range(0, len(wrapped), 64)),
    }


def scanners(arguments, directory, environment, place):
    """What each tool finds below a path, as pairs of a file and the rule that it broke."""

    def ours(path):
        argv = [arguments.binary, "--json", "scan", path]
        out = subprocess.run(argv, cwd=directory, env=environment, capture_output=True).stdout
        return [(finding["file"], finding["rule"]) for finding in json.loads(out)["findings"]]

    def gitleaks(tool, path):
        report = place / "gitleaks.json"
        argv = [tool, "dir", path, "--no-banner", "-f", "json", "-r", str(report)]
        subprocess.run(argv, cwd=directory, capture_output=True)
        return [(finding["File"], finding["RuleID"]) for finding in json.loads(report.read_text())]

    def detect_secrets(tool, path):
        # It finds nothing where it was not started.
        where = directory / path
        out = subprocess.run([tool, "scan", "--all-files", where.name], cwd=where.parent, capture_output=True).stdout
        found = json.loads(out)["results"].items()
        return [(file, finding["type"]) for file, findings in found for finding in findings]

    tools = {"vault-kit scan": ours}
    for name, run in (("gitleaks", gitleaks), ("detect-secrets", detect_secrets)):
        tool = shutil.which(name, path=os.environ["PATH"] + (f":{arguments.venv}/bin" if arguments.venv else ""))
        if tool:
            tools[name] = lambda path, run=run, tool=tool: run(tool, path)
        else:
            print(f"\n{name}: not measured, not installed")
    return tools


def clean(arguments, place):
    """What is found in other people's sources, where no value of the project is."""
    directory, environment = project(arguments.binary, 999, place)
    print("\n| tool | findings in the clean tree | of known values | files | wall s | by rule |")
    print("|---|---|---|---|---|---|")
    for name, run in scanners(arguments, directory, environment, place).items():
        start = time.monotonic()
        found = run(str(place / "tree"))
        wall = time.monotonic() - start
        rules = collections.Counter(rule for _, rule in found)
        known = rules["leaked"] if name == "vault-kit scan" else "-"
        most = ", ".join(f"{rule} {count:,}" for rule, count in rules.most_common(5))
        print(f"| {name} | {len(found):,} | {known} | {len({file for file, _ in found}):,} | {wall:.1f} | {most} |")


def recall(arguments, place):
    directory, environment = project(arguments.binary, 20, place / "recall")
    kinds = {"env": "KEY={}\n", "yaml": "key: \"{}\"\n", "py": "key = '{}'\n", "md": "Use {} here.\n", "log": "GET /?k={} 200\n"}
    planted = {}
    for number in range(20):
        value = subprocess.run([arguments.binary, "get", f"KEY_{number}"], cwd=directory, env=environment, check=True, capture_output=True).stdout.decode()
        for dress, text in dresses(value).items():
            for kind, line in kinds.items():
                path = directory / "planted" / f"{number}-{dress.replace(' ', '_').replace(':', '_')}.{kind}"
                path.parent.mkdir(exist_ok=True)
                path.write_text("first line\n" + line.format(text))
                planted[path.name] = dress
            wide = path.with_suffix(".utf16")
            wide.write_text(f"KEY={text}\n", encoding="utf-16")
            planted[wide.name] = "any, in UTF-16"

    tools = scanners(arguments, directory, environment, place)
    columns = list(dict.fromkeys(planted.values()))
    print(f"\n| tool | files of {len(planted)} | " + " | ".join(columns) + " |")
    print("|---|---|" + "---|" * len(columns))
    for name, run in tools.items():
        found = {pathlib.Path(path).name for path, _ in run("planted")}
        each = [f"{sum(dress == it and path in found for path, it in planted.items())}/{sum(dress == it for it in planted.values())}" for dress in columns]
        print(f"| {name} | {sum(path in found for path in planted)} | " + " | ".join(each) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=lambda text: str(pathlib.Path(text).resolve()))
    parser.add_argument("--tree", default=os.path.expanduser("~/.cargo/registry/src"))
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--values", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--venv", help="where detect-secrets and gitleaks are installed")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vault-kit-bench-") as place:
        place = pathlib.Path(place)
        (place / "recall").mkdir()
        speed(arguments, place)
        clean(arguments, place)
        staged(arguments, place / "recall")
        shutil.rmtree(place / "recall")
        (place / "recall").mkdir()
        recall(arguments, place)


main()
