"""Define the kinds of findings, and the error of a check that can't see."""

from __future__ import annotations

from enum import Enum, IntEnum

from check_duplicity.values import NamedTuple


class State(IntEnum):
    """The states of the Nagios plugin API, which are its exit statuses."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


class Kind(Enum):
    """Every kind of finding; each has one entry in the table of advice and on a page in docs/."""

    NO_DESTINATION = "no destination"
    MISSING_VOLUMES = "missing volumes"
    SPOILED = "files empty or cut short"
    ROTTEN = "volume changed since it was written"
    DOUBLED = "files there twice"
    MISSING_MANIFEST = "missing manifest"
    FULL_GONE = "full backup gone"
    NO_BACKUP = "no backup"
    OLD_DAMAGE = "missing volumes in an older chain"
    NOT_RESTORED = "not restored"
    NOT_IN_BACKUP = "not in the backup"
    OTHER_CONTENTS = "restored file differs from its source"
    SHRUNK = "source shrunk"
    NOT_ENCRYPTED = "not encrypted"
    IN_PROGRESS = "backup in progress"
    NOT_STARTED = "not started"
    NO_STARTER = "nothing found that starts it"
    NOT_MONITORED = "not monitored"
    STALE = "stale"
    STALE_FULL = "stale full backup"
    CHAIN = "chain length"
    FULLS = "full backups kept"
    HISTORY = "history kept"
    DRILL_STALE = "last good drill too old"
    NOT_PROVED = "share of the volumes proved"
    NO_DRILL = "drill not possible"
    NO_SECRET_KEY = "no secret key for a drill"  # nosec B105  # of a key, not one
    NO_PASSPHRASE = "no passphrase for a drill"  # nosec B105  # of a passphrase, not one
    NO_ROOM = "no space for a drill"
    SOURCE_SIZE = "size of the source"
    BACKUP_SIZE = "size of the backup"
    DURATION = "run time"
    FUTURE = "backup in the future"
    INTERRUPTED = "interrupted backup"
    ORPHANED = "orphaned backup sets"
    INCOMPLETE = "incomplete backup sets"
    NOT_RUNNING = "not running"
    WAITING = "waiting for a passphrase"
    STALLED = "stalled"
    TOO_LONG = "running too long"
    TWO_BACKUPS = "two backups at once"
    ZOMBIE = "zombie"
    # Found in the runs' output; of the causes of a failure, the most telling comes first.
    LOCKED = "archive directory locked"
    HOST_KEY = "host key refused"
    LOGIN = "login refused"
    MODULE = "module missing"
    NO_SPACE = "no space at the destination"
    NO_LOCAL_SPACE = "no space on this machine"
    CONNECTION = "destination not reached"
    PERMISSION = "permission denied"
    NO_KEY = "GPG key missing"
    WRONG_PASSPHRASE = "wrong passphrase or key"  # nosec B105  # of a passphrase, not one
    PASSPHRASE = "passphrase wanted"  # nosec B105  # of a passphrase, not one
    SOURCE_CHANGED = "source changed"
    SOURCE_MISSING = "source missing"
    OPTIONS = "command line refused"
    NO_SIGNATURES = "no signatures for an incremental"
    KILLED = "run ended before it was done"
    GPG = "GPG failed"
    RUN_FAILED = "failed run"
    SCRIPT_FAILED = "script failed behind a good backup"
    SEVERAL_JOBS = "several jobs in one log"
    SKIPPED = "files skipped"
    DISCARDED = "last set ignored"
    ORPHANED_SIGNATURES = "orphaned signatures"
    UNMATCHED_SIGNATURES = "signatures without backup"
    DIFFERS = "differences"
    UNCLEAR = "run without an end"
    # The check can't see: UNKNOWN.
    NEVER_DRILLED = "never drilled"
    NO_NEWS = "no run to judge"
    HIDDEN = "processes hidden"
    NO_MEMORY = "progress not known"
    USAGE = "wrong usage"
    NO_JOB = "no such job"
    NOT_ALL_SEEN = "not all jobs seen"
    WRONG_USER = "wrong user"
    OTHERS_DECIDE = "others decide"
    NO_DUPLICITY = "duplicity cannot be run"
    DUPLICITY_FAILED = "duplicity failed"
    TIMEOUT = "no answer in time"
    NOT_READABLE = "not readable"
    NOT_RECOGNISED = "nothing recognised"
    NOT_WRITTEN = "file not written"
    ENDED = "ended by a signal"
    INTERNAL = "error in the plugin"


class Finding(NamedTuple):
    """A fact with its reason: a kind, a state and one sentence.

    ``job`` is its job, if there are many; ``quote`` the output that shows it, if that helps.
    """

    kind: Kind
    state: State
    text: str
    job: str = ""
    quote: str = ""


class CannotSee(Exception):
    """Something could not be seen: the check is UNKNOWN, with this reason.

    The text is shown, so the caller removes secrets before raising this.
    """

    def __init__(self, kind: Kind, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason
