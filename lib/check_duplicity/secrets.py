"""Keep secrets out: passwords are removed where text enters, not where it leaves."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

HIDDEN = "***"

# Patterns are kept as text: re compiles each on first use, and most are never used. They bound the
# length of names, so that no crafted text takes long.
_URL_PASSWORD = r"(?<=://)([^/\s:]*):([^/\s]+)@"  # nosec B105  # a pattern
# A URL that is a whole word is parsed more freely: people write blanks, "/", "#" and "?" in
# passwords, which duplicity refuses and repeats in its message, and forget a slash or the "@".
_URL = r"(?is)(?:[a-z][a-z0-9+.-]*:|(?![a-z][a-z0-9+.-]*://))/{0,3}(?P<user>[^:\[]*):(?P<rest>.*)"
# How check_duplicity_log names a place in systemd's journal: a unit or a tag, and where.
_JOURNAL = r"journal:(?:tag=)?[\w@:.\\*?-]+(?:,/.*)?"
# A user without a password, or with a placeholder for one ("x-oauth-basic").
_URL_USER = r"(?<=://)([^/\s:@?#]{1,300})(?=@|:[^/\s]*@)"
_PORT = r":|\d*(?:/|$)"
_QUERY = r"(?i)[?&][^?=&]{0,60}(?:pass|secret|token|key|sig|auth)[^?=&]{0,60}=([^&]*)"
_SECRET_VARIABLES = (
    "pass", "secret", "token", "key", "credential", "auth", "connection_string",
)  # fmt: skip
# Only as a whole name or its last part: API_HOST and PIN_COUNT have no secret.
_SECRET_NAMES = ("pw", "psw", "pwd")
_PERHAPS_SECRET_NAMES = ("api", "pin", "sas", "dsn")
_OF_SHELLS = ("pwd", "oldpwd")
_SECRET_OPTION = (
    r"(?i)--[a-z0-9-]{0,60}"  # nosec B105  # a pattern
    r"(?:pass(?!ive)|secret|token|header|credential|(?:auth|backend|access|account|api)-key)"
)
# A word as a shell prints it: quoted in whole or in parts.
_VALUE = r"((?:\$'(?:[^'\\]|\\.)*'|'[^']*'|\"(?:[^\"\\]|\\.)*\"|\\.|[^\s\"'\\])+\S*|\S+)"
# Assignments as scripts with "set -x" print them.
_ASSIGNED = (
    r"\b(\w{0,60}(?:PASSPHRASE|PASSWORD|PASSWD|SECRET|TOKEN|ACCESS_KEY|API_KEY|APIKEY|_PW|_PASS)"
    r"\w{0,60}=)" + _VALUE
)
_ASSIGNED_SHORT = r"\b((?:\w{0,60}_)?(PW|PSW|PWD|API|PIN|SAS|DSN)=)" + _VALUE
_OPTION = (
    r"(?i)(--[a-z0-9-]{0,60}(?:pass(?:word|phrase|wd)|secret|token|header|credential|"
    r"(?:auth|backend|access|account|api)-key)s?(?:=| +(?!-)))" + _VALUE
)
_NO_VALUE = ("--ssh-askpass",)
# In the values of --gpg-options, --ssh-options, --duplicity.
_SPOKEN = (
    r"(?i)(?:pass(?:phrase|word|wd)?|secret|token|(?:access|account|api|auth)[-_]?key)[=\s]+"
    r"('[^']*'|\"[^\"]*\"|\S+)|sshpass\s+-p\s*('[^']*'|\"[^\"]*\"|\S+)"
)
# A URL's user that is a token, not a name: of a known make, a UUID, or with a long random part.
# Names have 32 characters at most (useradd(8)), and are words, with digits at their ends.
_KNOWN_TOKEN = (  # nosec B105  # a pattern
    r"(?:AKIA|ASIA)[A-Z0-9]{12,}|(?:gh[a-z]_|github_pat_|glpat-|xox[a-z]-|sk[-_]|dop_v1_)\w[\w-]{9,}"
    r"|[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}"
)
_LONGEST_NAME = 32
_SHORTEST_TOKEN = 16
_CHANGE = r"(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z])(?=[0-9])|(?<=[0-9])(?=[A-Za-z])"
# No program logs in to these with a user alone: unless that is a plain word, it is a token.
_TOKEN_SCHEMES = ("http", "https")
_PLAIN_NAME = r"[A-Za-z]+(?:[-._][A-Za-z]+)*[-._]?\d{0,4}"
# Shorter values ("1", "no") would match everywhere; in a URL they are hidden nevertheless.
_SHORTEST = 4
_LONGEST = 4096  # characters of a word that is searched; people don't type longer ones


def without_password(url: str) -> str:
    """Return a URL with its password or token replaced, by the same text whatever it is."""
    scheme, colon, rest = re.sub(_URL_PASSWORD, r"\1@", url).partition("://")
    # People start duplicity with a slash in a password, although it refuses that.
    before, at, place = rest.rpartition("@")
    if at:
        rest = before.partition(":")[0] + at + place
    url = re.sub(_QUERY, "", scheme + colon + rest)
    for start, end in _tokens_in(url)[::-1]:
        url = url[:start] + HIDDEN + url[end:]
    return url


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
        values = {value for name, value in environment.items() if _is_secret(name, value)}
        for value in environment.values():
            if "://" in value:
                found = re.findall(_URL_PASSWORD, value[:_LONGEST])
                values.update(password for _, password in found)
        for value in (*words, *(value[:_LONGEST] for value in environment.values())):
            values.update(value[start:end] for start, end in _tokens_in(value))
        for word, following in zip(words, [*words[1:], ""]):
            values.update(_secrets_of(word, following))
        values.discard("")
        self._forms |= {form for value in values for form in _forms(value)}
        self._pairs |= {form for word in words for pair in _pairs_of(word) for form in _forms(pair)}
        forms = {form: f"({re.escape(form)})" for form in self._forms if len(form) >= _SHORTEST}
        pairs = {pair: _without_user(pair) for pair in self._pairs if len(pair) >= _SHORTEST}
        # Longest first: otherwise a short value would hide only the beginning of a longer one.
        self._known = [
            re.compile("|".join(found[form] for form in sorted(found, key=lambda f: (-len(f), f))))
            for found in (forms, pairs)
            if found
        ]

    def hide(self, text: str) -> str:
        """Return the text with every password and key replaced by ``***``."""
        # All are searched in the original text: one secret may be a part of another.
        spans = []
        if "://" in text:
            spans += [match.span(2) for match in re.finditer(_URL_PASSWORD, text)]
            spans += _tokens_in(text)
        if "--" in text:
            spans += [match.span(2) for match in re.finditer(_OPTION, text)]
        if "=" in text:
            spans += [match.span(2) for match in re.finditer(_ASSIGNED, text)]
            spans += [
                match.span(3)
                for match in re.finditer(_ASSIGNED_SHORT, text)
                if _is_secret(match[1].rstrip("="), match[3].strip("'\""))
            ]
        for known in self._known:
            spans += [match.span(match.lastindex or 0) for match in known.finditer(text)]
        pieces: list[str] = []
        shown = 0
        for start, end in sorted(spans):
            if start > shown or not pieces:
                pieces += [text[shown:start], HIDDEN]
            shown = max(shown, end)
        return "".join(pieces) + text[shown:]


def _is_secret(variable: str, value: str) -> bool:
    """Return whether a variable has a secret, by its name, or by its value if that says little."""
    variable = variable.casefold()
    if any(word in variable for word in _SECRET_VARIABLES):
        return True
    name = variable.rpartition("_")[2]
    if name in _SECRET_NAMES:
        return variable not in _OF_SHELLS
    # Only parts of a URL are secret; and plain words ("true") occur in many lines.
    plain = "://" in value or (value.isalpha() and len(value) < _SHORTEST_TOKEN)
    return name in _PERHAPS_SECRET_NAMES and not plain


def _tokens_in(text: str) -> list[tuple[int, int]]:
    """Return where a URL has a token as its user."""
    if "://" not in text:
        return []
    found = [match.span(1) for match in re.finditer(_URL_USER, text)]
    schemes = (text[max(0, at - 9) : at - 3].lower() for at, _ in found)
    return [at for at, scheme in zip(found, schemes) if _is_token(scheme, text[slice(*at)])]


def _is_token(scheme: str, user: str) -> bool:
    """Return whether a URL's user is a token, which lets in whoever has it, and not a name."""
    if re.fullmatch(_KNOWN_TOKEN, user):
        return True
    if "%40" in user:  # a mail address
        return False
    # Anything may precede the scheme: "webdav+https", or a word that it is glued to.
    if scheme.endswith(_TOKEN_SCHEMES) and not re.fullmatch(_PLAIN_NAME, user):
        return True
    return any(_is_random(part) for part in re.split("[^A-Za-z0-9]", user))


