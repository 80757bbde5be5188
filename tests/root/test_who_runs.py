"""No user's program runs with another user's rights, however a job is found and started.

There is one scratch host for each way to find a job. It has a job for every command that may start
a program, and for every place where another user's program can be. Needs root.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator
from itertools import count

import pytest
from check_duplicity.shell import starters
from host import (
    Directory,
    File,
    Laid,
    Link,
    O,
    Run,
    U,
    planted,
    planted_module,
    scratch,
    uid_of,
)
from root.test_rights import (
    JOBS,
    assert_nobody_gained,
    assert_offered_rightly,
    assert_valid,
    script,
)

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for a host of its own"),
]

Files = dict[str, Laid]

# What may start a command: {c} is its words, {q} the same as one word.
WRAPPERS = f"""\
{{c}}
nice -n 10 {{c}}
ionice -c 2 -n 7 {{c}}
chronic {{c}}
flock -n /run/lock/x {{c}}
flock /run/lock/x -c {{q}}
timeout -k 10 5h {{c}}
sudo {{c}}
sudo -n -u {U} {{c}}
sudo -iu {U} -- {{c}}
sudo -u {U} sudo -u root {{c}}
doas -u {U} {{c}}
runuser -u {U} -- {{c}}
runuser -l {U} -c {{q}}
setpriv --reuid={U} --clear-groups {{c}}
systemd-inhibit --what=sleep {{c}}
systemd-run --wait {{c}}
systemd-run --uid={U} --collect {{c}}
caffeinate -i {{c}}
stdbuf -oL {{c}}
nohup {{c}}
setsid -w {{c}}
exec {{c}}
command {{c}}
builtin {{c}}
time -p {{c}}
env {{c}}
env -i A=1 {{c}}
chrt -i 0 {{c}}
taskset 0x1 {{c}}
cpulimit -l 50 {{c}}
trickle -u 10 {{c}}
xvfb-run -a {{c}}
cronlock {{c}}
lckdo /run/lock/x {{c}}
run-one {{c}}
with-lock-ex /run/lock/x {{c}}
choom -n 5 {{c}}
proxychains -q {{c}}
proxychains4 -q {{c}}
logsave /dev/null {{c}}
eatmydata {{c}}
nocache {{c}}
cronic {{c}}
systemd-cat -t x {{c}}
envdir /etc/x {{c}}
envuidgid {U} {{c}}
setuidgid {U} {{c}}
gosu {U} {{c}}
su-exec {U}:{U} {{c}}
chpst -u {U} -e /etc/x {{c}}
setlock /run/lock/x {{c}}
softlimit -m 9 {{c}}
torsocks {{c}}
torify {{c}}
ssh-agent {{c}}
dbus-run-session -- {{c}}
unbuffer {{c}}
numactl -N 0 {{c}}
C={{q}}; $C
set -- {{c}}; "$@"
f() {{{{ "$@"; }}}}; f {{c}}
case x in x) {{c}};; esac
su {U} -c {{q}}
su - {U} -c {{q}}
su -c {{q}}
sh -c {{q}}
bash -lc {{q}}
sh -c "sh -c {{q}}"
eval {{c}}
eval {{q}}
( {{c}} )
if true; then {{c}}; fi
for i in 1 2; do {{c}}; done
test -x /bin/sh && {{c}} || exit 1
{{c}} > /dev/null 2>&1
{{c}} | logger
X=$({{c}})
A=1 {{c}}
cd / && {{c}}
trap {{q}} EXIT
f() {{{{ {{c}}; }}}}; f
nice ionice -c3 timeout 1h env A=1 sudo -u {U} {{c}}
xargs {{c}} < /dev/null
find / -maxdepth 0 -exec {{c}} ;
""".splitlines()


def test_everything_that_the_reader_knows_to_start_a_command_is_tried() -> None:
    words = {word for line in WRAPPERS for word in line.split()}
    assert set(starters._WRAPPERS) <= words


# The places: from a number, a URL and who decides there, what is to be started, and the files.

Place = Callable[[int, str, str], "tuple[str, Files]"]


def its_script(n: int, url: str, who: str) -> tuple[str, Files]:
    path = f"/home/{who}/s/{n}.sh"
    return path, {path: script(f"/home/{who}/bin/duplicity / {url}", who)}


def in_tmp(n: int, url: str, who: str) -> tuple[str, Files]:
    path = f"/tmp/{n}.sh"
    return path, {path: script(f"/home/{who}/bin/duplicity / {url}", who)}


def in_its_directory(n: int, url: str, who: str) -> tuple[str, Files]:
    path = f"/srv/{who}/{n}.sh"
    return path, {path: script(f"duplicity / {url}")}


def of_its_group(n: int, url: str, who: str) -> tuple[str, Files]:
    path = f"/opt/gs/{n}.sh"
    return path, {path: script(f"duplicity / {url}", "root", 0o775, who)}


def of_everybody(n: int, url: str, who: str) -> tuple[str, Files]:
    path = f"/opt/ws/{n}.sh"
    return path, {path: script(f"duplicity / {url}", "root", 0o777)}


def by_a_link(n: int, url: str, who: str) -> tuple[str, Files]:
    path, files = its_script(n, url, who)
    return f"/opt/ls/{n}.sh", {**files, f"/opt/ls/{n}.sh": Link(path)}


def in_roots_script(text: str) -> Place:
    """A script of root's, with such lines."""

    def place(n: int, url: str, who: str) -> tuple[str, Files]:
        path = f"/opt/c/{n}.sh"
        more: Files = {}
        if "{n}.sh" in text:
            more = its_script(n, url, who)[1]
        return path, {**more, path: script(text.format(n=n, url=url, who=who))}

    return place


