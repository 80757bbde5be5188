"""Who decides which programs run for a job, and with whose rights they run.

Every program for a job runs as the job's user, and only if nobody but root and that user decides
what it is. On a scratch host, two users plant programs that record who ran them: `U`, the job's
user, and `O`, another user. Needs root.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from email.utils import formatdate
from pathlib import Path

import pytest
from host import (
    SEEN,
    USERS,
    Directory,
    Ended,
    File,
    Host,
    Laid,
    Link,
    O,
    Run,
    U,
    planted,
    planted_module,
    scratch,
)
from plugin import BIN
from samples import CAPTURES

JOBS = "/etc/check-duplicity/jobs.d"
ROOTS_SECRET = "geheim-root"
URL = "sftp://u@h.invalid/x"
HOME, OTHERS = f"/home/{U}", f"/home/{O}"
SCRIPT = f"{HOME}/b.sh"
DUPLICITY = f"{HOME}/bin/duplicity"

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for a host of its own"),
]


@pytest.fixture
def host() -> Iterator[Host]:
    """A host where the users' own program is planted, and root's, which everybody has."""
    with scratch(
        {
            DUPLICITY: planted(U),
            SCRIPT: script(f"{DUPLICITY} {HOME} {URL}", U),
            "/usr/local/bin/duplicity": planted("root"),
            "/root/secret": File(f"export PASSPHRASE={ROOTS_SECRET}\n", mode=0o600),
        }
    ) as host:
        yield host


def script(text: str, owner: str = "root", mode: int = 0o755, group: str = "") -> File:
    return File(f"#!/bin/sh\n{text}\n", owner, mode, group)


def cron_d(line: str, owner: str = "root", mode: int = 0o644) -> dict[str, Laid]:
    return {"/etc/cron.d/job": File(f"{line}\n", owner, mode)}


def crontab(user: str, line: str) -> dict[str, Laid]:
    return {f"/var/spool/cron/crontabs/{user}": File(f"{line}\n", user, 0o600)}


def timer(command: str, more: str = "", name: str = "job") -> dict[str, Laid]:
    place = "/etc/systemd/system"
    return {
        f"{place}/{name}.timer": File("[Timer]\nOnCalendar=daily\n"),
        f"{place}/{name}.service": File(f"[Service]\nType=oneshot\n{more}\nExecStart={command}\n"),
    }


def job_file(name: str = "job", /, **facts: str) -> dict[str, Laid]:
    lines = "".join(f"{key} = {value}\n" for key, value in facts.items())
    return {f"{JOBS}/{name}.ini": File(f"[job]\n{lines}")}


def look(
    host: Host, plugin: str = "duplicity_triage", *arguments: object, **options: object
) -> Ended:
    """Run a plugin, by default root's triage of all jobs; whatever it says, nobody got anything."""
    environment = {"SECRET": ROOTS_SECRET, **options.pop("environment", {})}  # type: ignore[dict-item]
    ended = host.plugin(plugin, *arguments, environment=environment, **options)
    assert_valid(ended)
    assert ROOTS_SECRET not in ended.out
    assert_nobody_gained(host.runs())
    assert_offered_rightly(ended.out)
    return ended


def assert_valid(ended: Ended) -> None:
    """One answer: a verdict for each job and for each only one, or why there is none."""
    assert ended.err == ""
    assert ended.status in (0, 1, 2, 3)
    assert "Traceback" not in ended.out
    states = ("OK", "WARNING", "CRITICAL", "UNKNOWN")
    if " - " in ended.out.split("\n")[0]:
        assert f" {states[ended.status]} - " in ended.out.split("\n")[0]
        return
    verdicts = re.findall(rf"(?m)^(\S+): ({'|'.join(states)}), \S", ended.out)
    names = [name for name, _ in verdicts]
    assert verdicts
    assert len(set(names)) == len(names)
    worst = max(
        (state for _, state in verdicts), key=("OK", "UNKNOWN", "WARNING", "CRITICAL").index
    )
    assert states[ended.status] == worst


def assert_nobody_gained(runs: list[Run]) -> None:
    """No user's program got other rights than that user's, or what is root's."""
    assert [run for run in runs if not run.rightly] == []
    others = [run for run in runs if run.uid != 0 or run.planter != "root"]
    assert [run for run in others if ROOTS_SECRET in f"{run.arguments}\n{run.environment}"] == []
    # Nor does a user decide by variables what another's, or root's own, program does.
    for run in runs:
        strangers = [user for user, uid in USERS.items() if uid != run.uid]
        assert not re.search("|".join(strangers), run.environment), run


