"""No block of a page grows stale: each has a mark, and each mark a test that reads the page."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from check_duplicity.formats.openmetrics import NAMES
from check_duplicity.jobs import job_file
from check_duplicity.jobs.crontabs import read_crontab
from check_duplicity.triage.judge import _VERDICTS
from pages import KINDS, PAGES, Block, blocks, marked
from plugin import BIN, ROOT, run_plugin
from prometheus_server import needs_promtool, promtool

HERE = "tests/test_page_blocks.py"
ALL = [block for page in PAGES for block in blocks(page)]
PROGRAMS = sorted(path.name for path in (ROOT / "plugins").iterdir())
MAKEFILE = (ROOT / "Makefile").read_text()


def reads(file: Path, page: str, seen: set[Path]) -> bool:
    """Return whether a test module, or a module of the tests that it imports, names a page."""
    seen.add(file)
    text = file.read_text()
    if re.search(rf"[\"'/]{re.escape(Path(page).name)}[\"']", text):
        return True
    names = re.findall(r"^(?:from|import) ([\w.]+)(?: import (\w+))?", text, re.M)
    paths = {
        ROOT / "tests" / f"{'/'.join(part for part in name if part).replace('.', '/')}.py"
        for module in names
        for name in (module, module[:1])
    }
    return any(reads(path, page, seen) for path in paths - seen if path.exists())


def asks_by_mark(file: Path) -> bool:
    """Return whether a test module uses the blocks that are marked with its tests."""
    return bool(re.search(r"\b(?:marked|shown)\(", file.read_text()))


@pytest.mark.parametrize("block", ALL, ids=[block.place for block in ALL])
def test_every_block_is_run_or_made_or_depends_on_the_site(block: Block) -> None:
    assert block.kind in KINDS, f"{block.place} has no mark: see tests/pages.py"
    if block.kind == "site":
        return
    name, test = block.test
    file = ROOT / name
    assert file.exists(), block.mark
    if file.suffix == ".py":
        assert re.search(rf"^(?:    )?def {test}\(", file.read_text(), re.M), block.mark
        assert asks_by_mark(file) or reads(file, block.page, set()), block.mark
    else:
        assert f"'{test}'" in file.read_text(), block.mark
        assert Path(block.page).name in file.read_text(), block.mark


@pytest.mark.parametrize("page", PAGES)
def test_a_block_is_marked_by_a_colon_alone(page: str) -> None:
    """A block of another kind would be found by nobody."""
    text = (ROOT / page).read_text()
    assert not re.search(r"^\.\. (?:code|code-block|sourcecode|parsed-literal)::", text, re.M)
    assert not re.search(r"^ *(?:```|>>> )", text, re.M)


@pytest.mark.parametrize("block", [b for b in ALL if b.kind == "made"], ids=lambda b: b.place)
def test_what_is_printed_is_whole(block: Block) -> None:
    assert not re.search(r"^\s*\.\.\.$| \| \.\.\.$", block.text, re.M)


def test_each_page_of_a_check_shows_what_is_good_what_is_not_and_more() -> None:
    for check in PROGRAMS:
        made = [block.text for block in blocks(f"docs/{check}.rst") if block.kind == "made"]
        text = "".join(made)
        assert re.search(rf"^[$#] (?:.*\| )?{check}\b", text, re.M), check
        if check.startswith("check_"):
            assert " OK - " in text, check
            assert re.search(r" (?:WARNING|CRITICAL) - .*\n(?:  .*\n)*[A-Z].*\n", text), check
        if check != "check_duplicity_process":  # It says everything without.
            assert re.search(r"^[$#] .* -v\b", text, re.M), check


def of(test: str) -> list[Block]:
    """Return the blocks that are marked with a test of this module."""
    found = marked(HERE, test)
    assert found, f"no block is marked with {HERE}: {test}"
    return found


def known_options(program: str) -> set[str]:
    return set(re.findall(r"(?<![\w-])--?[a-zA-Z][\w-]*", run_plugin(program, ["--help"]).out))


def test_a_programs_page_begins_with_its_options() -> None:
    for block in of("test_a_programs_page_begins_with_its_options"):
        program = Path(block.page).stem
        for line in block.text.splitlines():
            assert line.split()[0] == program
            assert set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", line)) <= known_options(program)


def demand_understood(command: str) -> None:
    """Fail if a command has an option that our program doesn't know."""
    words = shlex.split(command)
    program = next(word for word in map(Path, words) if word.name in PROGRAMS)
    options = words[words.index(str(program)) + 1 :]
    given = {word for word in options if word.startswith("-")}
    assert given <= known_options(program.name), command


