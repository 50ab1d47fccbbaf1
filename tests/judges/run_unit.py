"""Runs what a unit's ExecStart= says as systemd would: on the file system, with the environment, the privileges and the
system calls that the unit's own lines leave. A line that is not known here is an error, so that none goes unjudged.

Usage: run_unit.py UNIT [USER]    as root, in a mount namespace of its own; USER = the unit is of that user's own manager.

Which system calls a set has is asked of systemd-analyze; libseccomp, which systemd filters by too, makes the filters.
"""

import ctypes
import errno
import os
import pwd
import shlex
import struct
import subprocess
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
SECCOMP = ctypes.CDLL("libseccomp.so.2", use_errno=True)
SECCOMP.seccomp_init.restype = ctypes.c_void_p

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_MOVE, MS_REC, MS_PRIVATE = 1, 2, 4, 8, 4096, 8192, 16384, 1 << 18
NEWNS, NEWUTS, NEWUSER = 0x20000, 0x4000000, 0x10000000
NAMESPACES = [NEWNS, 0x2000000, NEWUTS, 0x8000000, NEWUSER, 0x20000000, 0x40000000]
HOMES = ["/home", "/root", "/run/user"]
EQUAL, NOT_EQUAL, MASKED = 4, 1, 7
ALLOW = 0x7FFF0000
FAMILIES = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10, "AF_NETLINK": 16}


class Argument(ctypes.Structure):
    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


def fails(name):
    number = ctypes.get_errno()
    raise OSError(number, f"{name}: {os.strerror(number)}")


def mount(source, target, kind=None, flags=0, data=None):
    words = [None if it is None else os.fsencode(it) for it in (source, target, kind)]
    if LIBC.mount(*words, ctypes.c_ulong(flags), None if data is None else data.encode()) != 0:
        fails(f"mount {target}")


def set_read_only(path, is_read_only=True, with_all_below=False):
    attributes = struct.pack("QQQQ", int(is_read_only), int(not is_read_only), 0, 0)
    at_fdcwd, at_recursive, mount_setattr = -100, 0x8000, 442
    flags = at_recursive if with_all_below else 0
    if LIBC.syscall(mount_setattr, at_fdcwd, os.fsencode(path), flags, attributes, ctypes.c_size_t(len(attributes))) != 0:
        fails(f"mount_setattr {path}")


def alone(path, is_read_only):
    """Makes a directory a mount of its own, so that it can be read-only or not."""
    mount(path, path, flags=MS_BIND | MS_REC)
    set_read_only(path, is_read_only, with_all_below=True)


def read_unit(path):
    lines, section = {}, None
    for line in open(path, encoding="utf-8").read().splitlines():
        if line.startswith("["):
            section = line
        elif section == "[Service]" and line and not line.startswith("#"):
            key, _, value = line.partition("=")
            lines.setdefault(key, []).append(value)
    return lines


def system_call_sets():
    sets, items = {}, None
    words = ["systemd-analyze", "syscall-filter"]
    listing = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, text=True)
    for line in listing.stdout.splitlines():
        word = line.strip()
        if line.startswith("@"):
            items = sets.setdefault(word, [])
        elif not line.startswith(" "):
            items = None
        elif items is not None and not word.startswith("#"):
            items.append(word)
    return sets


def members(sets, word):
    return set().union(*(members(sets, it) for it in sets[word])) if word.startswith("@") else {word}


class Filter:
    """A filter of the kernel's; the arguments of a rule are (index, comparison, value or mask, masked value)."""

    def __init__(self, default=ALLOW):
        self.context = ctypes.c_void_p(SECCOMP.seccomp_init(ctypes.c_uint32(default)))

    def rule(self, action, name, *arguments):
        number = SECCOMP.seccomp_syscall_resolve_name(name.encode())
        if number < 0:
            return  # Not of this architecture.
        array = (Argument * max(1, len(arguments)))(*(Argument(*it) for it in arguments))
        words = ctypes.c_uint32(action), ctypes.c_int(number), ctypes.c_uint(len(arguments)), array
        if (result := SECCOMP.seccomp_rule_add_array(self.context, *words)) != 0:
            raise OSError(-result, f"seccomp: {name}")

    def deny(self, name, *arguments, how=errno.EPERM):
        self.rule(0x00050000 | how, name, *arguments)

    def load(self):
        if (result := SECCOMP.seccomp_load(self.context)) != 0:
            raise OSError(-result, "seccomp_load")


