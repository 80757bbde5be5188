"""Make hosts below a directory, with crontabs, scripts, timers and profiles; find their jobs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Union

from check_duplicity.jobs import job_file
from check_duplicity.jobs.model import Known

Files = dict[str, Union[str, bytes]]

SPOOL = "/var/spool/cron/crontabs/root"
UNITS = "/etc/systemd/system"
JOBS_D = "/etc/check-duplicity/jobs.d"


def cron(*lines: str) -> Files:
    """Return root's own crontab."""
    return {SPOOL: "\n".join(lines) + "\n"}


def script(text: str | bytes) -> Files:
    """Return a script, and a crontab that runs it every night."""
    return {SPOOL: "0 2 * * * /s/web.sh\n", "/s/web.sh": text}


def timer(calendar: str, service: str) -> Files:
    return {
        f"{UNITS}/web.timer": f"[Timer]\n{calendar}\n[Install]\nWantedBy=timers.target\n",
        f"{UNITS}/web.service": f"[Service]\nType=oneshot\n{service}\n",
    }


def duply(text: str) -> Files:
    return {"/etc/duply/web/conf": text}


def write(root: Path, files: Mapping[str, str | bytes]) -> None:
    for path, content in files.items():
        file = root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.parent.chmod(0o755)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        file.chmod(0o600)


def told(known: Known) -> dict[str, str]:
    """Return all facts of a job, without the environment that every account has."""
    own = ("HOME", "LOGNAME", "USER")
    variables = [f"{name}={v}" for name, v in known.environment.items() if name not in own]
    return {
        **{key: known.get(key) for key in job_file.KEYS},
        "environment": " ".join(variables),
        "doubts": "; ".join(known.doubts),
    }
