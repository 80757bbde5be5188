"""The meaning of each line that duplicity prints: a catalogue, kept as data.

The texts are those of duplicity 0.7 to 3.2.1 (``dup_main.py``, ``dup_collections.py``,
``backend.py``, ``commandline.py`` there), of gpg, ssh, Python and the shell around it. They are in
English; ``languages`` has the translations of duplicity's own texts. Exceptions' texts, the
statistics and the machine log are the same in every language.
"""

from __future__ import annotations

from check_duplicity.nagios.findings import Kind, State
from check_duplicity.values import NamedTuple

# The beginning of a call, or the result of an action other than a backup. A call prints each once:
# the second one belongs to another call.
BEGINNINGS = (
    r"Using archive dir: ",
    r"Main action: ",
    r"Args: \S+duplicity ",
    r"Local and Remote metadata are synchronized",
    r"Synchronizing remote metadata to local cache",
    r"Last full backup date: ",
)
# Lines with the path of the archive directory, which belongs to one job.
LABELS = (
    r"Using archive dir: (?P<directory>/.+)",
    r"Using backup name: (?P<name>[^/]+)",
    r"Args: (?P<arguments>\S+duplicity .+)",
    r"(?:If this is not the case, remove|Acquiring lockfile) (?:b')?(?P<lock>/[^']+)/lockfile",
    r"Deleting local (?P<local>/.+)/duplicity-(?:full|inc|new)[.-]",
)
# Printed at -v5 and above; at -v9 a backup prints the collection's status, too.
BACKUP = r"Main action: (?:full|inc)|Args: \S+ (?:full|inc|backup|fb|ib|bu)"
# An action other than a backup: if it fails, the backup before it is still good.
ASIDE = (
    r"(?:Main action: |Args: \S+ )"
    r"(?P<action>(?:remove|list)-[a-z-]+|cleanup|verify|collection-status|restore|r[aiob]|cl|vb|st|ls)\b"
)
# The last lines of actions other than backups.
ENDINGS = (
    r"No old backup sets found",
    r"Deleting backup chains? at times?:|Deleting backup chain\(s\) at time:",
    r"Found old backup chain",
    r"There are backup set\(s\) at time\(s\):",
    r"Current active backup chain is older than specified time",
    r"No extraneous files found",
    r"Found the following files? to delete:|Found the following file\(s\) to delete:",
    r"Collection Status$",
    r"[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4} \S",  # list-current-files
    r"Verify complete: ",
)
# Leftovers that cleanup has deleted need no warning any more.
CLEANED = r"Deleting (?:this|these) files? from backend:|Deleting these file\(s\) from backend:"
LEFTOVERS = (Kind.ORPHANED, Kind.ORPHANED_SIGNATURES, Kind.INCOMPLETE, Kind.UNMATCHED_SIGNATURES)
# A command with one of these names runs a backup job; other texts may name duplicity for any reason.
ITS_NAME = r"duplicity|\bduply\b|backupninja"
# Only duplicity prints these: they identify its mails if the command doesn't name it.
ITS_OWN = (
    r"duplicity: (?:error|(?:command )?not found|No such)|\nduplicity \d+\.\d|Another duplicity instance"
    r"|duplicity-(?:full|inc|new)[.-]|Duplicity (?:backup complete|failed)|Finished state (?:OK|FAILED)"
    r"|\[ Backup Statistics \]|SourceFileSize \d|BackendException|GPGError: |CommandLineError: "
    r"|Giving up after \d+ attempts|Last full backup date|Local and Remote metadata"
    r"|Fatal Error: |GnuPG passphrase"
)
# 3.2 prints this after failures, too; the lines behind it belong to the same call.
COMPLETE = r"Duplicity backup complete\."
# 3.0 and later print this always, whatever the verbosity; 0.8 to 2.x don't.
UPLOADED = r"DEBUG: to_(?:remote|final) called for "
UPLOADING = r"DEBUG: to_partial called for "
# At -v9 duplicity prints a traceback before it retries: that is no failure.
RETRY = r"Backtrace of previous error: |Attempt (?:\d+|of \S+ Nr\. \d+) failed\b"

