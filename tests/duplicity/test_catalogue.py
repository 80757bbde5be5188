"""The catalogue proves itself: each alternative of its patterns has a line that nothing else knows.

The examples are in tests/duplicity/examples. The tests leave out every alternative of each pattern
in turn (see tests/alternatives.py): then at least one line must have another meaning. So a new
alternative needs an example, and a test fails when an alternative is removed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from alternatives import changes
from check_duplicity.duplicity import catalogue, frames, restoring
from check_duplicity.duplicity.failure import failure, no_destination
from check_duplicity.duplicity.run import FAILED, Run
from check_duplicity.duplicity.transcript import Reader, is_muddled
from check_duplicity.nagios.findings import Kind, State
from lab import DUPLICITIES

EXAMPLES = Path(__file__).parent / "examples"
_MARKED = re.compile("⟨(.*?) → (.*?)⟩")
Pattern = tuple[str, "re.Pattern[str]"]


class Example(NamedTuple):
    """A line, its expected meaning, the program that prints it, and a similar, different line."""

    says: str
    source: str
    line: str
    near_miss: str


def rows(name: str) -> list[str]:
    text = (EXAMPLES / f"{name}.txt").read_text(encoding="utf-8")
    return [row for row in text.splitlines() if row and not row.startswith("#")]


def examples(name: str, says: str = "") -> list[Example]:
    """Read a file of examples, or only those of one meaning; causes.txt explains the format."""
    found = [_example(row) for row in rows(name)]
    return [one for one in found if says in ("", one.says)]


def _example(row: str) -> Example:
    says, source, marked = row.split(" | ", 2)
    assert len(_MARKED.findall(marked)) == 1, row
    marked = marked.replace(r"\n", "\n")
    return Example(says, source, _MARKED.sub(r"\1", marked), _MARKED.sub(r"\2", marked))


class Table:
    """Patterns with their meanings; the first pattern that is found in a line counts."""

    def __init__(
        self, patterns: Sequence[Pattern], finds: Callable[[re.Pattern[str], str], object]
    ) -> None:
        self.patterns = patterns
        self.finds = finds

    def answer(self, line: str) -> str:
        """Return the meaning of the first pattern that is found in a line, or ``""``."""
        return next((says for says, form in self.patterns if self.finds(form, line)), "")

    def without_each(self) -> Iterator[tuple[str, bool, Table]]:
        """Yield the part that is left out, whether it is a guard, and the table without it."""
        for at, (says, form) in enumerate(self.patterns):
            before, after = self.patterns[:at], self.patterns[at + 1 :]
            yield f"{says} {form.pattern!r}", False, Table([*before, *after], self.finds)
            for change in changes(form):
                patterns = [*before, (says, change.pattern), *after]
                left_out = f"{says} {form.pattern!r}: {change.left_out!r}"
                yield left_out, change.of_guard, Table(patterns, self.finds)


def compiled(patterns: Iterable[tuple[str, str]]) -> list[Pattern]:
    return [(says, re.compile(pattern)) for says, pattern in patterns]


def signs(those: Iterable[catalogue.Sign]) -> list[Pattern]:
    return compiled((sign.kind.name, sign.pattern) for sign in those)


def same(says: str, *patterns: str) -> list[Pattern]:
    return compiled((says, pattern) for pattern in patterns)


search, match = re.Pattern.search, re.Pattern.match
ENDS_RUN = ("failed", "FAILED")
_INHERITED = {*catalogue.FAILURES, *(sign.pattern for sign in catalogue.WARNINGS)}
# What the patterns of the course are, and whether they are looked for at the beginning of a line.
COURSE = {
    "BEGINNINGS": (catalogue.BEGINNINGS, match),
    "LABELS": (catalogue.LABELS, match),
    "BACKUP": ((catalogue.BACKUP,), match),
    "ASIDE": ((catalogue.ASIDE,), match),
    "ENDINGS": (catalogue.ENDINGS, match),
    "CLEANED": ((catalogue.CLEANED,), match),
    "COMPLETE": ((catalogue.COMPLETE,), match),
    "UPLOADED": ((catalogue.UPLOADED,), match),
    "UPLOADING": ((catalogue.UPLOADING,), match),
    "RETRY": ((catalogue.RETRY,), match),
    "HARMLESS": (catalogue.HARMLESS, match),
    "ITS_NAME": ((catalogue.ITS_NAME,), search),
    "ITS_OWN": ((catalogue.ITS_OWN,), search),
}


def in_frame(line: str) -> str:
    """Return the meaning of a frame's line, with the kind of its reason, as in the examples."""
    said = frames.read_frame(line)
    if said is None:
        return ""
    return f"{said.what} {said.kind.name}" if said.kind else said.what


