from __future__ import annotations

import contextlib
import re
import shlex
import time

import pytest
from check_duplicity.shell.model import Command, ShellError
from check_duplicity.shell.reading import Given, read_commands
from hypothesis import example, given
from hypothesis import strategies as st

BACKUP = """\
#!/bin/bash
set -e
set -o pipefail
export AWS_ACCESS_KEY_ID='AKIA…'
export PASSPHRASE="s e c"
DEST=rsync://backup@host://srv/assets
nice -n 10 ionice -c3 duplicity --verbosity warning --no-print-statistics \\
  --full-if-older-than 7D --include '/data' --exclude '**' \\
  --archive-dir /data/backups/.cache/duplicity / "$DEST" && duplicity remove-all-but-n-full 2 --force "$DEST"
printf "host\\tsvc\\t0\\tOK\\n" | /usr/sbin/send_nsca -H mon >/dev/null
"""  # noqa: E501
HOME = {"HOME": "/root"}


def duplicity(script: str) -> Command:
    """The only command of a script that is duplicity's."""
    (command,) = (
        found for found in read_commands(script, Given(HOME)) if found.words[0] == "duplicity"
    )
    return command


def programs(script: str) -> list[str]:
    return [command.words[0] for command in read_commands(script, Given(HOME))]


def test_a_backup_script_is_read_as_its_commands() -> None:
    full, removal, text, nsca = read_commands(BACKUP, Given(HOME))
    environment = {"HOME": "/root", "AWS_ACCESS_KEY_ID": "AKIA…", "PASSPHRASE": "s e c"}
    assert full == Command(
        (
            *("duplicity", "--verbosity", "warning", "--no-print-statistics"),
            *("--full-if-older-than", "7D", "--include", "/data", "--exclude", "**"),
            *("--archive-dir", "/data/backups/.cache/duplicity", "/"),
            "rsync://backup@host://srv/assets",
        ),
        environment,
        7,
    )
    assert removal.words == (
        *("duplicity", "remove-all-but-n-full", "2", "--force"),
        "rsync://backup@host://srv/assets",
    )
    assert removal.line == 9
    assert text.words == ("printf", "host\\tsvc\\t0\\tOK\\n")
    assert nsca.words == ("/usr/sbin/send_nsca", "-H", "mon")
    assert (nsca.line, nsca.user, nsca.unresolved) == (10, "", ())