# Harmless lines that some versions or options print in every run: never the cause of a failure.
HARMLESS = (
    r"Import of duplicity\.backends\.",  # -v5 and above, all versions; "Failed: No module named ..."
    r"Warning: Option .* is pending deprecation",  # 0.8 to 1.2
    r"Use of the --asynchronous-upload option is experimental",  # 2.1
    r"\| WARNING: replaced with",  # 3.0
    r"Usage of the environment variable FTP_PASSWORD is deprecated",  # 3.0
    r"No encryption keys (?:need passphrase|configured)|Skipping passphrase request for",  # 3.0
    r"No valid action found\. Will imply",  # 2.0, where the action is not given
    r"Reuse configured (?:SIGN_)?PASSPHRASE",  # all versions
    r"GPG binary is ",  # 2.1, -v5 and above
    r"DEBUG: to_(?:partial|remote|final) called for ",  # 3.2
    r"Duplicity backup complete\.",  # 3.2, after failures, too
)

# Failures that end a call; all its lines are searched for the cause. Other programs print the first ones, too.
_COMMON = (
    r" ?(?:[^\W\d]\w{0,40}\.){0,6}(?:[^\W\d]\w{0,60}?)?(?:Error|Exception|BackendScheme|BackendURL)(?::|$)",
    r"Failed to read .*: ",
    r"(?:Killed|Terminated|Segmentation fault)(?: \(core dumped\))?$",
    r"ERROR \d+\b",
)
FAILURES = (
    *_COMMON,
    r"[\w.-]{1,40} not found: +[Pp]lease install",
    r"(?:GnuPG passphrase[^:]*: ?)?Traceback \((?:most recent call|innermost) last\)",
    r"KeyboardInterrupt",
    r"Giving up after \d+ attempt",
    r"Giving up trying to ",
    r"Fatal Error",
    r"GPG Failed, see log below",
    r"Command line error:",
    r"duplicity: error:",
    r"Another (?:duplicity )?instance is already running",
    # ssh's question, followed on the same line by the error that no answer caused.
    r"Are you sure you want to continue connecting \(yes/no[^)]{0,20}\)\? ?\w{0,60}(?:Error|Exception):",
    r"Backup source directory .* (?:does not exist|has changed)",
    r"Specified archive directory .* does not exist",
    r"Temp space has .* available, backup needs",
    r"Unable to get free space on temp",
    r"Unable to get max open files|Max open files of ",
    r"File .* was corrupted during upload",
    r"Restarting backup, but current encryption settings do not match",
    r"No signature chain for the requested time",
    r"Invalid data - .* hash mismatch|Hash mismatch for: ",
    r"Volume was signed by key",
    r"Volumes with number .* were not transferred",
    r"ERROR, the last backup chain has missing difftar",
    r"difftar volume \d+ not found in backup",
    r"When using symmetric encryption, the signing passphrase",
    r"GnuPG binary not found|Version .* of GnuPG is not supported",
    r"PYTHONOPTIMIZE in the environment causes|Setting python optimization causes",
    r"Last selection expression:$",
    r"Error opening file ",
)
# A shell's messages about a program, behind the shell's own name; by a word that each contains.
BY_SHELLS = {
    ": ": r"[^:]{1,200}: [^\W\d_]{1,10} \d{1,9}: +\d{1,10} "
    r"(?:Killed|Terminated|Aborted|Segmentation fault|Hangup|User)",
    "duplicity": r"(?:[^:]{1,200}: ){0,4}(?:failed to (?:run command|execute) |can't execute )?"
    r"['‘]?(?:[^\s:]{0,200}/)?duplicity['’]?: "
    r"(?:(?:command )?not found|No such file or directory)",
}


class Sign(NamedTuple):
    """A kind, and the pattern of the lines that show it."""

    kind: Kind
    pattern: str


