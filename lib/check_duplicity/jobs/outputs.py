"""Find out where a job's output goes, in the form of ``mail`` in a job's file.

Through all that starts it: duplicity's own log, redirections and pipes, the script's starter, at
last cron (which mails it) or systemd. What isn't sure is no fact.
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
_MOST_ALIASES = 20  # one for another
_ALIAS = re.compile(r'"?([^":#\s]+)"?\s*:[ \t]*(.*)')


class Told(NamedTuple):
    """Where something is told: ``mail`` as in a job's file, `NOWHERE` if it can't be read there.

    ``doubt`` says what isn't known of it, ``origin`` where it stands; ``by`` are the users besides
    root who decide it.
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
    """Return where a command's output goes, of what was started with ``starter``."""
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
    """Return a job with where its output goes.

    What it complains of counts if the rest is thrown away: cron mails only that then.
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
    """Return where duplicity's own log is (``--log-file``); it tells all."""
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
    """A path as a word of ``mail``."""
    try:
        plain = shlex.split(path) == [path]
    except ValueError:
        plain = False
    return path if plain else shlex.quote(path)


def also_told(known: Known, told: Streams) -> Known:
    """Return a job with where the output of another of its backups goes, too."""
    other = with_mail(Known("", {}), told)
    mail = joined(known.facts.get("mail"), other.facts.get("mail"))
    doubts = tuple(dict.fromkeys((*known.doubts, *other.doubts)))
    facts = {**known.facts, "mail": mail} if mail else known.facts
    return known._replace(facts=facts, doubts=doubts)


def joined(one: Fact | None, other: Fact | None) -> Fact | None:
    """Return where the output of a job goes of which two lines make backups, if both are known."""
    if one is None or other is None or one.value == other.value:
        return one
    words = dict.fromkeys([*shlex.split(one.value), *shlex.split(other.value)])
    words.pop(NOWHERE, None)
    return Fact(" ".join(map(_word, words)), one.origin, one.by | other.by)


# From the start


def of_entry(search: Search, entry: Entry) -> Streams:
    """Return where the output of what the clock starts goes: cron mails it."""
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
    """Where mail goes, by /etc/aliases and ``~/.forward`` (aliases(5), the same in all mailers)."""

    def __init__(self, search: Search, owner: str) -> None:
        self._search = search
        self._owner = owner  # of what is mailed: there is such a user
        self._by = rights.NOBODY

    def told(self, names: Iterable[str]) -> Told:
        """Return where to read mail to these, and who decides that.

        In the first mailbox on this host; a name of a user stands for one that isn't there yet.
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
        """The mailboxes that mail to a name comes to, and what else it is sent to."""
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
        if text:
            self._by |= rights.deciders(path, self._search.root)
        return [one for line in text.split("\n") for one in _addresses(line)]

    def _mailbox(self, user: str) -> str:
        home = _home(user)
        candidates = [*_own(user), *[f"{home}/Maildir"] * bool(home)]
        there = [path for path in candidates if self._search.has("e", path)]
        return there[0] if there else candidates[0] if home or user == self._owner else ""

    def _quietly(self, path: str, reader: str = "root") -> str:
        """The text of a file; whoever may not read it sees no less than the mailer's default."""
        problems = len(self._search.problems)
        text, by = self._search.decided(path, reader)
        del self._search.problems[problems:]
        if text:
            self._by |= by
        return text or ""


def _addresses(text: str) -> list[str]:
    """The addresses in a line; what begins with a quote ends with one."""
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
    """Return a job whose output its user can read: without a fact if it is in the own mailbox.

    Nobody else but root decides which file is read.

    ``told`` is where what ``starter`` starts is told.
    """
    mail, user = known.facts.get("mail"), known.runs_as
    if mail is not None and not rights.may(user, mail.by):
        doubt = f"{mail.origin}: {rights.named(mail.by)} can change where its output goes"
        return known.without(["mail"])._replace(doubts=(*known.doubts, doubt))
    if mail is None or mail.value not in (told.output.mail, told.errors.mail):
        return known
    (path,) = shlex.split(mail.value)
    if not os.path.isabs(path) or path == NOWHERE or not _is_mailbox(path):
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
