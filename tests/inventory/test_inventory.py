"""The check notices jobs that are not monitored, and each way of switching a job off."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Union

import pytest
from check_duplicity.inventory import judge, see
from check_duplicity.inventory.model import Clocks, Seen
from check_duplicity.jobs.see import find
from check_duplicity.nagios.findings import CannotSee, Kind, State
from found import JOBS_D, SPOOL, UNITS, cron, write

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=timezone.utc)
SCRIPT = "#!/bin/sh\nduplicity / file:///b\n"
PYTHON = "#!/usr/bin/python3\nimport subprocess\nsubprocess.run(['x'])\n"
JOB = "[job]\nuser = root\ndestination = file:///b\n"
FILE = f"{JOBS_D}/web.ini"
WEB = {FILE: JOB}
TIMER = "[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\n"
SERVICE = "[Service]\nType=oneshot\nExecStart=/s/web.sh\n"
WANTS = "timers.target.wants"
VENDOR = "/usr/lib/systemd/system"
TIMED = {f"{UNITS}/web.timer": TIMER, f"{UNITS}/web.service": SERVICE, "/s/web.sh": SCRIPT}
SHIPPED = {f"{VENDOR}/web.timer": TIMER, f"{VENDOR}/web.service": SERVICE, "/s/web.sh": SCRIPT}
ENABLED = {f"{UNITS}/{WANTS}/web.timer": f"-> {UNITS}/web.timer"}
CRON_D = "/etc/cron.d/web"
NIGHTLY = {CRON_D: "0 2 * * * root /s/web.sh\n", "/s/web.sh": SCRIPT}
DUP = "[dest]\ndesturl = file:///b\n[gpg]\npassword = x\n"
NINJA = {"/etc/cron.d/backupninja": "0 * * * * root if [ -x /n ]; then /usr/sbin/backupninja; fi\n"}
DUPLY = {"/etc/duply/web/conf": "TARGET='file:///b'\nGPG_PW=x\n"}

Files = Mapping[str, Union[str, bytes]]
Told = list[tuple[State, Kind, str]]


def lay(root: Path, *files: Files) -> None:
    """Lay out files; ``-> TARGET`` is a link, and what begins with ``#!`` can be executed."""
    for some in files:
        for path, text in some.items():
            file = root / path.lstrip("/")
            if isinstance(text, str) and text.startswith("-> "):
                file.parent.mkdir(parents=True, exist_ok=True)
                file.symlink_to(text[3:])
                continue
            write(root, {path: text})
            file.chmod(0o755 if text[:2] in ("#!", b"#!") else 0o644)
            for place in file.parents:  # Whatever the umask is: nobody else decides what is there.
                if root in place.parents:
                    place.chmod(0o755)
    (root / "run/systemd/system").mkdir(parents=True, exist_ok=True)


IGNORED = "has a name that cron passes over"
RUNNING = Clocks()


def look(root: Path, *files: Files, runs: Clocks = RUNNING, ignored: tuple[str, ...] = ()) -> Seen:
    lay(root, *files)
    return see.look(str(root) + JOBS_D, runs, ignored, str(root))


def told(seen: Seen, before: judge.Before | None = None) -> Told:
    return [(one.state, one.kind, one.text) for one in judge.judge(seen, before or {})]


def off(text: str) -> Told:
    return [(State.CRITICAL, Kind.NOT_STARTED, f"web is not started: {text}")]


NOTHING = [(State.WARNING, Kind.NO_STARTER, "nothing was found that starts web")]


def counts(seen: Seen) -> tuple[int, ...]:
    return tuple(measure.value for measure in judge.measure(seen, {}))


