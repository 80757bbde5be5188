"""Keep secrets out: passwords are removed where text enters, not where it leaves."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote, unquote

HIDDEN = "***"

_URL_PASSWORD = re.compile(r"(?<=://)([^/\s:@]*):([^/\s]+)@")
# A URL as a word of its own is taken to pieces more freely: people write blanks, "/", "#" and "?"
# into passwords, which duplicity refuses and repeats, and forget a slash or the "@".
_URL = re.compile(r"[a-z][a-z0-9+.-]*:/{1,3}(?P<user>[^:/@\[]*):(?P<rest>.*)", re.I | re.S)
_PORT = re.compile(r":|\d*(?:/|$)")
_SECRET_VARIABLE = re.compile(r"PASS|SECRET|TOKEN|KEY|CREDENTIAL|AUTH|CONNECTION_STRING", re.I)
_SECRET_OPTION = re.compile(r"^--[a-z0-9-]*(?:pass|secret|token|header|credential)", re.I)
# Shorter values ("1", "no") would be found everywhere; in a URL they are hidden all the same.
_SHORTEST = 4


def without_password(url: str) -> str:
    """Return a URL without its password, the same for all passwords."""
    return _URL_PASSWORD.sub(r"\1@", url)


def _url_secrets(text: str) -> Iterator[str]:
    for _, password in _URL_PASSWORD.findall(text):
        yield password
    url = _URL.fullmatch(text)
    if url is None:
        return
    password, at, _ = url["rest"].rpartition("@")
    if not at:
        if _PORT.match(url["rest"]):
            return
        password = url["rest"].partition("/")[0]
    yield password
    yield f"{url['user']}:{password}"
    # duplicity's "netloc", which it prints when it refuses a URL.
    yield f"{url['user']}:{re.split('[/?#]', password)[0]}"


class Secrets:
    """The secrets that a check may come across."""

    def __init__(self, environment: Mapping[str, str], arguments: Iterable[str] = ()) -> None:
        """Collect them from environment variables and from the command line's words."""
        arguments = list(arguments)
        values = {
            value for name, value in environment.items() if _SECRET_VARIABLE.search(name) and value
        }
        for text in (*arguments, *environment.values()):
            values.update(_url_secrets(text))
        for option, following in zip(arguments, [*arguments[1:], ""]):
            name, equals, value = option.partition("=")
            if _SECRET_OPTION.match(name):
                values.add(value if equals else following)
        values |= {unquote(value) for value in values} | {quote(value) for value in values}
        # Longest first, so that no value hides only the beginning of another.
        known = sorted((v for v in values if len(v) >= _SHORTEST), key=lambda v: (-len(v), v))
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def hide(self, text: str) -> str:
        """Return the text with every password and key replaced by ``***``."""
        text = _URL_PASSWORD.sub(rf"\1:{HIDDEN}@", text)
        return self._known.sub(HIDDEN, text) if self._known else text
