"""duplicity's messages in other languages mean the same as its English ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from check_duplicity.duplicity import languages
from check_duplicity.duplicity.languages import english
from check_duplicity.duplicity.run import FAILED
from check_duplicity.duplicity.transcript import Reader
from check_duplicity.nagios.findings import Kind
from hypothesis import given
from hypothesis import strategies as st
from lab import DUPLICITIES
from make_messages import translations

MESSAGES = json.loads(Path(languages.__file__).with_name("messages.json").read_text())
ENTRIES = [entry for entries in MESSAGES.values() for entry in entries]


@pytest.mark.parametrize(
    "line",
    [
        "Sicherungsquellverzeichnis /srv/x existiert nicht.",
        "Le dossier source de sauvegarde /srv/x n'existe pas.",
        "备份源目录 /srv/x 不存在。",
        "O diretório /srv/x de origem da cópia de segurança não existe.",
    ],
)
def test_a_missing_source_is_one_in_any_language(line: str) -> None:
    assert english(line) == "Backup source directory /srv/x does not exist."
    reader = Reader(str)
    reader.read(line)
    [run] = reader.runs()
    assert run.outcome == FAILED
    assert run.told[0].kind is Kind.SOURCE_MISSING


def test_every_message_is_found_whatever_is_put_in() -> None:
    # A translator has forgotten some places.
    values = [["/a b"] * count for count in range(5)]
    originals = {languages.filled(entry[0], put_in) for entry in ENTRIES for put_in in values}
    for _, *pieces in ENTRIES:
        assert english(" /a b ".join(pieces).strip()) in originals


@pytest.mark.parametrize("before", ["[", "job: ", "2026-11-24 "])
def test_a_message_behind_anything_else_is_found(before: str) -> None:
    line = f"{before}Sicherungsquellverzeichnis /srv/x existiert nicht."
    assert "Backup source directory /srv/x does not exist." in languages.inside(line)


@given(st.text())
def test_any_other_line_stays_as_it_is(line: str) -> None:
    assert english(line) == line


@pytest.mark.skipif(DUPLICITIES is None, reason="DUPLICITIES names no duplicity; make test does")
def test_what_the_versions_at_hand_say_is_known() -> None:
    """Otherwise: python tests/make_messages.py .duplicity."""
    known = {(entry[0], "%s".join(entry[1:])) for entry in ENTRIES}
    for original, other in translations(Path(str(DUPLICITIES))):
        assert (original, "%s".join(languages.pieces_of(other))) in known
