"""What the README shows is what ``make demo`` prints."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from lab import DUPLICITIES
from plugin import BIN, ROOT

README = (ROOT / "README.rst").read_text()


def without_numbers(text: str) -> str:
    """A line, whenever it was printed and whatever a machine had to do then."""
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
    printed = {without_numbers(line.split(" | ")[0]) for line in done.stdout.split("\n")}
    shown = re.findall(r"^    (DUPLICITY .*)$", README, re.M)
    assert len(shown) == 5
    assert {without_numbers(line) for line in shown} <= printed
