"""Paragraphs of advice that several kinds of findings share.

`steps` fills in the names in braces, from a job's command lines.
"""

SCRIPT = """\
The job's script stands in a crontab, in /etc/cron.d or in a timer's unit:
  sudo crontab -lu {user}
  sudo grep -rl duplicity /etc/cron* /etc/systemd/system"""

RERUN = """\
Run it again, in tmux or screen:
{again}"""

AGAIN = """\
Make a drill by hand:
{drill}"""

EXPORT = """\
By hand:
  read -rs PASSPHRASE; export PASSPHRASE"""

TIMER = "  sudo systemctl enable --now duplicity-drill@{job}.timer"

NOT_AGAIN = """\
{script_by} can change what {starter} would run there: read it before you run it again, and give it
to {starter} or root."""

LAST_RUN = """\
See what the last run said, and whether one runs now:
{log}
{process}"""

SKIPS = """\
The job has --skip-if-no-change: a good run with nothing to back up leaves no backup, and only its
output tells of it. Name its log or mailbox: mail in the job's file, or --log."""

BY_HAND = """\
Ask duplicity yourself:
{status}"""

PROCESSES = """\
See the processes; ending the first of them is enough. One that is stopped (T in STAT) ends only
when it is continued, which harms no other:
  ps -o pid,stat,etime,time,args -u {user}
  sudo kill PID
  sudo kill -CONT PID"""

UNKNOWN_OPTIONS = ",\nwith the options that the script has (--no-encryption, if it says so)"

CLEANUP = """\
If no backup runs now, remove them{options}:
{process}
{cleanup}"""

FULL = """\
Make a full backup, in tmux or screen: best by the script, with "full" as duplicity's action and the
PASSPHRASE, keys and options that stand there.
{full}"""

FULL_THEN = """\
When the source is whole again, make a full backup, in tmux or screen: best by the script, with
"full" as duplicity's action and the PASSPHRASE, keys and options that stand there.
{full}"""

GONE = """\
If the URL is the job's, something deletes at the destination: find out what (a retention or
lifecycle rule, another job's remove-older-than, somebody's hand), and stop it. Put the files back
if they are elsewhere: in a snapshot, in older versions, in a copy. Before that run neither the job
nor cleanup, which would delete what is left of them. If they can't be had again, make a full
backup."""

OLDER = """\
If nobody needs what is older than the newest chain, and no backup runs or has been interrupted,
remove it:
{older}"""

NOT_BEFORE = """\
Was it deleted, renamed or unmounted; is the URL right? Don't run the job before that is known:
duplicity may make a new, empty one."""

DISK = """\
Is its disk mounted?
  ls -ld {directory}
  findmnt --fstab
  sudo mount --all"""

SERVER = """\
Look for it in the provider's console or at the server, with the job's own login. An S3 bucket is
also not there if the endpoint (--s3-endpoint-url) is another one.
  {sudo} ssh HOST ls -ld DIRECTORY
  {sudo} aws s3 ls"""

RUNNING = (RERUN, CLEANUP, FULL, FULL_THEN)
