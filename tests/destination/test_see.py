"""A job's collection is seen where its options say."""

from __future__ import annotations

import pytest
from check_duplicity.destination import see
from check_duplicity.destination.model import Source
from check_duplicity.nagios.findings import CannotSee, Kind
from check_duplicity.secrets import Secrets


def test_the_checks_own_options_are_refused_without_a_secret_in_them() -> None:
    source = Source("file:///b", options=["--timeout", "--archive-dir=/hunter2"])
    with pytest.raises(CannotSee) as caught:
        see.look(source, lambda: (None, True), Secrets({"PASSPHRASE": "hunter2"}))
    assert caught.value.kind is Kind.USAGE
    assert str(caught.value) == (
        "--archive-dir=/*** is the check's own; the job's archive is named with -a and -n"
    )
