"""Read programs that only start another one (sudo, nice, env, su ...), and the string of sh -c."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence

from check_duplicity.shell.model import UNKNOWN, Output, is_shell, operands_of_shell
from check_duplicity.shell.variables import Environment, Variable, Variables, exported_text
from check_duplicity.shell.words import Word
from check_duplicity.values import NamedTuple

_USER_VARIABLES = ("HOME", "USER", "LOGNAME")


class _Wrapper(NamedTuple):
    """The options and operands of a program that starts the program after them."""

    shorts: str = ""  # its short options with a value
    longs: str = ""  # its long ones; those written with = need not be listed
    operands: int = 0
    names_user: bool = False  # whether the first operand is the user it runs as
    user: tuple[str, ...] = ()  # the options that name the user it runs as
    root: bool = False  # whether it runs as root without these, and changes HOME
    fresh: tuple[str, ...] = ()  # the options that empty the environment
    keeps: tuple[str, ...] | None = None  # only these keep the environment; None: it is kept
    assignments: bool = False  # VAR=value may stand before the program


_WRAPPERS = {
    "nice": _Wrapper("n", "--adjustment"),
    "ionice": _Wrapper("cnpPu", "--class --classdata --pid --pgid --uid"),
    "chronic": _Wrapper(),
    "flock": _Wrapper("wE", "--wait --timeout --conflict-exit-code", 1),
    "timeout": _Wrapper("ks", "--kill-after --signal", 1),
    "sudo": _Wrapper(
        "ugUhpCrtTRD",
        "--user --group --other-user --host --prompt --close-from --role --type --command-timeout"
        " --chroot --chdir",
        user=("-u", "--user"), root=True, fresh=("-i", "--login"), assignments=True,
        keeps=("-E", "--preserve-env"),
    ),
    "doas": _Wrapper("uC", user=("-u",), root=True, keeps=()),
    "runuser": _Wrapper("ugG", "--user --group --supp-group", user=("-u", "--user"), root=True),
    "setpriv": _Wrapper(
        "",
        "--reuid --regid --ruid --rgid --euid --egid --groups --inh-caps --ambient-caps"
        " --bounding-set --securebits --pdeathsig --selinux-label --apparmor-profile",
        user=("--reuid",), fresh=("--reset-env",),
    ),
    "systemd-inhibit": _Wrapper("", "--what --who --why --mode"),
    "systemd-run": _Wrapper(
        "HMupE",
        "--host --machine --unit --property --description --slice --service-type --uid --gid"
        " --nice --working-directory --setenv --on-active --on-boot --on-startup --on-unit-active"
        " --on-unit-inactive --on-calendar --timer-property --path-property --socket-property",
        user=("--uid",), keeps=("--scope",),
    ),
    "caffeinate": _Wrapper("tw"),
    "stdbuf": _Wrapper("ioe", "--input --output --error"),
    "nohup": _Wrapper(),
    "cronic": _Wrapper(),
    "systemd-cat": _Wrapper("tp", "--identifier --priority --stderr-priority --level-prefix"),
    "envdir": _Wrapper(operands=1),
    "envuidgid": _Wrapper(operands=1),
    "setuidgid": _Wrapper(operands=1, names_user=True),
    "gosu": _Wrapper(operands=1, names_user=True),
    "su-exec": _Wrapper(operands=1, names_user=True),
    "chpst": _Wrapper("uUbe/nlLmdopfcrt", user=("-u",)),
    "setlock": _Wrapper(operands=1),
    "softlimit": _Wrapper("acdflmnoprst"),
    "torsocks": _Wrapper("uadP", "--user --pass --address --port"),
    "torify": _Wrapper(),
    "ssh-agent": _Wrapper("aEtPO"),
    "dbus-run-session": _Wrapper("", "--config-file --dbus-daemon"),
    "unbuffer": _Wrapper(),
    "numactl": _Wrapper("iNmpC", "--interleave --cpunodebind --physcpubind --membind"),
    "setsid": _Wrapper(),
    "exec": _Wrapper("a"),
    "command": _Wrapper(),
    "builtin": _Wrapper(),
    "time": _Wrapper("fo", "--format --output"),
    "env": _Wrapper(
        "uC", "--unset --chdir", fresh=("-i", "--ignore-environment"), assignments=True
    ),
    "chrt": _Wrapper("TPD", "--sched-runtime --sched-period --sched-deadline", 1),
    "taskset": _Wrapper(operands=1),
    "cpulimit": _Wrapper("lpePm", "--limit --pid --exe --path --monitor-forks"),
    "trickle": _Wrapper("udwtlLnN"),
    "xvfb-run": _Wrapper(
        "nefspw",
        "--server-num --error-file --auth-file --server-args --xauth-protocol --wait",
    ),
    "cronlock": _Wrapper(),
    "lckdo": _Wrapper("WE", operands=1),
    "run-one": _Wrapper(),
    "with-lock-ex": _Wrapper(operands=1),
    "choom": _Wrapper("np", "--adjust --pid"),
    "proxychains": _Wrapper("f"),
    "proxychains4": _Wrapper("f"),
    "logsave": _Wrapper(operands=1),
    "eatmydata": _Wrapper(),
    "nocache": _Wrapper("n"),
}  # fmt: skip
_SU_SHORTS = "csgGw"  # as runuser -l has them
_SU_LONGS = ["--command", "--session-command", "--shell", "--group", "--supp-group"]


class Start:
    """How a command is started; the words that are left are the program that matters."""

    def __init__(self, words: list[Word], assigned: Mapping[str, Variable], user: str) -> None:
        self.words = deque(words)
        self.user = user
        self.output: Output | None = None  # where its output goes, if a wrapper says so
        self._fresh = False
        self._kept: list[str] = []  # variables that are inherited nevertheless
        self._changes: dict[str, str | None] = {
            name: exported_text(variable._replace(exported=True))
            for name, variable in assigned.items()
        }
        self._unknown = {name for name, text in self._changes.items() if text is None}

    def environment(self, variables: Variables) -> Mapping[str, str]:
        """Return the environment of the program."""
        if not self._fresh:
            return variables.environment(self._changes)
        given = variables.environment({})
        kept = {name: given[name] for name in self._kept if name in given}
        return Environment({}, 0, {**kept, **self._changes})

    def hidden(self, variables: Variables) -> frozenset[str]:
        """Return the variables that the program may get with values that aren't known."""
        given = frozenset() if self._fresh else variables.hidden()
        unknown = {name for name, text in self._changes.items() if text is None}
        return (given - self._changes.keys()) | (unknown & self._unknown)

    def take_wrappers(self) -> None:
        """Take off the wrappers, which only start the program."""
        taken = True
        while taken and self.words:
            program = _program(self.words[0])
            following = self.words[1].text if len(self.words) > 1 else ""
            if program == "su" or (program == "runuser" and not _names_user(following)):
                taken = self._take_su()
            elif program == "command" and re.match("-[pvV]*[vV]", following):
                taken = False  # It only looks for the program.
            else:
                taken = self._take_wrapper(program)

    def _take_wrapper(self, program: str) -> bool:
        wrapper = _WRAPPERS.get(program)
        if wrapper is None:
            return False
        self.words.popleft()
        user = self._take_options(program, wrapper) or ("root" if wrapper.root else "")
        if user:
            self._become(user, changes_home=wrapper.root)
        if wrapper.assignments:
            self._take_assignments()
        for place in range(wrapper.operands):
            if self.words:
                operand = self.words.popleft()
                if wrapper.names_user and place == 0:
                    self._become(operand.text.partition(":")[0], changes_home=True)
        self._take_string_of_flock(program)
        return True

    def _take_options(self, program: str, wrapper: _Wrapper) -> str:
        """Take a wrapper's options, and change the environment as they do; return its user."""
        user = ""
        keeps = wrapper.keeps is None
        tag = ""
        given: dict[str, str | None] = {}
        for name, value in options_of(self.words, wrapper.shorts, wrapper.longs.split()):
            if name in wrapper.user and value:
                user = value.text
            elif program == "systemd-cat" and name in ("-t", "--identifier") and value:
                tag = "" if value.pieces else value.text
            elif name in wrapper.fresh:
                self._start_afresh()
            elif name in (wrapper.keeps or ()):
                keeps = keeps or value is None
                self._kept += value.text.split(",") if value else []
            elif value:
                self._kept += _inherited_by(program, name, value)
                given.update(_set_by(program, name, value))
        if not keeps:
            self._start_afresh({n: t for n, t in self._changes.items() if n in self._kept})
        self._changes.update(given)
        if program == "systemd-cat":
            self.output = Output(tag=tag)
        elif program == "systemd-run":
            self.output = UNKNOWN
        return user

    def _start_afresh(self, changes: Mapping[str, str | None] = {}) -> None:
        self._fresh = True
        self._changes = dict(changes)

    def _become(self, user: str, changes_home: bool) -> None:
        self.user = user
        if changes_home:
            self._changes.update(dict.fromkeys(_USER_VARIABLES))

    def _take_assignments(self) -> None:
        if self.words and self.words[0].text == "-":  # env -
            self._start_afresh()
            self.words.popleft()
        while self.words:
            match = re.match(r"([A-Za-z_]\w*)=(.*)", self.words[0].text, re.S | re.A)
            if match is None:
                return
            known = not self.words.popleft().pieces
            self._changes[match[1]] = match[2] if known else None
            self._unknown |= {match[1]} if not known else set()

    def _take_string_of_flock(self, program: str) -> None:
        if program == "flock" and self.words and self.words[0].text in ("-c", "--command"):
            self.words.appendleft(Word("sh", self.words[0].line))
            self.words[1] = self.words[1]._replace(text="-c")

    def _take_su(self) -> bool:
        rest = deque(list(self.words)[1:])
        script = None
        login = False
        operands: list[Word] = []
        while rest:
            for name, value in options_of(rest, _SU_SHORTS, _SU_LONGS):
                if name in ("-c", "--command", "--session-command"):
                    script = value
                login = login or name in ("-l", "--login")
            if rest:
                operands.append(rest.popleft())
        if script is None:
            return False
        login = login or any(word.text == "-" for word in operands)
        users = [word.text for word in operands if word.text != "-"]
        if login:
            self._start_afresh()
        self._become(users[0] if users else "root", changes_home=True)
        self.words = deque([Word("sh", script.line), Word("-c", script.line), script])
        return True


