"""Where mail to a name can be read, and who decides that; and where several outputs go."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from check_duplicity.jobs import outputs
from check_duplicity.jobs.crontabs import Entry
from check_duplicity.jobs.enabling import off
from check_duplicity.jobs.entries import started
from check_duplicity.jobs.model import Fact
from check_duplicity.jobs.outputs import Mailer, Streams, Told
from check_duplicity.jobs.search import Search
from check_duplicity.runs.paths import NOWHERE
from found import Files, write

BOX = "/var/mail/daemon"


@pytest.mark.parametrize(
    ("names", "aliases", "expected"),
    [
        ("daemon", "", Told(BOX)), (" x@y , daemon", "", Told(BOX)), ('"daemon"', "", Told(BOX)),
        ("\\daemon", "daemon: mail\n", Told(BOX)),
        ("daemon", "daemon: mail\n", Told("/var/mail/mail")),
        ("daemon@localhost.localdomain", "", Told(BOX)), ("daemon@LOCALHOST", "", Told(BOX)),
        ("daemon@nas.example.org", "", Told(BOX)), ("daemon@nas", "", Told(BOX)),
        ("daemon@", "", Told(NOWHERE, "", "mailed to daemon@, not on this host")),
        ("mail,daemon", "", Told(BOX)), ("news,mail", "", Told("/var/mail/news")),
        ("a,b,c,d", "", Told(NOWHERE, "", "mailed to a, b, c, not on this host")),
        ("", "", Told(NOWHERE, "", "mailed to nobody, not on this host")),
        ("|/bin/x", "", Told("", "its output is mailed to |/bin/x, which isn't read")),
        (":include:/l,a", "", Told("", "its output is mailed to :include:/l, a, which isn't read")),
        ("a,|/x", "", Told("", "its output is mailed to a, |/x, which isn't read")),
        ("/l/x y", "", Told("'/l/x y'")), ("owner", "", Told("/var/mail/owner")),
        ("ops", "Ops:daemon\n", Told(BOX)), ("ops", "\"ops\" : \"daemon\"\n", Told(BOX)),
        ("ops", "ops: a@b\n\n ,daemon\n", Told(NOWHERE, "", "mailed to a@b, not on this host")),
        ("ops", "ops: a@b,\n \t daemon\n", Told(BOX)), ("ops", "#ops: daemon\nx: y\n",
         Told(NOWHERE, "", "mailed to ops, not on this host")),
        ("ops", "ops: # daemon\n", Told(NOWHERE, "", "mailed to ops, not on this host")),
        ("ops", "ops: ops2\nops2: ops\n", Told(NOWHERE, "", "mailed to ops, not on this host")),
        ("a0", "".join(f"a{n}: a{n + 1}\n" for n in range(20)) + "a20: daemon\n",
         Told(NOWHERE, "", "mailed to nobody, not on this host")),
        ("a0", "".join(f"a{n}: a{n + 1}\n" for n in range(19)) + "a19: daemon\n", Told(BOX)),
    ],
)  # fmt: skip
def test_where_mail_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: str, aliases: str, expected: Told
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "NAS.example.org")
    write(tmp_path, {"/etc/aliases": aliases, BOX: ""})
    search = Search(str(tmp_path))
    search.problems.append("earlier")
    assert Mailer(search, "owner").told(names.split(",")) == expected
    assert search.problems == ["earlier"]


def test_who_can_change_the_aliases_decides(tmp_path: Path) -> None:
    write(tmp_path, {"/etc/aliases": "ops: daemon\n", BOX: ""})
    (tmp_path / "etc/aliases").chmod(0o646)
    told = Mailer(Search(str(tmp_path)), "x").told(["ops"])
    assert told == Told(BOX, by=frozenset(["any user"]))


@pytest.mark.parametrize(
    ("there", "mailbox"),
    [
        ([], "/var/mail/daemon"), (["/var/spool/mail/daemon"], "/var/spool/mail/daemon"),
        (["/var/spool/mail/daemon", "/var/mail/daemon"], "/var/mail/daemon"),
    ],
)  # fmt: skip
def test_the_mailbox_that_is_there_counts(tmp_path: Path, there: list[str], mailbox: str) -> None:
    write(tmp_path, dict.fromkeys(there, ""))
    assert Mailer(Search(str(tmp_path)), "x").told(["daemon"]) == Told(mailbox)


@pytest.mark.parametrize(
    ("mailto", "expected"),
    [
        ({"MAILTO": ""}, Told(NOWHERE, "", "/c:1")), ({"MAILTO": " "}, Told(NOWHERE, "", "/c:1")),
        ({}, Told(BOX, "", "/c:1")), ({"MAILTO": "mail"}, Told("/var/mail/mail", "", "/c:1")),
        ({"MAILTO": "a@b,c@d"}, Told(NOWHERE, "", "/c:1, mailed to a@b, c@d, not on this host")),
    ],
)  # fmt: skip
def test_where_cron_mails(tmp_path: Path, mailto: dict[str, str], expected: Told) -> None:
    entry = Entry("@daily", "daemon", "x", "/c:1", mailto)
    assert outputs.of_entry(Search(str(tmp_path)), entry) == Streams(expected, expected)


def test_where_systemd_writes(tmp_path: Path) -> None:
    entry = Entry("@daily", "daemon", "x", "/u", output=("/a b", ""))
    assert outputs.of_entry(Search(str(tmp_path)), entry) == Streams(
        Told("'/a b'", "", "/u"), Told("", "its output goes to where it isn't read", "/u")
    )


A, B = frozenset("a"), frozenset("b")


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        (None, None, None), (None, Fact("/b", "y"), None), (Fact("/a", "x"), None, Fact("/a", "x")),
        (Fact("/a", "x", A), Fact("/a", "y", B), Fact("/a", "x", A)),
        (Fact("/a", "x", A), Fact("'/b c'", "y", B), Fact("/a '/b c'", "x", A | B)),
        (Fact("/a /b", "x"), Fact("/b /c", "y"), Fact("/a /b /c", "x")),
        (Fact(NOWHERE, "x"), Fact("/c", "y"), Fact("/c", "x")),
    ],
)  # fmt: skip
def test_outputs_of_two_lines(one: Fact | None, other: Fact | None, both: Fact | None) -> None:
    assert outputs.joined(one, other) == both


@pytest.mark.parametrize(
    ("period", "files", "mail_to"),
    [
        ("daily", {}, {}), ("daily", {"/etc/crontab": "MAILTO=a\n"}, {"MAILTO": "a"}),
        ("daily", {"/etc/crontab": "MAILTO \t= \"a\" \r\n"}, {"MAILTO": "a"}),
        ("daily", {"/etc/crontab": "MAILTO=a\nMAILTO=b\n"}, {}),
        ("daily", {"/etc/crontab": "MAILTO=a\nMAILTO='a'\n#MAILTO=b\n"}, {"MAILTO": "a"}),
        ("daily", {"/etc/crontab": "MAILTO=a\n", "/etc/anacrontab": "MAILTO=b\n"}, {"MAILTO": "a"}),
        *((period, {"/etc/crontab": "MAILTO=a\n", "/etc/anacrontab": "MAILTO=b\n",
                    "/usr/sbin/anacron": ""}, {"MAILTO": "a" if period == "hourly" else "b"})
          for period in ("hourly", "daily", "weekly", "monthly")),
    ],
)  # fmt: skip
def test_who_gets_the_mail_of_what_is_periodic(
    tmp_path: Path, period: str, files: Files, mail_to: dict[str, str]
) -> None:
    write(tmp_path, {**files, f"/etc/cron.{period}/a": "x", f"/etc/cron.{period}/a.b": "x"})
    entry = Entry(f"@{period}", "root", f"/etc/cron.{period}/a", f"/etc/cron.{period}", mail_to)
    assert list(started(Search(str(tmp_path)))) == [entry]


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({}, "is not enabled"), ({"/u/w.timer": ""}, "is masked"),
        ({"/u/w.timer": "x", "/v/w.timer": ""}, "is not enabled"),
        ({"/u/s.service": "", "/u/w.timer": "x"}, "starts s.service, which is masked"),
        *(({f"{where}/x.target.{kind}/w.timer": "x"}, "")
          for kind in ("wants", "requires", "upholds")
          for where in ("/u", "/v", "/run/systemd/generator", "/run/systemd/generator.late")),
        ({"/u/x.target.wants/w.timer": "", "/v/x.target.wants/w.timer": "x"}, ""),
        ({"/u/x.target.wants/w.timer": ""}, "is not enabled"),
        *(({f"/v/x.target{part}": f"[Unit]\n \t{key}=a.timer w.timer{end}"}, "")
          for part in ("", ".d/a.conf") for key in ("Wants", "Requires", "Upholds")
          for end in ("", "\n", " b.timer")),
        *(({"/v/x.target": line}, "is not enabled")
          for line in ("#Wants=w.timer", "Wants=aw.timer", "Wants=w.timers", "Wants=wxtimer",
                       "After=w.timer")),
        ({"/v/x.service": "Wants=w.timer"}, "is not enabled"),
        ({"/u/a.target": "x", "/u/b.target": "Wants=w.timer"}, ""),
    ],
)  # fmt: skip
def test_why_a_timer_starts_nothing(tmp_path: Path, files: Files, why: str) -> None:
    write(tmp_path, files)
    assert off(Search(str(tmp_path)), ("/u", "/v"), "w.timer", "s.service") == why
