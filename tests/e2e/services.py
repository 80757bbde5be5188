"""The deployed services as their monitoring sees them: by NRPE, and over Icinga's API."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import NamedTuple

from e2e.icinga2 import AGENT, ENVIRONMENT, NRPE, Master
from e2e.machine import ARCHIVE, CHECK_NRPE, USER, WEB, Machine, run
from lab import wait_until

CHECKS = ("freshness", "process", "log", "restore")
OK, WARNING, CRITICAL, UNKNOWN = range(4)
PLUGINS = "/usr/lib/nagios/plugins"
SITE = Path("/root/site.pp")
# What the README's example has not: a job with a password that cron drills, and limits that tests
# can wait for.
SECOND_JOB = f"""
check_duplicity::job {{ 'web':
  user        => '{USER}',
  script      => '{WEB.script}',
  destination => Sensitive('{WEB.url}'),
  archive_dir => '{ARCHIVE}',
  drill       => {{ provider => 'cron', volumes => 1 }},
}}
"""
SHORT_LIMITS = "stalled_warning => '3s', stalled_critical => '6s',"
# All output of plugins, NRPE and Icinga; a test searches it for secrets in the end.
SAID: list[str] = []


class Answer(NamedTuple):
    """The result of a check, by NRPE or Icinga."""

    state: int
    text: str

    @property
    def line(self) -> str:
        return self.text.split("\n")[0]


class Site:
    """The services as their monitoring sees them."""

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

    def ask_for_jobs(self) -> Answer:
        """Ask, by NRPE and Icinga, which jobs of the host are forgotten or switched off."""
        words = ["-H", "127.0.0.1", "-c", "check_duplicity_jobs", "-t", "60:UNKNOWN"]
        done = run(CHECK_NRPE, *words, check=False)
        seen = [self.master.check(host, "duplicity-jobs") for host in (NRPE, AGENT)]
        answers = [Answer(done.returncode, done.stdout), *(Answer(s.state, s.output) for s in seen)]
        SAID.extend(answer.text for answer in answers)
        assert len({(a.state, a.line.split(" | ")[0].strip()) for a in answers}) == 1, answers
        return answers[0]

    def drill(self, job: str = "assets") -> Answer:
        """Run the timer's or crontab's command as it is written, without systemd and cron."""
        done = run(*shlex.split(drill_of(job)), check=False, env=ENVIRONMENT)
        SAID.append(done.stdout)
        return Answer(done.returncode, done.stdout)

    def by_icinga(self, host: str, check: str, job: str = "assets") -> Answer:
        seen = self.master.check(host, f"duplicity-{check}-{job}")
        SAID.append("\n".join((seen.output, *seen.performance, *seen.command)))
        return Answer(seen.state, seen.output)

    def ask(self, check: str, job: str = "assets") -> Answer:
        """Ask by NRPE and Icinga; the answers must agree, except for what changes with time."""
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


def drill_of(job: str) -> str:
    """Return the command of a job's drills that Puppet gave to the timer, or else to cron."""
    unit = Path(f"/etc/systemd/system/duplicity-drill@{job}.service.d/puppet.conf")
    if unit.exists():
        _, command = re.findall(r"^ExecStart=(.*)$", unit.read_text(), re.M)
        return str(command)  # The first one only takes the unit's own away.
    line = Path(f"/etc/cron.d/check_duplicity_drill_{job}").read_text().splitlines()[-1]
    found = re.fullmatch(r"\S+ \S+ \* \* \S+ root (.+) > /dev/null 2>&1", line)
    assert found, line
    return found[1]
