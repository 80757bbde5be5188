"""What is read of scripts is compared with what a shell does with them, statement by statement."""

from __future__ import annotations

import pytest
from check_duplicity.shell.model import STDERR, STDOUT, Command, Host, Output, ShellError
from check_duplicity.shell.reading import Given, read_commands, read_variables

FILES = {
    "/etc/conf": "A=conf\nconfigured\n",
    "/etc/leaves": "A=1\nreturn\nA=2\n",
    "/etc/maybe": "x && return\nA=2\n",
}
LINKS = {
    "/bin/sh": "/bin/dash",
    "/ln": "/srv/real",
    "/srv": "/mnt/srv",
    "/srv/sub/ln": "/srv/other",
}


class ThatHost(Host):
    """A host that knows a few files, and three programs."""

    def text(self, path: str) -> str | None:
        return FILES.get(path, "")

    def has(self, test: str, path: str) -> bool | None:
        return path in (*FILES, "/bin/sh", "bin/sh")

    def real_path(self, path: str) -> str | None:
        return LINKS.get(path, "")

    def program(self, name: str, path: str | None) -> str | None:
        if path is not None:
            return f"{path}/{name}"
        return {"duplicity": "/usr/bin/duplicity", "nowhere": ""}.get(name)

    def hostname(self) -> str | None:
        return "web.example.org"

    def uid(self) -> str | None:
        return "1000"

    def user(self) -> str | None:
        return "bk"


def told(script: str) -> str:
    """Each command: ~ if it may not run, its words, and what isn't known of them.

    A star stands for any number of words.
    """
    return " | ".join(
        f"{'~' * (not found.certain)}{' '.join(found.words)}"
        + f" ({' '.join(found.unresolved)})" * bool(found.unresolved)
        + "*" * found.loose
        for found in read_commands(script, Given({}, ["/s/job.sh", "one", "t w o"]), ThatHost())
    )