def program(words: str) -> Place:
    """A program that stands there for all: `standing`."""
    return lambda n, url, who: (f"{words.format(who=who)} / {url}", {})


# Where another user decides a part: nothing is run.
PLACES: dict[str, Place] = {
    "script": its_script,
    "in /tmp": in_tmp,
    "in its directory": in_its_directory,
    "of its group": of_its_group,
    "of everybody": of_everybody,
    "by a link": by_a_link,
    "called": in_roots_script("/home/{who}/s/{n}.sh --now"),
    "called by a shell": in_roots_script("bash /home/{who}/s/{n}.sh"),
    "sourced": in_roots_script(". /home/{who}/conf\nduplicity / {url}"),
    "program sourced": in_roots_script(". /home/{who}/conf\n$DUPLICITY / {url}"),
    "relative": in_roots_script("cd /home/{who}\nbin/duplicity / {url}"),
    "program": program("/home/{who}/bin/duplicity"),
    "program by a link": program("/opt/l/{who}/duplicity"),
    "program by a link to a directory": program("/opt/ld/{who}/duplicity"),
    "program by dots": program("/usr/bin/../../home/{who}/bin/duplicity"),
    "program in its directory": program("/srv/{who}/duplicity"),
    "program below its directory": program("/srv/{who}/bin/duplicity"),
    "program of its group": program("/opt/g/{who}/duplicity"),
    "program in its group's directory": program("/opt/gd/{who}/duplicity"),
    "program of everybody": program("/opt/w/duplicity"),
    "program in everybody's directory": program("/opt/wd/duplicity"),
    "for an interpreter": program("/usr/bin/python3 /home/{who}/m/duplicity"),
    "interpreter": program("/opt/sb/{who}/duplicity"),
    "variable": in_roots_script("D=/home/{who}/bin\n$D/duplicity / {url}"),
}
# Where it is another user's, or root's, by how it is looked for: it isn't the other's.
LOOKED_FOR: dict[str, Place] = {
    "by PATH": in_roots_script("PATH=/home/{who}/bin:$PATH\nduplicity / {url}"),
    "by PATH for it": in_roots_script("PATH=/home/{who}/bin:$PATH duplicity / {url}"),
    "by an empty PATH": in_roots_script("export PATH=:$PATH; duplicity / {url}"),
    "module": in_roots_script("PYTHONPATH=/home/{who}/m python3 -m duplicity / {url}"),
    "module here": in_roots_script("cd /home/{who}/m; python3 -m duplicity / {url}"),
}


