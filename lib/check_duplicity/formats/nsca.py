r"""The answer as a line for ``send_nsca``: host, service, state and output, between tabs.

nsca before 2.9 takes 512 bytes of output, and 2.10 4,096 (``MAX_PLUGINOUTPUT_LENGTH``); Nagios
makes a newline of ``\n`` (``unescape_plugin_output``). So the whole output is sent in one line,
as much as every nsca of today takes, and an old one cuts the advice.
"""

from __future__ import annotations

from check_duplicity.formats.model import Form
from check_duplicity.lines import one_line
from check_duplicity.nagios.answer import Answer
from check_duplicity.nagios.output import output

_LONGEST = 4_000  # bytes of output


def text(answer: Answer, form: Form) -> str:
    """Return the line."""
    said = output(answer, quiet=form.quiet).text.rstrip("\n")
    escaped = said.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", " ")
    names = map(one_line, (form.host, form.service))
    return "\t".join((*names, str(int(answer.state)), _cut(escaped))) + "\n"


def _cut(escaped: str) -> str:
    """As much as is taken; no character and no escape is cut in two."""
    data = escaped.encode(errors="replace")
    if len(data) <= _LONGEST:
        return escaped
    cut = data[:_LONGEST].decode(errors="ignore")
    backslashes = len(cut) - len(cut.rstrip("\\"))
    return cut[: len(cut) - backslashes % 2]