@pytest.mark.parametrize(
    ("script", "arguments"),
    [
        # Quotes, comments and line ends, all as bash 5.2 has them.
        ("duplicity / file:///x # at night", ["/", "file:///x"]),
        ("duplicity / file:///x#1", ["/", "file:///x#1"]),
        ("# duplicity a b\nduplicity / x", ["/", "x"]),
        ("duplicity\t--name  x\t/ y", ["--name", "x", "/", "y"]),
        ("duplicity --a \\\n\t--b \\\n / x", ["--a", "--b", "/", "x"]),
        ("duplicity --na\\\nme x", ["--name", "x"]),
        ("duplicity \\\r\n  / \\\r\n  x\r\n", ["/", "x"]),
        ("D=x\r\nduplicity / $D\r\n", ["/", "x"]),
        ("duplicity 'a b' \"c d\" e\\ f", ["a b", "c d", "e f"]),
        ("duplicity a'b c'\"d e\"f", ["ab cd ef"]),
        ("duplicity '' \"\"", ["", ""]),
        ("duplicity '$HOME' \"\\$HOME\" \\$HOME", ["$HOME", "$HOME", "$HOME"]),
        (r'duplicity "\a\"\\" \a' + " 'e\\\nf'", ["\\a\"\\", "a", "e\\\nf"]),
        (r"duplicity $'a\tb\'\x41\xc3\xa4\u00e4\101\z'", ["a\tb'AääA\\z"]),
        ('duplicity $"translated" "$" $', ["translated", "$", "$"]),
        ("duplicity --exclude '**' --include=/{a,b} *.x",
         ["--exclude", "**", "--include=/{a,b}", "*.x"]),
        # Variables.
        ("D=x; duplicity / $D", ["/", "x"]),
        ('D="sftp://h/a b"\nduplicity / "$D/c"', ["/", "sftp://h/a b/c"]),
        ("D='a b'\nduplicity $D", ["a", "b"]),
        ("OPTS='--a  --b c'\nduplicity x$OPTS", ["x--a", "--b", "c"]),
        ('OPTS=""\nduplicity $OPTS "$OPTS" x', ["", "x"]),
        ('A=1\nB="$A$A"\nA=2\nduplicity ${B}x', ["11x"]),
        ("A=1\nA=2 duplicity $A", ["1"]),
        ("A=1 B=${A}2\nduplicity $B", ["12"]),
        ('O="--a"\nO+=" --b"\nO="$O --c"\nduplicity $O', ["--a", "--b", "--c"]),
        ("export D=a\\ b\nduplicity $D", ["a", "b"]),
        ('export "D=x"; duplicity $D', ["x"]),
        ("unset D; duplicity x$D", ["x"]),
        ('duplicity ~ ~/a "~" a~ \'~/b\'', ["/root", "/root/a", "~", "a~", "~/b"]),
        ("D=~/backup\nduplicity / file://$D", ["/", "file:///root/backup"]),
        ("duplicity ${T:-full} \"${A-a b}\" ${B:-c d}", ["full", "a b", "c", "d"]),
        ('T=; duplicity "${T:-x}" "${T-y}" ${T:+z}', ["x", ""]),
        ('duplicity ${T:-"a b"} "${T:-"c d"}" "${T:-\'e\'}"', ["a b", "c d", "'e'"]),
        (": ${T:=full}\nduplicity $T", ["full"]),
        ("D=x; duplicity ${D:?missing}", ["x"]),
        ("F=/p/q/r.tar.gz\nduplicity ${F##*/} ${F%/*} ${F%%.*} ${F#/}",
         ["r.tar.gz", "/p/q", "/p/q/r", "p/q/r.tar.gz"]),
        ("D=sftp://h/x/; duplicity / ${D%/}", ["/", "sftp://h/x"]),
        # Arrays.
        ('O=(--a "b c" d)\nO+=(--e)\nduplicity "${O[@]}" /', ["--a", "b c", "d", "--e", "/"]),
        ('O=(\n  --a   # why\n  "b c"\n)\nduplicity "${O[@]}"', ["--a", "b c"]),
        ('O=(a "b c")\nduplicity ${O[@]} "${O[*]}" $O ${O[1]}',
         ["a", "b", "c", "a b c", "a", "b", "c"]),
        ('O=()\nduplicity "${O[@]}" x ${O[@]+"${O[@]}"}', ["x"]),
        ('O=(a "")\nduplicity "x${O[@]}y" ${O[@]+"${O[@]}"}', ["xa", "y", "a", ""]),
        ('declare -a O=(a b)\nO[2]=c\nduplicity "${O[@]}"', ["a", "b", "c"]),
        # Redirections.
        ("duplicity / x >/dev/null 2>&1", ["/", "x"]),
        ("duplicity / x &>>/var/log/x </dev/null", ["/", "x"]),
        (">/tmp/log duplicity / 2> >(tee -a log >&2) x", ["/", "x"]),
        ("duplicity 2 >a {fd}>b 3<>c 4>&- x2>d", ["2", "x2"]),
        ("duplicity --exclude-filelist-stdin / x <<< '/tmp a'",
         ["--exclude-filelist-stdin", "/", "x"]),
        ("cat <<EOF >a\nduplicity \"it's\nEOF\nduplicity / x", ["/", "x"]),
        ("duplicity - <<-'E F' / x\n\tduplicity (\n\tE F\n", ["-", "/", "x"]),
        ("cat <<A - <<B\nduplicity a\nA\nduplicity b\nB\nduplicity / x", ["/", "x"]),
        # Groups and keywords.
        ("if ! duplicity / x; then exit 1; fi", ["/", "x"]),
        ("if true; then\n  duplicity / x\nelse false; fi", ["/", "x"]),
        ("if true; then D=x; elif true; then D=y; fi; duplicity / $D", ["/", "x"]),
        ("if false; then D=x; elif true; then D=y; else D=z; fi; duplicity / $D", ["/", "y"]),
        ("set -- -v x y; getopts v: O; duplicity $O $OPTARG", ["v", "x"]),
        ("set -- -v; getopts :v: O; duplicity $O $OPTARG $OPTIND", [":", "v", "2"]),
        ("while :; do duplicity / x && break; done", ["/", "x"]),
        ("(cd / && duplicity . x)", [".", "x"]),
        ("{ duplicity / x; } 2>&1 | logger", ["/", "x"]),
        ("time duplicity / x", ["/", "x"]),
        ("backup() {\n  duplicity / x\n}\nbackup", ["/", "x"]),
        ("function backup { duplicity / x; }; backup", ["/", "x"]),
        ("f() (duplicity / x)\nf", ["/", "x"]),
        ("case $1 in a|b) ;; (c) duplicity / x;; *) exit; esac", ["/", "x"]),
        ('case "$(date +%u)" in\n  7) # Sunday\n    duplicity / x\n  ;;\nesac', ["/", "x"]),
        ("for d in a; do duplicity / x; done", ["/", "x"]),
        ("for ((i=0; i<3; i++)); do duplicity / x; done", ["/", "x"]),
        ("[[ $a =~ ^(a|b)$ && b < c ]] || duplicity / x", ["/", "x"]),
        ("((n > 3)) && duplicity / x", ["/", "x"]),
        ("duplicity / x& wait", ["/", "x"]),
        ("D=x; (D=y; true); duplicity $D", ["x"]),
        ("D=x; f() { local D=y; }; duplicity $D", ["x"]),
        ("X=$(duplicity / x 2>&1)", ["/", "x"]),
        ("X=`A=1; duplicity / \\$A`", ["/", "1"]),
        ('echo "$(duplicity "a b")"', ["a b"]),
        ("X=$(case $1 in b) duplicity / x;; esac)", ["/", "x"]),
        # Strings that are read as commands.
        ("bash -c 'duplicity / x'", ["/", "x"]),
        ("D='a b'; sh -ec \"duplicity '$D'\"", ["a b"]),
        ("D=x; export E=y; bash -c 'D=${D:-z}; duplicity $D $E'", ["z", "y"]),
        ("bash -euo pipefail -c 'duplicity / x' name", ["/", "x"]),
        ('C="duplicity --a"\nC="$C /"\neval "$C x"', ["--a", "/", "x"]),
        ("C='duplicity / x'\n$C", ["/", "x"]),
        ("sh -c \"sh -c 'duplicity / x'\"", ["/", "x"]),
    ],
)  # fmt: skip
def test_words_are_what_the_shell_makes_of_them(script: str, arguments: list[str]) -> None:
    command = duplicity(script)
    assert list(command.words[1:]) == arguments
    assert command.unresolved == ()


