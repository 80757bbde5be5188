"""The results of a drill with a fake duplicity; a real one is in real/test_drill.py."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from chains import manifest
from check_duplicity.duplicity import volumes
from check_duplicity.duplicity.collection import BackupSet
from check_duplicity.duplicity.names import Prefixes
from check_duplicity.duplicity.restoring import Ended
from check_duplicity.nagios.findings import Finding, Kind, State
from check_duplicity.nagios.limits import format_time
from check_duplicity.restore import archive, drill
from check_duplicity.restore.drill import Drill, Told, Wanted
from check_duplicity.restore.model import Compared, Drilled, Found, Restored, Sample, Set, Volume
from check_duplicity.restore.see import Place
from samples import ago, stamp

FULL = ago(days=1)
NAME = f"duplicity-full.{stamp(FULL)}"
MANIFESTS = shutil.ignore_patterns("*.manifest")
METADATA = "(metadata)"
ROTTEN = Ended(Kind.ROTTEN, "another hash", f"{NAME}.vol2.difftar.gpg")


class Fake:
    """A fake duplicity, with its result for each path, and for a volume alone.

    ``METADATA`` stands for fetching a set's metadata, of which the destination has that manifest.
    """

    def __init__(
        self, directory: Path, ends: Mapping[str, Ended], manifest: bytes, *, reads: bool = True
    ) -> None:
        self.own = directory / "own"
        self.archive = str(directory / "archive" / "job")
        self.target = str(directory / "restored")
        self.asked: list[Sample] = []
        self.ends, self.manifest, self.reads = ends, manifest, reads
        self.writes, self.gone = True, "none"

    def renew(self) -> None:
        shutil.rmtree(os.path.dirname(self.archive), ignore_errors=True)
        os.mkdir(os.path.dirname(self.archive))

    def fetch_metadata(self, time: datetime) -> Ended:
        assert time == FULL
        if METADATA in self.ends:
            return self.ends[METADATA]
        os.makedirs(self.archive, exist_ok=True)
        Path(self.archive, f"{NAME}.manifest").write_bytes(self.manifest)
        return Ended()

    def has_room_for(self, size: int) -> bool:
        return True

    def restore(self, sample: Sample, chain: Sequence[Set], told: Callable[[int], None]) -> Ended:
        self.asked.append(sample)
        name = sample.path or ("" if sample.wide else METADATA)
        end = self.ends.get(name, Ended(is_there=bool(sample.path)))
        if name == METADATA and end.kind is None and self.manifest:
            Path(next(one.path for one in chain)).write_bytes(self.manifest)
            shutil.copytree(self.own, self.archive, dirs_exist_ok=True, ignore=MANIFESTS)
        if self.reads and end.kind is None:
            told(len(sample.volumes))
        if end == Ended() and self.writes:
            Path(self.target).write_bytes(b"12345")
        for path in Path(self.archive).glob(self.gone):
            path.unlink()
        return end


Made = Callable[..., Drilled]


def nobody(what: str, read: int, of: int) -> None:
    """Hear of a drill's progress."""


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """Make a drill of a full backup of four volumes, each with a file: a, b, c, d."""
    own, source = tmp_path / "own", tmp_path / "source"
    own.mkdir()
    source.mkdir()
    pairs = [(name, f"{name}~") for name in "abcd"]
    files = {f"{name}/x": "new" for name in "abcd"}
    content = manifest(source, pairs, files, socket.gethostname())

    def make(ends: Mapping[str, Ended] = {}, *, prefix: str = "", reads: bool = True,
             manifest: bytes = content, writes: bool = True, gone: str = "none",
             told: Told = nobody, copies: bool = True, **wanted: object) -> Drilled:  # fmt: skip
        if copies:
            (own / f"{prefix}{NAME}.manifest").write_bytes(content)
            signatures = f"{prefix}duplicity-full-signatures.{stamp(FULL)}.sigtar.gz"
            (own / signatures).write_bytes(b"")
        place = Fake(tmp_path, ends, manifest, reads=reads)
        place.writes, place.gone = writes, gone
        making = Drill(Wanted(**wanted), told)  # type: ignore[arg-type]
        prefixes = Prefixes.of_options([f"--file-prefix={prefix}"])
        sets = [BackupSet(None, FULL, 4, True, True)]
        making.make(cast(Place, place), str(own), sets, prefixes)
        return making.so_far()

    return make


