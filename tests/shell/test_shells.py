"""Compare the commands that the library reads in scripts with those that bash and dash run.

A grammar makes the scripts from a seed. Their ``duplicity`` prints its arguments and variables, and
``maybe N`` succeeds or fails by the bits in ``$BITS``, of which all values are tried. Then

- each command that was run was also read, exactly or with unknown pieces;
- each command that was read without unknown pieces was run, with these variables; and in every run,
  if the reader says so.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from check_duplicity.jobs.host import ThisHost
from check_duplicity.jobs.search import Search
from check_duplicity.shell.model import Command
from check_duplicity.shell.reading import Given, read_commands
from check_duplicity.system.user import current

BITS = 3
SEEDS = 60  # scripts for each shell
EXPORTED = ("X", "Y")
NAMES = ("A", "B", "C", "X", "Y")
VALUES = ("a", "b/c", "file:///b", "x.tar.gz", "", "p q", "/srv/d.e/", "full", "-n")
DUPLICITY = """\
#!/bin/sh
{ for word in "$@"; do printf '%s\\0' "$word"; done
  printf '\\1%s\\0%s\\0%s\\2' "${X-unset}" "${Y-unset}" "${PASSPHRASE-unset}"; } >> "$RUNS"
"""
MAYBE = '#!/bin/sh\ncase "$BITS" in *$1*) exit 0;; esac\nexit 1\n'


Ran = tuple[tuple[str, ...], tuple[str, ...]]  # arguments, variables


class Maker:
    """Makes scripts of what is found in those of backups."""

    def __init__(self, seed: int, shell: str) -> None:
        self._random = random.Random(seed)
        self._bash = shell == "bash"
        self._left = 40  # statements
        self._count = 0  # of functions
        self._functions: list[str] = []
        self._in: list[str] = []

    def script(self) -> str:
        # What a script doesn't set it may inherit: that is not known.
        text = self._script()
        parts = re.split(r"\bduplicity(?= [^>])", text)
        return "".join(
            part if not count else f"duplicity id{count}{part}" for count, part in enumerate(parts)
        )

    def _script(self) -> str:
        lines = [f"#!/bin/{'bash' if self._bash else 'dash'}", "X= Y="]
        lines += [f"{name}={self.literal()}" for name in NAMES if name not in EXPORTED]
        lines += [f"{self.name()}=$(maybe 1 && echo full || echo incr)"] * self._random.randint(
            0, 1
        )
        for _ in range(self._random.randint(3, 9)):
            lines.append(self.statement())
        return "\n".join([*lines, self.backup()]) + "\n"

    def _one_of(self, *makers: object) -> str:
        chosen = self._random.choice(makers)
        return chosen if isinstance(chosen, str) else chosen()  # type: ignore[operator]

    def name(self) -> str:
        return self._random.choice(NAMES)

    def literal(self) -> str:
        return f"'{self._random.choice(VALUES)}'"

    def expansion(self) -> str:
        """What stands in double quotes."""
        name = self.name()
        plain = [
            f"${name}", f"${{{name}}}", f"${{{name}}}/x", f"pre-${name}", f"${{{name}:-z}}",
            f"${{{name}%/*}}", f"${{{name}##*/}}", f"${{{name}#*.}}", f"${{{name}%%.*}}",
            f"${{{name}:+set}}", "$1", "${2:-two}", "$#", f"${{#{name}}}", "$*",
            f"$(echo \"${name}\")", f"$(basename \"/t/${name}\")", f"$(dirname \"/t/${name}\")",
            f"$(printf '%s' \"${name}\")", "$(pwd)", "$(basename \"$PWD\")",
            "$(readlink -f \"$0\")", "$(dirname \"$(readlink -f \"$0\")\")", "$(id -un)",
            "$(uname -n)", "$(command -v duplicity)", "$(maybe 1 && echo yes || echo no)",
            f"$(maybe 2; echo \"${name}\")", "`echo b`", "$((1 + 2))", "$(maybe 3; echo $?)",
        ]  # fmt: skip
        bash = [
            f"${{{name}//a/b}}", f"${{{name}^^}}", f"${{{name},,}}", f"${{{name}:0:3}}",
            f"${{{name}: -2}}", f"${{{name}/\\//_}}", "$HOSTNAME", "${BASH_SOURCE[0]##*/}",
            f"${{{name}^}}", "$(cd / && pwd)",
        ]  # fmt: skip
        return self._random.choice(plain + bash * self._bash)

    def value(self) -> str:
        quoted = f'"{self.expansion()}"'
        return self._random.choice([self.literal(), quoted, quoted, self.expansion()])

    def word(self) -> str:
        name = self.name()
        return self._one_of(self.literal, f'"{self.expansion()}"', f"${name}", f'"${name}"')

    def words(self, most: int = 3) -> str:
        return " ".join(self.word() for _ in range(self._random.randint(0, most)))

    def condition(self) -> str:
        name = self.name()
        bash = f'[[ "${name}" == *a* ]]' if self._bash else "true"
        return self._random.choice(
            [
                "maybe 1", "maybe 2", "! maybe 3", "maybe 1 && maybe 2", f'[ -n "${name}" ]',
                f'[ -z "${name}" ]', f'[ "${name}" = full ]', f'[ "$1" != "{name}" ]',
                "[ $# -gt 1 ]", "false", "true", bash,
            ]
        )  # fmt: skip

    def backup(self) -> str:
        starts = ["duplicity"] * 4 + ["nice duplicity", "X=1 duplicity", "env Y=2 duplicity"]
        quoted = [f'"${name}"' for name in self._random.sample(NAMES, 2)]
        loose = [f"${name}" for name in self._random.sample(NAMES, 2)]
        arguments = self._random.choice([quoted, loose, quoted, [self.word(), self.word()]])
        if self._bash and self._random.random() < 0.1:
            arguments = ['"${L[@]}"']
        return f"{self._random.choice(starts)} {' '.join(arguments)} file:///end"

    def statement(self) -> str:
        self._left -= 1
        simple = [
            self.assignment, self.assignment, self.assignment, self.export, self.backup,
            self.backup, self.arguments, self.unset, self.evaluated, self.source, self.cd,
        ]  # fmt: skip
        if self._functions:
            simple += [self.call] * 2
        if self._left < 0 or len(self._in) > 3:
            return self._one_of(*simple)
        nested = [
            self.if_,
            self.case,
            self.for_,
            self.function,
            self.group,
            self.short,
            self.while_,
        ]
        return self._one_of(*simple, *nested)

    def body(self) -> str:
        lines = [self.statement() for _ in range(self._random.randint(1, 3))]
        if self._random.random() < 0.15:
            lines.append(self._leaving())
        return "\n".join(lines)

    def _leaving(self) -> str:
        ways = ["exit 1"] * ("for" not in self._in)
        ways += ["return"] * ("function" in self._in)
        ways += ["break", "continue"] * ("for" in self._in)
        way = self._random.choice(ways or ["true"])
        return self._random.choice([way, f"{self.condition()} && {way}", f"maybe 3 || {way}"])

    def assignment(self) -> str:
        name, value = self.name(), self.value()
        bash = [f"L=({self.words()})", f"L+=({self.words()})", f"{name}+={value}"] * self._bash
        return self._random.choice([f"{name}={value}"] * 6 + bash)

    def export(self) -> str:
        name = self._random.choice(EXPORTED)
        return self._random.choice(
            [f'export {name}="{self.expansion()}"', f"export {name}", "set -a", "set +a"]
        )

    def unset(self) -> str:
        return f"unset {self.name()}"

    def arguments(self) -> str:
        return self._random.choice([f"set -- {self.words()}", "shift", f"set -- {self.word()} y z"])

    def evaluated(self) -> str:
        return self._random.choice(
            [
                f'C="duplicity {self.name()} ${self.name()}"; eval "$C \'e v\'"',
                f"eval \"{self.name()}='{self._random.choice(('a', 'b c'))}'\"",
                f'{self.name()}=$(maybe 1; echo $?); eval "duplicity ${self.name()} x"',
            ]
        )

    def source(self) -> str:
        return self._random.choice(
            [". ./conf.sh", "[ -f ./conf.sh ] && . ./conf.sh", ". \"$(dirname \"$0\")/conf.sh\"",
             "if [ -r ./none.sh ]; then . ./none.sh; fi", "[ -d /none ] && A=none",
             "which duplicity>/dev/null || exit 1", "if [ -f conf.sh ]; then B=f; fi"]
        )  # fmt: skip

    def cd(self) -> str:
        return self._random.choice(["cd /tmp; cd - >/dev/null", '(cd / && duplicity "$(pwd)" c)'])

    def if_(self) -> str:
        with self._nested("if"):
            otherwise = f"\nelse\n{self.body()}" if self._random.random() < 0.5 else ""
            more = f"\nelif {self.condition()}; then\n{self.body()}"
            more = more if self._random.random() < 0.3 else ""
            return f"if {self.condition()}; then\n{self.body()}{more}{otherwise}\nfi"

    def case(self) -> str:
        with self._nested("case"):
            subject = self._random.choice([f'"${self.name()}"', '"$1"', f'"{self.expansion()}"'])
            default = f"\n*) {self.body()} ;;" if self._random.random() < 0.5 else ""
            return (
                f"case {subject} in\na|full) {self.body()} ;;\n*.gz|b*) {self.body()} ;;{default}\n"
                "esac"
            )

    def for_(self) -> str:
        with self._nested("for"):
            words = self._random.choice([self.words(), "a b", '"$@"', '$A "$B"', "1 2 3"])
            return f"for {self.name()} in {words}; do\n{self.body()}\ndone"

    def while_(self) -> str:
        """A loop that ends: over the arguments, options or lines."""
        with self._nested("while"):
            self._left -= 1
            count = f"I{self._left}"
            more = f"{count}=$(({count} + 1))\n{self.assignment()}"
            options = 'while getopts "ab:" O -a -b v; do\nduplicity "$O" "$OPTARG"\ndone'
            return self._random.choice(
                [
                    f'while [ $# -gt 0 ]; do\n{self.assignment()}\nduplicity w "$1"\nshift\ndone',
                    "printf 'l 1\\nm 2\\n' | while read -r A B; do\nduplicity $A $B\ndone",
                    options,
                    f"{count}=0; while maybe 1 && [ ${count} -lt 2 ]; do\n{more}\ndone",
                ]
            )

    def group(self) -> str:
        with self._nested("group"):
            body = self.body()
            return self._random.choice([f"{{ {body}\n}}", f"( {body}\n)", f"{{ {body}\n}} | cat"])

    def short(self) -> str:
        with self._nested("short"):
            one = self._random.choice([self.assignment(), self.backup(), "true", "false"])
            return f"{self.condition()} {self._random.choice(['&&', '||'])} {one}"

    def function(self) -> str:
        self._count += 1
        name = f"f{self._count}"  # Its own: nothing calls itself.
        with self._nested("function"):
            outer, self._functions = self._functions, []
            local = f'local {self.name()}="{self.expansion()}"\n' * (self._random.random() < 0.4)
            result = self._random.choice([f'echo "{self.expansion()}" >/dev/null', '"$@"', ":"])
            body = f"{name}() {{\n{local}{self.body()}\n{result}\n}}"
            self._functions = [*outer, name]
        return body

    def call(self) -> str:
        name = self._random.choice(self._functions)
        return self._random.choice(
            [f"{name} {self.words()}", f"{name} duplicity {self.word()}", f"V={name}; $V a",
             f'{self.name()}="$({name} a)"', f"if {name}; then {self.assignment()}; fi"]
        )  # fmt: skip

    def _nested(self, kind: str) -> _Nested:
        return _Nested(self._in, kind)


class _Nested:
    def __init__(self, into: list[str], kind: str) -> None:
        self._into, self._kind = into, kind

    def __enter__(self) -> None:
        self._into.append(self._kind)

    def __exit__(self, *_: object) -> None:
        self._into.pop()


class Run:
    """A directory in which scripts are run and read."""

    def __init__(self, path: Path, shell: str) -> None:
        self.path = path
        self.shell = shell
        (path / "bin").mkdir()
        for name, text in (("duplicity", DUPLICITY), ("maybe", MAYBE)):
            (path / "bin" / name).write_text(text)
            (path / "bin" / name).chmod(0o755)
        (path / "conf.sh").write_text('A=\'conf a\'\nB="$(basename "$0")"\n[ -z "$C" ] && C=c\n')
        self.variables = {
            "PATH": f"{path}/bin:/usr/bin:/bin", "HOME": str(path), "PASSPHRASE": "s e c",
        }  # fmt: skip

    def run(self, script: str, bits: str) -> set[Ran]:
        """Run a script; return each duplicity's arguments and variables."""
        file, runs = self.path / "b.sh", self.path / "runs"
        file.write_text(script)
        runs.write_text("")
        subprocess.run(
            [f"/bin/{self.shell}", str(file), "one", "t w o"],
            cwd=self.path,
            env={**self.variables, "BITS": bits, "RUNS": str(runs), "PWD": str(self.path)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=5,
            check=False,
        )
        found = set()
        for one in runs.read_text().split("\2")[:-1]:
            words, _, variables = one.partition("\1")
            found.add((tuple(words.split("\0")[:-1]), tuple(variables.split("\0"))))
        return found

    def read(self, script: str) -> list[Command]:
        """Return what is read of a script's duplicity."""
        file = self.path / "b.sh"
        file.write_text(script)
        host = ThisHost(Search(""), current())
        variables = {**self.variables, "PWD": str(self.path)}
        commands = read_commands(
            script, Given(variables, [str(file), "one", "t w o"]), host, self.shell
        )
        return [c for c in commands if c.program in ("duplicity", f"{self.path}/bin/duplicity")]


def form_of(command: Command) -> re.Pattern[str]:
    """What arguments may be, by what is known of them."""
    text = "".join(f"{word}\0" for word in command.words[1:])
    form = re.escape(text)
    for piece in sorted(set(command.unresolved), key=len, reverse=True):
        form = form.replace(re.escape(piece), ".*")
    # What can't be known may be no word, or several.
    return re.compile(form.replace(".*\\\x00", "(?:.*\0)?").replace(".*\0", "(?:.*\0)?"), re.S)


def differences(run: Run, script: str) -> tuple[list[str], int, int]:
    """Return what is wrong in what is read of a script, and of how many facts how many aren't."""
    read = run.read(script)
    real = [
        run.run(script, "".join(str(bit + 1) for bit in range(BITS) if bits >> bit & 1) + "-")
        for bits in range(1 << BITS)
    ]
    every = set().union(*real)
    wrong = []
    known = [command for command in read if not command.unresolved]
    left = re.search("exit|return|break|continue", script) is not None
    for arguments, _ in every:
        text = "".join(f"{word}\0" for word in arguments)
        if not any(form_of(command).fullmatch(text) for command in read):
            wrong.append(f"run, but not read: {arguments}")
    for command in known:
        fitting = [v for arguments, v in every if arguments == command.words[1:]]
        if not fitting and (left or not command.certain) and _is_read(command, read, every):
            continue  # It stands where the script never comes, for a reason that isn't known.
        if not fitting:
            wrong.append(f"read, but not run: {command.words} of line {command.line}")
            continue
        for position, name in enumerate((*EXPORTED, "PASSPHRASE")):
            value = command.environment.get(name)
            if value is not None and value not in {v[position] for v in fitting}:
                wrong.append(f"read with {name}={value!r}, run with {fitting}: {command.words}")
        always = all(any(a == command.words[1:] for a, _ in one) for one in real)
        if command.certain and not always and not left:
            wrong.append(f"not always run: {command.words} of line {command.line}")
    # A fact is what is the same in each run.
    lines = {arguments[:1]: [a for a in {a for a, _ in every} if a[:1] == arguments[:1]]
             for arguments, _ in every}  # fmt: skip
    constant = [one[0] for one in lines.values() if len(one) == 1]
    facts = {command.words[1:] for command in known}
    return wrong, sum(1 for arguments in constant if arguments not in facts), len(constant)


def _is_read(command: Command, read: Sequence[Command], every: set[Ran]) -> bool:
    """Whether what is really run of the line of a command is read, without that."""
    same = [arguments for arguments, _ in every if arguments[:1] == command.words[1:2]]
    others = [
        form_of(one) for one in read if one.words[1:2] == command.words[1:2] and one != command
    ]
    texts = ["".join(f"{word}\0" for word in arguments) for arguments in same]
    return all(any(form.fullmatch(text) for form in others) for text in texts)


def scripts(shell: str, count: int, first: int = 0) -> Iterator[tuple[int, str]]:
    for seed in range(first, first + count):
        yield seed, Maker(seed, shell).script()


@pytest.mark.parametrize("shell", ["bash", "dash"])
def test_what_is_read_is_what_shells_run(shell: str, tmp_path: Path) -> None:
    if not os.path.exists(f"/bin/{shell}"):
        pytest.skip(f"there is no {shell}")
    run = Run(tmp_path, shell)
    unknown = total = 0
    for seed, script in scripts(shell, SEEDS):
        wrong, *counts = differences(run, script)
        assert wrong == [], f"seed {seed}:\n{script}"
        unknown, total = unknown + counts[0], total + counts[1]
    # A reader that knows nothing is never wrong.
    assert unknown < total * 0.25


def main(arguments: Sequence[str]) -> None:
    """Try ``SHELL COUNT [FIRST]`` scripts; print what is wrong, and figures."""
    shell, count, first = arguments[0], int(arguments[1]), int((*arguments, "0")[2])
    with tempfile.TemporaryDirectory() as path:
        run = Run(Path(path), shell)
        bad = unknown = total = 0
        for seed, script in scripts(shell, count, first):
            try:
                wrong, *counts = differences(run, script)
            except subprocess.TimeoutExpired:
                print(f"seed {seed} has no end")
                continue
            unknown, total = unknown + counts[0], total + counts[1]
            if wrong:
                bad += 1
                print(f"seed {seed}", *wrong[:3], sep="\n  ")
    print(f"{count} scripts, {total} facts, wrong in {bad} scripts,"
          f" not known {unknown} ({unknown * 100 / max(1, total):.1f} %)")  # fmt: skip


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
