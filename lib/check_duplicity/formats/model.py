"""Describe the requested form of an answer, and the names in it."""

from __future__ import annotations

from check_duplicity.nagios.answer import Answer
from check_duplicity.values import NamedTuple

MISSED = 2
"""The number of missing results after which a service or an alert reports that none arrive."""


class Form(NamedTuple):
    """The form of an answer.

    ``format`` is its name, ``backup`` the job, or the place where the check looked. ``host`` and
    ``service`` are Icinga's and Nagios' names, ``interval`` the seconds between two checks.
    ``quiet`` keeps only the first line of the output for Nagios.
    """

    format: str
    backup: str
    host: str
    service: str
    interval: float
    quiet: bool = False


def check_of(answer: Answer) -> str:
    """Return the check's name in a word: ``freshness``."""
    return answer.title.rpartition(" ")[2].lower()