def numbers(volumes: frozenset[Volume]) -> list[int]:
    """Return the numbers of volumes, without that of metadata."""
    return sorted(volume.number for volume in volumes if volume.number)


@pytest.mark.parametrize(("volumes", "read"), [(1, 1), (3, 3), (4, 4), (5, 4)])
def test_as_many_volumes_are_read_as_are_wanted(volumes: int, read: int, made: Made) -> None:
    drilled = made(volumes=volumes)
    assert drilled.volumes_read == drilled.restored.files == read
    assert Volume(FULL, 0) in drilled.read
    assert drilled.restored.size == 5 * read
    assert drilled.finished
    assert drilled.findings == ()
    assert drilled.volumes == {FULL: 4}


def test_how_far_a_drill_is(made: Made) -> None:
    steps: list[tuple[str, int, int]] = []
    made(volumes=2, told=lambda *step: steps.append(step))
    assert steps == [
        ("a/x", 0, 1), ("a/x", 1, 1), ("b/x", 0, 1), ("b/x", 1, 1),
        ("manifest and signatures", 0, 1),
    ]  # fmt: skip


def test_only_damage_asks_for_a_second_look() -> None:
    drill = Drill(Wanted(), nobody)
    assert not drill.has_damage
    drill.add([Finding(Kind.NO_DRILL, State.WARNING, "why")])
    assert not drill.has_damage
    drill.add([Finding(Kind.ROTTEN, State.CRITICAL, "why")])
    assert drill.has_damage


@pytest.mark.parametrize(
    ("error", "text"),
    [(OSError(28, "No space left on device"), "No space left on device"), (OSError("?"), "?")],
)
def test_a_copy_that_cannot_be_read_is_a_finding(
    error: OSError, text: str, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*asked: object) -> None:
        raise error

    monkeypatch.setattr(archive, "sets", fail)
    [finding] = made().findings
    assert (finding.kind, finding.text) == (Kind.NOT_RESTORED, text)


def test_a_lone_backup_that_cannot_be_decrypted_names_no_other(made: Made) -> None:
    [finding] = made({"a/x": Ended(Kind.WRONG_PASSPHRASE, "why")}).findings
    assert finding.text == f"why: the backup of {format_time(FULL)} can't be decrypted"


@pytest.mark.parametrize(
    ("budget", "read"), [(1, 1), (199, 1), (200, 2), (299, 2), (300, 3), (1000, 4)]
)
def test_as_many_volumes_are_read_as_a_budget_has_and_at_least_one(
    budget: int, read: int, made: Made
) -> None:
    assert made(volumes=9, budget=budget, volume_size=100).volumes_read == read


@pytest.mark.parametrize("prefix", ["", "web-"])
def test_a_rotten_volume_is_bad_and_the_others_are_read(prefix: str, made: Made) -> None:
    rotten = ROTTEN._replace(volume=prefix + ROTTEN.volume)
    drilled = made({"b/x": rotten}, prefix=prefix, volumes=9)
    assert (numbers(drilled.read), numbers(drilled.bad)) == ([1, 3, 4], [2])
    [finding] = drilled.findings
    assert (finding.kind, finding.state) == (Kind.ROTTEN, State.CRITICAL)
    assert finding.text.startswith("volume 2 of the backup of ")
    assert finding.text.endswith("it holds: b to b~")


