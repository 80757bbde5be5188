"""Look at the whole of a job: its newest runs, its running backup, and its destination.

This changes nothing. If one part can't be seen, its text says why, and the others are still seen.
"""

from __future__ import annotations

import os
import re
from argparse import Namespace
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial

from check_duplicity.destination import archive
from check_duplicity.destination import judge as judge_destination
from check_duplicity.destination import see as see_destination
from check_duplicity.destination.model import Seen, Source
from check_duplicity.duplicity.catalogue import SENTENCES
from check_duplicity.jobs.model import Known
from check_duplicity.lines import is_plain
from check_duplicity.nagios import judged
from check_duplicity.nagios.commands import Job
from check_duplicity.nagios.evaluation import Evaluation, evaluate
from check_duplicity.nagios.findings import CannotSee, Finding, Kind, State
from check_duplicity.nagios.limits import age_limit, format_age
from check_duplicity.nagios.measures import Limits, said_of
from check_duplicity.processes import judge as judge_processes
from check_duplicity.processes import see as see_processes
from check_duplicity.processes.model import Wanted
from check_duplicity.restore import history
from check_duplicity.restore import judge as judge_restore
from check_duplicity.runs import judge as judge_runs
from check_duplicity.runs import see as see_runs
from check_duplicity.runs.model import known_as
from check_duplicity.runs.paths import THROWN_AWAY
from check_duplicity.secrets import Secrets
from check_duplicity.system import memory, proc, user
from check_duplicity.triage import sidebyside
from check_duplicity.triage.model import BackupSet, Picture
from check_duplicity.values import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any, TypeVar

    from check_duplicity.runs.model import Logged

    _T = TypeVar("_T")

_LOOKBACK = "8d"
_STAMP = r"[0-9TZ:+-]*"  # as duplicity writes times


class _Runs(NamedTuple):
    """A job's runs since a time, its logs in progress, and why a path was not read."""

    all: list[Logged]
    running: set[str]
    since: float
    unread: CannotSee | None

    def vouching(self, known: Known) -> datetime | None:
        """Return the end of the newest run, if it was good and had nothing to back up."""
        found = judge_runs.verdicts(self.all, self.since, self.running)
        by_mail = "--skip-if-no-change" in known.backup_options
        return None if self.unread else judge_runs.vouching(found, by_mail=by_mail)


def look(known: Known, options: Namespace, now: datetime, secrets: Secrets, job: Job) -> Picture:
    """Return the picture of a job, seen as the job's user if this process may become that user.

    ``job`` has what the printed commands need; ``secrets`` knows all secrets of the job.
    """
    picture = Picture(
        known.job, job, _facts(known, secrets), tuple(map(secrets.hide, known.doubts))
    )
    # Root sees all processes and the script, which the user may not see.
    picture = _with_now(picture, known, now)
    picture = picture._replace(findings=(*picture.findings, *_not_started(known)))
    try:
        known.demand_decided(known.runs_as)
        if known.get("user"):
            user.become(known.get("user"))
    except CannotSee as reason:
        said = "" if reason.kind is Kind.OTHERS_DECIDE else reason.reason
        return picture._replace(destination=reason.reason, runs=said, unseen=reason.kind)
    sidebyside.die_with_parent()  # Becoming another user has undone it.
    running = partial(see_processes.running_backup, _wanted(known))
    runs = _runs_of(known, now, secrets)
    seen = _try(lambda: see_destination.look(_source(known, options), running, secrets))
    picture = _with_destination(picture, seen, options, now, runs.vouching(known))
    gone = any(finding.kind is Kind.NO_DESTINATION for finding in picture.findings)
    picture = _with_good_run(picture, seen, runs, now)
    picture = _with_proof(picture, known, seen, now)
    picture = _with_runs(picture, known, runs, _completed(known, seen, now), options, now)
    there = not (gone or isinstance(seen, CannotSee) or options.from_archive)
    return as_it_is_there(picture) if there else picture


