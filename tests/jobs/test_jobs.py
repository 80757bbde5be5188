from __future__ import annotations

import os
import re
import shlex
import socket
import tempfile
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from check_duplicity.jobs import job_file, schedule
from check_duplicity.jobs.crontabs import read_crontab
from check_duplicity.jobs.model import Fact, Known
from check_duplicity.jobs.see import Found, find
from check_duplicity.jobs.units import cron_of_calendar
from check_duplicity.nagios.findings import CannotSee, Kind
from check_duplicity.nagios.limits import age_limit
from check_duplicity.secrets import Secrets
from check_duplicity.system.user import current
from found import JOBS_D, SPOOL, UNITS, Files, cron, duply, script, timer, told, write
from hypothesis import given, settings
from hypothesis import strategies as st

Jobs = dict[str, dict[str, str]]

# As on the hosts that the runbook was written for.
ASSETS = """\
#!/bin/bash
set -e
set -o pipefail

export FTP_PASSWORD='geheim-ftp'
export PASSPHRASE="s3cret"

nice -n 10 duplicity --verbosity warning --no-print-statistics --full-if-older-than 7D \\
  --include '/data/assets' --exclude '**' --ssh-options=-oPort=2222 \\
  --archive-dir /data/cache --name assets / 'rsync://bk@h://srv/a' && duplicity \\
  remove-all-but-n-full 2 --archive-dir /data/cache --force 'rsync://bk@h://srv/a'
printf "%s\\t%s\\t%s\\t%s\\n" h backup 0 OK | /usr/sbin/send_nsca -H mon >/dev/null
"""


def job(name: str, destination: str, /, **facts: str) -> Jobs:
    """What is expected of a job; nothing in its environment and no doubts, unless they are given.

    The environment is written ``A=1 B=2``; a fact that isn't known is an empty one.
    """
    return {name: {"environment": "", "doubts": "", "destination": destination, **facts}}


def found_below(root: Path, files: Mapping[str, str | bytes]) -> Found:
    write(root, files)
    return find(str(root) + JOBS_D, root=str(root))


def unknowable(where: str) -> str:
    return f"{where}: part of it can't be known without running it"