def assert_offered_rightly(out: str, theirs: Mapping[str, str] | None = None) -> None:
    """What a user decides is offered for pasting as that user's alone.

    ``theirs`` says of more beginnings of paths who decides what is there.
    """
    whose = {HOME: U, OTHERS: O, "/tmp/": O, **(theirs or {})}
    for line in commands_in(out):
        for user, words in effects(line):
            if is_ours(words):
                continue
            for place, decider in whose.items():
                assert user == decider or not any(place in word for word in words), line


def commands_in(out: str) -> list[str]:
    """The lines to type."""
    indent = "  "
    if re.search(r"(?m)^  What to do:$", out) or not re.match(".* - ", out):  # triage's
        indent = "    "
        out = "".join(re.findall(r"(?ms)^  What to do:$.*?(?=^\S|\Z)", out))
    lines = [line.strip() for line in out.split("\n") if re.match(rf"{indent}\S", line)]
    return [line for line in lines if not line.startswith("It said: ")]


def effects(line: str) -> Iterator[tuple[str, list[str]]]:
    """As whom a line, typed by root, runs which words; what is in it for another first."""
    words = []
    for word in shlex.split(line):
        if word.startswith("$("):
            yield from effects(word[2:].rstrip(")"))
        else:
            words.append(word)
    user = "root"
    while words[:1] == ["sudo"]:
        user, words = of_sudo(words[1:], line)
    yield user, words


def of_sudo(words: list[str], line: str) -> tuple[str, list[str]]:
    """Whom sudo becomes, and what it runs then; it has no options but a user."""
    user = "root"
    if words and re.fullmatch("-[niH]*u", words[0]):
        user = words[1]
        assert not user.startswith("-"), line
        words = words[2:]
    if words[:1] == ["--"]:
        words = words[1:]
    assert words, line
    assert not words[0].startswith("-"), line
    return user, words


def is_ours(words: list[str]) -> bool:
    """Whether it is a check, which becomes the user whom it is given before it looks."""
    return bool(words) and words[0].startswith(f"{BIN}/") and "-u" in words


def of(user: str, runs: list[Run]) -> list[Run]:
    return [run for run in runs if run.planter == user]


# How a job is asked for.
ALL = ("duplicity_triage",)
NAMED = ("duplicity_triage", "job")
CHECK = ("check_duplicity_freshness", "-j", "job")
DRILL = ("duplicity_drill", "-j", "job", "-t", "60")
ASKED = {"all": ALL, "named": NAMED, "check": CHECK, "drill": DRILL}
asked_for = pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)


# The user in front of a called script

SWITCHES = [
    f"sudo -u {U} {SCRIPT}",
    f"sudo -n -H -u {U} -- {SCRIPT}",
    f"sudo -iu {U} {SCRIPT}",
    f"sudo --user={U} sh {SCRIPT}",
    f"sudo -u '#{USERS[U]}' {SCRIPT}",
    f"/usr/bin/sudo -u {U} /bin/bash -e {SCRIPT}",
    f"doas -u {U} {SCRIPT}",
    f"su {U} -c {SCRIPT}",
    f"su - {U} -c {SCRIPT}",
    f"su -l {U} -s /bin/sh -c 'nice {SCRIPT}'",
    f"su -c {SCRIPT} {U}",
    f"runuser -u {U} {SCRIPT}",
    f"runuser -u {U} -- {SCRIPT}",
    f"runuser -l {U} -c {SCRIPT}",
    f"setpriv --reuid {U} --regid {U} --init-groups {SCRIPT}",
    f"setpriv --reuid={USERS[U]} --clear-groups {SCRIPT}",
    f"systemd-run --uid {U} {SCRIPT}",
    f"systemd-run --wait --uid={U} --collect {SCRIPT}",
    f"flock -n /run/lock/job sudo -u {U} {SCRIPT}",
    f"flock -n /run/lock/job -c 'sudo -u {U} {SCRIPT}'",
    f"nice -n 10 ionice -c3 sudo -u {U} {SCRIPT}",
    f"sh -c 'sudo -u {U} {SCRIPT}'",
    f"cd / && sudo -u {U} {SCRIPT} > /dev/null 2>&1",
    f"env X=1 timeout 5h su {U} -c {SCRIPT}",
    f"chroot --userspec={U} / {SCRIPT}",
    f"start-stop-daemon --start --chuid {U} --exec {SCRIPT}",
    f"chpst -u {U} {SCRIPT}",
    f"setuidgid {U} {SCRIPT}",
    f"gosu {U} {SCRIPT}",
    f"ssh {U}@localhost {SCRIPT}",
    f"WHO={U}; sudo -u $WHO {SCRIPT}",
    f"sudo -u $(stat -c %U {SCRIPT}) {SCRIPT}",
    f"sudo -u {O} sudo -u {U} {SCRIPT}",
    SCRIPT,
]