class Frames(Table):
    """The table of frames, whose groups tell the kind."""

    def answer(self, line: str) -> str:
        kept = frames._FORMS
        frames._FORMS = list(self.patterns)
        try:
            return in_frame(line)
        finally:
            frames._FORMS = kept

    def without_each(self) -> Iterator[tuple[str, bool, Table]]:
        for left_out, of_guard, table in super().without_each():
            yield left_out, of_guard, Frames(table.patterns, table.finds)


def failing(one: Example) -> bool:
    return one.says in ENDS_RUN


FAILURES = examples("failures")
TABLES: dict[str, tuple[Table, list[Example]]] = {
    "GONE": (Table(same("NO_DESTINATION", *catalogue.GONE), search), examples("gone")),
    "CAUSES": (
        Table(signs(s for s in catalogue.CAUSES if s.pattern not in catalogue.GONE), search),
        examples("causes"),
    ),
    "FAILURES": (
        Table(same("failed", *catalogue.FAILURES, *catalogue.BY_SHELLS.values()), match),
        [one._replace(says="failed") for one in FAILURES if failing(one)],
    ),
    "WARNINGS": (
        Table(signs(catalogue.WARNINGS), match),
        [one for one in FAILURES if not failing(one)],
    ),
    "UNMISTAKABLE": (
        Table(same("muddled", *(p for p in catalogue.UNMISTAKABLE if p not in _INHERITED)), search),
        examples("muddled"),
    ),
    "frames": (Frames(list(frames._FORMS), match), examples("frames")),
    "restoring": (
        Table([(kind.name, pattern) for kind, _, pattern in restoring._SIGNS], search),
        examples("restoring"),
    ),
    **{
        name: (Table(same(name, *patterns), finds), examples("course", name))
        for name, (patterns, finds) in COURSE.items()
    },
}


def unproved(table: Table, shown: Sequence[Example]) -> Iterator[str]:
    """Yield the parts of a table that can be left out without failing an example."""
    answers = {line: table.answer(line) for one in shown for line in (one.line, one.near_miss)}
    for left_out, of_guard, changed in table.without_each():
        lines = answers if of_guard else [one.line for one in shown]
        if all(changed.answer(line) == answers[line] for line in lines):
            yield left_out


@pytest.mark.parametrize("name", TABLES)
def test_every_alternative_has_an_example_that_nothing_else_knows(name: str) -> None:
    missing = list(unproved(*TABLES[name]))
    assert missing == []


@pytest.mark.parametrize("name", TABLES)
def test_every_example_says_what_it_must_and_its_near_miss_does_not(name: str) -> None:
    table, shown = TABLES[name]
    assert [one for one in shown if table.answer(one.line) != one.says] == []
    assert [one for one in shown if table.answer(one.near_miss) == one.says] == []


def test_every_example_is_in_a_table_and_has_a_source() -> None:
    in_tables = sum(len(shown) for _, shown in TABLES.values())
    names = {path.stem for path in EXAMPLES.glob("*.txt")} - {"codes", "statuses", "sentences"}
    assert in_tables == sum(len(rows(name)) for name in names)
    assert all(one.source.strip() for name in names for one in examples(name))


def read(*lines: str, failed: bool = False) -> list[Run]:
    """Return the runs in these lines; ``failed`` is whether the whole output failed."""
    reader = Reader(str)
    for line in lines:
        reader.read(line)
    if failed:
        reader.fail()
    return reader.runs()


def kinds(runs: Iterable[Run]) -> list[str]:
    return [told.kind.name for run in runs for told in run.told]


def ids(one: Example) -> str:
    return one.line


@pytest.mark.parametrize("one", [*examples("gone"), *examples("causes")], ids=ids)
def test_why_a_run_failed(one: Example) -> None:
    assert kinds(read(one.line, failed=True))[0] == one.says
    assert kinds(read(one.near_miss, failed=True))[0] != one.says


