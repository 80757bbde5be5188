from __future__ import annotations

import shlex
import subprocess
from datetime import datetime, timezone
from pathlib import Path

import pytest
from check_duplicity.nagios.advice import ADVICE
from check_duplicity.nagios.answer import Answer, unseen
from check_duplicity.nagios.commands import Job
from check_duplicity.nagios.findings import CannotSee, Finding, Kind, State
from check_duplicity.nagios.limits import Limit
from check_duplicity.nagios.measures import Limits, Measure, in_graphs, said_of
from check_duplicity.nagios.output import harmless, output
from check_duplicity.nagios.steps import advise
from hypothesis import given
from hypothesis import strategies as st
from plugin import run_plugin

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=timezone.utc)
AGE = ((Measure("age", 1, "s"), Limits()),)
JOB = Job(
    user="govuk-backup",
    check="check_duplicity_freshness -d x",
    url="rsync://backup@host//srv/a b",
    archive_dir="/data/cache",
    options=("--file-prefix", "web-"),
    directory="/mnt/my disk",
    encrypted=False,
)


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_has_advice_that_is_complete(kind: Kind) -> None:
    [paragraphs] = advise([(kind, JOB._replace(skips=True, job="assets"))])
    # Of a destination that is not there either the one of a disk or the one of a server; and a
    # job's file has the passphrase.
    left_out = kind in (Kind.NO_DESTINATION, Kind.NO_PASSPHRASE)
    assert len(paragraphs) == len(ADVICE[kind]) - left_out
    text = "\n".join(paragraphs)
    assert "{" not in text
    assert all(len(line) <= 100 or line.startswith("  ") for line in text.split("\n"))
    # What Icinga and browsers would take for more than text can't be in it.
    assert harmless(text) == text


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in (Kind.USAGE, Kind.INTERNAL)])
def test_every_finding_says_what_to_type(kind: Kind) -> None:
    text = "\n".join(sum(advise([(kind, JOB)]), []))
    assert "\n  " in "\n" + text or kind is Kind.ENDED


def test_a_destination_that_is_gone_is_looked_for_where_it_was() -> None:
    def text(job: Job) -> str:
        return "\n".join(sum(advise([(Kind.NO_DESTINATION, job)]), []))

    for url in ("file:///srv/x", "par2+file:///srv/x"):
        on_disk = text(JOB._replace(url=url))
        assert "findmnt" in on_disk
        assert "console" not in on_disk
    for url in ("s3://bucket/x", "sftp://host/x"):
        on_server = text(JOB._replace(url=url, directory=""))
        assert "console" in on_server
        assert "findmnt" not in on_server
    unknown = text(JOB._replace(url="", directory=""))
    assert "console" in unknown
    assert "findmnt" in unknown


def test_commands_can_be_pasted() -> None:
    [line] = [
        line for line in advise([(Kind.ORPHANED, JOB)])[0][1].split("\n") if " cleanup" in line
    ]
    assert shlex.split(line) == [
        "sudo", "-iu", "govuk-backup", "--", "duplicity", "cleanup", "--force", "--no-encryption",
        "--archive-dir", "/data/cache", "--file-prefix", "web-", "rsync://backup@host//srv/a b",
    ]  # fmt: skip


@pytest.mark.parametrize("quote", ["'", '"', ""])
def test_a_pasted_command_has_the_secrets_from_where_they_stand(quote: str, tmp_path: Path) -> None:
    script = tmp_path / "job.sh"
    script.write_text(
        "#!/bin/sh\nexport PASSPHRASE='ge heim'\ntouch executed\n"
        f"duplicity / {quote}sftp://u:geheim@host/srv/a-b{quote} && true\n"
    )
    fake = tmp_path / "duplicity"
    fake.write_text('#!/bin/sh\nprintf "%s " "$PASSPHRASE" "$@"\n')
    fake.chmod(0o755)
    job = Job(
        user="u", url="sftp://u:***@host/srv/a-b", url_from=str(script),
        environment_from=str(script), options=("--file-prefix=a b",),
    )  # fmt: skip
    line = job.duplicity("cleanup", "--force")
    assert "geheim" not in line
    sudo = tmp_path / "sudo"
    sudo.write_text('#!/bin/sh\n[ "$1" = -Hu ] && shift 3\nexec "$@"\n')
    sudo.chmod(0o755)
    assert line.startswith("  sudo -Hu u -- ")
    done = subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, check=True, cwd=tmp_path,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
    )  # fmt: skip
    assert done.stdout == "ge heim cleanup --force --file-prefix=a b sftp://u:geheim@host/srv/a-b "
    assert not (tmp_path / "executed").exists()


def printed(*kinds: Kind, job: Job = JOB) -> str:
    return "\n".join(sum(advise([(kind, job) for kind in kinds]), []))