def is_sudoers(path: Path) -> bool:
    if not shutil.which("visudo", path="/usr/sbin:/usr/bin"):
        return True
    words = ["/usr/sbin/visudo", "-cf", str(path)]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def test_what_nrpe_runs_is_what_sudo_allows(tmp_path: Path) -> None:
    """By the two blocks of each page: NRPE's command, and the line of sudoers for it."""
    found = of("test_what_nrpe_runs_is_what_sudo_allows")
    assert len(found) % 2 == 0
    for nrpe, sudoers in zip(found[::2], found[1::2]):
        ((user, command),) = re.findall(
            r"^command\[\w+\]=sudo -n (?:-u (\w+) )?(/.*)$", nrpe.text, re.M
        )
        allowed = f"nagios ALL=({user or 'root'}) NOPASSWD: {command}"
        assert sudoers.text == allowed.replace("sftp:", r"sftp\:") + "\n", sudoers.place
        demand_understood(command)
        (tmp_path / "sudoers").write_text(sudoers.text)
        assert is_sudoers(tmp_path / "sudoers"), sudoers.place


def test_sudo_takes_a_line(tmp_path: Path) -> None:
    for block in of("test_sudo_takes_a_line"):
        ((plugin, words),) = re.findall(r"NOPASSWD: (/\S+)(.*)$", block.text, re.M)
        demand_understood(plugin + words)
        (tmp_path / "sudoers").write_text(block.text)
        assert is_sudoers(tmp_path / "sudoers"), block.place


def test_a_line_of_cron_is_one() -> None:
    for block in of("test_a_line_of_cron_is_one"):
        for line in block.text.splitlines():
            (entry,) = read_crontab(line, "/etc/cron.d/a-name")
            assert entry.user == "root"
            assert entry.schedule.count(" ") == 4
            demand_understood(entry.command.partition(" >")[0])


def test_make_has_what_the_pages_ask_for() -> None:
    """The demo is run by real/test_demo.py, and ``.ci/run`` runs both commands."""
    of("test_make_has_what_the_pages_ask_for")
    asked = set()
    for page in PAGES:
        asked |= set(re.findall(r"``make ([\w-]+)", (ROOT / page).read_text()))
    for block in ALL:
        asked |= set(re.findall(r"^make ([\w-]+)", block.text, re.M))
    assert {"demo", "test", "deb", "pages"} <= asked
    assert asked <= set(re.findall(r"^([\w-]+):", MAKEFILE, re.M))
    assert {"make demo", "make moto"} <= set((ROOT / ".ci" / "run").read_text().split("\n"))


def test_the_readme_says_what_docs_install_says() -> None:
    """docs/install.rst is followed by the end-to-end tests."""
    followed = [block.text for block in blocks("docs/install.rst")]
    for block in of("test_the_readme_says_what_docs_install_says"):
        assert any(text.startswith(block.text) for text in followed), block.place


def test_a_jobs_file_is_read_as_it_stands() -> None:
    for block in of("test_a_jobs_file_is_read_as_it_stands"):
        known = job_file.read("assets", block.text, "assets.ini")
        values = dict(re.findall(r"^(\w+) = (.*)$", block.text, re.M))
        assert {key: known.get(key) for key in values} == values


def test_files_are_there() -> None:
    """Files of icinga/, as they are called where Icinga reads them."""
    for block in of("test_files_are_there"):
        for path in block.text.split():
            assert (ROOT / "icinga" / Path(path).name).is_file()


