"""The tests that call the function which a mutant changes."""

from __future__ import annotations

import ast
import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from copies import Copy, Test, file_of

MOST_SECONDS = 120.0  # of tests for a mutant: the nearest and the quickest that there are


class Calls:
    """What was called when the tests were watched."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.tests: dict[tuple[str, int], set[str]] = defaultdict(set)

    def add(self, copy: Copy, left_out: Iterable[str], sources: Iterable[str]) -> None:
        """Take what a copy has noted about these files, but not of tests that are left out."""
        source_of = {str(copy.installed(source)): source for source in sources}
        for line in copy.noted():
            test, seconds, called = json.loads(line)
            if test in left_out:
                continue
            if seconds:
                self.seconds[test] = seconds
            for function in called:
                path, _, number = function.rpartition(":")
                if path in source_of:
                    self.tests[source_of[path], int(number)].add(test)

    def of(self, file: str, source: str, line: int) -> list[Test]:
        """Return the tests that call the function in a line of a file, or any if it is in none."""
        first, last = function_at(source, line)
        found: set[str] = set()
        for (called, number), tests in self.tests.items():
            if called == file and first <= number <= last:
                found |= tests
        whole = {name for name in found if name.endswith("::")}
        names = {name for name in self.seconds if name in found or f"{file_of(name)}::" in whole}
        return self._quickest(file, names)

    def _quickest(self, file: str, names: set[str]) -> list[Test]:
        package, module = Path(file).parts[-2], Path(file).stem

        def far(name: str) -> tuple[int, float]:
            parts = Path(file_of(name))
            return 2 - (package in parts.parts) - (parts.stem == f"test_{module}"), self.seconds[
                name
            ]

        chosen: list[Test] = []
        total = 0.0
        for name in sorted(names, key=far):
            if total + self.seconds[name] <= MOST_SECONDS or not chosen:
                chosen.append(Test(name, self.seconds[name]))
                total += self.seconds[name]
        return chosen


def function_at(source: str, line: int) -> tuple[int, int]:
    """Return the first and last line of the function around a line, or of the whole file."""
    found = (1, len(source.splitlines()))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            last = node.end_lineno or first
            if found[0] <= first <= line <= last <= found[1]:
                found = (first, last)
    return found
