# ruff: noqa: E501
"""What builtins do to a script's variables, arguments, directory and way."""

from __future__ import annotations

import pytest
from traces import traced


@pytest.mark.parametrize(
    ("script", "calls"),
    [
        ("A=1; export -f A; d; declare -F A=2; d $A", "; 1"),
        ("f() { declare -g A=2; }; A=1; f; d $A", "2"),
        ("f() { declare A=2; }; A=1; f; d $A", "1"),
        ("f() { typeset A=2; }; A=1; f; d $A", "1"),
        ("f() { export A=2; }; A=1; f; d $A", "A='2' 2"),
        ("g() { f; d $A; local A=3; d $A; }; f() { local A=2; d $A; }; A=1; g; d $A", "2; 1; 3; 1"),
        ('#!/bin/bash\nA=1; f() { local A; d "x$A"; }; f; d $A', "2: x; 2: 1"),
        ('#!/bin/sh\nA=1; f() { local A; d "x$A"; }; f; d $A', "2: x$A ($A?); 2: 1"),
        ('A=1; f() { local A; d "x$A"; }; f; d $A', "x$A ($A?); 1"),
        ('f() { local A; d "x$A"; }; f; d $A', "x; $A ($A?) (loose)"),
        ("export A=1; f() { local A=2; d; }; f; d", "A='2'; A='1'"),
        ("export A=1; f() { declare +x A; d; }; f; d", "; A='1'"),
        ("export A=1; declare +x A; d $A", "1"),
        ("export -n A=2; d $A; A=3; declare -x A; d", "2; A='3'"),
        ("export -p A=2; d; declare -xr B=3; d", "A='2'; A='2' B='3'"),
        (
            'declare -i A=5; d $A; declare -i B=C; d $B; declare -i E; d "$E"',
            "5; $B ($B?) (loose); $E ($E?)",
        ),
        (
            "declare -u A=x; d $A; declare -l A=x; d $A; typeset -r A=x; d $A",
            "$A ($A?) (loose); $A ($A?) (loose); x",
        ),
        (
            "declare -n R=A; d $R; declare -A M; d ${M[a]} $M",
            "$R ($R?) (loose); ${M[a]}|$M (${M[a]} $M?) (loose)",
        ),
        (
            "declare -a -a -a -a -a -a -a -a -x A=1; d; declare -a -a -a -a -a -a -a -a -a -x A=2; d $A",
            "A='1'; A='2' 2",
        ),
        ('X="-x"; declare $X A=1; d; export 1=2 B= C; d "$B"', "A='1'; A='1' B='' '' (hidden C)"),
        ("export A[1]=2 B=1; d", "B='1' (hidden A)"),
        ("set a b c; d $1 $2 $#; set --; d $#; set -e; d $#", "a|b|3; 0; 0"),
        (
            "set a; set -e; d $1; set -e b; d $1; set -o pipefail c; d $1; set -eo pipefail e; d $1",
            "a; b; c; e",
        ),
        (
            "set +o pipefail a; d $*; set +e b; d $*; set -- -x -- y; d $*; set -e -- f; d $*; set - g; d $*; set -; d $*",
            "a; b; -x|--|y; f; g; g",
        ),
        ("set -x -e -u a; d $*; set -ab c; d $*; set -o; d $*", "a; c; c"),
        ("set -a; A=1; set +a; B=1; d; set -ea; C=1; set +ea; D=1; d", "A='1'; A='1' C='1'"),
        ("set -o allexport; A=1; set +o allexport; B=1; d; set -o noexec; C=1; d", "A='1'; A='1'"),
        (
            'set a $X b; d $1; d "$2"; d $#; shift; d "$1"; d $#',
            "a; $2 ($2?); $# ($#?) (loose); $1 ($1?); $# ($#?) (loose)",
        ),
        ('set $X -e b; d "$1"; set -e "$X" b; d "$1" $2', "$1 ($1?); $X|b ($X?)"),
        (
            "set a b c; shift; d $*; shift 2; d $#; set a b; shift 2; d $#; set a b; shift 0; d $*",
            "b|c; 0; 0; a|b",
        ),
        (
            "#!/bin/bash\nset a; shift 2 || d failed; d $*; shift 1 && d fine",
            "2: failed; 2: a; 2: fine",
        ),
        ("#!/bin/sh\nset a; shift 2 || d failed; d $*", ""),
        ("set a; shift 2 || d failed; d $*", "failed; a"),
        (
            'set a; shift 10000; d $1; set a; shift $N; d $1; set a; shift "$N"; d $1; set a; N=1; shift $N; d $#',
            "$1 ($1?) (loose); $1 ($1?) (loose); $1 ($1?) (loose); 0",
        ),
        (
            'set a b; shift && d yes || d no; N=; set a; shift "$N"; d $1; shift || d after',
            "yes; no (maybe); $1 ($1?) (loose); after (maybe)",
        ),
        (
            'set a $X; shift; shift; d "$1" $#; set a $X; shift 3; d "$1"',
            "$1|$# ($1 $#?) (loose); $1 ($1?)",
        ),
        (
            'A=1 B=2; unset A "$X"; d x$A $B; unset B[0]; d $B; unset "B$X"; unset -v B; d x$B',
            "x|2; $B ($B?) (loose); x",
        ),
        ("f() { d f; }; f; unset -f f; f; A=1; unset f A; d x$A", "f; x"),
        (
            "cd /a; d; cd b; d; cd ../c; d; cd -; d; cd; d; cd //q; d; cd /a/../../b; d",
            "(in /a); (in /a/b); (in /a/c); (in /a/b); (in /root); (in /q); (in /b)",
        ),
        (
            "cd -- /a; d; cd -L /b; d; cd -P /link; d; cd -P link; d; cd -Pe /nix; d; cd /a /b; d",
            "(in /a); (in /b); (in /real); (in ?) (hidden PWD); (in ?) (hidden OLDPWD PWD); (in ?) (hidden OLDPWD PWD)",
        ),
        (
            'cd $X; d; cd a; d; cd /b; d; cd "$X/a"; d',
            "(in ?) (hidden PWD); (in ?) (hidden OLDPWD PWD); (in /b) (hidden OLDPWD); (in ?) (hidden PWD)",
        ),
        (
            "cd /yes || d no; d; cd /no || d no; d; cd /k || d maybe; d",
            "no (maybe) (in /yes); (in /yes); no (maybe) (in /no); (in /no); maybe (maybe) (in /k); (in /k)",
        ),
        (
            "cd /yes && d yes; cd /no && d no; pushd /a; d; popd; d; chdir /b; d",
            "yes (maybe) (in /yes); no (maybe) (in /no); (in /a); (in ?) (hidden PWD); (in /b) (hidden OLDPWD)",
        ),
        (
            "cd a; d; cd -P nix; d; unset HOME; cd; d; cd /b; d",
            "(in /s/a); (in ?) (hidden PWD); -HOME (in ?) (hidden OLDPWD PWD); -HOME (in /b) (hidden OLDPWD)",
        ),
        ("A=1 B=2 C=3; read -r A B; d $A; d $B; d $C", "$A ($A?) (loose); $B ($B?) (loose); 3"),
        (
            "REPLY=1 A=2; read; d $REPLY; d $A; REPLY=1; read A; d $REPLY; d $A",
            "$REPLY ($REPLY?) (loose); 2; 1; $A ($A?) (loose)",
        ),
        (
            "M=1 MAPFILE=2; mapfile M; d $M; d $MAPFILE; readarray -t; d $MAPFILE",
            "$M ($M?) (loose); 2; $MAPFILE ($MAPFILE?) (loose)",
        ),
        (
            "A=1; printf -v A x; d $A; A=1; printf x A; d $A; A=1; printf -v A; d $A; B=(1); printf -v B[0] %s x; d $B",
            "$A ($A?) (loose); 1; $A ($A?) (loose); $B ($B?) (loose)",
        ),
        (
            "A=1 B=2 C=3; let A=B+1; d $A; d $B; d $C; let C++ D=1; d $C; d x$D",
            "$A ($A?) (loose); $B ($B?) (loose); 3; $C ($C?) (loose); x$D ($D?) (loose)",
        ),
        ("for i in a b; do for j in c d; do break 2; d $i $j; done; done; d end", "end"),
        ("for i in a; do for j in c d; do d $j; continue 2; done; d after; done; d end", "c; end"),
        ("for i in a; do for j in c; do break; done; d after; done", "after"),
        ("for i in a; do for j in c; do continue; d no; done; d after; done", "after"),
        (
            "for i in a; do for j in c; do break x; done; d after; done; for i in a; do for j in c; do break 0; done; d after; done",
            "after; after",
        ),
        ("for i in a; do for j in c; do break 9; done; d after; done; d end", "end"),
        ("for i in a; do for j in c; do break 10; done; d after; done; d end", "after; end"),
        (
            "f() { return 0; d no; }; f && d yes || d no; f() { return 1; }; f && d yes || d no",
            "yes; no (maybe); no",
        ),
        (
            "f() { return $1; }; f 0 && d yes || d no; f() { return; }; f && d yes || d no; f() { return 2; }; f && d yes || d no",
            "yes; no (maybe); yes (maybe); no (maybe); no",
        ),
        ("f() { for i in a; do return 1; done; d after; }; f; d end", "end"),
        ("for i in a; do f() { break; d no; }; f; d after; done", "no; after"),
        ("exit; d no", ""),
        ("(exit; d no); d yes; if x; then exit 1; fi; d maybe; exit; d no", "yes; maybe"),
        ("trap 'd bye' EXIT; d first; exit 1", "first; bye (maybe) (in ?) (hidden HOME PATH PWD)"),
        ("trap 'd bye' 0; d first", "first; bye (maybe) (in ?) (hidden HOME PATH PWD)"),
        ("trap 'd bye' INT TERM; d first", "first"),
        (
            "trap 'd one' INT EXIT; trap 'd two' EXIT; d first",
            "first; two (maybe) (in ?) (hidden HOME PATH PWD)",
        ),
        ('trap "d $X" EXIT; d first', "first"),
        ("trap EXIT; d first; trap - EXIT", "first"),
        (
            "LANG=1 SSH_AUTH_SOCK=1 A=1; eval `ssh-agent -s`; d $A; d $LANG; d $SSH_AUTH_SOCK",
            "1; $LANG ($LANG?) (loose); $SSH_AUTH_SOCK ($SSH_AUTH_SOCK?) (loose)",
        ),
        (
            'A=1 SSH_AGENT_PID=1 LS_COLORS=1; eval "$(/usr/bin/dircolors -b)"; d $A; d $SSH_AGENT_PID; d $LS_COLORS',
            "1; $SSH_AGENT_PID ($SSH_AGENT_PID?) (loose); $LS_COLORS ($LS_COLORS?) (loose)",
        ),
        (
            'A=1 GPG_AGENT_INFO=1; eval $( keychain --eval k ); d $A; d $GPG_AGENT_INFO; eval "$(locale)"; d $A; eval "$(gpg-agent --daemon)"; d $A; eval $(other); d $A',
            "1; $GPG_AGENT_INFO ($GPG_AGENT_INFO?) (loose); 1; 1; $A ($A?) (loose) (in ?) (hidden HOME PATH PWD)",
        ),
        (
            'A=1; eval "x $(ssh-agent)"; d $A; A=1; eval "$(ssh-agents)"; d $A',
            "1; $A ($A?) (loose) (in ?) (hidden HOME PATH PWD)",
        ),
        (
            "[ a = a ] && d yes; [ a = a && d no; test a = a && d yes; [ a = a b ] || d unknown; [ ] || d no; test || d no",
            "yes; no; yes; unknown (maybe); no; no",
        ),
        (
            'test a = a ] || d no; [ $X ] && d maybe; [ "$X" ] && d maybe; true && d yes; false || d yes; : && d yes; true || d no',
            "no (maybe); maybe (maybe); maybe (maybe); yes; yes; yes",
        ),
        ('A=x; set -- "$@"; A=1; B=2; shift $((A)); d $A', "1"),
        (
            'set -- -a -b v w\ngetopts ab: O && d "$O" "${OPTARG-unset}" $OPTIND || d end "$O" $OPTIND\ngetopts ab: O && d "$O" "${OPTARG-unset}" $OPTIND || d end "$O" $OPTIND\ngetopts ab: O && d "$O" "${OPTARG-unset}" $OPTIND || d end "$O" $OPTIND',
            "2: a|unset|2; 2: end|a|2 (maybe); 3: b|v|4; 3: end|b|4 (maybe); 4: end|?|4",
        ),
        (
            'set -- -ab v -- -a\ngetopts ab: O && d "$O" "${OPTARG-unset}" $OPTIND || d end "$O" $OPTIND\ngetopts ab: O && d "$O" "${OPTARG-unset}" $OPTIND || d end "$O" $OPTIND\ngetopts ab: O && d "$O" "${OPTARG-unset}" $OPTIND || d end "$O" $OPTIND',
            "2: a|unset|1; 2: end|a|1 (maybe); 3: b|v|3; 3: end|b|3 (maybe); 4: end|?|4",
        ),
        (
            'set -- -bv -a\ngetopts ab: O && d "$O" "${OPTARG-unset}" $OPTIND || d end "$O" $OPTIND\ngetopts ab: O && d "$O" "${OPTARG-unset}" $OPTIND || d end "$O" $OPTIND\ngetopts ab: O && d "$O" "${OPTARG-unset}" $OPTIND || d end "$O" $OPTIND',
            "2: b|v|2; 2: end|b|2 (maybe); 3: a|unset|3; 3: end|a|3 (maybe); 4: end|?|3",
        ),
        (
            'set -- -x -b\ngetopts ab: O && d "$O" "${OPTARG-unset}" $OPTIND || d end "$O" $OPTIND\ngetopts ab: O && d "$O" "${OPTARG-unset}" $OPTIND || d end "$O" $OPTIND\ngetopts ab: O && d "$O" "${OPTARG-unset}" $OPTIND || d end "$O" $OPTIND',
            "2: ?|unset|2; 2: end|?|2 (maybe); 3: ?|unset|3; 3: end|?|3 (maybe); 4: end|?|3",
        ),
        (
            'set -- -x -b\ngetopts :ab: O && d "$O" "${OPTARG-unset}" $OPTIND || d end "$O" $OPTIND\ngetopts :ab: O && d "$O" "${OPTARG-unset}" $OPTIND || d end "$O" $OPTIND\ngetopts :ab: O && d "$O" "${OPTARG-unset}" $OPTIND || d end "$O" $OPTIND',
            "2: ?|x|2; 2: end|?|2 (maybe); 3: :|b|3; 3: end|:|3 (maybe); 4: end|?|3",
        ),
        (
            'set -- -xa -:\ngetopts ab: O && d "$O" "${OPTARG-unset}" $OPTIND || d end "$O" $OPTIND\ngetopts ab: O && d "$O" "${OPTARG-unset}" $OPTIND || d end "$O" $OPTIND\ngetopts ab: O && d "$O" "${OPTARG-unset}" $OPTIND || d end "$O" $OPTIND',
            "2: ?|unset|1; 2: end|?|1 (maybe); 3: a|unset|2; 3: end|a|2 (maybe); 4: ?|unset|3; 4: end|?|3 (maybe)",
        ),
        (
            'set -- -xa -: - -a\ngetopts :a O && d "$O" "${OPTARG-unset}" $OPTIND || d end "$O" $OPTIND\ngetopts :a O && d "$O" "${OPTARG-unset}" $OPTIND || d end "$O" $OPTIND\ngetopts :a O && d "$O" "${OPTARG-unset}" $OPTIND || d end "$O" $OPTIND\ngetopts :a O && d "$O" "${OPTARG-unset}" $OPTIND || d end "$O" $OPTIND',
            "2: ?|x|1; 2: end|?|1 (maybe); 3: a|unset|2; 3: end|a|2 (maybe); 4: ?|:|3; 4: end|?|3 (maybe); 5: end|?|3",
        ),
        (
            'set -- -- -a\ngetopts a O && d "$O" "${OPTARG-unset}" $OPTIND || d end "$O" $OPTIND\ngetopts a O && d "$O" "${OPTARG-unset}" $OPTIND || d end "$O" $OPTIND',
            "2: end|?|2; 3: a|unset|3; 3: end|a|3 (maybe)",
        ),
        (
            'set -- \ngetopts a O && d "$O" "${OPTARG-unset}" $OPTIND || d end "$O" $OPTIND',
            "2: end|?|1",
        ),
        (
            'set -- --a -a\ngetopts a O && d "$O" "${OPTARG-unset}" $OPTIND || d end "$O" $OPTIND\ngetopts a O && d "$O" "${OPTARG-unset}" $OPTIND || d end "$O" $OPTIND\ngetopts a O && d "$O" "${OPTARG-unset}" $OPTIND || d end "$O" $OPTIND',
            "2: ?|unset|1; 2: end|?|1 (maybe); 3: a|unset|2; 3: end|a|2 (maybe); 4: a|unset|3; 4: end|a|3 (maybe)",
        ),
        (
            'set -- -a -b -b\ngetopts a:b O && d "$O" "${OPTARG-unset}" $OPTIND || d end "$O" $OPTIND\ngetopts a:b O && d "$O" "${OPTARG-unset}" $OPTIND || d end "$O" $OPTIND\ngetopts a:b O && d "$O" "${OPTARG-unset}" $OPTIND || d end "$O" $OPTIND',
            "2: a|-b|3; 2: end|a|3 (maybe); 3: b|unset|4; 3: end|b|4 (maybe); 4: end|?|4",
        ),
        (
            'set -- -ab\ngetopts ab O && d "$O" "${OPTARG-unset}" $OPTIND || d end "$O" $OPTIND\ngetopts ab O && d "$O" "${OPTARG-unset}" $OPTIND || d end "$O" $OPTIND\ngetopts ab O && d "$O" "${OPTARG-unset}" $OPTIND || d end "$O" $OPTIND',
            "2: a|unset|1; 2: end|a|1 (maybe); 3: b|unset|2; 3: end|b|2 (maybe); 4: end|?|2",
        ),
        (
            "getopts a O -a -b; d $O $OPTIND; getopts a O -a -b; d $O $OPTIND; getopts a O; d $O",
            "a|2; ?|3; $O ($O?) (loose)",
        ),
        ("getopts a; d x$O", "x$O ($O?) (loose)"),
        ("getopts $X O -a; d $O; getopts a O $X; d $O", "$O ($O?) (loose); $O ($O?) (loose)"),
        (
            'O=1 OPTARG=2 OPTIND=1; getopts a O "$X"; d $O; d $OPTARG; d $OPTIND',
            "$O ($O?) (loose); $OPTARG ($OPTARG?) (loose); $OPTIND ($OPTIND?) (loose)",
        ),
        ("set -- -a; OPTIND=x; getopts a O; d $O", "$O ($O?) (loose)"),
        ("set -- -a; OPTIND=$X; getopts a O; d $O", "$O ($O?) (loose)"),
        ("set -- -a -a; getopts a O; OPTIND=1; getopts a O; d $O $OPTIND", "a|2"),
        (
            "unset=1 A=2; unset A; d $unset x$A; shift=1 read=1; read A; d $read; for=1; let=1; let A; d $let",
            "1|x; 1; 1",
        ),
        ("set -- -a; getopts :a: O; set -- x -bc; getopts bc O; d $O", "b"),
        ("set -- -a; getopts a: O; set -- x -bc; getopts bc O; d $O", "b"),
        ("set -- -av; getopts a: O; set -- x -bc; getopts bc O; d $O", "b"),
        ("set -- -a v; getopts a: O; set -- x y -bc; getopts bc O; d $O", "b"),
    ],
)
def test_builtins_do_what_a_shell_has_them_do(script: str, calls: str) -> None:
    assert traced(script) == calls