STATEMENTS = {
    "f() { a; }\ng() { b; }\nparallel f g": "parallel f g | ~a | ~b",
    "f() { a; }\ng() { b; }\nf\nparallel f g\nA=1": "a | parallel f g | ~b",
    "f() { a $A; }\nA=1\nparallel f": "parallel f | ~a $A ($A)*",
    "A=1\ntrap 'c $A' EXIT\nA=2\nd": "trap c $A EXIT | d | ~c $A ($A)*",
    "trap - EXIT\nd": "trap - EXIT | d",
    "trap 'c; trap x EXIT' EXIT; exit": "trap c; trap x EXIT EXIT | exit | ~c | ~trap x EXIT",
    "f() { a; exit; }; g() { b; }; run f g": "run f g | ~a | ~exit",
    "exit; a": "exit",
    "a; exit; b": "a | exit",
    "f() { return; a; }; f; b": "b",
    "A=1; A=2 & b $A": "b 1",
    "exit & b": "exit | b",
    "false & b && c": "false | b | ~c",
    "true && a": "true | a",
    "false && a": "false",
    "true || a": "true",
    "false || a": "false | a",
    "x && A=1 || A=2; b $A": "x | b $A ($A)*",
    "x || A=1; b $A": "x | b $A ($A)*",
    "x && A=1; b $A": "x | b $A ($A)*",
    "x && true && a": "x | ~true | ~a",
    "x && false && a": "x | ~false",
    "x && false || a": "x | ~false | a",
    "x || true && a; b": "x | ~true | a | b",
    "x || false || a": "x | ~false | ~a",
    "x || true || a": "x | ~true",
    "! x && a": "x | ~a",
    "! true || a": "true | a",
    "! false && a": "false | a",
    "! true && a": "true",
    "x && exit; a": "x | ~exit | a",
    "x || exit; a": "x | ~exit | a",
    "x || exit && a": "x | ~exit | ~a",
    "exit && a": "exit",
    "true; exit || a": "true | exit",
    "A=1; x && A=2 && b; c $A": "x | ~b | c $A ($A)*",
    "{ exit; } && a": "exit",
    "! true | false && a": "true | false | ~a",
    "a | b | c": "a | b | c",
    "A=1; A=2 | A=3; a $A": "a 1",
    "exit | a; b": "exit | a | b",
    "! a | b || c": "a | b | ~c",
    "(exit); a": "exit | a",
    "(true) && a": "true | a",
    "(false) && a": "false",
    "(exit) && a": "exit | ~a",
    "{ true; } && a; { false; } && b": "true | a | false",
    "(exit; a); b": "exit | b",
    "if true; then a; elif true; then b; else c; fi": "true | a",
    "if false; then a; elif false; then b; elif true; then c; else d; fi":
        "false | false | true | c",
    "if false; then a; fi; b": "false | b",
    "if x; then A=1; elif y; then A=1; else A=1; fi; b $A": "x | ~y | b 1",
    "if x; then A=1; elif y; then A=2; else A=1; fi; b $A": "x | ~y | b $A ($A)*",
    "if x; then A=a-1; else A=a-2; fi; b $A": "x | b $A ($A)*",
    "if x; then true; else true; fi && a": "x | ~true | ~true | a",
    "if x; then false; else false; fi && a": "x | ~false | ~false",
    "if x; then true; else false; fi && a": "x | ~true | ~false | ~a",
    "if exit; then a; fi; b": "exit",
    "if x; then exit; fi; b": "x | ~exit | b",
    "if x; then exit; else exit; fi; b": "x | ~exit | ~exit",
    "if x; then A=1; else exit; fi; b $A": "x | ~exit | b 1",
    "if false; then a; fi && b": "false | b",
    "if x; then a; else b; fi; c": "x | ~a | ~b | c",
    "f() { a; }\nf() { b; }\nf": "b",
    "if x; then f() { a; }; fi; f": "x | ~f | ~a",
    "if x; then f() { a; }; else f() { b; }; fi; f": "x | ~f | ~a | ~b",
    "f() { a; } && b": "b",
    "f() { true; }; f && a": "true | a",
    "f() { false; }; f && a": "false",
    "f() { return 0; false; }; f && a": "a",
    "f() { return 1; }; f && a; b": "b",
    "f() { x && return 0; return 1; }; f && a": "x | ~a",
    "f() { f; a; }; f": "a | a | a",
    "f() { a $1 $2 $#; }; f x 'y z'; b $1": "a x y z 2 | b one",
    "case a in a) x;; a) y;; esac": "x",
    "case a in a) x;& b) y;; c) z;; esac": "x | y",
    "case a in b) x;; esac; y": "y",
    "case a in b) x;; esac && y": "~y",
    "case a in a) false;; esac && y": "false",
    "case $U in a) x;; b) y;; esac; z": "~x | ~y | z",
    "case $U in a) A=1;; *) A=2;; esac; z $A": "z $A ($A)*",
    "case $U in a) A=1;; *) A=1;; esac; z $A": "z 1",
    "case $U in a) A=1;; esac; z $A": "z $A ($A)*",
    "A=1; case $U in a) A=1;; esac; z $A": "z 1",
    "case $U in *) x;; a) y;; esac": "x",
    "case a in $U) x;; a) y;; b) z;; esac": "~x | ~y",
    "case a in $U) x;; b) z;; esac": "~x",
    "case '' in *) x;; esac": "x",
    "case '' in '') x;; *) y;; esac": "x",
    "case a in '') x;; *) y;; esac": "y",
    "case $U in '') x;; *) y;; esac": "~x | ~y",
    "case $U in **) x;; *) y;; esac": "x",
    'case $U in "*") x;; esac; y': "~x | y",
    'case \'*\' in "*") x;; *) y;; esac': "x",
    "case a in a|b) x;; esac": "x",
    "case b in a|b) x;; esac": "x",
    "case a in a) exit;; esac; x": "exit",
    "case a in a) exit;& b) x;; esac; y": "exit",
    "case a in b|$U) x;; *) y;; esac": "~x | ~y",
    "case $U in a) exit;; *) exit;; esac; y": "~exit | ~exit",
    "case 'a b' in a*) x;; esac": "x",
    "[[ a ]] && x": "x",
    "[[ '' ]] && x": "",
    "[[ '' ]] || x": "x",
    "[[ ! a ]] && x; [[ ! a ]] || y": "y",
    "[[ ! '' ]] && x": "x",
    "[[ '!' ]] && x": "x",
    "[[ -n a ]] && x; [[ -n '' ]] && y": "x",
    "[[ -z a ]] && x; [[ -z '' ]] && y": "y",
    "[[ a == a ]] && x; [[ a == b ]] && y": "x",
    "[[ a = a* ]] && x; [[ ab = a* ]] && y; [[ ab = 'a*' ]] && z": "x | y",
    "[[ a != b ]] && x; [[ a != a ]] && y": "x",
    "[[ a == a && b == b ]] && x": "x",
    "[[ a == a && b == c ]] && x; z": "z",
    "[[ a == b && b == b ]] && x; z": "z",
    "[[ $U && a == b ]] && x; z": "z",
    "[[ a || b ]] && x": "~x",
    "[[ ( a ) ]] && x": "~x",
    "[[ $U == a ]] && x": "~x",
    "[[ 1 -lt 2 ]] && x; [[ 2 -lt 1 ]] && y": "x",
    "[[ a b c d ]] && x": "~x",
    "[[ -f /etc/conf ]] && x; [[ -f /none ]] && y": "~x | ~y",
    "[[ a == $U ]] && x": "~x",
    "[[ ( $(c) == a ) ]] && x": "c | ~x",
    "[[ ! $U ]] && x": "~x",
    "[[ a =~ b ]] && x": "~x",
    "[[ a < b ]] && x": "~x",
    "for a in 1 2; do x $a; done; y $a": "x 1 | x 2 | y 2",
    "for a in 1 2; do x $a; break; done; y $a": "x 1 | y 1",
    "for a in 1 2; do x $a; continue; y; done; z $a": "x 1 | x 2 | z 2",
    "for a in 1 2; do exit; x; done; z": "exit",
    'for a; do x "$a"; done': "x one | x t w o",
    "for a in; do x; done; y": "y",
    "for a in 1 $U; do x $a; done; y $a": "~x $a ($a)* | y $a ($a)*",
    "for a in 1 2; do A=$A$a; done; x $A": "x $A12 ($A)*",
    "for a in $U; do A=1; done; x $A": "x $A ($A)*",
    "for a in 1 2; do for b in 3 4; do x $a$b; break 2; done; done; y": "x 13 | y",
    "for a in 1 2; do for b in 3 4; do x $a$b; continue 2; done; y; done; z":
        "x 13 | x 23 | z",
    "for a in 1 2; do for b in 3 4; do x $a$b; break; done; y; done; z":
        "x 13 | y | x 23 | y | z",
    "for a in 1 2; do for b in 3 4; do x $a$b; break 5; done; done; y": "x 13 | y",
    "export a; for a in 1; do sh -c 'x $a'; done": "x 1",
    "for a in 1 2; do c && break; done; y $a": "c | c | y $a ($a)*",
    "for a in 1 2; do c && continue; A=$a; done; y $A": "c | c | y $A ($A)*",
    "for a in 1; do f() { break; }; f; x; done": "x",
    "f() { for a in 1 2; do return; x; done; }; f; y": "y",
    "f() { for a in 1 2; do x $a; c && return; done; A=1; }; f; y $A":
        "x 1 | c | x 2 | c | y $A ($A)*",
    "select a in 1 2; do x $a; done; y $a": "~x $a ($a)* | y $a ($a)*",
    "for ((i=0;i<2;i++)); do x $i; done; y $i": "~x $i ($i)* | y $i ($i)*",
    "while true; do a; break; done; b": "true | a | b",
    "while false; do a; done; b": "false | b",
    "until true; do a; done; b": "true | b",
    "until false; do a; break; done; b": "false | a | b",
    "while x; do A=1; done; a $A": "~x | a $A ($A)*",
    "A=1; while x; do A=1; done; a $A": "~x | a 1",
    "A=1; while x; do A=2; done; a $A": "~x | a $A ($A)*",
    "while true; do a; exit; done; b": "true | a | exit",
    "while exit; do a; done; b": "exit",
    "while true; do x && break; a; done; b": "~true | ~x | ~a | b",
    "set -- 1 2 3; while [ $# -gt 0 ]; do x $1; shift; done; y $#":
        "[ 3 -gt 0 ] | x 1 | [ 2 -gt 0 ] | x 2 | [ 1 -gt 0 ] | x 3 | [ 0 -gt 0 ] | y 0",
    "while read l; do x $l; done; y": "~read l | ~x $l ($l)* | y",
    "A=1; while x; do y && exit; A=2; done; a $A": "~x | ~y | ~exit | a $A ($A)*",
    "while x; exit; do a; done; b": "x | exit",
    "while x; do exit; done; b": "~x | ~exit | b",
    "A=0; until [ $A = 3 ]; do x $A; A=$((A+1)); done; y $A":
        "[ 0 = 3 ] | x 0 | [ 1 = 3 ] | x 1 | [ 2 = 3 ] | x 2 | [ 3 = 3 ] | y 3",
    'A=; until [ "$A" = aaa ]; do x $A; A=a$A; done; y $A':
        "[  = aaa ] | x | [ a = aaa ] | x a | [ aa = aaa ] | x aa | [ aaa = aaa ] | y aaa",
    'A=; while [ "$A" != aaa ]; do c && break; x $A; A=a$A; done; y $A':
        "~[ $A != aaa ] ($A) | ~c | ~x $A ($A)* | y $A ($A)*",
    "A=$(echo 1; exit; echo 2); x $A": "echo 1 | exit | x 1",
    "A=$(B=1; echo $B); x $A$B": "echo 1 | x 1$B ($B)*",
    "exit_() { A=$(exit); x; }; exit_; y": "exit | x | y",
    "for a in 1 2; do A=$(break; echo $a); x $A; done": "echo 1 | x 1 | echo 2 | x 2",
    'A=$(echo 1 >&2); x "$A"': "echo 1 | x ",
    "A=$(echo 1 > /f; echo 2); x $A": "echo 1 | echo 2 | x 2",
    'A=$(echo a; echo b); x "$A"': "echo a | echo b | x a\nb",
    "A=$(echo $(echo a) b); x $A": "echo a | echo a b | x a b",
    "A=$(c); x $A": "c | x $(c) ($(c))*",
    "A=$(c; echo a); x $A": "c | echo a | x $(c; echo a) ($(c; echo a))*",
    "A=$(x && echo a || echo b); y $A":
        "x | ~echo a | ~echo b | y $(x && echo a || echo b) ($(x && echo a || echo b))*",
    "A=$(echo a | cat); x $A": "echo a | cat | x $(echo a | cat) ($(echo a | cat))*",
    'A=$(printf \'a\\n\\n\'); x "$A"': "printf a\\n\\n | x a",
    'A=$(printf \'\\n a\'); x "$A"': "printf \\n a | x \n a",
    'f() { echo "$1"; }; A=$(f a); x $A': "echo a | x a",
    "A=$(if [ -f /etc/conf ]; then echo 1; fi); x $A": "[ -f /etc/conf ] | ~echo 1 | x 1",
    "A=$(false && echo 1; echo 2); x $A": "false | echo 2 | x 2",
    "A=$(echo -n a; echo b); x $A": "echo -n a | echo b | x ab",
    "A=$({ echo a; } 2>&1); x $A": "echo a | x a",
    "A=$( (echo a) ); x $A": "echo a | x a",
    "which duplicity && A=1 || A=2; x $A": "which duplicity | x 1",
    "which nowhere && A=1 || A=2; x $A": "which nowhere | x 2",
    "which other && A=1 || A=2; x $A": "which other | x $A ($A)*",
    "if which duplicity; then A=1; else A=2; fi; x $A": "which duplicity | x 1",
    "if which nowhere; then A=1; else A=2; fi; x $A": "which nowhere | x 2",
    "if ! which nowhere; then A=1; else A=2; fi; x $A": "which nowhere | x 1",
    "if ! which other; then A=1; else A=2; fi; x $A": "which other | x $A ($A)*",
    "A=1; which nowhere && A=2; x $A": "which nowhere | x 1",
    "A=1; which duplicity && A=2; x $A": "which duplicity | x 2",
    "A=1; which duplicity || A=2; x $A": "which duplicity | x 1",
    "A=1; which nowhere || A=2; x $A": "which nowhere | x 2",
    "which duplicity || exit; x": "which duplicity | ~exit | x",
    "which nowhere || exit; x": "which nowhere | ~exit | x",
    "which nowhere && exit; x": "which nowhere | ~exit | x",
    "if which nowhere; then exit; else A=2; fi; x $A": "which nowhere | ~exit | x 2",
    "A=1; if which nowhere; then A=2; elif which duplicity; then A=3; else A=4; fi; x $A":
        "which nowhere | ~which duplicity | x 3",
    "A=1; if which nowhere; then A=2; elif which nowhere; then A=3; else A=4; fi; x $A":
        "which nowhere | ~which nowhere | x 4",
    ". /etc/conf; x $A": ". /etc/conf | configured | x conf",
    ". /etc/leaves; x $A": ". /etc/leaves | x 1",
    ". /etc/maybe; x $A": ". /etc/maybe | x | x $A ($A)*",
    "A=1; . /none; x $A": ". /none | x 1",
    ". $U; x $A": ". $U ($U)* | x $A ($A)*",
    ". conf; x": ". conf | x",
    "cd /etc; . conf; x $A": "cd /etc | . conf | configured | x conf",
    ". /etc/conf y; x $1": ". /etc/conf y | configured | x one",
    'A=1; . "$U"; x $A': ". $U ($U) | x $A ($A)*",
    "f() { local A=1; A=2; x $A; }; A=0; f; y $A": "x 2 | y 0",
    "f() { local A; x $A; }; A=0; f; y $A": "x $A ($A)* | y 0",
    "f() { A=1; return; A=2; }; f; x $A": "x 1",
    "f() { c && return; A=2; }; A=1; f; x $A": "c | x $A ($A)*",
    "f() { (return); x; }; f; y": "x | y",
    "break; x": "x",
    "continue; x": "x",
    "return; x": "x",
    "set -e; x": "x",
    "set -a; A=1; set +a; env; sh -c 'x $A'": "x 1",
    "A=1; eval $U; x $A": "eval $U ($U)* | x $A ($A)*",
    "export A=1; eval $U; sh -c 'x $A'": "eval $U ($U)* | x $A ($A)*",
    "c && set -a; A=1; sh -c 'x $A'": "c | x $A ($A)*",
    "unset A; c && export A; A=1; sh -c 'x $A'": "c | x $A ($A)*",
    "c && A='p a q' || A='p b q'; x $A": "c | x $A ($A)*",
    "c && A=1 || A=; x $A": "c | x $A ($A)*",
    "c && A=(1) || A=(2); x ${A[0]}": "c | x ${A[0]} (${A[0]})*",
    "c && A=(1) || A=(1); x ${A[0]}": "c | x ${A[0]} (${A[0]})*",
}  # fmt: skip


