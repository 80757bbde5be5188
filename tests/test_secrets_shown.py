"""Hiding each form of a password gives exactly the expected text, not only one without it."""

from __future__ import annotations

import pytest
from check_duplicity.secrets import Secrets, without_password

# Of each word on a command line: a text with the forms that its secret may have, and what is left.
WORDS = [
    # The password as it is, as URLs and as Python's reprs write it, in capitals and not.
    ("sftp://u:ge%40heim@h/x",
     "ge%40heim ge@heim ge%2540heim", "*** *** ***"),
    ("sftp://u:ge:heim+x@h/x",
     "ge:heim+x ge%3Aheim%2Bx ge%3aheim%2bx", "*** *** ***"),
    ("sftp://u:ge%2fheim@h/x",
     "ge%2fheim ge%2Fheim ge/heim ge%252fheim ge%252Fheim", "*** *** *** *** ge%252Fheim"),
    ("sftp://u:geh'eim\\x@h/x",
     r"geh'eim\x geh\'eim\\x geh%27eim%5Cx geh%27eim%5cx", "*** *** *** ***"),
    # As bash and dash print a quote with "set -x".
    ("sftp://u:geh'eim@h/x", r"""'geh'\''eim' 'geh'"'"'eim' geh'eim""", "'***' '***' ***"),
    # In a URL, wherever it is put; user, host and path stay.
    ("ftp://me@example.com:S3cretPw@127.0.0.1:1/x",
     "ftp://me@example.com:S3cretPw@127.0.0.1:1/x", "ftp://me@example.com:***@127.0.0.1:1/x"),
    ("imaps://me@gmail.com:S3cretPw@imap.gmail.com",
     "login S3cretPw at imaps://me@gmail.com:S3cretPw@imap.gmail.com",
     "login *** at imaps://me@gmail.com:***@imap.gmail.com"),
    ("ftp://user:1234/S3cretPw@h/x",
     "ftp://user:1234/S3cretPw@h/x port user:1234", "ftp://user:***@h/x port user:***"),
    ("webdav://b:S3cret Pw@127.0.0.1:1/x",
     "webdav://b:S3cret Pw@127.0.0.1:1/x", "webdav://b:***@127.0.0.1:1/x"),
    ("sftp://b:pa:S3cret#w?rd@h:1/x",
     "sftp://b:pa:S3cret#w?rd@h:1/x netloc b:pa:S3cret",
     "sftp://b:***@h:1/x netloc b:***"),
    ("sftp:/user:S3cretPw@h/x", "sftp:/user:S3cretPw@h/x", "sftp:/user:***@h/x"),
    ("sftp:user:S3cretPw@h", "sftp:user:S3cretPw@h", "sftp:user:***@h"),
    ("//user:S3cretPw@h/x", "//user:S3cretPw@h/x", "//user:***@h/x"),
    ("webdav://b:S3cretPw/127.0.0.1/x", "webdav://b:S3cretPw/127.0.0.1/x",
     "webdav://b:***/127.0.0.1/x"),
    # A short one is hidden in its URL, and behind its user, but not wherever it stands.
    ("sftp://u:abc@h/x", "sftp://u:abc@h/x as u:abc, abc", "sftp://u:***@h/x as u:***, abc"),
    ("sftp://u:abcd@h/x", "sftp://u:abcd@h/x as u:abcd, abcd", "sftp://u:***@h/x as u:***, ***"),
    # In what stands behind a "?", by the name.
    ("s3://b?secret=S3cretPw", "s3://b?secret=S3cretPw", "s3://b?secret=***"),
    ("swift://x?a=bcde&password=S3cretPw&c=defg", "a=bcde&password=S3cretPw&c=defg",
     "a=bcde&password=***"),
    ("b2://x?auth_key=S3cretPw", "it was S3cretPw", "it was ***"),
    ("b2://x?sig=S3cretPw", "it was S3cretPw", "it was ***"),
    ("b2://x?token=S3cretPw", "it was S3cretPw", "it was ***"),
    # In values of options.
    ("--gpg-options=--passphrase S3cretPw", "gpg --passphrase S3cretPw -d",
     "gpg --passphrase *** -d"),
    ("--ssh-options=-oProxyCommand='sshpass -p S3cretPw'",
     "sshpass -p S3cretPw ssh", "sshpass -p *** ssh"),
    ("--ssh-options=-oProxyCommand='sshpass -pS3cretPw'",
     "it was S3cretPw", "it was ***"),
    ("--ssh-options=-oProxyCommand=\"sshpass -p 'S3cret Pw' ssh\"",
     "it was S3cret Pw or 'S3cret Pw'", "it was *** or ***"),
    ("--gpg-options=--passwd=S3cretPw", "it was S3cretPw", "it was ***"),
    ("--x=access_key=S3cretPw", "it was S3cretPw", "it was ***"),
    ("--x=api-key=S3cretPw", "it was S3cretPw", "it was ***"),
    ("env PASSPHRASE=S3cretPw /usr/bin/duplicity", "it was S3cretPw", "it was ***"),
]  # fmt: skip


