"""Which users decide what is at a path, and which programs may run."""

from __future__ import annotations

import grp
import os
import pwd
import re
import shutil
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from check_duplicity.jobs.model import Fact, Known
from check_duplicity.nagios.findings import CannotSee, Kind
from check_duplicity.system import rights
from check_duplicity.system.user import current

ME = frozenset({current()} - {"root"})
ANY = frozenset({rights.ANYBODY})
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give files away")


@pytest.fixture
def place() -> Iterator[str]:
    """A directory on a way of root's and this user's only."""
    with tempfile.TemporaryDirectory() as name:
        yield os.path.realpath(name)


def file(path: str, mode: int = 0o644) -> str:
    Path(path).write_text("")
    os.chmod(path, mode)
    return path


@pytest.mark.parametrize(
    ("mode", "others"),
    [(0o600, False), (0o644, False), (0o604, False), (0o602, True), (0o606, True)],
)
def test_who_may_write_to_a_file_decides(place: str, mode: int, others: bool) -> None:
    assert rights.deciders(file(f"{place}/x", mode)) == ME | (ANY if others else ME)


def test_who_may_write_to_a_directory_on_the_way_decides_unless_it_is_sticky(place: str) -> None:
    os.mkdir(f"{place}/d")
    os.mkdir(f"{place}/d/e")
    path = file(f"{place}/d/e/x")
    assert rights.deciders(path) == ME
    os.chmod(f"{place}/d", 0o707)
    assert rights.deciders(path) == ME | ANY
    os.chmod(f"{place}/d", 0o1707)
    assert rights.deciders(path) == ME
    # What isn't there yet can be made by all.
    assert rights.deciders(f"{place}/d/none") == ME | ANY
    assert rights.deciders(f"{place}/d/none/deeper") == ME | ANY


def test_what_is_not_there_is_decided_by_who_can_make_it(place: str) -> None:
    assert rights.deciders(f"{place}/none") == ME
    assert rights.deciders("/none/at/all") == frozenset()
    assert rights.deciders("/tmp/none-of-anybodys") == ANY


def test_links_are_followed_wherever_they_lead(place: str) -> None:
    os.mkdir(f"{place}/open")
    target = file(f"{place}/open/x")
    os.chmod(f"{place}/open", 0o707)
    os.symlink("open", f"{place}/directory")
    os.symlink(target, f"{place}/absolute")
    os.symlink("../open/../open/x", f"{place}/open/relative")
    os.symlink("loop", f"{place}/loop")
    for path in ("directory/x", "absolute", "open/relative", "directory/../open/x"):
        assert rights.deciders(f"{place}/{path}") == ME | ANY, path
    assert rights.deciders(f"{place}/loop") == ME


def test_dots_lead_out_again(place: str) -> None:
    os.mkdir(f"{place}/open")
    os.chmod(f"{place}/open", 0o707)
    path = file(f"{place}/x")
    # By the open directory's name somebody could lead elsewhere.
    assert rights.deciders(f"{place}/open/../x") == ME | ANY
    assert rights.deciders(f"{place}/./x") == ME
    assert rights.deciders(f"/../../{path}") == ME


@pytest.mark.parametrize("path", ["/a\0b", "/a\ud800b", "/etc/\0"])
def test_what_can_be_no_path_is_nobodys(path: str) -> None:
    assert rights.deciders(path) == rights.NOBODY


@pytest.mark.root
@needs_root
def test_owners_of_files_directories_and_links_decide(place: str) -> None:
    os.mkdir(f"{place}/d")
    path = file(f"{place}/d/x")
    shutil.chown(path, "games")
    assert rights.deciders(path) == {"games"}
    shutil.chown(f"{place}/d", "backup")
    assert rights.deciders(path) == {"games", "backup"}
    os.symlink("/etc/hostname", f"{place}/link")
    assert rights.deciders(f"{place}/link") == frozenset()
    os.chown(f"{place}/link", 65534, 0, follow_symlinks=False)
    assert rights.deciders(f"{place}/link") == {"nobody"}
    shutil.chown(path, 4711)
    assert rights.deciders(path) == {"4711", "backup"}


@pytest.mark.root
@needs_root
def test_the_members_of_a_group_that_may_write_decide(place: str) -> None:
    path = file(f"{place}/x", 0o664)
    assert rights.deciders(path) == frozenset()  # of root's group is only root
    shutil.chown(path, group="games")
    assert rights.deciders(path) == {"games"}  # whose first group it is
    os.chmod(path, 0o644)
    assert rights.deciders(path) == frozenset()


