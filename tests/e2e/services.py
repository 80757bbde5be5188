"""The deployed services, as those who watch them see them: by NRPE, and over Icinga's API."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from e2e.icinga2 import AGENT, NRPE, Master
from e2e.machine import ARCHIVE, CHECK_NRPE, USER, WEB, Machine, run
from lab import wait_until

CHECKS = ("freshness", "process", "log")
OK, WARNING, CRITICAL, UNKNOWN = range(4)
PLUGINS = "/usr/lib/nagios/plugins"
SITE = Path("/root/site.pp")
# What the README's example has not: a job with a password, and limits that tests can wait for.
SECOND_JOB = f"""
check_duplicity::job {{ 'web':
  user        => '{USER}',
  destination => Sensitive('{WEB.url}'),
  archive_dir => '{ARCHIVE}',
}}
"""
SHORT_LIMITS = "stalled_warning => '3s', stalled_critical => '6s',"
# Everything that a plugin, or what asks it, has said; looked through for secrets in the end.
SAID: list[str] = []


class Answer(NamedTuple):
    """What came of a check, on one way."""

    state: int
    text: str

    @property
    def line(self) -> str:
        return self.text.split("\n")[0]


class Site:
    """The services as those who watch them see them."""

    def __init__(self, host: Machine, master: Master) -> None:
        self.host = host
        self.master = master

    def by_nrpe(
        self, check: str, *options: object, job: str = "assets", port: int = 5666
    ) -> Answer:
        words = ["-H", "127.0.0.1", "-p", port, "-c", f"check_duplicity_{check}_{job}"]
        done = run(CHECK_NRPE, *words, *(options or ("-t", "60:UNKNOWN")), check=False)
        SAID.append(done.stdout)
        return Answer(done.returncode, done.stdout)

    def by_icinga(self, host: str, check: str, job: str = "assets") -> Answer:
        seen = self.master.check(host, f"duplicity-{check}-{job}")
        SAID.append("\n".join((seen.output, *seen.performance, *seen.command)))
        return Answer(seen.state, seen.output)

    def ask(self, check: str, job: str = "assets") -> Answer:
        """Ask on all ways: they agree, but for what changes with time."""
        answers = [
            self.by_nrpe(check, job=job),
            self.by_icinga(NRPE, check, job),
            self.by_icinga(AGENT, check, job),
        ]
        assert len({answer.state for answer in answers}) == 1, answers
        heads = {re.sub(r"(\d+[smhd]? ?)+", "N ", a.line.split(" | ")[0]).strip() for a in answers}
        assert len(heads) == 1, heads
        return answers[-1]

    def ask_until(self, check: str, state: int) -> Answer:
        found: list[Answer] = []

        def reached() -> bool:
            found.append(self.by_nrpe(check))
            return found[-1].state == state

        wait_until(reached)
        return found[-1]
