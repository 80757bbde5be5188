"""The judgement of a drill's result: each row of the table, at its boundaries."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest
from check_duplicity.nagios.commands import Job
from check_duplicity.nagios.evaluation import Evaluation, evaluate
from check_duplicity.nagios.findings import CannotSee, Kind, State
from check_duplicity.nagios.limits import age_limit, count_limit
from check_duplicity.nagios.measures import Limits
from check_duplicity.restore import drill
from check_duplicity.restore.history import Damage, History, Past, after
from check_duplicity.restore.judge import _ago, counted, damage, details, judge, measure, pasting
from check_duplicity.restore.model import Compared, Drilled, Found, Restored, Volume
from hypothesis import given
from hypothesis import strategies as st
from samples import NOW, ago

FULL = ago(days=20)
SECOND = timedelta(seconds=1)
LIMITS = {"age": Limits(age_limit("8d"), age_limit("15d")), "proved": Limits()}
DEFAULT = (timedelta(days=8), timedelta(days=15))


DAMAGE = (
    Kind.NO_DESTINATION, Kind.MISSING_VOLUMES, Kind.SPOILED, Kind.ROTTEN, Kind.DOUBLED,
    Kind.MISSING_MANIFEST, Kind.NO_BACKUP, Kind.NOT_RESTORED, Kind.NOT_IN_BACKUP,
    Kind.OTHER_CONTENTS, Kind.WRONG_PASSPHRASE,
)  # fmt: skip


def good(time: datetime) -> Past:
    return Past(time, None, "", 2, 3, 5000, 12)


def bad(time: datetime, kind: Kind) -> Past:
    return Past(time, kind, "the reason", 1, 0, 0, 3)


def damaged(when: datetime, kind: Kind, text: str, **more: object) -> Damage:
    """Return damage that a drill found at a time."""
    return Damage(when, Found(kind, State.CRITICAL, text, **more))  # type: ignore[arg-type]


def history(*drills: Past) -> History:
    """Return the history after drills of a full backup of four volumes, two of them proved."""
    best = max((past for past in drills if past.kind is None), default=None)
    proved = {Volume(FULL, number): 1 for number in (1, 2)} if best else {}
    since = min((past.time for past in drills), default=None)
    found = [
        damaged(past.time, past.kind, past.text) for past in drills[-1:] if past.kind in DAMAGE
    ]
    return History(since, best, drills, {FULL: 4}, proved, tuple(found))


def evaluated(
    known: History, limits: Mapping[str, Limits] = LIMITS, now: datetime = NOW
) -> Evaluation:
    return evaluate(measure(known, known.volumes, now), judge(known, now), limits)


@pytest.mark.parametrize(
    ("age", "state"),
    [
        (timedelta(0), State.OK),
        (DEFAULT[0], State.OK),
        (DEFAULT[0] + SECOND, State.WARNING),
        (DEFAULT[1], State.WARNING),
        (DEFAULT[1] + SECOND, State.CRITICAL),
    ],
)
def test_the_limit_itself_is_still_good(age: timedelta, state: State) -> None:
    assert evaluated(history(good(NOW - age))).state == state


def test_the_first_line_says_when_and_how_much_was_proved() -> None:
    found = evaluated(history(good(ago(hours=5))))
    assert found.summary == "restored 5h ago, 50 % of 4 volumes proved"
    assert found.performance.split() == [
        "age=18000s;691200;1296000;0", "bytes=5000B;;;0", "files=3;;;0", "proved=50%;;;0",
        "volumes=2;;;0",
    ]  # fmt: skip


def test_too_long_ago_says_since_when_and_the_limit() -> None:
    found = evaluated(history(good(ago(days=9))))
    assert found.summary == "last good drill 9d ago (limit 8d)"
    assert [finding.kind for finding in found.findings] == [Kind.DRILL_STALE]


@pytest.mark.parametrize("kind", DAMAGE)
def test_what_is_wrong_with_the_backup_is_critical_whatever_was_good_before(kind: Kind) -> None:
    found = evaluated(history(good(ago(hours=2)), bad(ago(hours=1), kind)))
    assert found.state == State.CRITICAL
    assert found.summary == "drill 1h ago: the reason"
    assert [finding.kind for finding in found.findings] == [kind]


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in DAMAGE])
def test_what_could_not_be_done_here_is_a_warning(kind: Kind) -> None:
    found = evaluated(history(good(ago(hours=2)), bad(ago(hours=1), kind)))
    assert found.state == State.WARNING
    assert found.summary == "drill 1h ago: the reason"
    [finding] = found.findings
    named = (Kind.NOT_IN_BACKUP, Kind.NO_SECRET_KEY, Kind.NO_PASSPHRASE, Kind.NO_ROOM)
    assert finding.kind is (kind if kind in named else Kind.NO_DRILL)


@pytest.mark.parametrize(
    ("age", "state"), [(DEFAULT[1], State.WARNING), (DEFAULT[1] + SECOND, State.CRITICAL)]
)
def test_that_no_drill_is_possible_gets_worse_with_the_age_of_the_last_good_one(
    age: timedelta, state: State
) -> None:
    known = history(good(NOW - age), bad(ago(hours=1), Kind.NO_PASSPHRASE))
    assert evaluated(known).state == state


@pytest.mark.parametrize(
    ("age", "state"), [(DEFAULT[1], State.WARNING), (DEFAULT[1] + SECOND, State.CRITICAL)]
)
def test_if_none_ever_was_good_the_age_counts_from_the_first(age: timedelta, state: State) -> None:
    known = history(bad(NOW - age, Kind.NO_ROOM), bad(ago(hours=1), Kind.NO_ROOM))
    found = evaluated(known)
    assert found.state == state
    assert f"age={int(age.total_seconds())}s;" in found.performance
    assert "files=" not in found.performance
    texts = [finding.text for finding in found.findings if finding.kind is Kind.DRILL_STALE]
    assert len(texts) == 1
    assert texts[0].startswith("no good drill since the first one 15d")


def test_the_first_drill_counts_even_if_it_is_no_longer_among_the_newest() -> None:
    known = history(bad(ago(hours=1), Kind.NO_ROOM))._replace(since=ago(days=16))
    assert evaluated(known).state == State.CRITICAL


def test_a_good_drill_mends_what_the_one_before_found() -> None:
    known = history(bad(ago(hours=2), Kind.ROTTEN), good(ago(hours=1)))
    assert evaluated(known).state == State.OK


def test_the_last_drill_counts_even_if_the_clock_was_wrong_in_the_one_before() -> None:
    known = history(bad(NOW + timedelta(days=999), Kind.ROTTEN), good(ago(hours=1)))
    assert evaluated(known).state == State.OK


@pytest.mark.parametrize(
    ("ahead", "state"),
    [(timedelta(minutes=1), State.OK), (timedelta(minutes=1, seconds=1), State.WARNING)],
)
def test_a_good_drill_in_the_future_is_a_warning(ahead: timedelta, state: State) -> None:
    found = evaluated(history(good(NOW + ahead)))
    assert found.state == state
    assert ("a clock was wrong" in found.summary) == (state == State.WARNING)


def test_without_any_drill_nothing_is_known() -> None:
    with pytest.raises(CannotSee, match="no drill was ever made") as raised:
        evaluated(History())
    assert raised.value.kind is Kind.NEVER_DRILLED


@pytest.mark.parametrize(
    ("limit", "state"), [("50:", State.OK), ("51:", State.WARNING), ("0:", State.OK)]
)
def test_how_much_must_be_proved_is_a_range(limit: str, state: State) -> None:
    limits = {**LIMITS, "proved": Limits(count_limit(limit))}
    found = evaluated(history(good(ago(hours=1))), limits)
    assert found.state == state
    if state:
        assert found.summary == "50 % of 4 volumes proved (limit 51:)"
        assert found.findings[0].kind is Kind.NOT_PROVED


def test_one_volume_is_said_as_one() -> None:
    known = history(good(ago(hours=1)))._replace(volumes={FULL: 1})
    assert evaluated(known).summary == "restored 1h ago, 100 % of 1 volume proved"


def test_a_new_chain_is_not_proved_by_drills_of_the_old_one() -> None:
    known = history(good(ago(hours=1)))
    newer = {ago(minutes=30): 3}
    found = evaluate(measure(known, newer, NOW), judge(known, NOW), LIMITS)
    assert found.summary == "restored 1h ago, 0 % of 3 volumes proved"


ages = st.integers(0, 40 * 86400)
pasts = st.builds(
    lambda age, kind: Past(NOW - timedelta(seconds=age), kind, "the reason"),
    ages,
    st.none() | st.sampled_from(Kind),
)


@given(st.lists(pasts, min_size=1, max_size=5), st.integers(0, 40 * 86400))
def test_waiting_never_improves(drills: list[Past], wait: int) -> None:
    known = history(*sorted(drills, key=lambda past: past.time))
    later = evaluated(known, now=NOW + timedelta(seconds=wait))
    assert later.state >= evaluated(known).state


def test_damage_stays_critical_though_the_next_drill_could_not_be_made() -> None:
    rotten = damaged(ago(days=3), Kind.ROTTEN, "volume 2 is not as it was written")
    last = bad(ago(hours=1), Kind.NO_PASSPHRASE)
    known = history(bad(ago(days=3), Kind.ROTTEN), last)._replace(damage=(rotten,))
    found = evaluated(known)
    assert found.state == State.CRITICAL
    assert found.summary.startswith("drill 3d ago: volume 2 is not as it was written")
    kinds = [finding.kind for finding in found.findings]
    assert kinds == [Kind.ROTTEN, Kind.NO_PASSPHRASE]


def test_a_drill_tells_of_the_damage_that_it_did_not_look_at() -> None:
    rotten = damaged(ago(days=3), Kind.ROTTEN, "volume 2 is not as it was written")
    lost = damaged(ago(hours=1), Kind.MISSING_VOLUMES, "lacks volume 1")
    known = history(bad(ago(hours=1), Kind.ROTTEN))._replace(damage=(rotten, lost))
    assert [found.kind for found in damage(known, NOW)] == [Kind.ROTTEN, Kind.MISSING_VOLUMES]
    assert [found.kind for found in damage(known, NOW, newest=False)] == [Kind.ROTTEN]


def test_what_is_to_be_typed_is_for_what_was_found() -> None:
    asked = damaged(NOW, Kind.NOT_IN_BACKUP, "is not in the backup", path="etc/my file")
    other = damaged(NOW, Kind.OTHER_CONTENTS, "differs", path="a/b", time=FULL)
    job = Job("root", url="file:///b", job="web", programs="/usr/lib/nagios/plugins")
    found = pasting(job, History(damage=(asked, other)))
    assert found.drill() == "  sudo duplicity_drill -j web --path 'etc/my file'"
    assert f"--time {int(FULL.timestamp())} -r a/b" in found.duplicity("restore", *found.restored)
    assert pasting(job, History()) == job
    # What was asked for on the command line stands there once.
    given = job._replace(drilling=("--path", "etc/my file", "--volumes", "9"))
    assert pasting(given, History(damage=(asked,))) == given


def test_each_drill_has_a_line_the_newest_first() -> None:
    known = history(bad(ago(days=8), Kind.ROTTEN), good(ago(hours=1)))
    assert list(details(known, NOW)) == [
        "1h ago: 2 volumes read, 3 files restored, 4.9 KiB (12s)",
        "8d ago: 1 volumes read, 0 files restored, 0 B: the reason (3s)",
    ]


def said(drilled: Drilled) -> str:
    known = after(History(), drilled)
    return evaluate(counted(drilled, known), drilled.findings, {}).summary


def test_a_drill_says_what_it_has_done() -> None:
    read = frozenset(Volume(FULL, number) for number in (1, 2))
    restored = Restored(3, 5000, Compared(2))
    assert said(Drilled(NOW, {FULL: 4}, read, restored=restored)) == (
        "3 files restored (4.9 KiB), 2 compared with the source, 2 volumes read,"
        " 50 % of 4 volumes proved"
    )
    one = Drilled(NOW, {FULL: 1}, frozenset([Volume(FULL, 1)]), restored=Restored(1, 0))
    assert said(one) == "1 file restored (0 B), 1 volume read, 100 % of 1 volume proved"
    none = Drilled(NOW, {FULL: 4})
    assert said(none) == "0 files restored, 0 volumes read, 0 % of 4 volumes proved"


def test_a_drill_that_was_cut_short_is_said_after_what_it_had_found() -> None:
    rotten = Found(Kind.ROTTEN, State.CRITICAL, "volume 2 is not as it was written")
    late = "no answer within 3 s"
    known = after(History(), drill.cut_short(Drilled(NOW), late))
    assert known.drills[-1].kind is Kind.NO_DRILL
    assert known.drills[-1].text == "cut short: no answer within 3 s"
    known = after(History(), drill.cut_short(Drilled(NOW, found=(rotten,)), late))
    assert known.drills[-1].kind is Kind.ROTTEN
    assert evaluated(known).state == State.CRITICAL


@pytest.mark.parametrize(
    ("seconds", "text"), [(-2, "in 2s"), (-1, "in 1s"), (0, "0s ago"), (1, "1s ago")]
)
def test_how_long_ago_it_was(seconds: int, text: str) -> None:
    assert _ago(seconds) == text
