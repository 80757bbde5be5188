"""A file that a job's file names: who can put another in its place decides what is in it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from check_duplicity.jobs import job_file
from check_duplicity.nagios.findings import CannotSee
from check_duplicity.system.user import current


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where an environment file is that is private itself."""
    directory = tmp_path / "a" / "b"
    directory.mkdir(parents=True)
    (directory / "env").write_text("PASSPHRASE=geheim\n")
    (directory / "env").chmod(0o600)
    text = f"[job]\nuser = {current()}\nenvironment_file = {directory}/env\n"
    (tmp_path / "web.ini").write_text(text)
    (tmp_path / "web.ini").chmod(0o600)
    return directory


@pytest.mark.parametrize("above", [False, True])
@pytest.mark.parametrize(
    ("mode", "good"), [(0o755, True), (0o700, True), (0o1777, True), (0o757, False), (0o777, False)]
)
def test_an_environment_file_that_others_can_replace_is_not_read(
    place: Path, mode: int, good: bool, above: bool
) -> None:
    (place.parent if above else place).chmod(mode)
    jobs_dir = str(place.parent.parent)
    if good:
        known = job_file.load("web", jobs_dir)
        assert known is not None
        assert known.environment == {"PASSPHRASE": "geheim"}
        return
    reason = f"environment_file {place}/env: others may write to it or replace it: .*any user"
    with pytest.raises(CannotSee, match=reason) as refused:
        job_file.load("web", jobs_dir)
    assert "geheim" not in refused.value.reason
    assert os.stat(place / "env").st_mode & 0o777 == 0o600
