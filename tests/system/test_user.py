"""Becoming the job's user, or saying why that does not work."""

from __future__ import annotations

import os
import pwd

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


def account(**changed: object) -> pwd.struct_passwd:
    fields = {"name": "bk", "x": "x", "uid": 4711, "gid": 4712, "gecos": "", "dir": "/h", "sh": ""}
    return pwd.struct_passwd(tuple({**fields, **changed}.values()))


@pytest.mark.parametrize(("shell", "told"), [("", "/bin/sh"), ("/bin/zsh", "/bin/zsh")])
def test_root_becomes_a_user_with_that_users_environment_only(
    shell: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[tuple[object, ...]] = []
    given = {"PATH": "/p", "TERM": "t", "TZ": "z", "PASSPHRASE": "secret", "HOME": "/root"}
    for name in ("initgroups", "setresgid", "setresuid", "chdir"):
        monkeypatch.setattr(os, name, lambda *ids, name=name: done.append((name, *ids)))
    monkeypatch.setattr(keyring, "leave_session", lambda: done.append(("leave",)))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(pwd, "getpwnam", lambda name: account(sh=shell))
    monkeypatch.setattr(os, "environ", given)
    allowed = {".": True}
    monkeypatch.setattr(os, "access", lambda path, mode: allowed.get(path, True))
    user.become("bk")
    ids = [("leave",), ("initgroups", "bk", 4712), ("setresgid", 4712, 4712, 4712)]
    ids += [("setresuid", 4711, 4711, 4711)]
    assert done == ids
    assert given == {
        "PATH": "/p", "TERM": "t", "TZ": "z", "HOME": "/h", "USER": "bk", "LOGNAME": "bk",
        "SHELL": told,
    }  # fmt: skip
    allowed["."] = False
    user.become("bk")
    assert done == [*ids, *ids, ("chdir", "/")]
    allowed[user.__file__] = False
    with pytest.raises(CannotSee) as caught:
        user.become("bk")
    assert (caught.value.kind, caught.value.reason) == (
        Kind.USAGE, f"bk may not read what this is installed on: {user.__file__}",
    )  # fmt: skip


def test_root_acts_as_a_user_and_is_root_again(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[tuple[object, ...]] = []
    for name in ("setgroups", "setegid", "seteuid"):
        monkeypatch.setattr(os, name, lambda *ids, name=name: done.append((name, *ids)))
    monkeypatch.setattr(os, "getgroups", lambda: [0, 9])
    monkeypatch.setattr(os, "getgrouplist", lambda name, gid: [gid, 8])
    monkeypatch.setattr(pwd, "getpwnam", lambda name: account())
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    with user.acting_as("bk"):
        assert done == []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    for name in ("", "root"):
        with user.acting_as(name):
            assert done == []
    there = [("setgroups", [4712, 8]), ("setegid", 4712), ("seteuid", 4711)]
    with user.acting_as("bk"):
        assert done == there
    assert done == [*there, ("seteuid", 0), ("setegid", 0), ("setgroups", [0, 9])]


def test_users_have_names_or_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [user.name_of_uid(uid) for uid in (0, 1, 4_000_000)] == ["root", "daemon", "4000000"]
    names = [user.name_of(text) for text in ("daemon", "1", "#1", "#0", "x", "#x", "4000000")]
    assert names == ["daemon", "daemon", "daemon", "root", "x", "#x", "4000000"]
    assert [user.exists(name) for name in ("root", "no-such-user", "a\0")] == [True, False, False]
    assert [user.has_shell(name) for name in ("root", "no-such-user", "a\0")] == [True] * 3
    for shell, has in (
        ("/usr/sbin/nologin", False), ("/bin/false", False), ("/bin/sh", True), ("", True),
        ("/opt/falsetto", True),
    ):  # fmt: skip
        with monkeypatch.context() as patch:
            patch.setattr(pwd, "getpwnam", lambda name, shell=shell: account(sh=shell))
            assert user.has_shell("bk") == has