# Proof that the destination doesn't exist, in a run's output or a check's; the group is the part to quote.
# Over sftp duplicity makes a directory only after the server has reported that there is none, whatever it
# prints then. Only the server's rsync calls itself "sender" in small letters (before 3.2 it has no name for
# itself); its words may be translated, its numbers are not. Not certain, and so not here: "No such file" from
# pexpect, which ssh may have printed about a key; rsyncd's "Unknown module", the answer also to a host without
# access to the module. Azure, B2 and Swift make the container or bucket.
GONE = (
    r'FatalBackendException: (S3 bucket ".*" does not exist)',
    r"BackendException: (sftp mkdir .* failed: .*)",
    r"BackendException: (sftp chdir to .* failed: .*Not a directory.*)",
    r'rsync: (?:\[sender\] )?(change_dir ".*" (?:\(in .*\) )?failed: .* \((?:2|20)\))$',
    r"cd: Access failed: (550 .*No such file or directory.*)",
)
# Causes of a failure: the first one found in any line of the call counts. A cause alone is no failure.
CAUSES = (
    *(Sign(Kind.NO_DESTINATION, pattern) for pattern in GONE),
    Sign(Kind.LOCKED, r"Another (?:duplicity )?instance is already running"),
    Sign(Kind.HOST_KEY, r"Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED"),
    Sign(Kind.HOST_KEY, r"BadHostKey|Host key for server .* does not match|not found in known_hosts"),
    Sign(Kind.HOST_KEY, r"authenticity of host .* can't be established"),
    Sign(Kind.LOGIN, r"Permission denied \((?:publickey|password|keyboard|gssapi|hostbased)"),
    Sign(Kind.LOGIN, r"AuthenticationException|Authentication failed|Bad authentication type"),
    Sign(Kind.LOGIN, r"No authentication methods available|Login incorrect|Login failed"),
    Sign(Kind.LOGIN, r"auth failed on module|\b530 |403 (?:reason )?Forbidden|AccessDenied"),
    Sign(Kind.LOGIN, r"InvalidAccessKeyId|SignatureDoesNotMatch|NoCredentialsError|not logged in"),
    Sign(Kind.LOGIN, r"[Uu]nauthori[sz]ed\b|NoAuthHandlerFound|ExpiredToken|expired_access_token"),
    Sign(Kind.LOGIN, r"invalid_grant|InvalidToken\b|invalid_access_token|bad_auth_token|AuthorizationFailure"),
    Sign(Kind.MODULE, r"No module named |ModuleNotFoundError|cannot import name|ImportError"),
    Sign(Kind.MODULE, r" not found: +[Pp]lease install"),
    Sign(Kind.MODULE, r"backend requires (?!a )|backend \(s3\) requires boto library"),
    Sign(Kind.NO_SPACE, r"(?:BackendException|Giving up).*(?:No space left|Errno 28|[Qq]uota exceeded)"),
    Sign(Kind.NO_SPACE, r"rsync: .*(?:No space left|Disk quota)|\b(?:452|552) .*(?:space|storage|quota)"),
    Sign(Kind.NO_SPACE, r"[Ii]nsufficient ?[Ss]torage|storage quota|[Qq]uotaExceeded|\b507 "),
    Sign(Kind.NO_SPACE, r"storage cap exceeded|Cap exceeded|Out of space for destination|insufficient_space"),
    Sign(Kind.NO_DESTINATION, r"NoSuchBucket|[Ss]pecified (?:bucket|container) does not exist|BucketNotFound"),
    Sign(Kind.NO_DESTINATION, r"ContainerNotFound|\b404 Not Found"),
    Sign(Kind.NO_LOCAL_SPACE, r"Temp space has .* available|Unable to get free space on temp"),
    Sign(Kind.NO_LOCAL_SPACE, r"No space left on device|Errno 28|Disk quota exceeded"),
    Sign(Kind.CONNECTION, r"Connection (?:refused|reset|closed)|ConnectionRefused|ConnectionReset"),
    Sign(Kind.CONNECTION, r"Unable to connect to port|ssh connection to .* failed|No route to host"),
    Sign(Kind.CONNECTION, r"Name or service not known|Temporary failure in name resolution|getaddrinfo"),
    Sign(Kind.CONNECTION, r"nodename nor servname|Could not resolve host|Network is unreachable"),
    Sign(Kind.CONNECTION, r"timed out|TimeoutError|EndpointConnectionError"),
    Sign(Kind.CONNECTION, r"Broken pipe|Socket is closed|Error reading SSH protocol banner"),
    Sign(Kind.CONNECTION, r"connection unexpectedly closed|lost connection|Server connection dropped"),
    Sign(Kind.NO_DESTINATION, r"(?:BackendException|Giving up).*(?:No such file|Errno 2\b|Not a directory)"),
    Sign(Kind.PERMISSION, r"\b550 |Errno 13|Permission denied|PermissionError|Errno 30|Read-only file"),
    Sign(Kind.NO_KEY, r"gpg: .*(?:No public key|No secret key|not available|skipped: No)"),
    Sign(Kind.NO_KEY, r"gpg: .*(?:Unusable public key|key has expired|There is no assurance)"),
    # Must come before the pattern of a failed decryption: this is gpg's reason for it.
    Sign(Kind.PASSPHRASE, r"gpg: .*(?:cannot open '/dev/tty'|No pinentry|Inappropriate ioctl)"),
    Sign(Kind.PASSPHRASE, r"gpg: .*No passphrase given"),
    Sign(Kind.WRONG_PASSPHRASE, r"gpg: .*(?:Bad passphrase|decryption failed)"),
    Sign(Kind.WRONG_PASSPHRASE, r"passphrases? (?:do|does) not match|signing passphrase must equal"),
    Sign(Kind.WRONG_PASSPHRASE, r"encryption settings do not match"),
    Sign(Kind.PASSPHRASE, r"\s*EOFError|GetPassWarning|PASSPHRASE variable not set"),
    Sign(Kind.SOURCE_CHANGED, r"Backup source (?:directory|host) has changed"),
    Sign(Kind.SOURCE_MISSING, r"Backup source directory .* does not exist"),
    Sign(Kind.SOURCE_MISSING, r"Argument source_\w+ .* does not exist"),
    Sign(Kind.OPTIONS, r"CommandLineError|Command line error|duplicity: error:|no such option"),
    Sign(Kind.OPTIONS, r"unrecognized arguments"),
    Sign(Kind.OPTIONS, r"Expected \d+ positionals? from "),
    Sign(Kind.OPTIONS, r"Last selection expression:|Error opening file |Setting python optim|PYTHONOPT"),
    Sign(Kind.OPTIONS, r"UnsupportedBackendScheme|InvalidBackendURL|Bad URL"),
    Sign(Kind.NO_SIGNATURES, r"Old signatures not found and incremental specified"),
    Sign(Kind.MISSING_VOLUMES, r"missing difftar|difftar volume \d+ not found in backup"),
    Sign(Kind.MISSING_VOLUMES, r"[Hh]ash mismatch|was corrupted during upload"),
    Sign(Kind.NO_DUPLICITY, r"duplicity: (?:command )?not found|duplicity: No such file"),
    Sign(Kind.NO_DUPLICITY, r"(?:: |run command |execute )['‘](?:[^\s:]{0,200}/)?duplicity['’]: No such file"),
    Sign(Kind.KILLED, r"KeyboardInterrupt|\b\d+ (?:Killed|Terminated|Aborted|Segmentation fault|Hangup)"),
    Sign(Kind.KILLED, r"(?:Killed|Terminated|Segmentation fault)(?: \(core dumped\))?$"),
    Sign(Kind.GPG, r"GPG Failed|GPGError|GnuPG binary not found|of GnuPG is not supported"),
)  # fmt: skip

