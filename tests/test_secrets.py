from __future__ import annotations

import string

import pytest
from check_duplicity.secrets import Secrets, without_password
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
    assert (
        secrets.hide(said) == "Syntax error (port) in: ftp://user:***@host/x AFalse BNone Cuser:***"
    )


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


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sftp://u:abc@def/ghi@host/x", "sftp://u:***@host/x"),
        ("sftp://u:ab://c:d@de/f@host", "sftp://u:***@host"),
        ("sftp://u:a PASSWORD=b/c@host", "sftp://u:***"),
        ("ftp://user:1234/S3cretPw@h/x", "ftp://user:***@h/x"),
        ("ftp://user:a/b@h/x", "ftp://user:***@h/x"),
    ],
)
def test_no_part_of_a_password_is_left(url: str, shown: str) -> None:
    assert Secrets({}, ["-d", url]).hide(url) == shown


def test_a_secret_that_has_another_one_in_it_is_hidden_whole() -> None:
    assert Secrets({"PASSPHRASE": "my TOKEN=x in here"}).hide("my TOKEN=x in here") == "***"
    assert Secrets({}).hide("--password='a b'c d") == "--password=*** d"


def test_no_password_is_hidden_nowhere() -> None:
    assert Secrets({}, ["sftp://user:#x@h"]).hide("for user: none") == "for user: none"


@pytest.mark.parametrize(
    "text",
    [
        "--webdav-headers",
        "---ssh-askpass",
        "?pass",
        "&token",
        "PASSWORD",
        "/PASSWORD",
        "://u:",
        "://u@",
        "://uuuuuuuuuuuuuuuuuuuuuuuu",
        "A_PW",
        "PIN_",
        "--a",
    ],
)
def test_no_text_takes_long(text: str) -> None:
    text *= 200_000 // len(text)  # In quadratic time this would take many minutes.
    assert Secrets({}).hide(text + "=") == text + "="
    assert without_password(f"x://{text}").startswith("x://")


TOKENS = [
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "glpat-3xAmpl3-t0k3n_0f20ch",
    *(
        f"{make}aaaaaaaaaa"
        for make in (
            "gho_",
            "github_pat_",
            "glpat-",
            "xoxb-",
            "sk-",
            "sk_",
            "dop_v1_",
        )
    ),
    "AKIAIOSFODNN7EXAMPLE",
    "ASIAIOSFODNN7EXAMPLE",
    "qZrTkLwXpBnMsVdF",
    "MFRGG2DFMZTWQ2LK3TYE",
    "123e4567-e89b-12d3-a456-426614174000",
    "9f86d081884c7d659a2feaa0c55ad015",
    "v1StGXR8Z5jdHi6BmyT3",
    "backup-v1StGXR8Z5jdHi6BmyT3",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9",
    "abcdefghijklmnopqrstuvwxyzabcdefghi",
]
NAMES = [
    "backup", "root", "u123456-sub1", "u123456", "de1234", "www-data", "govuk-backup",
    "govuk-backup-production01", "web01-db02-eu1-backup3", "BackupServiceUser", "backup_2026",
    "mysql8backupserver", "k8sclusterbackup01", "s3backupproduction", "first.last",
    "mystorage123.backup.localuser1", "first.last1234%40gmail.com", "administrator",
    "systemd-network", "a1b2c3", "BACKUPSERVERPROD01", "svc_Backup_PRD01", "12345678",
    "gho_aaaaaaaaa", "github_pat_aaaaaaaaa", "sk-aaaaaaaaa", "AKIAIOSFODN", "xox-aaaaaaaaaa",
]  # fmt: skip


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("url", ["https://{}@h/x", "sftp://{}@h//x", "ftp://{}:x-oauth-basic@h",
                                 "git+https://{}:@h/x"])  # fmt: skip
def test_a_token_in_the_place_of_the_user_is_hidden(url: str, token: str) -> None:
    url = url.format(token)
    assert Secrets({}).hide(f"cannot open {url}: refused") == (
        f"cannot open {url.replace(token, '***').replace('x-oauth-basic', '***')}: refused"
    )
    assert token not in without_password(url)
    for secrets in (Secrets({}, ["-d", url]), Secrets({"TARGET": url})):
        assert secrets.hide(f"{token} was refused") == "*** was refused"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("url", ["sftp://{}@host/x", "rsync://{}@host//x", "webdavs://{}@h/x",
                                 "b2://{}:@bucket"])  # fmt: skip
def test_a_name_in_the_place_of_the_user_stays(url: str, name: str) -> None:
    line = f"Connecting to {url.format(name)} as {name}"
    assert Secrets({}).hide(line) == line
    assert Secrets({"TARGET": url.format(name)}, [url.format(name)]).hide(line) == line