@pytest.mark.parametrize(("word", "text", "shown"), WORDS, ids=[word for word, *_ in WORDS])
def test_of_a_word(word: str, text: str, shown: str) -> None:
    assert Secrets({}, ["-d", word]).hide(text) == shown


# What is hidden in any text, with nothing known: behind a name, and in a URL.
TEXTS = [
    ("--ftp-password x1 /srv", "--ftp-password *** /srv"),
    ("--swift-auth-key=S3cret /srv", "--swift-auth-key=*** /srv"),
    ("--webdav-headers 'Authorization: Basic c2Vj' /", "--webdav-headers *** /"),
    ("--azure-account-key S3cret", "--azure-account-key ***"),
    ("--backend-key S3cret --access-key x", "--backend-key *** --access-key ***"),
    ("--x-token 'a b' c", "--x-token *** c"),
    ('--my-secrets "a \\" b"c d', "--my-secrets *** d"),
    ("--PASSWORD=S3 --passwd -v x", "--PASSWORD=*** --passwd -v x"),
    ("--passphrase   S3c x", "--passphrase   *** x"),
    ("--ftp-password=-S3c x", "--ftp-password=*** x"),  # An option can't be a value there.
    ("--credential S3 --api-key=S3 x", "--credential *** --api-key=*** x"),
    ("--encrypt-key AB12 --ftp-passive x --ssh-askpass x",
     "--encrypt-key AB12 --ftp-passive x --ssh-askpass x"),
    ("+ PASSPHRASE=abc duplicity", "+ PASSPHRASE=*** duplicity"),
    ("+ SIGN_PASSPHRASE='a b' x", "+ SIGN_PASSPHRASE=*** x"),
    ('+ FTP_PASSWORD="a b"c d', "+ FTP_PASSWORD=*** d"),
    (r"+ PASSPHRASE='geh'\''eim x' duplicity", "+ PASSPHRASE=*** duplicity"),
    ("""+ PASSPHRASE='geh'"'"'eim x' duplicity""", "+ PASSPHRASE=*** duplicity"),
    (r"+ PASSPHRASE=geh\ eim duplicity", "+ PASSPHRASE=*** duplicity"),
    (r"+ PASSPHRASE=$'a\tb\'c d' duplicity", "+ PASSPHRASE=*** duplicity"),
    ("+ PASSPHRASE='without its end", "+ PASSPHRASE=*** its end"),
    ("AWS_SECRET_ACCESS_KEY=abc X_TOKEN=a MY_PASSWD=a b",
     "AWS_SECRET_ACCESS_KEY=*** X_TOKEN=*** MY_PASSWD=*** b"),
    ("API_KEY=a APIKEY=b ACCESS_KEY_ID=c", "API_KEY=*** APIKEY=*** ACCESS_KEY_ID=***"),
    ("DB_PW=a X_PASS=b COMPASS=1 PATH=/bin", "DB_PW=*** X_PASS=*** COMPASS=1 PATH=/bin"),
    ("PW='a b' GANDI_API=abc1 API=true PIN=1 SAS='a b' PWD=/srv",
     "PW=*** GANDI_API=*** API=true PIN=*** SAS=*** PWD=/srv"),
    ("at sftp://u:p@h/x, ftp://:only@h and s3://b/x",
     "at sftp://u:***@h/x, ftp://:***@h and s3://b/x"),
    ("GET https://ghp_16C7e42F292c6912E7710c838347Ae178B4a@h/x", "GET https://***@h/x"),
    ("a PASSWORD=b at sftp://u:c@h --ftp-password d.",
     "a PASSWORD=*** at sftp://u:***@h --ftp-password ***"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "shown"), TEXTS)
