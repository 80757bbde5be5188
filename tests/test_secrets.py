from __future__ import annotations

import string

import pytest
from check_duplicity.secrets import Secrets
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("sftp://user:geheim@host/x", "sftp://user:***@host/x"),
        ("at sftp://user:g:h@i@host:22//x.", "at sftp://user:***@host:22//x."),
        ("b2://id:key@bucket and s3://u:p@b", "b2://id:***@bucket and s3://u:***@b"),
        ("ftp://:only@host", "ftp://:***@host"),
        ("rsync://host:873/dir", "rsync://host:873/dir"),
        ("sftp://user@host/x", "sftp://user@host/x"),
        ("file:///a:b@c", "file:///a:b@c"),
    ],
)
def test_the_password_in_a_url_is_hidden(text: str, hidden: str) -> None:
    assert Secrets({}).hide(text) == hidden


def test_the_password_of_the_url_is_hidden_wherever_it_comes_again() -> None:
    secrets = Secrets({}, ["-d", "sftp://user:ge%40heim@host/x"])
    assert secrets.hide("login with ge@heim or ge%40heim failed") == "login with *** or *** failed"


def test_a_password_with_a_slash_is_hidden_though_the_url_is_wrong() -> None:
    secrets = Secrets({}, ["-d", "ftp://user:ge/heim@host/x"])
    # What duplicity 3.2.1 says of such a URL.
    said = "Syntax error (port) in: ftp://user:ge/heim@host/x AFalse BNone Cuser:ge"
    assert secrets.hide(said) == "Syntax error (port) in: ftp://***@host/x AFalse BNone C***"


@pytest.mark.parametrize(
    "name", ["PASSPHRASE", "SIGN_PASSPHRASE", "FTP_PASSWORD", "AWS_SECRET_ACCESS_KEY",
             "AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN", "SWIFT_PASSWORD", "B2_APPLICATION_KEY",
             "AZURE_CONNECTION_STRING", "OS_PASSWORD", "GOOGLE_APPLICATION_CREDENTIALS"],
)  # fmt: skip
def test_secrets_of_the_environment_are_hidden(name: str) -> None:
    assert Secrets({name: "tr0ub4dor"}).hide("it was tr0ub4dor!") == "it was ***!"


@pytest.mark.parametrize(
    "word",
    [
        "ftp://me@example.com:S3cretPw@127.0.0.1:1/x",
        "imaps://me@gmail.com:S3cretPw@imap.gmail.com",
        "ftp://user:1234/S3cretPw@h/x",
        "webdav://b:S3cret Pw@127.0.0.1:1/x",
        "sftp://backup:pa:S3cret#w?rd@127.0.0.1:1/x",
        "sftp:/user:S3cretPw@h/x",
        "sftp:user:S3cretPw@h",
        "//user:S3cretPw@h/x",
        "webdav://b:S3cretPw/127.0.0.1/x",
        "s3://b?secret=S3cretPw",
        "swift://x?a=b&password=S3cretPw",
        "--gpg-options=--passphrase S3cretPw",
        "--ssh-options=-oProxyCommand='sshpass -p S3cretPw'",
        "--swift-auth-key=S3cretPw",
        "env PASSPHRASE=S3cretPw /usr/bin/duplicity",
    ],
)
def test_secrets_are_found_where_people_put_them(word: str) -> None:
    hidden = Secrets({}, ["-d", word]).hide(f"{word} and what duplicity makes of it: {word!r}")
    assert "S3cret" not in hidden


@pytest.mark.parametrize(
    "word",
    ["rsync://host:873/dir", "rsync://host::/module/dir", "file:///srv/a:b", "--ssh-askpass",
     "sftp://user@host//dir", "s3://bucket/dir", "--encrypt-key=1A2B3C4D", "b2://bucket",
     "/srv/backup", "32h",
     "sftp://h:22//x"],
)  # fmt: skip
def test_words_without_a_secret_stay_as_they_are(word: str) -> None:
    assert Secrets({}, [word, "--s3-use-glacier"]).hide(f"{word} --s3-use-glacier") == (
        f"{word} --s3-use-glacier"
    )


def test_a_secret_that_is_no_text_is_one_all_the_same() -> None:
    assert Secrets({"PASSPHRASE": "p\udce4ssword"}).hide("p\udce4ssword") == "***"


def test_a_longer_secret_is_hidden_whole() -> None:
    secrets = Secrets({"PASSWORD": "abcd", "TOKEN": "abcdefgh"})
    assert secrets.hide("abcdefgh") == "***"


def test_secrets_in_options_are_hidden() -> None:
    secrets = Secrets({}, ["--webdav-headers", "Authorization: Basic c2VjcmV0", "--x-token=12345"])
    assert secrets.hide("sent Authorization: Basic c2VjcmV0 and 12345") == "sent *** and ***"


def test_what_is_no_secret_stays() -> None:
    secrets = Secrets({"HOME": "/root", "LANG": "C.UTF-8", "KEY": "1"}, ["--encrypt-key", "1A2B3C"])
    assert secrets.hide("/root C.UTF-8 1 --encrypt-key 1A2B3C") == (
        "/root C.UTF-8 1 --encrypt-key 1A2B3C"
    )


@given(st.text(string.ascii_letters + string.digits + "-._~!$&'()*+,;=%:@", min_size=4), st.text())
def test_a_password_never_comes_through(password: str, text: str) -> None:
    url = f"sftp://user:{password}@host/dir"
    hidden = Secrets({}, [url]).hide(f"{text}{url}{password}{text}")
    assert password not in hidden.replace(text, "")
