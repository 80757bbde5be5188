"""A real Icinga 2: the system's as master, and a second process as the agent of a host.

The agent has a zone and a certificate of its own. What the master says is read over its API.
"""

from __future__ import annotations

import json
import shutil
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from e2e.machine import run
from lab import wait_until

MASTER, AGENT, NRPE = "master.example.org", "web1.example.org", "web2.example.org"
PORT_OF_AGENT = 15665
ETC, DATA, LOGS = Path("/etc/icinga2"), Path("/var/lib/icinga2"), Path("/var/log/icinga2")
USER, PASSWORD = "e2e", "only-for-these-tests"
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}

ZONES = f"""
object Endpoint "{AGENT}" {{
  host = "127.0.0.1"
  port = "{PORT_OF_AGENT}"
}}
object Zone "{AGENT}" {{
  endpoints = [ "{AGENT}" ]
  parent = "master"
}}
"""
AGENT_CONFIGURATION = f"""
const PluginDir = "/usr/lib/nagios/plugins"
const NodeName = "{AGENT}"
const ZoneName = "{AGENT}"
include <itl>
include <plugins>
object CheckerComponent "checker" {{}}
object FileLogger "main-log" {{ severity = "information"; path = LogDir + "/icinga2.log" }}
object ApiListener "api" {{
  accept_config = true
  accept_commands = true
  bind_host = "127.0.0.1"
  bind_port = {PORT_OF_AGENT}
}}
object Endpoint "{MASTER}" {{}}
object Zone "master" {{ endpoints = [ "{MASTER}" ] }}
object Endpoint "{AGENT}" {{}}
object Zone "{AGENT}" {{
  endpoints = [ "{AGENT}" ]
  parent = "master"
}}
object Zone "global-templates" {{ global = true }}
"""
# What only NRPE reaches.
SECOND_HOST = f"""
object Host "{NRPE}" {{
  check_command = "hostalive"
  address = "127.0.0.1"
  vars.duplicity_jobs["assets"] = {{}}
  vars.duplicity_jobs["web"] = {{}}
}}
"""


class Seen(NamedTuple):
    """What Icinga knows of a service after a check."""

    state: int
    output: str
    performance: tuple[str, ...]
    command: tuple[str, ...]


class Master:
    """The running master."""

    def __init__(self) -> None:
        context = ssl.create_default_context(cafile=str(DATA / "certs" / "ca.crt"))
        context.check_hostname = False
        passwords = urllib.request.HTTPPasswordMgrWithPriorAuth()
        passwords.add_password(None, "https://127.0.0.1:5665", USER, PASSWORD, True)
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=context),
            urllib.request.HTTPBasicAuthHandler(passwords),
        )

    def ask(self, path: str, data: object = None) -> Any:
        """What the API answers; with data it is told something. Raises `OSError`."""
        request = urllib.request.Request(
            f"https://127.0.0.1:5665/v1/{path}",
            data=None if data is None else json.dumps(data).encode(),
            headers={"Accept": "application/json"},
        )
        with self._opener.open(request, timeout=10) as answer:
            return json.load(answer)["results"]

    def is_ready(self, services: int = 0) -> bool:
        """Whether it answers, has so many services, and is connected with the agent."""
        try:
            listener = self.ask("status/ApiListener")[0]["status"]["api"]
            return AGENT in listener["conn_endpoints"] and (
                not services or len(self.ask("objects/services")) == services
            )
        except OSError:
            return False  # It is loading its configuration.

    def services(self) -> dict[tuple[str, str], Seen]:
        """All services by host and name that have been checked."""
        return {
            (found["attrs"]["host_name"], found["attrs"]["name"]): _seen(found["attrs"])
            for found in self.ask("objects/services")
            if found["attrs"]["last_check_result"]
        }

    def check(self, host: str, service: str, seconds: float = 100) -> Seen:
        """Have a service checked now, and wait for what comes of it."""
        name = f"{host}!{service}"
        asked = time.time()
        self.ask("actions/reschedule-check", {"type": "Service", "service": name, "force": True})

        def checked() -> bool:
            attributes = self.ask(f"objects/services/{name}")[0]["attrs"]
            result = attributes["last_check_result"]
            return bool(result) and result["execution_start"] >= asked - 0.01

        wait_until(checked, seconds)
        return _seen(self.ask(f"objects/services/{name}")[0]["attrs"])


