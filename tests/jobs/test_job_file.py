"""A file that a job's file names: who can put another in its place decides what is in it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from check_duplicity.jobs import job_file
from check_duplicity.jobs.model import Fact, Known
from check_duplicity.lines import one_line
from check_duplicity.nagios.findings import CannotSee
from check_duplicity.runs.paths import NOWHERE, THROWN_AWAY
from check_duplicity.system.user import current


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where an environment file is that is private itself."""
    directory = tmp_path / "a" / "b"
    directory.mkdir(parents=True)
    (directory / "env").write_text("PASSPHRASE=geheim\n")
    (directory / "env").chmod(0o600)
    text = f"[job]\nuser = {current()}\nenvironment_file = {directory}/env\n"
    (tmp_path / "web.ini").write_text(text)
    (tmp_path / "web.ini").chmod(0o600)
    return directory


@pytest.mark.parametrize("above", [False, True])
@pytest.mark.parametrize(
    ("mode", "good"), [(0o755, True), (0o700, True), (0o1777, True), (0o757, False), (0o777, False)]
)
def test_an_environment_file_that_others_can_replace_is_not_read(
    place: Path, mode: int, good: bool, above: bool
) -> None:
    (place.parent if above else place).chmod(mode)
    jobs_dir = str(place.parent.parent)
    if good:
        known = job_file.load("web", jobs_dir)
        assert known is not None
        assert known.environment == {"PASSPHRASE": "geheim"}
        return
    reason = f"environment_file {place}/env: others may write to it or replace it: .*any user"
    with pytest.raises(CannotSee, match=reason) as refused:
        job_file.load("web", jobs_dir)
    assert "geheim" not in refused.value.reason
    assert os.stat(place / "env").st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[job]\n# x\n Colour = red\n", "line 3: unknown key (known are user, "),
        ("[job]\nscript = -x\n", "script is no program: it begins with -"),
        ("[job]\nduplicity = -x\n", "duplicity is no program: it begins with -"),
        ("[job]\nuser = -x\n", "user is no name of a user"),
        ("[job]\nuser = a b\n", "user is no name of a user"),
        ("[job]\ndrill_paths = 'x\n", "drill_paths: No closing quotation"),
        ("[job]\ndrill_volumes = x\n", "drill_volumes is not an amount (write 4)"),
        ("[job]\ndrill_budget = x\n", "drill_budget is not an amount (write 10G)"),
        ("[job]\nlookback = x\n", "lookback is no limit (write 36h, or a Nagios range)"),
        ("[job]\nshrunk_warning = x\n", "shrunk_warning is no limit (write 50, or none)"),
        ("[job]\nsource_size_warning = x\n",
         "source_size_warning is no limit (write 10G, or a Nagios range)"),
        ("[job]\nuser = a\nuser = b\n", "line 3: duplicate option"),
        ("[job]\nuser\n", "line 2: parsing"),
    ],
)  # fmt: skip
def test_why_a_file_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011  # its whole text is compared
        job_file.read("web", text, "/w")
    found = str(refused.value)
    assert (found[: len(said)] if said.endswith(", ") else found) == said


@pytest.mark.parametrize(
    "line",
    ["encryption = required", "encryption = no", "started = elsewhere", "started = here",
     "user = bk$", "user = 0", "user = a.b@c-d", "drill_volumes = 4", "drill_budget = 1G",
     "lookback = 9d", "archive_dir = -x", "mail = a 'b c'"],
)  # fmt: skip
def test_what_a_file_may_say(line: str) -> None:
    key, _, value = line.partition(" = ")
    known = job_file.read("web", f"[job]\n{line}\nname =\n", "/w")
    assert known == Known("web", {key: Fact(value, "/w")})


@pytest.mark.parametrize("name", ["a", "0", "_x", "@x", "+x", "a.b-c@d+e_f", "x" * 100])
def test_a_name_of_a_job(name: str) -> None:
    assert job_file.path_of(name, "/d") == f"/d/{name}.ini"


def test_each_reason_for_leaving_a_fact_out() -> None:
    others = frozenset(["mail", "news"])
    facts = {
        "user": Fact("bk", "/c:1", frozenset(["bk"])),
        "script": Fact("-x", "/c\n:2"),
        "destination": Fact("file:///geheim", "/s:3"),
        "archive_dir": Fact("/c", "/s:4", others),
        "name": Fact("a\x1bb", "/s:5"),
        "mail": Fact(NOWHERE, "/c:6"),
        "options": Fact("--a\n--b", "/s:7"),
    }
    known = Known("web", facts, doubts=("one\ngeheim", "two"))
    text = job_file.as_ini(known, lambda value: value.replace("geheim", "***"))
    origin = one_line("/c\n:2")
    assert text.split("\n") == [
        f"# {one_line('one' + chr(10) + '***')}", "# two", "[job]", "# /c:1", "user = bk",
        f"# script is no program: it begins with - ({origin})",
        "# destination has a secret, and is read from /s:3",
        "# archive_dir is left out: mail and news can change it in /s:4",
        "# name has characters that can't be shown, and is read from /s:5",
        "# /c:6", f"# {THROWN_AWAY}", f"mail = {NOWHERE}", "# /s:7", "options = --a --b", "",
    ]  # fmt: skip
