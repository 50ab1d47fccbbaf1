"""Prints Compose files as Docker Compose v2 understands them, as JSON: variables replaced, paths absolute.

    compose_config.py DIRECTORY [OPTION OF COMPOSE …]

Runs there, with nothing of our environment but PATH. Exits 77 without Compose, and as it does where it refuses.
"""

import os
import subprocess
import sys

from compose_command import command

environment = {"PATH": os.environ.get("PATH", ""), "HOME": "/nonexistent"}
arguments = [*command(), *sys.argv[2:], "config", "--format", "json"]
sys.exit(subprocess.run(arguments, cwd=sys.argv[1], env=environment).returncode)
