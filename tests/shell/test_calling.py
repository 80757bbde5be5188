# ruff: noqa: E501
"""What simple commands, functions, sourced files, strings and tests do."""

from __future__ import annotations

import shlex

import pytest
from traces import traced


@pytest.mark.parametrize(
    ("script", "calls"),
    [
        (
            "A=1 B=2 d $A; d x$A; A=1; A=2 B=$A d $A; B=3 A=4 sh -c 'd $A $B'; d $A",
            "A='1' B='2' $A ($A?) (loose); x$A ($A?) (loose); A='2' B='2' 1; A='4' B='3' 4|3; 1",
        ),
        (
            "A=1; A=2 eval 'd $A'; d $A; A=3 f; d $A; f() { d $A; }; A=3 f; d $A",
            "A='2' 2; $A ($A?) (loose); $A ($A?) (loose); A='3' 3; $A ($A?) (loose)",
        ),
        (
            "#!/bin/bash\nA=1; A=2 eval 'd $A'; d $A; f() { d $A; }; A=3 f; d $A; A=4 :; d $A; A=5 export B=$A; d $A",
            "2: A='2' 2; 2: 1; 2: A='3' 3; 2: 1; 2: $A ($A?) (loose); 2: $A ($A?) (loose) (hidden B)",
        ),
        (
            "#!/bin/sh\nA=1; A=1 eval 'd $A'; d $A; A=4 :; d $A; A=4; A=4 :; d $A; A=4 export C=1; d $A; A=5 export B=1; d $A $B",
            "2: A='1' 1; 2: 1; 2: $A ($A?) (loose); 2: 4; 2: C='1' 4; 2: B='1' C='1' $A|1 ($A?) (loose)",
        ),
        (
            "A=1; A=2 set x; d $A $1; A=1; A=2 true; d $A; A=1; A=2 shift; d $A; A=1; A=2 unset B; d $A; A=1; A=2 trap - EXIT; d $A; A=1; A=2 read B; d $A; A=1; A=2 cd /; d $A",
            "$A|x ($A?) (loose); 1; $A ($A?) (loose); $A ($A?) (loose); $A ($A?) (loose); 1; 1 (in /)",
        ),
        (
            ". conf; d $A; . /s/conf x; d $A $1; . ./conf; d $A",
            "2: conf|$1 ($1?) (loose) (of /s/conf); conf; 2: /s/conf|$@ ($@?) (loose) (of /s/conf); conf|$1 ($1?) (loose); $A ($A?) (loose) (in ?) (hidden HOME PATH PWD)",
        ),
        (
            'set a b; . conf; d $1; . conf c; d $1 $#; . twice d; d $1; d "$BASH_SOURCE"',
            "2: conf|a (of /s/conf); a; 2: conf|$1 ($1?) (loose) (of /s/conf); a|2; 2: conf|$1 ($1?) (loose) (of /s/conf); twice|$1 ($1?) (loose) (of /s/twice); a; $BASH_SOURCE ($BASH_SOURCE?)",
        ),
        (
            "A=1; . none; d $A; . left && d yes || d maybe; d $A; . again; d $A",
            "1; yes (maybe); maybe (maybe); 1; again (of /s/again); again (of /s/again); again (of /s/again); again (of /s/again); again (of /s/again); $A ($A?) (loose) (in ?) (hidden HOME PATH PWD)",
        ),
        (
            'A=1; . nix; d $A; A=1; . "$X"; d $A; A=1; . ; d $A; A=1; source conf y; d $A',
            "$A ($A?) (loose) (in ?) (hidden HOME PATH PWD); $A ($A?) (loose) (in ?) (hidden HOME PATH PWD); $A ($A?) (loose) (in ?) (hidden HOME PATH PWD); $A ($A?) (loose) (in ?) (hidden HOME PATH PWD)",
        ),
        (
            'cd "$X"; A=1; . conf; d $A; A=1; . /s/conf; d $A',
            "$A ($A?) (loose) (in ?) (hidden HOME OLDPWD PATH PWD); 2: /s/conf|$1 ($1?) (loose) (in ?) (of /s/conf) (hidden HOME OLDPWD PATH PWD); conf (in ?) (hidden HOME OLDPWD PATH PWD)",
        ),
        (
            "eval; d a; eval ''; d b; eval 'd c' d; eval d \"'e f'\"; eval 'if'; d g; eval \"d '\"; d h",
            "a; b (in ?) (hidden HOME PATH PWD); c|d (in ?) (hidden HOME PATH PWD); e f (in ?) (hidden HOME PATH PWD); g (in ?) (hidden HOME PATH PWD); h (in ?) (hidden HOME PATH PWD)",
        ),
        (
            'A=1; eval "$X"; d $A; A=1; eval "$X=2"; d $A; A=1; eval "A=$X"; d $A; A=1; eval "d \\"$X\\" $A"; d $A',
            "$A ($A?) (loose) (in ?) (hidden HOME PATH PWD); $A ($A?) (loose) (in ?) (hidden HOME PATH PWD); $X ($X?) (loose) (in ?) (hidden HOME PATH PWD); $X|1 ($X?) (in ?) (hidden HOME PATH PWD); 1 (in ?) (hidden HOME PATH PWD)",
        ),
        (
            'A=1; eval \'((\' ; d $A; A=1; eval "A=\'2"; d $A; B=$(eval "\'"); d "x$B"',
            '$A ($A?) (loose) (in ?) (hidden HOME PATH PWD); $A ($A?) (loose) (in ?) (hidden HOME PATH PWD); x$(eval "\'") ($(eval "\'")?) (in ?) (hidden HOME PATH PWD)',
        ),
        (
            'eval "eval \\"eval \'d 3\'\\""; A=\'eval "$A"\'; eval "$A"; d end',
            "3; end (in ?) (hidden HOME PATH PWD)",
        ),
        (
            'f() { d $1 $# "$@"; }; f a \'b c\'; set x; f; d $1; f $X; f "$X" y; f $X z',
            "a|2|a|b c; 0; x; $1|$#|$@ ($1 $# $@?) (loose); $X|2|$X|y ($X $X?) (loose); $1|$#|$@ ($1 $# $@?) (loose)",
        ),
        (
            "f() { d one; }; g() { f; return 1; }; g && d no || d two; f && d three",
            "one; two; one; three (maybe)",
        ),
        ("f() { d $1; f x$1; }; f a; d end", "a; xa; xxa; end (in ?) (hidden HOME PATH PWD)"),
        (
            "f() { d f; g; }; g() { d g; f; }; f; A=1; d $A",
            "f; g; f; g; f; g; 1 (in ?) (hidden HOME PATH PWD)",
        ),
        (
            "if x; then f() { d one $1; }; else f() { d two $1; }; fi; f a; d end",
            "one|a (maybe); two|a (maybe); end",
        ),
        ("if x; then f() { A=1; d f; }; fi; A=2; f; d $A", "f (maybe); $A ($A?) (loose)"),
        (
            'f() { d f $1; }; g() { d g $1; }; "$X" a; d end; $X b; "$X" /s/p; "$X" duplicity; "$X"',
            "f|a (maybe); g|a (maybe); end; f|b (maybe); g|b (maybe); f (maybe); g (maybe)",
        ),
        (
            'f() { A=1; }; A=2; "$X"; d $A; A=2; "$X" /p; d $A; A=2; "$X" duplicity; d $A; A=2; "$X" p; d $A',
            "$A ($A?) (loose); 2; 2; $A ($A?) (loose)",
        ),
        (
            'f() { d f; }; V=f; $V; "$V"; builtin cd /a; d; builtin; command cd /b; d; command f; command . conf; command -p cd /c; d',
            "f; f; (in /a); (in /b); (in /b)",
        ),
        (
            "f() { return 1; d no; }; f || d one; f() { if x; then return 1; fi; true; }; f && d maybe || d maybe; f() { x && return 1; return 0; }; f && d maybe",
            "one; maybe; maybe (maybe)",
        ),
        (
            "if x; then f() { return 0; }; f || d maybe; fi; f() { false; }; f || d yes; f() { true; return; }; f && d maybe",
            "maybe (maybe); yes; maybe (maybe)",
        ),
        (
            'A=$(f() { echo 1; }; f; f); d "$A"; A=$(f() { echo a; f; }; f); d "$A"',
            "1\n1; $(f() { echo a; f; }; f) ($(f() { echo a; f; }; f)?)",
        ),
        (
            'A=$(echo a; nice echo b); d "$A"; A=$(command echo a); d "$A"; A=$(exec echo a; echo b); d "$A"; A=$(nice); d "$A"; A=$(exec; echo c); d "$A"; A=$(B=1 C=2; echo $B); d $A; A=$(printf %s a); d $A; A=$(pwd; echo x); d "$A"',
            "$(echo a; nice echo b) ($(echo a; nice echo b)?); $(command echo a) ($(command echo a)?); $(exec echo a; echo b) ($(exec echo a; echo b)?); $(nice) ($(nice)?); c; 1; a; /s\nx",
        ),
        ("exec d a; d no", "a"),
        ("exec; d a; exec >x; d b; exec nice; d c", "a; b (> /s/x); c (> /s/x)"),
        (
            'command -v nice || d no; d; command -v none && d no; command -v other || d maybe; which nice && d yes; which none && d no; command -v /bin/x || d maybe; command -v nice none && d maybe; which nice none && d maybe; command -v "$X" || d maybe; command -V none && d maybe; command none && d maybe',
            "no (maybe); ; no (maybe); maybe (maybe); yes (maybe); no (maybe); maybe (maybe); maybe (maybe); maybe (maybe); maybe (maybe); maybe (maybe); maybe (maybe)",
        ),
        (
            "PATH=/q; d $(command -v nice) $(which nice); if command -v none; then A=1; else A=2; fi; d $A; if which none; then A=1; else A=2; fi; d $A; if command -v nice; then A=1; else A=2; fi; d $A; if command -v nice x; then A=1; else A=2; fi; d $A; if which -a nice; then A=1; else A=2; fi; d $A",
            "PATH='/q' /q/nice|/q/nice; PATH='/q' 2; PATH='/q' 2; PATH='/q' 1; PATH='/q' $A ($A?) (loose); PATH='/q' $A ($A?) (loose)",
        ),
        (
            "echo x && d yes || d no; /bin/echo x || d maybe; nice echo x || d maybe; A=$(x) && d maybe || d maybe; A=1 && d yes || d no; A=$(x) B=1 || d maybe; >x || d no",
            "yes; no (maybe); maybe (maybe); maybe (maybe); maybe (maybe); maybe (maybe); yes; no (maybe); maybe (maybe)",
        ),
        (
            "sh -c 'd $0 $1 $#' a b; sh -c 'd $0 $#'; bash -c 'd \"$@\"' x a 'b c'; sh -c 'd $1' x $X y; sh -c 'd $1 \"$2\"' x a $X; sh -c 'd \"$0\"' \"$X\"; sh -c 'd $0' $X a",
            "a|b|1; sh|0; a|b c; $1 ($1?) (loose); a|$2 ($2?); $X ($X?); $X ($X?) (loose)",
        ),
        (
            "A=1; export B=2; sh -c 'd \"x$A\" $B; B=3'; d $B; cd /a; sh -c 'd $PWD; cd b; d'; d; sudo -u bk sh -c 'd $PWD; d >x'; sudo -u bk d; export C=$X; sh -c 'd $C'",
            "B='2' x$A|2 ($A?); B='2' 2; B='2' /a (in /a); B='2' (in /a/b); B='2' (in /a); -HOME -PATH -PWD $PWD ($PWD?) (loose) (in ?) (as bk); -HOME -PATH -PWD (in ?) (> ?) (as bk); -HOME -PATH -PWD (in /a) (as bk); B='2' $C ($C?) (loose) (in /a) (hidden C)",
        ),
        (
            "sh -c 'd \"'; sh -c \"d $X\"; sh -c 'sh -c \"d two\"'; sh -c 'sh -c \"sh -c \\\"sh -c d\\\"\"'; sh -c 'd ${HOSTNAME:-none}'; bash -c 'd $HOSTNAME'; if x; then sh -c d; fi; sh -c '. conf'; sh -c d >o 2>e; sh -e -c 'd $-' ; sh x -c d",
            "$X ($X?) (loose); two; ; ${HOSTNAME:-none} (${HOSTNAME:-none}?) (loose); web1; (maybe); 2: conf (of /s/conf); (> /s/o) (2> /s/e); $- ($-?) (loose)",
        ),
        (
            'bash -c \'bash -c "bash -c \\"bash -c \\\\\\"bash -c d\\\\\\"\\""\'; A=d; bash -c "$A x"; nice bash -c \'d y\'',
            "; x; y",
        ),
        (
            "sh -c 'f() { local A; d \"x$A\"; }; A=1; f'; bash -c 'f() { local A; d \"x$A\"; }; A=1; f'; /bin/dash -c 'shift 5; d no'; /usr/bin/sh -c 'shift 5; d no'; ksh -c 'shift 5; d yes'; bash -c 'shift 5; d yes'; \"$X\"/sh -c 'shift 5; d maybe'",
            "x$A ($A?); x; yes",
        ),
        (
            "local A=1; d $A; readonly B=2; d $B; export C; C=3; d; export D=4 && d maybe || d maybe",
            "1; 2; C='3'; C='3' D='4' maybe (maybe); C='3' D='4' maybe (maybe)",
        ),
        (
            'set -- f; f() { d f; }; "$1"; "$@"; f() { d again; }; "$1"; unset -f f; "$1"',
            "f; f; again",
        ),
        (
            'f() { d "$1"; shift; d "$1"; }; f a b; d "$1"; f() { set -- z; d $1; }; set y; f; d $1',
            "a; b; $1 ($1?); z; y",
        ),
        (
            'f() { for i in "$@"; do d "$i"; done; }; f a b; f() { A=$1; }; f q; d $A; f() ( A=z; ); f; d $A; f() { cd /a; }; f; d',
            "a; b; q; q; (in /a)",
        ),
        (
            "f() { x || return; d maybe; }; f; f() { d $A; }; A=1 f; export A; A=2 f; d; d $A",
            "maybe; A='1' 1; A='2' 2; (hidden A); $A ($A?) (loose) (hidden A)",
        ),
        (
            "f() { d $A; A=3; }; A=1; A=2 f; d $A; g() { A=5 f; }; g; d $A",
            "A='2' 2; $A ($A?) (loose); A='5' 5; $A ($A?) (loose)",
        ),
        (
            "[ -x /no ] && d no; [ -x /yes ] || d no; [ -e yes ]; d; [ -f yes ] && A=1; d $A; [ -d yes ] && A=2; d $A; [ -e '' ] && d no; [ -f \"$X\" ] && A=3; d $A",
            "no (maybe); no (maybe); ; 1; 1; $A ($A?) (loose)",
        ),
        (
            'B=1; [ ! -f /yes ] && B=2; d $B; if [ -f /no ]; then B=3; fi; d $B; if [ -f /k ]; then B=4; fi; d $B; B=1; [ -L /yes ] && B=5; d $B; [ -p /no ] && B=6; d $B; B=1; [ -h /yes -a ] && B=7; d $B; cd "$X"; C=1; [ -f yes ] && C=2; d $C; C=1; [ -f /yes ] && C=2; d $C',
            "1; 1; $B ($B?) (loose); 5; $B ($B?) (loose); $B ($B?) (loose); $C ($C?) (loose) (in ?) (hidden PWD); 2 (in ?) (hidden PWD)",
        ),
        (
            "B=1; if [ -f /yes ] && [ -d /yes ]; then B=2; fi; d $B; if [ -f /yes ] && [ -d /no ]; then B=3; fi; d $B; if [ -f /no ] || [ -d /yes ]; then B=4; fi; d $B; if [ -f /no ] || [ -d /no ]; then B=5; fi; d $B; if [ -f /yes ] && x; then B=6; fi; d $B; B=1; if [ -f /yes ] && [ -d /k ]; then B=7; fi; d $B",
            "2; 2; 4; 4; $B ($B?) (loose); $B ($B?) (loose)",
        ),
        (
            "B=1; if [[ -f /yes && -d /no ]]; then B=2; fi; d $B; if [[ -f /yes && ( -d /yes ) ]]; then B=3; fi; d $B; if [[ ! -f /yes || -d /yes ]]; then B=4; fi; d $B; if [[ -f /no && $X ]]; then B=5; fi; d $B; [[ a && $X ]] && B=6; d $B; B=1; [[ '' || $X ]] && B=6; d $B; B=1; [[ '' && $X ]] || d no; [[ $X || a ]] && d yes; [[ $X && '' ]] || d no; [[ $X && a ]] || d maybe",
            "1; $B ($B?) (loose); $B ($B?) (loose); $B ($B?) (loose); $B ($B?) (loose); $B ($B?) (loose); no; yes (maybe); no; maybe (maybe)",
        ),
        (
            "[ -z '' ] && d yes; [ -n '' ] || d no; [ -z a ] || d no; [ -n a ] && d yes; [ -z \"$X\" ] && d maybe; [ -n \"$X\" ] && d maybe; [ -n \"a$X\" ] && d yes; [ -z \"$X$X\" ] || d maybe; [ -t 1 ] && d no; [ a ] && d yes; [ '' ] || d no; [ ! a ] || d no; [ ! '' ] && d yes; [ ! -z '' ] || d no; [ ! a = b ] && d yes; [ ! ! a ] && d yes",
            "yes; no; no; yes; maybe (maybe); maybe (maybe); yes; maybe (maybe); yes; no; no; yes; no; yes; yes",
        ),
        (
            "[ 1 -eq 1 ] && d eq; [ 1 -eq 2 ] || d ne; [ 1 -ne 2 ] && d ne; [ 1 -ne 1 ] || d eq; [ 1 -lt 2 ] && d lt; [ 2 -lt 2 ] || d ge; [ 2 -le 2 ] && d le; [ 3 -le 2 ] || d gt; [ 3 -gt 2 ] && d gt; [ 2 -gt 2 ] || d le; [ 2 -ge 2 ] && d ge; [ 1 -ge 2 ] || d lt",
            "eq; ne; ne; eq; lt; ge; le; gt; gt; le; ge; lt",
        ),
        (
            "[ -1 -lt ' 0 ' ] && d yes; [ 08 -eq 8 ] && d yes; [ a -eq 1 ] || d maybe; [ 1 -eq '' ] || d maybe; [ 123456789012345 -gt 1 ] && d yes; [ 1234567890123456 -gt 1 ] && d maybe; [ \"$X\" -gt 1 ] && d maybe; [ 1 -gt \"$X\" ] && d maybe; [ '' -eq '' ] || d maybe; [ -5 -eq -5 ] && d yes; [ 1.5 -gt 1 ] || d maybe",
            "yes; yes; maybe (maybe); maybe (maybe); yes; maybe (maybe); maybe (maybe); maybe (maybe); maybe (maybe); yes; maybe (maybe)",
        ),
        (
            "[ a = a ] && d yes; [ a = b ] || d no; [ a != b ] && d yes; [ a != a ] || d no; [ a == a ] && d yes; [ a == b ] || d no; [ '' = '' ] && d yes; [ \"$X\" = a ] || d maybe; [ a != \"$X\" ] || d maybe; [ a '<' b ] || d maybe; [ ! = ! ] && d yes; [ -n = -n ] && d yes; [ a -a b ] || d maybe; [ a = a -a b = b ] || d maybe; [ = ] && d yes; [ -f ] && d yes",
            "yes; no; yes; no; yes; no; yes; maybe (maybe); maybe (maybe); maybe (maybe); yes; yes; maybe (maybe); maybe (maybe); yes; yes",
        ),
        (
            "[[ abc == a* ]] && d yes; [[ abc == b* ]] || d no; [[ abc != a* ]] || d no; [[ abc != b* ]] && d yes; [[ abc = 'a*' ]] || d no; [[ abc == [a]* ]] || d maybe; [[ $X == a ]] || d maybe; [[ a == $X ]] || d maybe; [[ 2 -gt 1 ]] && d yes; [[ 1 -gt 1 ]] || d no; [[ a < b ]] || d maybe; [[ a =~ a ]] || d maybe; [[ -z $X ]] || d maybe; [[ -t 0 ]] && d no; [[ -n a ]] && d yes; [[ ! a == a ]] || d no; [[ ! a != b ]] || d no; [[ -f '' ]] || d no",
            "yes; no; no; yes; no; maybe (maybe); maybe (maybe); maybe (maybe); yes; no; maybe (maybe); maybe (maybe); maybe (maybe); yes; no; no; no",
        ),
    ],
)
def test_commands_are_followed_as_a_shell_runs_them(script: str, calls: str) -> None:
    assert traced(script) == calls


@pytest.mark.parametrize("command", ["eval", "sh -c"])
def test_a_string_in_a_string_is_read_to_the_fifth(command: str) -> None:
    script = "d a"
    for depth in range(1, 8):
        script = f"{command} {shlex.quote(script)}"
        assert (traced(script) == "a") == (depth <= 5), depth
