"""Progress and run time, with a clock of our own."""

from __future__ import annotations

from datetime import timedelta

import pytest
from check_duplicity.duplicity.invocation import Invocation
from check_duplicity.nagios.evaluation import Evaluation, evaluate
from check_duplicity.nagios.findings import Kind, State
from check_duplicity.nagios.limits import age_limit
from check_duplicity.nagios.measures import Limits
from check_duplicity.processes.judge import compare, details, judge, measure, uncounted
from check_duplicity.processes.model import Process, Progress, Sight
from hypothesis import given
from hypothesis import strategies as st
from samples import NOW, ago

BACKUP = Process(
    pid=812,
    invocation=Invocation("full", "sftp://u@h/x", "/a", "job"),
    started=ago(hours=2),
    user="backup",
    archive="/a/job",
    holds_lock=True,
    progress=Progress(10.0, 1_000_000, 5000),
)
LIMITS = {
    "elapsed": Limits(age_limit("12h"), age_limit("24h")),
    "stalled": Limits(age_limit("1h"), age_limit("3h")),
}


def evaluated(
    *processes: Process, still: dict[int, float] | None = None, required: bool = False
) -> Evaluation:
    sight = Sight(processes, sure=True)
    return evaluate(measure(sight, still or {}, NOW), judge(sight, required=required), LIMITS)


def standstill(*steps: tuple[float, Progress]) -> float:
    """Return how long a backup has made no progress at the last of these checks."""
    memory: dict[str, object] = {}
    still: dict[int, float] = {}
    for seconds, progress in steps:
        process = BACKUP._replace(progress=progress)
        memory, still = compare([process], memory, NOW + timedelta(seconds=seconds))
    return still[BACKUP.pid]


def test_none_running_is_ok_and_critical_if_one_is_required() -> None:
    assert evaluated().state == State.OK
    assert evaluated().summary == "no backup is running"
    assert evaluated().performance == (
        "elapsed=0s;43200;86400;0 processes=0;;;0 stalled=0s;3600;10800;0"
    )
    assert evaluated(required=True).state == State.CRITICAL


def test_what_must_be_running_is_whose_it_should_be() -> None:
    whose = ("backup", "root")
    for users, state in ((["mallory"], 2), (["mallory", "backup"], 0), (["root"], 0), ([""], 2)):
        running = tuple(BACKUP._replace(user=user) for user in users)
        judged = list(judge(Sight(running, sure=True), required=True, whose=whose))
        missing = [finding.text for finding in judged if finding.kind is Kind.NOT_RUNNING]
        name = users[0] or "nobody"
        said = f"no backup is running, except for {name} (name that user with -u)"
        assert missing == ([said] if state else [])


def test_what_was_passed_over_is_said() -> None:
    sight = Sight((), sure=True, left_out={"mallory": 150}, others=("eve", "mallory"))
    assert list(details(sight)) == [
        "Not counted: a process of eve, mallory that looks like the job's",
        "Not looked at: 150 more of mallory's processes that may be duplicity's",
    ]


def test_what_was_passed_over_matters_of_those_who_are_asked_for() -> None:
    sight = Sight((), sure=True, left_out={"mallory": 150, "backup": 1})
    assert (
        uncounted(sight, ["backup", "root"]) == "too many processes of backup look like duplicity"
    )
    assert uncounted(sight, ["root"]) == ""


def test_one_running_is_ok_and_named() -> None:
    assert evaluated(BACKUP).state == State.OK
    assert evaluated(BACKUP).summary == "backup running for 2h, pid 812"
    assert list(details(Sight((BACKUP,), sure=True))) == [
        "Running: full by backup, pid 812, since 2026-11-24 10:00 UTC, sftp://u@h/x, holds the lock"
    ]


@pytest.mark.parametrize(
    ("hours", "state"), [(12, State.OK), (12.01, State.WARNING), (24.01, State.CRITICAL)]
)
def test_a_backup_can_run_too_long(hours: float, state: State) -> None:
    found = evaluated(BACKUP._replace(started=ago(hours=hours)))
    assert found.state == state
    if state:
        assert [finding.kind for finding in found.findings] == [Kind.TOO_LONG]


@pytest.mark.parametrize(
    ("seconds", "state"),
    [(0, State.OK), (3600, State.OK), (3601, State.WARNING), (10801, State.CRITICAL)],
)
def test_a_backup_can_stand_still(seconds: int, state: State) -> None:
    found = evaluated(BACKUP, still={812: float(seconds)})
    assert found.state == state
    assert ("no progress" in found.summary) == (seconds >= 60)


def test_a_first_look_sees_no_standstill() -> None:
    assert standstill((0, Progress(1, 1, 1))) == 0


