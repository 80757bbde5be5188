"""Jobs as real hosts have them: kinds that were once missed or misread, and similar ones."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from check_duplicity.jobs.model import Fact, Known
from check_duplicity.jobs.pasting import job_of
from check_duplicity.jobs.see import find
from check_duplicity.nagios.commands import Job
from check_duplicity.nagios.findings import Kind
from check_duplicity.nagios.steps import advise
from check_duplicity.secrets import Secrets
from found import JOBS_D, UNITS, Files, cron, duply, script, timer, told, write

HOST = socket.gethostname()


def jobs(root: Path, files: Files) -> dict[str, dict[str, str]]:
    """Return all facts of the jobs that are found."""
    write(root, files)
    return {known.job: told(known) for known in find(str(root) + JOBS_D, root=str(root)).jobs}


def destinations(root: Path, files: Files) -> list[str]:
    return sorted(facts["destination"] for facts in jobs(root, files).values())


def only(root: Path, files: Files) -> dict[str, str]:
    (facts,) = jobs(root, files).values()
    return facts


# J: what makes backups decides.


DUPLY = duply("TARGET=file:///b\n")


def test_a_line_that_deletes_is_never_what_to_run_again(tmp_path: Path) -> None:
    lines = ("0 5 1 * * duply web purgeFull --force", "0 3 * * * duply web backup")
    facts = only(tmp_path, {**DUPLY, **cron(*lines)})
    assert (facts["schedule"], facts["script"]) == ("0 3 * * *", "duply web backup")


@pytest.mark.parametrize(
    "command",
    ["status", "verify", "cleanup --force", "purge --force", "purgeFull_purgeIncr", "list",
     "purgeAuto --force", "verify+status", "[purge-cleanup]"],
)  # fmt: skip
def test_of_duply_what_makes_no_backup_makes_no_job_run(tmp_path: Path, command: str) -> None:
    files = cron(f"0 5 * * * duply web {command}", f"0 6 * * * /usr/bin/duply other {command}")
    facts = only(tmp_path, {**DUPLY, **files})
    assert (facts["schedule"], facts["script"]) == ("", "")


@pytest.mark.parametrize(
    "command",
    ["backup", "bkp", "full", "incr", "backup_verify_purge --force", "pre+bkp+post", "Full"],
)
def test_of_duply_what_makes_a_backup_is_run_again(tmp_path: Path, command: str) -> None:
    line = f"nice duply web {command}"
    facts = only(tmp_path, {**DUPLY, **cron(f"0 5 * * * {line}")})
    assert (facts["schedule"], facts["script"]) == ("0 5 * * *", line)


@pytest.mark.parametrize(
    ("line", "again"),
    [
        ("duplicity / file:///b && duplicity remove-older-than 3M --force file:///b",
         "duplicity / file:///b"),
        ("duplicity cleanup --force file:///b; nice duplicity full / file:///b",
         "duplicity full / file:///b"),
        ("duply web backup_verify_purge --force", "duply web backup"),
        ("/s/dump.sh && duplicity / file:///b", "/s/dump.sh && duplicity / file:///b"),
        ("duply web backup+cleanup --force", "duply web backup"),
        ("duply web backup", "duply web backup"),
    ],
)  # fmt: skip
def test_nothing_that_deletes_is_offered_to_be_run_again(line: str, again: str) -> None:
    facts = {"user": "root", "script": line, "destination": "file:///b"}
    known = Known("web", {key: Fact(value, "/etc/web.ini") for key, value in facts.items()})
    assert job_of(known, Secrets({}), Job("root")).script == again


def test_full_and_incremental_lines_are_one_job_with_both_schedules(tmp_path: Path) -> None:
    text = 'duplicity "$1" / file:///b\n'
    lines = ("0 3 * * 0 /s/b.sh full", "0 3 * * 1-6 /s/b.sh inc", "#0 4 * * * /s/b.sh inc")
    facts = only(tmp_path, {**cron(*lines), "/s/b.sh": text})
    assert facts["schedule"] == "0 3 * * 0; 0 3 * * 1-6"
    assert facts["script"] == "/s/b.sh full"
    assert facts["doubts"] == ""


ACTIONS = """\
backup() { duplicity / file:///b; }
case "$1" in
  backup) backup ;;
  purge) duplicity remove-older-than 1M --force file:///b ;;
  status) duplicity collection-status file:///b ;;