# Those whose meaning is sure.
PLAIN = [*SWITCHES[:4], *SWITCHES[6:9], *SWITCHES[10:14], SWITCHES[18]]
PLACES = ["cron.d", "crontab", "cron.daily", "script", "timer"]


@pytest.mark.parametrize(
    ("place", "switch"),
    [("cron.d", switch) for switch in SWITCHES]
    + [(place, switch) for place in PLACES[1:] for switch in (PLAIN[0], PLAIN[5], PLAIN[-1])],
)
def test_what_a_switch_of_user_starts_never_runs_as_root(
    host: Host, place: str, switch: str
) -> None:
    places: dict[str, dict[str, Laid]] = {
        "cron.d": cron_d(f"0 2 * * * root {switch}"),
        "crontab": crontab("root", f"0 2 * * * {switch}"),
        "cron.daily": {"/etc/cron.daily/job": script(switch)},
        "script": {
            **cron_d("0 2 * * * root /usr/local/sbin/job"),
            "/usr/local/sbin/job": script(switch),
        },
        "timer": timer(f"/usr/bin/env sh -c {shlex.quote(switch)}"),
    }
    host.lay(places[place])
    look(host)


@pytest.mark.parametrize("switch", PLAIN)
def test_what_a_switch_of_user_starts_is_looked_at_as_that_user(host: Host, switch: str) -> None:
    host.lay(cron_d(f"0 2 * * * root {switch}"))
    out = look(host).out
    assert of(U, host.runs())
    assert f"  user         {U} " in out
    [again] = [line for line in commands_in(out) if SCRIPT in line and "grep" not in line]
    [(user, words)] = effects(again)
    assert (user, words[-1].split()[-1]) == (U, SCRIPT)
    # Pasted it is that user's, too.
    host.lay({SCRIPT: planted(U)})
    host.forget_runs()
    host.run("bash", "-c", again)
    assert [run.rightly for run in of(U, host.runs())] == [True]


@pytest.mark.parametrize("command", [
    f"/usr/bin/sudo -u {U} {SCRIPT}", f"+/usr/bin/sudo -u {U} {SCRIPT}",
    f"!/sbin/runuser -u {U} -- {SCRIPT}", f"/bin/su - {U} -c {SCRIPT}",
    f"-/usr/bin/setpriv --reuid={U} --clear-groups {SCRIPT}",
    f"/bin/sh -c 'exec sudo -u {U} {SCRIPT}'",
])  # fmt: skip
def test_a_services_command_that_becomes_another_user(host: Host, command: str) -> None:
    host.lay(timer(command))
    look(host)
    assert of(U, host.runs())


@pytest.mark.parametrize("place", [
    "/etc/systemd/system/job", "/usr/lib/systemd/system/job", "/run/systemd/system/job",
    "/etc/systemd/system/",
])  # fmt: skip
def test_a_user_in_a_drop_in_counts(host: Host, place: str) -> None:
    host.lay(
        {
            **timer(SCRIPT),
            f"{place}.service.d/u.conf".replace("/.", "/"): File(f"[Service]\nUser={U}\n"),
        }
    )
    out = look(host).out
    assert of(U, host.runs())
    assert f"  user         {U} " in out


def test_the_last_user_of_a_service_counts(host: Host) -> None:
    """Of O's program behind a service of U nothing is run."""
    host.lay(
        {
            **timer(f"{OTHERS}/b.sh", f"User={O}"),
            "/etc/systemd/system/job.service.d/1.conf": File("[Service]\nUser=root\n"),
            "/etc/systemd/system/job.service.d/2.conf": File(f"[Service]\nUser={U}\n"),
            f"{OTHERS}/b.sh": script(f"{OTHERS}/duplicity / {URL}", O),
            f"{OTHERS}/duplicity": planted(O),
        }
    )
    look(host)
    assert not of(O, host.runs())


def test_another_command_of_a_drop_in_is_what_a_service_runs(host: Host) -> None:
    drop_in = f"[Service]\nExecStart=\nExecStart=/usr/bin/sudo -u {U} {SCRIPT}\n"
    host.lay(
        {
            **timer("/usr/bin/true"),
            "/etc/systemd/system/job.service.d/x.conf": File(drop_in),
        }
    )
    look(host)
    assert of(U, host.runs())