def test_nothing_moved_is_a_standstill_since_the_last_move() -> None:
    same = Progress(10, 1000, 1000)
    assert standstill((0, same), (300, same), (600, same)) == 600
    moved = Progress(40, 1000, 1000)
    assert standstill((0, same), (300, same), (600, moved), (900, moved)) == 300


@pytest.mark.parametrize(
    "moved", [Progress(20, 1000, 1000), Progress(10, 10_000, 1000), Progress(10, 1000, 1001)]
)
def test_cpu_io_and_a_growing_archive_directory_are_progress(moved: Progress) -> None:
    assert standstill((0, Progress(10, 1000, 1000)), (300, moved)) == 0


@pytest.mark.parametrize(
    ("moved", "seconds"),
    [
        (Progress(16, 1000, 1000), 300), (Progress(16.01, 1000, 1000), 0),  # 2 % of the time
        (Progress(10, 1000 + 4096, 1000), 300), (Progress(10, 1000 + 4097, 1000), 0),
        (Progress(10, 1000, 999), 0),
    ],
)  # fmt: skip
def test_what_a_process_that_waits_uses_is_no_progress(moved: Progress, seconds: int) -> None:
    assert standstill((0, Progress(10, 1000, 1000)), (300, moved)) == seconds


def test_just_after_a_look_a_twentieth_of_a_second_is_no_progress() -> None:
    assert standstill((0, Progress(0)), (1, Progress(0.05))) == 1
    assert standstill((0, Progress(0)), (1, Progress(0.06))) == 0


@pytest.mark.parametrize(("seconds", "said"), [(59, False), (60, True)])
def test_a_standstill_of_a_minute_is_worth_saying(seconds: int, said: bool) -> None:
    assert ("no progress" in evaluated(BACKUP, still={812: float(seconds)}).summary) == said


def test_threads_that_only_look_whether_something_came_are_no_progress() -> None:
    steps = [(300.0 * n, Progress(10 + 3 * n, 1000 + 100 * n, 1000)) for n in range(10)]
    assert standstill(*steps) == 2700


def test_another_process_with_the_same_pid_is_another() -> None:
    memory, _ = compare([BACKUP], {}, NOW - timedelta(hours=5))
    later = BACKUP._replace(started=ago(hours=1))
    assert compare([later], memory, NOW)[1] == {812: 0}


def test_a_clock_that_was_set_back_is_no_standstill() -> None:
    memory, _ = compare([BACKUP], {}, NOW + timedelta(days=1))
    assert compare([BACKUP], memory, NOW)[1] == {812: 0}


def test_a_standstill_is_no_longer_than_the_run_whatever_an_earlier_clock_said() -> None:
    memory, _ = compare([BACKUP], {}, NOW - timedelta(days=1))
    assert compare([BACKUP], memory, NOW)[1] == {812: 7200}


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(["cpu", "io", "archive", "time", "since"]), JSON))
def test_whatever_is_remembered_there_is_an_answer(nonsense: dict[str, object]) -> None:
    memory, _ = compare([BACKUP], {}, NOW)
    [key] = memory
    _, still = compare([BACKUP], {key: nonsense}, NOW)
    assert still[812] >= 0


def test_waiting_for_a_passphrase_is_named() -> None:
    found = evaluated(BACKUP._replace(waits_for="pinentry-curses"))
    assert (found.state, found.summary) == (
        State.WARNING,
        "pinentry-curses waits for a passphrase, pid 812",
    )


def test_two_backups_on_one_archive_directory_are_a_warning() -> None:
    found = evaluated(BACKUP, BACKUP._replace(pid=900, holds_lock=False))
    assert [finding.text for finding in found.findings] == ["2 backups at once on /a/job"]
    elsewhere = BACKUP._replace(pid=900, archive="/b/job")
    found = evaluated(BACKUP, elsewhere)
    assert [finding.text for finding in found.findings] == ["2 backups at once on sftp://u@h/x"]
    another = elsewhere._replace(invocation=Invocation("full", "sftp://u@h/y", "/b", "job"))
    assert evaluated(BACKUP, another).findings == ()


def test_of_two_backups_the_one_that_is_stalled_is_named() -> None:
    """Whichever is the older: the run time is the oldest's, the standstill the longest of both."""
    other = BACKUP._replace(
        pid=900,
        started=ago(hours=13),
        archive="/a/other",
        invocation=Invocation("full", "file:///o"),
    )
    for stalled in (812, 900):
        still = {812: 30.0, 900: 45.0, stalled: 3601.0}
        found = evaluated(other, BACKUP, still=still)
        assert found.state == State.WARNING
        assert [finding.text for finding in found.findings] == [
            f"no progress for 1h, pid {stalled} (limit 1h)",
            "oldest of 2 backups running for 13h, pid 900 (limit 12h)",
        ]
        assert found.performance == (
            "elapsed=46800s;43200;86400;0 processes=2;;;0 stalled=3601s;3600;10800;0"
        )


