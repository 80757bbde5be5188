"""The history of drills keeps what they have proved."""

from __future__ import annotations

import json
import os
import pwd
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from check_duplicity.nagios.findings import CannotSee, Kind, State
from check_duplicity.restore import history
from check_duplicity.restore.history import (
    Damage,
    History,
    Past,
    after,
    gone_on_with,
    read,
    recall,
    written,
)
from check_duplicity.restore.judge import judge
from check_duplicity.restore.model import Drilled, Found, Restored, Volume
from check_duplicity.system import memory
from check_duplicity.system.memory import Damaged, Forgotten
from hypothesis import given
from hypothesis import strategies as st
from samples import NOW, ago

SECOND = timedelta(seconds=1)
FULL, INCREMENT = ago(days=7), ago(days=1)
SECOND_VOLUME = frozenset([Volume(FULL, 2)])
FAILURE = Found(Kind.ROTTEN, State.CRITICAL, "volume 2 is not as it was written", SECOND_VOLUME)

times = st.integers(1, 4_000_000_000).map(lambda s: datetime.fromtimestamp(s, timezone.utc))
counts = st.integers(0, 1 << 50)
kinds = st.none() | st.sampled_from(Kind)
pasts = st.builds(Past, times, kinds, st.text(), counts, counts, counts, counts)

bad_volumes = st.frozensets(st.builds(Volume, times, st.integers(0, 9)), max_size=5)
found = st.builds(
    Found, st.sampled_from(Kind), st.just(State.CRITICAL), st.text(), bad_volumes, st.text(),
    st.none() | times,
)  # fmt: skip
damages = st.builds(Damage, times, found)


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Return any possible history: every proved volume is in the chain."""
    volumes = draw(st.dictionaries(times, st.integers(0, 9), max_size=4))
    every = [Volume(time, n) for time, count in volumes.items() for n in range(1, count + 1)]
    chosen = draw(st.lists(st.sampled_from(every), unique=True)) if every else []
    proved = {volume: draw(st.integers(0, 3)) for volume in chosen}
    good = draw(st.none() | pasts.map(lambda past: past._replace(kind=None, text="", seconds=0)))
    drills = tuple(draw(st.lists(pasts, max_size=20)))
    damage = tuple(draw(st.lists(damages, max_size=3)))
    return History(draw(st.none() | times), good, drills, volumes, proved, damage)


def drilled(*numbers: int, began: datetime = NOW, **more: object) -> Drilled:
    """Return a drill that has read some volumes of a full backup of four."""
    read = frozenset(Volume(FULL, number) for number in numbers)
    return Drilled(began, {FULL: 4}, read, **more)  # type: ignore[arg-type]


@given(histories())
def test_what_is_written_is_read_as_it_was(known: History) -> None:
    assert read(json.loads(json.dumps(written(known)))) == known


def test_one_of_version_1_is_read(tmp_path: Path) -> None:
    """The one of history.py's own description: what a version has written later ones must read."""
    found = read(
        {
            "version": 1,
            "since": 1795645886,
            "good": [1795645886, 8, 3, 123456],
            "drills": [[1795645886, "", "", 8, 3, 123456, 12]],
            "damage": [
                [1795645886, "ROTTEN", "volume 7", {"20261128T102453Z": [[7, 7]]}, "alice/mail",
                 "20261128T102453Z"]
            ],
            "sets": {"20261128T102453Z": [120, [[0, 6, 1795645886], [8, 120, 1795040000]]]},
        }
    )  # fmt: skip
    time = datetime.fromtimestamp(1795645886, timezone.utc)
    made = datetime(2026, 11, 28, 10, 24, 53, tzinfo=timezone.utc)
    assert found.since == time
    assert found.good == Past(time, None, "", 8, 3, 123456)
    assert found.drills == (Past(time, None, "", 8, 3, 123456, 12),)
    assert found.volumes == {made: 120}
    assert found.proved[Volume(made, 0)] == found.proved[Volume(made, 6)] == 1795645886
    assert found.proved[Volume(made, 8)] == 1795040000
    assert found.percent(found.volumes) == 99
    bad = frozenset([Volume(made, 7)])
    assert found.damage == (
        Damage(time, Found(Kind.ROTTEN, State.CRITICAL, "volume 7", bad, "alice/mail", made)),
    )