def standing(who: str) -> Files:
    """What stands on a host for all of its jobs."""
    home = f"/home/{who}"
    return {
        f"{home}/bin/duplicity": planted(who),
        f"{home}/conf": File(
            f"DUPLICITY={home}/bin/duplicity\nexport OPENSSL_CONF={home}/o\n", who
        ),
        f"{home}/duplicity": planted(who),
        f"{home}/m/duplicity": planted_module(who),
        f"{home}/m/sitecustomize.py": planted_module(who),
        f"/opt/l/{who}/duplicity": Link(f"{home}/bin/duplicity"),
        f"/opt/ld/{who}": Link(f"{home}/bin"),
        f"/srv/{who}": Directory(who),
        f"/srv/{who}/duplicity": planted(who, owner="root"),
        f"/srv/{who}/bin/duplicity": planted(who, owner="root"),
        f"/opt/g/{who}/duplicity": planted(who, 0o775, "root", who),
        f"/opt/gd/{who}": Directory("root", 0o775, who),
        f"/opt/gd/{who}/duplicity": planted(who, owner="root"),
        "/opt/w/duplicity": planted(O, 0o777, "root"),
        "/opt/wd": Directory("root", 0o777),
        "/opt/wd/duplicity": planted(O, owner="root"),
        f"/opt/sb/{who}/duplicity": File(f"#!{home}/bin/duplicity\n", mode=0o755),
        "/usr/local/bin/duplicity": planted("root"),
    }


# The ways: as whom a line is started, and by which files.

Way = Callable[[int, str], Files]


def periodic(n: int, line: str) -> Files:
    period = ("hourly", "daily", "weekly", "monthly")[n % 4]
    return {f"/etc/cron.{period}/{n}": script(line)}


def timer(more: str = "", drop_in: str = "") -> Way:
    def way(n: int, line: str) -> Files:
        # For systemd both are to be doubled.
        quoted = shlex.quote(line).replace("$", "$$").replace("%", "%%").replace("\n", "; ")
        place = ("/etc/systemd/system", "/usr/lib/systemd/system")[n % 2]
        units: Files = {
            f"{place}/j{n}.timer": File("[Timer]\nOnCalendar=daily\n"),
            f"{place}/j{n}.service": File(f"[Service]\n{more}\nExecStart=/bin/sh -c {quoted}\n"),
        }
        if drop_in:
            units[f"{place}/j{n}.service.d/user.conf"] = File(f"[Service]\n{drop_in}\n")
        return units

    return way


def system_crontab(user: str) -> Way:
    return lambda n, line: {f"/etc/cron.d/j{n}": File(f"0 2 * * * {user} {line}\n")}


def filed(facts: str) -> Way:
    """A job's file that names a script; every other one says the destination itself."""

    def way(n: int, line: str) -> Files:
        path = f"/opt/filed/{n}.sh"
        text = facts.format(path=path)
        if n % 2:
            text += f"\ndestination = sftp://u@h.invalid/{n}"
        return {f"{JOBS}/j{n}.ini": File(f"[job]\n{text}\n"), path: script(line)}

    return way


def filed_line(facts: str) -> Way:
    """A job's file with the line itself: it is what is offered to be run again."""

    def way(n: int, line: str) -> Files:
        text = f"[job]\n{facts}script = {line}\ndestination = sftp://u@h.invalid/{n}\n"
        return {f"{JOBS}/j{n}.ini": File(text)}

    return way


# In one file all of their lines stand: whose it is, and what is in front of a command.
ONE_FILE = {
    f"/var/spool/cron/crontabs/{U}": (U, ""),
    "/var/spool/cron/crontabs/root": ("root", ""),
    "/etc/crontab": ("root", "root "),
}
WAYS: dict[str, Way] = {
    "cron.d, root": system_crontab("root"),
    "cron.d, user": system_crontab(U),
    "cron.daily and the like": periodic,
    "timer": timer(),
    "timer of a user": timer(f"User={U}"),
    "timer with a drop-in": timer(drop_in=f"User={U}"),
    "file with a script": filed(f"user = {U}\nscript = {{path}}"),
    "root's file with a script": filed("user = root\nscript = {path}"),
    "file with a line": filed_line(f"user = {U}\n"),
    "nobody's file with a script": filed("script = {path}\nwarning = 1d"),
}


