"""The start of our plugins, against that of their interpreter."""

from __future__ import annotations

import sys

from measuring import BIN, Table, medians, ours

PLUGINS = (
    "check_duplicity_freshness", "check_duplicity_process", "check_duplicity_log",
    "check_duplicity_jobs", "check_duplicity_restore", "duplicity_drill", "duplicity_triage",
)  # fmt: skip


def main(*, quick: bool) -> None:
    """Print a row for each plugin."""
    table = Table("start (--version)", ["python3 -I"])
    plugins = [[BIN / plugin, "--version"] for plugin in PLUGINS]
    *taken, bare = medians([*plugins, [sys.executable, "-I", "-c", "pass"]], 5 if quick else 25)
    for plugin, one in zip(PLUGINS, taken):
        table.row(plugin, ours(one), [bare])
