"""What is read of one of cron's mails: the whole of it, in each form."""

from __future__ import annotations

import base64

import pytest
from check_duplicity.runs.mail import Mail, read_date, read_mail

SENT = "Sat, 28 Nov 2026 02:00:01 +0100"
AT = 1795827601.0
BODY = "a\nb\n"


def raw(subject: str, header: str = "", body: str = BODY) -> bytes:
    return f"Subject: {subject}\n{header}Date: {SENT}\n\n{body}".encode()


def read(subject: str, header: str = "", body: str = BODY) -> Mail | None:
    return read_mail(raw(subject, header, body))


@pytest.mark.parametrize(
    ("subject", "user", "host", "command", "failed", "succeeded"),
    [
        ("Cron <a@h> /x  y", "a", "h", "/x y", False, False),
        ("Cron <a@h> /x (failed)", "a", "h", "/x", True, False),
        ("Cron <a@h> /x (failed) z", "a", "h", "/x (failed) z", False, False),
        ("Cron <a.b-c_1$@h.i:2-3> x", "a.b-c_1$", "h.i:2-3", "x", False, False),
        ("Cron <a@h>\n /x\n\ty", "a", "h", "/x y", False, False),
        ("[list] ***SPAM*** [x] Cron <a@h> x", "a", "h", "x", False, False),
        ('[h] Failure: /var/spool/cron/a\'s crontab "0 2 * * * /x y"', "a", "h", "/x y", True,
         False),
        ('[h] Output: a\'s crontab "@daily /x"', "a", "h", "/x", False, True),
        ('[t] [h] Output: a\'s crontab "@daily /x"', "a", "h", "/x", False, True),
        ("[h] Failure: /etc/cron.daily/x", "root", "h", "/etc/cron.daily/x", True, False),
        ("[t] [h] Output: /etc/cron.daily/x", "root", "h", "/etc/cron.daily/x", False, True),
        ("Anacron job 'cron.daily' on h", "root", "h", "cron.daily", False, False),
        ("[t] Anacron job 'x y' on h.i", "root", "h.i", "x y", False, False),
        ("=?utf-8?q?Cron_=3Ca=40h=3E?= /x", "a", "h", "/x", False, False),
        ("=?utf-8?b?Q3JvbiA8YUBoPiAvw6Q=?=", "a", "h", "/ä", False, False),
        ("=?utf-8?q?Cron_=3Ca=40h=3E_/x?=\n =?utf-8?q?_y=FF?=", "a", "h", "/x y\ufffd", False,
         False),
        ("Cron <a@h> =?utf-8?b?Q?= x", "a", "h", "=?utf-8?b?Q?= x", False, False),
    ],
)  # fmt: skip
def test_a_subject_is_read(
    subject: str, user: str, host: str, command: str, failed: bool, succeeded: bool
) -> None:
    assert read(subject) == Mail(user, host, command, failed, succeeded, AT, BODY)


@pytest.mark.parametrize(
    "subject",
    ["", "Re: Cron <a@h> x", "Cron a@h x", "Cron <1a@h> x", "Cron <a@h>x", "cron <a@h> x",
     "Fwd: [h] Failure: /x", "[h] Success: /x", "[h] Failure: x", "[h Failure: /x",
     "[h] Output: a's crontab \"0 2 * * /x\"", "[h] Output: a's crontab \"@daily /x\" z",
     "x Anacron job 'x' on h", "Anacron job 'x", "SPAM Cron <a@h> x"],
)  # fmt: skip
def test_another_subject_is_not_crons(subject: str) -> None:
    assert read(subject) is None


@pytest.mark.parametrize("field", ["In-Reply-To", "References", "REFERENCES"])
def test_an_answer_is_not_crons(field: str) -> None:
    assert read("Cron <a@h> x", f"{field}: <1@h>\n") is None


ENCODED = base64.b64encode("ä\nb\n".encode()).decode() + "\n"
PARTS = (
    "--b\nContent-Type: text/html\n\nno\n--b\nContent-Type: text/plain\n\none\n"
    "--b\nContent-Type: text/plain\n\ntwo\n--b--\n"
)