def test_a_source_on_another_host_is_not_compared(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = socket.gethostname()
    monkeypatch.setattr(socket, "gethostname", lambda: "elsewhere")
    monkeypatch.setattr(socket, "getfqdn", lambda: "elsewhere.example.org")
    drilled = made(volumes=1)
    of = f"1 volume of the backup of {format_time(FULL)}"
    assert drilled.lines[0] == f"a/x: 5 B restored from {of}, not compared: the source is on {name}"


def test_a_file_that_is_not_in_the_backup_is_a_finding(made: Made) -> None:
    drilled = made({"gone": Ended(is_there=False)}, paths=["gone"], volumes=1)
    [finding] = drilled.findings
    assert (finding.kind, finding.state) == (Kind.NOT_IN_BACKUP, State.CRITICAL)
    assert finding.text.startswith("gone is not in the backup of ")


@pytest.mark.parametrize("path", [".", "/", "", "{source}", "{source}/"])
def test_the_whole_source_is_no_file_to_restore(path: str, made: Made, tmp_path: Path) -> None:
    drilled = made(paths=[path.format(source=tmp_path / "source")])
    [finding] = drilled.findings
    assert (finding.kind, finding.state) == (Kind.OPTIONS, State.WARNING)
    assert "is the whole source: name a file in it" in finding.text
    assert drilled.read == frozenset()


@pytest.mark.parametrize("kind", [Kind.NO_PASSPHRASE, Kind.PASSPHRASE, Kind.CONNECTION])
def test_what_cannot_be_done_here_ends_a_drill_and_says_nothing_of_the_backup(
    kind: Kind, made: Made
) -> None:
    drilled = made(dict.fromkeys(["a/x", "b/x", "c/x", "d/x"], Ended(kind, "why")), volumes=4)
    assert [(f.kind, f.state) for f in drilled.findings] == [(kind, State.WARNING)]
    assert drilled.bad == frozenset()
    assert len(drilled.lines) == 1
    assert not drilled.finished


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in drill._NOT_HERE])
def test_whatever_else_a_restore_ends_with_is_against_the_backup(kind: Kind, made: Made) -> None:
    [finding] = made({"a/x": Ended(kind, "why")}, volumes=1).findings
    assert finding.state is State.CRITICAL
    assert finding.kind in (*drill._DAMAGE, Kind.NOT_RESTORED)


def test_what_was_bad_is_read_before_all_others_and_is_not_counted(made: Made) -> None:
    proved = {Volume(FULL, 1): 1, Volume(FULL, 2): 9, Volume(FULL, 4): 9}
    bad = Found(Kind.ROTTEN, State.CRITICAL, "rotten", frozenset([Volume(FULL, 4)]))
    drilled = made(volumes=1, proved=proved, found=[bad])
    assert numbers(drilled.read) == [3, 4]


def test_what_differed_is_restored_once_more_and_what_was_missing_is_not(made: Made) -> None:
    other = Found(Kind.OTHER_CONTENTS, State.CRITICAL, "differs", path="d/x")
    typing_error = Found(Kind.NOT_IN_BACKUP, State.CRITICAL, "is not there", path="c/y")
    drilled = made(volumes=1, found=[other, typing_error])
    assert any(line.startswith("d/x: 5 B restored") for line in drilled.lines)
    assert not any("c/y" in line for line in drilled.lines)
    # It may be gone from the backup meanwhile: then there is nothing wrong with it.
    assert made({"d/x": Ended(is_there=False)}, volumes=1, found=[other]).findings == ()


@pytest.mark.parametrize("path", ["~a", "-x", "a/$HOME", "a$b"])
def test_a_name_that_duplicitys_command_line_changes_is_said_and_ends_nothing(
    path: str, made: Made
) -> None:
    drilled = made(paths=[path], volumes=4)
    [finding] = drilled.findings
    assert finding.state is State.WARNING
    assert "can't be restored by itself" in finding.text
    assert numbers(drilled.read) == [1, 2, 3, 4]
    other = Found(Kind.OTHER_CONTENTS, State.CRITICAL, "differs", path=path)
    assert made(found=[other], volumes=4).findings == ()


def test_what_was_not_restored_is_tried_once_more(made: Made) -> None:
    failed = Found(Kind.NOT_RESTORED, State.CRITICAL, "no idea", path="d/x")
    drilled = made(volumes=1, found=[failed])
    assert "d/x" in drilled.well
    again = made({"d/x": Ended(Kind.NOT_RESTORED, "still not")}, volumes=1, found=[failed])
    assert "d/x" not in again.well
    assert again.findings[0].text == "still not"


def test_that_duplicity_ends_well_and_restores_nothing_is_damage(made: Made) -> None:
    [finding] = made({"a/x": Ended(), "b/x": Ended()}, writes=False, volumes=1).findings
    assert finding.state is State.CRITICAL
    assert "but restored nothing" in finding.text


