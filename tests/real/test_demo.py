"""The README shows the output of ``make demo``; ``make pages`` updates it."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from lab import DUPLICITIES
from pages import marked
from plugin import BIN, ROOT
from stage import compare

# The parts of the demo that the README shows, by their numbers, in its order.
SHOWN = (5, 6, 8, 9, 3)


def without_numbers(text: str) -> str:
    """Return a line without the parts that depend on the time or on the machine's load."""
    return re.sub(r"\d+", "0", text)


@pytest.mark.exhaustive
@pytest.mark.skipif(DUPLICITIES is None, reason="DUPLICITIES names no duplicity; make test does")
def test_what_the_readme_shows_is_what_the_demo_prints(tmp_path: Path) -> None:
    found = sorted(
        Path(DUPLICITIES or "").glob("*/bin"),
        key=lambda path: [int(number) for number in re.findall(r"\d+", path.parent.name)],
    )
    done = subprocess.run(
        [ROOT / "tests" / "demo", BIN, found[-1]],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "TZ": "UTC"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    parts = re.split(r"^(\d+)\. ", done.stdout, flags=re.M)
    printed = {int(number): text for number, text in zip(parts[1::2], parts[2::2])}
    shown = marked("tests/real/test_demo.py", "test_what_the_readme_shows_is_what_the_demo_prints")
    assert len(shown) == len(SHOWN)
    for block, number in zip(shown, SHOWN):
        # The program and its state.
        begin = re.escape(" ".join(block.text.split(" ")[:3]))
        line = re.findall(rf"^({begin} - .*?)(?: \| .*)?$", printed[number], re.M)[-1] + "\n"
        compare(block, line, without_numbers)
