"""--help fits on one screen, and its examples can be pasted."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from plugin import BIN, run_plugin

ROOT = Path(__file__).parent.parent
PLUGINS = sorted(path.name for path in (ROOT / "plugins").iterdir())
SCREEN = {"COLUMNS": "80"}


def shown(plugin: str) -> str:
    return run_plugin(plugin, ["--help"], environment=SCREEN).out


def examples(plugin: str) -> list[str]:
    """Return the lines below the last heading."""
    return [line.strip() for line in shown(plugin).split("\n\nExamples:\n")[1].splitlines()]


@pytest.mark.parametrize("plugin", PLUGINS)
def test_help_fits_on_a_screen(plugin: str) -> None:
    lines = shown(plugin).splitlines()
    assert len(lines) < 60
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("plugin", PLUGINS)
def test_the_usage_is_one_line(plugin: str) -> None:
    usage, empty, *_ = shown(plugin).splitlines()
    assert usage.startswith(f"usage: {plugin} [options]")
    assert empty == ""
    about = re.search(r'^"""(.*)', (ROOT / "plugins" / plugin).read_text(), re.M)
    assert about is not None
    assert about[1] in shown(plugin)


@pytest.mark.parametrize("plugin", PLUGINS)
def test_an_option_is_one_line(plugin: str) -> None:
    """bash's completion and Icinga's commands are made by that, too."""
    listed = re.split(r"(?m)^[a-z].*:$", shown(plugin))[1:]
    lines = [line for group in listed for line in group.split("\n\nExit")[0].splitlines()]
    options = [line for line in lines if re.match(r"  (-|[A-Z]+   )", line)]
    assert all(re.fullmatch(r"  \S.*\S {2,}\S.*", line) for line in options)
    assert [line for line in lines if line.startswith("     ")] == []


@pytest.mark.parametrize("plugin", PLUGINS)
def test_the_options_of_all_programs_come_last(plugin: str) -> None:
    headings = re.findall(r"(?m)^([a-z].*):$", shown(plugin))
    assert headings[-2:] == ["output", "other options"]


@pytest.mark.parametrize("plugin", PLUGINS)
def test_three_examples_stand_at_the_end(plugin: str) -> None:
    assert len(set(examples(plugin))) == 3
    assert all(plugin in line for line in examples(plugin))


@pytest.mark.parametrize("plugin", PLUGINS)
def test_the_options_of_the_examples_are_taken(plugin: str) -> None:
    """Of what follows the program's name only the option that is none is refused."""
    for line in examples(plugin):
        words = shlex.split(line.rpartition("| ")[2])
        assert words[0] == plugin
        done = subprocess.run(  # triage says it on standard error if files are to be printed.
            [BIN / plugin, *words[1:], "--none"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 3
        assert " wrong usage: unrecognized arguments: --none (see --help" in done.stdout


@pytest.mark.parametrize("plugin", PLUGINS)
def test_the_man_page_has_the_usage_of_the_help(plugin: str) -> None:
    usage = shown(plugin).splitlines()[0].partition("[options] ")[2]
    page = (ROOT / "docs" / "man" / f"{plugin}.8").read_text()
    synopsis = re.sub(r"\\f.|\\[,/]", "", page.split(".SH SYNOPSIS\n")[1].split(".SH ")[0])
    assert synopsis.split()[2:] == ["[options]", *usage.split()]
