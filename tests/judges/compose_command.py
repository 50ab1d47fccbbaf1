"""Where Docker Compose v2 is. Exits 77 where it is neither a docker plugin, nor on PATH, nor in this Python's packages."""

import glob
import os
import shutil
import subprocess
import sys
import sysconfig


def command():
    bundled = glob.glob(os.path.join(sysconfig.get_paths()["purelib"], "compose", "docker-compose"))
    for candidate in ([path] for path in [*bundled, shutil.which("docker-compose")] if path):
        if subprocess.run([*candidate, "version"], capture_output=True).stdout.find(b" v2.") > 0:
            return candidate
    docker = shutil.which("docker")
    if docker and subprocess.run([docker, "compose", "version"], capture_output=True).returncode == 0:
        return [docker, "compose"]
    return sys.exit(77)