@pytest.mark.parametrize(
    ("script", "words", "unresolved"),
    [
        ("duplicity $1 $@ $* $? $$ $#", "$1 $@ $* $? $$ $#", "$1 $@ $* $? $$ $#"),
        ('duplicity "$UNKNOWN" x${OTHER}y', "$UNKNOWN x${OTHER}y", "$UNKNOWN ${OTHER}"),
        ('duplicity "file:///$(hostname)"', "file:///$(hostname)", "$(hostname)"),
        ("duplicity x-`hostname`", "x-`hostname`", "`hostname`"),
        ("X=`duplicity \\`id\\` x`", "`id` x", "`id`"),
        ("duplicity $((3+(4)))", "$((3+(4)))", "$((3+(4)))"),
        ("duplicity $(a $(b))", "$(a $(b))", "$(a $(b))"),
        ("H=$(hostname)\nduplicity file:///$H", "file:///$(hostname)", "$(hostname)"),
        ('O="--a $1"\nduplicity $O b', "--a $1 b", "$1"),
        ('O=(--a "$1")\nduplicity "${O[@]}"', "--a $1", "$1"),
        ("for d in $1 b; do duplicity $d; done", "$d", "$d"),
        ("while read -r d; do duplicity $d; done <list", "$d", "$d"),
        ("duplicity ${1:-full} ${D:?no} ${#D} ${D//a/b}", "${1:-full} ${D:?no} ${#D} ${D//a/b}",
         "${1:-full} ${D:?no} ${#D} ${D//a/b}"),
        ("duplicity ${HOSTNAME:-x}", "${HOSTNAME:-x}", "${HOSTNAME:-x}"),
        ("if [ -z $1 ]; then T=full; else T=incr; fi; duplicity $T", "$T", "$T"),
        ("case $1 in a) T=full;; *) T=incr;; esac; duplicity $T", "$T", "$T"),
        ("if a; then T=full; else T=full; fi; duplicity $T", "full", ""),
        ("if a; then T=full; duplicity $T; else T=incr; fi", "full", ""),
        ("T=incr; if a; then T=full; fi; duplicity $T", "$T", "$T"),
        ("if a; then O=x; O=$O-y; fi; duplicity $O", "$O", "$O"),
        ("declare -A M=([a]=b)\nduplicity ${M[a]}", "${M[a]}", "${M[a]}"),
        ("duplicity <(ls) ~bk/x", "<(ls) ~bk/x", "<(ls) ~bk"),
        ("nice -n $N duplicity x", "x", ""),
        ('bash -c "duplicity $1"', "$1", "$1"),
        ("su - bk -c 'duplicity ~'", "~", "~"),
    ],
)  # fmt: skip
def test_what_cannot_be_known_is_told(script: str, words: str, unresolved: str) -> None:
    command = duplicity(script)
    assert " ".join(command.words[1:]) == words
    assert " ".join(command.unresolved) == unresolved


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("readonly D=file:///b\nduplicity / $D", ("/", "file:///b")),
        ("readonly -r D=file:///b E; duplicity / $D", ("/", "file:///b")),
        ("D=file:///b; readonly D; duplicity / $D", ("/", "file:///b")),
        ("readonly 'D=file:///b'; duplicity / $D", ("/", "file:///b")),
        ("X='a b'; readonly D=$X; duplicity \"$D\"", ("a b",)),
        ("readonly O=(--name 'a b'); duplicity \"${O[@]}\"", ("--name", "a b")),
        (r"duplicity $'\U0010ffff' x", ("\U0010ffff", "x")),
        # There is no such character: it stays as it stands there.
        (r"duplicity $'\U00110000' $'\Uffffffff'", (r"\U00110000", r"\Uffffffff")),
    ],
)
def test_rare_words_are_read(script: str, words: tuple[str, ...]) -> None:
    assert duplicity(script).words[1:] == words