@pytest.mark.root
@needs_root
def test_whom_an_access_control_list_lets_write_decides(place: str) -> None:
    path = file(f"{place}/x", 0o600)
    undefined = 0xFFFFFFFF
    entries = [
        (0x01, 6, undefined), (0x02, 6, 65534), (0x02, 4, 1), (0x04, 4, undefined),
        (0x10, 6, undefined), (0x20, 4, undefined),
    ]  # fmt: skip
    acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
    try:
        os.setxattr(path, "system.posix_acl_access", acl)
    except OSError as error:
        pytest.skip(f"no access control lists here: {error}")
    assert rights.deciders(path) == {"nobody"}


def test_only_root_and_the_user_may_decide() -> None:
    assert rights.may("bk", frozenset())
    assert rights.may("bk", {"bk"})
    assert not rights.may("bk", {"bk", "o"})
    assert not rights.may("root", {"bk"})
    assert not rights.may("bk", ANY)
    assert rights.only(frozenset()) == "root"
    assert rights.only({"bk"}) == "bk"
    assert rights.only({"bk", "o"}) == rights.only(ANY) == ""


# Programs.


def program(path: str, text: str = "#!/bin/sh\n", mode: int = 0o755) -> str:
    Path(path).write_text(text)
    os.chmod(path, mode)
    return path


def refusal(command: str, path: str = "") -> tuple[Kind, str]:
    with pytest.raises(CannotSee) as refused:
        rights.command([command], path)
    return refused.value.kind, refused.value.reason


def test_a_program_is_found_in_the_path_and_named_in_full(place: str) -> None:
    program(f"{place}/duplicity")
    words = ["duplicity", "-x"]
    assert rights.command(words, f"/none:{place}") == [f"{place}/duplicity", "-x"]
    os.chmod(f"{place}/duplicity", 0o644)
    reason = "cannot run duplicity: No such file or directory"
    assert refusal("duplicity", place) == (Kind.NO_DUPLICITY, reason)


