"""Read the lines that duply, backupninja, systemd and run-parts print around duplicity's output.

The texts are those of duply 2.4.1, backupninja 1.2.2 (its handler for ``.dup`` files), systemd
219 to 257 and Debian's run-parts.
"""

from __future__ import annotations

import re

from check_duplicity.nagios.findings import Kind
from check_duplicity.values import NamedTuple

BACKUPS = ("BKP", "BACKUP", "INCR", "FULL")  # duply's commands
SCRIPTS = ("PRE", "POST", "")  # duply's commands that don't run duplicity
BEGUN, PROFILE, COMMAND, SKIPPED, FAILED = "begun", "profile", "command", "skipped", "failed"
_CODE = r"[1-9]\d{0,9}"
_UNIT = r"[\w@.:\\-]{1,200}\.service: "
_PATTERNS = (
    (BEGUN, r"Start duply |Starting \S[^\n]{0,200}\.\.\.$|>>>> starting action "),
    (PROFILE, r"Using profile '(?:[^']{0,200}/)?(?P<profile>[^/']{1,100})'"),
    (COMMAND, r"--- Start running command (?P<command>\w{1,20}) at "),
    (SKIPPED, r"--- Skipping command (?P<command>\w{1,20}) ! ---"),
    (FAILED, rf"--- Finished state FAILED 'code -?{_CODE}'"),
    (FAILED, r"Task '\w{1,20}' failed with exit code '"),
    (FAILED, r"Sorry\. A fatal ERROR occurr?ed:"),
    (FAILED, r"Duplicity (?:[\w-]{1,40} )?failed\.$|\*(?:failed|error|halt)\* -- \S{0,200}\.dup$"),
    (FAILED, r"<<<< finished action \S{1,200}\.dup: (?:FAILED|ERROR)"),
    (FAILED, r"(?P<locked>Could not acquire lock) .*A backup is probably already running"),
    (
        FAILED,
        rf"{_UNIT}Failed with result '(?P<killed>oom-kill|signal|core-dump|timeout|watchdog)?",
    ),
    (
        FAILED,
        rf"{_UNIT}Main process exited, code=(?:(?P<dead>killed|dumped)|exited, status={_CODE}/)",
    ),
    (FAILED, rf"{_UNIT}(?P<out>A process of this unit has been killed by the OOM killer)"),
    (
        FAILED,
        rf"{_UNIT}(?:Control process|Start operation|Unit entered failed|Killing process)[^=]",
    ),
    (FAILED, r"Unit \S{1,200}\.service entered failed state|Failed to start \S"),
    (FAILED, rf"run-parts: \S{{1,200}} exited with return code {_CODE}"),
)
_FORMS = [(what, re.compile(pattern)) for what, pattern in _PATTERNS]
ANY = "|".join(re.sub(r"\(\?P<\w+>", "(?:", pattern) for _, pattern in _PATTERNS)
_KINDS = {"locked": Kind.LOCKED, "killed": Kind.KILLED, "dead": Kind.KILLED, "out": Kind.KILLED}


class Said(NamedTuple):
    """The meaning of a frame's line: its command or profile, and why it failed, if known."""

    what: str
    command: str = ""
    kind: Kind | None = None


def read_frame(line: str) -> Said | None:
    """Return the meaning of a frame's line; ``None`` for any other line."""
    for what, form in _FORMS:
        found = form.match(line)
        if found:
            groups = found.groupdict()
            kind = next((kind for name, kind in _KINDS.items() if groups.get(name)), None)
            whose = groups.get("profile") or (groups.get("command") or "").upper()
            return Said(what, whose, kind)
    return None


class Frame:
    """What is known of the frame around the next lines.

    ``begun`` is whether its beginning was read, ``command`` is duply's current command, and
    ``backed_up`` whether a backup in the frame was good: if another command fails then, the backup
    has not failed. ``label`` is the profile's name.
    """

    def __init__(
        self, begun: bool = False, command: str = "", backed_up: bool = False, label: str = ""
    ) -> None:
        self.begun = begun
        self.label = label
        self.command = command
        self.backed_up = backed_up

    def keep(self) -> list[object]:
        """Return the frame as plain values, in the order of the arguments above."""
        return [self.begun, self.command, self.backed_up, self.label]

    def go_on(self, said: Said) -> None:
        """Note that a profile or command begins."""
        self.begun = True
        self.command = said.command
        if said.what == BEGUN:
            self.label = ""
        if said.what == BEGUN or said.command in BACKUPS:
            self.backed_up = False

    @property
    def aside(self) -> str:
        """Return the current command if it runs duplicity for something other than a backup."""
        return "" if self.command in (*BACKUPS, *SCRIPTS) else self.command.lower()

    @property
    def is_of_script(self) -> bool:
        """Whether a failure now is a script's: before the backup, or after a good one."""
        return self.command == "PRE" or (self.backed_up and self.command in SCRIPTS)
