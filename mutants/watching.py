"""A plugin of pytest: watch which functions each test calls, or run only some tests, in some order.

If the copy has a file ``wanted``, a list in JSON, these tests are run, and no others; with ``null``
all of them.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mutants_watch as watched
import pytest

CURRENT, WANTED = Path(watched.CURRENT), Path(watched.COPY, "wanted")


class Watching:
    """A plugin of pytest: what is called for each test, and for all tests of a file ("file::")."""

    @pytest.hookimpl(hookwrapper=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Iterator[None]:
        """Watch what the tests' files call when they are loaded."""
        watched.seen.clear()
        watched.watch()
        yield
        sys.settrace(None)
        if isinstance(collector, pytest.Module):
            watched.tell(f"{collector.nodeid}::", 0.0)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any, request: Any) -> Iterator[None]:
        """Watch what is made once for many tests."""
        shared = fixturedef.scope != "function"
        test = request.node.nodeid.split("::")[0] + "::"
        before = dict(watched.seen)
        name = CURRENT.read_text() if CURRENT.exists() else ""
        if shared:
            CURRENT.write_text(test)
        yield
        if shared:
            watched.tell(test, 0.0)
            watched.seen.update(before)
            CURRENT.write_text(name)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Watch a test with what is set up for it."""
        watched.seen.clear()
        CURRENT.write_text(item.nodeid)
        began = time.monotonic()
        watched.watch()
        yield
        sys.settrace(None)
        CURRENT.unlink()
        watched.tell(item.nodeid, time.monotonic() - began)


class Choosing:
    """A plugin of pytest: only the tests that are wanted, in that order."""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out all others."""
        names = json.loads(WANTED.read_text())
        if names is None:
            return
        wanted = {name: at for at, name in enumerate(names)}
        items[:] = sorted(
            (item for item in items if item.nodeid in wanted), key=lambda item: wanted[item.nodeid]
        )


def pytest_configure(config: Any) -> None:
    """Watch, or choose, if a file says which tests."""
    config.pluginmanager.register(Choosing() if WANTED.exists() else Watching())
