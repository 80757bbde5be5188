"""Write the answer as a record for ``send_nsca``: host, service, state, output, with tabs between.

send_nsca 2.9 and later read this form: the output has its newlines, and an ETB ends the record, so
that several can be sent at once. nsca writes it into Nagios' command file, where it escapes
newlines and backslashes with a backslash; Nagios reverts that. A text longer than ``PIPE_BUF``,
which a pipe takes in one piece, could be mixed with another result, so it is cut after a line.
(Tried with Debian's send_nsca and nsca 2.10.2 and Nagios 4.4.6. With ``--legacy-2-7-mode`` the
first line arrives, with its performance data.)
"""

from __future__ import annotations

import select

from check_duplicity.formats.model import Form
from check_duplicity.lines import one_line
from check_duplicity.nagios.answer import Answer
from check_duplicity.nagios.output import harmless, output

_END = "\x17"  # ETB
_CUT = "... (too long for NSCA, the rest is cut)"
_COMMAND = "[1234567890] PROCESS_SERVICE_CHECK_RESULT;{};{};0;\n"


def text(answer: Answer, form: Form) -> str:
    """Return the record."""
    said = output(answer, quiet=form.quiet).text.rstrip("\n")
    host, service = (harmless(one_line(name)) for name in (form.host, form.service))
    room = select.PIPE_BUF - _size(_COMMAND.format(host, service))
    return f"{host}\t{service}\t{int(answer.state)}\t{_cut(said, room)}\n{_END}"


def _cut(said: str, room: int) -> str:
    """Return as many lines as there is room for; the first always fits (`output` limits it)."""
    if _size(said) <= room:
        return said
    kept = []
    room -= _size(_CUT)
    for line in said.split("\n"):
        room -= _size(f"{line}\n")
        if room < 0:
            break
        kept.append(line)
    return "\n".join([*kept, _CUT])


def _size(text: str) -> int:
    """Return the number of bytes that a text takes in the command file."""
    return len(text.encode(errors="replace")) + text.count("\n") + text.count("\\")