def _inherited_by(program: str, option: str, value: Word) -> list[str]:
    """Return the variable that an option of systemd-run passes on as it is: ``-E NAME``."""
    by_name = program == "systemd-run" and option in ("-E", "--setenv") and "=" not in value.text
    return [value.text] if by_name else []


def _set_by(program: str, option: str, value: Word) -> dict[str, str | None]:
    """Return the variables that an option of env or systemd-run sets, or unsets (``None``)."""
    if program == "env" and option in ("-u", "--unset"):
        return {value.text: None}
    if program == "systemd-run" and option in ("-E", "--setenv"):
        variable, equals, text = value.text.partition("=")
        return {variable: None if value.pieces else text} if equals else {}
    return {}


def _program(word: Word) -> str:
    return word.text.rpartition("/")[2]


def _names_user(option: str) -> bool:
    return re.match("-u|--user", option) is not None


def options_of(
    words: deque[Word], shorts: str, longs: Sequence[str]
) -> Iterator[tuple[str, Word | None]]:
    """Take the options off the front of the words; yield each with its value, if it has one.

    ``shorts`` and ``longs`` are the options that have a value.
    """
    while words and re.match("-.", words[0].text, re.S):
        word = words.popleft()
        if word.text == "--":
            return
        if word.text.startswith("--"):
            name, equals, value = word.text.partition("=")
            if equals:
                yield name, word.end(value)
            else:
                yield name, words.popleft() if name in longs and words else None
        else:
            yield from _letters(word, words, shorts)


def _letters(word: Word, words: deque[Word], shorts: str) -> Iterator[tuple[str, Word | None]]:
    """Yield the options of a word like -iu."""
    for position, letter in enumerate(word.text[1:], 2):
        if letter in shorts:
            rest = word.text[position:]
            value = word.end(rest) if rest else words.popleft() if words else None
            yield f"-{letter}", value
            return
        yield f"-{letter}", None


def string_of_shell(words: list[Word]) -> Word | None:
    """Return the string of ``sh -c``; ``None`` for other commands."""
    texts = [word.text for word in words]
    if not is_shell(texts):
        return None
    given, operands = operands_of_shell(texts)
    return words[-len(operands)] if given and operands else None
