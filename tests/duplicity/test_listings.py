"""Listings of mc, az and a coloured ls, as these programs print them."""

from __future__ import annotations

import pytest
from check_duplicity.duplicity.names import Prefixes
from check_duplicity.duplicity.status import read_saved

FILES = (
    "duplicity-full.20261125T003109Z.vol1.difftar.gz",
    "duplicity-full.20261125T003109Z.manifest",
    "duplicity-full-signatures.20261125T003109Z.sigtar.gz",
)
AZ = "BlockBlob    {}  {}      application/octet-stream  2026-11-25T00:31:12+00:00"
# {0} is the name, {1} a size as that program writes it.
FORMS = {
    "mc ls": ("[2026-11-25 02:00:01 CET] {1} STANDARD {0}", "1.2MiB", "0B"),
    "mc ls, before storage classes": ("[2026-11-25 02:00:01 UTC]  {1} {0}", "108KiB", "0B"),
    "mc ls --recursive": ("[2026-11-25 02:00:01 +03] {1} STANDARD b/web/{0}", "1.2GiB", "0B"),
    "az storage blob list -o table": ("{0}  " + AZ.format("Hot   ", "{1}"), "1177", "0"),
    "az, no tier": ("web/{0}  " + AZ.format("", "{1}"), "1177", "0"),
    "ls --color": ("\x1b[0m\x1b[01;31m{0}\x1b[0m", "", ""),
    "ls -l --color": (
        "-rw-r--r-- 1 root root {1} Nov 25 02:00 \x1b[0m\x1b[01;31m{0}\x1b[0m", "1177", "0"),
    "grep --color": ("\x1b[01;31m\x1b[K{0}\x1b[m\x1b[K", "", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_the_files_are_read(name: str) -> None:
    form, size, _ = FORMS[name]
    seen = read_saved("".join(form.format(file, size) + "\n" for file in FILES), Prefixes())
    assert [found.complete for found in seen.sets] == [True]
    assert not seen.sets[0].spoiled


@pytest.mark.parametrize("name", [name for name, (_, _, empty) in FORMS.items() if empty])
def test_an_empty_file_is_no_backup(name: str) -> None:
    form, size, empty = FORMS[name]
    lines = [form.format(file, empty if "vol1" in file else size) for file in FILES]
    seen = read_saved("\n".join(lines) + "\n", Prefixes())
    assert not seen.sets or seen.sets[0].spoiled