def of_job(known: Known, job: Job, secrets: Secrets, seen: Picture) -> Picture:
    """Return a picture that a process of the job's user made, with the facts known here.

    That user can influence what the process answers, but must not decide what others type.
    """
    stamps = (seen.job.stamp, seen.job.kept, seen.job.before)
    stamp, kept, before = (stamp if re.fullmatch(_STAMP, stamp) else "" for stamp in stamps)
    return seen._replace(
        name=known.job,
        facts=_facts(known, secrets),
        doubts=tuple(map(secrets.hide, known.doubts)),
        job=job._replace(
            encrypted=seen.job.encrypted,
            directory=seen.job.directory,
            stamp=stamp,
            kept=kept,
            before=before,
        ),
    )


def _try(see: Callable[[], _T]) -> _T | CannotSee:
    try:
        return see()
    except CannotSee as reason:
        return reason


def _facts(known: Known, secrets: Secrets) -> tuple[tuple[str, str, str], ...]:
    facts = [
        (key, secrets.hide(fact.value), fact.origin)
        for key, fact in known.facts.items()
        if fact.value and key != "encryption"
    ]
    if known.environment:
        names = ", ".join(sorted(known.environment))
        facts.append(("environment", names, "names only; given to duplicity"))
    return tuple(facts)


def _source(known: Known, options: Namespace) -> Source:
    if not (known.get("destination") or options.from_archive):
        raise CannotSee(Kind.USAGE, known.no_destination)
    return Source(
        known.get("destination"),
        known.get("archive_dir") or None,
        known.get("name") or None,
        options.from_archive,
        None,
        known.options,
        known.words("duplicity") or ("duplicity",),
        known.handed_on,
    )


def _named(known: Known) -> tuple[str, str, str]:
    """Return what identifies a job's backups: destination, archive directory and name."""
    return known.get("destination"), known.get("archive_dir"), known.get("name")


def _wanted(known: Known) -> Wanted:
    who = known.get("user") or user.current()
    return Wanted.by_job(*_named(known), who, known.options)


def _with_now(picture: Picture, known: Known, now: datetime) -> Picture:
    """Add what runs now, judged as check_duplicity_process does, but without writing its state."""
    wanted = _wanted(known)
    sight = see_processes.look(wanted)
    uncounted = judge_processes.uncounted(sight, (wanted.user, "root"))
    if not sight.running and not sight.sure and not uncounted:
        return picture._replace(now="the processes of others are hidden (hidepid)")
    identity = (*_named(known), known.get("user"))
    before, unknown = _remembered(identity, wanted.user) if sight.running else ({}, "")
    _, still = judge_processes.compare(sight.running, before, now)
    measures = judge_processes.measure(sight, still if before else {}, now)
    evaluated = evaluate(
        measures,
        judge_processes.judge(sight),
        _limits(known, judged.PROCESS, ("elapsed", "stalled")),
    )
    stopped = (process.pid for process in sight.running if proc.is_stopped(process.pid))
    texts = [f"stopped (kill -CONT continues it), pid {pid}" for pid in stopped]
    findings = [
        *evaluated.findings,
        *(Finding(Kind.STALLED, State.WARNING, text) for text in texts),
    ]
    if not findings and (unknown or uncounted):
        kind = Kind.NO_MEMORY if unknown else Kind.HIDDEN
        findings.append(Finding(kind, State.UNKNOWN, unknown or uncounted))
    but = f"not counted: a process of {', '.join(sight.others)}" if sight.others else ""
    summary = evaluated.summary if sight.running or not uncounted else ""
    said = ", ".join(filter(None, [summary, unknown, uncounted, but]))
    return picture._replace(now=said, running=bool(sight.running), findings=tuple(findings))


def _remembered(identity: Sequence[str], whose: str) -> tuple[dict[str, Any], str]:
    """Return the state of the job's process check, and the reason if it can't be read."""
    try:
        home = None if whose == user.current() else ""  # The environment is this user's.
        with user.acting_as(whose):
            return memory.recall(memory.default_path("process", identity, home)), ""
    except memory.Damaged:
        return {}, ""
    except (KeyError, memory.Forgotten) as reason:
        return {}, f"it is not known whether it makes progress: {reason}"


def _limits(known: Known, kinds: Sequence[str], names: Sequence[str]) -> dict[str, Limits]:
    """Return a job's limits of a check, by the names of their measures."""
    values = {key: known.get(key) or text for key, text in judged.defaults(kinds).items()}
    limits = [judged.read(key, text) if text else None for key, text in values.items()]
    pairs = zip(limits[::2], limits[1::2])
    return {name: Limits(*pair) for name, pair in zip(names, pairs)}


