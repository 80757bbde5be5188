"""The facts about a backup job, from its file or from a search, each with its origin."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Collection, Mapping

from check_duplicity.nagios.findings import CannotSee, Kind
from check_duplicity.runs.paths import NOWHERE
from check_duplicity.system.rights import (
    NOBODY,
    changeable,
    deciders,
    goes_along,
    may,
    named,
    started,
)
from check_duplicity.system.user import current
from check_duplicity.values import NamedTuple

COMMENTED_OUT = "is commented out"
# Facts that decide what runs, and as which user; the rest is only read, judged or printed.
_RUN = (
    "user", "destination", "options", "duplicity", "archive_dir", "name", "environment_file",
)  # fmt: skip
# Only a backup takes them, and limits follow from them (duplicity 2.1 and later have the last two).
BACKUP_OPTIONS = ("--full-if-older-than", "--full-if-n-inc", "--skip-if-no-change")
_FLAGS = ("--skip-if-no-change",)
_LINE = re.compile(r":\d+$")


class Fact(NamedTuple):
    """Something known of a job, and where it stands: a file, and its line where it matters.

    ``by`` are the users besides root who decide it (`rights.deciders`).
    """

    value: str
    origin: str
    by: frozenset[str] = NOBODY


class Start(NamedTuple):
    """What starts a job: its origin, its command, and the reason if it is off."""

    origin: str  # a crontab with the line, or the timer's file
    command: str
    off: str = ""

    @property
    def by_timer(self) -> bool:
        """Whether systemd starts it, not cron."""
        return self.origin.endswith(".timer")


class Known(NamedTuple):
    """What is known of a job.

    ``facts`` have the keys of a job's file, ``environment`` is what its script gives to duplicity,
    ``environment_by`` who besides root decides that. ``doubts`` say what could not be known without
    running something. ``starter`` is the user who starts the script, if that isn't the job's user;
    ``starts`` are the lines and timers that start it, as far as they were found. ``certain`` tells
    whether a found script makes the backup whenever it runs.
    """

    job: str
    facts: Mapping[str, Fact]
    environment: Mapping[str, str] = {}
    doubts: tuple[str, ...] = ()
    environment_by: frozenset[str] = NOBODY
    starter: str = ""
    certain: bool = True
    starts: tuple[Start, ...] = ()

    @property
    def is_off(self) -> bool:
        """Whether its starts were found, and all of them are off."""
        return bool(self.starts) and all(start.off for start in self.starts)

    @property
    def is_silent(self) -> bool:
        """Whether its output is thrown away."""
        return self.get("mail") == NOWHERE

    @property
    def place(self) -> str:
        """Where its backup is made: the file, and the line where it is known."""
        facts = (self.facts.get(key) for key in ("destination", "options", "encryption"))
        return next((fact.origin for fact in facts if fact is not None), "")

    @property
    def no_destination(self) -> str:
        """The message for a job without a destination."""
        return f"job {self.job} has no destination in its file, and none was found elsewhere"

    def get(self, key: str) -> str:
        """Return a fact's value, empty if it isn't known."""
        return self.facts[key].value if key in self.facts else ""

    @property
    def commented_out(self) -> tuple[str, ...]:
        """The doubts which say that a line that starts it is commented out."""
        return tuple(doubt for doubt in self.doubts if doubt.endswith(COMMENTED_OUT))

    def words(self, key: str) -> tuple[str, ...]:
        """Return a fact that is a list, written as a shell would read it."""
        return tuple(shlex.split(self.get(key)))

    @property
    def options(self) -> tuple[str, ...]:
        """The options for duplicity that each of its commands takes."""
        return tuple(self._sorted_options[1])

    @property
    def backup_options(self) -> dict[str, str]:
        """Its options that only a backup takes, by name, with their values."""
        return self._sorted_options[0]

    @property
    def _sorted_options(self) -> tuple[dict[str, str], list[str]]:
        of_backups: dict[str, str] = {}
        others = []
        words = iter(self.words("options"))
        for word in words:
            name, equals, value = word.partition("=")
            if name not in BACKUP_OPTIONS:
                others.append(word)
            elif equals or name in _FLAGS:
                of_backups[name] = value
            else:
                of_backups[name] = next(words, "")
        return of_backups, others

    @property
    def runs_as(self) -> str:
        """The job's user; if none is known, the user who runs this program."""
        return self.get("user") or current()

    @property
    def by(self) -> frozenset[str]:
        """Who decides what is run for it, besides root."""
        facts = [self.facts[key].by for key in _RUN if key in self.facts]
        return frozenset().union(self.environment_by, *map(deciders, self._started), *facts)

    @property
    def _started(self) -> list[str]:
        return started(self.options, self.handed_on, self.get("destination"))

    @property
    def handed_on(self) -> dict[str, str]:
        """The part of its environment that duplicity gets."""
        return {name: value for name, value in self.environment.items() if goes_along(name)}

    def without(self, keys: Collection[str]) -> Known:
        """Return the job without some of its facts."""
        facts = {key: fact for key, fact in self.facts.items() if key not in keys}
        return self._replace(facts=facts)

    def decided_by(self, by: frozenset[str]) -> Known:
        """Return the job with these users among those who decide each fact."""
        facts = {key: fact._replace(by=fact.by | by) for key, fact in self.facts.items()}
        return self._replace(facts=facts, environment_by=self.environment_by | by)

    def demand_decided(self, user: str) -> None:
        """Raise `CannotSee` if others than root and ``user`` decide what would run as ``user``."""
        others = self.by - {user}
        if others:
            reason = f"{named(others)} can change {self._place(user)} as {user}: nothing was run"
            raise CannotSee(Kind.OTHERS_DECIDE, reason)

    def _place(self, user: str) -> str:
        """Return, for a message, what other users than this one can change."""
        where = [f for key in _RUN if (f := self.facts.get(key)) and not may(user, f.by)]
        files = [_LINE.sub("", fact.origin) for fact in where[::-1]]
        for path in filter(os.path.isabs, (*files, *self._started)):
            place = changeable(path, user)
            if place:
                by = "" if place == path else f" (by {place})"
                return f"{path}{by}, which decides what runs"
        return "what would run"