def test_signatures_that_are_gone_are_damage(made: Made) -> None:
    """duplicity removes the name that stands for them when it doesn't find them."""
    drilled = made(volumes=1, gone="*.sigtar.gz")
    [finding] = drilled.findings
    assert finding.text.endswith("as the destination has them: the signatures are not there")
    assert drilled.bad == {Volume(FULL, 0)}


def test_a_manifest_that_goes_meanwhile_is_no_good_drill(made: Made) -> None:
    drilled = made(volumes=4, gone="*.manifest")
    assert [f.kind for f in drilled.findings] == [Kind.NO_DRILL]
    assert not drilled.finished


def test_without_the_signatures_what_was_bad_stays_bad(made: Made) -> None:
    bad = Found(Kind.NOT_RESTORED, State.CRITICAL, "rotten", frozenset([Volume(FULL, 0)]))
    assert Volume(FULL, 0) not in made(volumes=1, volume_size=-1, found=[bad]).read
    assert Volume(FULL, 0) in made(volumes=1, found=[bad]).read
    assert Volume(FULL, 0) in made(volumes=1, volume_size=-1).read


def test_a_listed_file_that_is_not_in_its_volumes_is_a_warning(made: Made) -> None:
    drilled = made({"b/x": Ended(is_there=False)}, volumes=4)
    [finding] = drilled.findings
    assert (finding.kind, finding.state) == (Kind.NOT_IN_BACKUP, State.WARNING)
    assert "b/x is listed in the backup of " in finding.text
    assert numbers(drilled.read) == [1, 2, 3, 4]  # All that should have it.


@pytest.mark.parametrize(
    ("end", "manifest", "reason"),
    [
        (Ended(is_there=False), b"", "not there"),
        (Ended(is_there=False), b"Volume 1:\n    Hash SHA1 0\n", "not the same as here"),
        (Ended(Kind.GPG, "gpg: invalid packet"), b"", "gpg: invalid packet"),
    ],
)
def test_what_a_stranger_needs_is_fetched_from_the_destination(
    end: Ended, manifest: bytes, reason: str, made: Made
) -> None:
    drilled = made({METADATA: end}, manifest=manifest, volumes=4)
    [finding] = drilled.findings
    assert (finding.kind, finding.state) == (Kind.NOT_RESTORED, State.CRITICAL)
    assert finding.text.startswith("manifest and signatures of the backup of ")
    assert finding.text.endswith(f", as the destination has them: {reason}")
    assert drilled.bad == {Volume(FULL, 0)}


def test_what_cannot_be_done_for_the_metadata_says_nothing_of_them(made: Made) -> None:
    drilled = made({METADATA: Ended(Kind.NO_PASSPHRASE, "none")}, volumes=4)
    assert [f.state for f in drilled.findings] == [State.WARNING]
    assert drilled.bad == frozenset()
    assert not drilled.finished


def test_the_same_failure_of_many_volumes_is_said_once_and_ends_the_drill_in_time(
    made: Made,
) -> None:
    ends = dict.fromkeys(["a/x", "b/x", "c/x", "d/x"], Ended(Kind.NOT_RESTORED, "no idea"))
    [finding] = made(ends, volumes=4).findings
    assert finding.text == "no idea"
    assert numbers(made(ends, volumes=4).bad) == [1, 2, 3, 4]
    drilled = made({**ends, "a/x": Ended(Kind.WRONG_PASSPHRASE, "wrong")}, volumes=4)
    [finding] = drilled.findings
    assert finding.text.startswith("wrong: the backup of ")
    assert len(drilled.lines) == 1
    assert numbers(drilled.bad) == [1]


def test_files_that_are_listed_only_end_no_drill(made: Made) -> None:
    ends = dict.fromkeys(["a/x", "b/x", "c/x", "d/x"], Ended(is_there=False))
    drilled = made(ends, volumes=4)
    assert {finding.state for finding in drilled.findings} == {State.WARNING}
    assert drilled.finished
    assert Volume(FULL, 0) in drilled.read


def test_large_signatures_are_left_at_the_destination(made: Made) -> None:
    drilled = made(volumes=1, volume_size=-1)
    assert drilled.lines[-1].startswith("manifest of the backup of ")


