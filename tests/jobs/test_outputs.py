"""The place of a job's output becomes its ``mail``, for every way of hosts, without guessing."""

from __future__ import annotations

import getpass
import os
import socket
from pathlib import Path

import pytest
from check_duplicity.jobs import job_file
from check_duplicity.jobs.model import Fact, Known
from check_duplicity.jobs.see import find
from check_duplicity.runs.paths import NOWHERE, THROWN_AWAY
from check_duplicity.secrets import Secrets
from found import JOBS_D, SPOOL, UNITS, Files, cron, duply, script, timer, told, write

D = "duplicity / file:///b"
FULL_OR_NOT = """\
if [ $(date +%u) = 7 ]; then duplicity full / file:///b >> /l/full.log
else duplicity incr / file:///b >> /l/incr.log; fi
"""
NOT_KNOWN = "where its output goes can't be known without running it"


def only(root: Path, files: Files) -> dict[str, str]:
    write(root, files)
    (known,) = find(str(root) + JOBS_D, root=str(root)).jobs
    return told(known)


def mail(root: Path, files: Files) -> str:
    return only(root, files)["mail"]


@pytest.mark.parametrize(
    ("text", "log"),
    [
        (f"{D} >> /l/b.log 2>&1", "/l/b.log"),
        (f"{D} > /l/b.log", "/l/b.log"),
        (f"{D} >| '/l/b 1.log'", "'/l/b 1.log'"),
        (f"{D} &>> /l/b.log", "/l/b.log"),
        (f"{D} >& /l/b.log", "/l/b.log"),
        (f'LOG=/l/b.log\n{D} >> "$LOG" 2>&1', "/l/b.log"),
        (f"cd /l; {D} >> b.log", "/l/b.log"),
        (f"exec >> /l/b.log 2>&1\n{D}", "/l/b.log"),
        (f"exec 3>&1 >> /l/b.log 2>&1\n{D}\necho done >&3", "/l/b.log"),
        (f"{{ echo start; {D}; }} >> /l/b.log", "/l/b.log"),
        (f"( {D} ) >> /l/b.log", "/l/b.log"),
        (f"f() {{ {D}; }}\nf >> /l/b.log", "/l/b.log"),
        (f"for i in 1 2; do {D}; done >> /l/b.log", "/l/b.log"),
        (f"if true; then {D}; fi > /l/b.log", "/l/b.log"),
        (f"sh -c '{D}' >> /l/b.log", "/l/b.log"),
        (f"#!/bin/bash\nexec > >(tee -a /l/b.log) 2>&1\n{D}", "/l/b.log"),
        (f"exec > >(logger -t bk) 2>&1\n{D}", "journal:tag=bk"),
        (f"{D} 2>&1 | tee -a /l/b.log", "/l/b.log"),
        (f"{D} | tee /l/b.log > /dev/null", "/l/b.log"),
        (f"{D} |& ts | tee -a /l/b.log", "/l/b.log"),
        (f"{D} 2>&1 | ts '%F %T' >> /l/b.log", "/l/b.log"),
        (f"{{ {D}; }} 2>&1 | cat >> /l/b.log", "/l/b.log"),
        (f"[ -t 1 ] || exec >> /l/b.log\n{D}", "/l/b.log"),
        (f"if tty -s; then exec > /l/b.log; else exec >> /l/b.log; fi\n{D}", "/l/b.log"),
        # duplicity's own log, whatever else.
        ("duplicity --log-file /l/d.log / file:///b", "/l/d.log"),
        ("duplicity --log-file=/l/d.log / file:///b > /dev/null 2>&1", "/l/d.log"),
        ("duplicity --log-file /l/d-$(date +%F).log / file:///b", "/l/d-*.log"),
        ("cd /l; duplicity --log-file d.log / file:///b >> e.log", "/l/d.log"),
        # Dated names.
        (f"{D} > /l/b-$(date +%F).log", "/l/b-*.log"),
        (f"{D} > /l/b-`/bin/date '+%F %T'`.log", "/l/b-*.log"),
        (f"DAY=$(date +%u)\nLOG=/l/b.$DAY.log\n{D} >> $LOG", "/l/b.*.log"),
        (f"{D} > /l/b-$(date +%F)-$$.log", "/l/b-*-*.log"),
        (f"{D} | tee -a /l/b-$(date +%F).log", "/l/b-*.log"),
        (f"{D} > /l/[b]-$(date +%F).log", "/l/[[]b]-*.log"),
        # The system's log.
        (f"{D} 2>&1 | logger -t bk", "journal:tag=bk"),
        (f"{D} 2>&1 | /usr/bin/logger -it bk -p cron.info", "journal:tag=bk"),
        (f"{D} | logger --priority=cron.info --tag=bk", "journal:tag=bk"),
        (f"systemd-cat -t bk {D}", "journal:tag=bk"),
        (f"systemd-cat --identifier=bk nice {D}", "journal:tag=bk"),
        (f"systemd-cat -t bk sh -c '{D}'", "journal:tag=bk"),
        (f"{D} | systemd-cat -t bk", "journal:tag=bk"),
        # Full and incremental backups, each with a log of its own.
        (FULL_OR_NOT, "/l/full.log /l/incr.log"),
        # Errors apart: what it prints has the statistics, and no end if it fails.
        (f"{D} >> /l/b.log 2>> /l/b.err", "/l/b.log"),
        (f"{D} > /dev/null 2>> /l/b.err", "/l/b.err"),
        (f"{D} 2>&1 > /dev/null | tee -a /l/b.err", "/l/b.err"),
    ],
)  # fmt: skip
def test_a_log_is_where_the_output_goes(tmp_path: Path, text: str, log: str) -> None:
    assert mail(tmp_path, script(text)) == log
    line = text.replace("%", "\\%")
    if "\n" not in text:
        assert mail(tmp_path, cron(f"0 2 * * * {line}")) == log