def _is_random(part: str) -> bool:
    """Return whether a part of a name is too long or too mixed for a person to have made it."""
    if len(part) > _LONGEST_NAME:
        return True
    # Words in capitals with digits are rarer still: each change counts twice.
    changes = len(re.findall(_CHANGE, part)) * (2 if part.isupper() else 1)
    return len(part) >= _SHORTEST_TOKEN and changes >= len(part) / 4


def _secrets_of(word: str, following: str) -> Iterator[str]:
    """Return the secrets in one word of a command line."""
    name, equals, value = word.partition("=")
    if name.startswith("--") and re.match(_SECRET_OPTION, name) and name not in _NO_VALUE:
        yield value if equals else following
    if equals or len(word.split()) > 1:
        for spoken in filter(None, (part for pair in re.findall(_SPOKEN, word) for part in pair)):
            yield spoken
            # A quote at the end belongs to the value, which has several words.
            yield spoken.strip("'\"")
        yield from re.findall(_QUERY, word)
    yield _of_url(word)[1]


def _of_url(word: str) -> tuple[str, str]:
    """Return a URL's user and password; both are empty if it has none, or the word is no URL."""
    url = None if word.startswith("-") or ":" not in word else re.fullmatch(_URL, word)
    if url is None or re.fullmatch(_JOURNAL, word):
        return "", ""
    user, rest = url["user"], url["rest"]
    password, at, _ = rest.rpartition("@")
    if not at:
        if "/" in user or not user or re.match(_PORT, rest):
            return "", ""
        password = rest.partition("/")[0]
    return user, password


