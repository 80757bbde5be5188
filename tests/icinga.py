"""A real Icinga 2 with its own directories, certificates and ports, on loopback."""

from __future__ import annotations

import base64
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from lab import wait_until

ICINGA = Path("/usr/sbin/icinga2")
FOLDERS = ("certs", "data", "log", "cache", "spool", "run", "plugins")
PLACES = {
    "ConfigDir": "",
    "DataDir": "data",
    "LogDir": "log",
    "CacheDir": "cache",
    "SpoolDir": "spool",
    "InitRunDir": "run",
    "PidPath": "run/pid",
    "StatePath": "data/state",
    "ModAttrPath": "data/modified",
    "ObjectsPath": "cache/objects",
    "VarsPath": "cache/vars",
}


class Api:
    """The API of an Icinga."""

    def __init__(self, port: int, authority: Path, account: str) -> None:
        """``authority`` is the CA certificate of the server's own, ``account`` is NAME:PASSWORD."""
        self.port = port
        self._authority = authority
        self._account = base64.b64encode(account.encode()).decode()

    def answers(self) -> bool:
        try:
            self.get("status")
        except OSError:
            return False
        return True

    def get(self, path: str) -> list[dict[str, Any]]:
        """Return the results of a GET request."""
        return self._request("GET", path, None)

    def post(self, path: str, content: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the results of a POST request."""
        return self._request("POST", path, json.dumps(content).encode())

    def ask(self, kind: str, name: str) -> dict[str, Any]:
        """Return the attributes of a host or service."""
        (found,) = self.get(f"objects/{kind}s/{urllib.parse.quote(name)}")
        attributes: dict[str, Any] = found["attrs"]
        return attributes

    def _request(self, method: str, path: str, content: bytes | None) -> list[dict[str, Any]]:
        context = ssl.create_default_context(cafile=self._authority)
        context.check_hostname = False
        request = urllib.request.Request(
            f"https://127.0.0.1:{self.port}/v1/{path}", data=content, method=method
        )
        request.add_header("Accept", "application/json")
        request.add_header("Authorization", f"Basic {self._account}")
        try:
            with urllib.request.urlopen(request, context=context, timeout=20) as answer:
                found: list[dict[str, Any]] = json.load(answer)["results"]
        except urllib.error.HTTPError as error:
            error.close()  # It is an answer, too, with a connection of its own.
            raise
        except http.client.HTTPException as error:  # Icinga has reloaded meanwhile.
            raise ConnectionError("an answer without its end") from error
        return found


class Authority(Protocol):
    """An Icinga that signs certificates."""

    data: Path

    def run(self, *words: str) -> object: ...


class Node(Api):
    """One Icinga: a master, or an agent with a certificate of the master's authority."""

    def __init__(self, directory: Path, name: str, authority: Authority | None = None) -> None:
        """``directory`` is one that the user nagios can reach; nothing outside it is touched."""
        self.directory = directory / name
        self.data = self.directory / "data"
        self.plugins = self.directory / "plugins"
        self.name = name
        self.authority = authority or self
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port: int = free.getsockname()[1]
        super().__init__(port, self.data / "certs/ca.crt", "test:test")
        for folder in FOLDERS:
            (self.directory / folder).mkdir(parents=True)
        certificates = self.data / "certs"
        certificates.mkdir()
        self._give_away()
        mine = [f"--{kind}={certificates / name}.{kind}" for kind in ("key", "csr", "crt")]
        if self.authority is self:
            self.run("pki", "new-ca")
        self.run("pki", "new-cert", f"--cn={name}", mine[0], mine[1])
        signed = mine[2].replace("--crt", "--cert")
        self.authority.run("pki", "sign-csr", mine[1], signed)
        shutil.copy(self.authority.data / "ca/ca.crt", certificates)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run ``icinga2`` with the node's directories."""
        places = [f"-DConfiguration.{k}={self.directory / v}" for k, v in PLACES.items()]
        return subprocess.run(
            [ICINGA, *words, *places], capture_output=True, text=True, check=False, cwd="/"
        )

    def configure(self, text: str) -> None:
        """Write the configuration: what every node needs, and the given text."""
        (self.directory / "icinga2.conf").write_text(
            f'const PluginDir = "{self.plugins}"\n'
            f'const NodeName = "{self.name}"\nconst ZoneName = NodeName\n'
            "include <itl>\ninclude <plugins>\n"
            f'object FileLogger "log" {{ path = "{self.directory}/log/log" }}\n'
            'object ApiListener "api" {\n  bind_host = "127.0.0.1"\n'
            f"  bind_port = {self.port}\n  accept_commands = true\n  accept_config = true\n}}\n"
            'object ApiUser "test" {\n  password = "test"\n  permissions = [ "*" ]\n}\n' + text
        )
        self._give_away()

    def _give_away(self) -> None:
        """Give the directories to nagios, since icinga2 always runs as that user."""
        for path in (self.directory, *self.directory.rglob("*")):
            shutil.chown(path, "nagios", "nagios")

    def validate(self) -> subprocess.CompletedProcess[str]:
        """Run ``icinga2 daemon -C``."""
        return self.run("daemon", "-C", "-c", str(self.directory / "icinga2.conf"))

    @contextmanager
    def running(self) -> Iterator[Node]:
        """Run it during the block; it answers when the block begins."""
        places = [f"-DConfiguration.{k}={self.directory / v}" for k, v in PLACES.items()]
        words = [str(ICINGA), "daemon", "-c", str(self.directory / "icinga2.conf"), *places]
        with (
            (self.directory / "log/out").open("wb") as out,
            subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
                cwd="/",
                start_new_session=True,
            ) as daemon,
        ):
            try:
                wait_until(lambda: daemon.poll() is not None or self.answers())
                assert daemon.poll() is None, (self.directory / "log/out").read_text()
                yield self
            finally:
                daemon.terminate()
                daemon.wait(30)
                # What it was doing when it ended: its checks are of its session.
                for pid in children_of_session(daemon.pid):
                    os.kill(pid, signal.SIGKILL)

    def report(self, service: str, state: int, times: int = 3) -> None:
        """Send a passive result so often that the state becomes a hard one."""
        for _ in range(times):
            content = {"type": "Service", "service": service, "exit_status": state}
            self.post("actions/process-check-result", {**content, "plugin_output": "said"})


def children_of_session(leader: int) -> list[int]:
    """Return the living processes of a session."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, session = path.read_text().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if session == str(leader) and state != "Z":
            found.append(int(path.parent.name))
    return found