def test_a_hundred_thousand_volumes_each_proved_at_another_time_fit(tmp_path: Path) -> None:
    path = str(tmp_path / "state" / "restore.json")
    proved = {Volume(FULL, n): 1_795_000_000 + n for n in range(1, 100_001)}
    known = History(NOW, Past(NOW), (Past(NOW),), {FULL: 100_000}, proved)
    assert history.kept(path, known) == ""
    assert os.path.getsize(path) < 4 << 20 < memory._LARGEST
    assert recall(path) == known
    assert recall(path).percent({FULL: 100_000}) == 100


def test_what_no_drill_has_written_is_empty(tmp_path: Path) -> None:
    assert recall(str(tmp_path / "none.json")) == History()
    assert gone_on_with(str(tmp_path / "none.json")) == (History(), "")


def write(path: Path, value: object) -> str:
    """Write a file that has a right checksum, whatever is in it."""
    memory.remember(str(path), value)  # type: ignore[arg-type]
    return str(path)


@pytest.mark.parametrize(
    "change",
    [
        {"since": -1},
        {"since": 1 << 61},
        {"since": 1.5},
        {"good": [1]*3 + ["x"]},
        {"damage": [[1, "ROTTEN", "", {}, ""]]},
        {"damage": [[1, "ROTTEN", "", [[1, 1]], "", ""]]},
        {"damage": [[1, "ROTTEN", "", {"20261128T102453Z": [[1, 1 << 61]]}, "", ""]]},
        {"damage": [[1, "ROTTEN", "", {"20261128T102453Z": [[9, 0], [1, 1_000_001]]}, "", ""]]},
        {"damage": [[1, "ROTTEN", 5, {}, "", ""]]},
        {"damage": None},
        {"drills": [[1, "", 5, 0, 0, 0, 0]]},
        {"drills": [[1, "", "", 0, 0, 0]]},
        {"sets": []},
        {"sets": {"aTb": [1, []]}},
        {"sets": {"20261328T102453Z": [1, []]}},
        {"sets": {"20261128T102453Z": [True, []]}},
        {"sets": {"20261128T102453Z": [1, [[1, 2]]]}},
        {"sets": {"20261128T102453Z": [1, [[1, 1_000_001, 5]]]}},
        {"sets": {"20261128T102453Z": [1, [[1, 1 << 61, 5]]]}},
        {"version": "one"},
        {"version": None},
    ],
)  # fmt: skip
def test_what_is_damaged_is_said_by_the_check_and_begun_anew_by_a_drill(
    change: dict[str, object], tmp_path: Path
) -> None:
    path = write(tmp_path / "x.json", {**written(History(NOW, Past(NOW))), **change})
    with pytest.raises(Damaged, match=f"{path}: is damaged"):
        recall(path)
    assert gone_on_with(path) == (
        History(),
        f"what earlier drills have proved is lost: {path} was damaged",
    )


def test_a_kind_that_only_a_newer_version_knows_is_not_good() -> None:
    past = [[1, "NO_SUCH_KIND", "", 0, 0, 0, 0]]
    damage = [[1, "NO_SUCH_KIND", "", {}, "", ""]]
    known = read({**written(History()), "drills": past, "damage": damage})
    assert known.drills[0].kind is known.damage[0].found.kind is Kind.NOT_RESTORED


def test_what_a_newer_version_has_written_is_left_to_it(tmp_path: Path) -> None:
    path = write(tmp_path / "x.json", {"version": 2, "anything": "else"})
    with pytest.raises(Forgotten, match="is of a newer version of check-duplicity") as raised:
        recall(path)
    assert not isinstance(raised.value, Damaged)
    before = Path(path).read_bytes()
    with pytest.raises(CannotSee, match="is of a newer version of check-duplicity"):
        gone_on_with(path)
    assert Path(path).read_bytes() == before


def test_foreign_text_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('{"version": 1}')
    with pytest.raises(Damaged, match="is damaged"):
        recall(str(path))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.text(max_size=16), inner),
    max_leaves=12,
)


@given(
    st.dictionaries(
        st.sampled_from(["version", "since", "good", "drills", "damage", "sets"]), json_values
    )
)
def test_any_value_is_read_or_refused(value: dict[str, object]) -> None:
    whole = {**written(History(NOW, Past(NOW), (Past(NOW),), {FULL: 1}, {Volume(FULL, 1): 1}))}
    for tried in (value, {**whole, **value}):
        try:
            known = read(tried)
        except ValueError:
            continue
        assert known.percent(known.volumes) >= 0
        assert read(json.loads(json.dumps(written(known)))).drills == known.drills


