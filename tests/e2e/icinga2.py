"""A real Icinga 2: the system's as master, and a second process as the agent of a host.

The agent has its own zone and certificate. The tests read the master's results over its API.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from e2e.machine import run
from lab import wait_until

from icinga import Api, Node

MASTER, AGENT, NRPE = "master.example.org", "web1.example.org", "web2.example.org"
ETC, DATA, LOGS = Path("/etc/icinga2"), Path("/var/lib/icinga2"), Path("/var/log/icinga2")
USER, PASSWORD = "e2e", "only-for-these-tests"
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}

# What the agent knows of the master; the other way round its address is known, too.
ZONES = f"""
object Endpoint "{MASTER}" {{}}
object Zone "master" {{ endpoints = [ "{MASTER}" ] }}
object Endpoint "{AGENT}" {{}}
object Zone "{AGENT}" {{
  endpoints = [ "{AGENT}" ]
  parent = "master"
}}
object Zone "global-templates" {{ global = true }}
"""
ZONES_OF_MASTER = f"""
object Endpoint "{AGENT}" {{
  host = "127.0.0.1"
  port = "PORT"
}}
object Zone "{AGENT}" {{
  endpoints = [ "{AGENT}" ]
  parent = "master"
}}
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
    """A service's state in Icinga after a check."""

    state: int
    output: str
    performance: tuple[str, ...]
    command: tuple[str, ...]


class Master(Api):
    """The system's Icinga as master."""

    data = DATA

    def __init__(self) -> None:
        super().__init__(5665, DATA / "certs" / "ca.crt", f"{USER}:{PASSWORD}")

    def run(self, *words: str) -> None:
        run("icinga2", *words, env=ENVIRONMENT)

    def is_ready(self, services: int = 0) -> bool:
        """Return whether it answers, has ``services`` services, and its agent has the commands."""
        try:
            if not self.ask("endpoint", AGENT)["connected"]:
                return False
            if not services:
                return True
            return (
                len(self.get("objects/services")) == services
                and "does not exist" not in self.check(AGENT, "duplicity-process-assets").output
            )
        except OSError:
            return False  # It is loading its configuration.

    def check(self, host: str, service: str, seconds: float = 100) -> Seen:
        """Have a service checked now, and wait for the result."""
        name = f"{host}!{service}"
        wish = {"type": "Service", "service": name, "force": True}
        asked = time.time()
        known: Any = "nothing yet"

        def checked() -> bool:
            nonlocal known
            result = self.ask("service", name)["last_check_result"]
            if result and result["execution_start"] >= asked - 0.01:
                return True
            if result != known:
                # The first time; and when a check has ended that was under way: Icinga then plans
                # the next one anew, and forgets the wish.
                self.post("actions/reschedule-check", wish)
                known = result
            return False

        wait_until(checked, seconds)
        return _seen(self.ask("service", name))


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
def master_and_agent(directory: Path) -> Iterator[Master]:
    """Run both, connected; no host is configured. The agent's directory is in ``directory``."""
    with _set_up_master(directory):
        master = Master()
        agent = Node(directory, AGENT, master)
        agent.plugins = Path("/usr/lib/nagios/plugins")
        agent.configure(f'object CheckerComponent "checker" {{}}\n{ZONES}')
        with (ETC / "zones.conf").open("a") as zones:
            zones.write(ZONES_OF_MASTER.replace("PORT", str(agent.port)))
        with agent.running():
            run("service", "icinga2", "start", env=ENVIRONMENT)
            wait_until(master.is_ready)
            yield master


@contextmanager
def _set_up_master(directory: Path) -> Iterator[None]:
    """Make the system's Icinga a master, as ``icinga2 node setup`` does; undo it afterwards."""
    kept = [(ETC, directory / "etc"), (DATA, directory / "data")]
    for path, keep in kept:
        run("cp", "-a", path, keep)
    try:
        run("icinga2", "node", "setup", "--master", "--cn", MASTER, "--zone", "master",
            "--disable-confd", env=ENVIRONMENT)  # fmt: skip
        (ETC / "features-enabled" / "e2e.conf").write_text(
            f'object ApiUser "{USER}" {{ password = "{PASSWORD}"; permissions = [ "*" ] }}\n'
        )
        for made in (Path("/run/icinga2"), LOGS):
            made.mkdir(exist_ok=True)
            shutil.chown(made, "nagios", "nagios")
        yield
    finally:
        run("service", "icinga2", "stop", env=ENVIRONMENT, check=False)
        for path, keep in kept:
            run("find", path, "-mindepth", "1", "-delete")
            run("cp", "-a", f"{keep}/.", path)