def _with_destination(
    picture: Picture,
    seen: Seen | CannotSee,
    options: Namespace,
    now: datetime,
    vouched: datetime | None,
) -> Picture:
    if isinstance(seen, CannotSee):
        return picture._replace(destination=seen.reason, unseen=seen.kind)
    evaluated = _try(lambda: judge_destination.evaluated(seen, options, now, vouched))
    if isinstance(evaluated, CannotSee):
        return picture._replace(destination=evaluated.reason, unseen=evaluated.kind)
    collection = seen.collection
    sets = [BackupSet(s.time, s.full, s.complete) for s in collection.sets]
    if collection.unfinished:
        unfinished = collection.unfinished
        sets.append(BackupSet(unfinished.time, unfinished.full, whole=False))
    return picture._replace(
        destination=_summary(evaluated, seen, now, vouched),
        running=picture.running or seen.running is not None,
        findings=(*evaluated.findings, *picture.findings),
        sets=tuple(sorted(sets)),
        job=judge_destination.with_collection(picture.job, collection, now),
    )


def _with_good_run(picture: Picture, seen: Seen | CannotSee, runs: _Runs, now: datetime) -> Picture:
    """Report that a backup was lost, not that none was made, if a run reported a good one."""
    good = judge_runs.backed_up(judge_runs.verdicts(runs.all, runs.since, runs.running))
    if runs.unread or good is None or isinstance(seen, CannotSee):
        return picture
    if seen.collection.other_prefixes:
        return picture  # The backup may have another prefix.
    ago = format_age(max(0, now.timestamp() - good))
    gone = tuple(
        f._replace(
            kind=Kind.FULL_GONE,
            text=f"{f.text}; one made {ago} ago is gone",
        )
        if f.kind is Kind.NO_BACKUP
        else f
        for f in picture.findings
    )
    return picture._replace(findings=gone)


def _with_proof(picture: Picture, known: Known, seen: Seen | CannotSee, now: datetime) -> Picture:
    """Add what drills have proved, judged as check_duplicity_restore judges it."""
    url, archive_dir, name = _named(known)
    path = history.path_of(url, archive_dir or None, name or None, known.options)
    try:
        drills = history.recall(path)
        found = list(judge_restore.judge(drills, now))
    except memory.Forgotten as reason:
        return picture._replace(proof=f"not known: {reason}")
    except CannotSee as never:
        return picture._replace(proof=never.reason)
    chain = drills.volumes
    if not isinstance(seen, CannotSee):
        chain = judge_destination.volumes_of_newest(seen.collection, now) or chain
    measures = list(judge_restore.measure(drills, chain, now))
    evaluated = evaluate(measures, found, _limits(known, judged.RESTORE, ("age", "proved")))
    # Findings on the destination are newer than those of the drill.
    kinds = {finding.kind for finding in picture.findings}
    findings = [finding for finding in evaluated.findings if finding.kind not in kinds]
    return picture._replace(proof=said_of(measures), findings=(*picture.findings, *findings))


def _summary(evaluated: Evaluation, seen: Seen, now: datetime, vouched: datetime | None) -> str:
    measures = list(judge_destination.measure(seen.collection, now, seen.running, vouched))
    return said_of(measures) or evaluated.summary


def _runs_of(known: Known, now: datetime, secrets: Secrets) -> _Runs:
    """See the job's runs, as far as they can be read."""
    since = now.timestamp() - (age_limit(known.get("lookback") or _LOOKBACK).upper or 0)
    try:
        paths = see_runs.to_read(known.words("mail"))
        looked = see_runs.look(paths, os.devnull, now, since, secrets.hide)
    except CannotSee as reason:
        return _Runs([], set(), since, reason)
    script = secrets.hide(known.get("script"))
    runs = known_as(looked.runs, known.job, script)
    in_time = now.timestamp() - judged.longest_run(known.get("process_critical"))

    def is_running(archive: str, users: Iterable[str]) -> bool | None:
        wanted = Wanted(*_named(known)).of_archive(archive)
        return see_processes.is_running(wanted, script, in_time, users)

    running, _ = see_runs.in_progress(runs, paths, known.get("user"), in_time, is_running)
    return _Runs(runs, running, since, looked.unread)