@pytest.mark.parametrize("kind", [Kind.MISSING_MANIFEST, Kind.FULL_GONE])
@pytest.mark.parametrize("also", [kind for kind in Kind if kind is not Kind.SHRUNK])
def test_no_duplicity_deletes_the_last_copy_of_what_is_gone(kind: Kind, also: Kind) -> None:
    """Each command of duplicity's removes from the archive directory what the destination lacks."""
    if also in (Kind.MISSING_MANIFEST, Kind.FULL_GONE):
        return
    text = printed(kind, also)
    assert "Run neither the job nor any other duplicity command now" in text
    started = [line for line in text.split("\n") if " duplicity " in line and line[:2] == "  "]
    # One with --version or --help, or with an empty archive directory, touches nothing.
    harmless = ("--version", "--help", "EMPTY_DIR", "grep")
    assert [line for line in started if not any(word in line for word in harmless)] == []
    assert "run the job again, in tmux" not in text


def test_an_emptied_source_hides_no_warning_of_what_deletes() -> None:
    text = printed(Kind.MISSING_MANIFEST, Kind.SHRUNK)
    assert "Run neither the job nor any other duplicity command now" in text
    assert "list-current-files" not in text


def test_an_older_chain_stays_while_a_file_is_there_twice() -> None:
    assert "remove-older-than" not in printed(Kind.DOUBLED, Kind.OLD_DAMAGE)


@pytest.mark.parametrize("kind", [Kind.STALE_FULL, Kind.CHAIN, Kind.INCOMPLETE, Kind.NOT_ENCRYPTED])
def test_words_ask_for_no_backup_while_a_manifest_is_to_be_saved(kind: Kind) -> None:
    assert printed(Kind.MISSING_MANIFEST, kind) == printed(Kind.MISSING_MANIFEST)


def test_no_backup_is_made_without_encryption_where_it_is_required() -> None:
    text = printed(Kind.NOT_ENCRYPTED, Kind.STALE_FULL)
    assert "duplicity full" not in text
    assert "Give it --full-if-older-than" in text


def test_options_that_are_not_known_are_said_in_a_sentence() -> None:
    text = printed(Kind.ORPHANED, job=JOB._replace(encrypted=None))
    assert "Only then remove them,\nwith the options of the script (--no-encryption, if" in text


def test_what_would_be_removed_is_listed_first() -> None:
    [line] = [line for line in printed(Kind.OLD_DAMAGE).split("\n") if "remove-older-than" in line]
    assert "--force" not in line


def test_a_jobs_command_line_is_the_users_as_a_whole() -> None:
    job = JOB._replace(script="cd /x && ./b.sh; touch '/F'", login=False)
    line = job.again()
    assert shlex.split(line) == ["sudo", "-Hu", job.user, "--", "sh", "-c", job.script]
    assert (
        job._replace(script="/s/b.sh -q", login=True).again()
        == f"  sudo -iu {job.user} -- /s/b.sh -q"
    )


def test_a_dollar_is_kept_from_the_shell_that_sudo_starts() -> None:
    assert Job(user="u", url="file:///a$b").duplicity("cleanup").startswith("  sudo -Hu u -- ")


def test_no_encryption_is_left_out_unless_the_sets_are_readable() -> None:
    for encrypted in (True, None):
        job = Job(user="u", url="file:///x", encrypted=encrypted)
        lines = "".join(advise([(Kind.ORPHANED, job)])[0]).split("\n")
        assert not any("--no-encryption" in line for line in lines if line.startswith("  "))


def test_nothing_is_said_twice() -> None:
    first, second = advise([(Kind.STALE, JOB), (Kind.INTERRUPTED, JOB)])
    assert first
    assert not set(first) & set(second)


def test_the_output_has_a_status_line_findings_and_advice() -> None:
    found = (
        Finding(Kind.STALE, State.CRITICAL, "last backup 3d ago (limit 56h)"),
        Finding(Kind.ORPHANED, State.WARNING, "1 orphaned backup set"),
    )
    title = "DUPLICITY FRESHNESS"
    told = output(Answer(title, State.CRITICAL, "last backup", NOW, AGE, found, JOB, ("x|y",)))
    lines = told.text.split("\n")
    assert lines[0] == "DUPLICITY FRESHNESS CRITICAL - last backup | age=1s;;;0"
    assert lines[1] == "CRITICAL: last backup 3d ago (limit 56h)"
    assert "WARNING: 1 orphaned backup set" in lines
    assert lines[-2:] == ["x¦y", ""]


def test_a_finding_alone_stands_in_the_status_line_only() -> None:
    found = (Finding(Kind.ORPHANED, State.WARNING, "1 orphaned backup set"),)
    told = output(Answer("T", State.WARNING, "1 orphaned", NOW, found=found, jobs=JOB))
    assert "WARNING: " not in told.text


