"""Keep secrets out: passwords are removed where text enters, not where it leaves."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

HIDDEN = "***"

# Patterns are kept as text: re compiles each when it is first needed, which most never are. Names
# in them are of bounded length, so that no text, however made, takes long.
_URL_PASSWORD = r"(?<=://)([^/\s:]*):([^/\s]+)@"  # nosec B105  # a pattern
# A URL as a word of its own is taken to pieces more freely: people write blanks, "/", "#" and "?"
# into passwords, which duplicity refuses and repeats, and forget a slash or the "@".
_URL = r"(?is)(?:[a-z][a-z0-9+.-]*:|(?![a-z][a-z0-9+.-]*://))/{0,3}(?P<user>[^:\[]*):(?P<rest>.*)"
_PORT = r":|\d*(?:/|$)"
_QUERY = r"(?i)[?&][^?=&]{0,60}(?:pass|secret|token|key|sig|auth)[^?=&]{0,60}=([^&]*)"
_SECRET_VARIABLES = (
    "pass", "secret", "token", "key", "credential", "auth", "connection_string",
)  # fmt: skip
_SECRET_OPTION = (
    r"(?i)--[a-z0-9-]{0,60}"  # nosec B105  # a pattern
    r"(?:pass(?!ive)|secret|token|header|credential|(?:auth|backend|access|account|api)-key)"
)
# As scripts with "set -x" print them.
_ASSIGNED = (
    r"\b(\w{0,60}(?:PASSPHRASE|PASSWORD|PASSWD|SECRET|TOKEN|ACCESS_KEY|API_KEY|APIKEY|_PW|_PASS)"
    r"\w{0,60}=)"
    r"(\"[^\"]*\"\S*|'[^']*'\S*|\S+)"
)
_OPTION = (
    r"(?i)(--[a-z0-9-]{0,60}(?:pass(?:word|phrase|wd)|secret|token|credential|"
    r"(?:auth|backend|access|account|api)-key)(?:=| +))(?!-)(\"[^\"]*\"\S*|'[^']*'\S*|\S+)"
)
_NO_VALUE = ("--ssh-askpass",)
# In the values of --gpg-options, --ssh-options, --duplicity.
_SPOKEN = (
    r"(?i)(?:pass(?:phrase|word|wd)?|secret|token|(?:access|account|api|auth)_?key)[=\s]+(\S+)"
    r"|sshpass\s+-p\s*(\S+)"
)
# Shorter values ("1", "no") would be found everywhere; in a URL they are hidden all the same.
_SHORTEST = 4
_LONGEST = 4096  # characters of a word that is searched; longer ones are not typed by people


def without_password(url: str) -> str:
    """Return a URL without its password, the same for all passwords."""
    scheme, colon, rest = re.sub(_URL_PASSWORD, r"\1@", url).partition("://")
    # A password with a slash in it, which duplicity refuses, but is started with.
    before, at, place = rest.rpartition("@")
    if at:
        rest = before.partition(":")[0] + at + place
    return re.sub(_QUERY, "", scheme + colon + rest)


class Secrets:
    """The secrets that a check may come across."""

    def __init__(self, environment: Mapping[str, str], arguments: Iterable[str] = ()) -> None:
        """Collect them from environment variables and from the command line's words."""
        self._forms: set[str] = set()
        self._pairs: set[str] = set()
        self._known: list[re.Pattern[str]] = []
        self.learn(environment, arguments)

    def learn(self, environment: Mapping[str, str], arguments: Iterable[str] = ()) -> None:
        """Collect more of them."""
        words = [word[:_LONGEST] for word in arguments]
        values = {value for name, value in environment.items() if _names_secret(name) and value}
        for value in environment.values():
            if "://" in value:
                found = re.findall(_URL_PASSWORD, value[:_LONGEST])
                values.update(password for _, password in found)
        for word, following in zip(words, [*words[1:], ""]):
            values.update(_secrets_of(word, following))
        values.discard("")
        self._forms |= {form for value in values for form in _forms(value)}
        self._pairs |= {form for word in words for pair in _pairs_of(word) for form in _forms(pair)}
        forms = {form: f"({re.escape(form)})" for form in self._forms if len(form) >= _SHORTEST}
        pairs = {pair: _without_user(pair) for pair in self._pairs if len(pair) >= _SHORTEST}
        # Longest first, so that no value hides only the beginning of another.
        self._known = [
            re.compile("|".join(found[form] for form in sorted(found, key=lambda f: (-len(f), f))))
            for found in (forms, pairs)
            if found
        ]

    def hide(self, text: str) -> str:
        """Return the text with every password and key replaced by ``***``."""
        # All are looked for in the text as it is: one may be a part of another.
        spans = []
        if "://" in text:
            spans += [match.span(2) for match in re.finditer(_URL_PASSWORD, text)]
        if "--" in text:
            spans += [match.span(2) for match in re.finditer(_OPTION, text)]
        if "=" in text:
            spans += [match.span(2) for match in re.finditer(_ASSIGNED, text)]
        for known in self._known:
            spans += [match.span(match.lastindex or 0) for match in known.finditer(text)]
        pieces: list[str] = []
        shown = 0
        for start, end in sorted(spans):
            if start > shown or not pieces:
                pieces += [text[shown:start], HIDDEN]
            shown = max(shown, end)
        return "".join(pieces) + text[shown:]


def _names_secret(variable: str) -> bool:
    variable = variable.casefold()
    return any(word in variable for word in _SECRET_VARIABLES)


def _secrets_of(word: str, following: str) -> Iterator[str]:
    """The secrets in one word of a command line."""
    name, equals, value = word.partition("=")
    if name.startswith("--") and re.match(_SECRET_OPTION, name) and name not in _NO_VALUE:
        yield value if equals else following
    if equals or len(word.split()) > 1:
        for pair in re.findall(_SPOKEN, word):
            yield from filter(None, pair)
        yield from re.findall(_QUERY, word)
    yield _of_url(word)[1]


def _of_url(word: str) -> tuple[str, str]:
    """The user and the password in a word that is a URL, empty if it is none or has none."""
    url = None if word.startswith("-") or ":" not in word else re.fullmatch(_URL, word)
    if url is None:
        return "", ""
    user, rest = url["user"], url["rest"]
    password, at, _ = rest.rpartition("@")
    if not at:
        if "/" in user or not user or re.match(_PORT, rest):
            return "", ""
        password = rest.partition("/")[0]
    return user, password


def _pairs_of(word: str) -> Iterator[str]:
    """A URL's user and password: by itself a short one is not looked for."""
    user, password = _of_url(word)
    # The first part stands in duplicity's "netloc", which it prints when it refuses a URL.
    for part in {password, re.split("[/?#]", password)[0]} - {""}:
        yield f"{user}:{part}"


def _without_user(pair: str) -> str:
    """A pattern whose group is the password of a pair."""
    user, colon, password = pair.partition(":")
    return f"{re.escape(user)}:({re.escape(password)})" if colon else f"({re.escape(pair)})"


def _forms(value: str) -> Iterator[str]:
    """A secret as it is, and as URLs and Python's reprs write it."""
    from urllib.parse import quote, unquote  # mostly there is no secret

    for plain in (value, unquote(value)):
        yield plain
        yield repr(plain)[1:-1]
        for safe in ("/", ""):
            quoted = quote(plain, safe=safe, errors="surrogateescape")
            yield quoted
            yield re.sub("%..", lambda escape: escape[0].lower(), quoted)
