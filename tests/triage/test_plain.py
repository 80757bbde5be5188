"""An answer of another user's process is read as it was written, or refused."""

from __future__ import annotations

import json
import pickle
from datetime import datetime, timedelta, timezone

import pytest
from check_duplicity.jobs.model import Fact, Known
from check_duplicity.nagios.commands import Job
from check_duplicity.nagios.findings import Finding, Kind, State
from check_duplicity.secrets import Secrets
from check_duplicity.triage.model import BackupSet, Picture
from check_duplicity.triage.plain import read, written
from check_duplicity.triage.see import of_job
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=timezone.utc)
SEEN = Picture(
    "web\udcff", Job("backup", archive_dir=None, encrypted=False, logs=("/a", "/b")),
    (("user", "backup", "/etc/crontab:3"),), ("a\nb",), "never", "good", "nothing runs",
    Kind.TIMEOUT, True,
    (Finding(Kind.STALE, State.CRITICAL, "last backup 3d ago", quote="|"),),
    (BackupSet(NOW, True, True), BackupSet(NOW + timedelta(days=1), False, False)),
)  # fmt: skip


def fields() -> list[object]:
    """What is written of it, to be changed."""
    plain = json.loads(written(SEEN))
    assert isinstance(plain, list)
    return plain


def test_what_was_written_is_read() -> None:
    assert read(Picture, written(SEEN)) == SEEN
    assert read(Picture, written(Picture("x", Job("u")))) == Picture("x", Job("u"))
    for state in State:
        assert type(read(Finding, written(Finding(Kind.GPG, state, ""))).state) is State


@pytest.mark.parametrize("place", range(len(SEEN)))
@pytest.mark.parametrize(
    "value",
    [None, 1, 1.5, True, "x", "TIMEOUT", {}, {"a": 1}, [], [1], [None], [["a", "b"]],
     [["a", "b", 1]],
     [["STALE", "NONSENSE", "", "", ""]], [["2026-11-24T02:00:00", True, True]],
     [["2026-11-24T02:00:00+00:00", 1, True]], [[[], True, True]]],
)  # fmt: skip
def test_what_does_not_fit_is_not_read(place: int, value: object) -> None:
    plain = fields()
    plain[place] = value
    try:
        seen = read(Picture, json.dumps(plain).encode())
    except ValueError:
        return
    # It fits, then: each field is of a type that it is declared as, down to the last.
    assert read(Picture, written(seen)) == seen
    assert json.loads(written(seen)) == plain


@pytest.mark.parametrize(
    "data",
    [b"", b"[", b"{}", b"null", b"[]", b"[" * 200_000, b"\xff\xfe", b"9" * 10_000, b"NaN",
     pickle.dumps(SEEN), written(SEEN)[:-1], written(SEEN) * 2],
    ids=range(12),
)  # fmt: skip
def test_what_is_no_answer_is_not_read(data: bytes) -> None:
    with pytest.raises(ValueError, match="no Picture"):
        read(Picture, data)


@given(st.binary() | st.recursive(st.none() | st.text() | st.booleans(), st.lists).map(
    lambda value: json.dumps(value).encode()
))  # fmt: skip
def test_any_bytes_are_an_answer_or_none(data: bytes) -> None:
    with pytest.raises(ValueError, match="no Finding"):
        read(Finding, data)


def test_an_answer_chooses_no_command() -> None:
    known = Known("web", {"user": Fact("backup", "/etc/x"), "script": Fact("/srv/b.sh", "/etc/x")})
    own = Job("backup", script="/srv/b.sh", url="sftp://h/x", programs="/usr/bin")
    said = SEEN._replace(
        name="other",
        facts=(("user", "root", "x"),),
        job=Job("root", script="/tmp/evil", command=("/tmp/evil",), url="x", directory="/gone",
                encrypted=True, stamp="20261124T020000Z", kept="$(evil)"),
    )  # fmt: skip
    seen = of_job(known, own, Secrets({}), said)
    expected = own._replace(encrypted=True, directory="/gone", stamp="20261124T020000Z")
    assert (seen.name, seen.job) == ("web", expected)
    assert seen.facts == (("user", "backup", "/etc/x"), ("script", "/srv/b.sh", "/etc/x"))
    assert seen.findings == said.findings


@pytest.mark.parametrize(
    ("time", "good"),
    [
        ("2026-11-24T02:00:00+00:00", True), ("2026-11-24T03:00:00+01:00", True),
        ("2026-11-24T02:00:00", False), ("2026-11-24", False), ("x", False), (1, False),
    ],
)  # fmt: skip
def test_a_time_has_its_zone(time: object, good: bool) -> None:
    plain = json.loads(written(BackupSet(NOW, True, True)))
    plain[0] = time
    if good:
        assert read(BackupSet, json.dumps(plain).encode()).time == NOW
        return
    with pytest.raises(ValueError):  # noqa: PT011 - its text is nobody's
        read(BackupSet, json.dumps(plain).encode())