def mixed(count: int) -> str:
    return "".join(f"--b\n\n{number}\n" for number in range(count)) + "--b--\n"


@pytest.mark.parametrize(
    ("header", "body", "text"),
    [
        ("", "ä\n", "ä\n"),
        ("Content-Type: text/plain; charset=US-ASCII\n", "ä\n", "ä\n"),
        ('Content-Type: TEXT/PLAIN; charset="latin-1"\n', "ä\n", "ä\n"),
        ("Content-Transfer-Encoding: 8bit\nMIME-Version: 1.0\n", "ä\n", "ä\n"),
        ("Content-Transfer-Encoding: 7BIT\n", "ä\n", "ä\n"),
        ("Content-Transfer-Encoding: base64\n", ENCODED, "ä\nb\n"),
        ("Content-Transfer-Encoding: quoted-printable\n", "=C3=A4=\nb\n", "äb\n"),
        ("Content-Type: text/html\n", "a\n", ""),
        ("Content-Type: multipart/mixed; boundary=b\n", PARTS, "one\ntwo"),
        ("Content-Type: multipart/mixed; boundary=b\n", mixed(49),
         "\n".join(map(str, range(49)))),
        ("Content-Type: multipart/mixed; boundary=b\n", mixed(52),
         "\n".join(map(str, range(49)))),
        ("X-Last: ä\n", "a\n", "a\n"),
    ],
)  # fmt: skip
def test_a_text_is_decoded(header: str, body: str, text: str) -> None:
    assert read("Cron <a@h> x", header, body) == Mail("a", "h", "x", False, False, AT, text)


def test_the_first_of_two_fields_counts() -> None:
    found = Mail("a", "h", "x", False, False, AT, BODY)
    second = "Subject: Cron <b@i> y\n"
    assert read("Cron <a@h> x", second) == found
    assert read("Cron <a@h> x", second + "X-Other: ä\n") == found


def test_lines_may_end_with_carriage_returns() -> None:
    ended = raw("Cron <a@h> x").replace(b"\n", b"\r\n")
    assert read_mail(ended) == Mail("a", "h", "x", False, False, AT, "a\r\nb\r\n")


def test_a_mail_without_a_body_is_read() -> None:
    found = Mail("a", "h", "x", False, False, AT, "")
    assert read_mail(raw("Cron <a@h> x", body="")) == found
    assert read_mail(raw("Cron <a@h> x", body="")[:-1]) == found


@pytest.mark.parametrize("length", [3988, 3989])
def test_a_subject_has_a_longest_length(length: int) -> None:
    found = read(f"Cron <a@h> {'x' * length}y")
    assert found is not None
    assert len(found.command) == min(length + 1, 4000 - len("Cron <a@h> "))


@pytest.mark.parametrize(
    ("text", "time"),
    [
        (SENT, AT),
        (f" {SENT} (CET)", AT),
        (f"{SENT} ()", AT),
        ("28 Nov 2026 02:00:01 +0100", AT),
        ("28 Nov 2026 02:00:01 -0100", AT + 7200),
        ("28 Nov 2026 02:00:01 +0130", AT - 1800),
        ("28 Nov 2026 02:00:01 -0130", AT + 9000),
        ("28 Nov 2026 02:00:01 +0000", AT + 3600),
        ("28 Nov 2026 02:00:01", AT + 3600),
        ("28 Nov 2026 02:00:01 GMT", AT + 3600),
        ("28 Nov 26 02:00:01 +0100", AT),
        ("1 Jan 2026 00:00:00 +0000", 1767225600.0),
        ("31 Dec 2026 23:59:59 +0000", 1798761599.0),
        ("28 Nov 2026 24:00:00 +0100", None),
        ("28 Nov 2026 02:00:01 +2400", None),
        ("31 Feb 2026 02:00:00 +0000", None),
        ("28 Foo 2026 02:00:00 +0000", None),
        ("soon", None),
        ("", None),
        (" " * 80 + SENT, None),
    ],
)
def test_a_date_is_read(text: str, time: float | None) -> None:
    assert read_date(text) == time
