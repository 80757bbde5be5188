"""Judge a job's picture: one verdict on all that was seen, and what to type, in order. Pure.

The verdicts are those of the runbook that this replaces.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from check_duplicity.duplicity.catalogue import LEFTOVERS, SENTENCES
from check_duplicity.nagios.answer import Answer
from check_duplicity.nagios.findings import Finding, Kind, State
from check_duplicity.nagios.measures import Limits, Measure
from check_duplicity.nagios.steps import advise
from check_duplicity.triage.model import BackupSet, Picture
from check_duplicity.values import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any

_SAID = 3  # jobs in a summary
_DAYS = 28  # of the picture of the collection
_DAMAGE = (Kind.MISSING_VOLUMES, Kind.SPOILED, Kind.DOUBLED, Kind.MISSING_MANIFEST)
_NOT_RESTORED = (
    Kind.ROTTEN, Kind.NOT_RESTORED, Kind.NOT_IN_BACKUP, Kind.OTHER_CONTENTS,
)  # fmt: skip
_NOT_PROVED = (
    Kind.DRILL_STALE, Kind.NOT_PROVED, Kind.NO_DRILL, Kind.NO_SECRET_KEY, Kind.NO_PASSPHRASE,
    Kind.NO_ROOM,
)  # fmt: skip
_FAILURES = tuple(kind for kind in SENTENCES if kind not in (*LEFTOVERS, *_DAMAGE, Kind.DISCARDED))
# The first that was found decides: what is going on, what has been lost, why, and the rest.
_VERDICTS = (
    ("waiting for a passphrase", (Kind.WAITING,)),
    ("hung", (Kind.STALLED, Kind.TOO_LONG)),
    ("in progress", ()),
    ("destination missing", (Kind.NO_DESTINATION,)),
    ("the full backup is gone", (Kind.FULL_GONE,)),
    ("missing volumes", _DAMAGE),
    ("can't be restored", _NOT_RESTORED),
    ("not started", (Kind.NOT_STARTED,)),
    ("failed", _FAILURES),
    ("interrupted", (Kind.INTERRUPTED, Kind.DISCARDED)),
    ("never backed up", (Kind.NO_BACKUP,)),
    ("source shrunk", (Kind.SHRUNK,)),
    ("stale", (Kind.STALE, Kind.STALE_FULL)),
    ("not encrypted", (Kind.NOT_ENCRYPTED,)),
    ("orphaned leftovers", LEFTOVERS),
    ("restore not proved", _NOT_PROVED),
)
_LATE = (Kind.STALE, Kind.NO_BACKUP, Kind.FULL_GONE)
_HANGING = (Kind.WAITING, Kind.STALLED, Kind.TOO_LONG)  # These backups may never end.
_SEVERITY = (State.OK, State.UNKNOWN, State.WARNING, State.CRITICAL)
_WORSE_WHILE_RUNNING = (
    *LEFTOVERS, Kind.DISCARDED, Kind.OLD_DAMAGE, Kind.STALE, Kind.INTERRUPTED, Kind.IN_PROGRESS,
)  # fmt: skip


class Verdict(NamedTuple):
    """The answer for one job: a word for it, its state, the reason, and what to type next."""

    word: str
    state: State
    why: str
    steps: tuple[str, ...]


def judge(picture: Picture) -> Verdict:
    """Return the verdict on a job."""
    found = _in_order(picture)
    word, decisive = _word(picture, found)
    states = [finding.state for finding in found]
    if picture.unseen is not None and State.CRITICAL not in states:
        states = [State.UNKNOWN]
    state = worst(states)
    why = decisive.text if decisive else _why(picture, word)
    return Verdict(word, state, why, tuple(_steps(picture, found)))


def _in_order(picture: Picture) -> list[Finding]:
    """Return the findings that count, the deciding ones first."""
    ranks = {kind: rank for rank, (_, kinds) in enumerate(_VERDICTS) for kind in kinds}
    found = picture.findings
    late = any(finding.kind in _LATE for finding in found)
    if not late and picture.unseen is None:
        # The backup is still fresh, so a job that doesn't start is only a WARNING.
        found = tuple(
            f._replace(state=State.WARNING) if f.kind is Kind.NOT_STARTED else f for f in found
        )
    return sorted(found, key=lambda finding: ranks.get(finding.kind, len(ranks)))


def _word(picture: Picture, found: Sequence[Finding]) -> tuple[str, Finding | None]:
    for word, kinds in _VERDICTS:
        if word == "in progress" and picture.running:
            return word, None
        decisive = next((finding for finding in found if finding.kind in kinds), None)
        if decisive is not None:
            return word, decisive
    if picture.unseen is not None:
        return "can't be seen", None
    return ("good", None) if not found else (found[0].kind.value, found[0])


def _why(picture: Picture, word: str) -> str:
    return picture.now if word == "in progress" else picture.destination


def _steps(picture: Picture, found: Sequence[Finding]) -> Iterator[str]:
    """Return the advice in order, without any that would harm a running backup."""
    asked = [(finding.kind, picture.job) for finding in found]
    if picture.running:
        left = [kind for kind, _ in asked if kind in LEFTOVERS]
        asked = [(kind, job) for kind, job in asked if kind not in _WORSE_WHILE_RUNNING]
        hangs = any(kind in _HANGING for kind, _ in asked)
        asked += [(Kind.IN_PROGRESS, picture.job)] * (not hangs)
        if left:
            yield (
                "Don't clean up now: cleanup would remove what the running backup has made so far."
                + " Wait for its end." * (not hangs)
            )
    if picture.unseen is not None:
        asked.append((picture.unseen, picture.job))
    for paragraphs in advise(asked):
        yield from paragraphs


def timeline(sets: Sequence[BackupSet], now: datetime) -> str:
    """Return the backups of the last four weeks, a character a day: F full, i incremental.

    ``·`` is a day without a backup, ``!`` a day with an unfinished one. Return ``""`` without sets.
    """
    if not sets:
        return ""
    days = {now.date() - timedelta(days=ago): "·" for ago in range(_DAYS)}
    for backup_set in sorted(sets):
        day = backup_set.time.date()
        if day in days and days[day] != "F":
            days[day] = "!" if not backup_set.whole else "F" if backup_set.full else "i"
    first = now.date() - timedelta(days=_DAYS - 1)
    return f"{first} {''.join(days[day] for day in sorted(days))} {now.date()}"


def worst(states: Iterable[State]) -> State:
    """Return the worst of many states: UNKNOWN is only worse than OK."""
    return max(states, key=_SEVERITY.index, default=State.OK)


def answer(title: str, seen: Sequence[tuple[Picture, Verdict]], now: datetime) -> Answer:
    """Return the verdicts on jobs as one answer, the worst first in its summary."""
    good = sum(verdict.state is State.OK for _, verdict in seen)
    bad = sorted(
        ((p, v) for p, v in seen if v.state is not State.OK),
        key=lambda pair: (-_SEVERITY.index(pair[1].state), pair[0].name),
    )
    said = [f"{picture.name}: {verdict.word}" for picture, verdict in bad]
    more = f" (and {len(said) - _SAID} more)" if len(said) > _SAID else ""
    counted = f"{good} of {len(seen)} {'job is' if len(seen) == 1 else 'jobs are'} good"
    return Answer(
        title,
        worst(verdict.state for _, verdict in seen),
        "; ".join([*said[:_SAID], counted + more] if said else [counted]),
        now,
        ((Measure("jobs", len(seen)), Limits()),),
        tuple(
            found._replace(job=picture.name)
            for picture, verdict in seen
            for found in _findings(picture, verdict)
        ),
        {picture.name: picture.job for picture, _ in seen},
        values=[as_values(*pair) for pair in seen],
    )


def _findings(picture: Picture, verdict: Verdict) -> Iterator[Finding]:
    """Yield a job's findings, and one more if its destination can't be seen."""
    yield from picture.findings
    if picture.unseen is not None:
        yield Finding(picture.unseen, State.UNKNOWN, verdict.why)


def as_values(picture: Picture, verdict: Verdict) -> dict[str, Any]:
    """Return both as plain values, for JSON."""
    return {
        "job": picture.name,
        "verdict": verdict.word,
        "state": verdict.state.name,
        "why": verdict.why,
        "facts": {key: {"value": value, "from": origin} for key, value, origin in picture.facts},
        "doubts": list(picture.doubts),
        "destination": picture.destination,
        "restore": picture.proof,
        "runs": picture.runs,
        "now": picture.now,
        "sets": [
            {"time": s.time.isoformat(), "full": s.full, "complete": s.whole} for s in picture.sets
        ],
        "findings": [
            {"kind": f.kind.value, "state": f.state.name, "text": f.text, "quote": f.quote}
            for f in picture.findings
        ],
        "steps": list(verdict.steps),
    }