# Problems that don't stop a call, and leftovers of earlier calls.
WARNINGS = (
    Sign(Kind.ORPHANED, r"(?:Warning, |WARNING\. )found the following orphaned backup file"),
    # The list of files below that message is the same in every language.
    Sign(Kind.ORPHANED, r"\[\S*duplicity-(?:inc|full)\.\d{8}T\d{6}Z"),
    Sign(Kind.ORPHANED_SIGNATURES, r"(?:Warning, |WARNING\. )found the following (?:local|remote) orphaned signature file"),
    Sign(Kind.INCOMPLETE, r"Warning, found incomplete backup sets"),
    Sign(Kind.ORPHANED, r"Also found (?!0 )\d+ backup sets?(?:\(s\))? not part of any chain"),
    Sign(Kind.INCOMPLETE, r"and (?!0 )\d+ incomplete backup set"),
    Sign(Kind.UNMATCHED_SIGNATURES, r"(?:Warning, |WARNING\. )found signatures but no corresponding backup files"),
    Sign(Kind.MISSING_VOLUMES, r"WARNING\. found missing difftar"),
    Sign(Kind.DISCARDED, r"(?:Warning, |WARNING\. )discarding last backup set, because of missing signature"),
    Sign(Kind.SKIPPED, r"Error accessing possibly locked file|Error listing directory "),
    Sign(Kind.SKIPPED, r"Skipping .* because of previous error|Error .* getting delta for "),
    Sign(Kind.SKIPPED, r"Error initializing file |Error '.*' processing |(?:Warning|WARNING): base .* doesn't exist"),
    Sign(Kind.SKIPPED, r"IGNORED_ERROR: "),
    Sign(Kind.DIFFERS, r"Verify complete: .*, (?!0 )\d+ differences?(?:\(s\))? found"),
)  # fmt: skip