def no_set_id(refusing):
    """As systemd has it: what creates or changes a file with such a mode; of openat2 no filter can see the mode."""
    creating, set_user, set_group = 0o100, 0o4000, 0o2000
    for bit in (set_user, set_group):
        for name, at in [("chmod", 1), ("fchmod", 1), ("fchmodat", 2), ("mkdir", 1), ("mkdirat", 2), ("mknod", 1), ("mknodat", 2), ("creat", 1)]:
            refusing.deny(name, (at, MASKED, bit, bit))
        for name, at in [("open", 1), ("openat", 2)]:
            refusing.deny(name, (at, MASKED, creating, creating), (at + 1, MASKED, bit, bit))
    refusing.deny("openat2", how=errno.ENOSYS)


class Service:
    def __init__(self, unit, manager):
        self.lines = read_unit(unit)
        name = os.path.basename(unit)
        user = manager or (self.lines.get("User") or [None])[-1]
        self.user = pwd.getpwnam(user) if user else None
        self.is_own = manager is not None
        base = f"/run/user/{self.user.pw_uid}/credentials" if self.is_own else "/run/credentials"
        self.credentials = f"{base}/{name}"
        self.environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
        if self.user:
            # The system's manager knows no home of a service without User=, root's or not.
            self.environment |= {"HOME": self.user.pw_dir, "USER": user, "LOGNAME": user, "SHELL": self.user.pw_shell}
        self.words = ["setpriv", "--inh-caps=-all"]
        self.refusing = Filter()
        self.sets = system_call_sets()
        self.is_ignored = {"Type"}

    def text(self, value):
        return value.replace("%d", self.credentials).replace("%%", "%")

    def one(self, key):
        return self.text(self.lines[key][-1])

    def hand_over(self):
        """A credential belongs to the manager; who the service runs as may read it by an access list, which stat shows as the group's."""
        os.makedirs(self.credentials, mode=0o755)
        mount("tmpfs", self.credentials, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700")
        for line in self.lines.get("LoadCredential", []):
            name, _, path = self.text(line).partition(":")
            target = f"{self.credentials}/{name}"
            with open(path, "rb") as source, open(os.open(target, os.O_WRONLY | os.O_CREAT, 0o400), "wb") as copy:
                copy.write(source.read())
            self.let_in(target, 4)
        self.let_in(self.credentials, 5)
        set_read_only(self.credentials)
        self.environment["CREDENTIALS_DIRECTORY"] = self.credentials

    def let_in(self, path, rights):
        owner, user, group, mask, other, nobody = 1, 2, 4, 16, 32, 0xFFFFFFFF
        os.chmod(path, rights << 6)
        if self.is_own:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)
        elif self.user:
            entries = [(owner, rights, nobody), (user, rights, self.user.pw_uid), (group, 0, nobody), (mask, rights, nobody), (other, 0, nobody)]
            os.setxattr(path, "system.posix_acl_access", struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *it) for it in entries))

    def enter(self):
        if not self.is_own:
            return mount("none", "/", flags=MS_REC | MS_PRIVATE)
        uid, gid = self.user.pw_uid, self.user.pw_gid
        os.setgroups([gid])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
        mounts = {"PrivateUsers", "ProtectSystem", "ProtectHome", "PrivateTmp", "PrivateDevices", "ReadWritePaths"}
        if not mounts & set(self.lines):
            return None
        # Without privileges: in a user namespace that knows this user and nobody else, root neither.
        pr_set_dumpable = 4
        LIBC.prctl(pr_set_dumpable, 1, 0, 0, 0)
        if LIBC.unshare(NEWUSER | NEWNS) != 0:
            fails("unshare")
        for file, text in [("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")]:
            with open(f"/proc/self/{file}", "w", encoding="ascii") as entry:
                entry.write(text)

    def ProtectSystem(self, value):
        assert value == "strict", value
        for line in open("/proc/self/mountinfo", encoding="utf-8").read().splitlines():
            path = line.split(" ")[4].encode().decode("unicode_escape")
            if not any(path == it or path.startswith(it + "/") for it in ("/dev", "/proc", "/sys")) and os.path.exists(path):
                set_read_only(path)

    def ProtectHome(self, value):
        for path in filter(os.path.isdir, HOMES):
            if value == "yes":
                mount("tmpfs", path, "tmpfs", MS_RDONLY, "mode=0000")
            else:
                assert value == "read-only", value
                alone(path, True)

    def PrivateTmp(self, value):
        assert value == "yes", value
        for path in ("/tmp", "/var/tmp"):
            mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777")

    def PrivateDevices(self, value):
        assert value == "yes", value
        place = "/mnt"
        mount("tmpfs", place, "tmpfs", MS_NOSUID, "mode=0755")
        for name in ("null", "zero", "full", "random", "urandom", "tty"):
            open(f"{place}/{name}", "w", encoding="ascii").close()
            mount(f"/dev/{name}", f"{place}/{name}", flags=MS_BIND)
        os.mkdir(f"{place}/shm", 0o1777)
        for name, target in [("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")]:
            os.symlink(f"/proc/self/fd{target}", f"{place}/{name}")
        mount(place, "/dev", flags=MS_MOVE)
        for name in members(self.sets, "@raw-io"):
            self.refusing.deny(name)

    def ProtectProc(self, value):
        mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, f"hidepid={value}")

    def ProtectKernelTunables(self, value):
        assert value == "yes", value
        for path in ("/proc/sys", "/sys"):
            alone(path, True)

    def ProtectControlGroups(self, value):
        assert value == "yes", value
        if os.path.isdir("/sys/fs/cgroup"):
            alone("/sys/fs/cgroup", True)

    def ProtectHostname(self, value):
        assert value == "yes", value
        if LIBC.unshare(NEWUTS) != 0:
            fails("unshare")
        self.without("sethostname", "setdomainname")

    def without(self, *names):
        for name in set().union(*(members(self.sets, it) for it in names)):
            self.refusing.deny(name)

    def ProtectClock(self, value):
        self.without("@clock")

    def ProtectKernelLogs(self, value):
        self.without("syslog")

    def ProtectKernelModules(self, value):
        self.without("@module")

    def PrivateUsers(self, value):
        assert value == "yes" and self.is_own, value

    def ReadWritePaths(self, value):
        for word in shlex.split(self.text(value)):
            if os.path.exists(word.removeprefix("-")) or not word.startswith("-"):
                alone(word.removeprefix("-"), False)

    def CapabilityBoundingSet(self, value):
        names = [name.removeprefix("CAP_").lower() for name in value.split()]
        self.words.append("--bounding-set=" + ",".join(["-all"] + [f"+{name}" for name in names]))

    def NoNewPrivileges(self, value):
        self.words += ["--no-new-privs"] * (value == "yes")

    def User(self, value):
        self.words += [f"--reuid={self.user.pw_uid}", f"--regid={self.user.pw_gid}", "--init-groups"]

    def Environment(self, value):
        self.environment |= dict(word.split("=", 1) for word in shlex.split(self.text(value)))

    def UMask(self, value):
        os.umask(int(value, 8))

    def LockPersonality(self, value):
        self.refusing.deny("personality", (0, NOT_EQUAL, 0))

    def MemoryDenyWriteExecute(self, value):
        write, execute, shm_exec = 2, 4, 0o100000
        self.refusing.deny("mmap", (2, MASKED, write | execute, write | execute))
        for name in ("mprotect", "pkey_mprotect"):
            self.refusing.deny(name, (2, MASKED, execute, execute))
        self.refusing.deny("shmat", (2, MASKED, shm_exec, shm_exec))

    def RestrictAddressFamilies(self, value):
        allowed = {FAMILIES[name] for name in value.split()}
        for family in set(range(1, 46)) - allowed:
            self.refusing.deny("socket", (0, EQUAL, family), how=errno.EAFNOSUPPORT)

    def RestrictNamespaces(self, value):
        for flag in NAMESPACES:
            for name in ("unshare", "clone"):
                self.refusing.deny(name, (0, MASKED, flag, flag))
        self.refusing.deny("setns")
        self.refusing.deny("clone3", how=errno.ENOSYS)

    def RestrictRealtime(self, value):
        for policy in (1, 2, 6):
            self.refusing.deny("sched_setscheduler", (1, EQUAL, policy))

    def RestrictSUIDSGID(self, value):
        no_set_id(self.refusing)

    def start(self):
        self.hand_over()
        self.enter()
        # In the order in which one leaves the other as it is; of paths the deeper ones last.
        first = ["ProtectSystem", "ProtectProc", "PrivateDevices", "PrivateTmp", "ProtectHome"]
        apart = {"ExecStart", "WorkingDirectory", "LoadCredential", "SystemCallFilter", "SystemCallErrorNumber", "SystemCallArchitectures"}
        todo = first + [key for key in self.lines if key not in first]
        for key in filter(lambda key: key in self.lines and key not in apart | self.is_ignored, todo):
            for value in sorted(self.lines[key], key=len):
                getattr(self, key)(value)
        os.chdir(self.one("WorkingDirectory"))
        assert self.one("SystemCallArchitectures") == "native" and self.one("SystemCallErrorNumber") == "EPERM"
        allowing = Filter(0x00050000 | errno.EPERM)
        for name in set().union(*(members(self.sets, it) for it in ["@default", *self.one("SystemCallFilter").split()])):
            allowing.rule(ALLOW, name)
        # Whoever may load one filter may load the next: that is part of no set for services.
        allowing.rule(ALLOW, "seccomp")
        allowing.load()
        self.refusing.load()
        words = [word.replace("$$", "$") for word in shlex.split(self.one("ExecStart"))]
        os.execvpe("setpriv", self.words + ["--", *words], self.environment)


Service(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None).start()
