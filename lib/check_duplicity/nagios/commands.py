"""Make a job's command lines for pasting: of duplicity, of its script and of its checks."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence

from check_duplicity.lines import pasted
from check_duplicity.values import NamedTuple

# For grep in a script: the rest of a URL, and exported variables.
REST = "[A-Za-z0-9_.~:/?#@!&()*+,;=%-]*"
_EXPORTS = "^ *export +[A-Za-z_][A-Za-z0-9_]*="


def before_secret(url: str) -> str:
    """Return the part of a URL before its hidden password."""
    return url.partition("***")[0].rstrip(":")


CHECKS_OF_DEBIAN = "/usr/lib/nagios/plugins"
"""The directory of the checks in Debian's package; the programs for people are in the ``PATH``."""


class Job(NamedTuple):
    """The facts of one job that its commands need; none of them is a secret.

    ``check`` is the check's own command line, ``script`` the command that cron runs, in the shell's
    syntax, ``logs`` the places of its runs' logs; without any it is the user's mailbox.
    ``login`` tells whether ``sudo -i`` works for the user. ``url`` is empty if unknown,
    ``directory`` the missing directory of a ``file://`` URL, ``stamp`` the time of the newest set,
    ``kept`` the time of the full set that it builds on, and ``before`` the time of the set that had
    most of the source, all as duplicity writes times. ``programs`` is the directory of the plugins.
    ``url_from`` is the file that has the URL with its password, ``url_reader`` the user who reads
    it, ``environment_from`` the script that exports duplicity's other variables, such as
    PASSPHRASE, and ``environment_file`` a file with only such variables. ``starter`` is the user
    who starts the script, if not the job's user; ``script_by`` other users who can change what it
    runs (then it isn't offered), and ``others`` other users who decide what duplicity would do.
    ``skips`` tells that a run with nothing to back up leaves no backup. ``variables`` are the job's
    other variables (``NAME=value``) that are no secret, such as GNUPGHOME. ``job`` is its name, if
    ``--job`` can find it, ``jobs_dir`` the directory of its file, if that isn't the usual one.
    ``drilling`` are options for a drill, ``restored`` duplicity's options for a restored path.
    """

    user: str
    check: str = ""
    script: str = ""
    logs: tuple[str, ...] = ()
    login: bool = True
    url: str = ""
    archive_dir: str | None = None
    name: str | None = None
    options: tuple[str, ...] = ()
    command: tuple[str, ...] = ("duplicity",)
    directory: str = ""
    stamp: str = ""
    kept: str = ""
    before: str = ""
    programs: str = ""
    encrypted: bool | None = None
    url_from: str = ""
    url_reader: str = "root"
    environment_from: str = ""
    environment_file: str = ""
    starter: str = ""
    script_by: str = ""
    others: str = ""
    skips: bool = False
    variables: tuple[str, ...] = ()
    job: str = ""
    jobs_dir: str = ""
    drilling: tuple[str, ...] = ()
    restored: tuple[str, ...] = ("-r", "PATH")

    @property
    def sudo(self) -> tuple[str, ...]:
        """The words that run the rest as the user, with that user's HOME and so GPG's keyring."""
        return ("sudo", "-iu" if self.login else "-Hu", self.user, "--")

    @property
    def _env(self) -> list[str]:
        return ["env", *self.variables] if self.variables else []

    def gpg(self) -> str:
        """Return a command line that gpg's arguments can follow, with the job's keyring."""
        return pasted([*self.sudo, *self._env, "gpg"])

    def duplicity(self, action: str, *arguments: str) -> str:
        """Return a line that runs duplicity as the job does."""
        words = [*self._env, *self.command, action, *arguments]
        if self.archive_dir:
            words += ["--archive-dir", self.archive_dir]
        if self.name:
            words += ["--name", self.name]
        words += self.options
        if self.url_from or self.environment_from or self.environment_file:
            return self._with_secrets(words)
        return self._as_user([*words, self.url or "DESTINATION"])

    def _as_user(self, words: Sequence[str]) -> str:
        sudo = list(self.sudo)
        if any("$" in word for word in words):
            sudo[1] = "-Hu"  # sudo -i would expand variables.
        return "  " + pasted([*sudo, *words])

    def _with_secrets(self, words: Sequence[str]) -> str:
        """Return a line that reads secrets from the job's files and can be pasted unchanged."""
        line = f'exec {pasted(words)} "$1"'
        if self.environment_file:
            line = f"set -a; . {shlex.quote(self.environment_file)}; {line}"
        elif self.environment_from:
            # Only the script's exports are run.
            exports = f"grep -hE {shlex.quote(_EXPORTS)} {shlex.quote(self.environment_from)}"
            line = f'eval "$({exports})"; {line}'
        url = pasted([self.url or "DESTINATION"])
        if self.url_from:
            found = re.escape(before_secret(self.url)) + REST
            words = ["grep", "-ohm1", found, self.url_from]
            url = f'"$({pasted([*_as(self.url_reader), *words])})"'
        return f"  {pasted(['sudo', '-Hu', self.user, '--', 'bash', '-c', line, '-'])} {url}"

    def again(self) -> str:
        """Return a line that runs what cron runs, as the user who starts the script."""
        words = (self.script or "SCRIPT").split()
        if any(shlex.quote(word) != word for word in words):
            words = ["sh", "-c", self.script]
        return self._replace(user=self.starter or self.user)._as_user(words)

    def log_check(self) -> str:
        """Return a line that shows what the last runs said."""
        if self.logs == ("/dev/null",):
            return "  (what it says is thrown away, and only seen when it is run by hand)"
        words = [os.path.join(self.programs, "check_duplicity_log"), "-u", self.user, *self.logs]
        return "  " + pasted(["sudo", *words])

    def process_check(self) -> str:
        """Return a line that tells whether a backup of the job is running."""
        words = [os.path.join(self.programs, "check_duplicity_process"), "-u", self.user]
        for option, value in (("-d", self.url), ("-a", self.archive_dir), ("-n", self.name)):
            words += [option, value] if value else []
        return "  " + pasted([*_as(self.user), *words])

    def ini(self) -> str:
        """Return a line that prints a job file for the job."""
        program = "duplicity_triage"
        if self.programs != CHECKS_OF_DEBIAN:
            program = os.path.join(self.programs, program)
        name = self.job or "JOB"
        place = ["--jobs-dir", self.jobs_dir] if self.jobs_dir else []
        return "  " + pasted(["sudo", program, name, "--list-jobs", "--ini", *place])

    def drill(self) -> str:
        """Return a line that makes a drill."""
        program = "duplicity_drill"
        if self.programs != CHECKS_OF_DEBIAN:
            program = os.path.join(self.programs, program)
        if self.job:
            place = ["--jobs-dir", self.jobs_dir] if self.jobs_dir else []
            return "  " + pasted(["sudo", program, "-j", self.job, *place, *self.drilling])
        # With the passphrase of the person who types this: no other is known.
        words = [
            "sudo",
            "--preserve-env=PASSPHRASE",
            "-u",
            self.user,
            "--",
            *self._env,
            program,
            "-d",
            self.url or "DESTINATION",
        ]
        command = "" if self.command == ("duplicity",) else shlex.join(self.command)
        named = ("-a", self.archive_dir), ("-n", self.name), ("--duplicity", command)
        for option, value in named:
            words += [option, value] if value else []
        words += self.drilling
        return "  " + pasted([*words, *(("--", *self.options) if self.options else ())])


def _as(user: str) -> list[str]:
    return ["sudo"] if user == "root" else ["sudo", "-u", user, "--"]
