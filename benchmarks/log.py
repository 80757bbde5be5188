"""Time check_duplicity_log against grep on the same mailbox, side by side in one run.

    benchmarks/log.py [MEGABYTES ...]

A mailbox of mails of 5 KB, of 40 jobs in the last year, is read for the first time, and again when
1 MB of mails has been added. What counts are the ratios of the medians of whole processes.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path

from freshness import medians

CHECK = Path(sys.executable).parent / "check_duplicity_log"
SIZES = (1, 30, 300)  # MB
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


def make_mailbox(path: Path, megabytes: int) -> None:
    """Write as many mails as make that size, the last one of now."""
    count = megabytes * 1_000_000 // MAIL_SIZE
    now = datetime.now(timezone.utc)
    with path.open("w") as mailbox:
        for number in range(count):
            mailbox.write(mail(number, now - timedelta(days=365) * ((count - number) / count)))


def timed_once(command: list[object]) -> float:
    """Run a command and return its seconds."""
    begin = time.perf_counter()
    subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def main(sizes: list[int]) -> None:
    """Print a line for each size."""
    print("             | seconds" + " " * 22 + "| MB/s | ratio to grep -c | most memory")
    print("MB of mails  | grep -c   first    next   |      | first   next     | MB")
    for size in sizes:
        with tempfile.TemporaryDirectory() as temporary:
            mailbox = Path(temporary) / "mbox"
            make_mailbox(mailbox, size)
            # Not to /dev/null, where grep stops at the first match.
            grep = ["sh", "-c", f"grep -c '^From ' {mailbox} | cat"]
            anew = [CHECK, "-q", "-t", "600", "--state-file", "/dev/null", mailbox]
            alone, first = medians([grep, anew], 5)
            state = [CHECK, "-q", "-t", "600", "--state-file", f"{temporary}/state", mailbox]
            timed_once(state)
            nexts = []
            for _ in range(5):
                with mailbox.open("a") as opened:
                    now = datetime.now(timezone.utc)
                    opened.write("".join(mail(i, now) for i in range(1_000_000 // MAIL_SIZE)))
                nexts.append(timed_once(state))
            following = sorted(nexts)[2]
            memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000
            print(
                f"{size:12} | {alone:7.3f} {first:7.3f} {following:7.3f}   | {size / first:4.0f} |"
                f" {first / alone:5.2f} {following / alone:7.2f}   | {memory:.0f}"
            )


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or list(SIZES))