def test_statements_are_followed_in_their_order() -> None:
    assert {script: told(script) for script in STATEMENTS} == STATEMENTS


@pytest.mark.parametrize("body", ["a", "a; continue; b"])
def test_a_loop_without_an_end_is_followed_for_some_rounds(body: str) -> None:
    assert told(f"while true; do {body}; done") == "true | a | " * 300 + "~true | ~a"


@pytest.mark.parametrize(
    ("count", "last"), [(300, "a 300 | b 300"), (301, "~a $i ($i)* | b $i ($i)*")]
)
def test_a_loop_over_many_words_is_followed_as_one_round(count: int, last: str) -> None:
    words = " ".join(str(number) for number in range(1, count + 1))
    assert " | ".join(told(f"for i in {words}; do a $i; done; b $i").split(" | ")[-2:]) == last


WORDS = {
    "x a\\b\\ c": "x ab c",
    "x 'a\\b'": "x a\\b",
    'x "a\\b\\$\\`\\"\\\\\\}"': 'x a\\b$`"\\}',
    'x "a\\\nb"': "x ab",
    "x a\\": "x a\\",
    'x "a\\': "line 1: quote without its end",
    "x $'\\a\\b\\e\\f\\n\\r\\t\\v\\E'": "x \x07\x08\x1b\x0c\n\r\t\x0b\x1b",
    'x $\'\\\\\\\'\\"\\?\'': 'x \\\'"?',
    "x $'\\q\\cA\\x4\\x41b\\1\\1234\\0101'": "x \\q\x01\x04Ab\x01S4\x081",
    "x $'\\u41\\u00e9z\\U1F600'": "x Aéz😀",
    "x $'\\xc3\\xa9\\303\\251\\377'": "x éé\udcff",
    "x $'\\x80a' b": "x \udc80a b",
    "x $'\\ud800'": "x \ud800",
    "x $'\\cz\\c?'": "x \x1a\x1f",
    "x $'\\200\\177\\x7f'": "x \udc80\x7f\x7f",
    "x $'\\777'": "x \udcff",
    "x $'\\x414\\u004142\\U000000412'": "x A4A42A2",
    'x $\'a\'"$\'b\'"': "x a$'b'",
    'x $"a"b "$"c': "x ab $c",
    'x $ $a$ "$\'"': "x $ $a$ $' ($a)*",
    "x $1a ${10} $10 $@a ${@} ${*}": "x onea one0 one t w oa one t w o one t w o",
    'x ${a} "${a}b" ${a}}': "x ${a} ${a}b ${a}} (${a} ${a} ${a})*",
    "x ${!A} ${!A*} ${!A[@]}": "x ${!A} ${!A*} ${!A[@]} (${!A} ${!A*} ${!A[@]})*",
    "x ${#A} ${#} ${##}": "x ${#A} 2 2 (${#A})*",
    "A=abc; x ${#A} ${#A}b": "x 3 3b",
    "A=B; B=1; x ${!A}": "x 1",
    "A=(1 2 3); x ${#A[@]} ${#A[1]} ${!A[@]}":
        "x ${#A[@]} ${#A[1]} ${!A[@]} (${#A[@]} ${#A[1]} ${!A[@]})*",
    "x ${} b": "x ${} b (${})*",
    "x ${a b}": "x ${a b} (${a b})*",
    "x ${-} $- $! ${!}": "x ${-} $- $! ${!} (${-} $- $! ${!})*",
    "x ${A[0]} ${A[$i]} ${A[@]:1}":
        "x ${A[0]} ${A[$i]} ${A[@]:1} (${A[0]} ${A[$i]} ${A[@]:1})*",
    "x `echo a` `echo \\`echo b\\``": "echo a | echo b | echo b | x a b",
    'x "`echo \\"a b\\"`"': "echo a b | x a b",
    "x `echo '$1' \\$1 \\\\a`": "echo $1 one a | x $1 one a",
    'A=1; x "`echo \\$A`" \'`a`\'': "echo 1 | x 1 `a`",
    'x $((1+1)) $(( (1+2)*3 )) "$((2))"': "x 2 $(( (1+2)*3 )) 2 ($(( (1+2)*3 )))",
    "A=3; x $((A+1)) $((a(1)))": "x 4 $((a(1))) ($((a(1))))",
    "x $((1)) b)": "x 1 b",
    "x $( (echo a); echo b)": "echo a | echo b | x a b",
    "x $((echo a); echo b)": "echo a | echo b | x a b",
    "x <(a) >(b)": "a | b | x <(a) >(b) (<(a) >(b))",
    'x "<(a)" a<(b)': "b | x <(a) a<(b) (<(b))",
    "x ~ ~/a ~bk ~bk/a ~a.b-c/x": "x ~ ~/a ~bk ~bk/a ~a.b-c/x (~ ~ ~bk ~bk ~a.b-c)",
    "x ~: ~a: a=~ ~+ ~1": "x ~: ~a: a=~ ~+ ~1 (~ ~a)",
    'x "~" \'~\' \\~ ~\'a\' a~': "x ~ ~ ~ ~a a~",
    "A=~:~bk; x $A": "x ~:~bk (~)*",
    'A=; x ${A:-b} ${A-b}c ${A:+b}c ${A+b} ${U:-d e} "${U:-d e}"': "x b c c b d e d e",
    "x ${HOME:-a} ${PATH-b} ${SHELL:=c}":
        "x ${HOME:-a} ${PATH-b} ${SHELL:=c} (${HOME:-a} ${PATH-b} ${SHELL:=c})*",
    'x "${A:-"b c"}" ${A:-\'b c\'} "${A:-\'b c\'}"': "x b c b c 'b c'",
    'A=1; x ${A:-b} ${A:+b c} "${A:+b c}" ${A:?no}': "x 1 b c b c 1",
    "x ${A:=b} $A": "x b b",
    "x ${A=b} $A": "x b b",
    "A=/a/b.c.d; x ${A#*/} ${A##*/} ${A%.*} ${A%%.*}": "x a/b.c.d b.c.d /a/b.c /a/b",
    "A=abcdef; x ${A:1} ${A:1:2} ${A: -2} ${A:0:-1} ${A:9} ${A:2:0}b":
        "x bcdef bc ef abcde b",
    "A=aB; x ${A^} ${A^^} ${A,} ${A,,}": "x AB AB aB ab",
    'A=\'a b\'; x "${A/ /"_"}" ${A// /-}': "x a_b a-b",
    'A=a/b; x ${A/"/"/x} ${A%\'/\'*}': "x axb a",
    'A=\'a}b\'; x "${A#a\\}}" ${A%"}b"}': "x b a",
    "A=a:b; x ${A/:/-} ${A%:*} ${A:0:1}": "x a-b a a",
    "x ${A?} ${A:?a b} ${U%a} ${U##*/}":
        "x ${A?} ${A:?a b} ${U%a} ${U##*/} (${A?} ${A:?a b} ${U%a} ${U##*/})*",
    'x "${A:-$(echo \'a b\')}" "${A:-`echo c`}"': "echo a b | echo c | x a b c",
    'x "a${U}b" \'c\'$U"d"': "x a${U}b c$Ud (${U} $U)*",
    'A=\'*\'; x "$A" *.gz {a,b}': "x * *.gz {a,b}",
    'set --; x "$@" a': "x a",
    'set --; x "$*" a': "x  a",
    'set -- \'a b\' c; x "$@" $@ "$*" "p$@q" ${@} ${@:2}':
        "x a b c a b c a b c pa b cq a b c ${@:2} (${@:2})*",
    'A=(); x "${A[@]}" a "${A[*]}"': "x a ",
    'A=(\'a b\' c); x "${A[@]}" ${A[@]} "p${A[@]}q" ${A[1]} ${A[-1]} ${A[9]}b':
        "x a b c a b c pa b cq c ${A[-1]} b (${A[-1]})*",
    'A=(a b); A[1]=c; A+=(d); A[5]=e; x "${A[@]}"': "x $A ($A)",
    "A=(a); A+=b; x $A": "x ab",
    'A=(a b); unset \'A[0]\'; x "${A[@]}"': "x $A ($A)*",
    'x $0 $1 $2 "$2" $3 $#': "x /s/job.sh one t w o t w o 2",
    'A=\'  a  b  \'; x $A c$A$A"d"': "x a b c a b a b d",
    "A='a\tb\nc'; x $A": "x a b c",
    'A=\' \'; x a${A}b $A "$A"': "x a b  ",
    'A=a; x $A$U$A "$A$U"': "x a$Ua a$U ($U $U)*",
    'A="$U b"; x $A "$A"': "x $U b $U b ($U $U)*",
    "A=$U; A=$A-$A; x $A": "x $U-$U ($U $U)*",
    "A=1; A+=2; A+=$U; x $A": "x 12$U ($U)*",
    "eval x '$U' b": "x $U b ($U)*",
    'eval "x \'"$U"\' c" d': "x $U c d ($U)",
    "eval x": "x",
    "eval": "",
    "eval ''": "eval ",
    "eval 'A=1;' x '$A'": "x 1",
    "eval $U x": "eval $U x ($U)*",
    'bash -c "x $U b"': "x $U b ($U)*",
    'bash -c "x \'$U\' $V $U"': "x $U $V $U ($U $V $U)*",
    "nice --adjustment=$U x": "x",
    "sudo -u$U x": "x",
    "sudo --user=a$U x": "x",
    "B=env; $B A=$U x": "x",
    'eval "x \\"$U\\""': "x $U ($U)",
    'eval "$U"': "eval $U ($U)",
    "x \ud800 a\udc00": "x � a\udc00",
    "x a\x00b": "x ab",
    "if a; then A=1; else A=2; fi; x $A": "a | x $A ($A)*",
    "if a; then A='p 1 q'; else A='p 2 q'; fi; x $A": "a | x p $A q ($A)*",
    "if a; then A='p q'; else A='p'; fi; x $A": "a | x $A ($A)*",
    "if a; then A='p q'; else A='r q'; fi; x $A": "a | x $A q ($A)*",
    'if a; then A=\'pp 1\'; else A=\'pp 2\'; fi; x "$A"': "a | x pp $A ($A)",
    "if a; then A='a a'; else A='a a a'; fi; x $A": "a | x a $A ($A)*",
    "if a; then A='a 1'; elif b; then A='a 2 b'; else A='a 3'; fi; x $A":
        "a | ~b | x $A ($A)*",
    "if a; then A=1; else unset A; fi; x $A": "a | x $A ($A)*",
    'if a; then A=(1 2); else A=(1 3); fi; x "${A[@]}"': "a | x $A ($A)*",
    "if a; then A=$U; else A=1; fi; x $A": "a | x $A ($A)*",
    "if a; then A=''; else A=1; fi; x $A": "a | x $A ($A)*",
    "if a; then A='/ab 1'; else A='/ac 1'; fi; x $A": "a | x $A 1 ($A)*",
    "x <<E a\nb\nE\nc": "x a | c",
    "x <<'E' a\nE \nE\nc": "x a | c",
    "x <<-E a\n\t\tb\n\t\tE\nc": "x a | c",
    "x <<E\n\tE\nE\nc": "x | c",
    "x <<E\nb": "x",
    "x <<E; y <<F\na\nE\nb\nF\nc": "x | y | c",
    'x <<"E F"\nE F\nc': "x | c",
    "x <<\\E\nb\nE\nc": "x | c",
    "x <<< a b": "x b",
    "x <<< 'a b' <<< $(y) c": "y | x c",
    "x 2>a 12>b {fd}>c 1a>d": "x 1a",
    "x &>a b; y >&2 c": "x b | y c",
    "x >|a b <>c d <&3 e >>f": "x b d e",
    "x < a > b 'c'": "x c",
    "x >a# b #c": "x b",
    "x a#b #c\ny": "x a#b | y",
    "x \\\n #c\ny": "x | y",
    "x\n\n#c\n  # d\n\ny": "x | y",
    "x;y&z": "x | y | z",
    "x&&y||z|w|&v": "x | ~y | ~z | ~w | ~v",
    "x > $(y) z": "y | x z",
    "x >": "x",
    "# a\r\nx\r": "x",
    "x 'a\r\nb'\r\ny": "x a\nb | y",
    "x a\rb": "x a\rb",
    "1A=2 x": "1A=2 x",
    "A-b=1 x": "A-b=1 x",
    "é=1 x": "é=1 x",
    "A=1 é x $A": "é x $A ($A)*",
    "A=1; x $Aé": "x 1é",
    "_a1=2; x $_a1": "x 2",
    "A[1]=2 x; x ${A[1]}": "x | x ${A[1]} (${A[1]})*",
    "x A=1": "x A=1",
    "PATH=1 x": "x",
}  # fmt: skip