def test_a_file_is_only_not_in_the_backup_if_all_was_read_for_it(made: Made) -> None:
    [finding] = made({"a": Ended(is_there=False)}, reads=False, paths=["a"], volumes=1).findings
    assert finding.kind is Kind.NOT_RESTORED
    assert finding.text == "duplicity has read only 0 of 1 volumes"


def test_a_volume_whose_name_says_nothing_makes_all_bad_that_were_read(made: Made) -> None:
    drilled = made({"b/x": ROTTEN._replace(volume="strange")}, volumes=4)
    assert numbers(drilled.bad) == [2]


def test_an_empty_archive_directory_is_filled_from_the_destination(made: Made) -> None:
    drilled = made(volumes=9, copies=False)
    assert numbers(drilled.read) == [1, 2, 3, 4]
    assert Volume(FULL, 0) in drilled.read
    assert drilled.finished
    assert not any("fetched" in line for line in drilled.lines)  # There is nothing to compare with.


def test_what_is_not_fetched_from_there_ends_the_drill(made: Made) -> None:
    ends = {METADATA: Ended(Kind.CONNECTION, "refused")}
    drilled = made(ends, volumes=9, copies=False)
    assert [(f.kind, f.text) for f in drilled.findings] == [(Kind.CONNECTION, "refused")]
    assert (drilled.lines, drilled.finished) == ((), False)


def test_what_duplicity_does_not_say_that_it_has_read_is_not_proved(made: Made) -> None:
    drilled = made(volumes=4, reads=False)
    assert numbers(drilled.read) == []
    assert [finding.kind for finding in drilled.findings] == [Kind.NO_DRILL]


def bare(days: int) -> Set:
    numbered = (volumes.Volume(3, (b"a",), (b"b",)),)
    return Set(ago(days=days), "", volumes.Manifested("h", "/srv", numbered))


CHAIN = tuple(bare(days) for days in (5, 4, 3, 2, 1))


@pytest.mark.parametrize(
    ("first", "last"), [(first, last) for last in range(5) for first in range(last + 1)]
)
def test_the_first_backup_with_another_key_is_found(first: int, last: int) -> None:
    wrong, asked = Ended(Kind.WRONG_PASSPHRASE, "why"), []

    def restore(sample: Sample, chain: object, told: object) -> Ended:
        assert chain == CHAIN
        assert [volume.number for volume in sample.volumes] == [3]
        asked.append(sample.at)
        return wrong if sample.at >= first else Ended()

    made = Drill(Wanted(), nobody)
    made._chain, made._place = CHAIN, cast(Place, SimpleNamespace(restore=restore))
    found, text = made._unreadable(Sample(last), wrong)
    said = f"why: the backup of {format_time(CHAIN[first].time)} can't be decrypted"
    if first:
        said += f"; those until {format_time(CHAIN[first - 1].time)} can"
    assert (found, text) == (Volume(CHAIN[first].time, 3), said)
    assert len(asked) <= 3
    assert last not in asked


def test_what_fails_for_another_reason_on_the_way_stays_unknown() -> None:
    def restore(sample: Sample, chain: object, told: object) -> Ended:
        return Ended(Kind.CONNECTION, "refused")

    made = Drill(Wanted(), nobody)
    made._chain, made._place = CHAIN, cast(Place, SimpleNamespace(restore=restore))
    found, text = made._unreadable(Sample(4), Ended(Kind.GPG, "why"))
    assert found == Volume(CHAIN[4].time, 3)
    assert text == f"why: the backup of {format_time(CHAIN[4].time)} can't be decrypted"


@pytest.mark.parametrize(
    ("same", "other", "source", "host", "said"),
    [
        (1, 0, "/s", "h", "the same as the source"),
        (0, 0, "/s", "h", "not compared: the source has changed since"),
        (1, 1, "/s", "h", "and differs from the source"),
        (0, 0, "", "h", "not compared: the source is on h"),
        (0, 0, "", "", "not compared: the source is on another host"),
    ],
)
def test_how_a_restored_file_compares(
    same: int, other: int, source: str, host: str, said: str
) -> None:
    restored = Restored(1, 5, Compared(same, tuple("/x" for _ in range(other)), ()))
    assert drill._said(restored, source, host) == said