@pytest.mark.parametrize(
    "files",
    [
        (cron("0 2 * * * /s/web.sh"), {"/s/web.sh": SCRIPT}),
        (cron("0 2 * * * duplicity / file:///b"),),
        (cron("0 2 * * * sh /s/plain.sh"), {"/s/plain.sh": "duplicity / file:///b\n"}),
        (NIGHTLY,),
        # An old line beside it, that nobody took away.
        (NIGHTLY, cron("#0 3 * * * /s/web.sh")),
        ({"/etc/cron.daily/web": SCRIPT},),
        (TIMED, ENABLED),
        (SHIPPED, {f"{UNITS}/{WANTS}/web.timer": f"-> {VENDOR}/web.timer"}),
        (SHIPPED, {f"{VENDOR}/{WANTS}/web.timer": "-> ../web.timer"}),
        (TIMED, {f"{UNITS}/multi-user.target.requires/web.timer": f"-> {UNITS}/web.timer"}),
        (TIMED, {f"{UNITS}/backup.target": "[Unit]\nWants=other.timer web.timer\n"}),
        ({f"{UNITS}/w@.timer": TIMER, f"{UNITS}/w@.service": SERVICE, "/s/web.sh": SCRIPT},
         {f"{UNITS}/{WANTS}/w@a.timer": f"-> {UNITS}/w@.timer"}),
        (DUPLY, {CRON_D: "0 2 * * * root duply web backup\n"}),
        (NINJA, {"/etc/backup.d/20-web.dup": DUP}),
        # What starts it leads to its destination, whatever its file's script is.
        ({FILE: JOB + "script = /s/old.sh\n"}, NIGHTLY),
    ],
)  # fmt: skip
def test_a_job_with_a_file_that_is_started_is_good(
    files: tuple[Files, ...], tmp_path: Path
) -> None:
    seen = look(tmp_path, WEB, *files)
    assert (told(seen), counts(seen)) == ([], (1, 0, 0))


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ((cron("#0 2 * * * /s/web.sh"), {"/s/web.sh": SCRIPT}), f"{SPOOL}:1 is commented out"),
        (({CRON_D: "#0 2 * * * root duplicity / file:///b\n"},), f"{CRON_D}:1 is commented out"),
        ((DUPLY, {CRON_D: "# 0 2 * * * root duply web backup\n"}), f"{CRON_D}:1 is commented out"),
        ((TIMED,), f"{UNITS}/web.timer is not enabled"),
        ((SHIPPED, {f"{UNITS}/web.timer": "-> /dev/null"}), f"{VENDOR}/web.timer is masked"),
        ((SHIPPED, {f"{UNITS}/web.timer": ""}), f"{VENDOR}/web.timer is masked"),
        ((SHIPPED, ENABLED, {f"{UNITS}/web.service": "-> /dev/null"}),
         f"{VENDOR}/web.timer starts web.service, which is masked"),
        (({f"{CRON_D}.disabled": "0 2 * * * root /s/web.sh\n", "/s/web.sh": SCRIPT,
           "/usr/sbin/cron": "#!x"},),
         f"{CRON_D}.disabled:1 has a name that cron passes over"),
        (({"/etc/cron.daily/web.off": SCRIPT, "/usr/sbin/cron": "#!x"},),
         "/etc/cron.daily/web.off has a name that cron passes over"),
        ((NINJA, {"/etc/backup.d/020-web.dup": DUP}),
         "/etc/backup.d/020-web.dup has a name that backupninja passes over"),
        ((NINJA, {"/etc/backup.d/20-web.dup.disabled": DUP}),
         "/etc/backup.d/20-web.dup.disabled has a name that backupninja passes over"),
        (({"/etc/cron.daily/web": SCRIPT.partition("\n")[2]},),
         "/etc/cron.daily/web is not executable (/etc/cron.daily)"),
        (({CRON_D: "0 2 * * * root /s/web.sh\n", "/s/web.sh": SCRIPT[3:]},),
         f"/s/web.sh is not executable ({CRON_D}:1)"),
    ],
)  # fmt: skip
def test_each_way_of_switching_a_job_off_is_critical(
    files: tuple[Files, ...], expected: str, tmp_path: Path
) -> None:
    seen = look(tmp_path, WEB, *files)
    assert (told(seen), counts(seen)) == (off(expected), (1, 0, 1))


@pytest.mark.parametrize(
    ("files", "runs", "expected"),
    [
        ((NIGHTLY,), Clocks(cron="cron is not running"),
         f"{CRON_D}:1 is not read: cron is not running"),
        (({"/etc/cron.daily/web": SCRIPT},), Clocks(cron="x", daily="cron is not running"),
         "/etc/cron.daily is not read: cron is not running"),
        (({"/etc/cron.daily/web": SCRIPT},), Clocks(cron="cron is not running"), ""),
        ((TIMED, ENABLED), Clocks(cron="cron is not running"), ""),
        ((TIMED, ENABLED), Clocks(systemd="systemd is not running"),
         f"{UNITS}/web.timer is not waited for: systemd is not running"),
        ((NIGHTLY, TIMED, ENABLED), Clocks(cron="cron is not running"), ""),
    ],
)  # fmt: skip
def test_a_clock_that_stands_still_starts_nothing(
    files: tuple[Files, ...], runs: Clocks, expected: str, tmp_path: Path
) -> None:
    assert told(look(tmp_path, WEB, *files, runs=runs)) == (off(expected) if expected else [])