def test_words_are_read_as_they_are_written() -> None:
    assert {script: told_or_error(script) for script in WORDS} == WORDS


def told_or_error(script: str) -> str:
    try:
        return told(script)
    except ShellError as error:
        return str(error)


PRINTED = {
    "echo": "",
    "echo a b": "a b",
    "echo -n a b": "a b",
    "echo -n": "",
    "echo -e a": "?",
    "echo -- a": "?",
    "echo 'a\\n'": "?",
    "echo $U": "?",
    "echo a $U": "a $U",
    'echo "$U" a': "?",
    "echo -n $U": "?",
    "echo ''": "",
    "echo '' ''": " ",
    "printf a": "a",
    "printf -v a": "?",
    "printf 'a b'": "a b",
    "printf %s a": "a",
    "printf %s": "",
    "printf '%s,' a b": "a,b,",
    "printf 'x%sy\\n' a": "xay",
    "printf '%%'": "%",
    "printf '%%%s%%' a": "%a%",
    "printf a b": "?",
    "printf %d 1": "?",
    "printf '\\t'": "?",
    "printf $U": "?",
    "printf '%s' $U": "?",
    'printf \'%s\' "$U"': "$U",
    "printf": "?",
    "printf %s%s a b": "?",
    "printf '%s' ''": "",
    "printf 'a\\n%s\\n' b c": "a\nb\na\nc",
    "mkdir -p /x": "",
    "true": "",
    "sleep 3": "",
    "test -d /x": "",
    "[ -d /x ]": "",
    "ls": "?",
    "touch $U": "",
    "chmod 1 x": "",
    "rm x": "",
    "chown a b": "",
    "false": "",
    "kill 1": "",
    ":": "",
    "basename": "?",
    "basename /a/b": "b",
    "basename /a/b/": "b",
    "basename /": "/",
    "basename ''": "?",
    "basename a.sh .sh": "a",
    "basename .sh .sh": ".sh",
    "basename /x/a.sh .txt": "a.sh",
    "basename -s .sh /a/b.sh": "b",
    "basename -s .sh": "?",
    "basename -a x y": "?",
    "basename -- -x": "?",
    "basename a b c": "?",
    "basename a.sh.sh .sh": "a.sh",
    "basename -- /a/b.sh .sh": "b",
    "basename $U": "?",
    "/usr/bin/basename a/b": "b",
    "basename //": "/",
    "basename a": "a",
    "dirname": "?",
    "dirname /a/b": "/a",
    "dirname /a/b/": "/a",
    "dirname /a": "/",
    "dirname /": "/",
    "dirname a": ".",
    "dirname a/b": "a",
    "dirname ''": ".",
    "dirname //a": "/",
    "dirname /a//b": "/a",
    "dirname -z /a/b": "?",
    "dirname -- -a/b": "?",
    "dirname /a/b /c": "?",
    "dirname a/": ".",
    "dirname -- /a/b": "/a",
    "readlink /ln": "?",
    "readlink -f /ln": "/srv/real",
    "readlink -e /ln": "/srv/real",
    "readlink --canonicalize /ln": "/srv/real",
    "readlink -nf /ln": "/srv/real",
    "readlink -fn /ln": "/srv/real",
    "readlink -n -f /ln": "/srv/real",
    "readlink -n /ln": "?",
    "readlink -f -- /ln": "/srv/real",
    "readlink -f /ln /ln": "?",
    "readlink -f": "?",
    "readlink -f /none": "?",
    "readlink -f ''": "?",
    "readlink -f ln": "?",
    "cd /srv/sub; readlink -f ln": "/srv/other",
    "readlink -m -f /ln": "?",
    "readlink -f -q /ln": "?",
    "realpath /ln": "/srv/real",
    "realpath -e /ln": "/srv/real",
    "realpath -m /ln": "/srv/real",
    "realpath -q -P /ln": "/srv/real",
    "realpath -s /ln": "?",
    "realpath ln": "?",
    "cd /srv/sub; realpath ln": "/srv/other",
    "realpath -- /ln": "/srv/real",
    "realpath -q /ln": "/srv/real",
    "realpath -P /ln": "/srv/real",
    "pwd": "?",
    "cd /srv; pwd": "/srv",
    "cd /srv; pwd -L": "/srv",
    "cd /srv; pwd -P": "/mnt/srv",
    "cd /a; pwd -P": "?",
    "pwd -P": "?",
    "cd /srv; pwd -x": "?",
    "cd /srv; /bin/pwd": "/srv",
    "hostname": "web.example.org",
    "hostname -s": "web",
    "hostname --short": "web",
    "hostname -f": "?",
    "uname -n": "web.example.org",
    "uname --nodename": "web.example.org",
    "uname": "?",
    "uname -a": "?",
    "id -u": "1000",
    "id -un": "bk",
    "id -nu": "bk",
    "id -u -n": "bk",
    "id -n -u": "bk",
    "id": "?",
    "id -u bk": "?",
    "whoami": "bk",
    "whoami x": "?",
    "command -v duplicity": "/usr/bin/duplicity",
    "command -v nowhere": "?",
    "command -v other": "?",
    "command -v echo": "?",
    "command -v cd": "?",
    "type -p duplicity": "/usr/bin/duplicity",
    "type -P duplicity": "/usr/bin/duplicity",
    "type duplicity": "?",
    "command -v /bin/sh": "/bin/sh",
    "command -v /none": "?",
    "command -v bin/sh": "?",
    "command -v -x": "?",
    "command -v a b": "?",
    "which duplicity": "/usr/bin/duplicity",
    "which -a duplicity": "?",
    "which duplicity b": "?",
    "which": "?",
    "which test": "?",
    "which [": "?",
    "which printf": "?",
    "which pwd": "?",
    "which kill": "?",
    "which true": "?",
    "which false": "?",
    "which read": "?",
    "which 'duplicity'": "/usr/bin/duplicity",
    "f() { a; }; which f": "?",
    "PATH=/opt; which x": "/opt/x",
}  # fmt: skip