@pytest.mark.parametrize(
    ("line", "log"),
    [
        ("/s/web.sh >> /l/b.log 2>&1", "/l/b.log"),
        ("/s/web.sh 2>&1 | tee -a /l/b.log", "/l/b.log"),
        ("nice /s/web.sh 2>&1 | logger -t bk", "journal:tag=bk"),
        ("systemd-cat -t bk /s/web.sh", "journal:tag=bk"),
        ("/s/web.sh > /l/b-$(date +\\%F).log 2>&1", "/l/b-*.log"),
        ("cd /l && /s/web.sh > b.log", "/l/b.log"),
        ("/s/outer.sh >> /l/b.log", "/l/b.log"),
        ("/s/logging.sh", "/l/logging.log"),
        ("/s/logging.sh > /dev/null 2>&1", "/l/logging.log"),
    ],
)
def test_the_log_of_who_starts_the_script_is_the_jobs(tmp_path: Path, line: str, log: str) -> None:
    files: Files = {
        "/s/web.sh": f"{D}\n", "/s/outer.sh": "/s/web.sh\n",
        "/s/logging.sh": "exec >> /l/logging.log 2>&1\n/s/web.sh\n",
    }  # fmt: skip
    facts = only(tmp_path, {**files, **cron(f"0 2 * * * {line}")})
    assert (facts["mail"], facts["doubts"]) == (log, "")


@pytest.mark.parametrize(
    "text",
    [
        f"{D} >> $LOG", f"{D} >> /l/$X.log", f"{D} >> /l/$(hostid).log", f"{D} >> b.log",
        f"{D} > /l/$(date +%Y)/b.log", f"{D} > /l/$(date +%F)", f"{D} > /l/$(date; rm x).log",
        f"if x; then exec >> /l/b.log; fi\n{D}", f"if x; then L=/l/a; else L=/l/b; fi; {D} > $L",
        f"OUT=$({D} 2>&1)\necho \"$OUT\" >> /l/b.log", f"{D} | mail -s backup ops",
        f"{D} | grep -v x >> /l/b.log", f"{D} | logger", f"{D} | logger -n loghost -t bk",
        f"systemd-cat {D}", f"systemd-run {D}", f"{D} | while read l; do echo $l; done > /l/b",
        f"{D} >&3", f"{D} > /l/b-$X-$(date +%F).log", f"{D} | logger -t $X", f"{D} > $(mktemp)",
    ],
)  # fmt: skip
def test_what_is_not_sure_is_no_fact_but_told(tmp_path: Path, text: str) -> None:
    facts = only(tmp_path, script(f"cd $HERE\n{text}"))
    assert facts["mail"] == ""
    assert NOT_KNOWN in facts["doubts"]


