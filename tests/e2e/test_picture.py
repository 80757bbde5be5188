"""The pictures in the README show real data; ``make picture`` updates them."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from e2e import icingaweb
from e2e.icinga2 import AGENT, NRPE
from e2e.machine import ARCHIVE, WEB, run
from e2e.readme import ROOT
from e2e.services import CHECKS, Site
from lab import wait_until

DOCS = ROOT / "docs"
LIST = "monitoring/list/services?limit=50&showCompact"


@pytest.mark.skipif("PICTURE" not in os.environ, reason="make picture does it")
def test_pictures_show_every_service_and_what_to_type(site: Site, directory: Path) -> None:
    with site.host.aside(WEB), icingaweb.running(directory):
        wait_until(lambda: site.master.is_ready(services=20))
        run("find", WEB.destination, "-type", "f", "-delete")
        site.host.write_script(WEB, f"--current-time {int(time.time()) - 4 * 86400}")
        run("find", ARCHIVE, "-type", "f", "-delete")
        site.host.back_up(WEB)
        site.host.write_script(WEB)
        for job in ("assets", "web"):
            for host in (AGENT, NRPE):
                for check in CHECKS:
                    site.master.check(host, f"duplicity-{check}-{job}")
        for host in (AGENT, NRPE):
            site.master.check(host, "duplicity-agent")
        wait_until(lambda: "last backup 4d" in icingaweb.text_of(LIST))
        icingaweb.take_picture(LIST, "1100,800", DOCS / "services.png", directory / "browser")
        detail = f"monitoring/service/show?host={AGENT}&service=duplicity-freshness-web"
        icingaweb.take_picture(detail, "1100,900", DOCS / "service.png", directory / "browser")