def test_a_good_drill_is_the_newest_good_one() -> None:
    known = after(History(), drilled(1, 2, restored=Restored(3, 5000), seconds=7))
    assert known.since == NOW
    assert known.good == Past(NOW, None, "", 2, 3, 5000, 7)
    assert known.drills == (known.good,)
    assert known.volumes == {FULL: 4}
    assert known.proved == {Volume(FULL, n): int(NOW.timestamp()) for n in (1, 2)}
    assert known.percent(known.volumes) == 50


def test_one_that_fails_leaves_the_newest_good_one_where_it_was() -> None:
    good = after(History(), drilled(1, 2))
    bad = after(good, drilled(3, began=NOW + SECOND, found=(FAILURE,)))
    assert bad.good == good.good
    assert bad.since == NOW
    assert bad.drills[-1].kind is Kind.ROTTEN
    assert bad.drills[-1].text == FAILURE.text
    assert bad.percent(bad.volumes) == 50  # 1, and what it has read all the same: 3


def test_a_bad_volume_is_no_longer_proved() -> None:
    known = after(History(), drilled(1, 2, 3, 4))
    second = Volume(FULL, 2)
    found = after(known, drilled(1, found=(FAILURE,)))
    assert set(found.proved) == {Volume(FULL, n) for n in (1, 3, 4)}
    # Nor one that the same drill has read before.
    assert second not in after(known, drilled(1, 2, found=(FAILURE,))).proved


def rotten() -> History:
    """Return the history after a drill that has found the second volume rotten."""
    return after(History(), drilled(1, found=(FAILURE,)))


def test_damage_stays_until_its_volumes_are_read_well() -> None:
    known = rotten()
    assert known.damage == (Damage(NOW, FAILURE),)
    late = Found(Kind.NO_PASSPHRASE, State.WARNING, "no passphrase was given")
    for other in (drilled(3, 4), drilled(found=(late,)), Drilled(NOW + SECOND), drilled(0)):
        assert after(known, other._replace(finished=True)).damage == known.damage
    assert after(known, drilled(2)).damage == ()


def test_damage_is_gone_with_its_chain() -> None:
    newer = Drilled(NOW + SECOND, {INCREMENT: 1}, frozenset([Volume(INCREMENT, 1)]))
    assert after(rotten(), newer).damage == ()
    # Or with the volume: a set that was made anew has fewer.
    assert after(rotten(), drilled(1)._replace(volumes={FULL: 1})).damage == ()


def test_each_of_the_volumes_must_be_read() -> None:
    both = FAILURE._replace(volumes=frozenset([Volume(FULL, 2), Volume(FULL, 3)]))
    known = after(after(History(), drilled(found=(both,))), drilled(3))
    assert known.damage[0].found.volumes == SECOND_VOLUME
    assert after(known, drilled(2)).damage == ()


@pytest.mark.parametrize("kind", [Kind.NOT_IN_BACKUP, Kind.NO_DESTINATION])
def test_what_is_in_no_volume_is_mended_by_a_drill_that_gets_to_its_end(kind: Kind) -> None:
    known = after(History(), drilled(found=(Found(kind, State.CRITICAL, "x", path="a/b"),)))
    cut_short = drilled(1, 2, 3, 4, began=NOW + SECOND)
    assert after(known, cut_short).damage == known.damage
    assert after(known, cut_short._replace(finished=True)).damage == ()


@pytest.mark.parametrize("kind", [Kind.OTHER_CONTENTS, Kind.NOT_RESTORED])
def test_a_path_is_mended_when_it_is_restored_well(kind: Kind) -> None:
    found = Found(kind, State.CRITICAL, "x", SECOND_VOLUME, "a/b", FULL)
    known = after(History(), drilled(found=(found,)))
    whole = drilled(1, 2, 3, 4, began=NOW + SECOND, finished=True)
    assert after(known, whole).damage == known.damage  # They were read for others.
    assert after(known, whole._replace(well=frozenset(["a/b"]))).damage == ()
    newer = Drilled(NOW + SECOND, {INCREMENT: 1}, frozenset([Volume(INCREMENT, 1)]))
    assert after(known, newer).damage == ()


