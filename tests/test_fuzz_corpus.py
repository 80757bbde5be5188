"""Each reader keeps its promises on the corpus that fuzzing has collected (fuzz/corpus)."""

from __future__ import annotations

from pathlib import Path

import pytest
import targets

CORPUS = Path(targets.__file__).parent / "corpus"


@pytest.mark.parametrize("name", targets.TARGETS)
def test_what_fuzzing_has_kept_is_read_or_refused(name: str) -> None:
    kept = sorted((CORPUS / name).iterdir())
    assert kept
    for path in kept:
        try:
            targets.TARGETS[name].run(path.read_bytes())
        except BaseException as error:
            raise AssertionError(f"fuzz/run.py {name} {path}") from error


def test_the_corpus_stays_small() -> None:
    files = [path for path in CORPUS.rglob("*") if path.is_file()]
    assert {path.parent.name for path in files} == set(targets.TARGETS)
    assert max(path.stat().st_size for path in files) <= 4096
    assert sum(path.stat().st_size for path in files) < 1_500_000
