"""Each way of the README leads from nothing to a green service."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from e2e import icinga2
from e2e.icinga2 import AGENT, Master
from e2e.machine import Machine, nrpe_answers
from e2e.readme import blocks, follow
from lab import wait_until
from pages import marked

GREEN = "DUPLICITY FRESHNESS OK - last backup "


@pytest.fixture(scope="module", autouse=True)
def package(host: Machine) -> None:
    [commands] = blocks()
    follow(commands)


def test_the_package_has_what_deploys_it() -> None:
    listed = follow("dpkg-deb --contents dist/check-duplicity_*_all.deb")
    for name in ("icinga/services.conf", "icinga/nrpe/sudoers", "puppet/manifests/init.pp"):
        assert f"/usr/share/doc/check-duplicity/examples/{name}\n" in listed
    assert "/usr/share/doc/check-duplicity/html/index.html\n" in listed
    for unit in ("duplicity-drill@.service", "duplicity-drill@.timer"):
        assert f"/usr/lib/systemd/system/{unit}\n" in listed


def test_by_hand(host: Machine) -> None:
    job_file, rules, nrpe, asked = blocks("By hand")
    assert GREEN in follow(job_file)
    assert "parsed OK" in follow(rules)
    follow(nrpe)
    wait_until(nrpe_answers)  # it says that it is started before it listens
    freshness, jobs = asked.splitlines()
    assert GREEN in follow(freshness)
    assert "web is not monitored" in follow(f"{jobs} || [ $? = 1 ]")  # What the host has besides.
    restore = freshness.replace("freshness", "restore")
    assert "DUPLICITY RESTORE UNKNOWN - no drill" in follow(f"{restore} || [ $? = 3 ]")
    drilled, *_ = blocks("A drill each week")
    assert "DUPLICITY DRILL OK - " in follow(drilled.splitlines()[0])  # systemd may not run here
    assert "DUPLICITY RESTORE OK - restored " in follow(restore)


def test_by_the_agent(host: Machine, master: Master) -> None:
    copied, object_host, reload = blocks("By Icinga 2's agent")
    follow(copied)
    hosts = icinga2.ETC / "zones.d" / "master" / "hosts.conf"
    hosts.write_text(object_host + icinga2.SECOND_HOST)
    assert "Finished validating" in follow(reload)
    wait_until(lambda: master.is_ready(services=16))
    seen = master.check(AGENT, "duplicity-freshness-assets")
    assert seen.state == 0
    assert seen.output.startswith(GREEN)
    assert any(datum.startswith("age=") for datum in seen.performance)


def test_by_puppet(host: Machine) -> None:
    Path("/etc/check-duplicity/jobs.d/assets.ini").unlink()
    for made in (
        "/etc/sudoers.d/check_duplicity_assets",
        "/etc/nagios/nrpe.d/check_duplicity_assets.cfg",
    ):
        Path(made).unlink()
    follow("service nagios-nrpe-server stop")
    applied, asked = blocks("By Puppet and NRPE")
    assert "Error" not in "\n".join(
        line for line in follow(applied).split("\n") if "Facter" not in line
    )
    wait_until(nrpe_answers)  # it says that it is started before it listens
    assert GREEN in follow(asked)
    enabled = Path("/etc/systemd/system/timers.target.wants/duplicity-drill@assets.timer")
    assert os.path.realpath(enabled) == "/usr/lib/systemd/system/duplicity-drill@.timer"


def test_by_pip() -> None:
    place = Path("/opt/check-duplicity")
    assert not place.exists()
    (block,) = marked("tests/e2e/test_from_nothing.py", "test_by_pip")
    try:
        # --help ends with 3, as the plugin guidelines ask.
        assert "check_duplicity_freshness" in follow(f"{block.text.rstrip()} || [ $? = 3 ]")
        for program in place.glob("bin/*duplicity_*"):
            assert program.read_text().split("\n")[0].endswith(" -I")
    finally:
        shutil.rmtree(place, ignore_errors=True)