@pytest.mark.parametrize(
    ("script", "files", "expected"),
    [
        ("/s/web.sh", {}, off("there is no /s/web.sh")),
        ("/s/web.sh --full", {CRON_D: "0 2 * * * root /s/web.sh --full > /dev/null\n"},
         off(f"there is no /s/web.sh ({CRON_D}:1)")),
        ("nice /s/web.sh", {CRON_D: "0 2 * * * root cd / && /s/web.sh\n"},
         off(f"there is no /s/web.sh ({CRON_D}:1)")),
        # A program that can't be read is started all the same.
        ("/s/web.py", {"/s/web.py": PYTHON, CRON_D: "0 2 * * * root /s/web.py\n"}, []),
        ("/s/web.py", {"/s/web.py": PYTHON, CRON_D: "#0 2 * * * root /s/web.py\n"},
         off(f"{CRON_D}:1 is commented out")),
        ("/s/web.py", {"/s/web.py": PYTHON, **TIMED, f"{UNITS}/web.service":
                       SERVICE.replace("web.sh", "web.py")},
         off(f"{UNITS}/web.timer is not enabled")),
        ("/s/web.py", {"/s/web.py": PYTHON[3:]}, off("/s/web.py is not executable")),
        ("/s/web.py", {"/s/web.py": PYTHON}, NOTHING),
        ("duply web backup", {}, NOTHING),
    ],
)  # fmt: skip
def test_what_the_file_says_is_the_script_is_looked_for(
    script: str, files: Files, expected: Told, tmp_path: Path
) -> None:
    found = told(look(tmp_path, {FILE: f"{JOB}script = {script}\n"}, files))
    # That it is gone is said once for the file, and once for what starts it.
    assert [(state, kind) for state, kind, _ in found] == [one[:2] for one in expected]
    assert all(text.split(": ")[-1] in one[2] for one, (*_, text) in zip(found, expected))


def test_what_was_never_found_started_is_no_proof(tmp_path: Path) -> None:
    seen = look(tmp_path, WEB)
    assert (told(seen), counts(seen)) == (NOTHING, (1, 0, 1))


@pytest.mark.parametrize("files", [{}, {CRON_D: "#0 2 * * * root duplicity / file:///b\n"}])
def test_the_file_can_say_that_it_is_started_elsewhere(files: Files, tmp_path: Path) -> None:
    seen = look(tmp_path, {FILE: JOB + "started = elsewhere\nscript = /gone\n"}, files)
    assert (told(seen), counts(seen)) == ([], (1, 0, 0))
    assert (
        judge.measure(seen, {})[0].said
        == "1 job: all are monitored and started, 1 of them elsewhere"
    )
    assert list(judge.details(seen)) == ["web: monitored, started elsewhere, as its file says"]


class TestMemory:
    def test_what_started_it_is_gone(self, tmp_path: Path) -> None:
        """A line that was taken away leaves nothing to see: but it was there before."""
        before = judge.remembered(look(tmp_path, WEB, NIGHTLY), {}, NOW)
        (tmp_path / CRON_D[1:]).unlink()
        seen = look(tmp_path)
        expected = f"what started it until 2026-11-24 02:00 UTC is gone: {CRON_D}:1"
        assert told(seen, before) == off(expected)
        assert judge.remembered(seen, before, NOW) == before, "and stays gone"

    def test_it_was_moved(self, tmp_path: Path) -> None:
        before = judge.remembered(look(tmp_path, WEB, NIGHTLY), {}, NOW)
        (tmp_path / CRON_D[1:]).unlink()
        seen = look(tmp_path, TIMED, ENABLED)
        assert told(seen, before) == []
        assert judge.remembered(seen, before, NOW)["web"][0] == f"{UNITS}/web.timer"

    def test_its_file_says_now_that_it_is_started_elsewhere(self, tmp_path: Path) -> None:
        before = judge.remembered(look(tmp_path, WEB, NIGHTLY), {}, NOW)
        seen = look(tmp_path, {FILE: JOB + "started = elsewhere\n"}, {CRON_D: ""})
        assert (told(seen, before), judge.remembered(seen, before, NOW)) == ([], {})

    @pytest.mark.parametrize("value", [None, 1, [], ["a"], ["a", 1], {"a": "b"}, ["a", "b", "c"]])
    def test_what_it_never_kept_is_not_heeded(self, value: object) -> None:
        assert judge.read_before({"web": value, "db": ["a", "b"]}) == {"db": ["a", "b"]}