def test_of_any_text(text: str, shown: str) -> None:
    assert Secrets({}).hide(text) == shown


# Of variables, by their names.
VARIABLES = [
    ({"PASSPHRASE": "tr0ub4dor"}, "tr0ub4dor, xtr0ub4dor-", "***, x***-"),
    ({"PASSPHRASE": "abc"}, "abc", "abc"),  # It would be found everywhere.
    ({"FTP_PASSWORD": "ge:heim/x"},
     "ge:heim/x ge%3Aheim/x ge%3aheim/x ge%3Aheim%2Fx ge%3aheim%2fx", "*** *** *** *** ***"),
    ({"PASSWORD": "a\tb\n\xe4"}, r"a\tb\nä a%09b%0A%C3%A4 a%09b%0a%c3%a4", "*** *** ***"),
    ({"PASSWORD": "abcd", "TOKEN": "abcdefgh"}, "abcdefgh abcd abcdefg", "*** *** ***efg"),
    ({"TARGET": "sftp://u:ge%40heim@h/x"},
     "sftp://u:ge%40heim@h/x ge@heim", "sftp://u:***@h/x ***"),
    ({"HOME": "/root", "ENCRYPT_KEY_NOT": "x1y2"}, "/root x1y2", "/root ***"),
    ({"PWD": "/srv/backup", "LANG": "C.UTF-8"}, "/srv/backup C.UTF-8", "/srv/backup C.UTF-8"),
]  # fmt: skip


@pytest.mark.parametrize(("environment", "text", "shown"), VARIABLES)
def test_of_a_variable(environment: dict[str, str], text: str, shown: str) -> None:
    assert Secrets(environment).hide(text) == shown


def test_what_is_learned_later_is_hidden_with_what_was_known() -> None:
    secrets = Secrets({"PASSPHRASE": "first1"}, ["--x-token", "second2"])
    secrets.learn({"PASSWORD": "third3"}, ["sftp://u:fourth4@h"])
    assert secrets.hide("first1 second2 third3 fourth4 fifth5") == "*** *** *** *** fifth5"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sftp://u:p@h/x", "sftp://u@h/x"),
        ("sftp://u@h/x", "sftp://u@h/x"),
        ("sftp://u:a@b@h/x", "sftp://u@h/x"),
        ("b2://id:k/s@b/d", "b2://id@b/d"),
        ("ftp://:only@h", "ftp://@h"),
        ("sftp://u:p/q@h:22//d", "sftp://u@h:22//d"),
        ("s3://b?KEY=1", "s3://b"),
        ("s3://b?x=1&token=2", "s3://b?x=1"),
        ("https://ghp_16C7e42F292c6912E7710c838347Ae178B4a@h/x", "https://***@h/x"),
        ("file:///srv/a:b", "file:///srv/a:b"),
    ],
)
def test_of_a_url_the_rest_stays(url: str, shown: str) -> None:
    assert without_password(url) == shown