@pytest.mark.parametrize(
    ("script", "environment"),
    [
        ("A=1\nduplicity", {}),
        ("export A=1 B='2 3'\nduplicity", {"A": "1", "B": "2 3"}),
        ("A=1\nexport A\nA=2\nduplicity\nexport C=3", {"A": "2"}),
        ("export A\nA=1\nduplicity", {"A": "1"}),
        ("declare -x A=1; typeset -x B=2; readonly C=3; duplicity", {"A": "1", "B": "2"}),
        ("B=0\nset -a\nA=1\nset +a\nC=3\nduplicity", {"A": "1"}),
        ("set -o allexport; A=1; duplicity", {"A": "1"}),
        ("export A=1 B=2; unset A; duplicity", {"B": "2"}),
        ("export A=1; export -n A; duplicity", {}),
        ("A=1 B='2 3' duplicity; A=9", {"A": "1", "B": "2 3"}),
        ("A=1 true; duplicity", {}),
        ("env A=1 duplicity", {"A": "1"}),
        ("export A=1 B=2; env -u A C=3 duplicity", {"B": "2", "C": "3"}),
        ("A=1 nice B=2 duplicity || A=2 env B=3 nice duplicity", {"A": "2", "B": "3"}),
        ("(export A=1); duplicity", {}),
        ("f() { export A=1; }; f; duplicity", {"A": "1"}),
        ("export A=$(cat /key) B=1; duplicity", {"B": "1"}),
        ("A=$(cat /key) B=1 duplicity", {"B": "1"}),
        ("export A=1; bash -c 'export B=2; duplicity'", {"A": "1", "B": "2"}),
        ("A=1 sh -c 'duplicity'", {"A": "1"}),
        ("eval 'export A=1'; duplicity", {"A": "1"}),
        ("export O=(a b); duplicity", {}),
    ],
)
def test_the_environment_is_what_is_exported_until_then(
    script: str, environment: dict[str, str]
) -> None:
    assert duplicity(script).environment == {**HOME, **environment}