def _with_runs(
    picture: Picture,
    known: Known,
    runs: _Runs,
    complete: datetime | None,
    options: Namespace,
    now: datetime,
) -> Picture:
    """Add what the runs say; ``complete`` is the time when the newest backup was completed."""
    found = judge_runs.last_runs(runs.all, runs.since, runs.running, complete, known.job)
    unread = runs.unread
    # If the user has no mailbox, the archive directory tells enough.
    enough = found and unread and unread.kind is not Kind.NOT_READABLE
    if unread and not enough and not any(verdict.told for verdict in found):
        return picture._replace(runs=unread.reason)
    if not found:
        back = known.get("lookback") or _LOOKBACK
        why = judge_runs.no_news(runs.all, runs.running, now, back)
        return picture._replace(runs=why.reason)
    unknown = judge_runs.not_made_out(found)
    if unknown:
        return picture._replace(runs=unknown.reason)
    limits = {"shrunk": Limits(options.shrunk_warning, options.shrunk_critical)}
    measures = list(judge_runs.measure(found, runs.all, runs.since, now))
    evaluated = evaluate(measures, judge_runs.judge(found, now), limits)
    # The collection is the surer source of a shrunk source.
    known_of = Kind.SHRUNK if any(f.kind is Kind.SHRUNK for f in picture.findings) else None
    findings = tuple(finding for finding in evaluated.findings if finding.kind is not known_of)
    said = [finding.text for finding in evaluated.findings] or [m.said for m in measures if m.said]
    said += [THROWN_AWAY] * (unread is not None and unread.reason == THROWN_AWAY)
    # Don't take the job from a mail, which also names one: anybody can send a mail.
    return picture._replace(runs="; ".join(said), findings=(*picture.findings, *findings))


def as_it_is_there(picture: Picture) -> Picture:
    """Return a picture in which no run reports a missing destination, because it was seen.

    The run has failed for another reason, or the destination is there again.
    """
    wrong = SENTENCES[Kind.NO_DESTINATION]

    def right(finding: Finding) -> Finding:
        why = finding.quote or SENTENCES[Kind.RUN_FAILED]
        text = finding.text.replace(wrong, why)
        return finding._replace(kind=Kind.RUN_FAILED, text=text)

    gone = [finding for finding in picture.findings if finding.kind is Kind.NO_DESTINATION]
    runs = picture.runs
    for finding in gone:
        runs = runs.replace(finding.text, right(finding).text)
    found = (right(finding) if finding in gone else finding for finding in picture.findings)
    return picture._replace(runs=runs, findings=tuple(found))


def _completed(known: Known, seen: Seen | CannotSee, now: datetime) -> datetime | None:
    """Return when the newest restorable backup was completed, as check_duplicity_log does.

    If the destination was seen, go by that, since it may have lost volumes.
    """
    path = _wanted(known).archive
    if not isinstance(seen, CannotSee):
        return archive.completed(seen.collection, path, now)
    return archive.newest_complete(*_named(known), now) if path else None


def _not_started(known: Known) -> Iterable[Finding]:
    """Yield the reasons why cron or systemd can't start the job, as far as they can be seen."""
    off = known.starts if known.is_off else ()
    why = [f"{start.origin}: {start.off}" for start in off if not start.by_timer]
    script = known.words("script")[:1] if is_plain(known.get("script")) else ()
    for path in script:
        if os.path.isabs(path) and not os.path.exists(path):
            why.append(f"there is no {path}")
        elif os.path.isabs(path) and not os.access(path, os.X_OK):
            why.append(f"{path} is not executable")
    schedule = known.facts.get("schedule")
    by_cron = schedule is not None and "/systemd/" not in schedule.origin
    # Any user can start a process named cron, but only root's runs the crontabs.
    if by_cron and not proc.hides_others() and not proc.runs((b"cron", b"crond"), uid=0):
        why.append("cron is not running")
    for reason in why:
        yield Finding(Kind.NOT_STARTED, State.CRITICAL, f"cron can't run it: {reason}")
    for start in off:
        if start.by_timer:
            text = f"systemd does not start it: {start.origin} {start.off}"
            yield Finding(Kind.NOT_STARTED, State.CRITICAL, text)
