"""Fixtures: real duplicity, in each version at hand."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from lab import DUPLICITIES, Lab
from plugin import ROOT
from stage import Scene, show

# A busy machine is no failure.
settings.register_profile("any", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any")


@pytest.fixture
def lab(duplicity: Path, tmp_path: Path) -> Iterator[Lab]:
    """A new job with the duplicity that the test runs with."""
    with Lab(duplicity, tmp_path) as lab:
        yield lab


@pytest.fixture
def shown(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Scene], None]:
    """Compare the printed output with the blocks of the pages that are marked with this test."""
    file = str(request.path.relative_to(ROOT))

    def shown(scene: Scene) -> None:
        show(file, request.node.originalname, lambda: tmp_path_factory.mktemp("stage"), scene)

    return shown


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """Fail if a test leaves signals blocked: later processes would inherit that, and never end."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    yield
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test that takes ``duplicity`` with every version at hand."""
    if "duplicity" in metafunc.fixturenames:
        if DUPLICITIES is None:
            skip = pytest.mark.skip(reason="DUPLICITIES names no duplicity; make test does")
            metafunc.parametrize("duplicity", [pytest.param(None, marks=skip)], ids=["none"])
            return
        found = sorted(Path(DUPLICITIES).glob("*/bin/duplicity"))
        assert found, f"no duplicity in {DUPLICITIES}: make test installs it"
        if metafunc.definition.get_closest_marker("exhaustive"):
            found = list(dict.fromkeys((found[0], found[-1])))
        elif metafunc.definition.get_closest_marker("spread"):
            found = list(dict.fromkeys((found[0], found[len(found) // 2], found[-1])))
        metafunc.parametrize("duplicity", found, ids=[path.parts[-3] for path in found])