@pytest.mark.parametrize("command", ["./duplicity", "bin/duplicity", "../duplicity"])
def test_the_current_directory_chooses_no_program(
    command: str, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkdir(f"{place}/bin")
    os.mkdir(f"{place}/here")
    for name in ("here/duplicity", "bin/duplicity", "duplicity"):
        program(f"{place}/{name}")
    monkeypatch.chdir(place)
    kind, reason = refusal(command)
    assert kind == Kind.NO_DUPLICITY
    assert reason == f"cannot run {command}: it is named by no full path"


def test_a_program_that_others_can_change_is_not_run(place: str) -> None:
    path = program(f"{place}/duplicity", mode=0o707)
    kind, reason = refusal(path)
    assert kind == Kind.OTHERS_DECIDE
    assert reason == f"any user can change {path}, so it is not run as {current()}"


def test_nor_one_whose_interpreter_others_can_change(place: str) -> None:
    inner = program(f"{place}/python3", mode=0o707)
    path = program(f"{place}/duplicity", f"#! {inner} -E\n")
    assert refusal(path)[1].startswith(f"any user can change {inner}, ")


@pytest.mark.parametrize(
    "words",
    [
        ["nice", "{}"], ["env", "-S", "{} x"], ["sh", "-c", "exec '{}' \"$@\""], ["python3", "{}"],
        ["env", "PATH={}:/bin", "duplicity"], ["sh", "-c", "cd /;{}|cat"], ["env", "-C{}/..", "x"],
    ],
)  # fmt: skip
def test_nor_one_that_starts_what_others_can_change(words: list[str], place: str) -> None:
    inner = program(f"{place}/duplicity", mode=0o707)
    line = [word.format(inner) for word in words]
    with pytest.raises(CannotSee, match="any user can change"):
        rights.command(line, "/usr/bin:/bin")
    assert rights.offered(tuple(line), current()) == ("duplicity",)
    os.chmod(inner, 0o755)
    assert rights.command(line, "/usr/bin:/bin")[1:] == line[1:]
    assert rights.offered(tuple(line), current()) == tuple(line)


def test_directories_that_others_can_change_are_no_part_of_the_path(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, mode in (("open", 0o707), ("own", 0o755)):
        os.mkdir(f"{place}/{name}")
        os.chmod(f"{place}/{name}", mode)
    monkeypatch.setenv("PATH", f"{place}/open:.::{place}/own:bin:/usr/bin")
    assert rights.own_path() == f"{place}/own:/usr/bin"
    monkeypatch.setenv("PATH", f"{place}/open")
    assert rights.own_path() == os.defpath


@pytest.mark.parametrize(
    ("variable", "goes"),
    [
        ("PASSPHRASE", True), ("SIGN_PASSPHRASE", True), ("FTP_PASSWORD", True),
        ("AWS_ACCESS_KEY_ID", True), ("GNUPGHOME", True), ("https_proxy", True),
        ("RCLONE_CONFIG", True), ("XDG_CACHE_HOME", True),
        ("PATH", False), ("LD_PRELOAD", False), ("LD_AUDIT", False), ("PYTHONPATH", False),
        ("OPENSSL_CONF", False), ("GCONV_PATH", False), ("BASH_ENV", False), ("HOME", False),
        ("TMPDIR", False), ("LANG", False), ("A", False), ("XPASSPHRASEX", False), ("IFS", False),
        ("PERL5LIB", False), ("GLIBC_TUNABLES", False), ("OPENSSL_ENGINES", False),
    ],
)  # fmt: skip
def test_what_chooses_what_is_loaded_does_not_go_along(variable: str, goes: bool) -> None:
    assert rights.goes_along(variable) == goes


def test_the_place_that_others_can_change_is_named(place: str) -> None:
    os.mkdir(f"{place}/open")
    path = program(f"{place}/open/duplicity")
    os.chmod(f"{place}/open", 0o707)
    assert rights.changeable(path, current()) == f"{place}/open"
    assert rights.changeable(f"{place}/open", current()) == f"{place}/open"
    assert rights.changeable(place, current()) == ""
    reason = f"any user can change {path} (by {place}/open), so it is not run as {current()}"
    assert refusal(path)[1] == reason


def test_a_job_that_others_decide_says_where(place: str) -> None:
    os.mkdir(f"{place}/open")
    script = file(f"{place}/open/b.sh")
    os.chmod(f"{place}/open", 0o707)
    known = Known("b", {"destination": Fact("file:///x", f"{script}:4", ANY)})
    with pytest.raises(CannotSee) as refused:
        known.demand_decided(current())
    assert refused.value.reason == (
        f"any user can change {script} (by {place}/open), which decides what runs as {current()}:"
        " nothing was run"
    )
    known = Known("b", {"options": Fact(f"--ssh-options='-F {place}/open/conf'", "command line")})
    with pytest.raises(CannotSee) as refused:
        known.demand_decided(current())
    assert f"any user can change {place}/open/conf (by {place}/open), which" in refused.value.reason


@pytest.mark.parametrize(
    ("mode", "theirs"), [(0o640, False), (0o644, False), (0o660, True), (0o664, True)]
)
def test_who_else_is_in_a_users_own_group_decides_too(
    place: str, mode: int, theirs: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A group may have its user's number, and others in it: an administrator has added them."""
    group = grp.struct_group(("own", "x", os.getgid(), ["somebody"]))
    monkeypatch.setattr(grp, "getgrgid", lambda gid: group)
    monkeypatch.setattr(pwd, "getpwall", list)
    program = shutil.copy(shutil.which("true") or "/bin/true", f"{place}/true")
    os.chmod(program, mode | 0o100)
    os.chown(program, -1, os.getgid())
    assert rights.deciders(program) == (ME | {"somebody"} if theirs else ME)
    if theirs:
        with pytest.raises(CannotSee, match=f"^somebody can change {program}, so it is not run"):
            rights.command([program], "")
    else:
        assert rights.command([program], "") == [program]


@pytest.mark.parametrize(
    ("entries", "deciders"),
    [
        ([], set()), ([(0x02, 6, 65534)], {"nobody"}), ([(0x02, 5, 65534)], set()),
        ([(0x02, 2, 65534), (0x02, 2, 0), (0x02, 2, 1)], {"nobody", "daemon"}),
        ([(0x04, 6, 99)], {"of-the-file"}), ([(0x04, 4, 99)], set()),
        ([(0x08, 7, 99)], {"of-99"}), ([(0x08, 1, 99)], set()),
        ([(0x01, 7, 65534), (0x10, 7, 65534), (0x20, 7, 65534)], set()),
    ],
)  # fmt: skip
def test_an_access_control_list_names_who_may_write(
    entries: list[tuple[int, int, int]],
    deciders: set[str],
    place: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
    path = file(f"{place}/x", 0o664)
    gid = os.stat(path).st_gid
    names = {99: "of-99", gid: "of-the-file"}

    def group(number: int) -> grp.struct_group:
        if number not in names:
            raise KeyError
        return grp.struct_group(("g", "x", number, [names[number]]))

    def look(there: object, name: str) -> bytes:
        assert name == "system.posix_acl_access"
        return acl + b"\0" * 5 if there == path else struct.pack("<I", 2)

    monkeypatch.setattr(os, "getxattr", look)
    monkeypatch.setattr(grp, "getgrgid", group)
    monkeypatch.setattr(pwd, "getpwall", list)
    assert rights.deciders(path) == ME | deciders
    os.chmod(path, 0o644)
    assert rights.deciders(path) == ME  # The list's mask lets nobody write.


def test_whose_first_group_it_is_decides_too(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = file(f"{place}/x", 0o664)
    gid = os.stat(path).st_gid

    def unknown(number: int) -> object:
        raise KeyError

    accounts = [
        pwd.struct_passwd((name, "x", 5, group, "", "/", "/bin/sh"))
        for name, group in (("one", gid), ("two", gid + 1), ("three", gid))
    ]
    monkeypatch.setattr(grp, "getgrgid", unknown)
    monkeypatch.setattr(pwd, "getpwall", lambda: accounts)
    assert rights.deciders(path) == ME | {"one", "three"}


def test_forty_links_are_followed_and_no_more(place: str) -> None:
    os.mkdir(f"{place}/open")
    os.chmod(f"{place}/open", 0o707)
    Path(f"{place}/0").symlink_to("open/x")
    for number in range(1, 42):
        Path(f"{place}/{number}").symlink_to(str(number - 1))
    assert rights.deciders(f"{place}/39") == ME | ANY
    assert rights.deciders(f"{place}/40") == ME


def test_below_another_root_links_stay_below_it(place: str) -> None:
    os.mkdir(f"{place}/root")
    os.mkdir(f"{place}/root/open")
    os.chmod(f"{place}/root/open", 0o707)
    Path(f"{place}/root/link").symlink_to("/open/x")
    Path(f"{place}/root/out").symlink_to("/../../../open/x")
    root = f"{place}/root"
    for path in ("/open/x", "/link", "/out", "/../../open/x", "open/x"):
        assert rights.deciders(path, root) == ANY, path
    assert rights.deciders("/none", root) == rights.NOBODY
    script = program(f"{root}/script", "#!/open/x\n")
    assert rights.deciders_of_program("/script", root) == ANY
    assert rights.deciders_of_program(script) == ME


@pytest.mark.parametrize(
    ("by", "user", "reader"),
    [
        ([], "root", "root"), (["bk"], "root", "bk"), (["bk", "o"], "root", "nobody"),
        ([rights.ANYBODY], "root", "nobody"), (["o"], "bk", "bk"), ([], "bk", "bk"),
    ],
)  # fmt: skip
def test_as_whom_a_file_is_read(by: list[str], user: str, reader: str) -> None:
    assert rights.reader(frozenset(by), user) == reader
    assert rights.named(["b", "a"]) == "a and b"
    assert rights.may("bk", {"bk", "root"})
    assert rights.only({"a", "b"}) == ""


# A variable that begins so goes along; and each that is named in full.
BEGUN = (
    "AWS AZURE B2 CLOUDFILES DPBX DUPLICITY FTP GCS GOOGLE GS IMAP MEDIAFIRE OAUTH2 OS PCA RCLONE"
    " S3 SFTP SLATE SWIFT WEBDAV XORRISO"
)
NAMED = (
    "PASSPHRASE SIGN_PASSPHRASE X_PASSPHRASE X_PASSWORD BOTO_CONFIG BOX_CONFIG_PATH GNUPGHOME"
    " IDBUCKET IDEVSPATH IDKEYFILE IDPWDFILE IDRIVEID KRB5CCNAME RSYNC_RSH SSH_AUTH_SOCK"
    " SSL_CERT_DIR SSL_CERT_FILE REQUESTS_CA_BUNDLE CURL_CA_BUNDLE XDG_CACHE_HOME XDG_CONFIG_HOME"
    " XDG_DATA_HOME XDG_RUNTIME_DIR http_proxy https_proxy ftp_proxy all_proxy no_proxy HTTP_PROXY"
    " HTTPS_PROXY No_Proxy"
)


@pytest.mark.parametrize("name", [*(f"{begun}_X" for begun in BEGUN.split()), *NAMED.split()])
def test_what_duplicity_and_its_backends_read_goes_along(name: str) -> None:
    assert rights.goes_along(name)
    assert not rights.goes_along(f"{name}-")
    assert not rights.goes_along(f"-{name}")
    assert not rights.goes_along(name[:-2])


@pytest.mark.parametrize(
    ("options", "environment", "url", "paths"),
    [
        ([], {}, "", []),
        (["--ssh-options=-oProxyCommand=/x/y"], {}, "", ["/x/y"]),
        (["--ssh-options=-oIdentityFile=/x/y"], {}, "", []),
        (["--ssh-options=-o certificatefile /x/y -F /z"], {}, "", ["/z"]),
        (["--ssh-options=-oUserKnownHostsFile='/x/y' -F /z"], {}, "", ["/z"]),
        (["--ssh-options=-oControlPath=/x/y"], {}, "", []),
        (["-i /x/y", "-i   /x/y -F /z", "a-i /w"], {}, "", ["/w", "/z"]),
        ([], {"RSYNC_RSH": "/x/y -z"}, "", ["/x/y"]),
        ([], {"RCLONE_X": "/1", "GNUPGHOME": "/2", "AWS_CONFIG_FILE": "/3"}, "",
         ["/1", "/2", "/3"]),
        ([], {"XDG_CONFIG_HOME": "/1", "XDG_DATA_HOME": "/2", "BOTO_CONFIG": "/3"}, "",
         ["/1", "/2", "/3"]),
        ([], {"XDG_CACHE_HOME": "/1", "AWS_ACCESS_KEY_ID": "/2", "PASSPHRASE": "/3"}, "", []),
        ([], {}, "multi:///x/y.json?mode=mirror", ["///x/y.json"]),
        ([], {}, "file:///x", []),
    ],
)  # fmt: skip
def test_what_duplicity_starts_is_named_by(
    options: list[str], environment: dict[str, str], url: str, paths: list[str]
) -> None:
    found = rights.started(options, environment, url)
    # Others are words that are no paths: what isn't there harms nobody.
    assert [path for path in found if re.fullmatch(r"/\w|/x/y|///.*", path)] == paths


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ((), ("duplicity",)), (("-x", "/bin/sh"), ("duplicity",)),
        (("bin/duplicity", "-x"), ("duplicity",)), (("./duplicity",), ("duplicity",)),
        (("duplicity", "-x"), ("duplicity", "-x")), (("/bin/sh", "-x"), ("/bin/sh", "-x")),
        (("/tmp/none-of-anybodys",), ("duplicity",)),
        (("/bin/sh", "/tmp/none-of-anybodys"), ("duplicity",)),
    ],
)  # fmt: skip
def test_a_command_is_offered_if_nobody_else_decides(
    words: tuple[str, ...], offered: tuple[str, ...]
) -> None:
    assert rights.offered(words, "bk") == offered


def test_four_interpreters_are_followed(place: str) -> None:
    inner = program(f"{place}/0", mode=0o707)
    for number in range(1, 6):
        program(f"{place}/{number}", f"#!{place}/{number - 1}\n")
    assert rights.deciders_of_program(inner) == ME | ANY
    assert rights.deciders_of_program(f"{place}/4") == ME | ANY
    assert rights.deciders_of_program(f"{place}/5") == ME


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (b"#!/bin/sh\nx\n", b"#!/bin/sh\n"), (b"#!/bin/sh", b"#!/bin/sh"), (b"", b""),
        (b"\x7fELF\n", b""), (b"# !/bin/sh\n", b""), (b"#!" + b"x" * 300, b"#!" + b"x" * 254),
    ],
)  # fmt: skip
def test_the_first_line_of_a_script_alone_is_one(text: bytes, line: bytes, place: str) -> None:
    Path(f"{place}/x").write_bytes(text)
    os.mkfifo(f"{place}/fifo")
    before = len(os.listdir("/proc/self/fd"))
    assert rights._first_line(f"{place}/x") == line
    for name in ("fifo", "none", "", "a\0b"):
        assert rights._first_line(f"{place}/{name}") == b""
    assert len(os.listdir("/proc/self/fd")) == before