def test_what_a_command_prints_is_known_without_running_it() -> None:
    assert {command: printed(command) for command in PRINTED} == PRINTED


def printed(command: str) -> str:
    """What is known of it; a question mark if that is nothing."""
    found = read_commands(f'A=$({command}); x "$A"', Given(), ThatHost())[-1]
    unknown = found.unresolved and found.unresolved[0].startswith("$(")
    return "?" if unknown else found.words[1]


STARTED_WITH = {"HOME": "/root", "USER": "root", "A": "1", "B": "2"}


STARTED = {
    "nice -n 1 p": "p",
    "nice --adjustment 1 p": "p",
    "nice -19 p": "p",
    "ionice -c 1 p": "p",
    "ionice -n 1 p": "p",
    "ionice -p 1 p": "p",
    "ionice -P 1 p": "p",
    "ionice -u 1 p": "p",
    "ionice --class 1 p": "p",
    "ionice --classdata 1 p": "p",
    "ionice --pid 1 p": "p",
    "ionice --pgid 1 p": "p",
    "ionice --uid 1 p": "p",
    "ionice -t p": "p",
    "flock -w 1 /l p": "p",
    "flock -E 1 /l p": "p",
    "flock --wait 1 /l p": "p",
    "flock --timeout 1 /l p": "p",
    "flock --conflict-exit-code 1 /l p": "p",
    "flock -n /l p": "p",
    "timeout -k 1 1 p": "p",
    "timeout -s 1 1 p": "p",
    "timeout --kill-after 1 1 p": "p",
    "timeout --signal 1 1 p": "p",
    "timeout --foreground 1 p": "p",
    "sudo -g 1 p": "p [root] -i",
    "sudo -U 1 p": "p [root] -i",
    "sudo -h 1 p": "p [root] -i",
    "sudo -p 1 p": "p [root] -i",
    "sudo -C 1 p": "p [root] -i",
    "sudo -r 1 p": "p [root] -i",
    "sudo -t 1 p": "p [root] -i",
    "sudo -T 1 p": "p [root] -i",
    "sudo -R 1 p": "p [root] -i",
    "sudo -D 1 p": "p [root] -i",
    "sudo --user 1 p": "p [1] -i",
    "sudo --group 1 p": "p [root] -i",
    "sudo --other-user 1 p": "p [root] -i",
    "sudo --host 1 p": "p [root] -i",
    "sudo --prompt 1 p": "p [root] -i",
    "sudo --close-from 1 p": "p [root] -i",
    "sudo --role 1 p": "p [root] -i",
    "sudo --type 1 p": "p [root] -i",
    "sudo --command-timeout 1 p": "p [root] -i",
    "sudo --chroot 1 p": "p [root] -i",
    "sudo --chdir 1 p": "p [root] -i",
    "sudo -n p": "p [root] -i",
    "sudo -i p": "p [root] -i",
    "sudo --login p": "p [root] -i",
    "sudo -E p": "p [root] -HOME -USER",
    "sudo --preserve-env p": "p [root] -HOME -USER",
    "sudo --preserve-env=A p": "p [root] -HOME -USER -B",
    "sudo --preserve-env=A,HOME p": "p [root] -HOME -USER -B",
    "sudo -u U p": "p [U] -i",
    "sudo --user=U p": "p [U] -i",
    "sudo A=3 p": "p [root] A=3 -HOME -USER -B",
    "sudo -E A=3 p": "p [root] A=3 -HOME -USER",
    "sudo -i A=3 p": "p [root] A=3 -HOME -USER -B",
    "sudo A=$X p": "p [root] -i ?A",
    "sudo -E A=$X p": "p [root] -HOME -USER -A ?A",
    "doas -u U p": "p [U] -i",
    "doas -C 1 p": "p [root] -i",
    "doas -n p": "p [root] -i",
    "doas A=1 p": "A=1 p [root] -i",
    "runuser -u U p": "p [U] -HOME -USER",
    "runuser --user U p": "p [U] -HOME -USER",
    "runuser --user=U p": "p [U] -HOME -USER",
    "runuser -u U -g 1 p": "p [U] -HOME -USER",
    "runuser -u U -G 1 p": "p [U] -HOME -USER",
    "runuser -u U --group 1 p": "p [U] -HOME -USER",
    "runuser -u U --supp-group 1 p": "p [U] -HOME -USER",
    "runuser U p": "runuser U p",
    "setpriv --reuid U p": "p [U]",
    "setpriv --reuid=U p": "p [U]",
    "setpriv --reset-env p": "p -i",
    "setpriv --regid 1 p": "p",
    "setpriv --ruid 1 p": "p",
    "setpriv --rgid 1 p": "p",
    "setpriv --euid 1 p": "p",
    "setpriv --egid 1 p": "p",
    "setpriv --groups 1 p": "p",
    "setpriv --inh-caps 1 p": "p",
    "setpriv --ambient-caps 1 p": "p",
    "setpriv --bounding-set 1 p": "p",
    "setpriv --securebits 1 p": "p",
    "setpriv --pdeathsig 1 p": "p",
    "setpriv --selinux-label 1 p": "p",
    "setpriv --apparmor-profile 1 p": "p",
    "systemd-inhibit --what 1 p": "p",
    "systemd-inhibit --who 1 p": "p",
    "systemd-inhibit --why 1 p": "p",
    "systemd-inhibit --mode 1 p": "p",
    "systemd-run -H 1 p": "p -i >",
    "systemd-run -M 1 p": "p -i >",
    "systemd-run -u 1 p": "p -i >",
    "systemd-run -p 1 p": "p -i >",
    "systemd-run -E C=4 p": "p C=4 -i >",
    "systemd-run -E A=$X p": "p -i >",
    "systemd-run --setenv C=4 p": "p C=4 -i >",
    "systemd-run --setenv=C p": "p -i >",
    "systemd-run --scope -E C=4 p": "p C=4 >",
    "systemd-run --uid U p": "p [U] -i >",
    "systemd-run --scope --uid=U p": "p [U] >",
    "systemd-run --host 1 p": "p -i >",
    "systemd-run --machine 1 p": "p -i >",
    "systemd-run --unit 1 p": "p -i >",
    "systemd-run --property 1 p": "p -i >",
    "systemd-run --description 1 p": "p -i >",
    "systemd-run --slice 1 p": "p -i >",
    "systemd-run --service-type 1 p": "p -i >",
    "systemd-run --gid 1 p": "p -i >",
    "systemd-run --nice 1 p": "p -i >",
    "systemd-run --working-directory 1 p": "p -i >",
    "systemd-run --on-active 1 p": "p -i >",
    "systemd-run --on-boot 1 p": "p -i >",
    "systemd-run --on-startup 1 p": "p -i >",
    "systemd-run --on-unit-active 1 p": "p -i >",
    "systemd-run --on-unit-inactive 1 p": "p -i >",
    "systemd-run --on-calendar 1 p": "p -i >",
    "systemd-run --timer-property 1 p": "p -i >",
    "systemd-run --path-property 1 p": "p -i >",
    "systemd-run --socket-property 1 p": "p -i >",
    "caffeinate -t 1 p": "p",
    "caffeinate -w 1 p": "p",
    "stdbuf -i 1 p": "p",
    "stdbuf -e 1 --input 1 p": "p",
    "stdbuf --output 1 --error 1 p": "p",
    "systemd-cat -t x p": "p >x",
    "systemd-cat --identifier x p": "p >x",
    "systemd-cat -p 1 p": "p >",
    "systemd-cat --priority 1 --stderr-priority 1 --level-prefix 1 p": "p >",
    "systemd-cat p": "p >",
    "systemd-cat -t $X p": "p >",
    "envdir /d p": "p",
    "envuidgid U p": "p",
    "setuidgid U p": "p [U] -HOME -USER",
    "setuidgid U:G p": "p [U] -HOME -USER",
    "gosu U p": "p [U] -HOME -USER",
    "gosu U:G p": "p [U] -HOME -USER",
    "su-exec U p": "p [U] -HOME -USER",
    "chpst -u U p": "p [U]",
    "chpst -U 1 -b 1 -e 1 -/ 1 -n 1 -l 1 p": "p",
    "chpst -m 1 -d 1 -o 1 -p 1 -f 1 -c 1 -r 1 -t 1 -L 1 p": "p",
    "setlock /l p": "p",
    "softlimit -a 1 -c 1 -d 1 -f 1 -l 1 -m 1 p": "p",
    "softlimit -n 1 -o 1 -p 1 -r 1 -s 1 -t 1 p": "p",
    "torsocks -u 1 -a 1 -d 1 -P 1 p": "p",
    "torsocks --user 1 --pass 1 --address 1 --port 1 p": "p",
    "ssh-agent -a 1 -E 1 -t 1 -P 1 -O 1 p": "p",
    "dbus-run-session --config-file 1 --dbus-daemon 1 p": "p",
    "numactl -i 1 -N 1 -m 1 -p 1 -C 1 p": "p",
    "numactl --interleave 1 --cpunodebind 1 --physcpubind 1 --membind 1 p": "p",
    "exec -a 1 p": "p",
    "time -f 1 -o 1 p": "p",
    "/usr/bin/time --format 1 --output 1 p": "p",
    "env -u A p": "p -A",
    "env --unset A p": "p -A",
    "env --unset=A C=3 p": "p C=3 -A",
    "env -C / --chdir / p": "p",
    "env -i p": "p -i",
    "env --ignore-environment A=3 p": "p A=3 -HOME -USER -B",
    "env - p": "p -i",
    "env - A=3 p": "p A=3 -HOME -USER -B",
    "env A=3 B= p": "p A=3 B=",
    "env A=$X p": "p -A ?A",
    "env -i A=$X p": "p -i ?A",
    "env A= p": "p A=",
    "env 1=2 p": "1=2 p",
    "A=3 env -i p": "p -i",
    "A=3 env p": "p A=3",
    "chrt -T 1 -P 1 -D 1 1 p": "p",
    "chrt --sched-runtime 1 --sched-period 1 --sched-deadline 1 1 p": "p",
    "taskset 1 p": "p",
    "cpulimit -l 1 -p 1 -e 1 -P 1 -m 1 p": "p",
    "cpulimit --limit 1 --pid 1 --exe 1 --path 1 --monitor-forks 1 p": "p",
    "trickle -u 1 -d 1 -w 1 -t 1 -l 1 -L 1 -n 1 -N 1 p": "p",
    "xvfb-run -n 1 -e 1 -f 1 -s 1 -p 1 -w 1 p": "p",
    "xvfb-run --server-num 1 --error-file 1 --auth-file 1 --server-args 1 p": "p",
    "xvfb-run --xauth-protocol 1 --wait 1 p": "p",
    "lckdo -W 1 -E 1 /l p": "p",
    "with-lock-ex /l p": "p",
    "choom -n 1 -p 1 --adjust 1 --pid 1 p": "p",
    "proxychains -f 1 p": "p",
    "proxychains4 -f 1 p": "p",
    "logsave /f p": "p",
    "nocache -n 1 p": "p",
    "su U -c p": "p [U] -HOME -USER",
    "su - U -c p": "p [U] -i",
    "su -l U -c p": "p [U] -i",
    "su --login U -c p": "p [U] -i",
    "su -c p U": "p [U] -HOME -USER",
    "su -c p": "p [root] -HOME -USER",
    "su - -c p": "p [root] -i",
    "su --command p U": "p [U] -HOME -USER",
    "su --command=p U": "p [U] -HOME -USER",
    "su --session-command=p U": "p [U] -HOME -USER",
    "su -s /bin/bash -c p U": "p [U] -HOME -USER",
    "su -g 1 -G 1 -w 1 --shell 1 --group 1 --supp-group 1 -c p U": "p [U] -HOME -USER",
    "runuser U -c p": "p [U] -HOME -USER",
    "runuser - U -c p": "p [U] -i",
    "runuser -c p -l U": "p [U] -i",
    "su -c 'p $A' U": "p 1 [U] -HOME -USER",
    "A=3 su -c 'p $A'": "p 3 [root] A=3 -HOME -USER",
    "A=3 su - -c 'p $A'": "p $A [root] -i",
    "su U": "su U",
    "su -c $X U": "$X [U] -HOME -USER",
    "flock /l -c 'p a'": "p a",
    "flock /l --command 'p a'": "p a",
    "flock -c 'p a'": "",
    "flock /l p -c a": "p -c a",
    "command -v p": "command -v p",
    "command -V p": "command -V p",
    "command -pv p": "command -pv p",
    "command -p p": "p",
    "command -vp p": "command -vp p",
    "nice command -v p": "command -v p",
    "nice": "",
    "nice --": "",
    "nice -- p -n 1": "p -n 1",
    "sudo -u": "",
    "sudo -- p": "p [root] -i",
    "env -S p": "p",
    "- p": "- p",
    "-p": "-p",
    "sudo sudo -u U p": "p [U] -i",
    "sudo -u U nice sudo p": "p [root] -i",
    "nice -n": "",
    "nohup setsid p": "p",
    "A=3 sudo p": "p [root] -i",
    "A=$X p": "p -A ?A",
    "A=$X nice p": "p -A ?A",
    "A=$X sudo -E p": "p [root] -HOME -USER -A ?A",
    "flock /l": "",
    "flock": "",
    "timeout 1": "",
    "setuidgid": "",
    "sh -c": "sh -c",
    "sh -c p a b": "p",
    "bash -c 'p $0 $1 $#' a b": "p a b 1",
    "bash -c 'p $0'": "p bash",
    "bash -x -c 'p'": "p",
    "bash +x -c p": "p",
    "bash --rcfile x -c p": "p",
    "bash --login -c p": "p",
    "bash -o errexit -c p": "p",
    "bash -O x -c p": "p",
    "bash x -c p": "bash x -c p",
    "bash -- -c p": "bash -- -c p",
    "bash -xc p": "p",
    "bash -cx p": "p",
    "bash +c p": "bash +c p",
    "bash --norc --init-file x -c p": "p",
    'sh -c \'p "\'': 'sh -c p "',
    "bash -c $X": "$X",
    "systemd-run --setenv=A p": "p -HOME -USER -B >",
    "systemd-run -E B -E A=3 -E C p": "p A=3 -HOME -USER >",
    "systemd-run --scope -E A p": "p >",
}  # fmt: skip


