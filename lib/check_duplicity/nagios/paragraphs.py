"""Paragraphs of advice that several kinds of findings share.

`steps` fills in the names in braces, from a job's command lines.
"""

SCRIPT = """\
Find the job's script in a crontab, in /etc/cron.d or in a timer's unit:
  sudo crontab -lu {user}
  sudo grep -rl duplicity /etc/cron* /etc/systemd/system"""

RERUN = """\
Then run the job again, in tmux or screen:
{again}"""

AGAIN = """\
Make a restore drill by hand:
{drill}"""

EXPORT = """\
To give the passphrase by hand, type this first:
  read -rs PASSPHRASE; export PASSPHRASE"""

TIMER = "  sudo systemctl enable --now duplicity-drill@{job}.timer"

NOT_AGAIN = """\
Careful: {script_by} can change what {starter} would run there. Read the script before you run it.
Then make {starter} or root its owner (chown), and let nobody else write to it."""

LAST_RUN = """\
Read what the last run said, and see whether a backup is running now:
{log}
{process}"""

SKIPS = """\
The job has --skip-if-no-change: a good run with nothing to back up leaves no backup, only output.
So that the check knows of it, name the job's log or mailbox: mail in the job's file, or --log."""

BY_HAND = """\
Ask duplicity yourself:
{status}"""

PROCESSES = """\
The check names the backup's PID. See it, and the script that started it:
  ps -o pid,ppid,stat,etime,time,args -u {user}
A stopped process (T in STAT) goes on after this, which does no harm:
  sudo kill -CONT PID
To end a backup, end its script first, then duplicity:
  sudo kill PID"""

UNKNOWN_OPTIONS = ",\nwith the options of the script (--no-encryption, if the script has it)"

CLEANUP = """\
See that no backup is running, here or on another host with the same destination:
{process}
Only then remove them{options}. This deletes files at the destination; without --force it only
lists them:
{cleanup}"""

FULL = """\
Make a full backup, in tmux or screen. Use the PASSPHRASE, keys and options of the job's script, but
leave out its commands that remove old backups. SOURCE is the job's source:
{full}
After an interrupted run this first ends the interrupted backup: then type it again."""

FULL_THEN = """\
Only when the source is whole again, make a full backup, in tmux or screen. Use the PASSPHRASE,
keys and options of the job's script, but leave out its commands that remove old backups. SOURCE is
the job's source:
{full}
After an interrupted run this first ends the interrupted backup: then type it again."""

GONE = """\
Run neither the job nor any other duplicity command now: they delete what is left. If the URL is
right, something deleted these files at the destination: a retention or lifecycle rule, another
job's remove-older-than, a person. Find it, and stop it. Then put the files back from a snapshot,
an older version or a copy. Only if nobody has the files any more, make a full backup."""

OLDER = """\
If nobody needs the backups before the newest chain, the good ones included, you can remove them.
See which ones that would be; with --force behind it this deletes them. Never do that while a
backup runs, nor after one was interrupted:
{older}"""

NOT_BEFORE = """\
Did somebody delete, rename or unmount it? Is the URL right? Don't run the job before you know:
duplicity may create a new, empty destination."""

DISK = """\
Is its disk mounted?
  ls -ld {directory}
  findmnt --fstab
  sudo mount --all"""

SERVER = """\
Look in the provider's console or on the server, with the job's own login. If the endpoint
(--s3-endpoint-url) is wrong, an S3 bucket is not found either.
  {sudo} sftp HOST
  {sudo} aws s3 ls"""

STARTING = ("{again}", "{cleanup}", "{full}")
"""What is not offered of a job that other users can change."""
