"""Files of backupninja: each setting with its whole result."""

from __future__ import annotations

import pytest
from check_duplicity.jobs import backupninja
from check_duplicity.jobs.backupninja import job_of_backupninja


@pytest.mark.parametrize(
    ("name", "is_read"),
    [("20-web.dup", True), ("020.dup", False), ("10.dup", True), ("20.dup.x", False)],
)
def test_which_files_are_read(name: str, *, is_read: bool) -> None:
    assert backupninja.is_read(name) is is_read


@pytest.mark.parametrize(
    ("when", "schedule"),
    [
        ("", ""), ("Hourly", "@hourly"), ("daily at 1", ""), ("daily at 01", "0 1 * * *"),
        ("everyday\tat  23:59", "0 23 * * *"), ("everyday at 24", ""), ("daily at 01:5", ""),
        ("sunday at 01", "0 1 * * 0"), ("Mondays at 01", "0 1 * * 1"),
        ("tuesday at 01", "0 1 * * 2"), ("wednesdays at 01", "0 1 * * 3"),
        ("THURSDAY at 00", "0 0 * * 4"), ("friday at 01", "0 1 * * 5"),
        ("saturdays at 01", "0 1 * * 6"), ("someday at 01", ""), ("mondayss at 01", ""),
        ("1st at 01", "0 1 1 * *"), ("31 at 01", "0 1 31 * *"), ("32 at 01", ""),
        ("0 at 01", ""), ("00th at 01", ""), ("02 at 01", "0 1 2 * *"), ("2ndx at 01", ""),
        ("100 at 01", ""),
        ("\n hourly \n\ndaily at 02\nhourly\n", "@hourly; 0 2 * * *"),
        ("hourly\nnever", ""), ("never\nhourly", ""),
    ],
)  # fmt: skip
def test_each_form_of_when(when: str, schedule: str) -> None:
    assert backupninja.schedule_of(when) == schedule


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("when = hourly\n", "hourly"), ("when = hourly\nwhen = manual\n", "hourly\nmanual"),
        ("when =\n", "everyday at 01:00"), ("when\n", "everyday at 01:00"),
        ("", "everyday at 01:00"), ("[a\n", "everyday at 01:00"),
    ],
)  # fmt: skip
def test_the_default_when(text: str, when: str) -> None:
    assert backupninja.default_when(text) == when


FACTS = {
    "user": "root", "destination": "file:///b", "schedule": "0 1 * * *", "encryption": "yes",
    "archive_dir": "/var/cache/backupninja/duplicity", "options": "--full-if-older-than=30D",
}  # fmt: skip