def test_what_is_exported_later_does_not_change_the_environment_before() -> None:
    first, second = read_commands("export A=1\na\nexport A=2\nb")
    assert (dict(first.environment), dict(second.environment)) == ({"A": "1"}, {"A": "2"})
    assert len(first.environment) == 1


def test_a_new_environment_has_only_what_is_given() -> None:
    assert duplicity("export A=1; env -i B=2 duplicity").environment == {"B": "2"}
    assert duplicity("A=1 env - B=2 duplicity").environment == {"B": "2"}


@pytest.mark.parametrize(
    "start",
    [
        "nice", "nice -n 10", "nice -10", "nice --adjustment=5",
        "/usr/bin/nice -n10 ionice -c2 -n 7",
        "ionice -c 3", "ionice -t -c3", "chronic", "chronic -e -v", "flock -n /run/x",
        "flock -w 5 -x -E 0 /run/x", "timeout 2h", "timeout -k 5 -s INT --foreground 2h",
        "nohup", "setsid -w", "exec", "exec -a name", "command", "time -p", "/usr/bin/time -v -o x",
        "env", "env -u LANG LC_ALL=C", "chrt -i 0", "chrt --idle 0",
        "taskset -c 0,1", "taskset 0x3",
        "cpulimit -l 20 --", "trickle -s -u 100 -d 200", "xvfb-run -a", "cronlock",
        "lckdo -W 5 /run/x",
        "run-one", "with-lock-ex -w /run/x", "choom -n 500 --", "proxychains -q", "logsave -a log",
        "stdbuf -oL -e L", "caffeinate -i", "systemd-inhibit --what=sleep --who backup",
        "systemd-run --scope -p CPUQuota=20% --unit=x", "flock -n 9 || exit; chronic",
        "setpriv --no-new-privs --groups 4", "LANG=C nice -n 5 env A=b timeout 1h",
    ],
)  # fmt: skip
def test_what_only_starts_it_is_taken_off(start: str) -> None:
    command = duplicity(f"{start} duplicity -v 5 / x")
    assert (command.words, command.user) == (("duplicity", "-v", "5", "/", "x"), "")


