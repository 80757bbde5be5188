"""The host, the master and the agent, once for all end-to-end tests."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e import icinga2
from e2e import machine as machines
from e2e.machine import ASSETS, USER, WEB, Machine
from e2e.readme import blocks, follow
from e2e.services import OK, SAID, SECOND_JOB, SHORT_LIMITS, SITE, Site
from lab import wait_until

NEEDED = (
    "/usr/sbin/sshd", "/usr/sbin/cron", "/usr/sbin/exim4", "/usr/bin/duplicity",
    "/usr/sbin/icinga2", "/usr/bin/dpkg-buildpackage", "/usr/bin/apt-get",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the end-to-end tests unless they are wanted, because they change the machine."""
    missing = [path for path in NEEDED if not os.path.exists(path)]
    reason = "needs root" if os.geteuid() else f"needs {missing}" if missing else ""
    if not os.environ.get("E2E"):
        reason = "changes this machine: make e2e runs it"
    for item in items:
        if Path(__file__).parent not in item.path.parents:
            continue
        item.add_marker(pytest.mark.root)
        if reason:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def directory() -> Iterator[Path]:
    """A directory that other users can reach, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="e2e-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.fixture(scope="session")
def host(directory: Path) -> Iterator[Machine]:
    """The host with its two jobs; both have run once, and cron has mailed the output of one."""
    (directory / "host").mkdir()
    with machines.machine(directory / "host") as host:
        mail = host.back_up_by_cron(ASSETS)
        assert "Errors 0" in mail
        host.back_up(WEB)
        yield host


@pytest.fixture(scope="session")
def master(directory: Path) -> Iterator[icinga2.Master]:
    """Icinga's master, with an agent that is connected; no host is configured."""
    (directory / "icinga2").mkdir(mode=0o755)
    with icinga2.master_and_agent(directory / "icinga2") as master:
        yield master


@pytest.fixture(scope="session", autouse=True)
def undone() -> Iterator[None]:
    """Remove everything that the README's commands have installed and written."""
    yield
    machines.run("apt-get", "purge", "-qy", "check-duplicity", check=False)
    for path in ("/etc/check-duplicity", "/etc/puppet/code/modules/check_duplicity"):
        shutil.rmtree(path, ignore_errors=True)
    for directory in ("/etc/sudoers.d", "/etc/nagios/nrpe.d", "/etc/cron.d"):
        for made in Path(directory).glob("check_duplicity_*"):
            made.unlink()
    for made in Path("/etc/systemd/system").glob("duplicity-drill@*.d"):
        shutil.rmtree(made)
    for made in Path("/etc/systemd/system/timers.target.wants").glob("duplicity-drill@*"):
        made.unlink()
    machines.run("service", "nagios-nrpe-server", "stop", check=False)


@pytest.fixture(scope="session")
def site(host: Machine, master: icinga2.Master) -> Iterator[Site]:
    """The services that Puppet deploys, with a second job, and those of the master."""
    follow(
        "dpkg -s check-duplicity > /dev/null || apt-get install -y ./dist/check-duplicity_*_all.deb"
    )
    applied, _ = blocks("By Puppet and NRPE")
    follow(applied)
    text = SITE.read_text().replace("user            => 'g", f"{SHORT_LIMITS}\n  user => 'g", 1)
    SITE.write_text(text + SECOND_JOB)
    follow(f"puppet apply {SITE}")
    follow("".join(blocks("By Icinga 2's agent")[0]))
    hosts = icinga2.ETC / "zones.d" / "master" / "hosts.conf"
    of_agent = blocks("By Icinga 2's agent")[1].rstrip().rstrip("}")
    web = f'vars.duplicity_jobs["web"] = {{ duplicity_sudo_user = "{USER}" }}'
    hosts.write_text(f"{of_agent}{web}\n}}\n{icinga2.SECOND_HOST}")
    follow("icinga2 daemon -C && service icinga2 reload")
    wait_until(lambda: master.is_ready(services=20))
    site = Site(host, master)
    for job in ("assets", "web"):
        assert site.drill(job).state == OK, SAID[-1]
    yield site
    SITE.unlink()