@pytest.mark.parametrize(
    ("general", "dest", "facts"),
    [
        ("", "", {}),
        ("when = manual", "", {"schedule": ""}),
        ("when = hourly", "", {"schedule": "@hourly"}),
        ("options = --no-encryption --archive-dir '/c d' --name n --file-prefix x --volsize 9", "",
         {"encryption": "no", "archive_dir": "/c d", "name": "n",
          "options": "--file-prefix=x --full-if-older-than=30D"}),
        ("options = 'x", "", {}),
        ("options = \"--name n\"", "", {"name": "n"}),
        ("", "desturl =   'sftp://h/b'  ", {"destination": "sftp://h/b"}),
        ("", "desturl = 'sftp://h/b\"", {"destination": "'sftp://h/b\""}),
        ("", "desturl = \"\"\ndesthost = h", {"destination": "scp://@h/"}),
        ("", "desturl = '\ndesthost = h", {"destination": "'"}),
        ("", "desturl =\ndesthost = h\ndestuser = u\ndestdir = /b/",
         {"destination": "scp://u@h//b"}),
        ("", "desthost = h", {}),
        ("", "increments = 7", {"options": "--full-if-older-than=7D"}),
        ("", "increments = 2W", {"options": "--full-if-older-than=2W"}),
        ("", "increments =", {}),
        ("", "increments = keep", {"options": ""}),
        ("", "incremental = no", {"options": ""}),
        ("", "incremental = yes\nincrements = 9", {"options": "--full-if-older-than=9D"}),
        ("", "sshoptions = -o IdentityFile=/k",
         {"options": "--ssh-options=-oIdentityFile=/k --full-if-older-than=30D"}),
        ("", "sshoptions = -o IdentityFile=/k -o Port=2",
         {"options": "'--ssh-options=-o IdentityFile=/k -o Port=2' --full-if-older-than=30D"}),
    ],
)  # fmt: skip
def test_each_setting_of_a_job(general: str, dest: str, facts: dict[str, str]) -> None:
    url = "" if "desturl" in dest else "desturl = file:///b\n"
    known = job_of_backupninja(f"{general}\n[dest]\n{url}{dest}\n", "web", "/w.dup")
    expected = {key: value for key, value in {**FACTS, **facts}.items() if value}
    assert {key: fact.value for key, fact in known.facts.items()} == expected
    assert {fact.origin for fact in known.facts.values()} == {"/w.dup"}
    assert (known.job, known.doubts, known.environment) == ("web", (), {})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[dest]\ndesthost =\n", "/w: no destination"), ("", "/w: no destination"),
        ("[dest\n", "/w: no destination"), ("[dest]\ndestdir = /x\n", "/w: no destination"),
    ],
)  # fmt: skip
def test_a_file_without_a_destination_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011  # its whole text is compared
        job_of_backupninja(text, "web", "/w")
    assert str(refused.value) == said


def test_a_file_that_is_no_list_of_settings_is_refused() -> None:
    """Python 3.13 has an error of its own for it."""
    with pytest.raises(ValueError, match=r"^/w: (AttributeError|MultilineContinuationError)$"):
        job_of_backupninja(" x\n  y\n[dest]\ndesturl = file:///b\n", "web", "/w")
    assert backupninja.default_when(" x\n  y\n") == "everyday at 01:00"


def test_when_that_is_not_understood_is_a_doubt() -> None:
    dest = "\n[dest]\ndesturl = file:///b\n"
    doubts = ("/w: when it runs is not understood",)
    assert job_of_backupninja(dest, "web", "/w", "noon").doubts == doubts
    assert job_of_backupninja(f"when = noon{dest}", "web", "/w").doubts == doubts
    assert job_of_backupninja(dest, "web", "/w", "Manual").doubts == ()
    assert job_of_backupninja(dest, "web", "/w", "daily at 07").get("schedule") == "0 7 * * *"


GPG = {"PASSPHRASE": "p", "SIGN_PASSPHRASE": "s", "FTP_PASSWORD": "f"}


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("s3+http://b", {"AWS_ACCESS_KEY_ID": "1", "AWS_SECRET_ACCESS_KEY": "2"}),
        ("cf+http://b",
         {"CLOUDFILES_USERNAME": "3", "CLOUDFILES_APIKEY": "4", "CLOUDFILES_AUTHURL": "5"}),
        ("dpbx:///b", {"DPBX_APP_KEY": "6", "DPBX_APP_SECRET": "7", "DPBX_ACCESS_TOKEN": "8"}),
        ("file:///s3+http:", {}),
    ],
)  # fmt: skip
def test_the_variables_of_each_destination(url: str, own: dict[str, str]) -> None:
    text = (
        f"[dest]\ndesturl = {url}\nftp_password = f\nawsaccesskeyid = 1\nawssecretaccesskey = 2\n"
        "cfusername = 3\ncfapikey = 4\ncfauthurl = 5\ndropboxappkey = 6\ndropboxappsecret = 7\n"
        "dropboxaccesstoken = 8\n[gpg]\npassword = p\nsignpassword = s\n"
    )
    assert job_of_backupninja(text, "web", "/w").environment == {**GPG, **own}
    less = text.replace("password = s", "password =").replace("ftp_password = f\n", "")
    assert job_of_backupninja(less, "web", "/w").environment == {"PASSPHRASE": "p", **own}