def test_programs_that_start_another_one() -> None:
    """Each command: words, [user], variables set, -removed (-i: all), ?unknown, >output."""
    assert {script: started(script) for script in STARTED} == STARTED


def started(script: str) -> str:
    return " | ".join(map(_start_of, read_commands(script, Given(STARTED_WITH))))


def _start_of(found: Command) -> str:
    given = dict(found.environment)
    removed = [f"-{name}" for name in STARTED_WITH if name not in given]
    parts = [
        *found.words,
        *([f"[{found.user}]"] if found.user else []),
        *(f"{n}={given[n]}" for n in sorted(given) if given[n] != STARTED_WITH.get(n)),
        *(["-i"] if len(removed) == len(STARTED_WITH) else removed),
        *(f"?{name}" for name in sorted(found.hidden)),
        *([f">{found.output.file}{found.output.tag}"] if found.output != STDOUT else []),
    ]
    return " ".join(parts)


@pytest.mark.parametrize(
    ("given", "words", "unknown"),
    [
        (Given(), ("x", "$0", "$1", "$2", "$#"), ("$0", "$1", "$2", "$#")),
        (Given({}, ["n"]), ("x", "n", "0"), ()),
        (Given({}, ["n", "a"]), ("x", "n", "a", "1"), ()),
        (Given({}, ["n", "a", ""]), ("x", "n", "a", "2"), ()),
        (Given({}, ["n", None, "b"]), ("x", "n", "$1", "b", "2"), ("$1",)),
        (Given({}, [None, "a", "b"]), ("x", "$0", "a", "b", "2"), ("$0",)),
        (Given({}, ["n", "a", None], loose=True), ("x", "n", "a", "$2", "$#"), ("$2", "$#")),
        (Given({}, ["n", None, "b"], loose=True), ("x", "n", "$1", "$2", "$#"), ("$1", "$2", "$#")),
    ],
)
def test_a_script_gets_arguments(
    given: Given, words: tuple[str, ...], unknown: tuple[str, ...]
) -> None:
    (command,) = read_commands("x $0 $1 $2 $#", given)
    assert (command.words, command.unresolved) == (words, unknown)