def _seen(attributes: dict[str, Any]) -> Seen:
    result = attributes["last_check_result"]
    command = result["command"] or []
    words = command if isinstance(command, list) else [command]
    return Seen(
        int(result["state"]),
        result["output"],
        tuple(result["performance_data"] or ()),
        tuple(map(str, words)),
    )


@contextmanager
def set_up_master(directory: Path) -> Iterator[None]:
    """Make the system's Icinga a master, as ``icinga2 node setup`` does; undo it afterwards."""
    kept = [(ETC, directory / "etc"), (DATA, directory / "data")]
    for path, keep in kept:
        run("cp", "-a", path, keep)
    try:
        run("icinga2", "node", "setup", "--master", "--cn", MASTER, "--zone", "master",
            "--disable-confd", env=ENVIRONMENT)  # fmt: skip
        with (ETC / "zones.conf").open("a") as zones:
            zones.write(ZONES)
        (ETC / "features-enabled" / "e2e.conf").write_text(
            f'object ApiUser "{USER}" {{ password = "{PASSWORD}"; permissions = [ "*" ] }}\n'
        )
        for made in (Path("/run/icinga2"), LOGS):
            made.mkdir(exist_ok=True)
            shutil.chown(made, "nagios", "nagios")
        run("service", "icinga2", "start", env=ENVIRONMENT)
        yield
    finally:
        run("service", "icinga2", "stop", env=ENVIRONMENT, check=False)
        for path, keep in kept:
            run("find", path, "-mindepth", "1", "-delete")
            run("cp", "-a", f"{keep}/.", path)


@contextmanager
def agent(directory: Path) -> Iterator[Path]:
    """Run the agent; yields its directory, with its log and its copy of the configuration."""
    for name in ("etc", "data/certs", "log", "cache", "spool", "run"):
        (directory / name).mkdir(parents=True)
    run("chown", "-R", "nagios:", directory)  # whom all that icinga2 does runs as
    certificates = directory / "data" / "certs"
    parts = [str(certificates / f"{AGENT}.{end}") for end in ("key", "csr", "crt")]
    run("icinga2", "pki", "new-cert", "--cn", AGENT, "--key", parts[0], "--csr", parts[1],
        env=ENVIRONMENT)  # fmt: skip
    run("icinga2", "pki", "sign-csr", "--csr", parts[1], "--cert", parts[2], env=ENVIRONMENT)
    shutil.copy(DATA / "certs" / "ca.crt", certificates)
    configuration = directory / "etc" / "icinga2.conf"
    configuration.write_text(AGENT_CONFIGURATION)
    places = {
        "ConfigDir": "etc", "DataDir": "data", "LogDir": "log", "CacheDir": "cache",
        "SpoolDir": "spool", "InitRunDir": "run", "PidPath": "run/icinga2.pid",
        "StatePath": "data/icinga2.state", "ModAttrPath": "data/modified-attributes.conf",
        "ObjectsPath": "cache/icinga2.debug", "VarsPath": "cache/icinga2.vars",
    }  # fmt: skip
    words = [f"-DConfiguration.{name}={directory}/{place}" for name, place in places.items()]
    with subprocess.Popen(
        ["icinga2", "daemon", "-c", configuration, *words],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env=ENVIRONMENT, cwd="/", start_new_session=True,
    ) as process:  # fmt: skip
        try:
            yield directory
        finally:
            process.terminate()
