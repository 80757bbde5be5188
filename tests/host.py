"""A scratch host: this machine with other files, for as long as a test needs it.

An overlay in its own namespace lies over this machine. It hides the machine's crontabs, timers and
jobs, and adds two ordinary users and the test's files. Commands change only the overlay. When the
host ends, the overlay and all processes in it are gone.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import NamedTuple, Union

from plugin import BIN

U, O = "dup-user", "dup-other"  # noqa: E741 - as in the tests' sentences: the job's user, and another
USERS = {U: 59001, O: 59002}
SEEN = "/var/spool/seen"  # Everybody may write there which program was run by whom.

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# The checks must not find anything of the machine below, nor read its users' mail.
_LAY_OVER = r"""
set -e
mount --make-rprivate /
t=$1
mount -t tmpfs -o mode=755 none "$t"
mkdir "$t/upper" "$t/work" "$t/merged"
mount -t overlay overlay -o "lowerdir=/,upperdir=$t/upper,workdir=$t/work" "$t/merged"
m=$t/merged
mount -t proc proc "$m/proc"
mount --rbind /dev "$m/dev"
rm -rf "$m"/etc/cron* "$m"/etc/systemd/system/* "$m"/etc/duply "$m"/etc/backup.d \
  "$m"/etc/check-duplicity "$m"/root/.duply "$m"/home/* "$m"/var/spool/cron "$m"/var/mail/* \
  "$m"/var/tmp/* "$m"/run/systemd
rm -f "$m"/lib/systemd/system/*.timer "$m"/usr/local/lib/systemd/system/*
mkdir -p "$m"/etc/cron.d "$m"/etc/cron.hourly "$m"/etc/cron.daily "$m"/etc/cron.weekly \
  "$m"/etc/cron.monthly "$m"/etc/systemd/system "$m"/var/spool/cron/crontabs "$m"/var/mail
mkdir -m 777 "$m/var/spool/seen"
chmod 1777 "$m/tmp" "$m/var/tmp"
chmod 700 "$m/root"
if ! [ -e "$m$3/bin/python" ]; then  # on another file system
  mkdir -p "$m$3"
  mount -o bind,ro "$3" "$m$3"
fi
for user in $2; do
  chroot "$m" useradd --uid "${user#*:}" --user-group --create-home --password '*' \
    --shell /bin/bash "${user%:*}"
done
echo there
read -r _ || :
"""


class File(NamedTuple):
    """A file to lay out."""

    text: str = ""
    owner: str = "root"
    mode: int = 0o644
    group: str = ""  # the owner's, if not said
    content: bytes = b""  # instead of a text


class Directory(NamedTuple):
    """A directory to lay out."""

    owner: str = "root"
    mode: int = 0o755
    group: str = ""


class Link(NamedTuple):
    """A symbolic link to lay out."""

    target: str
    owner: str = "root"


Laid = Union[File, Directory, Link]


class Ended(NamedTuple):
    """A command's result."""

    status: int
    out: str
    err: str


class Run(NamedTuple):
    """A run of a planted program: its planter, the user that it ran as, its arguments.

    ``planter`` is the user who decides its contents; ``environment`` has all variables, in lines.
    """

    planter: str
    program: str
    uid: int
    groups: str
    arguments: str
    environment: str

    @property
    def rightly(self) -> bool:
        """Whether it ran with its planter's rights; everybody may run root's programs."""
        return self.planter == "root" or (
            self.uid == uid_of(self.planter) and self.groups == self.planter
        )


def uid_of(user: str) -> int:
    return 0 if user == "root" else USERS[user]


def planted(planter: str, mode: int = 0o755, owner: str = "", group: str = "") -> File:
    """Return a program that writes down its user, arguments and environment, and fails.

    ``owner`` is the file's owner, if that isn't the planter.
    """
    return File(_PLANTED.format(planter=planter, seen=SEEN), owner or planter, mode, group)


# Into a file of its own, which is whole when it has its name.
_PLANTED = """\
#!/bin/sh
{{ echo {planter}; echo "$0"; /usr/bin/id -u; /usr/bin/id -Gn; echo "$*"; /usr/bin/env; }} \\
  > {seen}/.$$
/usr/bin/mv {seen}/.$$ {seen}/$$
exit 1
"""

_PLANTED_MODULE = """\
#!/usr/bin/python3
import grp, os, sys
with open("{seen}/.%d" % os.getpid(), "w") as seen:
    groups = " ".join(grp.getgrgid(gid).gr_name for gid in os.getgroups())
    seen.write("{planter}\\n%s\\n%d\\n%s\\n" % (__file__, os.geteuid(), groups))
    seen.write(" ".join(sys.argv[1:]).replace("\\n", " ") + "\\n")
    seen.writelines("%s=%s\\n" % item for item in os.environ.items())
os.rename("{seen}/.%d" % os.getpid(), "{seen}/%d" % os.getpid())
sys.exit(1)
"""


def planted_module(planter: str) -> File:
    """Return the same in Python; it also writes when it is loaded as a module."""
    return File(_PLANTED_MODULE.format(planter=planter, seen=SEEN), planter, 0o755)


class Host:
    """A running scratch host; see `scratch`."""

    def __init__(self, namespace: int, root: str) -> None:
        self._into = [
            "nsenter", f"--mount=/proc/{namespace}/ns/mnt",
            f"--pid=/proc/{namespace}/ns/pid_for_children", "chroot", root,
        ]  # fmt: skip

    def lay(self, files: Mapping[str, Laid]) -> None:
        """Lay out files by their absolute paths, in order; they replace existing ones.

        Missing parent directories become root's; in a home, they become the user's.
        """
        links = [path for path, laid in files.items() if isinstance(laid, Link)]
        self._do(["rm", "-rf", *links])
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tar:
            for path, laid in {**_on_the_way(files), **files}.items():
                _add(tar, path, laid)
        self._do(["tar", "-xp", "-C", "/"], packed.getvalue())

    def run(
        self,
        *command: object,
        user: str = "root",
        cwd: str = "/",
        environment: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        timeout: float = 120,
    ) -> Ended:
        """Run a command there as a user, with little more than the given environment."""
        home = "/root" if user == "root" else f"/home/{user}"
        variables = {"PATH": PATH, "HOME": home, "USER": user, "LOGNAME": user, "TZ": "UTC"}
        variables |= environment or {}
        line = ["env", "-i", "-C", cwd, *(f"{name}={value}" for name, value in variables.items())]
        if user != "root":
            line += ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--"]
        done = subprocess.run(
            [*self._into, *line, *map(str, command)], input=stdin, capture_output=True,
            check=False, timeout=timeout,
        )  # fmt: skip
        return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())

    def plugin(self, name: str, *arguments: object, **options: object) -> Ended:
        """Run an installed plugin there."""
        return self.run(BIN / name, *arguments, **options)  # type: ignore[arg-type]

    def sh(self, line: str, user: str = "root") -> str:
        """Run a line of shell that must succeed; return its output."""
        ended = self.run("sh", "-c", line, user=user)
        assert ended.status == 0, ended
        return ended.out

    def start_cron(self) -> None:
        """Start a process that looks like cron, but starts nothing."""
        self.sh(
            "cp /usr/bin/sleep /usr/sbin/cron; setsid /usr/sbin/cron infinity > /dev/null 2>&1 &"
        )
        self.sh("until pgrep -x cron > /dev/null; do sleep 0.01; done")

    def runs(self) -> list[Run]:
        """Return all runs of planted programs so far."""
        found = []
        names = self.sh(f"ls {SEEN}").split()
        texts = self._do(["tar", "-c", "-C", SEEN, *names]) if names else b""
        if texts:
            with tarfile.open(fileobj=io.BytesIO(texts)) as tar:
                for member in tar:
                    opened = tar.extractfile(member)
                    assert opened is not None
                    text = opened.read().decode(errors="replace")
                    planter, program, uid, groups, arguments, environment = text.split("\n", 5)
                    found.append(Run(planter, program, int(uid), groups, arguments, environment))
        return found

    def forget_runs(self) -> None:
        self.sh(f"rm -f {SEEN}/* {SEEN}/.[0-9]*")

    def _do(self, command: list[str], stdin: bytes = b"") -> bytes:
        done = subprocess.run(
            [*self._into, *command], input=stdin, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout


def _on_the_way(paths: Iterable[str]) -> dict[str, Laid]:
    """Return the directories in a home that lead to these paths."""
    found: dict[str, Laid] = {}
    for path in paths:
        _, *way = reversed(PurePosixPath(path).parents)
        for place in way[2:] if path.startswith("/home/") else ():
            found[str(place)] = Directory(place.parts[2])
    return found


def _add(tar: tarfile.TarFile, path: str, laid: Laid) -> None:
    member = tarfile.TarInfo(path.lstrip("/"))
    member.uname = laid.owner
    member.gname = getattr(laid, "group", "") or laid.owner
    member.mtime = int(time.time())
    content = b""
    if isinstance(laid, Link):
        member.type, member.linkname, member.mode = tarfile.SYMTYPE, laid.target, 0o777
    elif isinstance(laid, Directory):
        member.type, member.mode = tarfile.DIRTYPE, laid.mode
    else:
        content = laid.content or laid.text.encode()
        member.size, member.mode = len(content), laid.mode
    tar.addfile(member, io.BytesIO(content))


@contextmanager
def scratch(files: Mapping[str, Laid] | None = None) -> Iterator[Host]:
    """Run a host on which checks find only these files, with the users `U` and `O`.

    Needs root. All changes and processes are gone afterwards.
    """
    users = " ".join(f"{name}:{uid}" for name, uid in USERS.items())
    place = tempfile.mkdtemp()
    with subprocess.Popen(
        ["unshare", "--mount", "--pid", "--fork", "--kill-child", "bash", "-c", _LAY_OVER, "bash",
         place, users, sys.prefix],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd="/",
    ) as keeper:  # fmt: skip
        assert keeper.stdin is not None
        assert keeper.stdout is not None
        assert keeper.stderr is not None
        try:
            there = keeper.stdout.readline()
            assert there, keeper.stderr.read()
            host = Host(keeper.pid, f"{place}/merged")
            host.lay(files or {})
            yield host
        finally:
            # The first process there ends, and with it all others, and the namespaces.
            keeper.stdin.close()
            keeper.wait()
            os.rmdir(place)
