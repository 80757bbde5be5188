"""The check reads only few of many messages, and its answers are the same as for all of them."""

from __future__ import annotations

import random
import re
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

import pytest
from check_duplicity.runs import files, mail, mailboxes
from check_duplicity.runs.mail import read_date, read_mail
from check_duplicity.runs.messages import of_message
from check_duplicity.runs.model import Logged, in_order, newest
from check_duplicity.runs.paths import Log
from hypothesis import example, given
from hypothesis import strategies as st
from samples import CAPTURES

RUNS = CAPTURES / "runs"
GOOD = (RUNS / "3.2.1/good-full.out").read_text()
BODIES = (
    GOOD,
    GOOD,
    (RUNS / "3.2.1/nospace-dest.out").read_text(),
    (RUNS / "0.8.23/orphan-several.out").read_text(),
    (RUNS / "0.8.23/sigkill.out").read_text(),
    "Setting up duplicity (1.2.2-2) ...\n",
    "what the script says\n",
)
NOW = datetime(2026, 11, 28, 12, 0, tzinfo=timezone.utc)
HOW = files.Look(NOW.timestamp(), (NOW - timedelta(days=8)).timestamp(), str)
SUBJECTS = (
    "Cron <a@host> /srv/{}.sh",
    "Cron <a@host> /srv/{}.sh (failed)",
    "Re: {}",
    "=?utf-8?q?Cron?= <a@host> /srv/{}.sh",
)


@st.composite
def mboxes(draw: st.DrawFn) -> list[str]:
    """The messages of an mbox, mostly in the order of time, some of wrong clocks."""
    found = []
    hours = draw(st.lists(st.integers(0, 12 * 24), min_size=1, max_size=30))
    for hour in draw(st.one_of(st.just(sorted(hours, reverse=True)), st.just(hours))):
        delivered = NOW - timedelta(hours=hour)
        sent = delivered + draw(
            st.sampled_from([timedelta(0)] * 6 + [timedelta(days=d) for d in (-400, -1, 1, 40)])
        )
        zone = timezone(timedelta(hours=draw(st.sampled_from([0, 0, 9, -8]))))
        date = draw(
            st.sampled_from([f"Date: {format_datetime(sent.astimezone(zone))}\n"] * 4 + [""])
        )
        job = draw(st.sampled_from("abc"))
        subject = draw(st.sampled_from(SUBJECTS)).format(job)
        body = draw(st.sampled_from(BODIES))
        found.append(
            f"From a@host {delivered:%a %b %d %H:%M:%S %Y}\nSubject: {subject}\n{date}\n"
            + re.sub("(?m)^From ", ">From ", body)
            + "\n"
        )
    return found


def _without_past(runs: list[Logged]) -> list[Logged]:
    return [run._replace(run=run.run._replace(past=())) for run in runs]


def _reading_all(messages: list[str]) -> list[Logged]:
    """The runs that matter of all messages: each is read."""
    read = []
    for message in messages:
        line, _, raw = message.partition("\n")
        delivered = datetime.strptime(line, "From a@host %a %b %d %H:%M:%S %Y")
        if delivered.replace(tzinfo=timezone.utc).timestamp() // 86400 >= HOW.horizon // 86400 - 2:
            time = delivered.replace(tzinfo=timezone.utc).timestamp()
            read.append(of_message(raw.encode(), time, HOW.hide))
    return newest((run for run in read if run is not None), HOW.latest)


@given(mboxes(), st.integers(0, 30))
def test_reading_few_messages_equals_reading_all(messages: list[str], first: int) -> None:
    """Whether they are read at once, or some of them when the others came."""
    with TemporaryDirectory() as directory:
        mbox = Path(directory) / "mbox"
        mbox.write_text("".join(messages))
        at_once = files.look(Log(str(mbox)), {}, HOW).runs
        mbox.write_text("".join(messages[:first]) or "\n")
        kept = files.look(Log(str(mbox)), {}, HOW).kept
        with mbox.open("a") as opened:
            opened.write("".join(messages[first:]))
        later = files.look(Log(str(mbox)), kept, HOW).runs
    expected = _without_past(_reading_all(messages))
    assert _without_past(at_once) == expected
    if first:
        assert _without_past(later) == expected


