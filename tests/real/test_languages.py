"""The check recognises a failure in every language in which duplicity has messages.

Python looks for messages by LANGUAGE below its own prefix, so a sitecustomize gives it the path of
the tested duplicity's. The locales are real, so that gpg and the C library use the language, too;
.ci/run makes them. A language without a locale in the C library uses another one's locale.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from email.utils import formatdate
from pathlib import Path

import pytest
from check_duplicity.runs import files, judge
from check_duplicity.runs.paths import Log
from lab import DUPLICITIES, ENVIRONMENT
from plugin import run_plugin

SITE = "import gettext, os\ngettext._default_localedir = os.environ['MESSAGES']\n"
VERBOSITIES: tuple[tuple[str, ...], ...] = ((), ("-v0",))
DAY = 86400
NOW = time.time()


def languages(duplicity: Path) -> list[str]:
    """Return the languages for which a duplicity has compiled messages."""
    found = messages(duplicity).glob("*/LC_MESSAGES/duplicity.mo")
    return sorted(path.parent.parent.name for path in found)


def messages(duplicity: Path) -> Path:
    prefix = duplicity.resolve().parent.parent
    return prefix / "share/locale"


def newest() -> list[Path]:
    """Return the newest duplicity; other tests check older messages without running them."""
    found = Path(DUPLICITIES).glob("*/bin/duplicity") if DUPLICITIES else ()
    return sorted(found, key=lambda path: [int(n) for n in re.findall(r"\d+", path.parts[-3])])[-1:]


CASES = [(duplicity, language) for duplicity in newest() for language in languages(duplicity)]


def locale_of(language: str) -> str | None:
    """Return the name of a real locale of a language, if need be another country's."""
    made = subprocess.run(["locale", "-a"], capture_output=True, text=True, check=True).stdout
    speaks = re.compile(
        rf"{language.partition('_')[0].partition('@')[0]}(?:_\w+)?(?:\.utf-?8)?(?:@\w+)?", re.I
    )
    theirs = [name for name in made.split() if speaks.fullmatch(name)]
    exact = [name for name in theirs if name.startswith(f"{language.partition('@')[0]}.")]
    return next(iter([*exact, *theirs]), None)


class Speaker:
    """A duplicity that speaks a language, and a source that it fails to back up.

    Used as a context, it ends the gpg-agent that gpg leaves behind.
    """

    def __init__(self, duplicity: Path, language: str, directory: Path) -> None:
        self.duplicity, self.directory = duplicity, directory
        (directory / "source").mkdir()
        (directory / "source/file").write_bytes(os.urandom(1000))
        (directory / "file").write_text("no directory\n")
        (directory / "home/.gnupg").mkdir(mode=0o700, parents=True)
        (directory / "site").mkdir()
        (directory / "tmp").mkdir()
        (directory / "site/sitecustomize.py").write_text(SITE)
        self.environment = {
            **ENVIRONMENT,
            "HOME": str(directory / "home"),
            "TMPDIR": str(directory / "tmp"),
            "LC_ALL": locale_of(language) or locale_of("en") or "C.UTF-8",
            "LANGUAGE": language,
            "MESSAGES": str(messages(duplicity)),
            "PYTHONPATH": str(directory / "site"),
        }

    def __enter__(self) -> Speaker:
        return self

    def __exit__(self, *exception: object) -> None:
        subprocess.run(["gpgconf", "--kill", "gpg-agent"], env=self.environment, check=False)

    def run(self, *options: object, url: str = "", status: int | None = None) -> str:
        """Run it, and return what it prints; it fails, if no status is given."""
        line = [
            self.duplicity, *options, "--num-retries", "1",
            "--archive-dir", self.directory / "archive", self.directory / "source", url or f"file://{self.directory}/there",
        ]  # fmt: skip
        done = subprocess.run(
            list(map(str, line)), env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        said = done.stdout.decode("utf-8", "replace")
        assert (done.returncode == status) if status is not None else done.returncode, said
        return said

    def failures(self, verbosity: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        """Yield ways to fail, and the output of each."""
        plain = ("full", *verbosity, "--no-encryption")
        nowhere = f"file://{self.directory}/file/below"
        yield "destination", self.run(*plain, url=nowhere)
        yield "key", self.run("full", *verbosity, "--encrypt-key", "0123456789ABCDEF")
        source = self.directory / "source"
        source.rename(source.with_name("away"))
        yield "source", self.run(*plain)
        source.with_name("away").rename(source)


def told(path: Path) -> bool:
    """Return whether the check isn't OK."""
    runs = files.look(Log(str(path)), {}, files.Look(NOW + 60, NOW - 8 * DAY, str)).runs
    found = judge.verdicts(runs, NOW - 8 * DAY)
    return not found or any(verdict.told for verdict in found)


def mail(text: str, *, failed: bool, ago: float = 0) -> str:
    date = datetime.fromtimestamp(NOW - ago, timezone.utc)
    return (
        f"From a@host {date:%a %b %d %H:%M:%S %Y}\nDate: {formatdate(NOW - ago)}\n"
        f"Subject: Cron <a@host> /srv/duplicity.sh{' (failed)' if failed else ''}\n"
        f"Content-Type: text/plain; charset=UTF-8\n\n{text}\n"
    )


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("spoken_by", "language"),
    CASES
    or [pytest.param(None, "", marks=pytest.mark.skip(reason="DUPLICITIES names no duplicity"))],
    ids=[f"{duplicity.parts[-3]}-{language}" for duplicity, language in CASES] or ["none"],
)
def test_a_failure_is_one_in_every_language(spoken_by: Path, language: str, tmp_path: Path) -> None:
    """Quiet or not, in a log and in a mail: never OK, not even behind a good run."""
    if locale_of("de") is None or locale_of("fr") is None:
        pytest.skip("no locales are made: apt-get install locales-all")
    log, mbox = tmp_path / "b.log", tmp_path / "mbox"
    with Speaker(spoken_by, language, tmp_path) as speaker:
        good = speaker.run("full", "--no-encryption", status=0)
        log.write_text(good)
        assert not told(log)
        for verbosity in VERBOSITIES:
            for way, said in speaker.failures(verbosity):
                where = f"{way} {verbosity}: {said}"
                if said.strip():
                    log.write_text(good + said)
                    assert told(log), where
                    log.write_text(said)
                    assert told(log), where
                    mbox.write_text(mail(good, failed=False, ago=DAY) + mail(said, failed=False))
                    assert told(mbox), where
                mbox.write_text(mail(good, failed=False, ago=DAY) + mail(said, failed=True))
                assert told(mbox), where
    assert run_plugin("check_duplicity_log", [log]).status == 2