@pytest.mark.parametrize(
    "user", [f"User={USERS[U]}", "User=%i", "DynamicUser=yes", "User=nosuchuser"]
)
def test_a_service_whose_user_is_written_otherwise(host: Host, user: str) -> None:
    name = f"job@{U}"
    host.lay(
        {
            **timer(SCRIPT, user, "job@"),
            f"/etc/systemd/system/{name}.timer": File("[Timer]\nOnCalendar=daily\n"),
            **timer(SCRIPT, user),
        }
    )
    look(host)


@pytest.mark.parametrize(("owner", "mode"), [(U, 0o644), (O, 0o644), ("root", 0o666)])
def test_a_cron_d_file_that_a_user_can_write_is_not_roots(
    host: Host, owner: str, mode: int
) -> None:
    """Cron doesn't heed it; anybody could write into it what root were to run."""
    host.lay(cron_d(f"0 2 * * * root {SCRIPT}", owner, mode))
    look(host)
    assert not of(U, host.runs()) or owner == U


@pytest.mark.parametrize("where", ["directory", "link"])
def test_a_cron_d_file_that_a_user_can_replace_is_not_roots(host: Host, where: str) -> None:
    line = (
        f"0 2 * * * root /usr/local/bin/duplicity / {URL} --ssh-options=-oProxyCommand={HOME}/evil"
    )
    host.lay(
        {
            f"{HOME}/cron/job": File(f"{line}\n"),
            "/etc/cron.d/job" if where == "link" else "/etc/cron.d": Link(
                f"{HOME}/cron/job" if where == "link" else f"{HOME}/cron"
            ),
        }
    )  # fmt: skip
    look(host)
    assert not [run for run in host.runs() if run.uid == 0]


COMMENTS = ["#0 2 * * * {}{}", "## @daily {}nice {}"]


@pytest.mark.parametrize("comment", COMMENTS)
@pytest.mark.parametrize("place", ["cron.d", "/etc/crontab", "root", U])
def test_a_comment_decides_nothing(host: Host, place: str, comment: str) -> None:
    """The script that it names is gone, and anybody may make one of that name."""
    path = "/tmp/backup-test.sh"
    user = "" if place in ("root", U) else "root "
    line = comment.format(user, path)
    places: dict[str, dict[str, Laid]] = {
        "cron.d": cron_d(line),
        "/etc/crontab": {"/etc/crontab": File(f"{line}\n")},
        "root": crontab("root", line),
        U: crontab(U, line),
    }
    host.lay(places[place])
    host.lay({path: script(f"/tmp/duplicity / {URL}", O), "/tmp/duplicity": planted(O)})
    look(host)
    assert not of(O, host.runs())


# The current directory

RELATIVE = [
    "cd /opt/dup; ./bin/duplicity", "cd /opt/dup && bin/duplicity", "python3 -m duplicity",
    "cd /opt/dup; python3 -m duplicity", "/usr/bin/python3 bin/duplicity",
    "PATH=bin:$PATH duplicity", "PATH=.:$PATH; duplicity", "export PATH=:$PATH; duplicity",
    "PYTHONPATH=. python3 -m duplicity",
    "../../../../home/dup-other/work/bin/duplicity",
]  # fmt: skip
WORK = f"{OTHERS}/work"


@pytest.fixture
def work(host: Host) -> Host:
    """With a directory of O's, in which all that could be meant is O's."""
    host.lay(
        {
            f"{WORK}/bin/duplicity": planted_module(O),
            f"{WORK}/duplicity": Directory(O),
            f"{WORK}/duplicity/__init__.py": File("", O),
            f"{WORK}/duplicity/__main__.py": planted_module(O),
            f"{WORK}/sitecustomize.py": planted_module(O),
            "/opt/dup/bin/duplicity": planted("root"),
        }
    )
    return host


@pytest.mark.parametrize("start", RELATIVE)
@pytest.mark.parametrize("user", ["root", U])
def test_the_current_directory_does_not_choose_a_jobs_program(
    work: Host, user: str, start: str
) -> None:
    """Root looks while it is in a directory of another user's."""
    work.lay({"/usr/local/sbin/job": script(f"{start} / {URL}")})
    work.lay(cron_d(f"0 2 * * * {user} /usr/local/sbin/job"))
    look(work, cwd=WORK)
    assert not of(O, work.runs())


def test_a_relative_program_where_the_bare_name_is_planted_beside(work: Host) -> None:
    work.lay({**crontab(U, f"0 2 * * * ./duplicity / {URL}"), f"{WORK}/bare/duplicity": planted(O)})
    look(work, cwd=f"{WORK}/bare")
    assert not of(O, work.runs())