def laid_out(way: str, who: str) -> tuple[Files, dict[str, tuple[str, str]]]:
    """All jobs of a way: each start with one of the places, and each place by itself.

    With what it is by its URL. From way to way the starts have other places.
    """
    named = [*PLACES, *LOOKED_FOR]
    first = [*WAYS, *ONE_FILE].index(way) * 7
    pairs = [(start, named[(first + i) % len(named)]) for i, start in enumerate(WRAPPERS)]
    pairs += [("{c}", name) for name in named]
    files: Files = {}
    lines = []
    what = {}
    for n, (start, name) in zip(count(100), pairs):
        url = f"sftp://u@h.invalid/{n}"
        what[url] = start, name
        command, more = {**PLACES, **LOOKED_FOR}[name](n, url, who)
        line = start.format(c=command, q=shlex.quote(command))
        if n % 3 == 0:  # in a script of root's
            more = {**more, f"/opt/jobs/{n}.sh": script(line)}
            line = f"/opt/jobs/{n}.sh"
        files |= more
        if way in ONE_FILE:
            lines.append(line)
        else:
            files |= WAYS[way](n, line)
    if way in ONE_FILE:
        owner, user = ONE_FILE[way]
        text = "".join(f"{n % 60} 2 * * * {user}{line}\n" for n, line in enumerate(lines))
        files[way] = File(text, owner, 0o600 if "spool" in way else 0o644)
    return files, what


def runs_by(files: Files, who: str) -> list[Run]:
    """What is run when root looks at all jobs, in a directory of a user's."""
    with scratch({**standing(who), **files}) as host:
        cwd = f"/home/{who}"
        ended = host.plugin("duplicity_triage", "-t", "60", cwd=cwd, timeout=300)
        assert_valid(ended)
        places = ("/tmp/", *(f"/opt/{d}/{who}" for d in ("l", "ld", "g", "gd", "sb")))
        theirs = dict.fromkeys(places, who)
        assert_offered_rightly(ended.out, theirs)
        return host.runs()


def url_of(run: Run) -> str:
    return run.arguments.rpartition(" ")[2]


ALL = pytest.mark.parametrize("way", [*WAYS, *ONE_FILE])


@ALL
def test_where_another_user_decides_a_part_nothing_is_run(way: str) -> None:
    """Where a program is looked for, nothing of the other's is."""
    files, what = laid_out(way, O)
    runs = runs_by(files, O)
    # A file that says the destination has no part of the other's in it but the script.
    nothing = () if "file" in way else PLACES
    ran = {(*what[url_of(run)], run.planter, run.uid) for run in runs}
    assert sorted(one for one in ran if one[1] in nothing or one[2] == O) == []
    assert_nobody_gained(runs)


@ALL
def test_a_users_program_runs_as_that_user_or_not_at_all(way: str) -> None:
    """And where nothing stands against it, it is looked at as that user."""
    files, what = laid_out(way, U)
    runs = runs_by(files, U)
    ran = {(*what[url_of(run)], run.planter, run.uid) for run in runs if not run.rightly}
    assert sorted(ran) == []
    assert_nobody_gained(runs)
    assert "file" in way or [run for run in runs if run.planter == U]


# What has no line of shell: each of these would be looked at with O's destination and options.

PARAMETERS = f"--ssh-options=-oProxyCommand=/home/{O}/evil"
DUPLY = f"TARGET='sftp://u@h.invalid/duply'\nDUPL_PARAMS='{PARAMETERS}'\nGPG_KEY=disabled\n"
NINJA = f"options = {PARAMETERS}\n[dest]\ndesturl = sftp://u@h.invalid/ninja\n"


def conf_of_others(path: str, text: str, home: str = "") -> Iterator[Files]:
    """A file in each state in which O decides what is in it; ``path`` has a place for its name."""
    owner = U if home else "root"
    names = (path.format(f"p{n}") for n in count())
    yield {next(names): File(text, O)}
    yield {next(names): Link(f"/home/{O}/conf-1", owner), f"/home/{O}/conf-1": File(text, O)}
    yield {next(names): Link(f"/home/{O}/conf-2", owner), f"/home/{O}/conf-2": File(text)}
    yield {next(names): File(text, owner, 0o664, O)}
    yield {next(names): File(text, owner, 0o666)}
    if path.endswith("/conf"):  # whose directory may be O's, too
        conf = next(names)
        yield {os.path.dirname(conf): Directory(O), conf: File(text, owner)}
        conf = next(names)
        yield {os.path.dirname(conf): Directory(owner, 0o775, O), conf: File(text, owner)}
        conf = next(names)
        yield {os.path.dirname(conf): Link(f"/home/{O}/dir", owner)}
        yield {f"/home/{O}/dir/conf": File(text, owner)}


