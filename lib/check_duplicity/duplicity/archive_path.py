"""Find the archive directory, where duplicity keeps its copy of a job's metadata."""

from __future__ import annotations

import os


def archive_path(url: str, archive_dir: str | None, name: str | None) -> str:
    """Return the directory that duplicity uses for a job.

    The defaults are duplicity's own, the same from 0.8 to 3.2: ``~/.cache/duplicity`` (or below
    ``$XDG_CACHE_HOME``); the name is the MD5 of the destination's URL, as it is written.
    """
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    root = os.path.expanduser(archive_dir or os.path.join(cache, "duplicity"))
    if name:
        return os.path.join(root, name)
    import hashlib  # slow to load

    digest = hashlib.md5(url.encode(errors="surrogateescape"), usedforsecurity=False)
    return os.path.join(root, digest.hexdigest())
