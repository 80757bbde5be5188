"""The library's architecture holds: no import cycles, no long module, all on the plan.

The plan is in docs/development.rst.
"""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from plugin import ROOT

LIBRARY = ROOT / "lib" / "check_duplicity"
MODULES = {
    ".".join(path.relative_to(LIBRARY.parent).with_suffix("").parts): path
    for path in sorted(LIBRARY.rglob("*.py"))
    if path.name != "__init__.py"
}


def needed_by(path: Path) -> set[str]:
    """Return the modules that a module imports: at its top, late, or only for type checkers."""
    needed = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            needed |= (names | {str(node.module)}) & MODULES.keys()
    return needed


def test_no_module_leads_back_to_itself() -> None:
    needs = {name: needed_by(path) for name, path in MODULES.items()}
    assert sum(map(len, needs.values())) > len(MODULES)
    assert len(list(TopologicalSorter(needs).static_order())) == len(MODULES)


@pytest.mark.parametrize("name", MODULES)
def test_no_module_is_over_450_lines(name: str) -> None:
    assert len(MODULES[name].read_text().splitlines()) <= 450


def test_at_most_four_modules_are_in_no_package() -> None:
    assert len([path for path in MODULES.values() if path.parent == LIBRARY]) <= 4


def test_a_package_says_what_it_is_for_and_loads_nothing() -> None:
    for path in LIBRARY.rglob("__init__.py"):
        tree = ast.parse(path.read_text())
        assert ast.get_docstring(tree)
        assert path.parent == LIBRARY or len(tree.body) == 1


def test_every_module_and_package_is_on_the_plan() -> None:
    plan = (ROOT / "docs" / "development.rst").read_text()
    for name in MODULES:
        *_, package, module = name.split(".")
        assert f"``{module}``" in plan, name
        assert package == "check_duplicity" or f"``{package}/``" in plan, name


def test_tests_lie_as_the_library_does() -> None:
    packages = {path.name for path in LIBRARY.iterdir() if (path / "__init__.py").exists()}
    assert packages <= {path.name for path in (ROOT / "tests").iterdir()}