esac
"""


@pytest.mark.parametrize(
    "text",
    [
        ACTIONS,
        ACTIONS.replace('case "$1"', 'ACTION=${1:-status}\ncase "$ACTION"'),
        """
        backup() { duplicity / file:///b; }
        status() { duplicity collection-status file:///b; }
        purge() { duplicity remove-older-than 1M file:///b; }
        "$1"
        """,
        """
        while [ $# -gt 0 ]; do case $1 in backup) B=1;; purge) P=1;; esac; shift; done
        if [ "$B" = 1 ]; then duplicity / file:///b; fi
        """,
    ],
)  # fmt: skip
def test_a_script_that_does_several_things_makes_a_job_of_its_backup(
    tmp_path: Path, text: str
) -> None:
    lines = ("1 1 * * * /s/b.sh purge", "2 2 * * * /s/b.sh backup", "3 3 * * * /s/b.sh status")
    facts = only(tmp_path, {**cron(*lines), "/s/b.sh": "B=0 P=0\n" + text})
    assert (facts["schedule"], facts["script"]) == ("2 2 * * *", "/s/b.sh backup")


def test_what_only_may_be_a_backup_is_not_to_be_run_again(tmp_path: Path) -> None:
    """The script's way through its options can't be known; what the line says is no backup."""
    text = (
        'for o in $(getopt "$@"); do case $o in -p) exit;; esac; done\n'
        '[ "$o" = x ] && duplicity / file:///b\n'
    )
    lines = ("1 1 * * * /s/b.sh --purge", "2 2 * * * /s/b.sh --now")
    facts = only(tmp_path, {**cron(*lines), "/s/b.sh": text})
    assert (facts["schedule"], facts["script"]) == ("2 2 * * *", "/s/b.sh --now")
    facts = only(tmp_path, {**cron(lines[0]), "/s/b.sh": text})
    assert (facts["schedule"], facts["script"]) == ("", "")
    assert "whether it makes a backup isn't known" in facts["doubts"]


# H, A to G, I: what a script runs.

BESIDE = """\
#!/bin/bash
DIR="$( cd "$( dirname "${BASH_SOURCE[0]}" )" && pwd )"
source "$DIR/b.conf"
duplicity / $D
"""
OPTIONS = """\
CONF=/etc/b.conf
while getopts c: o; do case $o in c) CONF=$OPTARG;; esac; done
. $CONF
duplicity / $D
"""
BRANCHES = """\
C=duplicity
if [ $(date +%u) = 7 ]; then C="$C full"; else C="$C incr"; fi
C="$C / file:///b"; eval "$C"
"""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        # H: functions take effect where they are called.
        ("D=file:///b; r(){ D=file:///r; duplicity restore $D /; }; duplicity full / $D", ["b"]),
        ("D=file:///a\nset_d() { D=file:///b; }\nset_d\nduplicity full / $D", ["b"]),
        ("f() { D=$1; }; f file:///b; duplicity / $D", ["b"]),
        ("unused() { duplicity / file:///x; }; duplicity / file:///b", ["b"]),
        ("main() { local D=file:///b; run; }\nrun() { duplicity / $D; }\nmain \"$@\"", ["b"]),
        # A: sourced files.
        (". /etc/b.conf\nduplicity full / $D", ["conf"]),
        ('source "/etc/b.conf"; duplicity full / "$D"', ["conf"]),
        ('DIR=$(dirname "$0")\n. "$DIR/b.conf"\nduplicity / $D', ["beside"]),
        (BESIDE, ["beside"]),
        ('. "$(dirname "$(readlink -f "$0")")"/b.conf; duplicity / $D', ["beside"]),
        ('cd "$(dirname $0)"; . ./b.conf; duplicity / $D', ["beside"]),
        ("[ -f /etc/b.conf ] && . /etc/b.conf\nduplicity / $D", ["conf"]),
        ("D=file:///x\nif [ -r /etc/b.conf ]; then . /etc/b.conf; fi\nduplicity / $D", ["conf"]),
        ("D=file:///x\n[ -f /none ] && . /none\nduplicity / $D", ["x"]),
        (OPTIONS, ["conf"]),
        (". /etc/lib.sh; backup file:///b", ["b"]),
        # B: without a word for the action.
        ("duplicity / $DEST", [""]),
        ('duplicity "$SRC" "$DEST"', [""]),
        ("duplicity $ARGS", [""]),
        # C: the program in a variable.
        ('DUP="$(command -v duplicity)"; "$DUP" full / file:///b', ["b"]),
        ("$(which duplicity) / file:///b", ["b"]),
        ("DUP=/usr/bin/duplicity\n$DUP / file:///b", ["b"]),
        ("NICE='nice -n 19'\n$NICE duplicity / file:///b", ["b"]),
        ("$SUDO duplicity / file:///b", ["b"]),
        # D: branches keep what they agree in.
        (BRANCHES, ["b"]),
        ("if x; then D=file:///b; else D=file:///b; fi; duplicity / $D", ["b"]),
        ("if x; then D=file:///b; else D=file:///c; fi; duplicity / $D", [""]),
        ("D=file:///b; if x; then D=file:///c; fi; duplicity / $D", [""]),
        ("D=file:///b; if x; then D=file:///c; exit; fi; duplicity / $D", ["b"]),
        # E: loops.
        ("for d in etc home; do duplicity full /$d file:///b/$d; done", ["b/etc", "b/home"]),
        ('#!/bin/bash\nL=(a "b c")\nfor d in "${L[@]}"; do duplicity / "file:///$d"; done',
         ["a", "b c"]),
        ("for d in $(ls /srv); do duplicity /$d file:///$d; done", [""]),
        ("f() { duplicity /$1 file:///$1; }; for d in a b; do f $d; done", ["a", "b"]),
        # F: arguments.
        ("set -- / file:///b; duplicity full $1 $2", ["b"]),
        ('run() { echo "$@"; "$@"; }; run duplicity / file:///b', ["b"]),
        ("f() { shift; duplicity / $1; }; f x file:///b", ["b"]),
        ('f() { local d="$1"; shift; duplicity "$@" "$d"; }; f file:///b full /', ["b"]),
        # G: the host's name, and what else is known of a host.
        ("#!/bin/bash\nduplicity / file:///$HOSTNAME", [HOST]),
        ("duplicity / file:///$(hostname)", [HOST]),
        ("duplicity / file:///`hostname -s`", [HOST.partition(".")[0]]),
        ("H=$(uname -n); duplicity / file:///$H", [HOST]),
        ("[ $(id -u) -eq 0 ] && D=file:///b || D=file:///c; duplicity / $D", ["b"]),
        ("duplicity / file:///$(id -un)/$(basename /x/y.sh .sh)", ["root/y"]),
        ('#!/bin/bash\nX=a-b; duplicity / file:///${X//-/_}/${X^^}/${X:0:1}', ["a_b/A-B/a"]),
        ("duplicity / file:///$(date +%F)", [""]),
    ],
)  # fmt: skip
def test_a_script_is_read_as_it_runs(tmp_path: Path, text: str, found: list[str]) -> None:
    files = {
        "/etc/b.conf": "D=file:///conf\n", "/s/b.conf": "D=file:///beside\n",
        "/etc/lib.sh": 'backup() { duplicity / "$1"; }\n', "/usr/bin/duplicity": "#!/bin/sh\n",
    }  # fmt: skip
    write(tmp_path, {**files, **script(text)})
    (tmp_path / "usr/bin/duplicity").chmod(0o755)
    assert destinations(tmp_path, {}) == [f"file:///{d}" if d else "" for d in found]


def test_a_trap_takes_effect_at_the_end_only(tmp_path: Path) -> None:
    text = "export PASSPHRASE=x; c(){ unset PASSPHRASE; }; trap c EXIT; duplicity / file:///b"
    assert only(tmp_path, script(text))["environment"] == "PASSPHRASE=x"


def test_arguments_in_the_crontab_are_those_of_the_script(tmp_path: Path) -> None:
    files = {**cron("0 2 * * * /s/b.sh /etc file:///b"), "/s/b.sh": "duplicity full $1 $2\n"}
    assert destinations(tmp_path, files) == ["file:///b"]


def test_a_sourced_file_decides_too(tmp_path: Path) -> None:
    """What others can change of it they decide, as they do of a script."""
    write(tmp_path, {**script(". /etc/b.conf\nduplicity / $D"), "/etc/b.conf": "D=file:///b\n"})
    (tmp_path / "etc/b.conf").chmod(0o666)
    (known,) = find(str(tmp_path) + JOBS_D, root=str(tmp_path)).jobs
    assert "any user" in known.facts["destination"].by


def test_a_piece_that_is_not_known_is_no_fact(tmp_path: Path) -> None:
    text = (
        "duplicity --archive-dir $A --name $N --file-prefix=$P --ssh-options=-oPort=$Q / file:///b"
    )
    facts = only(tmp_path, script(text))
    keys = ("destination", "archive_dir", "name", "options", "encryption")
    assert [facts[key] for key in keys] == ["file:///b", "", "", "", "yes"]
    assert facts["doubts"] == "/s/web.sh:1: part of it can't be known without running it"
    assert only(tmp_path, script("duplicity $OPTS / file:///b"))["encryption"] == ""


def test_a_user_who_is_not_known_is_no_fact(tmp_path: Path) -> None:
    facts = only(tmp_path, cron("0 2 * * * sudo -u $(id -un 1000) duplicity / file:///b"))
    assert (facts["destination"], facts["user"]) == ("file:///b", "")
    assert "as whom it runs can't be known" in facts["doubts"]


def test_how_gpg_is_called_is_an_option_of_every_command(tmp_path: Path) -> None:
    text = "duplicity --use-agent --gpg-options '--homedir /k' --gpg-binary=gpg2 / file:///b"
    expected = "--use-agent '--gpg-options=--homedir /k' --gpg-binary=gpg2"
    assert only(tmp_path, script(text))["options"] == expected


# K: what is run again.


@pytest.mark.parametrize(
    ("line", "again"),
    [
        ("/s/b.sh full >> /var/log/b.log 2>&1", "/s/b.sh full"),
        ("/s/b.sh full &>/dev/null", "/s/b.sh full"),
        (">/dev/null nice /s/b.sh full </dev/null", "nice /s/b.sh full"),
        ("/s/b.sh", "/s/b.sh"),
        ("cd /s; ./b.sh full", "cd /s; ./b.sh full"),
        ("flock -n /run/x -c '/s/b.sh full' | logger", "/s/b.sh full"),
        ("/s/b.sh 'a b'", ""),
    ],
)
def test_what_is_run_again_is_the_line_without_its_redirections(
    tmp_path: Path, line: str, again: str
) -> None:
    facts = only(tmp_path, {**cron(f"0 2 * * * {line}"), "/s/b.sh": "duplicity / file:///b"})
    assert facts["script"] == again


def test_of_several_commands_the_backup_is_run_again(tmp_path: Path) -> None:
    line = "/s/dump.sh && duplicity / file:///b"
    assert only(tmp_path, cron(f"0 2 * * * {line}"))["script"] == line


# L: duply.


@pytest.mark.parametrize(
    ("conf", "facts"),
    [
        ("TARGET=file:///b\nARCH_DIR=/c\n", {"name": "web", "archive_dir": "/c"}),
        ("TARGET=file:///b\nARCH_DIR=/old\n", {"name": "duply_web", "archive_dir": "/old"}),
        ("TARGET=file:///b\n", {"name": "duply_web", "encryption": "no"}),
        ("TARGET=file:///b\nGPG_KEY=disabled\nGPG_PW=x\n", {"encryption": "no", "environment": ""}),
        ("TARGET=file:///b\nGPG_KEYS_ENC=AB\n", {"encryption": "yes"}),
        ("TARGET=file:///b\nTARGET_USER=u\nTARGET_PASS=p\n",
         {"destination": "file:///b", "environment": "FTP_PASSWORD=p"}),
        ("TARGET=ftp://u:p%40w@h/b\n",
         {"destination": "ftp://u@h/b", "environment": "FTP_PASSWORD=p@w"}),
        ("TARGET=imaps://u@h/b\nTARGET_PASS=p\n",
         {"destination": "imaps://u@h/b", "environment": "IMAP_PASSWORD=p"}),
        ("TARGET=file:///b\nGPG_KEY=AB\nGPG_PW=x\nGPG_PW_SIGN=y\n",
         {"environment": "PASSPHRASE=x SIGN_PASSPHRASE=y"}),
        ("TARGET=file:///b\nSECRET_THING=x\nexport AWS_SECRET_ACCESS_KEY=k\n",
         {"environment": "AWS_SECRET_ACCESS_KEY=k"}),
        ("TARGET=file:///b\nGPG_KEY=AB\nGPG_OPTS='--homedir /k'\n",
         {"options": "'--gpg-options=--homedir /k'"}),
        (". /etc/common\nTARGET=$BASE/b\n", {"destination": "file:///srv/b"}),
    ],
)  # fmt: skip
def test_a_profile_of_duply_is_read_as_duply_does(
    tmp_path: Path, conf: str, facts: dict[str, str]
) -> None:
    (tmp_path / "old/duply_web").mkdir(parents=True)
    seen = only(tmp_path, {**duply(conf), "/etc/common": "BASE=file:///srv\n"})
    assert {key: seen[key] for key in facts} == facts


# M: backupninja.


def ninja(text: str, name: str = "20-web.dup") -> Files:
    return {f"/etc/backup.d/{name}": f"{text}\n[dest]\ndesturl = file:///b\n"}


@pytest.mark.parametrize(
    ("when", "schedule"),
    [
        ("when = everyday at 02:00", "0 2 * * *"),
        ("when = sundays at 03", "0 3 * * 0"),
        ("when = Wednesday at 02:30", "0 2 * * 3"),
        ("when = 1st at 04", "0 4 1 * *"),
        ("when = 30 at 01", "0 1 30 * *"),
        ("when = hourly", "@hourly"),
        ("when = sundays at 02\nwhen = 15th at 03", "0 2 * * 0; 0 3 15 * *"),
        ("when = manual", ""),
        ("when = at noon", ""),
        ("", "0 5 * * *"),
    ],
)
def test_when_backupninja_runs_is_known(tmp_path: Path, when: str, schedule: str) -> None:
    files = {**ninja(when), "/etc/backupninja.conf": "loglevel = 4\nwhen = everyday at 05:00\n"}
    assert only(tmp_path, files)["schedule"] == schedule


@pytest.mark.parametrize("text", ["", "[a\n", "a line that is no setting\n"])
def test_without_a_setting_backupninja_runs_at_one(tmp_path: Path, text: str) -> None:
    files = {**ninja(""), "/etc/backupninja.conf": text}
    assert only(tmp_path, files)["schedule"] == "0 1 * * *"


def test_files_of_backupninja_are_read_as_it_does(tmp_path: Path) -> None:
    options = "options = --name n --archive-dir=/c"
    text = "\n[dest]\nsshoptions = -o IdentityFile=/k\n"
    facts = only(tmp_path, {"/etc/backup.d/20-web.dup": f"{options}{text}desturl = file:///b\n"})
    assert (facts["name"], facts["archive_dir"]) == ("n", "/c")
    assert "--ssh-options=-oIdentityFile=/k" in facts["options"]
    assert facts["schedule"] == "0 1 * * *"


def test_files_of_backupninja_that_are_off_are_no_jobs(tmp_path: Path) -> None:
    assert jobs(tmp_path, ninja("", "0web.dup")) == {}


# N: systemd.


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("P=x;y", "x;y"), ("P=two words", "two words"), ("P=pa$word", "pa$word"),
        ("P=it's", "it's"),
        ("P='a b' ", "a b"), ('P="a \\" b"', 'a " b'), ("P=a\\\nb", "ab"), ("P=a b  ", "a b"),
        ("P='a'\"b\"", "ab"), ("P=a\\b", "ab"), ("# P=x\n;P=y\nP=z", "z"), ("P=`id`", "`id`"),
        (" P = x", "x"), ("P='a\nb'", "a\nb"), ("P=a#b", "a#b"),
    ],
)  # fmt: skip
def test_an_environment_file_is_not_shell(tmp_path: Path, text: str, value: str) -> None:
    service = "EnvironmentFile=/etc/bk\nExecStart=duplicity / file:///b"
    facts = only(tmp_path, {**timer("OnCalendar=daily", service), "/etc/bk": f"{text}\nQ=q\n"})
    assert facts["environment"] == f"P={value} Q=q"


@pytest.mark.parametrize(
    ("timers", "schedule", "zone"),
    [
        ("OnCalendar=*-*-* 00/6:00:00", "0 */6 * * *", ""),
        ("OnCalendar=*-*-1,15 02:00", "0 2 1,15 * *", ""),
        ("OnCalendar=02:00 UTC", "0 2 * * *", "UTC"),
        ("OnCalendar=Sun 02:00\nOnCalendar=Wed 03:00", "0 2 * * 0; 0 3 * * 3", ""),
        ("OnCalendar=Sun 02:00 UTC\nOnCalendar=Wed 03:00", "", ""),
        ("OnBootSec=5min\nOnUnitActiveSec=1d", "every 24h", ""),
        ("OnUnitActiveSec=90min", "every 90m", ""),
        ("OnUnitActiveSec=1w", "every 168h", ""),
        ("OnUnitActiveSec=2 weeks", "every 336h", ""),
        ("OnUnitActiveSec=1day 12hours 30minutes", "every 2190m", ""),
        ("OnUnitInactiveSec=3h 600sec", "every 190m", ""),
    ],
)
def test_when_a_timer_runs_is_known(tmp_path: Path, timers: str, schedule: str, zone: str) -> None:
    facts = only(tmp_path, timer(timers, "ExecStart=duplicity / file:///b"))
    assert (facts["schedule"], facts["time_zone"]) == (schedule, zone)


def test_drop_ins_of_a_timer_count(tmp_path: Path) -> None:
    files = timer("OnCalendar=daily", "ExecStart=duplicity / file:///b")
    files[f"{UNITS}/web.timer.d/when.conf"] = "[Timer]\nOnCalendar=\nOnCalendar=weekly\n"
    assert only(tmp_path, files)["schedule"] == "@weekly"


def test_instances_and_specifiers(tmp_path: Path) -> None:
    files: Files = {
        f"{UNITS}/b@.timer": "[Timer]\nOnCalendar=daily\n",
        f"{UNITS}/timers.target.wants/b@web.timer": "[Timer]\nOnCalendar=daily\n",
        f"{UNITS}/b@.service": "[Service]\nWorkingDirectory=/s\nEnvironment=X=%i\n"
        "ExecStart=/bin/sh -c './b.sh %i'\nExecStart=duplicity /%i file:///%H/%i\n",
        "/s/b.sh": "duplicity / file:///$1/$X\n",
    }
    assert destinations(tmp_path, files) == sorted([f"file:///{HOST}/web", "file:///web/web"])


def test_users_have_units_of_their_own(tmp_path: Path) -> None:
    directory = "/home/u/.config/systemd/user"
    files: Files = {
        f"{directory}/b.timer": "[Timer]\nOnCalendar=daily\n",
        f"{directory}/b.service": "[Service]\nExecStart=%h/b.sh\n",
        "/home/u/b.sh": "duplicity / file:///b\n",
    }
    assert only(tmp_path, files)["script"] == "/home/u/b.sh"


def test_what_systemd_starts_is_not_shell(tmp_path: Path) -> None:
    service = "Environment=D=file:///b O='a b'\nExecStart=duplicity --name x;y ${O} $D"
    assert only(tmp_path, timer("OnCalendar=daily", service))["name"] == "x;y"


def test_systemd_replaces_a_variable_in_a_word(tmp_path: Path) -> None:
    service = "Environment=H=nas\nExecStart=duplicity --name 'a b' / sftp://u@${H}/b"
    known = only(tmp_path, timer("OnCalendar=daily", service))
    assert known["destination"] == "sftp://u@nas/b"
    assert known["name"] == "a b"


def test_options_of_a_profile_that_no_shell_reads_are_left_out(tmp_path: Path) -> None:
    text = 'TARGET=file:///b\nDUPL_PARAMS="--name it\'s "\n'
    assert only(tmp_path, duply(text))["destination"] == "file:///b"


# O: starters.


@pytest.mark.parametrize(
    "line",
    [
        "cd /s && ./b.sh", "cd /s/m; sh x.sh", "(cd /s && m/x.sh)", "cd /s; sh b.sh", "b.sh",
        "run-parts /s/parts",
        "run-parts --report /s/parts", "cronic /s/b.sh", "chronic /s/b.sh",
        "systemd-cat -t x /s/b.sh", "envdir /etc/env /s/b.sh", "chpst -u root /s/b.sh",
        "gosu root /s/b.sh", "setuidgid root /s/b.sh", "torsocks /s/b.sh", "ssh-agent /s/b.sh",
        "for i in /s/*.sh; do $i; done", "for i in /s/*.sh; do sh $i; done", "/bin/bash /s/b.sh",
        "nice b.sh > /dev/null", "[ -x /s/b.sh ] && /s/b.sh", "test -d /none || /s/b.sh",
        "sleep $((RANDOM \\% 60)); /s/b.sh", "sh -c 'cd /s; exec ./b.sh'",
        "ssh-agent sh -c /s/b.sh",
    ],
)  # fmt: skip
def test_whatever_starts_a_script_it_is_found(tmp_path: Path, line: str) -> None:
    text = "#!/bin/sh\nduplicity / file:///b\n"
    names = ("/s/b.sh", "/s/m/x.sh", "/s/parts/b")
    files = {**cron("PATH=/s:/usr/bin:/bin", f"0 2 * * * {line}"), **dict.fromkeys(names, text)}
    write(tmp_path, files)
    for name in names:
        (tmp_path / name[1:]).chmod(0o755)
    assert destinations(tmp_path, {}) == ["file:///b"]


# P: programs that are not read.


@pytest.mark.parametrize(
    ("line", "name", "text"),
    [
        ("/s/b.py", "b.py", '#!/usr/bin/env python3\nsubprocess.run(["duplicity", "/", url])\n'),
        ("cd /s; python3 -u b.py", "b.py", 'os.system("duplicity / %s" % url)\n'),
        ("python3 /s/b.py", "b.py", 'subprocess.run(["duplicity", "/", url])\n'),
        ("/s/b", "b", "#!/usr/bin/perl -w\nsystem('duplicity', 'full', $src, $url);\n"),
        ("cd /s && ./b", "b", "#!/usr/bin/ruby\n`duplicity / #{url}`\nsystem 'duplicity full'\n"),
    ],
)
def test_a_program_that_is_not_shell_is_told(
    tmp_path: Path, line: str, name: str, text: str
) -> None:
    write(tmp_path, {**cron(f"0 2 * * * {line}"), f"/s/{name}": text})
    found = find(str(tmp_path) + JOBS_D, root=str(tmp_path))
    assert found.jobs == ()
    assert found.problems == (f"/s/{name}: is not a shell script, but has duplicity in it",)


# Q: duplicity by the job's own PATH.


@pytest.mark.parametrize(
    "files",
    [
        script("PATH=/opt/d/bin:$PATH\nduplicity / file:///b"),
        script("export PATH=/opt/d/bin:/usr/bin\nduplicity / file:///b"),
        cron("PATH=/opt/d/bin:/usr/bin", "0 2 * * * duplicity / file:///b"),
    ],
)
def test_the_duplicity_of_the_jobs_path_is_its_duplicity(tmp_path: Path, files: Files) -> None:
    write(tmp_path, {**files, "/opt/d/bin/duplicity": "#!/usr/bin/python3\n"})
    (tmp_path / "opt/d/bin/duplicity").chmod(0o755)
    assert only(tmp_path, {})["duplicity"] == "/opt/d/bin/duplicity"


@pytest.mark.skipif(os.geteuid() != 0, reason="what is printed is for root's job")
def test_what_the_job_has_in_its_environment_stands_in_what_is_printed(tmp_path: Path) -> None:
    """R: an operator would look at, and mend, another keyring."""
    text = (
        "export GNUPGHOME=/root/keys AWS_PROFILE=web PASSPHRASE=geheim AWS_SECRET_ACCESS_KEY=k\n"
        "export HOME=/root/home EDITOR=vi FTP_PASSWORD=geheim\nduplicity / s3:///b\n"
    )
    write(tmp_path, script(text))
    (known,) = find(str(tmp_path) + JOBS_D, root=str(tmp_path)).jobs
    job = job_of(known, Secrets(known.environment), Job("root"))
    variables = "env AWS_PROFILE=web GNUPGHOME=/root/keys HOME=/root/home"
    assert job.gpg() == f"sudo -iu root -- {variables} gpg"
    assert f"{variables} duplicity collection-status" in job.duplicity("collection-status")
    printed = str(advise([(kind, job) for kind in (Kind.NO_SECRET_KEY, Kind.NO_KEY)]))
    assert "geheim" not in printed
