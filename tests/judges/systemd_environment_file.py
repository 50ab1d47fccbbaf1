"""Reads the file argv[1] with systemd's own load_env_file(), what EnvironmentFile= runs, and prints NAME=value, NUL-separated.

Assignments that systemd would drop (env_assignment_is_valid()) are left out. Exits 77 without libsystemd-shared.
"""

import ctypes
import glob
import sys

libraries = glob.glob("/usr/lib/*/systemd/libsystemd-shared-*.so") + glob.glob("/usr/lib/systemd/libsystemd-shared-*.so")
if not libraries:
    sys.exit(77)
systemd = ctypes.CDLL(libraries[0])
entries = ctypes.POINTER(ctypes.c_char_p)()
status = systemd.load_env_file(None, sys.argv[1].encode(), ctypes.byref(entries))
if status < 0:
    sys.exit(f"load_env_file: {status}")
at = 0
while entries and entries[at] is not None:
    if systemd.env_assignment_is_valid(ctypes.c_char_p(entries[at])):
        sys.stdout.buffer.write(entries[at] + b"\0")
    at += 1
