"""Which form an answer is wanted in, and the names in it."""

from __future__ import annotations

from check_duplicity.nagios.answer import Answer
from check_duplicity.values import NamedTuple

MISSED = 2
"""How many results may be missing before a service, or an alert, says that none come."""


class Form(NamedTuple):
    """How an answer is to be given.

    ``format`` is its name, ``backup`` whose backup it is: the job, or where the check looked.
    ``host`` and ``service`` are Icinga's and Nagios' names, ``interval`` the seconds between two
    checks. ``quiet`` leaves the first line of what Nagios reads.
    """

    format: str
    backup: str
    host: str
    service: str
    interval: float
    quiet: bool = False


def check_of(answer: Answer) -> str:
    """Return which check answers, in a word: ``freshness``."""
    return answer.title.rpartition(" ")[2].lower()