@needs_promtool
def test_prometheus_takes_what_the_page_says(tmp_path: Path) -> None:
    configuration, commands, query = of("test_prometheus_takes_what_the_page_says")
    rules = tmp_path / "duplicity-alerts.yml"
    rules.write_text((ROOT / "prometheus" / "alerts.yml").read_text())
    at_home = "/etc/prometheus"
    (tmp_path / "prometheus.yml").write_text(configuration.text.replace(at_home, str(tmp_path)))
    (line,) = re.findall(r"^promtool (.*)$", commands.text, re.M)
    asked = tmp_path / "query.yml"
    asked.write_text(
        "groups:\n  - name: page\n    rules:\n      - record: page\n"
        f"        expr: {query.text.strip()!r}\n"
    )
    for words in (
        ["check", "config", tmp_path / "prometheus.yml"],
        line.replace(at_home, str(tmp_path)).split(),
        ["check", "rules", asked],
    ):
        status, said = promtool(*words)
        assert (status, "SUCCESS" in said) == (0, True), said
    written = {named.name for names in NAMES.values() for named in names.values()}
    assert set(re.findall(r"duplicity_(\w+)", query.text)) <= written


# What sentences quote: where it is from, a test that demands it or another program.
QUOTED = {
    "in progress since 2026-11-24 04:20 UTC, pid 812": "tests/real/test_processes.py",
    "last backup 3d ago, nothing changed since (run 2h ago)": "tests/runs/test_vouching.py",
    "several jobs write to this log; give each its own": "tests/runs/test_several.py",
    "no run of duplicity within 26h": "tests/runs/test_files.py",
    "no result came, and the last one counted until 2026-11-28 23:30:00 +0000": (
        "tests/root/test_passive.py"
    ),
    "1 data packet(s) sent to host successfully": "tests/root/test_passive.py",
    "No orphaned or incomplete backup sets found": "duplicity",
    "Duplicity backup complete.": "duplicity",
    "Unable to read output": "NRPE",
    "sudo: a password is required": "sudo",
    "not known": "duplicity_triage, of a doubt",
    "machine email": "no program",
    "could not see": "no program",
}


def sentences(page: str) -> str:
    """Return a page without its blocks and titles."""
    lines = (ROOT / page).read_text().split("\n")
    for block in blocks(page):
        for number in range(block.text.count("\n")):
            lines[block.line - 1 + number] = ""
    return "\n".join(lines)


def quotes(page: str) -> Iterator[str]:
    """Yield texts in double quotes, and literals of six words or more that aren't commands."""
    text = sentences(page)
    literals = re.findall(r"``(.+?)``", text, re.S)
    yield from re.findall(r'"([^"]+\s[^"]+)"', re.sub(r"``.+?``", "", text, flags=re.S))
    for literal in literals:
        if len(literal.split()) > 5 and not re.search(r"\s-|[/=<|{*]", literal):
            yield literal


def test_what_a_sentence_quotes_is_what_programs_print() -> None:
    # The page for developers quotes words that nothing prints any more.
    pages = [page for page in PAGES if page != "docs/development.rst"]
    quoted = {re.sub(r"\s+", " ", quote) for page in pages for quote in quotes(page)}
    assert quoted <= QUOTED.keys()
    for quote, source in QUOTED.items():
        if source.startswith("tests/"):
            text = (ROOT / source).read_text()
            for part in re.split(r"\b\d[\d: +-]*[a-z]?\b", quote):
                assert len(part) < 10 or part.strip() in text, (quote, source)


def test_triages_page_has_each_verdict() -> None:
    text = (ROOT / "docs" / "duplicity_triage.rst").read_text()
    section = text.split("\nVerdicts\n---")[1].split("\nOptions\n---")[0]
    words = {word for word, _ in _VERDICTS} | {"good", "can't be seen"}
    assert set(re.findall(r"^``(.+)``\n {4}", section, re.M)) == words


def test_a_page_names_no_other_place_of_the_programs() -> None:
    """What is made is shown with the paths of Debian's package, and not with those of a test."""
    for block in ALL:
        assert str(BIN) not in block.text
        assert "/tmp/" not in block.text, block.place