def test_of_two_backups_each_has_its_own_standstill() -> None:
    """One gets on and one doesn't; what is kept of them for the next check is apart, too."""
    steps = [(0, 10.0, 10.0), (1800, 99.0, 10.0), (3600, 199.0, 10.0), (3700, 199.0, 99.0)]
    memory: dict[str, object] = {}
    found = []
    for seconds, one, another in steps:
        running = [
            BACKUP._replace(progress=Progress(one)),
            BACKUP._replace(pid=900, progress=Progress(another)),
        ]
        memory, still = compare(running, memory, NOW + timedelta(seconds=seconds))
        found.append(still)
    assert found == [
        {812: 0, 900: 0}, {812: 0, 900: 1800}, {812: 0, 900: 3600}, {812: 100, 900: 0},
    ]  # fmt: skip
    assert len(memory) == 2


def test_a_zombie_is_a_warning_and_not_running() -> None:
    found = evaluated(Process(7, Invocation(), ago(hours=1), "backup", zombie=True), required=True)
    assert [finding.kind for finding in found.findings] == [Kind.NOT_RUNNING, Kind.ZOMBIE]


def test_what_holds_the_lock_counts_as_running_and_other_actions_do_not() -> None:
    verify = BACKUP._replace(invocation=Invocation("verify"), holds_lock=False)
    assert evaluated(verify).summary == "no backup is running"
    [line] = details(Sight((verify,), sure=True))
    assert line.startswith("No backup: verify by backup")
    assert evaluated(verify._replace(holds_lock=True)).summary == "backup running for 2h, pid 812"


def test_a_holder_of_the_lock_that_may_not_be_seen_is_running() -> None:
    found = evaluated(Process(812, Invocation(), archive="/a/job", holds_lock=True), still={812: 0})
    assert (found.state, found.summary) == (State.OK, "backup running")
    assert "elapsed" not in found.performance


def test_a_backup_of_the_future_has_run_for_no_time() -> None:
    """The clock was set back."""
    found = evaluated(BACKUP._replace(started=ago(hours=-1)))
    assert found.summary == "backup running for 0s, pid 812"
    assert found.performance.startswith("elapsed=0s;")


def test_what_the_next_check_compares_with_is_what_last_moved() -> None:
    first, _ = compare([BACKUP], {}, NOW)
    [key] = first
    assert key == f"812@{ago(hours=2).timestamp()}"
    seen = {"cpu": 10.0, "io": 1_000_000, "archive": 5000}
    begun = NOW.timestamp()
    assert first == {key: {**seen, "time": begun, "since": begun}}
    little = BACKUP._replace(progress=Progress(11.0, 1_000_001, 5000))
    second, still = compare([little], first, NOW + timedelta(minutes=10))
    assert (second, still) == (first, {812: 600.0})
    unseen = BACKUP._replace(started=None)
    third, still = compare([unseen], {}, NOW)
    assert (list(third), still) == (["812@"], {812: 0.0})


@pytest.mark.parametrize(
    ("changed", "seconds"),
    [
        ({}, 600), ({"since": -700.0}, 1300), ({"since": 1.0}, 0), ({"time": 600.0}, 600),
        ({"time": 601.0, "since": 601.0}, 0), ({"cpu": True}, 0), ({"cpu": "10"}, 0),
        ({"io": None}, 0), ({"archive": float("inf")}, 0), ({"since": float("nan")}, 0),
    ],
)  # fmt: skip
def test_only_a_sound_memory_is_compared_with(changed: dict[str, object], seconds: float) -> None:
    begun = NOW.timestamp()
    memory, _ = compare([BACKUP], {}, NOW)
    [key] = memory
    moved = {
        name: begun + value if isinstance(value, float) and name in ("time", "since") else value
        for name, value in changed.items()
    }
    memory[key].update(moved)
    assert compare([BACKUP], memory, NOW + timedelta(minutes=10))[1] == {812: seconds}


def test_details_of_each_process() -> None:
    bare = Process(7, Invocation())
    dead = Process(8, Invocation(), ago(hours=1), "backup", zombie=True)
    assert list(details(Sight((bare, dead, bare._replace(holds_lock=True)), sure=True))) == [
        "No backup: something, pid 7", "Running: something, pid 7, holds the lock",
    ]  # fmt: skip
    [finding] = judge(Sight((dead,), sure=True))
    assert (finding.state, finding.text) == (
        State.WARNING, "pid 8 of backup has ended, and is still listed (zombie)",
    )  # fmt: skip