@pytest.mark.parametrize(
    ("url", "hidden"),
    [("https://git@h/x", "https://git@h/x"), ("https://first.last@h", "https://first.last@h"),
     ("https://backup01@h", "https://backup01@h"), ("https://k3y4me@h", "https://***@h"),
     ("HTTPS://a-1-b@h", "HTTPS://***@h"), ("xhttps://k3y4me@h", "xhttps://***@h"),
     ("http://h/x@y", "http://h/x@y"), ("http://h?a=b@c", "http://h?a=b@c")],
)  # fmt: skip
def test_https_knows_no_users_but_plain_words(url: str, hidden: str) -> None:
    assert Secrets({}).hide(f"GET {url} failed") == f"GET {hidden} failed"


@given(st.text(string.ascii_lowercase + string.digits + "-._", max_size=15))
def test_no_short_name_is_a_token(name: str) -> None:
    assert Secrets({}).hide(f"sftp://{name}@host/x") == f"sftp://{name}@host/x"


@pytest.mark.parametrize(
    "name", ["API", "GANDI_API", "PSW", "FTP_PSW", "PW", "DB_PW", "MYSQL_PWD", "PIN", "SAS",
             "AZURE_SAS", "DSN", "SENTRY_DSN", "psw"],
)  # fmt: skip
def test_short_names_of_secrets_are_known(name: str) -> None:
    secrets = Secrets({name: "tr0ub4dor"})
    assert secrets.hide("it was tr0ub4dor!") == "it was ***!"
    if name.isupper():
        assert Secrets({}).hide(f"+ {name}='tr0ub4dor' duplicity /") == f"+ {name}=*** duplicity /"


@pytest.mark.parametrize(
    ("name", "value"),
    [("MAPI", "yes"), ("MAPI", "mailbox1"), ("API", "true"), ("USE_API", "enabled"),
     ("API_HOST", "api.example.org"), ("PIN_COUNT", "2026"), ("SPIN", "round12"),
     ("PWD", "/srv/backup"), ("OLDPWD", "/root/x1"), ("SAS", "none"), ("PWA", "build1"),
     ("DSN", "sftp://backup@host/srv"), ("API", "https://api.example.org/v1")],
)  # fmt: skip
def test_words_of_variables_without_a_secret_stay(name: str, value: str) -> None:
    line = f"{value}: backup of {value} to {value}"
    assert Secrets({name: value}).hide(line) == line
    assert Secrets({}).hide(f"+ {name}={value}") == f"+ {name}={value}"


def test_of_a_dsn_only_the_secret_is_hidden() -> None:
    url = "https://9f86d081884c7d659a2feaa0c55ad015@sentry.example.org/1"
    secrets = Secrets({"SENTRY_DSN": url})
    assert secrets.hide(f"told {url}") == "told https://***@sentry.example.org/1"


@pytest.mark.parametrize(
    ("user", "is_token"),
    [
        ("aaaBaaaBaaaBaaaB", True),  # four changes in 16 letters
        ("aaaaBaaaaBaaaaBa", False),  # three
        ("aaaBaaaBaaaBaaaBa", False),  # four in 17
        ("aaaBaaaBaaaBaaB", False),  # four in 15: too short
        ("aaa1aaaaaaaa1aaa", True),  # to a digit and back is two
        ("aaaaaaaaaaaa1aaa", False),
        ("Aaaaaaaaaaaaa1aa", False),
        ("AAAAAAA1AAAAAAAA", True),  # in capitals each counts twice
        ("AAAAAAAAAAAAAAA1", False),
        ("a" * 32, False),
        ("a" * 33, True),
        ("backup-aaaBaaaBaaaBaaaB", True),
        ("backup_aaaBaaaBaaaBaaaB.x", True),
        ("aaaBaaaB-aaaBaaaB", False),
    ],
)
def test_a_token_is_longer_or_more_mixed_than_a_name(user: str, is_token: bool) -> None:
    shown = "***" if is_token else user
    assert without_password(f"sftp://{user}@h/x") == f"sftp://{shown}@h/x"
    assert Secrets({}).hide(f"sftp://{user}@h/x") == f"sftp://{shown}@h/x"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("MY_PWD=geheim1 x", "MY_PWD=*** x"), ("MY_PW='geheim 1' x", "MY_PW=*** x"),
        ("PWD=/srv/geheim x", "PWD=/srv/geheim x"), ("OLDPWD=/srv/geheim x",) * 2,
    ],
)  # fmt: skip
def test_a_short_name_is_judged_with_all_that_stands_before_it(line: str, shown: str) -> None:
    assert Secrets({}).hide(line) == shown