@pytest.mark.parametrize("one", examples("gone"), ids=ids)
def test_that_a_destination_is_gone(one: Example) -> None:
    assert no_destination(f"ERROR 50 x\n. {one.line}\n") in one.line
    assert no_destination(f"ERROR 50 x\n. {one.line}\n")
    assert no_destination(f"ERROR 50 x\n. {one.near_miss}\n") == ""


@pytest.mark.parametrize("one", [one for one in FAILURES if failing(one)], ids=ids)
def test_that_a_run_failed(one: Example) -> None:
    assert [run.outcome for run in read(one.line)] == [FAILED]
    assert FAILED not in [run.outcome for run in read(one.near_miss)]


@pytest.mark.parametrize("one", [one for one in FAILURES if not failing(one)], ids=ids)
def test_what_a_run_complains_about(one: Example) -> None:
    [run] = read(one.line)
    assert run.outcome != FAILED
    assert kinds([run]) == [one.says]
    assert one.says not in kinds(read(one.near_miss))


UNMISTAKABLE = [*examples("muddled"), *(one for one in FAILURES if one.says.isupper())]


def behind_a_prefix(line: str) -> str:
    return f"web#7~ {line}"


@pytest.mark.parametrize("one", UNMISTAKABLE, ids=ids)
def test_what_cannot_be_passed_over_behind_anything(one: Example) -> None:
    assert is_muddled(behind_a_prefix(one.line))


@pytest.mark.parametrize("needle", catalogue.NEEDLES)
def test_every_needle_is_in_a_line_that_has_no_other(needle: str) -> None:
    others = [other for other in catalogue.NEEDLES if other != needle]
    lines = [one.line for one in UNMISTAKABLE]
    assert [line for line in lines if needle in line and not any(o in line for o in others)]


@pytest.mark.parametrize("one", examples("codes"), ids=ids)
def test_what_a_code_of_the_machine_log_means(one: Example) -> None:
    text = ". What it says, in any language"
    assert kinds(read(f"{one.line} x", text)) == [one.says]
    assert one.says not in kinds(read(f"{one.near_miss} x", text))


def test_every_code_has_an_example() -> None:
    codes = [f"ERROR {code}" for code in catalogue.ERROR_CODES]
    codes += [f"WARNING {code}" for code in catalogue.WARNING_CODES]
    assert [one.line for one in examples("codes")] == codes


@pytest.mark.parametrize("one", examples("statuses"), ids=ids)
def test_what_an_exit_status_means(one: Example) -> None:
    assert failure(int(one.line), True, "") == f"duplicity failed with {one.line} ({one.says})"
    assert one.says not in failure(int(one.near_miss), True, "")


def test_every_meaning_of_an_exit_status_has_an_example() -> None:
    known = [s for s in range(256) if "(" in failure(s, True, "")]
    assert [int(one.line) for one in examples("statuses")] == known


@pytest.mark.skipif(DUPLICITIES is None, reason="DUPLICITIES names no duplicity; make test does")
def test_the_versions_at_hand_name_the_codes_so() -> None:
    for path in Path(str(DUPLICITIES)).glob("*/lib/python*/site-packages/duplicity/log.py"):
        _, *classes = re.split(r"^class (\w+)", path.read_text(), flags=re.M)
        names = dict(zip(classes[::2], classes[1::2]))
        for one in [*examples("codes"), *examples("statuses")]:
            level, _, code = one.line.rpartition(" ")
            of_level = names["WarningCode" if level == "WARNING" else "ErrorCode"]
            found = re.findall(rf"^    (\w+) = {code}\b", of_level, re.M)
            assert set(found) <= set(one.source.split(" or ")), (path, one)


@pytest.mark.parametrize("one", examples("restoring"), ids=ids)
def test_why_a_restore_failed(one: Example) -> None:
    assert restoring.ended(1, True, one.line).kind is Kind[one.says]


def test_what_is_said_of_each_kind_and_its_state() -> None:
    said = [row.split(" | ", 1) for row in rows("sentences")]
    for names, sentence in said:
        state, kind = names.split()
        assert catalogue.SENTENCES[Kind[kind]] == sentence
        assert catalogue.state_of(Kind[kind]) is State[state]
    assert len(said) == len(catalogue.SENTENCES)