@pytest.mark.parametrize(
    ("script", "user"),
    [
        ("sudo duplicity x", "root"),
        ("sudo -u bk duplicity x", "bk"),
        ("sudo -nHu bk -- duplicity x", "bk"),
        ("sudo -E --user=bk -g adm A=b duplicity x", "bk"),
        ("sudo -iu bk nice duplicity x", "bk"),
        ("doas -n -u bk duplicity x", "bk"),
        ("su - bk -c 'duplicity x'", "bk"),
        ("su bk -s /bin/sh -c 'cd /; nice duplicity x'", "bk"),
        ("su -lc 'duplicity x' bk", "bk"),
        ("su -c 'duplicity x'", "root"),
        ("runuser -u bk -- duplicity x", "bk"),
        ("runuser -l bk -c 'duplicity x'", "bk"),
        ("setpriv --reuid=bk --clear-groups duplicity x", "bk"),
        ("systemd-run --uid bk --pipe duplicity x", "bk"),
        ("sudo -u bk sh -c 'A=1 duplicity x'", "bk"),
        ("sudo su - bk -c 'duplicity x'", "bk"),
        ("flock -n /run/x -c 'sudo -u bk duplicity x'", "bk"),
    ],
)
def test_whom_it_runs_as_is_told(script: str, user: str) -> None:
    command = duplicity(script)
    assert (command.words, command.user) == (("duplicity", "x"), user)


@pytest.mark.parametrize(
    ("start", "kept"),
    [
        ("sudo -u bk", ""), ("sudo -u bk B=3", "B"), ("A=1 sudo", ""), ("doas -u bk", ""),
        ("sudo -E -u bk", "A B"), ("sudo --preserve-env", "A B"), ("sudo --preserve-env=B,C", "B"),
        ("sudo env A=2", "A"), ("systemd-run --uid bk -E A=3", "A"), ("systemd-run --scope", "A B"),
        ("runuser -u bk", "A B"), ("nice", "A B"),
    ],
)  # fmt: skip
def test_what_sudo_and_its_likes_keep_of_the_environment(start: str, kept: str) -> None:
    """env_reset is sudo's default (sudoers(5)); systemd-run's unit has systemd's own."""
    environment = duplicity(f"export A=1 B=2; {start} duplicity x").environment
    assert sorted(environment.keys() - {"HOME", "USER", "LOGNAME"}) == kept.split()


def test_another_user_has_another_home() -> None:
    assert "HOME" not in duplicity("sudo -u bk duplicity x").environment
    assert duplicity("sudo -u bk HOME=/h duplicity x").environment == {"HOME": "/h"}


@pytest.mark.parametrize(
    ("script", "found"),
    [
        (
            "cd /; . ./conf; source x; trap 'duplicity x' EXIT",
            ["cd", ".", "source", "trap", "duplicity"],
        ),
        ("command -v duplicity >/dev/null || exit 1", ["command", "exit"]),
        ("which duplicity && [ -x /a ] && test -f b", ["which", "[", "test"]),
        ("A=1; export A; set -eu; unset A; exec >>log 2>&1; :", [":"]),
        ("a && b || c | d & e; f |& g", list("abcdefg")),
        ("bash /root/backup.sh -c", ["bash"]),
        ("su - backup", ["su"]),
        ("nice; sudo; sudo -u; flock -w; env A=1; timeout -k; su -c; bash -c", ["su", "bash"]),
        ("echo if then; echo duplicity; echo { }", ["echo"] * 3),
        ("trap - 0\nfi; done; esac; } )\nafter", ["trap", "after"]),
        ("{ fi; a; }; b", ["a", "b"]),
        ("( false ) && a; ( true ) || b; ( false ) || c", ["false", "true", "false", "c"]),
        ("case a in b) x;; a) y;; *) z;; esac", ["y"]),
        ("case a in b) x;; *) z;; esac", ["z"]),
        ("unset A || a; unset A && b", ["b"]),
        ("eval 'a; b \"'", ["eval"]),
        (
            "command; which; type; exec; eval; .; builtin",
            ["which", "type", "."],
        ),
        ("", []),
        ("\\\n", []),
        ("# only\r", []),
    ],
)
def test_commands_are_told_apart(script: str, found: list[str]) -> None:
    assert programs(script) == found


