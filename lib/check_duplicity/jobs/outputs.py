"""Find out where a job's output goes, in the form of ``mail`` in a job's file.

The search goes from the inside out: duplicity's own log, redirections and pipes, the script's
starter, at last cron (which mails it) or systemd. Only what is sure becomes a fact.
"""

from __future__ import annotations

import os
import pwd
import re
import shlex
import socket
from collections.abc import Iterable, Iterator

from check_duplicity.jobs.crontabs import Entry
from check_duplicity.jobs.model import Fact, Known
from check_duplicity.jobs.search import Search
from check_duplicity.runs.paths import JOURNAL, NOWHERE
from check_duplicity.shell import model as shell
from check_duplicity.shell.model import Command
from check_duplicity.shell.outputs import file_named
from check_duplicity.shell.words import Segment
from check_duplicity.system import rights
from check_duplicity.system.user import acting_as
from check_duplicity.values import NamedTuple

_NOT_KNOWN = "where its output goes can't be known without running it"
_NOT_READ = "its output goes to where it isn't read"
_SPOOLS = ("/var/mail", "/var/spool/mail")
_MOST_ALIASES = 20  # in a chain
_ALIAS = re.compile(r'"?([^":#\s]+)"?\s*:[ \t]*(.*)')


class Told(NamedTuple):
    """Where output goes: ``mail`` as in a job's file, `NOWHERE` if it can't be read on this host.

    ``doubt`` says what isn't known about it, ``origin`` is the file that says so; ``by`` are the
    users besides root who decide it.
    """

    mail: str = ""
    doubt: str = ""
    origin: str = ""
    by: frozenset[str] = rights.NOBODY


class Streams(NamedTuple):
    """Where standard output and standard error go."""

    output: Told = Told()
    errors: Told = Told()


# Through scripts


def of_command(command: Command, starter: Streams, origin: str) -> Streams:
    """Return where a command's output goes; ``starter`` is where its script's output goes."""
    streams = command.output, command.errors
    return Streams(*(_told(output, starter, origin) for output in streams))


def _told(output: shell.Output, starter: Streams, origin: str) -> Told:
    if output == shell.STDOUT:
        return starter.output
    if output == shell.STDERR:
        return starter.errors
    if output == shell.UNKNOWN:
        return Told("", _NOT_KNOWN, origin)
    return Told(_word(f"{JOURNAL}tag={output.tag}" if output.tag else output.file), "", origin)


def with_mail(known: Known, told: Streams) -> Known:
    """Add to a job where its output goes.

    If standard output is thrown away, standard error counts: cron mails only that then.
    """
    output, errors = told
    doubt = output.doubt
    if output.mail == NOWHERE != errors.mail:
        output = errors
        doubt = "its output is thrown away, but for errors"
        doubt += f"; {errors.doubt}" if errors.doubt else ""
    doubts = (*known.doubts, f"{told.output.origin}: {doubt}") if doubt else known.doubts
    mail = Fact(output.mail, output.origin, output.by)
    facts = {**known.facts, "mail": mail} if output.mail else known.facts
    return known._replace(facts=facts, doubts=doubts)


def of_log_file(log: str, command: Command, origin: str) -> Streams:
    """Return duplicity's own log (``--log-file``), which has output and errors."""
    told = _told(_log_file(log, command), Streams(), origin)
    return Streams(told, told)


def _log_file(log: str, command: Command) -> shell.Output:
    unknown = [piece for piece in command.unresolved if piece in log]
    if not unknown:
        path = os.path.join(command.place, log)
        return shell.Output(path) if os.path.isabs(path) else shell.UNKNOWN
    parts = re.split("(" + "|".join(map(re.escape, unknown)) + ")", log)
    pieces = [Segment(part, part not in unknown) for part in parts if part]
    return file_named(tuple(pieces), command.place)


def _word(path: str) -> str:
    """Return a path as a word of ``mail``."""
    try:
        plain = shlex.split(path) == [path]
    except ValueError:
        plain = False
    return path if plain else shlex.quote(path)


def also_told(known: Known, told: Streams) -> Known:
    """Add to a job where the output of another command that makes its backup goes."""
    other = with_mail(Known("", {}), told)
    mail = joined(known.facts.get("mail"), other.facts.get("mail"))
    doubts = tuple(dict.fromkeys((*known.doubts, *other.doubts)))
    facts = {**known.facts, "mail": mail} if mail else known.facts
    return known._replace(facts=facts, doubts=doubts)


def joined(one: Fact | None, other: Fact | None) -> Fact | None:
    """Join where the output of the two lines that make a job's backups goes, if both are known."""
    if one is None or other is None or one.value == other.value:
        return one
    words = dict.fromkeys([*shlex.split(one.value), *shlex.split(other.value)])
    words.pop(NOWHERE, None)
    return Fact(" ".join(map(_word, words)), one.origin, one.by | other.by)


# From the start


def of_entry(search: Search, entry: Entry) -> Streams:
    """Return where an entry's output goes: where its unit says, or cron mails it."""
    if entry.output is not None:
        return Streams(*(_of_unit(path, entry.origin) for path in entry.output))
    wanted = entry.environment.get("MAILTO")
    if wanted is not None and not wanted.strip():
        told = Told(NOWHERE)
    else:
        told = Mailer(search, entry.user).told((wanted or entry.user).split(","))
    told = told._replace(origin=", ".join(filter(None, [entry.origin, told.origin])))
    return Streams(told, told)