D = "duplicity / file:///b"
BK = job("duplicity", "file:///b")
NIGHTLY = job("duplicity", "file:///b", schedule="0 2 * * *", user="root", script=D)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        # Crontabs: of users, and of the system with a user in each line.
        (cron(f"0 2 * * * {D}"), NIGHTLY),
        ({SPOOL: f"0 2 * * * {D}"}, NIGHTLY),
        ({SPOOL: f"MAILTO=a@b\r\n\r\n0 2 * * * {D}\r\n"},
         job("duplicity", "file:///b", script=D)),
        (cron("", "  # at night", f"  0 2 * * *   {D}  "), NIGHTLY),
        ({SPOOL: f"0\t2\t*\t*\t*\t{D}\n"}, job("duplicity", "file:///b", script=D)),
        ({"/var/spool/cron/bk": f"@daily {D}\n"},
         job("duplicity", "file:///b", user="bk", schedule="@daily")),
        ({"/var/spool/cron/tabs/bk": f"@midnight {D}\n"},
         job("duplicity", "file:///b", user="bk", schedule="@daily")),
        (cron(f"@weekly {D}"), job("duplicity", "file:///b", schedule="@weekly")),
        (cron(f"@annually {D}"), job("duplicity", "file:///b", schedule="@yearly")),
        (cron(f"@reboot {D}"), job("duplicity", "file:///b", schedule="@reboot")),
        (cron(f"*/15 0-6,22 1 jan,Jul mon-fri {D}"),
         job("duplicity", "file:///b", schedule="*/15 0-6,22 1 jan,Jul mon-fri")),
        (cron(f"0 2 * * SUN {D}"), job("duplicity", "file:///b", schedule="0 2 * * SUN")),
        (cron(f"-0 2 * * * {D}"), job("duplicity", "file:///b", schedule="0 2 * * *")),
        (cron("CRON_TZ=Europe/Berlin", f"0 2 * * * {D}"),
         job("duplicity", "file:///b", time_zone="Europe/Berlin")),
        (cron(f"0 2 * * * {D}", "CRON_TZ=UTC"), job("duplicity", "file:///b", time_zone="")),
        (cron('MAILTO = "ops@x"', "#MAILTO=y", f"0 2 * * * {D}"),
         NIGHTLY),
        (cron(f"#0 2 * * * {D}"),
         job("duplicity", "file:///b", schedule="0 2 * * *",
             doubts=f"{SPOOL}:1: is commented out")),
        (cron("MAILTO=x", f"# # 0 2 * * * {D}"),
         job("duplicity", "file:///b", doubts=f"{SPOOL}:2: is commented out")),
        (cron(r"0 2 * * * duplicity / file:///b-\%d"),
         job("duplicity", "file:///b-%d", script="duplicity / file:///b-%d")),
        (cron(f"0 2 * * * {D}%first line%second"), NIGHTLY),
        (cron(f"0 2 * * * {D} >>/var/log/bk 2>&1"), BK),
        ({"/etc/crontab": f"SHELL=/bin/sh\n17 3 * * * bk {D}\n"},
         job("duplicity", "file:///b", user="bk", schedule="17 3 * * *", script=D)),
        ({"/etc/crontab": f"0\t2\t* * *\tbk\t{D}"}, job("duplicity", "file:///b", user="bk")),
        ({"/etc/crontab": "0 2 * * * duplicity"}, {}),
        ({"/etc/cron.d/bk": f"@hourly root   {D}"},
         job("duplicity", "file:///b", user="root", schedule="@hourly", script=D)),
        ({"/etc/cron.d/bk.disabled": f"@hourly root {D}"}, {}),
        ({"/etc/cron.d/bk.dpkg-old": f"@hourly root {D}", "/etc/cron.d/bk": "# nothing"}, {}),
        ({"/etc/cron.daily/web": f"#!/bin/sh\n{D}\n"},
         job("web", "file:///b", user="root", schedule="@daily", script="/etc/cron.daily/web")),
        ({"/etc/cron.weekly/web": D}, job("web", "file:///b", schedule="@weekly")),
        ({"/etc/cron.daily/web.sh": D}, {}),
        ({SPOOL: "0 2 * * * /s/a\n", "/var/spool/cron/crontabs/bk": "0 3 * * * /s/c.sh\n",
          "/s/a": "duplicity / file:///a", "/s/c.sh": "duplicity / file:///c"},
         job("a", "file:///a", user="root") | job("c", "file:///c", user="bk")),
        (cron("0 2 * * * duplicity / file:///a", "0 3 * * * duplicity / file:///c"),
         job("duplicity", "file:///a") | job("duplicity-2", "file:///c")),
        ({SPOOL: "0 2 * * * /s/a\n", "/var/spool/cron/crontabs/bk": "0 3 * * * /t/a.sh\n",
          "/s/a": "duplicity / file:///a", "/t/a.sh": "duplicity / file:///c"},
         job("a", "file:///a", user="root") | job("a-bk", "file:///c", user="bk")),
        # Plain duplicity, with all that may stand in front.
        (cron("0 2 * * * nice -n 10 ionice -c3 /usr/local/bin/duplicity full / file:///b"),
         job("duplicity", "file:///b", duplicity="/usr/local/bin/duplicity")),
        (cron(f"0 2 * * * flock -n /run/bk.lock chronic timeout 6h {D}"), BK),
        (cron(f"0 2 * * * sudo -n -u bk {D}"), job("duplicity", "file:///b", user="bk")),
        (cron(f'0 2 * * * su - bk -c "{D}"'), job("duplicity", "file:///b", user="bk")),
        (cron("0 2 * * * cd /srv && PASSPHRASE=x duplicity . sftp://u@h/x"),
         job("duplicity", "sftp://u@h/x", environment="PASSPHRASE=x")),
        (cron("PASSPHRASE=a b", f"0 2 * * * {D}"),
         job("duplicity", "file:///b", environment="PASSPHRASE=a b")),
        (cron("0 2 * * * duplicity --no-encryption --archive-dir=/c --name n / ftp://u:pw@h/x"),
         job("duplicity", "ftp://u:pw@h/x", archive_dir="/c", name="n", encryption="no")),
        (cron("0 2 * * * duplicity / 'file:///a b' | logger -t bk"),
         job("duplicity", "file:///a b")),
        (cron("0 2 * * * duplicity --file-prefix w- --exclude /x --s3-endpoint-url=http://e"
              " --num-retries 3 --volsize 200 / s3:///b"),
         job("duplicity", "s3:///b", encryption="yes",
             options="--file-prefix=w- --s3-endpoint-url=http://e --num-retries=3")),
        (cron("0 2 * * * /opt/d/bin/duplicity --ssh-options '-oPort=2 -oX=y' / sftp://h/x"),
         job("duplicity", "sftp://h/x", options="'--ssh-options=-oPort=2 -oX=y'")),
        (cron("0 2 * * * duplicity / file:///$(hostname)/x"),
         job("duplicity", f"file:///{socket.gethostname()}/x")),
        (cron("0 2 * * * duplicity / file:///b-`date +\\%u`"),
         job("duplicity", "", doubts=unknowable(f"{SPOOL}:1"))),
        # What makes no backup is no job.
        (cron("0 2 * * * duplicity collection-status file:///b"), {}),
        (cron("0 2 * * * duplicity remove-older-than 3M --force file:///b"), {}),
        (cron("0 2 * * * duplicity restore file:///b /r", "1 * * * * duplicity file:///b /r"), {}),
        (cron("0 2 * * * duplicity verify file:///b /", "1 * * * * duplicity cleanup file:///b"),
         {}),
        (cron("0 2 * * * ps ax | grep duplicity", "@daily pgrep -x duplicity || mail -s no x"), {}),
        (cron("@daily apt install duplicity", "@daily vim duplicity.conf"), {}),
        (cron("@daily /usr/lib/nagios/check_duplicity_freshness -d file:///b", "duplicity"), {}),
        (cron("@daily echo duplicity / file:///b", "# duplicity / file:///b"), {}),
        (cron("@daily find /home/u/.cache/duplicity -mtime +9 -delete"), {}),
        # Scripts.
        ({SPOOL: "0 2 * * * /s/assets.sh\n", "/s/assets.sh": ASSETS},
         job("assets", "rsync://bk@h://srv/a", user="root", schedule="0 2 * * *", name="assets",
             script="/s/assets.sh", archive_dir="/data/cache",
             options="--full-if-older-than=7D --ssh-options=-oPort=2222",
             encryption="yes", duplicity="", environment="FTP_PASSWORD=geheim-ftp "
             "PASSPHRASE=s3cret")),
        (script(ASSETS.replace("\n", "\r\n")),
         job("web", "rsync://bk@h://srv/a", environment="FTP_PASSWORD=geheim-ftp "
             "PASSPHRASE=s3cret")),
        (script("duplicity / file:///a\nduplicity /c file:///c\nduplicity /d file:///a"),
         job("web", "file:///a") | job("web-2", "file:///c")),
        (script('DEST="sftp://u@h/"\nOPTS="--name x"\nOPTS="$OPTS --archive-dir ~/c"\n'
                'duplicity $OPTS / "${DEST}web"'), job("web", "sftp://u@h/web", name="x")),
        (script('ARGS=(--name "a b" --no-encryption)\nARGS+=(/srv)\n'
                'duplicity "${ARGS[@]}" file:///b'),
         job("web", "file:///b", name="a b", encryption="no")),
        (script("run() {\n  local x=1\n  duplicity incr / file:///b\n}\nrun >>log 2>&1"),
         job("web", "file:///b")),
        (script("cat <<EOF >/etc/x\nduplicity / file:///not\nEOF\n" + D), job("web", "file:///b")),
        (script('if [ "$(date +%u)" = 7 ]; then T=full; else T=incr; fi\nduplicity $T / file:///b'),
         job("web", "file:///b", doubts=unknowable("/s/web.sh:2"))),
        (script("export PASSPHRASE=$(cat /key) A=1\n" + D),
         job("web", "file:///b", environment="A=1")),
        (script(". /etc/bk.conf\nduplicity full / $URL"),
         job("web", "", doubts=unknowable("/s/web.sh:2"))),
        (script("for d in a b; do duplicity /$d file:///b/$d; done"),
         job("web", "file:///b/a") | job("web-2", "file:///b/b")),
        (script("for d in $(ls /srv); do duplicity /$d file:///b/$d; done"),
         job("web", "", doubts=unknowable("/s/web.sh:1"))),
        (script("# duplicity / file:///old\nduplicity collection-status file:///old"), {}),
        (script('echo "duplicity is not installed"; exit 1'), {}),
        ({"/s/inner.sh": "duplicity / file:///b/$1",
          **script("# around duplicity\nexport A=1 B='2'\nnice /s/inner.sh 1")},
         job("inner", "file:///b/1", user="root", schedule="0 2 * * *", script="/s/web.sh",
             environment="A=1 B=2")),
        (script("/s/web.sh # is duplicity's"), {}),
        ({SPOOL: "0 2 * * * cd /s && ./web.sh\n", "/s/web.sh": D}, job("web", "file:///b")),
        ({SPOOL: "0 2 * * * $HOME/none\n1 2 * * * /s/none.sh\n"}, {}),
        ({SPOOL: "0 2 * * * sudo -u bk /s/web.sh a >/dev/null\n", "/s/web.sh": D},
         job("web", "file:///b", schedule="0 2 * * *",
             doubts=f"{SPOOL}:1: its output is thrown away, but for errors")),
        ({SPOOL: "#0 2 * * * /s/web.sh\n", "/s/web.sh": D},
         job("web", "file:///b", doubts=f"{SPOOL}:1: is commented out")),
        ({SPOOL: "0 2 * * * /s/a,b.sh\n", "/s/a,b.sh": D}, job("a-b", "file:///b")),
        # systemd's timers.
        (timer("OnCalendar=daily", f"User=bk\nExecStart=/usr/bin/{D}"),
         job("duplicity", "file:///b", schedule="@daily", user="bk",
             duplicity="/usr/bin/duplicity")),
        ({**timer("OnCalendar=Mon *-*-* 03:00:00", "ExecStart=-/s/web.sh"), "/s/web.sh": D},
         job("web", "file:///b", schedule="0 3 * * 1", user="root", script="/s/web.sh")),
        (timer("OnCalendar=*-*-* 2/4:00:00\nPersistent=true", f"ExecStart={D}"),
         job("duplicity", "file:///b", schedule="0 2-23/4 * * *")),
        (timer("OnBootSec=1h", f"ExecStart={D}"), job("duplicity", "file:///b", schedule="")),
        (timer("OnCalendar=\nOnCalendar=04:30", f"ExecStart=nice \\\n  {D}"),
         job("duplicity", "file:///b", schedule="30 4 * * *")),
        ({**timer("OnCalendar=daily", f"EnvironmentFile=-/etc/bk\nExecStart={D}"),
          "/etc/bk": "# keys\nPASSPHRASE=s3cret\nB='2'\n"},
         job("duplicity", "file:///b", environment="PASSPHRASE=s3cret B=2")),
        (timer("OnCalendar=daily", f"EnvironmentFile=-/etc/bk\nExecStart={D}"), BK),
        (timer("OnCalendar=daily", f"Environment=A=1 B=2\nEnvironment=C=3\nExecStart={D}"),
         job("duplicity", "file:///b", environment="A=1 B=2 C=3")),
        (timer("OnCalendar=daily", "Environment=D=s3://b?x=y\nExecStart=duplicity / $D"),
         job("duplicity", "s3://b?x=y", environment="D=s3://b?x=y")),
        ({f"{UNITS}/a.timer": "[Timer]\nOnCalendar=weekly\nUnit=b.service",
          f"{UNITS}/b.service": f"ExecStart={D}"},
         job("duplicity", "file:///b", schedule="@weekly")),
        ({f"{UNITS}/web.service": f"ExecStart={D}"}, {}),
        ({f"{UNITS}/web.timer": "[Timer]\nOnCalendar=daily"}, {}),
        # duply's profiles.
        (duply("GPG_KEY='disabled'\nTARGET='file:///b'\nSOURCE='/'\n"),
         job("web", "file:///b", name="duply_web", encryption="no", user="root", schedule="",
             environment="")),
        (duply("GPG_PW='p w'\nTARGET=sftp://h:22//b\nTARGET_USER='u@x'\nTARGET_PASS='p:/%w'\n"),
         job("web", "sftp://u%40x@h:22//b", encryption="yes",
             environment="PASSPHRASE=p w FTP_PASSWORD=p:/%w")),
        (duply("TARGET=sftp://a@h/b\nTARGET_USER=u\n"), job("web", "sftp://a@h/b")),
        (duply("TARGET=s3:///b\nARCH_DIR=/c\nexport AWS_ACCESS_KEY_ID=i\nVOLSIZE=50\n"
               'DUPL_PARAMS="--volsize $VOLSIZE --s3-endpoint-url=http://e "\n'),
         job("web", "s3:///b", archive_dir="/c", options="--s3-endpoint-url=http://e",
             environment="AWS_ACCESS_KEY_ID=i")),
        ({"/home/u/.duply/pics/conf": "TARGET=file:///p", "/root/.duply/r/conf": "TARGET=file:///r"},
         job("pics", "file:///p", name="duply_pics") | job("r", "file:///r", name="duply_r")),
        ({"/var/spool/cron/root": "0 2 * * * /usr/bin/duply web backup\n",
          **duply("TARGET=file:///b")},
         job("web", "file:///b", user="root", schedule="0 2 * * *")),
        # backupninja's files.
        ({"/etc/backup.d/20-web.dup": "when = everyday at 01:00\noptions = --archive-dir /c "
          "--file-prefix w- --volsize 9\n[gpg]\nencryptkey = AB\npassword = 'p w'\n[source]\n"
          "include = /etc\ninclude = /home\n[dest]\nsshoptions = -oPort=2222\n"
          "desturl = ftp://u@h/b\nftp_password = geheim\n"},
         job("20-web", "ftp://u@h/b", archive_dir="/c", encryption="yes", user="root",
             options="--file-prefix=w- --ssh-options=-oPort=2222 --full-if-older-than=30D",
             environment="PASSPHRASE=p w FTP_PASSWORD=geheim")),
        ({"/etc/backup.d/w.dup": "[dest]\ndesthost = h\ndestuser = u\ndestdir = /srv/b/\n"},
         job("w", "scp://u@h//srv/b", archive_dir="/var/cache/backupninja/duplicity")),
        ({"/etc/backup.d/w.dup": '[dest]\ndesturl = "s3+http://b"\nincrements = keep\n'
          "awsaccesskeyid = i\n"},
         job("w", "s3+http://b", options="", environment="AWS_ACCESS_KEY_ID=i")),
        ({"/etc/backup.d/w.dup.disabled": "[dest]\ndesturl = file:///b\n",
          "/etc/backup.d/x.sh": "[dest]\ndesturl = file:///b\n"}, {}),
        # A job's own file.
        ({**script(ASSETS), f"{JOBS_D}/web.ini": "[job]\nwarning = 2d\nfull_critical = 9d\n"},
         job("web", "rsync://bk@h://srv/a", warning="2d", full_critical="9d",
             schedule="0 2 * * *", name="assets",
             environment="FTP_PASSWORD=geheim-ftp PASSPHRASE=s3cret")),
        ({**script(D), f"{JOBS_D}/web.ini": "[job]\nschedule = @weekly\n"},
         job("web", "file:///b", schedule="@weekly", user="root", script="/s/web.sh")),
        ({**script(D), f"{JOBS_D}/web.ini": "[job]\nuser = bk\n"},  # somebody else's
         job("web", "", user="bk", schedule="", script="")),
        ({**script(D), f"{JOBS_D}/web.ini": "[job]\ndestination = file:///other\n"},
         job("web", "file:///other", schedule="", script="")),
        ({**script("export A=1\nduplicity / file:///b"),
          f"{JOBS_D}/web.ini": "[job]\nuser = root\ndestination = file:///b\nname = x\n"},
         job("web", "file:///b", environment="A=1", schedule="0 2 * * *", name="x")),
        # It may have another name than its script.
        ({**script(D), f"{JOBS_D}/assets.ini": "[job]\nuser = root\ndestination = file:///b\n"},
         job("assets", "file:///b", schedule="0 2 * * *", script="/s/web.sh")),
        ({**script(D), f"{JOBS_D}/a.ini": "[job]\nuser = root\ndestination = file:///b\n",
          f"{JOBS_D}/web.ini": "[job]\nuser = root\ndestination = file:///b\n"},
         {**job("a", "file:///b", schedule=""), **job("web", "file:///b", schedule="0 2 * * *")}),
        ({**cron("0 2 * * * /s/a.sh", "0 3 * * 0 /s/b.sh"), "/s/a.sh": D, "/s/b.sh": D,
          f"{JOBS_D}/x.ini": "[job]\nuser = root\ndestination = file:///b\n",
          f"{JOBS_D}/y.ini":
          "[job]\nuser = root\ndestination = file:///b\nscript = /s/b.sh\n"},
         {**job("a", "file:///b", schedule="0 2 * * *"), **job("x", "file:///b", schedule=""),
          **job("y", "file:///b", schedule="0 3 * * 0")}),
        ({**script(D), f"{JOBS_D}/assets.ini": "[job]\nuser = bk\ndestination = file:///b\n"},
         {**job("assets", "file:///b", schedule=""), **job("web", "file:///b")}),
        ({f"{JOBS_D}/only.ini": "# mine\n[job]\ndestination = sftp://u:p%41@h/x ; y\n",
          f"{JOBS_D}/only.ini~": "x", f"{JOBS_D}/.x.ini": "x"},
         job("only", "sftp://u:p%41@h/x ; y", user="", encryption="")),
        ({}, {}),
    ],
)  # fmt: skip
def test_jobs_are_found_with_what_is_known_of_them(
    tmp_path: Path, files: Files, expected: Jobs
) -> None:
    found = found_below(tmp_path, files)
    assert found.problems == ()
    seen = {known.job: told(known) for known in found.jobs}
    assert list(seen) == sorted(expected)
    for name, facts in expected.items():
        assert {key: seen[name][key] for key in facts} == facts


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        (cron("0 2 * * * duplicity / 'file:///b"), f"{SPOOL}:1: line 1: quote without its end"),
        (script("set -e\nduplicity / 'geheim\n"), "/s/web.sh: line 2: quote without its end"),
        (script(D + " " * (1 << 20)), "/s/web.sh: too large to be a script"),
        (script(D + "\n#" * 500_001), "/s/web.sh: line 1: too long"),
        (script(b"duplicity '\xff\xfe"), "/s/web.sh: line 1: quote without its end"),
        (duply("SOURCE=/\n"), "/etc/duply/web/conf: no TARGET"),
        (duply("TARGET=$(geheim)\n"), "/etc/duply/web/conf: no TARGET"),
        ({"/etc/backup.d/w.dup": "[dest]\ndesturl =\n"}, "/etc/backup.d/w.dup: no destination"),
        ({f"{JOBS_D}/x.ini": "[job]\ndestination\n"}, f"{JOBS_D}/x.ini: line 2: parsing"),
        ({f"{JOBS_D}/x.ini": b"[job]\nuser = \xff\n"}, f"{JOBS_D}/x.ini: is not UTF-8"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_a_problem(tmp_path: Path, files: Files, problem: str) -> None:
    found = found_below(tmp_path, files)
    assert found.jobs == ()
    assert [text.replace(str(tmp_path), "") for text in found.problems] == [problem]


def test_a_problem_hides_no_other_job(tmp_path: Path) -> None:
    lines = ("0 1 * * * duplicity / 'file:///a", "0 2 * * * /s/web.sh", f"0 3 * * * {D}")
    found = found_below(tmp_path, {**script("x 'duplicity"), **cron(*lines)})
    assert [known.job for known in found.jobs] == ["duplicity"]
    assert len(found.problems) == 2


@pytest.mark.parametrize("content", [b"\x7fELF\0duplicity\0", b"\0" * 4096, b"\xff\xfe" * 99, b""])
def test_a_program_is_no_script(tmp_path: Path, content: bytes) -> None:
    assert found_below(tmp_path, script(content)) == Found((), ())


def test_a_file_that_cannot_be_opened_is_a_problem(tmp_path: Path) -> None:
    write(tmp_path, cron(f"0 2 * * * {D}", "0 3 * * * /s/web.sh", "0 4 * * * /s/fifo"))
    (tmp_path / "s").mkdir()
    (tmp_path / "s/web.sh").symlink_to("web.sh")
    os.mkfifo(tmp_path / "s/fifo")
    found = found_below(tmp_path, {})
    assert [known.job for known in found.jobs] == ["duplicity"]
    assert found.problems == ("/s/web.sh: Too many levels of symbolic links",)


@pytest.mark.parametrize("path", [SPOOL, "/etc/crontab", "/etc/cron.d/web"])
def test_a_crontab_that_cannot_be_read_is_a_problem_and_hides_no_other(
    path: str, tmp_path: Path
) -> None:
    write(tmp_path, {"/etc/cron.d/other": f"0 2 * * * root {D}\n"})
    unreadable = tmp_path / path[1:]
    unreadable.parent.mkdir(parents=True, exist_ok=True)
    unreadable.symlink_to(unreadable.name)  # Root, too, can't read that.
    found = found_below(tmp_path, {})
    assert [known.job for known in found.jobs] == ["duplicity"]
    assert found.problems == (f"{path}: Too many levels of symbolic links",)


def test_a_doubt_shows_nothing_of_the_script_and_is_one_line(tmp_path: Path) -> None:
    (known,) = found_below(tmp_path, script("duplicity / file:///$(cat\ngeheim)")).jobs
    assert known.doubts == (unknowable("/s/web.sh:1"),)
    text = job_file.as_ini(known, Secrets({}).hide)
    assert job_file.read("web", text, "web.ini").get("script") == "/s/web.sh"


def test_nobody_is_asked_for_a_crontab_below_another_root(tmp_path: Path) -> None:
    assert find(str(tmp_path / "none"), root=str(tmp_path)) == Found((), ())


def test_each_fact_says_where_it_stands(tmp_path: Path) -> None:
    (known,) = found_below(tmp_path, script("#!/bin/sh\nset -e\n\n" + D)).jobs
    origins = {key: fact.origin for key, fact in known.facts.items()}
    line = f"{SPOOL}:1"
    assert origins == {
        **dict.fromkeys(("user", "schedule", "script"), line),
        **dict.fromkeys(("destination", "encryption"), "/s/web.sh:4"),
    }


def test_variables_hold_from_their_line_on_and_entries_have_their_lines() -> None:
    text = f"A=1\n0 2 * * * {D}\nA = '2 '\nnonsense\n * 2\n@daily x\n"
    entries = list(read_crontab(text, "t", "bk"))
    assert [(entry.origin, entry.environment) for entry in entries] == [
        *(("t:2", {"A": "1"}), ("t:6", {"A": "2 "})),
    ]
    assert entries[1].command == "x"


@pytest.mark.parametrize(
    ("calendar", "expected"),
    [
        ("daily", "@daily"), ("hourly", "@hourly"), ("annually", "@yearly"),
        ("minutely", "* * * * *"), ("03:00", "0 3 * * *"), ("*-*-* 03:05:00", "5 3 * * *"),
        ("*-*-01 04:00", "0 4 1 * *"), ("Mon 02:00", "0 2 * * 1"),
        ("Mon..Fri 02:30", "30 2 * * 1-5"), ("sat,Sun *-*-* 1:00", "0 1 * * 6,0"),
        ("*:0/15", "*/15 * * * *"), ("*-*-* 02,14:00", "0 2,14 * * *"), ("Mon", "0 0 * * 1"),
        ("quarterly", "0 0 1 1,4,7,10 *"), ("*-*-* 00/6:00:00", "0 */6 * * *"),
        ("2/4:30", "30 2-23/4 * * *"), ("*-*-1,15 03:00", "0 3 1,15 * *"), ("*-*-1", "0 0 1 * *"),
        ("8..18:00", "0 8-18 * * *"), ("*-1,7-1 04:00:00", "0 4 1 1,7 *"),
        ("Monday,Thursday 02:00", "0 2 * * 1,4"), ("*:05", "5 * * * *"),
        ("Xxx 02:00", ""), ("2026-01-01 02:00", ""), ("*-*~1 02:00", ""),
        ("Mon..Mon..Fri 02:00", ""), ("Mon *-*-1 02:00", ""), ("*:*:0/10", ""), ("25:00", ""),
        ("Mondays 02:00", ""), ("02:00 Mon", ""), ("", ""),
    ],
)  # fmt: skip
def test_a_calendar_is_a_schedule_if_cron_has_one_for_it(calendar: str, expected: str) -> None:
    assert cron_of_calendar(calendar) == (expected, "")


def test_a_calendar_may_have_a_time_zone() -> None:
    assert cron_of_calendar("02:00 UTC") == ("0 2 * * *", "UTC")
    assert cron_of_calendar("Mon *-*-* 02:00 Europe/Berlin") == ("0 2 * * 1", "Europe/Berlin")


# Jobs' files.


def load(tmp_path: Path, text: str, mode: int = 0o640) -> Known | None:
    file = tmp_path / "web.ini"
    file.write_text(text)
    file.chmod(mode)
    return job_file.load("web", str(tmp_path))


def refusal(tmp_path: Path, text: str, mode: int = 0o640) -> str:
    with pytest.raises(CannotSee) as caught:
        load(tmp_path, text, mode)
    assert caught.value.kind == Kind.NO_JOB
    return caught.value.reason.replace(f"{tmp_path}/web.ini: ", "")


def test_a_jobs_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "env").write_text("# keys\nexport A='1 2'\nPASSPHRASE=s3cret\n")
    (tmp_path / "env").chmod(0o640)
    me = current()
    text = f"[job]\nuser = {me}\noptions = --a 'b c'\nname=\nenvironment_file = {tmp_path}/env\n"
    known = load(tmp_path, text)
    assert known is not None
    assert (known.get("user"), known.words("options")) == (me, ("--a", "b c"))
    assert "name" not in known.facts
    assert known.facts["user"].origin == f"{tmp_path}/web.ini"
    assert known.environment == {"A": "1 2", "PASSPHRASE": "s3cret"}
    # Only what duplicity and its backends look for goes along.
    assert known.handed_on == {"PASSPHRASE": "s3cret"}
    assert known.doubts == (f"{tmp_path}/env: duplicity does not get A",)


