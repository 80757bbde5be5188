"""Read the runs in messages: for each job, only the messages that matter.

These are the runs that `newest` would choose from all: the newest two, and those back to the newest
with a backup's result. That one is compared with the source's sizes in the runs before it; one run
of each day is enough for that.
"""

from __future__ import annotations

from collections.abc import Callable

from check_duplicity.runs import mailboxes
from check_duplicity.runs.mail import read_mail
from check_duplicity.runs.model import Logged
from check_duplicity.runs.read import of_mail
from check_duplicity.values import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import BinaryIO

_NEWEST = 2  # messages of a job that are read in any case
_COMPARED = 7  # days before the newest run that it is compared with
_LOOKED_AT = 14  # messages of a job for that
_DAY = 86400  # seconds


def of_message(raw: bytes, delivered: float | None, hide: Callable[[str], str]) -> Logged | None:
    """Return the run that a message is about; for ``delivered`` see `when`."""
    mail = read_mail(raw)
    return None if mail is None else of_mail(mail, hide, delivered)


def of_place(
    mbox: BinaryIO, place: mailboxes.Place, hide: Callable[[str], str], *, surely: bool = False
) -> Logged | None:
    """Return the run that a message in an mbox is about; only if duplicity's, if ``surely``."""
    raw = mailboxes.message(mbox, place)
    if surely and not mailboxes.may_be_duplicity(raw):
        return None
    return of_message(raw, mailboxes.delivered(mbox, place), hide)


def of_subject(
    mbox: BinaryIO, messages: mailboxes.Messages, hide: Callable[[str], str], latest: float
) -> list[tuple[int, Logged]]:
    """Return the runs that matter of the messages with one subject, and where they stand.

    For ``latest`` see `model.in_order`.
    """
    found: dict[int, Logged] = {}
    decisive = False
    days: set[int] = set()  # that have a run with which to compare the newest one
    for place in messages.newest_first(latest, days):
        if len(days) >= _COMPARED or (decisive and len(found) >= _LOOKED_AT):
            break
        run = of_place(mbox, place, hide, surely=len(found) >= _NEWEST)
        if run is not None:
            found[place.start] = run
            if run.sure and run.decisive:
                days.update([int(place.time // _DAY)] if decisive and len(found) > _NEWEST else ())
                decisive = True
    return list(found.items())