def _of_unit(path: str, origin: str) -> Told:
    return Told(_word(path), "", origin) if path else Told("", _NOT_READ, origin)


class Mailer:
    """Finds where mail goes, by /etc/aliases and ``~/.forward`` (aliases(5), as in all mailers)."""

    def __init__(self, search: Search, owner: str) -> None:
        self._search = search
        self._owner = owner  # of the mailed output: an existing user
        self._by = rights.NOBODY

    def told(self, names: Iterable[str]) -> Told:
        """Return where mail to these names can be read, and who decides that.

        It is the first mailbox on this host; a user's counts even if it isn't there yet.
        """
        places: list[str] = []
        others: list[str] = []
        for name in map(str.strip, names):
            for place in self._places(name, frozenset()):
                (places if place.startswith("/") else others).append(place)
        if places:
            there = [place for place in places if self._search.has("e", place)] or places
            return Told(_word(there[0]), by=self._by)
        said = f"mailed to {', '.join(others[:3]) or 'nobody'}"
        if any(other.startswith(("|", ":")) for other in others):
            return Told("", f"its output is {said}, which isn't read", by=self._by)
        return Told(NOWHERE, "", f"{said}, not on this host", self._by)

    def _places(self, name: str, seen: frozenset[str]) -> Iterator[str]:
        """Yield the mailboxes that get the mail to a name, and other places that it goes to."""
        own = name.startswith("\\")
        name = name.lstrip("\\").strip('"')
        if not name or len(seen) > _MOST_ALIASES:
            return
        if name.startswith(("/", "|", ":")):
            yield name
            return
        local, at, domain = name.partition("@")
        if at and domain.lower() not in _names_of_host():
            yield name
            return
        aliases = {} if own or local in seen else self._aliases()
        forwarded = None if own or local in seen else self._forward(local)
        wanted = aliases.get(local.lower()) or forwarded
        if wanted:
            for one in wanted:
                yield from self._places(one, seen | {local})
            return
        yield self._mailbox(local) or local

    def _aliases(self) -> dict[str, list[str]]:
        text = self._quietly("/etc/aliases")
        lines = re.sub(r"\n[ \t]+", " ", text).split("\n")
        found = [match for line in lines if (match := _ALIAS.match(line))]
        return {match[1].lower(): _addresses(match[2]) for match in found}

    def _forward(self, user: str) -> list[str]:
        home = _home(user)
        if not home:
            return []
        path = f"{home}/.forward"
        text = self._quietly(path, user)
        return [one for line in text.split("\n") for one in _addresses(line)]

    def _mailbox(self, user: str) -> str:
        home = _home(user)
        candidates = [*_own(user), *[f"{home}/Maildir"] * bool(home)]
        there = [path for path in candidates if self._search.has("e", path)]
        return there[0] if there else candidates[0] if home or user == self._owner else ""

    def _quietly(self, path: str, reader: str = "root") -> str:
        """Return the text of a file; note no problem, as the mailer's default then applies."""
        problems = len(self._search.problems)
        text, by = self._search.decided(path, reader)
        del self._search.problems[problems:]
        if text:
            self._by |= by
        return text or ""


def _addresses(text: str) -> list[str]:
    """Return the addresses in a line; one that begins with a quote ends with one."""
    if text.lstrip().startswith("#"):
        return []
    found = re.findall(r'"([^"]*)"|([^,\s"][^,]*)', text)
    return [(quoted or plain).strip() for quoted, plain in found]


def _home(user: str) -> str:
    try:
        return pwd.getpwnam(user).pw_dir
    except (KeyError, ValueError):
        return ""


def _names_of_host() -> tuple[str, ...]:
    name = socket.gethostname().lower()
    return "localhost", "localhost.localdomain", name, name.partition(".")[0]


def as_read_by(search: Search, known: Known, told: Streams, starter: str) -> Known:
    """Leave out a job's ``mail`` unless its user can read it; the user's own mailbox needs none.

    Nobody else but root may decide which file is read.

    ``told`` is where the output of what ``starter`` starts goes.
    """
    mail, user = known.facts.get("mail"), known.runs_as
    if mail is not None and not rights.may(user, mail.by):
        doubt = f"{mail.origin}: {rights.named(mail.by)} can change where its output goes"
        return known.without(["mail"])._replace(doubts=(*known.doubts, doubt))
    if mail is None or mail.value not in (told.output.mail, told.errors.mail):
        return known
    (path,) = shlex.split(mail.value)
    if not _is_mailbox(path):
        return known
    if path in _own(user):
        return known.without(["mail"])
    if search.has("e", path) and _may_read(search, path, user):
        return known
    if not search.has("e", path) and path in _own(starter):
        return known.without(["mail"])  # No mail has come yet, or another mailer has it.
    why = f"which {user} may not read" if search.has("e", path) else "which isn't there"
    doubt = f"{mail.origin}: its output is mailed to {path}, {why}"
    return known.without(["mail"])._replace(doubts=(*known.doubts, doubt))


def _own(user: str) -> list[str]:
    return [f"{spool}/{user}" for spool in _SPOOLS]


def _is_mailbox(path: str) -> bool:
    return os.path.dirname(path) in _SPOOLS or os.path.basename(path) == "Maildir"


def _may_read(search: Search, path: str, user: str) -> bool:
    try:
        with acting_as("" if search.root else user):
            return os.access(search.root + path, os.R_OK, effective_ids=True)
    except KeyError:
        return False
