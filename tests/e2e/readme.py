"""Follow the commands of docs/install.rst to the letter."""

from __future__ import annotations

import os
import re
import subprocess
import textwrap
from pathlib import Path

from e2e.icinga2 import ENVIRONMENT

ROOT = Path(__file__).parent.parent.parent
_WAYS = (
    (ROOT / "docs" / "install.rst").read_text().split("\nFrom nothing to a green service\n---")[1]
)


def blocks(heading: str = "") -> list[str]:
    """Return the literal blocks below the heading of a way; without one, those before the first."""
    text = _WAYS.split(f"\n{heading}\n~~~")[1] if heading else _WAYS
    text = re.split(r"\n[^\n]+\n[~-]{4,}\n", text)[0]
    found = re.findall(r"::\n\n((?: {4}[^\n]*\n|\n)+)", text)
    return [textwrap.dedent(block).strip() + "\n" for block in found]


def follow(commands: str) -> str:
    """Type commands into root's shell, and return what they print; each must succeed."""
    done = subprocess.run(
        ["bash", "-e", "-c", commands],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        env={
            **ENVIRONMENT,
            "HOME": "/root",
            "DEBIAN_FRONTEND": "noninteractive",
            "DEB_BUILD_OPTIONS": os.environ.get("DEB_BUILD_OPTIONS", ""),
        },
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
