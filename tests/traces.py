"""Scripts that call ``d``, and what the library tells of each call, in one line."""

from __future__ import annotations

from check_duplicity.shell.model import STDERR, STDOUT, Command, Host, Output
from check_duplicity.shell.reading import Given, read_commands

TEXTS = {
    "/s/conf": "A=conf\nd $BASH_SOURCE $1\n", "/s/none": "", "/s/left": "return 1; d no",
    "/s/again": "d again; . /s/again", "/s/twice": ". conf x; d $BASH_SOURCE $1",
}  # fmt: skip


class Known(Host):
    """A host with few files."""

    def text(self, path: str) -> str | None:
        return TEXTS.get(path)

    def has(self, test: str, path: str) -> bool | None:
        return {"/yes": True, "/no": False, "/s/yes": test in "ef"}.get(path)

    def real_path(self, path: str) -> str | None:
        return {"/bin/sh": "/usr/bin/dash", "/link": "/real", "/s/link": "/real/s"}.get(path)

    def paths(self, pattern: str) -> list[str] | None:
        return {"/s/*.c": ["/s/a.c", "/s/b.c"], "/*": ["/x", "/y"], "/none*": []}.get(pattern)

    def program(self, name: str, path: str | None) -> str | None:
        return {"nice": f"{path}/nice", "none": ""}.get(name)

    def hostname(self) -> str | None:
        return "web1"


def traced(script: str) -> str:
    """Return what a script runs of ``d``, with all that is known of each call."""
    given = Given({"HOME": "/root", "PWD": "/s", "PATH": "/bin"})
    found = read_commands(script, given, Known())
    return "; ".join(told(command) for command in found if command.words[0] == "d")


def told(command: Command) -> str:
    """Return a call: what its environment has besides the usual, its arguments, and the rest."""
    usual = {"HOME": "/root", "PATH": "/bin", "PWD": command.place}
    variables = dict(command.environment)
    others = sorted(name for name in variables if usual.get(name) != variables[name])
    place, user, file = command.place or "?", command.user, command.file
    parts = [
        f"{command.line}:" * (command.line > 1),
        *(f"{name}={variables[name]!r}" for name in others if name != "OLDPWD"),
        *(f"-{name}" for name in usual if name not in variables and name not in command.hidden),
        "|".join(word or "''" for word in command.words[1:]),
        "(maybe)" * (not command.certain),
        f"({' '.join(command.unresolved)}?)" * bool(command.unresolved),
        "(loose)" * command.loose,
        f"(in {place})" * (place != "/s"),
        f"(> {_target(command.output)})" * (command.output != STDOUT),
        f"(2> {_target(command.errors)})" * (command.errors != STDERR),
        f"(of {file})" * bool(file),
        f"(hidden {' '.join(sorted(command.hidden))})" * bool(command.hidden),
        f"(as {user})" * bool(user),
    ]
    return " ".join(part for part in parts if part)


def _target(output: Output) -> str:
    return output.file or output.tag or "?"
