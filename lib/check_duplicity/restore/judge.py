"""Judge what drills have proved: when, how much, and what the newest one found. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from check_duplicity.nagios.commands import Job
from check_duplicity.nagios.findings import CannotSee, Finding, Kind, State
from check_duplicity.nagios.limits import format_age, format_size, plural
from check_duplicity.nagios.measures import Measure
from check_duplicity.restore.history import History, Past
from check_duplicity.restore.model import Drilled

# As in freshness: somebody may set the clock a little between a drill and the check.
_CLOCK_TOLERANCE = timedelta(minutes=1)
# Reasons why a drill could not be made for which there is advice with commands.
_REASONS = (Kind.NO_SECRET_KEY, Kind.NO_PASSPHRASE, Kind.NO_ROOM, Kind.NOT_IN_BACKUP)


def measure(history: History, chain: Mapping[datetime, int], now: datetime) -> Iterator[Measure]:
    """Yield the measures. ``chain`` has the number of volumes of each set of the newest chain.

    The age is that of the newest good drill; without a good drill, that of the first drill.
    """
    good = history.good
    age = max(0, int((now - (good.time if good else history.since or now)).total_seconds()))
    when = _when(good.time, now) if good else ""
    said = f"restored {when}" if good else f"no good drill since the first one {_ago(age)}"
    yield Measure("age", age, "s", f"last good drill {_ago(age)}" if good else said,
                  Kind.DRILL_STALE, said)  # fmt: skip
    yield _proved(history, chain)
    if good:
        yield Measure("volumes", good.volumes)
        yield Measure("files", good.files)
        yield Measure("bytes", good.size, "B")


def judge(history: History, now: datetime) -> Iterator[Finding]:
    """Yield the damage that isn't mended, and the reason why the newest drill could not be made.

    Raises `CannotSee` if no drill was ever made.
    """
    if not history.drills:
        raise CannotSee(Kind.NEVER_DRILLED, "no drill was ever made: nothing proves a restore")
    last = history.drills[-1]  # in the order of the drills, even if the clock went back
    if history.good is not None and history.good.time - now > _CLOCK_TOLERANCE:
        text = f"the last good drill was {_when(history.good.time, now)}: a clock was wrong"
        yield Finding(Kind.NO_DRILL, State.WARNING, text)
    yield from damage(history, now)
    if last.kind is None or any(time == last.time for time, _ in history.damage):
        return
    kind = last.kind if last.kind in _REASONS else Kind.NO_DRILL
    yield Finding(kind, State.WARNING, f"drill {_when(last.time, now)}: {last.text}")


def damage(history: History, now: datetime, *, newest: bool = True) -> Iterator[Finding]:
    """Yield the damage that drills have found; without the last drill's if not ``newest``."""
    for time, found in history.damage:
        if newest or time != history.drills[-1].time:
            text = f"drill {_when(time, now)}: {found.text}"
            yield Finding(found.kind, found.state, text)


def pasting(job: Job, history: History) -> Job:
    """Return the job with the command lines for the damage that was found."""
    damage = [found for _, found in history.damage]
    paths = [found.path for found in damage if found.kind is Kind.NOT_IN_BACKUP]
    given = job.drilling
    words = [word for path in paths if path not in given for word in ("--path", path)]
    job = job._replace(drilling=(*given, *words))
    for found in reversed(damage):
        if found.time and found.path:
            time = str(int(found.time.timestamp()))
            return job._replace(restored=("--time", time, "-r", found.path))
    return job


def details(history: History, now: datetime) -> Iterator[str]:
    """Yield a line for each of the newest drills."""
    for past in reversed(history.drills):
        yield f"{_when(past.time, now)}: {_said(past)} ({format_age(past.seconds)})"


def _said(past: Past) -> str:
    read = f"{past.volumes} volumes read, {past.files} files restored, {format_size(past.size)}"
    return f"{read}: {past.text}" if past.kind else read


def counted(drilled: Drilled, history: History) -> Iterator[Measure]:
    """Yield the measures of a drill's first line; ``history`` is the one after the drill."""
    restored, read = drilled.restored, drilled.volumes_read
    said = f"{restored.files} {plural(restored.files, 'file')} restored"
    said += f" ({format_size(restored.size)})" if restored.files else ""
    same = restored.compared.same
    said += f", {same} compared with the source" if same else ""
    yield Measure("files", restored.files, text=said)
    yield Measure("bytes", restored.size, "B")
    yield Measure("volumes", read, text=f"{read} {plural(read, 'volume')} read")
    yield _proved(history, history.volumes)


def _proved(history: History, chain: Mapping[datetime, int]) -> Measure:
    percent, total = history.percent(chain), sum(chain.values())
    text = f"{percent} % of {total} {plural(total, 'volume')} proved"
    return Measure("proved", percent, "%", text, Kind.NOT_PROVED)


def _when(time: datetime, now: datetime) -> str:
    return _ago(int((now - time).total_seconds()))


def _ago(seconds: int) -> str:
    return f"{format_age(seconds)} ago" if seconds >= 0 else f"in {format_age(seconds)}"
