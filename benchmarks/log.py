"""check_duplicity_log, against check_log, check_file_age and grep -c on the same mailbox.

The mailbox has mails of 5 KB each, of 40 jobs, from the last year or from the last week. The last
week is within the lookback, so the check can't skip a mail by its date. Each row is a check: the
first one, one when nothing is new, and one when 1 MB of mails has been added. check_file_age only
looks at the file's time.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path

from measuring import BIN, Table, medians, ours, peer

CHECK = BIN / "check_duplicity_log"
SIZES = ((1, 365, 7), (30, 365, 7), (300, 365, 5), (1000, 365, 3), (300, 7, 5))  # MB, days, runs
QUICK = ((1, 365, 3), (30, 365, 3), (30, 7, 3))
MAIL_SIZE = 5000  # bytes
JOBS = 40
STATISTICS = """\
--------------[ Backup Statistics ]--------------
StartTime {0:.2f} (then)
EndTime {0:.2f} (then)
SourceFileSize 304096 (297 KB)
TotalDestinationSizeChange 1177 (1.15 KB)
Errors 0
-------------------------------------------------
"""


def mail(number: int, sent: datetime) -> str:
    """Return one of cron's mails about a good run."""
    head = (
        f"From backup@host {sent:%a %b %d %H:%M:%S %Y}\n"
        "Received: from backup by host with local (Exim 4.96)\n\tfor backup@host\n"
        f"From: root@host (Cron Daemon)\nTo: backup@host\n"
        f"Subject: Cron <backup@host> /var/spool/duplicity/job{number % JOBS}.sh\n"
        f"Content-Type: text/plain; charset=UTF-8\nDate: {format_datetime(sent)}\n\n"
    )
    body = STATISTICS.format(sent.timestamp())
    line = "what the script itself says, line after line\n"
    return head + line * ((MAIL_SIZE - len(head) - len(body)) // len(line)) + body + "\n"


def add_mails(path: Path, megabytes: int, days: float) -> None:
    """Add mails of that total size, spread over that many days until now."""
    count = megabytes * 1_000_000 // MAIL_SIZE
    now = datetime.now(timezone.utc)
    with path.open("a") as mailbox:
        for number in range(count):
            mailbox.write(mail(number, now - timedelta(days=days) * ((count - number) / count)))


def main(*, quick: bool) -> None:
    """Print three rows for each size."""
    table = Table("log, of MB of mail", ["check_log", "check_file_age", "grep -c"])
    for size, days, runs in QUICK if quick else SIZES:
        with tempfile.TemporaryDirectory() as temporary:
            mailbox, state, old = (Path(temporary) / name for name in ("mbox", "state", "old"))
            add_mails(mailbox, size, days)

            def forget(state: Path = state, old: Path = old) -> None:
                state.unlink(missing_ok=True)
                old.unlink(missing_ok=True)

            def add(mailbox: Path = mailbox) -> None:
                add_mails(mailbox, 1, 0)

            rows: tuple[tuple[str, Callable[[], object]], ...] = (
                ("first", forget),
                ("nothing new", lambda: None),
                ("1 MB added", add),
            )
            for case, before in rows:
                taken, *theirs = medians(
                    [
                        [CHECK, "-t", 600, "--state-file", state, mailbox],
                        peer("check_log", "-F", mailbox, "-O", old, "-q", "Errors [1-9]"),
                        peer("check_file_age", "-f", mailbox, "-w", 115200, "-c", 201600),
                        ["grep", "-c", "^From ", mailbox],
                    ],
                    runs,
                    warm=size < 1000,
                    before=before,
                )
                of = "a year" if days == 365 else "a week"
                table.row(f"{size:5} MB of {of}, {case}", ours(taken), theirs)