CONFIGURED = {
    "duply's for all": lambda: conf_of_others("/etc/duply/{}/conf", DUPLY),
    "duply's of the user": lambda: conf_of_others(f"/home/{U}/.duply/{{}}/conf", DUPLY, U),
    "duply's of root": lambda: conf_of_others("/root/.duply/{}/conf", DUPLY),
    "backupninja's": lambda: conf_of_others("/etc/backup.d/{}.dup", NINJA),
}


@pytest.mark.parametrize("kind", CONFIGURED)
def test_what_another_user_configures_is_at_most_that_users(kind: str) -> None:
    files: Files = {}
    for more in CONFIGURED[kind]():
        files |= more
    with scratch({**standing(O), **files}) as host:
        ended = host.plugin("duplicity_triage")
        assert_valid(ended)
        assert [run for run in host.runs() if run.uid != uid_of(O)] == []


FACTS = {
    "program": f"duplicity = /home/{O}/bin/duplicity",
    "program by a wrapper": f"duplicity = nice -n 10 /home/{O}/bin/duplicity",
    "program by env": f"duplicity = /usr/bin/env /home/{O}/bin/duplicity",
    "program by sudo": f"duplicity = sudo -u root /home/{O}/bin/duplicity",
    "program by a shell": f"duplicity = sh -c '/home/{O}/bin/duplicity'",
    "program for an interpreter": f"duplicity = /usr/bin/python3 /home/{O}/m/duplicity",
    "program by a link": f"duplicity = /opt/l/{O}/duplicity",
    "program in its directory": f"duplicity = /srv/{O}/duplicity",
    "program of its group": f"duplicity = /opt/g/{O}/duplicity",
    "program in its group's directory": f"duplicity = /opt/gd/{O}/duplicity",
    "program of everybody": "duplicity = /opt/w/duplicity",
    "interpreter": f"duplicity = /opt/sb/{O}/duplicity",
    "script": f"script = /home/{O}/s/1.sh",
    "environment file": f"environment_file = /home/{O}/conf",
    "environment file by a link": "environment_file = /opt/conf",
}


@pytest.mark.parametrize("user", ["", "root", U])
def test_no_fact_of_a_jobs_file_runs_what_is_another_users(user: str) -> None:
    files: Files = {
        f"/home/{O}/s/1.sh": script(
            f"export OPENSSL_CONF=/home/{O}/o\nduplicity / sftp://u@h/1", O
        ),
        "/opt/conf": Link(f"/home/{O}/conf"),
    }
    for name, fact in FACTS.items():
        line = f"user = {user}\n" if user else ""
        text = f"[job]\n{line}destination = sftp://u@h.invalid/1\n{fact}\n"
        files[f"{JOBS}/{name.replace(' ', '-').replace(chr(39), '')}.ini"] = File(text)
    with scratch({**standing(O), **files}) as host:
        assert_valid(host.plugin("duplicity_triage", cwd=f"/home/{O}"))
        runs = host.runs()
        assert_nobody_gained(runs)
        assert [run for run in runs if run.planter != "root"] == []
        assert [run for run in runs if O in run.environment] == []


@pytest.mark.parametrize("user", ["root", U])
def test_a_jobs_file_that_another_user_decides_is_refused(user: str) -> None:
    text = f"[job]\nuser = {user}\ndestination = sftp://u@h.invalid/1\n"
    with scratch(
        {
            **standing(O),
            f"{JOBS}/owned.ini": File(text, O),
            f"{JOBS}/group.ini": File(text, "root", 0o664, O),
            f"{JOBS}/world.ini": File(text, "root", 0o666),
            f"{JOBS}/link.ini": Link(f"/home/{O}/link.ini"),
            f"/home/{O}/link.ini": File(text),
        }
    ) as host:
        assert_valid(host.plugin("duplicity_triage"))
        assert host.runs() == []