def test_a_job_without_a_file_has_none(tmp_path: Path) -> None:
    assert job_file.load("web", str(tmp_path)) is None
    assert job_file.load("web", str(tmp_path / "none")) is None
    assert job_file.names(str(tmp_path / "none")) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[job]\ncolour = red\n", "line 2: unknown key (known are user, script, destination,"),
        ("user = x\n", "line 1: missing section header"),
        ("[job]\nwarning = soon\n", "warning is no limit (write 36h"),
        ("[job]\nchain_critical = 9h\n", "chain_critical is no limit"),
        ("[job]\n[other]\n", "it must have one section, [job]"),
        ("[other]\nuser = x\n", "it must have one section, [job]"),
        ("[DEFAULT]\nuser = x\n[job]\n", "it must have one section, [job]"),
        ("", "it must have one section, [job]"),
        ("[job]\n[job]\n", "line 2: duplicate section"),
        ("[job]\nencryption = maybe\n", "encryption is yes, no or required"),
        ("[job]\nstarted = by hand\n", "started is here or elsewhere"),
        ("[job]\noptions = --a 'b\n", "options: No closing quotation"),
        ('[job]\nduplicity = "x\n', "duplicity: No closing quotation"),
        ("[job]\nmail = \\\n", "mail: No escaped character"),
        ("[job]\nenvironment_file = /none\n", "environment_file /none: No such file"),
        ("[job]\nenvironment_file = /dev\n", "environment_file /dev: "),
        ("[job]\nenvironment_file = a\0b\n", "environment_file is no path"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_with_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    assert refusal(tmp_path, text).startswith(said)


@pytest.mark.parametrize("mode", [0o602, 0o620, 0o646, 0o660, 0o666, 0o777])
def test_a_file_that_others_may_write_to_is_refused(tmp_path: Path, mode: int) -> None:
    assert refusal(tmp_path, "[job]\n", mode).startswith("others may write to it")


@pytest.mark.parametrize("mode", [0o702, 0o770, 0o777, 0o1777])
def test_a_file_that_others_may_replace_is_refused(tmp_path: Path, mode: int) -> None:
    tmp_path.chmod(mode)
    assert refusal(tmp_path, "[job]\n").startswith("others may write to it or its directory")


def test_an_environment_that_others_may_write_to_is_refused(tmp_path: Path) -> None:
    (tmp_path / "env").touch()
    (tmp_path / "env").chmod(0o646)
    text = f"[job]\nenvironment_file = {tmp_path}/env\n"
    assert "others may write to it" in refusal(tmp_path, text)


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give a file away")
def test_a_file_of_somebody_else_is_refused(tmp_path: Path) -> None:
    assert load(tmp_path, "[job]\n") is not None
    os.chown(tmp_path / "web.ini", 65534, 0)
    with pytest.raises(CannotSee, match="others may write to it"):
        job_file.load("web", str(tmp_path))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_who_may_not_read_a_file_is_told_where_rights_stand(tmp_path: Path) -> None:
    write(tmp_path, {"web.ini": "[job]\n"})
    (tmp_path / "web.ini").chmod(0)
    with pytest.raises(CannotSee) as refused:
        job_file.load("web", str(tmp_path))
    assert refused.value.reason == (
        f"{tmp_path}/web.ini: Permission denied to {current()}; sudo -l says what you may run"
        " with more rights"
    )


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.ini")
    (tmp_path / "dir.ini").mkdir()
    for name, said in (("fifo", "is not a file"), ("dir", "Is a directory")):
        with pytest.raises(CannotSee, match=said):
            job_file.load(name, str(tmp_path))


@pytest.mark.parametrize(
    "name", ["../x", "a/b", "", ".", "..", ".x", "-j", "a b", "a\n", "a\0", "ä", "x" * 101]
)
def test_a_name_that_can_be_none_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(CannotSee) as caught:
        job_file.load(name, str(tmp_path))
    assert caught.value.kind == Kind.USAGE


@pytest.mark.parametrize(
    "line",
    [
        "destination sftp://u:geheim@h/x", "destination: sftp://u:geheim@h/x",
        "destination: sftp://u:geheim@h/x?a=b", "geheim=", "warning = geheim",
        "[geheim", "= geheim", " geheim", "user = x\nuser = geheim", "user = x\nUser = geheim",
        "[geheim]", "[job]\nx = geheim", "colour = geheim", "options = 'geheim",
        "duplicity = \"geheim", "mail = geheim\\", "encryption = geheim",
        "environment_file = secret",
    ],
)  # fmt: skip
def test_no_refusal_shows_a_value(tmp_path: Path, line: str) -> None:
    (tmp_path / "secret").write_text("A='geheim\n")
    (tmp_path / "secret").chmod(0o640)
    line = line.replace("secret", str(tmp_path / "secret"))
    assert "geheim" not in refusal(tmp_path, f"[job]\n{line}\n")
    assert "geheim" not in refusal(tmp_path, f"geheim\n[job]\n{line}\n")


def test_what_is_found_is_shown_as_a_jobs_file_without_its_secrets() -> None:
    where = "/s/web.sh:4"
    facts = {
        "destination": Fact("ftp://u:geheim@h/x", where),
        "user": Fact("bk", "/etc/crontab:3"),
        "script": Fact("a\nb", "/etc/crontab:3"),
    }
    known = Known("web", facts, {"PASSPHRASE": "geheim"}, ("ftp://u:geheim@h: who knows",))
    assert job_file.as_ini(known, Secrets({}).hide) == (
        "# ftp://u:***@h: who knows\n"
        "[job]\n"
        "# /etc/crontab:3\nuser = bk\n"
        "# /etc/crontab:3\nscript = a b\n"
        f"# destination has a secret, and is read from {where}\n"
        "# mail = LOG, if what the job prints goes to a log and not by mail\n"
    )


plain = st.text(st.characters(blacklist_characters="\n", blacklist_categories=["Cs"]))
words = st.lists(plain).map(shlex.join)
values = st.sampled_from(job_file.KEYS).flatmap(
    lambda key: st.tuples(
        st.just(key),
        {
            **dict.fromkeys(("mail", "options", "duplicity", "drill_paths"), words),
            "drill_volumes": st.sampled_from(["1", "999"]),
            "drill_budget": st.sampled_from(["1", "10G"]),
            **dict.fromkeys(job_file.LIMITS, st.just("14")),
            "full_warning": st.sampled_from(["32h", "@1d:2d", "~:90", "1d8h"]),
            "chain_critical": st.sampled_from(["14", "2:30", "@1:2"]),
            "source_size_warning": st.sampled_from(["10G:", "@1K:2.5T"]),
            "shrunk_critical": st.sampled_from(["90", "none"]),
            "encryption": st.sampled_from(["yes", "no", "required"]),
            "started": st.sampled_from(["here", "elsewhere"]),
            "user": st.sampled_from(["bk", "www-data", "x$", "-u", "#0", "a b", "\xe4", "--"]),
        }.get(key, plain | st.sampled_from(["# x", "; x", "[x]", "= x", "a = b", ": x", "%(x)s"])),
    )
)


@given(st.lists(values), st.lists(plain.filter(str.strip)))
def test_what_is_written_as_a_jobs_file_is_read_as_it_was(
    pairs: list[tuple[str, str]], doubts: list[str]
) -> None:
    hide = Secrets({}).hide
    facts = {
        key: Fact(value, "x:1")
        for key, value in pairs
        if value and value == value.strip() and hide(value) == value and value.isprintable()
    }
    # What sudo would take for an option of its own, or for nobody, is left out.
    program = [k for k in ("script", "duplicity") if k in facts and facts[k].value[0] == "-"]
    nobody = ["user"] * (facts.get("user", Fact("", "")).value in ("-u", "#0", "a b", "\xe4", "--"))
    text = job_file.as_ini(Known("web", facts, {}, tuple(doubts)), hide)
    read = job_file.read("web", text, "web.ini")
    assert {key: fact.value for key, fact in read.facts.items()} == {
        key: fact.value for key, fact in facts.items() if key not in (*program, *nobody)
    }


# Any bytes.

PIECES = rb"""
    0 2 * * * @daily @x duplicity / file:///b sftp://u:p@h/x /s/web.sh # A= = ' " ` $ $( ${ $A \ % ;
    && | < > << <<E { } ( ) [ ] [job] [dest] [Timer] [Service] OnCalendar= daily Mon ExecStart=
    Environment= EnvironmentFile=- User= TARGET= TARGET_USER= DUPL_PARAMS= GPG_KEY= desturl
    desthost options user schedule destination encryption environment_file root if then fi case in
    esac f() full incr --name --archive-dir --no-encryption export set cd nice sudo -u bk CRON_TZ=
    01:00 - , ..
"""
pieces = st.sampled_from([*PIECES.split(), b" ", b"\n", b"\t", b"\r\n", b"\\\n", b"\0", b"\xff"])
contents = st.one_of(st.binary(), st.lists(pieces).map(b"".join), st.lists(pieces).map(b" ".join))

PLACES: dict[str, Callable[[bytes], Files]] = {
    "crontab": lambda content: {SPOOL: content},
    "system crontab": lambda content: {"/etc/crontab": content},
    "cron.d": lambda content: {"/etc/cron.d/x": content},
    "script": script,
    "cron.daily": lambda content: {"/etc/cron.daily/x": content},
    "backupninja": lambda content: {"/etc/backup.d/x.dup": content},
    "duply": lambda content: {"/etc/duply/web/conf": content},
    "job file": lambda content: {f"{JOBS_D}/x.ini": content},
    "environment": lambda content: {
        **timer("OnCalendar=daily", f"EnvironmentFile=/e\nExecStart={D}"),
        "/e": content,
    },
    "timer": lambda content: {**timer("", f"ExecStart={D}"), f"{UNITS}/web.timer": content},
}


@pytest.mark.parametrize("place", PLACES)
@settings(max_examples=60)
@given(contents)
def test_any_bytes_give_jobs_or_problems(place: str, content: bytes) -> None:
    with tempfile.TemporaryDirectory() as root:
        found = found_below(Path(root), PLACES[place](content))
    assert all(isinstance(problem, str) and problem for problem in found.problems)
    for known in found.jobs:
        assert known.job
        assert set(known.facts) <= set(job_file.KEYS)
        assert all(fact.value and fact.origin for fact in known.facts.values())
        assert known.get("encryption") in ("", "yes", "no", "required")
        read = job_file.read(known.job, job_file.as_ini(known, Secrets({}).hide), "x.ini")
        assert read.words("options") in ((), known.words("options"))


# Limits from schedules.

BERLIN = "Europe/Berlin"
JUNE = datetime(2026, 6, 17, 12, tzinfo=timezone.utc)  # a Wednesday
SPRING = datetime(2026, 3, 29, 12, tzinfo=timezone.utc)  # clocks went from 2:00 to 3:00
AUTUMN = datetime(2026, 10, 25, 12, tzinfo=timezone.utc)  # and from 3:00 to 2:00


@pytest.mark.parametrize(
    ("cron_expression", "now", "warning", "critical"),
    [
        ("0 2 * * *", JUNE, 32, 56),
        ("@daily", JUNE, 32, 56),
        ("0 2 * * 0", JUNE, 176, 344),
        ("0 2 * * sun", JUNE, 176, 344),
        ("0 2 * * 7", JUNE, 176, 344),
        ("@weekly", JUNE, 176, 344),
        ("@hourly", JUNE, 9, 10),
        ("5 * * * *", JUNE, 9, 10),
        ("0 */6 * * *", JUNE, 14, 20),
        ("0 2 * * 1-5", JUNE, 80, 152),  # the weekend's gap
        ("0 2 * * mon-fri", JUNE, 80, 152),
        ("0 2 * * 6,0", JUNE, 152, 296),
        ("0 3 * * 5-0", JUNE, 128, 248),
        ("0 4 1 * *", JUNE, 31 * 24 + 9, 62 * 24 + 10),  # October's last hour is one more
        ("0\t2 *  * *", JUNE, 32, 56),
        # A day of 23 hours, of 25 hours.
        ("0 4 * * *", SPRING, 32, 56),
        ("0 4 * * *", AUTUMN, 33, 58),
        ("0 4 * * *", AUTUMN - timedelta(hours=11), 32, 56),
        ("30 2 * * *", SPRING, 32, 56),
        ("0 3 * * 0", SPRING, 176, 344),
        ("0 3 * * 0", AUTUMN, 177, 346),
        ("0 * * * *", SPRING, 9, 10),
        ("0 * * * *", AUTUMN, 9, 10),
    ],
)
def test_limits_are_one_and_two_intervals_and_eight_hours(
    cron_expression: str, now: datetime, warning: int, critical: int
) -> None:
    limits = schedule.limits(cron_expression, now, schedule.zone_of(BERLIN))
    assert limits == (f"{warning}h", f"{critical}h")


def test_the_zone_of_the_schedule_counts() -> None:
    assert schedule.limits("0 2 * * *", JUNE) == ("32h", "56h")
    assert schedule.limits("0 4 * * *", AUTUMN, timezone.utc) == ("32h", "56h")


@pytest.mark.parametrize(
    "cron_expression",
    ["", "@reboot", "@x", "garbage", "99 2 * * *", "0 2 30 2 *", "0 2 * *", "0 2 */0 * *",
     "٣ 2 * * *", "-0 2 * * *", "H H * * *", "0~30 2 * * *", "a b c d e"],
)  # fmt: skip
def test_what_is_no_schedule_is_refused(cron_expression: str) -> None:
    with pytest.raises(ValueError, match=r"^not a cron schedule: "):
        schedule.limits(cron_expression, JUNE)


times = st.lists(st.sampled_from(re.findall(r"\S+", "* 0 2 7 31 60 */2 1-5 5-1 mon x , / - l # ?")))


@given(st.text(max_size=20) | times.map(" ".join))
@settings(max_examples=50)
def test_any_text_gives_limits_or_is_refused(text: str) -> None:
    try:
        warning, critical = schedule.limits(text, JUNE)
    except ValueError as error:
        assert str(error).startswith("not a cron schedule: ")
    else:
        assert (age_limit(warning).upper or 0) <= (age_limit(critical).upper or 0)


def test_a_zone_that_is_none_is_refused() -> None:
    assert schedule.zone_of("") is None
    with pytest.raises(ValueError, match="not a time zone: 'Europe/Nowhere'"):
        schedule.zone_of("Europe/Nowhere")
