"""Find out without running commands what they print (coreutils 9.1, bash 5.2)."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence

from check_duplicity.shell.state import State
from check_duplicity.shell.words import Value, Word, known_text, value_of_text

_FORMAT = re.compile(r"((?:[^%\\]|%%|\\n)*?)(%s)?((?:[^%\\]|%%|\\n)*)")
_LINE_END = value_of_text("\n")
_QUIET = frozenset(
    ["mkdir", "rm", "touch", "chmod", "chown", "sleep", "true", "false", "test", "[", ":", "kill"]
)


def printed(state: State, words: Sequence[Word]) -> Value | None:
    """Return what a command prints; ``None`` if that can't be known."""
    name = words[0].text
    if name == "echo":
        return _echo(words[1:])
    if name == "printf":
        return _printf(words[1:])
    texts = [known_text(word.value) for word in words]
    program = os.path.basename(name)
    printer = _PRINTERS.get(program)
    if program in _QUIET:
        return ()
    if printer is None or None in texts or any(word.loose for word in words):
        return None
    text = printer(state, [text for text in texts[1:] if text is not None])
    return None if text is None else value_of_text(text + "\n" if text else "")


def _echo(words: Sequence[Word]) -> Value | None:
    ending = _LINE_END
    if words and words[0].text == "-n":
        words, ending = words[1:], ()
    if any("\\" in word.text for word in words) or (words and _may_be_option(words[0])):
        return None  # Shells differ here.
    value: Value = ()
    for count, word in enumerate(words):
        value += (*value_of_text(" " * (count > 0)), *word.value)
    return (*value, *ending)


def _may_be_option(word: Word) -> bool:
    return word.text.startswith("-") or bool(word.pieces and word.text.startswith(word.pieces[0]))


def _printf(words: Sequence[Word]) -> Value | None:
    """Return what ``printf`` prints; its format may have at most one %s."""
    text = known_text(words[0].value) if words else None
    match = _FORMAT.fullmatch(text) if text is not None and len(text) < 1000 else None
    if match is None or match[1].startswith("-") or any(word.loose for word in words):
        return None
    before, given, after = (_plain(part or "") for part in match.groups())
    if not given:
        return value_of_text(before + after) if len(words) == 1 else None
    value: Value = ()
    for word in words[1:] or [Word("", 1)]:
        value += (*value_of_text(before), *word.value, *value_of_text(after))
    return value


def _plain(part: str) -> str:
    return part.replace("\\n", "\n").replace("%%", "%")


def _basename(_: State, arguments: list[str]) -> str | None:
    if arguments[:1] == ["--"]:
        arguments = arguments[1:]
    if arguments[:1] == ["-s"] and len(arguments) == 3:
        arguments = [arguments[2], arguments[1]]
    if not 1 <= len(arguments) <= 2 or arguments[0].startswith("-"):
        return None
    name = arguments[0].rstrip("/")
    if not name:
        return "/" if arguments[0] else None
    base = name.rpartition("/")[2]
    suffix = arguments[1] if len(arguments) == 2 else ""
    return base.removesuffix(suffix) if base != suffix else base


def _dirname(_: State, arguments: list[str]) -> str | None:
    if arguments[:1] == ["--"]:
        arguments = arguments[1:]
    if len(arguments) != 1 or arguments[0].startswith("-"):
        return None
    path = arguments[0].rstrip("/")
    if not path:
        return "/" if arguments[0] else "."
    directory, slash, _base = path.rpartition("/")
    return directory.rstrip("/") or "/" if slash else "."


def _readlink(state: State, arguments: list[str]) -> str | None:
    options = [a for a in arguments if a.startswith("-") and a != "--"]
    if not set(options) & {"-f", "--canonicalize", "-nf", "-fn", "-e"}:
        return None
    return _real(state, arguments, {"-f", "--canonicalize", "-n", "-nf", "-fn", "-e"})


def _realpath(state: State, arguments: list[str]) -> str | None:
    return _real(state, arguments, {"-e", "-m", "-q", "-P"})


def _real(state: State, arguments: list[str], known: set[str]) -> str | None:
    options = [a for a in arguments if a.startswith("-") and a != "--"]
    paths = [a for a in arguments if not a.startswith("-")]
    if len(paths) != 1 or set(options) - known or not paths[0]:
        return None
    if not os.path.isabs(paths[0]) and not state.place:
        return None
    return state.host.real_path(os.path.join(state.place, paths[0])) or None


def _pwd(state: State, arguments: list[str]) -> str | None:
    if arguments == ["-P"]:
        return (state.host.real_path(state.place) or None) if state.place else None
    return state.place or None if arguments in ([], ["-L"]) else None


def _hostname(state: State, arguments: list[str]) -> str | None:
    name = state.host.hostname()
    if arguments in (["-s"], ["--short"]):
        return name and name.partition(".")[0]
    return name if not arguments else None


def _uname(state: State, arguments: list[str]) -> str | None:
    return state.host.hostname() if arguments in (["-n"], ["--nodename"]) else None


def _id(state: State, arguments: list[str]) -> str | None:
    if arguments == ["-u"]:
        return state.host.uid()
    return state.host.user() if sorted(arguments) in (["-n", "-u"], ["-un"], ["-nu"]) else None


def _whoami(state: State, arguments: list[str]) -> str | None:
    return state.host.user() if not arguments else None


def _command(state: State, arguments: list[str]) -> str | None:
    """Return what ``command -v`` and ``type -p`` print."""
    if len(arguments) != 2 or arguments[0] not in ("-v", "-p", "-P"):
        return None
    return _which(state, arguments[1:])


def _which(state: State, arguments: list[str]) -> str | None:
    if len(arguments) != 1 or arguments[0].startswith("-"):
        return None
    name = arguments[0]
    if "/" in name:
        return name if os.path.isabs(name) and state.host.has("x", name) else None
    if state.variables.get(f"{name}()") is not None or name in _SHELLS_OWN:
        return None
    return state.host.program(name, state.text("PATH")) or None


_SHELLS_OWN = ("echo", "test", "[", "printf", "pwd", "kill", "true", "false", "cd", "read")
_PRINTERS: dict[str, Callable[[State, list[str]], str | None]] = {
    "basename": _basename, "dirname": _dirname, "readlink": _readlink, "realpath": _realpath,
    "pwd": _pwd, "hostname": _hostname, "uname": _uname, "id": _id, "whoami": _whoami,
    "command": _command, "which": _which, "type": _command,
}  # fmt: skip