def test_what_is_found_again_is_kept_once_with_its_newest_words() -> None:
    again = FAILURE._replace(text="still so")
    known = after(rotten(), drilled(began=NOW + SECOND, found=(again,)))
    assert known.damage == (Damage(NOW + SECOND, again),)


def test_metadata_are_no_volume() -> None:
    known = after(History(), drilled(0, 1, 2, 3))
    assert known.drills[-1].volumes == 3
    assert known.percent(known.volumes) == 75


def test_a_chain_that_is_gone_is_forgotten() -> None:
    known = after(History(), drilled(1, 2))
    newer = Drilled(NOW + SECOND, {INCREMENT: 1}, frozenset([Volume(INCREMENT, 1)]))
    found = after(known, newer)
    assert found.volumes == {INCREMENT: 1}
    assert set(found.proved) == {Volume(INCREMENT, 1)}


def test_a_chain_that_grows_stays_proved_as_far_as_it_was() -> None:
    known = after(History(), drilled(1, 2, 3, 4))
    found = after(known, drilled(began=NOW + SECOND)._replace(volumes={FULL: 4, INCREMENT: 4}))
    assert found.percent(found.volumes) == 50
    assert found.proved == known.proved


def test_one_that_saw_no_chain_forgets_nothing() -> None:
    known = after(History(), drilled(1, 2))
    unseen = Found(Kind.NO_DRILL, State.WARNING, "cut short: no answer within 3 s")
    found = after(known, Drilled(NOW + SECOND, found=(unseen,)))
    assert found.proved == known.proved
    assert found.volumes == known.volumes


def test_a_volume_read_again_is_proved_later() -> None:
    known = after(after(History(), drilled(1, 2)), drilled(2, began=NOW + SECOND))
    assert known.proved[Volume(FULL, 1)] == int(NOW.timestamp())
    assert known.proved[Volume(FULL, 2)] == int(NOW.timestamp()) + 1


def test_the_worst_that_was_found_is_kept_and_what_is_fine_is_not() -> None:
    fine = Found(Kind.IN_PROGRESS, State.OK, "a backup is running")
    warning = Found(Kind.NO_DRILL, State.WARNING, "no volume was read")
    assert after(History(), drilled(1, found=(fine,))).good is not None
    last = after(History(), drilled(1, found=(fine, warning, FAILURE))).drills[-1]
    assert last.kind is Kind.ROTTEN


def test_at_most_20_drills_are_kept_the_newest() -> None:
    known = History()
    for number in range(21):
        known = after(known, drilled(1, began=NOW + number * SECOND))
        assert len(known.drills) == min(number + 1, 20)
    assert known.drills[0].time == NOW + SECOND
    assert known.drills[-1].time == NOW + 20 * SECOND
    assert known.since == NOW


@pytest.mark.parametrize(("length", "kept"), [(0, 0), (599, 599), (600, 600), (601, 600)])
def test_a_text_is_cut_where_it_gets_too_long(length: int, kept: int) -> None:
    finding = FAILURE._replace(text="x" * length)
    assert len(after(History(), drilled(found=(finding,))).drills[-1].text) == kept


def test_any_name_of_a_file_is_kept(tmp_path: Path) -> None:
    finding = FAILURE._replace(text="a\udcff\u202e\x00 differs from its backup")
    known = after(History(), drilled(found=(finding,)))
    path = str(tmp_path / "x.json")
    assert history.kept(path, known) == ""
    assert recall(path) == known


@pytest.mark.parametrize(("proved", "percent"), [(0, 0), (1, 0), (2, 1), (199, 99), (200, 100)])
def test_a_hundred_per_cent_are_all_and_no_less(proved: int, percent: int) -> None:
    known = History(proved={Volume(FULL, n): 1 for n in range(1, proved + 1)})
    assert known.percent({FULL: 200}) == percent


def test_what_is_not_of_the_chain_counts_for_nothing() -> None:
    known = History(proved={Volume(FULL, 1): 1, Volume(FULL, 3): 1, Volume(INCREMENT, 1): 1})
    assert known.percent({FULL: 2}) == 50
    assert known.percent({}) == 0
    assert known.percent({FULL: 0}) == 0


def test_what_cannot_be_kept_is_said() -> None:
    assert history.kept("/proc/x/y.json", History()).startswith("/proc/x/y.json: ")


