"""Do what builtins do to a shell: export and the like, set, shift, cd, read, getopts ..."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable, Sequence

from check_duplicity.shell.conditions import found_by_test
from check_duplicity.shell.expanding import values_of
from check_duplicity.shell.state import SET, Asked, State
from check_duplicity.shell.variables import ALL_UNKNOWN, Variable, unknown
from check_duplicity.shell.words import NAME, Word, known_text, value_of_text

DECLARATIONS = ("export", "declare", "typeset", "local", "readonly")
_WORD_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=", re.A)
# Programs that print assignments for eval, and the variables that these set.
_AGENTS = re.compile(r"(?:\$\(|`)\s*(?:\S*/)?(?:ssh-agent|keychain|gpg-agent|dircolors|locale)\b")
_AGENT_VARIABLES = ("SSH_AUTH_SOCK", "SSH_AGENT_PID", "GPG_AGENT_INFO", "LS_COLORS", "LANG")


def declare(
    state: State, before: list[Word], words: Sequence[Word | tuple[str, Variable]]
) -> list[Word]:
    """Do what export, declare, local ... do with words, or with names and their new variables.

    ``before`` are the command and its options so far. They are returned, with more options from
    the words.
    """
    known = list(before)
    for word in words:
        command = known[0].text if known else ""
        options = "".join(option.text for option in known[1:])
        if not isinstance(word, Word):
            _declare(state, command, options, *word)
            continue
        assignment = _WORD_ASSIGNMENT.match(word.text)
        if not known or (word.text[:1] in ("-", "+") and len(known) < 10):
            known.append(word)
        elif assignment:
            value = word.end(word.text[assignment.end() :]).value
            _declare(state, command, options, assignment[1], Variable((value,)))
        elif NAME.fullmatch(word.text):
            _declare(state, command, options, word.text, None)
    return known


def _declare(
    state: State, command: str, options: str, name: str, variable: Variable | None
) -> None:
    if "f" in options or "F" in options:
        return
    old = state.variables.get(name)
    local = command in ("local", "declare", "typeset") and "g" not in options
    frames = [frame for frame in reversed(state.frames) if frame.kind == "function"]
    if local and frames:
        frames[0].locals.setdefault(name, old)
        # bash's local variables begin unset, dash's with the value outside.
        fresh = Variable((), old.exported if old else False)
        if state.is_bash or old is None or old.values == ():
            old = fresh
        else:
            old = unknown(name, old.exported)
    exported = state.exports(old)
    if command == "export":
        exported = "n" not in options
    elif "x" in options:
        exported = "+x" not in options
    variable = variable or old or Variable(None)
    if "A" in options or ("n" in options and command != "export"):
        variable = Variable((ALL_UNKNOWN,), array=True)
    elif set("iul") & set(options):
        text = known_text(variable.values[0]) if variable.values else ""
        variable = variable if text is not None and text.isdigit() else unknown(name)
    state.assign(name, variable._replace(exported=exported))


def arrange(state: State, words: Sequence[Word]) -> bool:
    """Do what ``set`` does."""
    rest = list(words[1:])
    while rest:
        option = rest[0].text
        if rest[0].loose:
            break
        if option in ("--", "-"):
            rest.pop(0)
            break
        if not re.match(r"[-+].", option):
            break
        rest.pop(0)
        following = rest[0].text if rest else ""
        if re.match("[-+][a-z]*o$", option) and rest:
            rest.pop(0)
        if re.match("[-+][a-z]*a", option) or (option[1:] == "o" and following == "allexport"):
            state.variables.set("set -a", SET if option[0] == "-" else None)
    given = len(rest) > 0 or (len(words) > 1 and words[-1].text == "--")
    if given:
        state.variables.set("@", Variable(values_of(rest), array=True))
    return True


def _shift(state: State, words: Sequence[Word]) -> object:
    arguments = state.variables.get("@")
    if arguments is None or arguments.values is None:
        return None
    values = arguments.values
    count = known_text(words[1].value) if len(words) > 1 else "1"
    if count is None or not re.fullmatch("[0-9]{1,4}", count) or any(w.loose for w in words):
        state.forget("@")
        return None
    if ALL_UNKNOWN in values[: int(count)]:
        state.forget("@")
        return None
    if int(count) > len(values):
        if ALL_UNKNOWN in values:
            state.forget("@")
            return None
        state.dead = state.is_bash is False  # dash exits then.
        return False
    state.variables.set("@", arguments._replace(values=values[int(count) :]))
    return True


def _unset(state: State, words: Sequence[Word]) -> object:
    of_functions = len(words) > 1 and words[1].text == "-f"
    for word in words[1:]:
        if word.pieces or "[" in word.text:
            state.forget(word.text.partition("[")[0])
        elif of_functions:
            state.variables.set(f"{word.text}()", None)
        elif NAME.fullmatch(word.text):
            state.assign(word.text, Variable(()))
    return True


def _cd(state: State, words: Sequence[Word]) -> object:
    operands = [w for w in words[1:] if not re.fullmatch("-[LPe@]+|--", w.text)]
    physical = any("P" in word.text for word in words[1:] if word.text.startswith("-"))
    target = known_text(operands[0].value) if operands else state.text("HOME")
    if any(word.loose for word in operands) or len(operands) > 1:
        target = None
    old = state.variables.get("PWD")
    if target == "-":
        target = state.text("OLDPWD")
    place = state.place
    if target is None or (not os.path.isabs(target) and not place) or physical:
        real = state.host.real_path(os.path.join(place, target)) if physical and target else None
        new = real or None
    else:
        # As the shell does, not as the kernel would: a/.. is here, even if a is a link.
        joined = posixpath.normpath(os.path.join(place, target))
        new = "/" + joined.lstrip("/")
    state.variables.set("OLDPWD", old)
    if new is None:
        state.forget("PWD")
        return None
    state.assign("PWD", Variable((value_of_text(new),), state.exports(old)))
    where = new
    return Asked(lambda: state.host.has("d", where) in (True, None))


def _popd(state: State, words: Sequence[Word]) -> object:
    del words
    state.forget("PWD")
    return None


def _read(state: State, words: Sequence[Word]) -> object:
    names = [word.text for word in words[1:] if NAME.fullmatch(word.text)]
    for name in names or ["REPLY"]:
        state.forget(name)
    return None


def _map_file(state: State, words: Sequence[Word]) -> object:
    name = words[-1].text if len(words) > 1 and NAME.fullmatch(words[-1].text) else "MAPFILE"
    state.variables.set(name, Variable((ALL_UNKNOWN,), array=True))
    return None


def _getopts(state: State, words: Sequence[Word]) -> object:
    """Set the next option for ``getopts OPTIONS NAME``, if the arguments are known."""
    if len(words) < 3:
        return None
    form, name = known_text(words[1].value), words[2].text
    arguments = state.variables.get("@")
    values = values_of(words[3:]) if len(words) > 3 else arguments.values if arguments else None
    index, offset = state.text("OPTIND") or "1", state.text("getopts") or "1"
    if "OPTIND" in state.variables.names() and state.text("OPTIND") is None:
        form = None
    texts = [known_text(value) for value in values or ()]
    if form is None or values is None or None in texts or not index.isdigit():
        for variable in (name, "OPTARG", "OPTIND"):
            state.forget(variable)
        return None
    given = [text for text in texts if text is not None]
    found = _next_option(form, given, int(index) - 1, int(offset))
    if found is None:
        _set_options(state, name, "?", None, _end_of_options(given, int(index) - 1), 1)
        return False
    _set_options(state, name, *found)
    return True


def _set_options(
    state: State, name: str, option: str, value: str | None, index: int, offset: int
) -> None:
    state.assign(name, Variable((value_of_text(option),)))
    state.assign("OPTARG", Variable((value_of_text(value),) if value is not None else ()))
    state.assign("OPTIND", Variable((value_of_text(str(index + 1)),)))
    state.variables.set("getopts", Variable((value_of_text(str(offset)),)))


def _end_of_options(given: Sequence[str], index: int) -> int:
    return index + 1 if index < len(given) and given[index] == "--" else index


def _next_option(
    form: str, given: Sequence[str], index: int, offset: int
) -> tuple[str, str | None, int, int] | None:
    """Return an option, its value, and the word and the letter where the next one is."""
    if index >= len(given) or not re.match("-[^-]|--.", given[index]):
        return None
    word = given[index]
    if offset >= len(word):
        return None
    option, rest = word[offset], word[offset + 1 :]
    following = (index, offset + 1) if rest else (index + 1, 1)
    position = form.lstrip(":").find(option)
    quiet = form.startswith(":")
    if option == ":" or position < 0:
        return "?", option if quiet else None, *following
    if form.lstrip(":")[position + 1 : position + 2] != ":":
        return option, None, *following
    if rest:
        return option, rest, index + 1, 1
    if index + 1 < len(given):
        return option, given[index + 1], index + 2, 1
    return (":", option, index + 1, 1) if quiet else ("?", None, index + 1, 1)


def _printf(state: State, words: Sequence[Word]) -> object:
    if len(words) > 2 and words[1].text == "-v":
        name = words[2].text.partition("[")[0]
        state.forget(name)
    return True


def _let(state: State, words: Sequence[Word]) -> object:
    for word in words[1:]:
        calculated(state, word.text)
    return None


def calculated(state: State, text: str) -> None:
    """Forget the variables that a calculation may change."""
    for name in NAME.findall(text):
        if state.variables.get(name) is not None:
            state.forget(name)


def _leave(state: State, words: Sequence[Word]) -> object:
    text = known_text(words[1].value) if len(words) > 1 else None
    if words[0].text in ("break", "continue"):
        kind = ("loop",) if words[0].text == "break" else ("round",)
        state.leave(kind, True, int(text) if text and re.fullmatch("[1-9]", text) else 1)
    else:
        status = None if text is None else text == "0"
        state.leave(("function", "source"), status)
    return True


def _exit(state: State, words: Sequence[Word]) -> object:
    del words
    state.dead = True
    return None


def _trap(state: State, words: Sequence[Word]) -> object:
    signals = {word.text for word in words[2:]}
    if {"EXIT", "0"} & signals and not words[1].pieces:
        state.variables.set("trap", Variable((words[1].value,)))
    return True


def knows_agent(script: Word) -> bool:
    """Return whether eval gets the output of an agent."""
    return len(script.pieces) == 1 and _AGENTS.match(script.text) is not None


def use_agent(state: State) -> None:
    """Forget the variables that the output of an agent sets."""
    for name in _AGENT_VARIABLES:
        state.forget(name)


def _test(state: State, words: Sequence[Word]) -> object:
    operands = words[1:-1] if words[0].text == "[" and words[-1].text == "]" else words[1:]
    if any(word.loose for word in operands):
        return None
    return found_by_test(state, [word.value for word in operands])


Builtin = Callable[[State, Sequence[Word]], object]
BUILTINS: dict[str, Builtin] = {
    ":": lambda *_: True, "true": lambda *_: True, "false": lambda *_: False,
    "test": _test, "[": _test, "cd": _cd, "chdir": _cd, "pushd": _cd, "popd": _popd,
    "set": arrange, "shift": _shift, "unset": _unset, "read": _read, "mapfile": _map_file,
    "readarray": _map_file, "getopts": _getopts, "printf": _printf, "let": _let,
    "break": _leave, "continue": _leave, "return": _leave, "exit": _exit, "trap": _trap,
}  # fmt: skip
