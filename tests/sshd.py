"""A real sshd on loopback that lets one user in."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab import wait_until

SSHD = Path("/usr/sbin/sshd")


@contextmanager
def serving(user: str, home: Path, directory: Path) -> Iterator[int]:
    """Run an sshd for a user, who gets a key and the host's key; yield the port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number: int = free.getsockname()[1]
    Path("/run/sshd").mkdir(exist_ok=True)
    ssh = home / ".ssh"
    key = ssh / "id_ed25519"
    for words in (
        ["mkdir", "-m", "700", ssh],
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key],
    ):
        subprocess.run(["sudo", "-n", "-H", "-u", user, *map(str, words)], check=True, cwd="/")
    shutil.copy(ssh / "id_ed25519.pub", ssh / "authorized_keys")
    subprocess.run(["usermod", "-p", "*", user], check=True)
    own = directory / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", own], check=True)
    host_key = " ".join(own.with_suffix(".pub").read_text().split()[:2])
    (ssh / "known_hosts").write_text(f"[127.0.0.1]:{number} {host_key}\n")
    configuration = directory / "config"
    configuration.write_text(
        f"Port {number}\nListenAddress 127.0.0.1\nHostKey {own}\nPidFile none\nUsePAM no\n"
        "PasswordAuthentication no\nStrictModes no\nSubsystem sftp internal-sftp\n"
    )
    log = directory / "log"
    log.touch()
    with subprocess.Popen([SSHD, "-D", "-f", configuration, "-E", log]) as sshd:
        try:
            wait_until(lambda: b"listening" in log.read_bytes())
            yield number
        finally:
            sshd.terminate()
