"""Read the mail that cron sends: whose job it was, and what it printed.

Cron's own words are in the subject: ``Cron <user@host> command`` with Debian's cron and Red Hat's
cronie (Debian adds `` (failed)`` if the exit status was not 0), ``[host] Failure: user's crontab
"0 2 * * * command"`` with systemd-cron, ``Anacron job 'name' on host``. The body is decoded as
UTF-8, whatever its label says: cron without LANG labels UTF-8 as US-ASCII.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timezone

from check_duplicity.values import TYPE_CHECKING, NamedTuple

# email is imported where it is used: it takes longer to load than all the rest, and mostly there is
# no new mail.
if TYPE_CHECKING:
    from email.message import Message

# Mailing lists and spam filters write in front of a subject; who answers or forwards isn't cron.
_TAGS = r"\s*(?:\[[^\]]*\]\s*|\*+SPAM\*+\s*)*?"
_USER = r"(?P<user>[A-Za-z_][\w.-]*\$?)"
_HOST = r"(?P<host>[\w.:-]+)"
_SUBJECTS = (
    re.compile(rf"{_TAGS}Cron <{_USER}@{_HOST}> (?P<command>.*)"),
    re.compile(
        rf"{_TAGS}\[{_HOST}\] (?P<why>Failure|Output): (?:.*/)?{_USER}'s crontab "
        r"\"(?:@\w+|(?:\S+ ){4}\S+) (?P<command>.*)\"$"
    ),
    re.compile(rf"{_TAGS}\[{_HOST}\] (?P<why>Failure|Output): (?P<command>/.*)"),
    re.compile(rf"{_TAGS}Anacron job '(?P<command>[^']*)' on {_HOST}"),
)
_FAILED = " (failed)"
_LONGEST_SUBJECT = 4000  # characters
_MOST_PARTS = 50


class Mail(NamedTuple):
    """What one of cron's mails says.

    ``time`` is that of its Date, in seconds since the epoch. ``failed`` and ``succeeded`` tell of
    the exit status, and neither if that isn't known.
    """

    user: str
    host: str
    command: str
    failed: bool
    succeeded: bool
    time: float | None
    text: str


def read_mail(raw: bytes) -> Mail | None:
    """Read a message; ``None`` if cron didn't send it."""
    import email

    try:
        message = email.message_from_bytes(raw)
        text = "\n".join(_texts(message))
    except RecursionError:  # Parts in parts in parts.
        header, _, body = raw.partition(b"\n\n")
        message = email.message_from_bytes(header)
        text = body.decode("utf-8", "replace")
    match = next(filter(None, (form.match(_subject(message)) for form in _SUBJECTS)), None)
    if match is None or "In-Reply-To" in message or "References" in message:
        return None
    said = match.groupdict()
    command = said["command"].strip()
    failed = command.endswith(_FAILED) or said.get("why") == "Failure"
    return Mail(
        said.get("user") or "root",
        said["host"],
        command.removesuffix(_FAILED).strip(),
        failed,
        said.get("why") == "Output",
        read_date(str(message.get("Date", ""))),
        text,
    )


def _subject(message: Message) -> str:
    from email import header
    from email.errors import MessageError

    raw = str(message.get("Subject", ""))[:_LONGEST_SUBJECT]
    unfolded = " ".join(raw.split())
    try:
        parts = header.decode_header(unfolded)
        decoded = [
            part if isinstance(part, str) else part.decode("utf-8", "replace") for part, _ in parts
        ]
    except (ValueError, LookupError, MessageError):
        return unfolded
    return " ".join("".join(decoded).split())


def _texts(message: Message) -> Iterator[str]:
    """The text of a message, without what is attached or HTML."""
    for count, part in enumerate(message.walk()):
        if count >= _MOST_PARTS:
            return
        if part.get_content_type() == "text/plain":
            payload = part.get_payload(decode=True)
            if isinstance(payload, bytes):
                yield payload.decode("utf-8", "replace")


def read_date(text: str) -> float | None:
    """Return a Date (RFC 5322) in seconds since the epoch; ``None`` if it is none."""
    from email.utils import parsedate_to_datetime

    try:
        time = parsedate_to_datetime(text[:100])
        return (time if time.tzinfo else time.replace(tzinfo=timezone.utc)).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