def test_the_newest_is_compared_with_one_run_of_each_of_seven_days(tmp_path: Path) -> None:
    """However many messages a day has."""
    mbox = tmp_path / "mbox"
    with mbox.open("w") as opened:
        for hour in range(8 * 24, 0, -1):
            sent = NOW - timedelta(hours=hour)
            body = re.sub(r"(?m)^EndTime \S+", f"EndTime {sent.timestamp():.2f}", GOOD)
            opened.write(
                f"From a@host {sent:%a %b %d %H:%M:%S %Y}\nSubject: Cron <a@host> /srv/b\n\n"
            )
            opened.write(body + "\n")
    with mock.patch("check_duplicity.runs.messages.of_message", wraps=of_message) as reading:
        found = files.look(Log(str(mbox)), {}, HOW).runs
    assert reading.call_count < 12
    ends = {int(past.end // 86400) for run in found for past in run.run.past}
    assert len(ends) in (7, 8)


def test_of_a_flood_the_newest_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailboxes, "_MOST_PLACES", 10)
    messages = mailboxes.Messages()
    order = list(range(1000))
    random.Random(1).shuffle(order)
    for number in order:
        messages.add((number, number + 1, float(number)))
    assert [place.start for place in messages.newest_first(1e9)][:10] == list(range(999, 989, -1))


HEADERS = st.lists(
    st.sampled_from(
        [
            "Subject: Cron <a@host> /srv/web.sh",
            "Subject: Cron <a@host> /srv/web.sh\n (failed)",
            'subject: [host] Failure: a\'s crontab "0 2 * * * /srv/web.sh"',
            "Subject: =?utf-8?q?Cron_=3Ca=40host=3E_x?=",
            "Date: Sat, 28 Nov 2026 02:00:01 +0100",
            "Date:Sat, 28 Nov 2026 02:00:01",
            "DATE: 28 Nov 2026 02:00 GMT",
            "Content-Type: text/plain; charset=UTF-8",
            "Content-Type: text/html",
            "Content-type: TEXT/PLAIN;\n charset=x",
            "Content-Type: multipart/mixed; boundary=b",
            "Content-Transfer-Encoding: 8bit",
            "Content-Transfer-Encoding: base64",
            "Content-Transfer-Encoding: quoted-printable",
            "MIME-Version: 1.0",
            "References: <x@y>",
            "To: Jürgen <a@host>",
            "From: a@host (Cron Daemon)",
            " folded",
            "not a header",
            ">From x",
            "X:",
        ]
    ),
    max_size=8,
)


@given(
    HEADERS,
    st.one_of(st.text(), st.sampled_from(["a\n\nb\n", "--b\n\nx\n--b--\n", "w6k=\n", "a=\nb"])),
)
@example(["Subject: Cron <a@host> /srv/web.sh"], "\n")
def test_a_plain_mail_is_read_as_any_other(header: list[str], body: str) -> None:
    """Quickly, and the same is found as by Python's own reader."""
    raw = ("\n".join(header) + "\n\n" + body).encode("utf-8", "replace")
    with mock.patch.object(mail, "_read_plain", return_value=None):
        expected = read_mail(raw)
    assert read_mail(raw) == expected


FORMS = (
    "%a, %d %b %Y %H:%M:%S {}",
    " %d %b %Y %H:%M:%S {} (CET)",
    "%a, %d %b %y %H:%M:%S {}",
    "%d Foo %Y %H:%M:61 {}",
    "%d %b %Y 24:%M:%S {}",
    "31 Feb %Y %H:%M:%S {}",
    "%d %b %Y",
)


@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2150, 1, 1)), st.integers(-2000, 2000), st.data()
)
def test_a_date_is_read_as_pythons_own_reader_does(
    time: datetime, zone: int, data: st.DataObject
) -> None:
    form = data.draw(st.sampled_from(FORMS))
    text = time.strftime(form).format(f"{zone:+05d}")
    try:
        read = parsedate_to_datetime(text)
        expected = (read if read.tzinfo else read.replace(tzinfo=timezone.utc)).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        assert read_date(text) is None
    else:
        assert read_date(text) == expected


def test_runs_come_in_the_order_of_time(tmp_path: Path) -> None:
    mbox = tmp_path / "mbox"
    mbox.write_text(
        "".join(
            f"From a@host {NOW - timedelta(hours=h):%a %b %d %H:%M:%S %Y}\n"
            f"Subject: Cron <a@host> /srv/{h}.sh\n\n{GOOD}\n"
            for h in (3, 1, 2)
        )
    )
    found = files.look(Log(str(mbox)), {}, HOW).runs
    assert [run.name for run in found] == ["3", "2", "1"]
    assert found == in_order(found, HOW.latest)
