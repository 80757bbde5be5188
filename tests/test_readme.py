"""The README's statements are true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from check_duplicity.destination import judge as judge_destination
from check_duplicity.duplicity.jsonstat import Statistics as OfSet
from check_duplicity.duplicity.manifest import Manifest
from check_duplicity.duplicity.names import Archive, read_names
from check_duplicity.duplicity.run import GOOD, Past, Run, Statistics
from check_duplicity.inventory import judge as judge_inventory
from check_duplicity.inventory.model import Seen as SeenJobs
from check_duplicity.nagios.findings import Kind
from check_duplicity.processes import judge as judge_processes
from check_duplicity.processes.model import Sight
from check_duplicity.runs import judge as judge_runs
from check_duplicity.runs.judge import Verdict
from check_duplicity.runs.model import Logged
from plugin import run_plugin
from samples import ago, full, stamp

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.rst").read_text()
DOCS = {path.stem: path.read_text() for path in (ROOT / "docs").glob("*.rst")}
COUNTED = Run(
    GOOD, (), Statistics(1e9, 1e9 + 2, 3, 4, 0, 5, 6, 7, 8, 9), past=(Past(1e9, 100, 10**9),)
)
RUN = Logged("job", "job", "", "", "", 2.0, whole=True, sure=True, run=COUNTED)
BOTH = full(ago(days=2)) + full(ago(days=1))
HEADS = [f"duplicity-full.{stamp(ago(days=days))}" for days in (2, 1)]
ARCHIVE = Archive(
    manifests={f"{head}.manifest": Manifest(1, 100) for head in HEADS},
    statistics={f"{head}.jsonstat.gz": OfSet(100, 10**9, 0) for head in HEADS},
)
PLUGINS = sorted(path.name for path in (Path(__file__).parent.parent / "plugins").iterdir())
CHECKS = [name for name in PLUGINS if name.startswith("check_")]


def section(plugin: str, heading: str) -> str:
    """Return the text below a heading of a plugin's page."""
    return re.split(r"\n[^\n]+\n-{4,}\n", DOCS[plugin].split(f"\n{heading}\n---")[1])[0]


@pytest.mark.parametrize("plugin", PLUGINS)
def test_options_are_those_of_the_help(plugin: str) -> None:
    option = re.compile(r"(?<![\w-])--?[a-zA-Z][\w-]*")
    shown = run_plugin(plugin, ["--help"]).out.split("\n\n", 1)[1]
    lines = [line for line in shown.split("\n") if line.startswith("  -")]
    of_help = {o for line in lines for o in option.findall(re.split(r"(?<=\S)  ", line)[0])}
    terms = [line for line in section(plugin, "Options").split("\n") if line.startswith("``-")]
    of_readme = {o for line in terms for o in option.findall(line)}
    assert of_readme == of_help


def test_the_readme_is_a_front_door() -> None:
    assert README.count("\n") <= 200


@pytest.mark.parametrize(
    "page", ["README.rst", "SECURITY.rst", *(f"docs/{name}.rst" for name in DOCS)]
)
def test_every_link_leads_to_a_file(page: str) -> None:
    text = (ROOT / page).read_text()
    links = re.findall(r"`[^`<]+\s<([^>]+)>`_", text) + re.findall(r"image:: (\S+)", text)
    for link in links:
        assert "://" in link or (ROOT / page).parent.joinpath(link).exists(), link


def test_every_page_is_in_the_contents() -> None:
    assert set(DOCS) - {"index"} == set(re.findall(r"^   ([\w-]+)$", DOCS["index"], re.M))


@pytest.mark.parametrize("plugin", CHECKS)
@pytest.mark.parametrize(
    "heading",
    ["What it sees", "States", "Options", "Performance data", "Examples", "Triage"],
)
def test_every_plugin_has_the_fixed_headings(plugin: str, heading: str) -> None:
    assert section(plugin, heading).strip("-\n")


def test_triage_has_one_entry_for_each_finding() -> None:
    texts = [section(plugin, "Triage") for plugin in CHECKS]
    texts.append(DOCS["unseen"])
    entries = re.findall(r"^(\w[^\n]*)\n    ", "\n".join(texts), re.M)
    assert sorted(entries) == sorted(kind.value for kind in Kind)


def test_performance_data_are_those_of_the_checks() -> None:
    said = {
        "check_duplicity_freshness": judge_destination.measure(
            read_names(BOTH, archive=ARCHIVE), ago()
        ),
        "check_duplicity_log": judge_runs.measure([Verdict(RUN, ())], [RUN], 0, ago()),
        "check_duplicity_jobs": judge_inventory.measure(SeenJobs(()), {}),
        "check_duplicity_process": judge_processes.measure(Sight((), sure=True), {}, ago()),
    }
    for plugin, measures in said.items():
        labels = re.findall(r"^``(\w+)``", section(plugin, "Performance data"), re.M)
        assert labels == [found.name for found in measures]
