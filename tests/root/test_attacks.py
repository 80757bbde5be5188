"""Attacks by another user: programs in disguise, names that are taken, searches that are held up.

As in ``test_rights``: `U` is the user whose job it is, `O` has nothing to do with it. Needs root.
"""

from __future__ import annotations

import os

import pytest
from host import Directory, File, Host, Laid, O, U, planted
from root.test_rights import (
    ALL,
    CHECK,
    DUPLICITY,
    HOME,
    OTHERS,
    SCRIPT,
    URL,
    asked_for,
    cron_d,
    crontab,
    host,
    job_file,
    look,
    of,
    script,
)

__all__ = ["host"]

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for a host of its own"),
]

THEIRS = f"{OTHERS}/duplicity"
PROGRAM: dict[str, Laid] = {THEIRS: planted(O)}


# Programs in disguise

DISGUISED: dict[str, tuple[str, dict[str, Laid]]] = {
    "a blank in its path": (
        "/bin/sh '/opt/o b/duplicity'",
        {"/opt/o b": Directory(O), "/opt/o b/duplicity": planted(O)},
    ),
    "a path from where it is run": (f"/bin/sh {THEIRS[1:]}", PROGRAM),
    "a home": (f"/bin/bash -c 'exec ~{O}/duplicity' -", PROGRAM),
    "an interpreter's interpreter": (
        "/opt/duplicity",
        {
            **PROGRAM,
            "/opt/duplicity": File("#!/opt/interpreter\n", mode=0o755),
            "/opt/interpreter": File(f"#!{THEIRS}\n", mode=0o755),
        },
    ),
    "an interpreter's argument": (
        "/opt/duplicity",
        {**PROGRAM, "/opt/duplicity": File(f"#!/bin/sh {THEIRS}\n", mode=0o755)},
    ),
}  # fmt: skip


@asked_for
@pytest.mark.parametrize("kind", DISGUISED)
def test_a_program_of_another_user_is_seen_in_any_disguise(
    host: Host, kind: str, asked: tuple[str, ...]
) -> None:
    command, files = DISGUISED[kind]
    host.lay({**files, **job_file(destination=URL, duplicity=command)})
    out = look(host, *asked).out
    assert host.runs() == []
    assert f"{O} can change" in out


STARTED_BY_DUPLICITY = {
    "an option of rsync": "duplicity --rsync-options='-e /tmp/x' / rsync://h.invalid/x",
    "an option of ssh": f"duplicity --ssh-options=-oProxyCommand=/tmp/x / {URL}",
    "ssh's configuration": f"duplicity --ssh-options='-F /tmp/x' / {URL}",
    "a variable": "RSYNC_RSH=/tmp/x duplicity / rsync://h.invalid/x",
    "a variable's configuration": f"AWS_CONFIG_FILE=/tmp/x duplicity / {URL}",
    "a configuration of destinations": "duplicity / multi:///tmp/x?mode=mirror",
}


@pytest.mark.parametrize("place", ["comment", "script"])
@pytest.mark.parametrize("kind", STARTED_BY_DUPLICITY)
def test_what_duplicity_would_start_is_not_another_users(host: Host, kind: str, place: str) -> None:
    """Nothing has ever run it: what is gone from /tmp, anybody may put there."""
    line = STARTED_BY_DUPLICITY[kind]
    if place == "comment":
        host.lay(cron_d(f"#0 2 * * * root {line}"))
    else:
        host.lay({**cron_d("0 2 * * * root /opt/b.sh"), "/opt/b.sh": script(f"exit 0\n{line}")})
    host.lay({"/tmp/x": planted(O)})
    look(host)
    assert not [run for run in host.runs() if "/tmp/x" in f"{run.arguments}{run.environment}"]


def test_a_key_of_a_user_is_no_program(host: Host) -> None:
    """Many a backup of root's logs in with the key of the user who owns the destination."""
    option = f"-oIdentityFile={HOME}/.ssh/id_rsa"
    host.lay({f"{HOME}/.ssh/id_rsa": File("key", U, 0o600)})
    host.lay(cron_d(f"0 2 * * * root duplicity --ssh-options={option} / {URL}"))
    host.plugin("duplicity_triage")
    assert [run.uid for run in host.runs() if option in run.arguments] == [0]


# What sudo leaves behind

SECRET = "export PASSPHRASE=geheim-root"
LEAVING = [
    f"sudo -u {U} {SCRIPT}", f"sudo -Hu {U} {DUPLICITY} / {URL}",
    f"sudo -u {U} sh -c '{DUPLICITY} / {URL}'", f"doas -u {U} {DUPLICITY} / {URL}",
    f"sudo --preserve-env=TZ -u {U} {DUPLICITY} / {URL}", f"su - {U} -c {SCRIPT}",
    f"systemd-run --uid={U} {SCRIPT}",
]  # fmt: skip


@pytest.mark.parametrize("start", LEAVING)
def test_what_sudo_leaves_behind_is_not_handed_on(host: Host, start: str) -> None:
    text = f"#!/bin/sh\n{SECRET}\nduplicity /root sftp://h.invalid/root\n{start}\n"
    host.lay({**cron_d("0 2 * * * root /root/b.sh"), "/root/b.sh": File(text, mode=0o700)})
    look(host)
    assert of(U, host.runs())


# Names that are taken