def test_quiet_leaves_the_first_line() -> None:
    found = (Finding(Kind.ORPHANED, State.WARNING, "1 orphaned backup set"),)
    said = Answer("T", State.WARNING, "1 orphaned", NOW, AGE, found, JOB, ("more",))
    assert output(said, quiet=True).text == "T WARNING - 1 orphaned | age=1s;;;0\n"


def test_what_cannot_be_seen_is_unknown() -> None:
    told = output(unseen("T", CannotSee(Kind.TIMEOUT, "no answer\nin time"), JOB))
    assert told.state == State.UNKNOWN
    assert told.text.startswith("T UNKNOWN - no answer in time\nThe check was not done in time")


@given(st.text())
def test_other_peoples_text_is_harmless(text: str) -> None:
    line = output(Answer("T", State.OK, text, NOW, AGE)).text
    assert line.endswith(" | age=1s;;;0\n")
    assert line.count("\n") == line.count("|") == 1
    assert not set(line) & set("<>\x00\x07\x1b\x7f\x9b\u202e")


def test_the_last_runs_are_looked_for_where_the_job_has_them(tmp_path: Path) -> None:
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "duplicity-full.20200101T000000Z.manifest").write_text("Volume 1:\n")
    (tmp_path / "assets.ini").write_text(
        f"[job]\ndestination = file:///srv\narchive_dir = {tmp_path}\nname = job\n"
        f"mail = '{tmp_path}/a b.log' /var/log/b.log\n"
    )
    (tmp_path / "assets.ini").chmod(0o644)
    tmp_path.chmod(0o755)
    found = run_plugin(
        "check_duplicity_freshness", ["-j", "assets", "--jobs-dir", tmp_path, "--from-archive"]
    )
    assert found.status == State.CRITICAL
    [line] = [line for line in found.out.split("\n") if "check_duplicity_log" in line]
    assert shlex.split(line)[4:] == [f"{tmp_path}/a b.log", "/var/log/b.log"]


@pytest.mark.parametrize("length", range(5, 45))
def test_a_long_text_is_cut_to_what_nrpe_takes(length: int) -> None:
    details = ("x" * length,) * 20_000
    text = output(Answer("T", State.OK, "fine", NOW, jobs=JOB, details=details)).text
    assert len(text) < 60_000
    assert text.endswith(f"\n{'x' * length}\n... (too long, the rest is cut)\n")


@pytest.mark.parametrize(
    ("summary", "shown"),
    [("a \n b|<c>\t", "a b¦‹c›"), ("x" * 600, "x" * 600), ("x" * 601, "x" * 599 + "…")],
)
def test_the_summary_is_one_line_of_600_characters(summary: str, shown: str) -> None:
    assert output(Answer("T", State.OK, summary, NOW)).text == f"T OK - {shown}\n"


def test_each_finding_of_several_has_its_state_and_what_shows_it() -> None:
    one = Finding(Kind.STALE, State.CRITICAL, "old\nbackup", quote="no <set>")
    two = Finding(Kind.CHAIN, State.WARNING, "long chain")
    alone = output(Answer("T", State.CRITICAL, "old", NOW, found=(one,), details=("a\nb", "c")))
    assert alone.text.split("\n") == ["T CRITICAL - old", "  It said: no ‹set›", "a?b", "c", ""]
    both = output(Answer("T", State.CRITICAL, "old", NOW, AGE, (one, two)))
    assert both == (
        State.CRITICAL,
        (
            "T CRITICAL - old | age=1s;;;0\n"
            "CRITICAL: old?backup\n  It said: no ‹set›\nWARNING: long chain\n"
        ),
    )


def test_a_text_of_60000_characters_is_whole() -> None:
    def printed(more: int) -> str:
        details = ("y" * 9, "x" * (60_000 - len("T OK - fine\n\n\n") - 9 + more))
        return output(Answer("T", State.OK, "fine", NOW, details=details)).text

    assert len(printed(0)) == 60_000
    assert printed(1) == f"T OK - fine\n{'y' * 9}\n... (too long, the rest is cut)\n"


def test_performance_data_are_sorted_and_have_plain_upper_limits() -> None:
    measures = (
        (Measure("b", 2, "B"), Limits(Limit("1", "~:1"), Limit("3:4", "3:4"))),
        (Measure("a", 1, "s"), Limits(None, Limit("9", "~:9"))),
        (Measure("c", 3, graphed=False), Limits()),
    )
    assert in_graphs(measures) == "a=1s;;9;0 b=2B;1;3:4;0"
    texts = [Measure("a", 1, text="one"), Measure("b", 1, text="two", said=""), Measure("c", 1),
             Measure("d", 1, text="x", said="four")]  # fmt: skip
    assert said_of(texts) == "one, four"