# Messages so certain that they count even in the middle of a line, behind an unknown prefix: NEEDLES are
# words that such lines contain, UNMISTAKABLE the patterns. Words of other programs don't belong here.
NEEDLES = (
    "Error", "Exception", "Traceback (", "Giving up ", "GPG Failed", "Warning, ", "Warning: base ", "WARNING", "ERROR",
    "Last full backup", "Local and Remote", "StartTime 1", "[ Backup S", "BackendScheme: ", "BackendURL: ",
    "KeyboardInterrupt", "Another ", "Backup source", "Specified archive", "Command line error", "GnuPG ",
    "Skipping ", "Verify complete", "No signature chain", "Hash mismatch", "Invalid data", "difftar volume",
    "[duplicity-", "PYTHONOPT", "Setting python", "Last selection", "Main action", "Using archive", "Args: ",
    "Temp space", "Unable to get", "Max open files", "Volumes with", "was corrupted dur", "Restarting backup",
    "Volume was", "Also found", "incomplete backup set", "When using symm", "duplicity: ",
    "lease install", "DEBUG: to_",
)  # fmt: skip
UNMISTAKABLE = (
    r"(?:[^\W\d]\w{0,60}(?:Error|Exception)|(?:Unsupported|Invalid)Backend\w{3,6}): ",
    r"(?:CommandLine|GPG|Backend|EOF)(?:Error|Exception)(?::|$)",
    *(pattern for pattern in FAILURES if pattern not in _COMMON),
    r"duplicity: (?:(?:command )?not found|No such file)",
    r"\[duplicity-(?:inc|full)\.\d{8}T\d{6}Z",
    *(sign.pattern for sign in WARNINGS if not sign.pattern.startswith("\\[")),
    r"(?:ERROR|WARNING) \d{1,3}(?: [^:]*)?$",
    r"DEBUG: to_(?:partial|remote|final) called for |Main action: |Using archive dir: |Args: \S+duplicity ",
    r"Last full backup date: |Local and Remote metadata are ",
    r"StartTime 1\d{9}\.\d\d \(|\[ Backup Statistics \]-",
)

