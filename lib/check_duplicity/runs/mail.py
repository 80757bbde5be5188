"""Read the mail that cron sends: the job, and its output.

The subject is cron's own text: ``Cron <user@host> command`` with Debian's cron and Red Hat's
cronie (Debian adds `` (failed)`` if the exit status was not 0), ``[host] Failure: user's crontab
"0 2 * * * command"`` with systemd-cron, ``Anacron job 'name' on host``. The body is decoded as
UTF-8, whatever its label says: cron without LANG labels UTF-8 as US-ASCII.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone

from check_duplicity.values import TYPE_CHECKING, NamedTuple

# email is imported late: it takes longer to load than all the rest, and most of cron's mails are
# plain.
if TYPE_CHECKING:
    from email.message import Message

# Tags of mailing lists and spam filters before a subject. Replies and forwards aren't cron's mails.
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
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DATE = re.compile(
    r" ?(?:[A-Z][a-z]{2}, )?(\d\d?) ([A-Z][a-z]{2}) (20\d\d) (\d\d):(\d\d):(\d\d)"
    r" ([+-])(\d\d)(\d\d)(?: \(\w*\))?$",
    re.ASCII,
)
_FIELD = re.compile(r"([!-9;-~]+):[ \t]*(.*(?:\n[ \t].*)*)\n", re.ASCII)
_PLAIN = {
    "content-type": re.compile(r"text/plain(?:; *charset=\"?[\w-]+\"?)?", re.I | re.ASCII),
    "content-transfer-encoding": re.compile(r"[78]bit", re.I),
    "mime-version": re.compile(r"1\.0"),
}


class Mail(NamedTuple):
    """The contents of one of cron's mails.

    ``time`` is its Date in seconds since the epoch. ``failed`` and ``succeeded`` show the exit
    status; both are false if it is unknown.
    """

    user: str
    host: str
    command: str
    failed: bool
    succeeded: bool
    time: float | None
    text: str


def read_mail(raw: bytes) -> Mail | None:
    """Return the contents of a message; ``None`` if cron didn't send it."""
    fields, text = _read_plain(raw) or _read_any(raw)
    subject = _subject(str(fields.get("subject", "")))
    match = next(filter(None, (form.match(subject) for form in _SUBJECTS)), None)
    if match is None or "in-reply-to" in fields or "references" in fields:
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
        read_date(str(fields.get("date", ""))),
        text,
    )


def _read_plain(raw: bytes) -> tuple[Mapping[str, object], str] | None:
    """Return header and text of a message without any encoding, as `_read_any` would.

    ``None`` if it isn't certain that the message is plain.
    """
    header, _, body = raw.partition(b"\n\n")
    if not body or b"\r" in raw or not header.isascii():
        return None
    rest, at = header.decode("ascii") + "\n", 0
    fields: dict[str, str] = {}
    while at < len(rest):
        field = _FIELD.match(rest, at)
        if field is None:
            return None
        fields.setdefault(field[1].lower(), field[2])
        at = field.end()
    plain = all(form.fullmatch(fields[name]) for name, form in _PLAIN.items() if name in fields)
    if not plain:
        return None
    return fields, body.decode("utf-8", "replace")


def _read_any(raw: bytes) -> tuple[Mapping[str, object], str]:
    """Return header and text of a message, whatever its form."""
    import email

    try:
        message = email.message_from_bytes(raw)
        text = "\n".join(_texts(message))
    except RecursionError:  # Too deeply nested parts.
        head, _, body = raw.partition(b"\n\n")
        message = email.message_from_bytes(head)
        text = body.decode("utf-8", "replace")
    fields: dict[str, object] = {}
    for name, value in message.items():
        fields.setdefault(name.lower(), value)
    return fields, text


def _subject(raw: str) -> str:
    """Return a subject in one line, decoded."""
    unfolded = " ".join(raw[:_LONGEST_SUBJECT].split())
    if "=?" not in unfolded:
        return unfolded
    from email import header
    from email.errors import MessageError

    try:
        parts = header.decode_header(unfolded)
        decoded = [
            part if isinstance(part, str) else part.decode("utf-8", "replace") for part, _ in parts
        ]
    except (ValueError, LookupError, MessageError):
        return unfolded
    return " ".join("".join(decoded).split())


def _texts(message: Message) -> Iterator[str]:
    """Yield the text parts of a message, without attachments or HTML."""
    for count, part in enumerate(message.walk()):
        if count >= _MOST_PARTS:
            return
        if part.get_content_type() == "text/plain":
            payload = part.get_payload(decode=True)
            if isinstance(payload, bytes):
                yield payload.decode("utf-8", "replace")


def read_date(text: str) -> float | None:
    """Return a Date (RFC 5322) in seconds since the epoch; ``None`` if it is invalid."""
    plain = _DATE.match(text[:100])
    try:
        if plain and plain[2] in _MONTHS:
            day, month, year, hour, minute, second, sign, hours, minutes = plain.groups()
            zone = timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if sign == "-" else 1)
            then = (
                int(year),
                _MONTHS.index(month) + 1,
                int(day),
                int(hour),
                int(minute),
                int(second),
            )
            return datetime(*then, tzinfo=timezone(zone)).timestamp()
        from email.utils import parsedate_to_datetime

        time = parsedate_to_datetime(text[:100])
        return (time if time.tzinfo else time.replace(tzinfo=timezone.utc)).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
