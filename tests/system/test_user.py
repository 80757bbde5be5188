"""Becoming the job's user, or saying why that does not work."""

from __future__ import annotations

import os

import pytest
from check_duplicity.nagios.findings import CannotSee, Kind
from check_duplicity.system import keyring, user


def test_a_user_that_is_none_is_said() -> None:
    with pytest.raises(CannotSee, match="there is no user 'nobody-of-that-name' on this machine"):
        user.become("nobody-of-that-name")


def test_what_the_kernel_refuses_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*ids: int) -> None:
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(keyring, "leave_session", lambda: None)
    monkeypatch.setattr(os, "initgroups", refused)
    with pytest.raises(CannotSee) as caught:
        user.become("daemon")
    assert caught.value.kind is Kind.WRONG_USER
    assert str(caught.value) == "cannot become daemon: Resource temporarily unavailable"


def test_only_root_can_become_another_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 65534)
    with pytest.raises(CannotSee, match="must be run as daemon, not as"):
        user.become("daemon")