@pytest.mark.parametrize(
    "text",
    [
        f"( exec > /l/other.log )\n{D}",
        f"{{ true; }} > /l/other.log\n{D}",
        f"f() {{ if x; then {{ echo no; return 1; }} > /l/other.log; fi; }}\nf\n{D}",
        f"while true; do break; done > /l/other.log\n{D}",
        f"echo x | cat > /l/other.log\n{D}",
        f"{D} 3> /l/other.log",
        f"{D} < /l/other.log",
        f"X=$(exec > /l/other.log)\n{D}",
    ],
)  # fmt: skip
def test_what_another_command_prints_to_is_not_where_the_job_does(
    tmp_path: Path, text: str
) -> None:
    facts = only(tmp_path, script(text))
    assert (facts["mail"], facts["doubts"]) == ("", "")


@pytest.mark.parametrize(
    ("setting", "place"),
    [
        ("StandardOutput=append:/l/b.log", "/l/b.log"),
        ("StandardOutput=file:/l/b.log\nStandardError=inherit", "/l/b.log"),
        ("StandardOutput=truncate:/l/%p.log", "/l/web.log"),
        ("StandardOutput=null", NOWHERE),
        ("StandardOutput=null\nStandardError=append:/l/b.err", "/l/b.err"),
        ("", "journal:web.service"),
        ("StandardOutput=journal+console", "journal:web.service"),
        ("StandardOutput=null\nStandardError=journal", "journal:web.service"),
        ("SyslogIdentifier=x\nStandardOutput=syslog", "journal:web.service"),
        ("StandardOutput=tty", ""),
    ],
)
def test_of_a_service_it_is_where_systemd_puts_it(tmp_path: Path, setting: str, place: str) -> None:
    files = timer("OnCalendar=daily", f"{setting}\nExecStart=/s/web.sh")
    facts = only(tmp_path, {**files, "/s/web.sh": f"{D}\n"})
    assert facts["mail"] == place


def test_an_instance_has_its_own_journal_and_a_users_is_not_read(tmp_path: Path) -> None:
    files: Files = {
        f"{UNITS}/b@web.timer": "[Timer]\nOnCalendar=daily\n",
        f"{UNITS}/b@.service": f"[Service]\nExecStart={D}/%i\n",
    }
    assert mail(tmp_path, files) == "journal:b@web.service"
    home = "/home/u/.config/systemd/user"
    files = {
        f"{home}/b.timer": "[Timer]\nOnCalendar=daily\n",
        f"{home}/b.service": f"[Service]\nExecStart={D}\n",
    }
    facts = only(tmp_path / "user", files)
    assert facts["mail"] == ""
    assert "its output goes to where it isn't read" in facts["doubts"]


# By mail


def mailed(*lines: str) -> Files:
    """Return root's job whose output cron mails, and mailboxes of several users."""
    boxes = ("daemon", "mail", "staff")
    return {**cron(*lines, f"0 2 * * * {D}"), **{f"/var/mail/{name}": "" for name in boxes}}