def test_a_script_gets_variables_of_which_some_are_hidden() -> None:
    (command,) = read_commands("x $A $B", Given({"A": "1"}, hidden=["B", "C"]))
    assert command.words == ("x", "1", "$B")
    assert dict(command.environment) == {"A": "1"}
    assert command.hidden == {"B", "C"}


@pytest.mark.parametrize(
    ("first", "shell", "kept"),
    [
        ("#!/bin/bash", "", "0"),
        ("#! /usr/bin/env bash", "", "0"),
        ("#!/usr/bin/env -S bash -e", "", "0"),
        ("#!/bin/dash", "", "$A"),
        ("#!/bin/sh", "", "$A"),
        ("", "", "$A"),
        ("", "bash", "0"),
        ("", "/bin/bash", "0"),
        ("#!/bin/dash", "bash", "0"),
        (" #!/bin/bash", "", "$A"),
    ],
)
def test_only_bash_is_known_to_drop_what_is_assigned_before_eval(
    first: str, shell: str, kept: str
) -> None:
    script = f"{first}\nA=0\nA=1 eval :\nx $A"
    assert read_commands(script, Given(), ThatHost(), shell)[-1].words == ("x", kept)


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("A=1\nB='2 3'\nexport C=$A", {"A": "1", "B": "2 3", "C": "1", "Z": "0"}),
        ("Z=1", {"Z": "1"}),
        ("unset Z", {}),
        ("A=$(x)", {"Z": "0"}),
        ("", {"Z": "0"}),
    ],
)
def test_lines_with_variables_are_read(text: str, variables: dict[str, str]) -> None:
    assert read_variables(text, {"Z": "0"}) == variables