def test_each_job_has_a_history_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    paths = [
        history.path_of("file:///a", None, None, ()),
        history.path_of("file:///b", None, None, ()),
        history.path_of("file:///a", "/archive", None, ()),
        history.path_of("file:///a", None, "/archive", ()),
        history.path_of("file:///a", None, None, ["--file-prefix", "web-"]),
        history.path_of("file:///a", None, None, ["--s3-endpoint-url", "https://one"]),
        history.path_of("file:///a", None, None, ["--s3-endpoint-url=https://two"]),
    ]
    assert len(set(paths)) == len(paths)
    assert all(path.startswith("/state/check-duplicity/restore-") for path in paths)


def test_another_password_is_no_other_job() -> None:
    one, other = (f"sftp://u:{word}@host/x" for word in ("geheim", "other"))
    assert history.path_of(one, None, None, ()) == history.path_of(other, None, None, ())


def test_it_is_kept_below_the_users_home_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Drill and check may be started by a timer, by NRPE, by hand: with other HOMEs, or none."""
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    here = pwd.getpwuid(os.geteuid())
    user = pwd.struct_passwd((*here[:5], str(tmp_path), here[6]))
    monkeypatch.setattr(pwd, "getpwuid", lambda number: user)
    for home in ("/", str(tmp_path / "other"), ""):
        monkeypatch.setenv("HOME", home)
        path = history.path_of("file:///a", None, None, ())
        assert os.path.dirname(path) == f"{tmp_path}/.local/state/check-duplicity"


@pytest.mark.parametrize("home", ["/nonexistent", "/proc/1"])
def test_who_has_no_home_has_a_place_in_var_tmp(home: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() == 0 and home != "/nonexistent":
        pytest.skip("root owns that")
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    here = pwd.getpwuid(os.geteuid())
    monkeypatch.setattr(pwd, "getpwuid", lambda n: pwd.struct_passwd((*here[:5], home, here[6])))
    path = history.path_of("file:///a", None, None, ())
    assert path.startswith(f"/var/tmp/check-duplicity-{os.geteuid()}")


def test_two_drills_of_a_job_are_not_made_at_once(tmp_path: Path) -> None:
    path = str(tmp_path / "state" / "restore.json")
    pid = os.fork()
    if not pid:
        history.hold(path)
        os._exit(0)  # With the process that holds it the lock is gone.
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    before = len(os.listdir("/proc/self/fd"))
    history.hold(path)
    assert len(os.listdir("/proc/self/fd")) == before + 1  # the lock
    assert os.stat(f"{path}.lock").st_mode & 0o777 == 0o600
    with pytest.raises(CannotSee, match="another drill of this job is running"):
        history.hold(path)
    history.hold(str(tmp_path / "state" / "other.json"))


def test_no_place_for_the_result_is_said_before_anything_is_restored(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotSee, match="no place to keep the result: "):
        history.hold(str(tmp_path / "file" / "restore.json"))
    (tmp_path / "others").mkdir()
    (tmp_path / "others").chmod(0o777)
    for path in ("others/x.json", "others/below/x.json"):
        with pytest.raises(CannotSee, match="no place to keep the result: "):
            history.hold(str(tmp_path / path))
    assert list((tmp_path / "others").iterdir()) == []
    (tmp_path / "x.json.lock").symlink_to("target")
    with pytest.raises(CannotSee, match="no place to keep the result: "):
        history.hold(str(tmp_path / "x.json"))
    assert not (tmp_path / "target").exists()


GONE = Found(Kind.NOT_IN_BACKUP, State.CRITICAL, "a is not in the backup", path="a")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (GONE, GONE._replace(text="b is not in the backup", path="b")),
        (FAILURE, FAILURE._replace(text="so is 3", volumes=frozenset([Volume(FULL, 3)]))),
        (FAILURE, FAILURE._replace(kind=Kind.MISSING_VOLUMES, text="volume 2 is not there")),
    ],
    ids=["path", "volumes", "kind"],
)
def test_what_two_drills_have_found_is_told_of_both(one: Found, other: Found) -> None:
    """However alike it is: neither is mended by the other."""
    known = after(History(), drilled(found=(one,)))
    known = after(known, drilled(began=NOW + SECOND, found=(other,)))
    told = [finding.text for finding in judge(known, NOW + SECOND)]
    assert told == [f"drill 1s ago: {one.text}", f"drill 0s ago: {other.text}"]
    assert json.loads(json.dumps(written(known)))["damage"][0][2] == one.text