@pytest.mark.parametrize(
    ("lines", "aliases", "mailbox"),
    [
        (["MAILTO=daemon"], "", "/var/mail/daemon"),
        (['MAILTO="daemon"'], "root: mail\n", "/var/mail/daemon"),
        (["MAILTO=daemon@localhost"], "", "/var/mail/daemon"),
        ([f"MAILTO=daemon@{socket.gethostname()}"], "", "/var/mail/daemon"),
        (["MAILTO=a@example.org,daemon"], "", "/var/mail/daemon"),
        (["MAILTO=ops"], "ops: daemon\n", "/var/mail/daemon"),
        (["MAILTO=ops"], "#ops: x\nOps : x@example.org,\n\tlist\nlist: mail\n", "/var/mail/mail"),
        (["MAILTO=ops"], 'ops: "|/bin/x -a, b", daemon\n', "/var/mail/daemon"),
        (["MAILTO=ops"], "ops: /var/lib/ops/Maildir/\n", "/var/lib/ops/Maildir/"),
        (["MAILTO=list"], "", ""),
        ([], "root: daemon\n", "/var/mail/daemon"),
        # root's own: nothing is to be said.
        (["MAILTO=root"], "", ""),
        ([], "", ""),
        ([], "root: \\root, x@example.org\n", ""),
        ([], "root: ops\nops: root\n", ""),
    ],
)  # fmt: skip
def test_mail_goes_to_a_mailbox_on_this_host(
    tmp_path: Path, lines: list[str], aliases: str, mailbox: str
) -> None:
    write(tmp_path, {"/etc/aliases": aliases, "/var/lib/ops/Maildir/new/x": ""})
    if lines == ["MAILTO=list"]:  # who is a user, and has no mail
        facts = only(tmp_path, mailed(*lines))
        assert facts["doubts"].endswith("mailed to /var/mail/list, which isn't there")
        return
    facts = only(tmp_path, mailed(*lines))
    assert (facts["mail"], facts["doubts"]) == (mailbox, "")


@pytest.mark.parametrize("host", ["web1.example.org", "WEB1.example.org", "web1", "localhost"])
def test_a_host_with_a_domain_has_a_short_name_too(
    host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "Web1.Example.org")
    files = mailed(f"MAILTO=daemon@{host}")
    assert mail(tmp_path, files) == "/var/mail/daemon"


@pytest.mark.skipif(not os.path.isdir(os.path.expanduser("~")), reason="needs a home")
def test_mail_is_forwarded(tmp_path: Path) -> None:
    home = os.path.expanduser(f"~{getpass.getuser()}")
    files: Files = {f"{home}/.forward": f"# mine\n{getpass.getuser()}@example.org, daemon\n"}
    spool = f"/var/spool/cron/crontabs/{getpass.getuser()}"
    files |= {spool: f"0 2 * * * {D}\n", "/var/mail/daemon": ""}
    assert mail(tmp_path, files) == "/var/mail/daemon"


# Thrown away


@pytest.mark.parametrize(
    ("files", "why"),
    [
        (cron("MAILTO=", f"0 2 * * * {D}"), ""),
        (cron('MAILTO=""', f"0 2 * * * {D}"), ""),
        (cron(f"0 2 * * * {D} > /dev/null 2>&1"), ""),
        (cron(f"0 2 * * * {D} &> /dev/null"), ""),
        (cron('MAILTO=""', f"0 2 * * * {D} > /dev/null"), ""),
        (cron(f"0 2 * * * {D} >&- 2>&-"), ""),
        ({**cron("0 2 * * * /s/web.sh > /dev/null 2>&1"), "/s/web.sh": D}, ""),
        (cron("MAILTO=ops@example.org", f"0 2 * * * {D}"),
         f"{SPOOL}:2, mailed to ops@example.org, not on this host"),
        (cron("MAILTO=nobody-here", f"0 2 * * * {D}"),
         f"{SPOOL}:2, mailed to nobody-here, not on this host"),
        ({"/etc/aliases": "root: ops@example.org\n", **cron(f"0 2 * * * {D}")},
         f"{SPOOL}:1, mailed to ops@example.org, not on this host"),
        ({"/etc/cron.daily/web": f"#!/bin/sh\n{D}\n", "/etc/crontab": "MAILTO=''\n"}, ""),
        ({"/etc/cron.daily/web": f"#!/bin/sh\n{D}\n", "/etc/anacrontab": "MAILTO=\n",
          "/usr/sbin/anacron": "", "/etc/crontab": "MAILTO=root\n"}, ""),
        ({**duply("TARGET=file:///b\n"), **cron("0 2 * * * duply web backup > /dev/null 2>&1")},
         ""),
    ],
)  # fmt: skip
def test_what_is_thrown_away_is_a_fact(tmp_path: Path, files: Files, why: str) -> None:
    write(tmp_path, files)
    (known,) = find(str(tmp_path) + JOBS_D, root=str(tmp_path)).jobs
    assert known.is_silent
    assert known.doubts == ()
    assert known.facts["mail"].origin.endswith(why)