@pytest.mark.parametrize("text", ["exit", "A=1; exit 1; B=2"])
def test_lines_with_variables_that_leave_are_an_error(text: str) -> None:
    with pytest.raises(ShellError, match=r"^line 1: not to be understood as variables$"):
        read_variables(text)


def test_the_longest_text_is_read() -> None:
    assert read_commands("#" + "x" * 999_999) == []
    with pytest.raises(ShellError, match=r"^line 1: too long$"):
        read_commands("#" + "x" * 1_000_000)


def test_the_deepest_nesting_is_read() -> None:
    assert told("{ " * 20 + "a; " + "}; " * 20) == "a"
    with pytest.raises(ShellError, match=r"^line 2: nested too deeply$"):
        told("\n" + "{ " * 41 + "a; " + "}; " * 41)


OUTPUTS = {
    "a": "a 1 2",
    "a >/f": "a /f 2",
    "a >>/f": "a /f 2",
    "a 2>/f": "a 1 /f",
    "a >/f 2>&1": "a /f /f",
    "a 2>&1 >/f": "a /f 1",
    "a &>/f": "a /f /f",
    "a >&2": "a 2 2",
    "a >&-": "a /dev/null 2",
    "a >f": "a ? 2",
    "a >/f >/g": "a /g 2",
    "a 3>/f >&3": "a /f 2",
    "a >&4": "a ? 2",
    "cd /d; a >f; b": "cd 1 2 | a /d/f 2 | b 1 2",
    "exec >/f; a; b": "a /f 2 | b /f 2",
    "exec 2>&1 >/f; a": "a /f 1",
    "{ a; b 2>/g; } >/f; c": "a /f 2 | b /f /g | c 1 2",
    "for i in 1; do { a; break; } >/f; done; b": "a /f 2 | b 1 2",
    "for i in 1 2; do { x && continue; } >/f; a; done; b":
        "x /f 2 | a 1 2 | x /f 2 | a 1 2 | b 1 2",
    "f() { { return; } 2>/f; }; f; a": "a 1 2",
    "f() { a; } >/f; f; b": "a /f 2 | b 1 2",
    "f() { exec >/f; }; f; a": "a /f 2",
    "(exec >/f; a); b": "a /f 2 | b 1 2",
    "x && exec >/f; a": "x 1 2 | a ? 2",
    "x && exec >/f || exec >/f; a": "x 1 2 | a ? 2",
    "a | tee /f; b": "a /f 2 | tee 1 2 | b 1 2",
    "a | b | logger -t t; c": "a ? 2 | b t 2 | logger 1 2 | c 1 2",
    "a 2>&1 | logger -t t": "a t t | logger 1 2",
    "a > >(tee /f); b": "tee ? 2 | a /f 2 | b 1 2",
    "a | cat >/f": "a /f 2 | cat /f 2",
    "a >$U": "a ? 2",
    "a >/f-$(date +%u)": "date ? 2 | a /f-* 2",
    "if x; then a; fi >/f; b": "x /f 2 | a /f 2 | b 1 2",
    "while x; do a; done >/f; b": "x /f 2 | a /f 2 | b 1 2",
    "sh -c 'a; b >/g' >/f": "a /f 2 | b /g 2",
    "f() { a; }; f >/f; b": "a /f 2 | b 1 2",
    "f() { for i in 1; do return; done; }; { f; a; } >/f; b": "a /f 2 | b 1 2",
    "while true; do { { break; } 2>/g; } >/f; done; a": "true 1 2 | a 1 2",
    "for i in 1; do for j in 1; do { break 2; } >/f; done; done; a": "a 1 2",
    "exec 3>/f; a >&3; b": "a /f 2 | b 1 2",
    "A=$(a >&2; b); c": "a 2 2 | b ? 2 | c 1 2",
    "A=$(a 2>&1)": "a ? ?",
    "A=$(exec >/f; a); b": "a /f 2 | b 1 2",
}  # fmt: skip


def test_where_output_and_errors_go() -> None:
    """Each command, where its output goes and its errors: 1 and 2 are the script's own."""
    assert {script: outputs_of(script) for script in OUTPUTS} == OUTPUTS


def outputs_of(script: str) -> str:
    return " | ".join(
        f"{found.words[0]} {target(found.output)} {target(found.errors)}"
        for found in read_commands(script)
    )


def target(output: Output) -> str:
    return {STDOUT: "1", STDERR: "2"}.get(output) or output.file or output.tag or "?"


EXPORTED = {
    "f() { local A=2; x; }; export A=1; f; y": "x A=2 | y A=1",
    "f() { local A; x; }; export A=1; f; y": "x ?A | y A=1",
    "f() { local A; A=2; x; }; A=1; f; y": "x | y",
    "export A=1; x": "x A=1",
    "export A=$(c); x": "c | x ?A",
    "export A; x": "x ?A",
    "x && export A; A=1; y": "x | y ?A",
    "A=1; x && export A; y": "x | y ?A",
    "export A=1; x && A=2; y": "x A=1 | y ?A",
    "export A=1; x && unset A; y": "x A=1 | y ?A",
    "export A=1; x && export -n A; y": "x A=1 | y ?A",
    "export A=1; (A=2; x); y": "x A=2 | y A=1",
    "export A=1; A=2 x; y": "x A=2 | y A=1",
    "export A=1; x && A=2 && y; z": "x A=1 | y ?A | z ?A",
    "export A=1 B=2; eval $U; x": "eval ?A ?B | x ?A ?B",
    "A=$U x": "x ?A",
    "A=$U; export A; x": "x ?A",
    "export A=$U; A=1; x": "x A=1",
    "export A=$U; unset A; x": "x",
    "export A=(1); x": "x ?A",
    "A=1; eval $U; x": "eval | x",
    "export A=; x": "x A=",
    "set -a; A=$U; x": "x ?A",
    "x && set -a; A=1; y": "x | y ?A",
    "f() { local B=2; export B; x; }; f; y": "x B=2 | y",
    "export A=1; for A in 2 3; do x; done": "x A=2 | x A=3",
    "export A=1; for A in $U; do x; done; y": "x ?A | y ?A",
    "export A=1; while x; do A=2; done; y": "x ?A | y ?A",
    "unset A; export A; A=2; x": "x A=2",
    "declare -x A=1; x": "x A=1",
    "export A=1; . $U; x": ". A=1 | x ?A",
    "export A=1; sh -c 'B=2; export B; x'; y": "x A=1 B=2 | y A=1",
    "export A=$U; sh -c 'x; A=1; y'": "x ?A | y ?A",
    "export A=$U; env -u A x": "x",
    "export A=$U; env -i x": "x",
    "export A=$U; env A=1 x": "x A=1",
}  # fmt: skip


def test_which_variables_a_command_gets() -> None:
    """Each command, its variables, and those that it may get with unknown values."""
    assert {script: variables_of(script) for script in EXPORTED} == EXPORTED


def variables_of(script: str) -> str:
    return " | ".join(
        " ".join(
            [
                found.words[0],
                *(f"{name}={text}" for name, text in found.environment.items()),
                *(f"?{name}" for name in sorted(found.hidden)),
            ]
        )
        for found in read_commands(script)
    )
