"""Which advice is offered for a job, and with which commands in it."""

from __future__ import annotations

import pytest
from check_duplicity.nagios.advice import ADVICE
from check_duplicity.nagios.commands import Job
from check_duplicity.nagios.findings import Kind
from check_duplicity.nagios.paragraphs import (
    DISK,
    EXPORT,
    FULL,
    NOT_AGAIN,
    RERUN,
    SCRIPT,
    SERVER,
    SKIPS,
    TIMER,
)
from check_duplicity.nagios.steps import advise

ANY = Job("backup")
WEB = Job("backup", job="web")


def offered(monkeypatch: pytest.MonkeyPatch, text: str, job: Job) -> list[str]:
    monkeypatch.setitem(ADVICE, Kind.STALE, (text, "the end"))
    [paragraphs] = advise([(Kind.STALE, job)])
    assert paragraphs.pop() == "the end"
    return paragraphs


@pytest.mark.parametrize(
    ("text", "job", "seen"),
    [
        (RERUN, ANY, True),
        (RERUN, ANY._replace(script_by="eve"), False),
        (RERUN, ANY._replace(others="eve"), False),
        (FULL, ANY._replace(script_by="eve"), True),
        (FULL, ANY._replace(others="eve"), False),
        (SKIPS, ANY, False),
        (SKIPS, ANY._replace(skips=True), True),
        (TIMER, ANY, False),
        (TIMER, WEB, True),
        (TIMER, WEB._replace(jobs_dir="/j"), False),
        (EXPORT, ANY, True),
        (EXPORT, WEB, False),
        (SCRIPT, ANY, True),
        (SCRIPT, ANY._replace(script="/s/b"), False),
        *((text, ANY, True) for text in (DISK, SERVER)),
        *((DISK, ANY._replace(url=f"{form}/b"), True) for form in ("file:", "FILE:", "par2+file:")),
        *((SERVER, ANY._replace(url=f"{form}/b"), False) for form in ("file:", "par2+file:")),
        (DISK, ANY._replace(url="sftp://h/file:/b"), False),
        (SERVER, ANY._replace(url="sftp://h/file:/b"), True),
        (DISK, ANY._replace(url="multi:///b.json", directory="/b"), True),
        (SERVER, ANY._replace(url="multi:///b.json", directory="/b"), False),
    ],
)
def test_what_is_offered_for_which_job(
    text: str, job: Job, seen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = offered(monkeypatch, text, job)
    first = text.split("\n", maxsplit=1)[0].replace("{job}", "web")
    assert [one.split("\n")[0] for one in found if first == one.split("\n")[0]] == [first] * seen


@pytest.mark.parametrize(("starter", "owner"), [("", "backup"), ("root", "root")])
def test_a_script_that_others_can_change_is_to_be_read_first(
    starter: str, owner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = ANY._replace(script_by="eve", starter=starter)
    assert offered(monkeypatch, RERUN, job) == [
        NOT_AGAIN.format(script_by="eve", starter=owner)
    ]  # fmt: skip


SUDO = "  sudo -iu backup -- duplicity "
KNOWN = ANY._replace(url="sftp://h/b", encrypted=True, kept="K", before="B", stamp="S")


@pytest.mark.parametrize(
    ("name", "job", "text"),
    [
        ("cleanup", ANY, SUDO + "cleanup --force DESTINATION"),
        ("cleanup", KNOWN, SUDO + "cleanup --force sftp://h/b"),
        ("cleanup", KNOWN._replace(encrypted=False),
         SUDO + "cleanup --force --no-encryption sftp://h/b"),
        ("files", ANY, SUDO + "list-current-files --time TIME DESTINATION"),
        ("files", KNOWN._replace(encrypted=False),
         SUDO + "list-current-files --no-encryption --time B sftp://h/b"),
        ("older", ANY, SUDO + "remove-older-than TIME DESTINATION"),
        ("older", KNOWN._replace(encrypted=False),
         SUDO + "remove-older-than K --no-encryption sftp://h/b"),
        ("full", KNOWN, SUDO + "full SOURCE sftp://h/b"),
        ("full", KNOWN._replace(encrypted=False), SUDO + "full --no-encryption SOURCE sftp://h/b"),
        ("restore", ANY, SUDO + "restore -r PATH DESTINATION NEW_FILE"),
        ("restore", KNOWN._replace(encrypted=False, restored=("--x",)),
         SUDO + "restore --no-encryption --x sftp://h/b NEW_FILE"),
        ("newest_files", KNOWN, SUDO + "list-current-files sftp://h/b"),
        ("newest_files", KNOWN._replace(encrypted=False),
         SUDO + "list-current-files --no-encryption sftp://h/b"),
        ("verify", KNOWN, SUDO + "verify -v4 sftp://h/b SOURCE"),
        ("verify", KNOWN._replace(encrypted=False),
         SUDO + "verify -v4 --no-encryption sftp://h/b SOURCE"),
        ("status", KNOWN._replace(encrypted=False), SUDO + "collection-status sftp://h/b"),
        ("stamp", KNOWN, "S"),
        ("directory", ANY, "DIRECTORY"),
        ("directory", ANY._replace(directory="/a b"), "'/a b'"),
        ("url", ANY, "DESTINATION"),
        ("url", KNOWN, "sftp://h/b"),
        ("command", ANY._replace(command=("/opt/d", "-v")), "/opt/d -v"),
        ("sudo", ANY, "sudo -iu backup --"),
        ("check", ANY._replace(check="check -d x"), "check -d x"),
        ("programs", ANY._replace(programs="/p"), "/p"),
    ],
)  # fmt: skip
def test_each_command_of_the_advice(
    name: str, job: Job, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert offered(monkeypatch, f"{{{name}}}", job) == [text]


WITH_OPTIONS = ",\nwith the options of the script (--no-encryption, if the script has it)"


@pytest.mark.parametrize(
    ("job", "more"),
    [
        (ANY, WITH_OPTIONS),
        (ANY._replace(url="sftp://h/b"), WITH_OPTIONS),
        (ANY._replace(encrypted=True), WITH_OPTIONS),
        (KNOWN, ""),
        (KNOWN._replace(encrypted=False), ""),
    ],
)
def test_options_that_are_not_known_are_to_be_looked_up(
    job: Job, more: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert offered(monkeypatch, "x{options}", job) == ["x" + more]