def test_what_is_thrown_away_but_for_errors_is_mailed(tmp_path: Path) -> None:
    facts = only(tmp_path, cron(f"0 2 * * * {D} > /dev/null"))
    assert facts["mail"] == ""
    assert facts["doubts"] == f"{SPOOL}:1: its output is thrown away, but for errors"
    write(tmp_path, {"/var/mail/daemon": ""})
    facts = only(tmp_path, cron("MAILTO=daemon", f"0 2 * * * {D} > /dev/null"))
    assert facts["mail"] == "/var/mail/daemon"


def test_the_file_of_a_job_says_so_and_is_read_again(tmp_path: Path) -> None:
    known = Known("web", {"mail": Fact(NOWHERE, "/s/web.sh:2")})
    text = job_file.as_ini(known, Secrets({}).hide)
    assert text.count(THROWN_AWAY) == 1
    assert f"# {THROWN_AWAY}\nmail = /dev/null\n" in text
    assert job_file.read("web", text, "x.ini").is_silent


def test_the_logs_of_two_lines_are_both_read(tmp_path: Path) -> None:
    lines = ("0 3 * * 0 /s/b.sh full >> /l/full.log", "0 3 * * 1-6 /s/b.sh inc >> '/l/in c.log'")
    facts = only(tmp_path, {**cron(*lines), "/s/b.sh": "duplicity $1 / file:///b\n"})
    assert facts["mail"] == "/l/full.log '/l/in c.log'"


def test_one_line_whose_output_is_not_known_leaves_the_others_log(tmp_path: Path) -> None:
    lines = ('0 3 * * 0 /s/b.sh full >> "/l/$(cat /x).log"', "0 3 * * 1-6 /s/b.sh inc >> /l/b.log")
    script = {"/s/b.sh": "duplicity $1 / file:///b\n"}
    assert mail(tmp_path, {**cron(*lines), **script}) == "/l/b.log"
    assert mail(tmp_path, {**cron(*lines[::-1]), **script}) == "/l/b.log"


def test_a_profile_of_duply_has_the_log_of_its_line(tmp_path: Path) -> None:
    files = {**duply("TARGET=file:///b\n"), **cron("0 2 * * * duply web backup >> /l/b.log 2>&1")}
    assert mail(tmp_path, files) == "/l/b.log"


@pytest.mark.skipif(os.geteuid() != 0, reason="who else decides is another user than the tests'")
@pytest.mark.parametrize("name", ["s/web.sh", "etc/b.conf", "root/.forward"])
def test_nobody_else_decides_which_file_is_read(tmp_path: Path, name: str) -> None:
    files: Files = {"/etc/b.conf": "LOG=/l/b.log\n", "/root/.forward": "/root/log\n"}
    printed = f". /etc/b.conf; {D} >> $LOG" if "forward" not in name else D
    write(tmp_path, {**files, **script(printed)})
    assert told(find(str(tmp_path) + JOBS_D, root=str(tmp_path)).jobs[0])["mail"]
    os.chown(tmp_path / name, 65534, -1)
    (known,) = find(str(tmp_path) + JOBS_D, root=str(tmp_path)).jobs
    assert known.get("mail") == ""
    assert "can change where its output goes" in "; ".join(known.doubts)
