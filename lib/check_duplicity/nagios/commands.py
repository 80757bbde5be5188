"""A job's command lines, to be pasted: of duplicity, of its script, and of the checks for it."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence

from check_duplicity.lines import pasted
from check_duplicity.values import NamedTuple

# In a script, for grep: the rest of a URL, and what is exported.
REST = "[A-Za-z0-9_.~:/?#@!&()*+,;=%-]*"
_EXPORTS = "^ *export +[A-Za-z_][A-Za-z0-9_]*="


def before_secret(url: str) -> str:
    """Return a URL up to where its password is hidden."""
    return url.partition("***")[0].rstrip(":")


CHECKS_OF_DEBIAN = "/usr/lib/nagios/plugins"
"""Where Debian's package has the checks; the programs for people are in the ``PATH``."""


class Job(NamedTuple):
    """What the commands need to be right for one job; no secret is in it.

    ``check`` is the check's own command line, ``script`` what cron runs, as the shell reads it,
    ``logs`` where its runs are read; none is the user's mailbox.
    ``login`` tells whether ``sudo -i`` works for the user. ``url`` is empty where it is not known,
    ``directory`` is that of a ``file://`` URL that isn't there, ``stamp`` the time of the newest
    set, ``kept`` that of the full set that it builds on, and ``before`` that of the set that had
    most of the source, as duplicity writes them. ``programs``
    is the directory of the plugins. ``url_from`` is the file that has the URL with its password,
    ``url_reader`` who reads it, ``environment_from`` the script that exports what duplicity needs
    besides, such as PASSPHRASE, and ``environment_file`` the file that has nothing else.
    ``starter`` is who starts the script, if not the user; ``script_by`` who else can change what
    it runs, so that it is not offered, and ``others`` who else decides what duplicity would do.
    ``skips`` tells that a run that has nothing to back up leaves no backup. ``variables`` are those
    (``NAME=value``) that the job has besides, and that are no secret: GNUPGHOME ... ``job`` is its
    name, if it can be called by that, ``jobs_dir`` where its file is, if that isn't the usual
    place. ``drilling`` are options for a drill, ``restored`` duplicity's for what it has restored.
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
        """How to become the user, with that user's HOME: GPG must use that keyring."""
        return ("sudo", "-iu" if self.login else "-Hu", self.user, "--")

    @property
    def _env(self) -> list[str]:
        return ["env", *self.variables] if self.variables else []

    def gpg(self) -> str:
        """Return what gpg's arguments are to follow, with the keyring that the job has."""
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
            sudo[1] = "-Hu"  # sudo -i would put variables in their place.
        return "  " + pasted([*sudo, *words])

    def _with_secrets(self, words: Sequence[str]) -> str:
        """A line that takes secrets from where they are, so that it can be pasted as it is."""
        line = f'exec {pasted(words)} "$1"'
        if self.environment_file:
            line = f"set -a; . {shlex.quote(self.environment_file)}; {line}"
        elif self.environment_from:
            # What it exports only; nothing else of the script is run.
            exports = f"grep -hE {shlex.quote(_EXPORTS)} {shlex.quote(self.environment_from)}"
            line = f'eval "$({exports})"; {line}'
        url = pasted([self.url or "DESTINATION"])
        if self.url_from:
            found = re.escape(before_secret(self.url)) + REST
            words = ["grep", "-ohm1", found, self.url_from]
            url = f'"$({pasted([*_as(self.url_reader), *words])})"'
        return f"  {pasted(['sudo', '-Hu', self.user, '--', 'bash', '-c', line, '-'])} {url}"

    def again(self) -> str:
        """Return a line that runs what cron runs; as the one who starts it all of it."""
        words = (self.script or "SCRIPT").split()
        if any(shlex.quote(word) != word for word in words):
            words = ["sh", "-c", self.script]
        return self._replace(user=self.starter or self.user)._as_user(words)

    def log_check(self) -> str:
        """Return a line that tells what the last runs said."""
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
        """Return a line that prints what the job's file would be."""
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
        # With the passphrase of whoever types this: none other is known.
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