def _pairs_of(word: str) -> Iterator[str]:
    """Yield a URL's user with its password: a short password is never searched alone."""
    user, password = _of_url(word)
    # duplicity prints the first part as "netloc" when it refuses a URL.
    for part in {password, re.split("[/?#]", password)[0]} - {""}:
        yield f"{user}:{part}"


def _without_user(pair: str) -> str:
    """Return a pattern whose group is the password of a pair."""
    user, colon, password = pair.partition(":")
    return f"{re.escape(user)}:({re.escape(password)})" if colon else f"({re.escape(pair)})"


def _forms(value: str) -> Iterator[str]:
    """Return a secret as it is, and as URLs and Python's reprs write it."""
    from urllib.parse import quote, unquote  # loaded late: mostly there is no secret

    for plain in (value, unquote(value)):
        yield plain
        yield repr(plain)[1:-1]
        if "'" in plain:
            # As repr writes a text with both quotes, and as bash and dash print it.
            yield repr(plain + '"')[1:-2]
            yield plain.replace("'", r"'\''")
            yield plain.replace("'", "'\"'\"'")
        for safe in ("/", ""):
            quoted = quote(plain, safe=safe, errors="surrogateescape")
            yield quoted
            yield re.sub("%..", lambda escape: escape[0].lower(), quoted)