COMMANDS = [
    "/usr/bin/python3 -m duplicity", "python3 -m duplicity", "bin/duplicity", "./bin/duplicity",
    "nice bin/duplicity", "/usr/bin/env -S python3 -m duplicity", "sh -c './bin/duplicity'",
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(("looker", "asked"), [("root", ALL), (U, CHECK)], ids=["root", "sudo"])
def test_the_monitorings_directory_does_not_choose_the_program(
    work: Host, looker: str, asked: tuple[str, ...], command: str
) -> None:
    """sudo keeps the current directory: the monitoring's own user would get at the user's key."""
    work.lay(job_file(user=U, destination=URL, duplicity=command))
    look(work, *asked, cwd=WORK, user=looker)
    assert not of(O, work.runs())


# Variables

DANGEROUS = """
    OPENSSL_CONF OPENSSL_ENGINES OPENSSL_MODULES SSL_CERT_FILE LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT
    PYTHONPATH PYTHONHOME PYTHONSTARTUP PYTHONINSPECT GCONV_PATH GNUPGHOME PERL5LIB PERL5OPT
    GIT_SSH_COMMAND RSYNC_RSH RCLONE_CONFIG AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE BOTO_CONFIG
    HTTPS_PROXY https_proxy FTP_PROXY REQUESTS_CA_BUNDLE XDG_CONFIG_HOME XDG_CONFIG_DIRS
    XDG_DATA_DIRS TMPDIR LOCPATH NLSPATH BASH_ENV ENV SSH_ASKPASS SSH_AUTH_SOCK GPG_TTY HOME
    PASSPHRASE FTP_PASSWORD GLIBC_TUNABLES MALLOC_TRACE GOOGLE_APPLICATION_CREDENTIALS KRB5_CONFIG
    KRB5CCNAME HOSTALIASES RESOLV_HOST_CONF
"""


def exporting(names: str) -> File:
    exports = "".join(f"export {name}={HOME}/{name}\n" for name in names.split())
    return script(f"{exports}duplicity / {URL}", U)


@asked_for
@pytest.mark.parametrize("names", [DANGEROUS, "PATH"], ids=lambda names: names.split()[0])
def test_a_users_script_decides_nothing_of_roots_duplicity(
    host: Host, names: str, asked: tuple[str, ...]
) -> None:
    """A job's file without a user is root's, whatever script it names."""
    host.lay({SCRIPT: exporting(names), f"{HOME}/PATH/duplicity": planted(U)})
    host.lay(job_file(script=SCRIPT, destination=URL))
    host.lay(crontab(U, f"0 2 * * * {SCRIPT}"))
    look(host, *asked)


ENGINE = """
#include <fcntl.h>
#include <unistd.h>
__attribute__((constructor)) static void run(void) {
  char *program[] = {"/home/dup-user/bin/duplicity", "engine", 0};
  if (!fork()) execv(program[0], program);
}
"""


@pytest.mark.skipif(not shutil.which("gcc"), reason="needs gcc")
@pytest.mark.skipif(not Path("/usr/bin/duplicity").exists(), reason="needs Debian's duplicity")
@pytest.mark.parametrize("by", ["OPENSSL_CONF", "LD_PRELOAD"])
def test_no_library_of_a_user_is_loaded_by_roots_duplicity(
    host: Host, by: str, tmp_path: Path
) -> None:
    built = ["gcc", "-shared", "-fPIC", "-o", str(tmp_path / "x.so"), "-x", "c", "-"]
    subprocess.run(built, input=ENGINE, text=True, check=True)
    library = f"{HOME}/x.so"
    conf = f"openssl_conf=o\n[o]\nengines=e\n[e]\nx=xs\n[xs]\ndynamic_path={library}\ninit=0\n"
    value = library if by == "LD_PRELOAD" else f"{HOME}/openssl.cnf"
    host.lay(
        {
            library: File(owner=U, mode=0o755, content=(tmp_path / "x.so").read_bytes()),
            f"{HOME}/openssl.cnf": File(conf, U),
            SCRIPT: script(f"export {by}={value}\nduplicity / {URL}", U),
            **job_file(script=SCRIPT, destination=URL, duplicity="/usr/bin/duplicity"),
        }
    )
    look(host, *NAMED)


# environment_file

ENVIRONMENT = f"PASSPHRASE={ROOTS_SECRET}\n"
TURNED: dict[str, tuple[str, dict[str, Laid]]] = {
    "a link in a home": (f"{HOME}/env", {f"{HOME}/env": Link("/root/env", U)}),
    "root's link in a home": (f"{HOME}/env", {f"{HOME}/env": Link("/root/env")}),
    "a directory that is a link": (f"{HOME}/conf/env", {f"{HOME}/conf": Link("/root", U)}),
    "a link of a link": (
        "/etc/backup/env",
        {"/etc/backup/env": Link(f"{HOME}/env"), f"{HOME}/env": Link("/root/env", U)},
    ),
    "a group's directory": (
        "/etc/backup/env",
        {"/etc/backup": Directory(mode=0o775, group=U), "/etc/backup/env": Link("/root/env", U)},
    ),
    "everybody's directory": ("/tmp/env", {"/tmp/env": Link("/root/env", U)}),
    "a directory above": (
        f"{HOME}/a/b/env", {f"{HOME}/a": Link("/opt/a", U), "/opt/a/b/env": Link("/root/env")},
    ),
    "dots": (
        f"{HOME}/x/../env", {f"{HOME}/x": Link("/root/x", U), "/root/x/y": File()},
    ),
}  # fmt: skip


@asked_for
@pytest.mark.parametrize("kind", TURNED)
def test_an_environment_file_that_a_user_turns_elsewhere(
    host: Host, kind: str, asked: tuple[str, ...]
) -> None:
    path, files = TURNED[kind]
    host.lay({"/root/env": File(ENVIRONMENT, mode=0o600), **files})
    host.lay(job_file(user=U, destination=URL, environment_file=path, duplicity=DUPLICITY))
    look(host, *asked)


@asked_for
def test_the_users_own_environment_file_is_read(host: Host, asked: tuple[str, ...]) -> None:
    host.lay({f"{HOME}/env": File("PASSPHRASE=geheim-user\n", U, 0o600)})
    host.lay(job_file(user=U, destination=URL, environment_file=f"{HOME}/env", duplicity=DUPLICITY))
    out = look(host, *asked).out
    assert "PASSPHRASE=geheim-user" in "".join(run.environment for run in of(U, host.runs()))
    assert "geheim" not in out


def test_a_units_environment_file_is_read_as_its_user(host: Host) -> None:
    host.lay(
        {
            "/root/env": File(ENVIRONMENT, mode=0o600),
            f"{HOME}/env": Link("/root/env", U),
            **timer(SCRIPT, f"User={U}\nEnvironmentFile={HOME}/env"),
        }
    )
    look(host)


# Mail

ORPHANS = (CAPTURES / "runs/0.8.23/corpus-orphaned.out").read_text()


def mail(whom: str, command: str) -> File:
    date = formatdate()
    return File(
        f"From root@h Fri Nov 27 12:00:00 2026\nFrom: root (Cron Daemon)\nDate: {date}\n"
        f"Subject: Cron <{whom}@h> {command}\n\n{ORPHANS}\n\n"
    )


@pytest.mark.parametrize("whom", ["root", O, "nosuchuser"])
@pytest.mark.parametrize("looker", ["root", U])
def test_no_mail_decides_as_whom(host: Host, looker: str, whom: str) -> None:
    """Anybody can send one: the user of the job's file, or of -u, is whose the commands are."""
    host.lay({"/var/mail/all": mail(whom, "assets")})
    own = f"{HOME}/.local/bin/duplicity"
    host.lay(job_file("assets", user=U, destination=URL, duplicity=own))
    for arguments in (
        ["-j", "assets", "/var/mail/all"],
        ["-u", U, "-d", URL, "-a", f"{HOME}/archive", "/var/mail/all"],
    ):
        out = look(host, "check_duplicity_log", *arguments, user=looker).out
        assert "orphaned" in out
        users = {
            user
            for line in commands_in(out)
            for user, words in effects(line)
            # Root reads crontabs to find a script; what is run is another thing.
            if not is_ours(words) and words[0] not in ("crontab", "grep")
        }
        assert users <= {U}


# Options for sudo

OPTIONS = ["-gshadow", "-uroot", "--user=root", "-i"]


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("place", ["crontab", "cron.d", "file"])
def test_no_job_gives_options_to_sudo(host: Host, place: str, option: str) -> None:
    line = f"{option} {SCRIPT}"
    places: dict[str, dict[str, Laid]] = {
        "crontab": crontab(U, f"0 2 * * * {line}"),
        "cron.d": cron_d(f"0 2 * * * {U} {line}"),
        "file": job_file(user=U, destination=URL, script=line, schedule="0 2 * * *"),
    }
    host.lay(places[place])
    assert_pasted_rightly(host, look(host).out)


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("place", ["file", "script"])
def test_no_program_begins_with_a_hyphen(host: Host, place: str, option: str) -> None:
    """What starts duplicity would be options of the sudo in front of it."""
    if place == "file":
        host.lay(job_file(user=U, destination=URL, duplicity=f"{option} {DUPLICITY}"))
    else:
        host.lay(
            {
                SCRIPT: script(f"'{option}/duplicity' / {URL}", U),
                **crontab(U, f"0 2 * * * {SCRIPT}"),
            }
        )
    assert_pasted_rightly(host, look(host).out)


@pytest.mark.parametrize("user", ["-uroot", "#0", "--", "root -s"])
def test_no_user_of_a_jobs_file_is_an_option(host: Host, user: str) -> None:
    host.lay(job_file(user=user, destination=URL, script=SCRIPT, duplicity=DUPLICITY))
    assert_pasted_rightly(host, look(host).out)


def assert_pasted_rightly(host: Host, out: str) -> None:
    """What is to be typed is typed, by root: the users' programs run as theirs."""
    host.lay({SCRIPT: planted(U)})
    for line in commands_in(out):
        if not re.match(r"sudo crontab -e|systemctl|findmnt|journalctl", line):
            host.run("bash", "-c", line, timeout=20)
    assert_nobody_gained(host.runs())


# What a password is read from, when a command is pasted

SECRET_URL = "sftp://u:geheim-user@h.invalid/x"
ROOTS = File(f"duplicity / sftp://u:{ROOTS_SECRET}@h.invalid/x\n", mode=0o600)
RELINKED: dict[str, tuple[str, str, dict[str, Laid]]] = {
    "dots through the spool": (f"/var/spool/cron/../../../home/{U}/bin/s.sh", U, {}),
    "dots through a crontab's directory": (f"/etc/cron.d/../../home/{U}/bin/s.sh", "root", {}),
    "root's link to root's file": ("/opt/s.sh", "root", {"/opt/s.sh": Link(f"{HOME}/bin/s.sh")}),
    "root's link to a directory": ("/opt/bin/s.sh", "root", {"/opt/bin": Link(f"{HOME}/bin")}),
    "links over links": (
        "/opt/s.sh",
        "root",
        {"/opt/s.sh": Link("/srv/l/s.sh"), "/srv/l": Link(f"{HOME}/bin")},
    ),
    "links and dots": (
        "/opt/bin/../bin/s.sh", "root", {"/opt/bin": Link(f"{HOME}/bin")},
    ),
}  # fmt: skip


@pytest.mark.parametrize("starter", ["root", U])
@pytest.mark.parametrize("kind", RELINKED)
def test_a_password_is_not_read_from_where_a_user_leads(
    host: Host, kind: str, starter: str
) -> None:
    """After a command has been printed, the user turns what it reads to a file of root's."""
    path, owner, files = RELINKED[kind]
    host.lay({f"{HOME}/bin/s.sh": script(f"duplicity / {SECRET_URL}", owner), **files})
    host.lay(cron_d(f"0 2 * * * {starter} {path}"))
    host.lay({"/usr/local/bin/duplicity": planted(U, owner="root")} if starter == U else {})
    out = look(host).out
    assert_offered_rightly(out, {"/opt/": U, "/srv/": U, "cron/..": U, "cron.d/..": U})
    host.lay({"/root/secret.sh": ROOTS, f"{HOME}/bin/s.sh": Link("/root/secret.sh", U)})
    host.forget_runs()
    for line in commands_in(out):
        if "grep" in line and "grep -rl" not in line:
            host.run("bash", "-c", line, timeout=20)
    assert [run for run in host.runs() if ROOTS_SECRET in run.arguments and run.uid != 0] == []


# A job's file that says little

LITTLE = [
    {"options": f"--ssh-options=-oX={ROOTS_SECRET}"},
    {"options": f"--file-prefix={ROOTS_SECRET}", "warning": "1d"},
    {"name": ROOTS_SECRET},
    {"archive_dir": f"/root/{ROOTS_SECRET}"},
    {"duplicity": f"/usr/local/bin/duplicity {ROOTS_SECRET}"},
]


@asked_for
@pytest.mark.parametrize("facts", LITTLE, ids="-".join)
def test_a_jobs_file_is_not_merged_with_another_users_script(
    host: Host, facts: dict[str, str], asked: tuple[str, ...]
) -> None:
    """O has a crontab with a script of that name, and is handed what the file says."""
    host.lay(
        {
            f"{OTHERS}/job.sh": script(f"{OTHERS}/duplicity / {URL}", O),
            f"{OTHERS}/duplicity": planted(O),
            **crontab(O, f"0 2 * * * {OTHERS}/job.sh"),
            **job_file(**facts),
        }
    )
    ended = host.plugin(*asked)
    assert_valid(ended)
    assert_nobody_gained(host.runs())
    assert_offered_rightly(ended.out)


# What remains


def programs_of_root(host: Host) -> list[str]:
    return [run.program for run in host.runs() if run.uid == 0]


def test_what_root_alone_decides_is_looked_at_as_root(host: Host) -> None:
    host.lay(cron_d(f"0 2 * * * root cd /tmp; nice duplicity / {URL}"))
    look(host, cwd=WORK[: -len("/work")])
    assert programs_of_root(host) == ["/usr/local/bin/duplicity"]


@pytest.mark.parametrize("path", [SCRIPT, "/srv/b.sh"])
@pytest.mark.parametrize("mode", [0o755, 0o775])
def test_what_root_and_the_user_decide_is_looked_at_as_the_user(
    host: Host, mode: int, path: str
) -> None:
    """A group that has nobody else in it is the user."""
    program = planted(U, mode)
    host.lay({path: script(f"{DUPLICITY} / {URL}", U, mode), DUPLICITY: program})
    host.lay(crontab(U, f"0 2 * * * nice {path}"))
    look(host)
    assert of(U, host.runs())


DECIDED_BY_TWO: dict[str, tuple[str, dict[str, Laid]]] = {
    "O's script": (f"{OTHERS}/b.sh", {f"{OTHERS}/b.sh": script(f"{OTHERS}/duplicity / {URL}", O)}),
    "O's program": ("/opt/b.sh", {"/opt/b.sh": script(f"{OTHERS}/duplicity / {URL}")}),
    "a group of O's": ("/opt/b.sh", {"/opt/b.sh": script(f"duplicity / {URL}", "root", 0o775, O)}),
    "all the world": ("/opt/b.sh", {"/opt/b.sh": script(f"duplicity / {URL}", "root", 0o777)}),
    "O's directory": (
        "/opt/o/b.sh", {"/opt/o": Directory(O), "/opt/o/b.sh": script(f"duplicity / {URL}")},
    ),
    "O's link": (
        "/opt/o/b.sh",
        {"/opt/o/b.sh": Link("/opt/b.sh", O), "/opt/b.sh": script(f"duplicity / {URL}")},
    ),
    "a link through O's": (
        "/opt/o/b.sh",
        {"/opt/o": Link(f"{OTHERS}/o"), f"{OTHERS}/o/b.sh": script(f"duplicity / {URL}")},
    ),
    "a file of O's that it sources": (
        "/opt/b.sh",
        {
            "/opt/b.sh": script(f". {OTHERS}/c; duplicity / $URL"),
            f"{OTHERS}/c": File(f"URL={URL}", O),
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("user", ["root", U])
@pytest.mark.parametrize("kind", DECIDED_BY_TWO)
def test_what_another_user_decides_is_told_and_not_run(host: Host, kind: str, user: str) -> None:
    """The job is UNKNOWN then, and who decides is named."""
    path, files = DECIDED_BY_TWO[kind]
    host.start_cron()
    host.lay({f"{OTHERS}/duplicity": planted(O), **files, **cron_d(f"0 2 * * * {user} {path}")})
    ended = look(host)
    assert host.runs() == []
    assert ended.status == 3
    assert O in ended.out or kind == "all the world"


# The host itself


def test_a_host_is_gone_with_all_that_was_done_there() -> None:
    with scratch({"/etc/check-duplicity-test": File()}) as host:
        host.sh(
            f"touch /tmp/check-duplicity-test; test -d {SEEN}; test -e /etc/check-duplicity-test"
        )
        marker = f"77{os.getpid()}"
        host.sh(f"setsid sleep {marker} > /dev/null 2>&1 &")
        assert host.run("id", "-un", user=U).out == f"{U}\n"
        host.lay({f"{HOME}/x": planted(U)})
        host.run(f"{HOME}/x", "a", user=U)
        [run] = host.runs()
        assert run.rightly
        host.run(f"{HOME}/x")
        assert [run.rightly for run in host.runs()].count(False) == 1
    assert not Path("/tmp/check-duplicity-test").exists()
    assert not Path("/etc/check-duplicity-test").exists()
    assert not Path(HOME).exists()
    left = subprocess.run(["pgrep", "-f", f"sleep {marker}"], capture_output=True, check=False)
    assert left.stdout == b""