def test_lines_are_those_where_commands_begin() -> None:
    script = "a\n\nb \\\n c; d\ncat <<E\nx\nE\nX=$(\n e)\nsh -c '\nf'\nif g\nthen A=1 h; fi"
    found = [(command.words[0], command.line) for command in read_commands(script)]
    assert found == [
        *(("a", 1), ("b", 3), ("d", 4), ("cat", 5), ("e", 9), ("f", 11), ("g", 12), ("h", 13)),
    ]


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ("a\nb 'c\nd", "line 2: quote without its end"),
        ('a\n\nb "c', "line 3: quote without its end"),
        ("a $'b", "line 1: quote without its end"),
        ("a $(b\nc", "line 1: parenthesis without its end"),
        ("a `b", "line 1: ` without its end"),
        ("a ${b", "line 1: ${ without its end"),
        ("\nA=(b\n", "line 2: array without its end"),
        ("[[ a\n", "line 1: [[ without its end"),
        ("$(" * 1000, "line 1: nested too deeply"),
        ("x" * 1_000_001, "line 1: too long"),
        ("a\n" * 60_000, "line 50001: too long"),
        ("A=aaaaaaaa\n" + "A=$A$A\n" * 50, "line 19: too long"),
    ],
)
def test_what_cannot_be_read_says_where_and_why(script: str, error: str) -> None:
    with pytest.raises(ShellError) as caught:
        read_commands(script)
    assert str(caught.value).endswith(error)


@pytest.mark.parametrize(
    "piece",
    [
        "a;", "a b ", "'a'", '"$a"', "$a", "((a", "(", ")", "if ", "case x in ", "a) b;;", "<<E ",
        "cat <<E\n", "X+=a\n", "A+=(a)\n", "export a=b;c\n", "bash -c 'a'\n", "nice ", "sh -o ",
        "`a` ", "$(a) ", "{a", "\\\n", "[[ ", "f() {", "local a;", "${a[", "$((a", "~ ", "#",
        "#\n", "eval a;",
    ],
)  # fmt: skip
def test_time_is_in_proportion_to_the_length(piece: str) -> None:
    began = time.process_time()
    with contextlib.suppress(ShellError):
        read_commands(piece * (50_000 // len(piece)))
    assert time.process_time() - began < 5


FRAGMENTS = r"""
    a duplicity sudo nice su flock bash sh eval -c -u -n -- env export local declare -x A=1 A= B+=x
    A=( A+=( ) ( (( )) { } [[ ]] if then elif else fi while do done for in case esac ;; ; & && | ||
    < > << <<- <<< >( <( &> 2>&1 ' " ` $ $( $(( ${ ${A ${A[@]} :- % ## $A $1 $@ $' \ # ~ ! time f()
    function read set -a unset A[0]=
"""
BLANKS = [" ", "\n", "\t", "\r\n", "\\\n", *"\0\r\x1b\u2028\ud800"]

fragments = st.sampled_from(re.findall(r"\S+", FRAGMENTS) + BLANKS)
scripts = st.one_of(st.text(), st.lists(fragments).map("".join), st.lists(fragments).map(" ".join))


@given(scripts)
@example("A=$(x) eval 'bash -c \"$A `")
def test_any_text_gives_commands_or_an_error(text: str) -> None:
    try:
        commands = read_commands(text, Given(HOME))
    except ShellError as error:
        assert str(error).startswith("line ")
    else:
        for command in commands:
            assert command.words
            assert 1 <= command.line <= text.count("\n") + 1
            assert all(isinstance(text, str) for text in dict(command.environment).values())


@given(st.lists(st.text(st.characters(blacklist_characters="\0\n\r", blacklist_categories=["Cs"]))))
def test_quoted_words_are_read_as_they_were(words: list[str]) -> None:
    (command,) = read_commands(shlex.join(["duplicity", *words]))
    assert command.words == ("duplicity", *words)
    assert command.unresolved == ()
