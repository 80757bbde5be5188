"""What a test needs of the machine; without it the test is skipped, with the reason."""

from __future__ import annotations

import os
from pathlib import Path

import check_duplicity
import pytest

_INSTALLED = Path(os.__file__), Path(check_duplicity.__file__)

needs_root = pytest.mark.skipif(
    os.geteuid() != 0
    or any(not part.stat().st_mode & 0o4 for path in _INSTALLED for part in (path, *path.parents)),
    reason="needs root, and an installation that other users can read",
)
