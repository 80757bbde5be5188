"""Mutants: which changes there are, how they are drawn, and the list of equivalents."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

pytest.importorskip("cosmic_ray")

import calls
import changes
import mutate
from changes import Mutant, alternatives, mutant, places
from copies import ROOT, SLOW
from equivalent import LIST, read_list

SOURCE = """
\"\"\"A module.\"\"\"
import re

FORM = re.compile(r"(?:a|b[|])c|d")


def judge(age: int | None, limit: int = 2) -> bool:
    \"\"\"Say whether it is old.\"\"\"
    assert limit > 0
    if age is None:
        return True
    told(age)
    return age >= limit and age < 9


@lru_cache(maxsize=9)
@wraps(judge)
def other():
    for one in (1, 2):
        yield one
    try:
        told(one)
    except (re.error, ValueError):
        told(3)


def last(one):
    if one:
        return None
    told(one)
    if one > 2:
        return None
"""


def made(source: str) -> set[tuple[str, str]]:
    """What each mutant of a source changes."""
    found = [mutant(place, source) for place in places("a.py", source)]
    return {(one.before, one.after) for one in found if one is not None}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("if age is None:", "if age is not None:"),
        ("return True", "return False"),
        ("return True", "pass"),
        ("told(age)", "pass"),
        ("return age >= limit and age < 9", "return age > limit and age < 9"),
        ("return age >= limit and age < 9", "return age >= limit and age <= 9"),
        ("return age >= limit and age < 9", "return age >= limit or age < 9"),
        ("for one in (1, 2):", "for one in []:"),
        ('FORM = re.compile(r"(?:a|b[|])c|d")', 'FORM = re.compile(r"(?:b[|])c|d")'),
        ('FORM = re.compile(r"(?:a|b[|])c|d")', 'FORM = re.compile(r"(?:a)c|d")'),
        ('FORM = re.compile(r"(?:a|b[|])c|d")', 'FORM = re.compile(r"d")'),
        ('FORM = re.compile(r"(?:a|b[|])c|d")', 'FORM = re.compile(r"(?:a|b[|])c")'),
    ],
)
def test_a_change_is_made(before: str, after: str) -> None:
    assert (before, after) in made(SOURCE)


def test_what_only_a_reader_sees_is_not_changed() -> None:
    changed = {before for before, _ in made(SOURCE)}
    assert not any(line.startswith("assert") or "module" in line for line in changed)
    assert not any("&" in after for _, after in made(SOURCE))


def test_a_cache_saves_time_only_and_another_decorator_counts() -> None:
    changed = {before for before, _ in made(SOURCE)}
    assert not any("lru_cache" in line for line in changed)
    assert "@wraps(judge)" in changed


def test_a_return_that_only_ends_a_function_stays() -> None:
    changes_of_last = [
        place for place in places("a.py", SOURCE) if place.operator == "RemoveStatement"
    ]
    lines = [place.position[0][0] for place in changes_of_last]
    assert [SOURCE.splitlines()[line - 1].strip() for line in lines][-2:] == [
        "return None",
        "told(one)",
    ]


@pytest.mark.parametrize(
    ("pattern", "parts"),
    [
        ("a", []),
        ("a|b", ["a|", "|b"]),
        ("(a|b)|c", ["a|", "|b", "(a|b)|", "|c"]),
        (r"a\|b|[c|d]", [r"a\|b|", "|[c|d]"]),
        ("(?P<n>a|b)(?!c|d)", ["a|", "|b", "c|", "|d"]),
    ],
)
def test_a_pattern_is_taken_apart(pattern: str, parts: list[str]) -> None:
    assert [pattern[begin:end] for begin, end in alternatives(pattern)] == parts


def test_a_seed_draws_the_same_mutants_again() -> None:
    chosen = ["lib/check_duplicity/lines.py", "lib/check_duplicity/nagios/output.py"]
    first, again, other = (mutate.sample(chosen, 20, random.Random(seed)) for seed in (1, 1, 2))
    assert first == again != other
    assert {changes.package_of(one.file) for one in first} == {"check_duplicity", "nagios"}
    assert min(sum(one.file == file for one in first) for file in chosen) >= mutate.LEAST


def test_only_a_package_with_tests_of_its_own_can_be_tested_by_them() -> None:
    chosen = ["lib/check_duplicity/lines.py", "lib/check_duplicity/runs/see.py", "plugins/check_a"]
    assert mutate.packages_with_tests(chosen) == ["plugins", "runs"]


def test_what_is_equivalent_is_not_drawn(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    chosen = ["lib/check_duplicity/lines.py"]
    drawn = mutate.sample(chosen, 10, random.Random(1))[0]
    kept = tmp_path / "equivalent.txt"
    kept.write_text(f"{drawn.file}\n- {drawn.before}\n+ {drawn.after}\nBecause.\n")
    monkeypatch.setattr(mutate, "LIST", kept)
    assert drawn not in mutate.sample(chosen, 1000, random.Random(1))


def test_what_is_listed_as_equivalent_is_still_there() -> None:
    for known in read_list(LIST.read_text()):
        lines = [line.strip() for line in (ROOT / known.file).read_text().splitlines()]
        assert known.before in lines or known.before in " ".join(lines), known


def test_an_equivalent_needs_a_reason() -> None:
    with pytest.raises(ValueError, match="a reason"):
        read_list("a.py\n- a\n+ b\n")
    assert read_list("# said\n\na.py\n- a\n+\nIt is\nthe same.\n")[0].reason == "It is the same."


def test_what_is_left_out_is_there() -> None:
    written = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name in SLOW if f"def {name}(" not in written] == []


def test_the_table_counts_by_package() -> None:
    def result(file: str, noticed: bool) -> mutate.Result:
        return mutate.Result(Mutant(file, 1, "a", "b", ""), noticed)

    results = [result("lib/check_duplicity/runs/a.py", at > 0) for at in range(4)]
    table = mutate.table([*results, result("plugins/check_a", True)]).splitlines()
    assert [line.split() for line in table[1:]] == [
        ["plugins", "1", "1", "100.0", "0"],
        ["runs", "4", "3", "75.0", "1"],
        ["all", "5", "4", "80.0", "1"],
    ]


def test_a_line_has_the_function_around_it() -> None:
    source = "A = 1\n\n@f\ndef b():\n    def c():\n        pass\n    return c\n"
    assert [calls.function_at(source, line) for line in (1, 4, 6, 7)] == [
        (1, 7), (3, 7), (5, 6), (3, 7),
    ]  # fmt: skip