ROOTS_JOB = {
    **cron_d("0 2 * * * root /usr/local/sbin/backup.sh"),
    "/usr/local/sbin/backup.sh": script(f"duplicity / {URL}"),
}
TAKEN = {
    **crontab(O, f"0 2 * * * {OTHERS}/backup.sh"),
    f"{OTHERS}/backup.sh": script(f"duplicity / file://{OTHERS}/good", O),
}


@pytest.mark.parametrize("facts", [{}, {"warning": "1d"}], ids=["no file", "a file with limits"])
@pytest.mark.parametrize("plugin", [ALL[0], CHECK[0]])
def test_no_user_takes_the_name_of_roots_job(
    host: Host, plugin: str, facts: dict[str, str]
) -> None:
    """A good backup of theirs would be shown for root's."""
    host.lay({**ROOTS_JOB, **TAKEN, **(job_file("backup", **facts) if facts else {})})
    look(host, plugin, "-j", "backup")
    [run] = host.runs()
    assert run.uid == 0
    assert URL in run.arguments


@pytest.mark.parametrize("plugin", [ALL[0], CHECK[0]])
def test_no_user_takes_the_name_of_another_users_job(host: Host, plugin: str) -> None:
    """Whose is meant a name doesn't tell, if two users have one of that name."""
    host.lay({f"{HOME}/backup.sh": script(f"duplicity / {URL}", U)})
    host.lay({**crontab(U, f"0 2 * * * {HOME}/backup.sh"), **TAKEN})
    out = look(host, plugin, "-j", "backup").out
    assert host.runs() == []
    assert f"backup-{U}" in out
    look(host, plugin, "-j", f"backup-{U}")
    [run] = host.runs()
    assert URL in run.arguments


# Searches that are held up, or end in an error


def called(count: int) -> dict[str, Laid]:
    """Return scripts that call each other, more than anybody can wait for."""
    return {
        **crontab(O, f"0 2 * * * {OTHERS}/a.sh"),
        f"{OTHERS}/a.sh": script(f"{OTHERS}/b.sh\n" * count, O),
        f"{OTHERS}/b.sh": script(f"{OTHERS}/c.sh\n" * count, O),
        f"{OTHERS}/c.sh": script("true\n" * count, O),
    }


def started_by_o(command: str) -> dict[str, Laid]:
    return crontab(O, f"0 2 * * * {command}")


HOLDING_UP: dict[str, dict[str, Laid]] = {
    "scripts that call each other": called(400),
    "a long script": {
        **started_by_o(f"{OTHERS}/a.sh"), f"{OTHERS}/a.sh": script("a\n" * 450_000, O),
    },
    "a long line": crontab(O, f"A=x{' ' * 300_000}x\n0 2 * * * true"),
    "a name that is none": started_by_o(r"$'/a\0b' duplicity"),
    "a name that is no text": started_by_o(r"$'/a\ud800b' duplicity"),
    "a file that is none": started_by_o(r". $'/a\0b'; duplicity / $URL"),
    "a PATH that is none": started_by_o(r"export PATH=$'/a\0b'; duplicity / $URL"),
}  # fmt: skip


@pytest.mark.parametrize("kind", HOLDING_UP)
def test_no_user_holds_up_the_search_for_others_jobs(host: Host, kind: str) -> None:
    host.lay({**ROOTS_JOB, **HOLDING_UP[kind]})
    out = look(host, "duplicity_triage", "-t", "15", "backup").out
    assert "  destination  " in out
    assert [run.uid for run in host.runs() if URL in run.arguments] == [0]


def test_many_jobs_of_a_user_keep_no_others_waiting(host: Host) -> None:
    hanging = "".join(f"0 2 * * * {THEIRS} / sftp://o@h.invalid/{n}\n" for n in range(40))
    host.lay({THEIRS: script("exec sleep 100", O), **crontab(O, hanging)})
    host.lay({**cron_d("0 2 * * * root /opt/z.sh"), "/opt/z.sh": script(f"duplicity / {URL}")})
    # Long enough for the one that answers, however busy the machine is.
    out = host.plugin("duplicity_triage", "-t", "10").out
    assert out.startswith("z: ")
    assert out.count("\nduplicity") == 40


def test_another_name_of_roots_is_no_other_user(host: Host) -> None:
    host.sh("sed -i '1i toor:x:0:0::/root:/bin/sh' /etc/passwd")
    host.lay(ROOTS_JOB)
    assert "toor" not in look(host).out
    assert [run.uid for run in host.runs()] == [0]


@pytest.mark.parametrize("command", [
    "/run/theirs duplicity / $URL", ". /run/theirs; duplicity / $URL",
    "python3 /run/theirs; duplicity / $URL",
])  # fmt: skip
def test_root_opens_no_device_that_a_user_names(host: Host, command: str) -> None:
    """To open a tape rewinds it, a watchdog's device begins to count; a pipe tells here."""
    host.sh("mkfifo -m 600 /run/theirs")
    host.sh("(echo x > /run/theirs; touch /run/opened) > /dev/null 2>&1 &")
    host.lay(started_by_o(command))
    host.plugin("duplicity_triage")
    # It still waits for somebody who opens it: that is us, then.
    assert host.run("test", "-e", "/run/opened").status == 1
    assert host.run("timeout", "5", "cat", "/run/theirs").out == "x\n"
