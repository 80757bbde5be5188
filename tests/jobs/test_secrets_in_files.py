"""Which file a printed command reads a secret from: only one that gives exactly that secret."""

from __future__ import annotations

from pathlib import Path

import pytest
from check_duplicity.jobs.model import Fact, Known
from check_duplicity.jobs.pasting import job_of
from check_duplicity.nagios.commands import Job
from check_duplicity.secrets import Secrets
from check_duplicity.system import rights
from check_duplicity.system.user import current

URL = "sftp://u:geheim@h/b"


def pasted(known: Known) -> Job:
    secrets = Secrets(known.environment, [known.get("destination")])
    return job_of(known, secrets, Job(current()))


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A script that only its user decides, wherever it stands."""
    path = tmp_path / "b.sh"
    path.touch()
    path.chmod(0o600)
    return path


@pytest.mark.parametrize(
    ("text", "url", "found"),
    [
        (f"duplicity / {URL}\n", URL, True),
        (f"duplicity / '{URL}'\nduplicity x {URL}\n", URL, True),
        (f"duplicity / {URL}/c\nduplicity / {URL}\n", URL, False),
        ("duplicity / sftp://u:other@h/b\n", URL, False),
        ("", URL, False),
        ("duplicity / file:///b\n", "file:///b", False),
    ],
)
def test_the_file_with_the_url(script: Path, text: str, url: str, *, found: bool) -> None:
    script.write_text(text)
    for origin in (f"{script}", f"{script}:12"):
        known = Known("web", {"destination": Fact(url, origin)})
        job = pasted(known)
        assert job.url_from == (str(script) if found else "")
        assert job.url_reader == current()
    script.chmod(0o602)
    assert (pasted(known).url_from, pasted(known).url_reader) == ("", "")


@pytest.mark.parametrize("origin", ["crontab -l:1", "/none:3", ""])
def test_what_is_no_file_has_no_url(origin: str) -> None:
    job = pasted(Known("web", {"destination": Fact(URL, origin)}))
    assert (job.url_from, job.environment_from) == ("", "")
    job = pasted(Known("web", {}))
    assert (job.url, job.url_from, job.environment_from, job.environment_file) == ("", "", "", "")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("export A=1\n  export  B='x y'  \nexport C=\"z\"\n", True),
        ("export A=1\nexport B=2\n", False),
        ("export A=1\nexport B=2\nexport C=3\nexport D=4\n", False),
        ("export A=1\nexport B=2\nexport C=3\nexport A=4\n", False),
        ("export A=1\nexport B=2\nexport C=$(x)\n", False),
        ("export A=1 B=2 C=3\n", False),
        ("export A=1\nexport B=2\nexport C=\"a$b\"\n", False),
        ("export A=1\nexport B=2\nC=3\n", False),
        ("export A=\nexport B=2;\nexport C=3\n", False),
        ("export A=\nexport B=2\nexport C=3\n", True),
        ("x\nexport A=\nexport B=2\nexport C=3 # x\n", False),
    ],
)  # fmt: skip
def test_the_script_with_the_variables(script: Path, text: str, *, found: bool) -> None:
    script.write_text(text)
    facts = {"destination": Fact("file:///b", "/none"), "script": Fact(str(script), "/c:1")}
    job = pasted(Known("web", facts, {"A": "1", "B": "2", "C": "3"}))
    assert job.environment_from == (str(script) if found else "")
    assert pasted(Known("web", facts)).environment_from == ""
    first = {**facts, "destination": Fact("file:///b", f"{script}:3")}
    del first["script"]
    job = pasted(Known("web", first, {"A": "1", "B": "2", "C": "3"}))
    assert job.environment_from == (str(script) if found else "")


def test_each_fact_of_a_job_that_is_printed() -> None:
    values = {
        "user": current(), "destination": "file:///b", "archive_dir": "/c", "name": "n",
        "options": "--a '--b=x y' --skip-if-no-change", "mail": "/l '/m n'", "encryption": "no",
        "environment_file": "/none",
    }  # fmt: skip
    known = Known("web", {key: Fact(value, "/w") for key, value in values.items()})
    assert pasted(known) == Job(
        current(), login=pasted(known).login, url="file:///b", archive_dir="/c", name="n",
        options=("--a", "--b=x y"), skips=True, command=("duplicity",), starter=current(),
        logs=("/l", "/m n"), encrypted=False, environment_file="/none", url_reader="root",
    )  # fmt: skip
    known = Known("web", {"encryption": Fact("yes", "/w")}, starter="bk")
    job = pasted(known)
    assert (job.encrypted, job.starter, job.archive_dir, job.name, job.skips) == (
        None, "bk", None, None, False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("by", "user", "others"),
    [
        (rights.NOBODY, "a", ""), (frozenset("a"), "a", ""), (frozenset("b"), "b", "b"),
        (frozenset("bc"), "a", "b and c"), (frozenset("ab"), "a", "b"),
        (frozenset(["any user"]), "a", "any user"),
    ],
)  # fmt: skip
def test_commands_are_for_the_user_who_decides(by: frozenset[str], user: str, others: str) -> None:
    facts = {"user": Fact("a", "/w"), "destination": Fact("file:///b", "/w", by)}
    known = Known("web", facts, {"GNUPGHOME": "/k", "AWS_SECRET_ACCESS_KEY": "x"})
    job = pasted(known)
    assert (job.user, job.others) == (user, others)
    assert job.variables == (() if others else ("GNUPGHOME=/k",))
    assert job.url == ("file:///b" if len(by) < 2 and "any user" not in by else "")


def test_variables_that_are_printed() -> None:
    given = {
        "AWS_PROFILE": "web", "GNUPGHOME": "/k", "HOME": "/", "EDITOR": "vi", "FTP_PASSWORD": "x",
        "SWIFT_AUTHURL": "u", "SSH_AUTH_SOCK": "/s", "GOOGLE_APPLICATION_CREDENTIALS": "c",
    }  # fmt: skip
    job = pasted(Known("web", {"user": Fact(current(), "/w")}, given))
    assert job.variables == (
        "AWS_PROFILE=web", "GNUPGHOME=/k", "HOME=/", "SSH_AUTH_SOCK=/s", "SWIFT_AUTHURL=u",
    )  # fmt: skip
    job = pasted(Known("web", {"user": Fact(current(), "/w")}, {"HOME": "x", "GNUPGHOME": "a\nb"}))
    assert job.variables == ()