class TestNotMonitored:
    def test_a_job_without_a_file(self, tmp_path: Path) -> None:
        seen = look(tmp_path, NIGHTLY)
        text = f"web is not monitored: it has no job's file (found in {CRON_D}:1)"
        assert told(seen) == [(State.WARNING, Kind.NOT_MONITORED, text)]
        assert counts(seen) == (1, 1, 0)

    def test_a_second_destination_of_the_same_script(self, tmp_path: Path) -> None:
        both = SCRIPT + "duplicity / file:///c\n"
        seen = look(tmp_path, WEB, {CRON_D: NIGHTLY[CRON_D], "/s/web.sh": both})
        assert [(kind, text.split()[0]) for _, kind, text in told(seen)] == [
            (Kind.NOT_MONITORED, "web-2")
        ]

    def test_a_file_of_another_name_is_the_jobs(self, tmp_path: Path) -> None:
        seen = look(tmp_path, {f"{JOBS_D}/assets.ini": JOB}, NIGHTLY)
        assert (told(seen), counts(seen)) == ([], (1, 0, 0))

    def test_a_file_names_the_script_where_the_destination_cannot_be_known(
        self, tmp_path: Path
    ) -> None:
        unknown = {CRON_D: NIGHTLY[CRON_D], "/s/web.sh": '#!/bin/sh\nduplicity / "$(cat /x)"\n'}
        seen = look(tmp_path, {f"{JOBS_D}/assets.ini": JOB + "script = /s/web.sh\n"}, unknown)
        assert (told(seen), counts(seen)) == ([], (1, 0, 0))

    @pytest.mark.parametrize("user", ["root", "bk"])
    def test_another_users_job_with_the_same_destination_is_another(
        self, user: str, tmp_path: Path
    ) -> None:
        files = {CRON_D: f"0 2 * * * {user} duplicity / file:///b\n"}
        kinds = [kind for _, kind, _ in told(look(tmp_path, WEB, files))]
        assert kinds == ([] if user == "root" else [Kind.NOT_MONITORED, Kind.NO_STARTER])

    def test_nobody_else_can_make_it_look_started(self, tmp_path: Path) -> None:
        """A file that names no user is root's: what another user starts is another job."""
        nobodys = JOB.replace("user = root\n", "") + "script = /s/web.sh\n"
        files = {"/var/spool/cron/crontabs/bk": "0 2 * * * /s/web.sh\n", "/s/web.sh": SCRIPT}
        kinds = [kind for _, kind, _ in told(look(tmp_path, {FILE: nobodys}, files))]
        assert Kind.NO_STARTER in kinds

    def test_what_is_off_and_has_no_file_is_passed_over(self, tmp_path: Path) -> None:
        """An example in a comment, a timer that a package brings: nobody wants it to run."""
        seen = look(tmp_path, TIMED, cron("# 0 3 * * * duplicity / file:///c"))
        assert (told(seen), counts(seen)) == ([], (0, 0, 0))
        why = "passed over, since it has no job's file and is off"
        assert sorted(judge.details(seen)) == [
            f"duplicity: {why}: {SPOOL}:1 is commented out",
            f"web: {why}: {UNITS}/web.timer is not enabled",
        ]

    def test_what_is_ignored_is_no_job_of_ours(self, tmp_path: Path) -> None:
        seen = look(tmp_path, NIGHTLY, ignored=("web",))
        assert (told(seen), counts(seen)) == ([], (0, 0, 0))

    def test_our_own_programs_are_no_jobs(self, tmp_path: Path) -> None:
        drill = {CRON_D: "30 4 * * sun root nice -n 19 /usr/bin/duplicity_drill -j assets\n"}
        seen = look(tmp_path, drill)
        assert (seen.jobs, seen.unread) == ((), ())


class TestNotSeen:
    def test_a_program_with_duplicity_in_it(self, tmp_path: Path) -> None:
        about = "#!/usr/bin/python3\nimport subprocess\nsubprocess.run(['duplicity', '/', 'x'])\n"
        files = {CRON_D: "0 2 * * * root /s/b.py\n", "/s/b.py": about}
        seen = look(tmp_path, files)
        text = "/s/b.py: is not a shell script, but has duplicity in it"
        assert judge.unseen(seen, "root") == f"not all jobs can be seen: {text}"
        assert judge.unseen(look(tmp_path, ignored=("/s/b.py",)), "root") == ""

    def test_crontabs_that_only_root_can_read(self, tmp_path: Path) -> None:
        if os.geteuid() == 0:
            pytest.skip("root may look everywhere")
        lay(tmp_path, WEB, cron("0 2 * * * duplicity / file:///b"))
        spool = tmp_path / "var/spool/cron/crontabs"
        spool.chmod(0o300)
        try:
            seen = look(tmp_path)
        finally:
            spool.chmod(0o700)
        assert told(seen) == [], "what starts it may be there"
        expected = "not all jobs can be seen by me, who may not look into /var/spool/cron/crontabs"
        assert judge.unseen(seen, "me") == expected

    def test_of_many_hidden_places_two_are_named(self) -> None:
        seen = Seen((), ("/root", "/home/a", "/home/b", "/home/c"))
        expected = "not all jobs can be seen by me, who may not look into /root, /home/a and 2 more"
        assert judge.unseen(seen, "me") == expected

    def test_a_directory_of_files_that_cannot_be_read(self, tmp_path: Path) -> None:
        if os.geteuid() == 0:
            pytest.skip("root may look everywhere")
        lay(tmp_path, WEB)
        (tmp_path / JOBS_D[1:]).chmod(0)
        with pytest.raises(CannotSee) as raised:
            look(tmp_path)
        (tmp_path / JOBS_D[1:]).chmod(0o755)
        assert raised.value.kind is Kind.NOT_ALL_SEEN

    def test_a_file_that_is_wrong_is_said_and_its_job_counts_as_monitored(
        self, tmp_path: Path
    ) -> None:
        seen = look(tmp_path, {FILE: "[jab]\n"}, NIGHTLY)
        assert told(seen) == []
        assert judge.unseen(seen, "root").endswith("web.ini: it must have one section, [job]")


def test_each_place_is_named_with_its_jobs_or_that_it_has_none(tmp_path: Path) -> None:
    lay(
        tmp_path, NIGHTLY, TIMED, cron("0 3 * * * /s/web.sh", "0 4 * * * duplicity / file:///c"),
        {"/etc/cron.daily/db": "#!/bin/sh\nduplicity / file:///d\n", "/etc/cron.daily/apt": "#!x",
         "/etc/cron.d/e2": "1 1 * * * root /e\n2 2 * * * root /f\n", "/usr/sbin/cron": "#!x",
         "/etc/cron.d/e2.bak": "1 1 * * * root /e\n"},
    )  # fmt: skip
    found = find(str(tmp_path) + JOBS_D, str(tmp_path)).jobs
    none = "passed over, nothing was found there that makes a backup"
    assert sorted(see.looked_at(found, str(tmp_path))) == [
        f"/etc/cron.d/e2.bak: passed over, it {IGNORED}",
        f"/etc/cron.d/e2: {none}",
        f"{CRON_D}: web",
        f"/etc/cron.daily/apt: {none}",
        "/etc/cron.daily/db: db",
        f"{UNITS}/web.timer: web",
        f"{SPOOL}: duplicity, web",
    ]


class TestClocks:
    def test_cron_by_timers_of_systemd(self, tmp_path: Path) -> None:
        generated = "/run/systemd/generator/cron-web-root-0.timer"
        lay(tmp_path, {generated: TIMER})
        assert see.clocks(str(tmp_path)) == Clocks()

    def test_anacron_does_what_is_daily(self, tmp_path: Path) -> None:
        lay(tmp_path, {"/usr/sbin/anacron": "#!x"})
        (tmp_path / "run/systemd/system").rmdir()
        found = see.clocks(str(tmp_path))
        assert (found.daily, found.systemd) == ("", "systemd is not running")