# Codes of the machine log (``log.py``); the other codes add nothing to the text.
ERROR_CODES = {
    2: Kind.OPTIONS, 3: Kind.SOURCE_CHANGED, 7: Kind.OPTIONS, 8: Kind.OPTIONS, 10: Kind.OPTIONS,
    13: Kind.SOURCE_MISSING, 17: Kind.NO_SIGNATURES, 21: Kind.MISSING_VOLUMES, 31: Kind.GPG,
    34: Kind.NO_LOCAL_SPACE, 35: Kind.NO_LOCAL_SPACE, 38: Kind.CONNECTION, 42: Kind.SOURCE_CHANGED,
    44: Kind.MISSING_VOLUMES, 45: Kind.WRONG_PASSPHRASE, 47: Kind.LOGIN, 51: Kind.PERMISSION,
    53: Kind.NO_SPACE, 80: Kind.NO_KEY, 81: Kind.NO_KEY, 82: Kind.NO_KEY,
}  # fmt: skip
WARNING_CODES = {
    2: Kind.ORPHANED_SIGNATURES, 3: Kind.ORPHANED_SIGNATURES, 4: Kind.UNMATCHED_SIGNATURES,
    5: Kind.INCOMPLETE, 6: Kind.ORPHANED, 8: Kind.SKIPPED, 9: Kind.SKIPPED, 10: Kind.SKIPPED,
    12: Kind.SKIPPED, 13: Kind.SKIPPED,
}  # fmt: skip

# One sentence for each kind, behind "assets failed 3h ago: " or "assets 3h ago: ".
SENTENCES = {
    Kind.RUN_FAILED: "for a reason that is not known here",
    Kind.KILLED: "it was ended before it was done",
    Kind.LOCKED: "another duplicity has locked the archive directory",
    Kind.PASSPHRASE: "no passphrase was given",
    Kind.WRONG_PASSPHRASE: "wrong passphrase or key",
    Kind.NO_KEY: "gpg lacks a key",
    Kind.GPG: "gpg failed",
    Kind.NO_SPACE: "no space left at the destination",
    Kind.NO_LOCAL_SPACE: "no space left on this machine",
    Kind.NO_DESTINATION: "the destination is not there, or is no directory",
    Kind.PERMISSION: "permission denied",
    Kind.LOGIN: "login refused",
    Kind.HOST_KEY: "the server's host key is unknown or has changed",
    Kind.CONNECTION: "destination not reached",
    Kind.MODULE: "a module or program is missing",
    Kind.OPTIONS: "duplicity rejects its command line",
    Kind.SOURCE_MISSING: "the source is missing",
    Kind.SOURCE_CHANGED: "source or host name has changed",
    Kind.NO_SIGNATURES: "no signatures for an incremental backup",
    Kind.NO_DUPLICITY: "duplicity was not found",
    Kind.MISSING_VOLUMES: "volumes are missing or damaged at the destination",
    Kind.ORPHANED: "orphaned backup sets found",
    Kind.ORPHANED_SIGNATURES: "orphaned signatures found",
    Kind.INCOMPLETE: "incomplete backup sets found",
    Kind.UNMATCHED_SIGNATURES: "signatures without a backup found",
    Kind.DISCARDED: "the last backup set was ignored, its signatures are lost",
    Kind.SKIPPED: "some files could not be read",
    Kind.SCRIPT_FAILED: "the backup is good; the script ended with an error",
    Kind.SEVERAL_JOBS: "several jobs write to this log; give each its own",
    Kind.DIFFERS: "the source differs from the backup",
    Kind.UNCLEAR: "it does not say how it ended",
}
WARNING_KINDS = frozenset(
    {sign.kind for sign in WARNINGS} - {Kind.MISSING_VOLUMES}
    | {Kind.UNCLEAR, Kind.SCRIPT_FAILED, Kind.SEVERAL_JOBS}
)


def state_of(kind: Kind) -> State:
    """Return the state of a kind of finding: a run that has failed is CRITICAL."""
    return State.WARNING if kind in WARNING_KINDS else State.CRITICAL
