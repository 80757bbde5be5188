# ruff: noqa: E501
"""What words are replaced by: variables, arrays, calculations and patterns."""

from __future__ import annotations

import pytest
from traces import traced


@pytest.mark.parametrize(
    ("script", "calls"),
    [
        (
            'for i in *.c; do d $i; done; for i in /*; do d "$i"; done; for i in /none*; do d $i; done; for i in *.d; do d $i; done; for i in \'*.c\' "/*"; do d $i; done',
            "a.c; b.c; /x; /y; /none*; $i (maybe) ($i?) (loose); *.c; /*",
        ),
        (
            "for i in ./*.c; do d $i; done; cd \"$X\"; for i in *.c; do d $i; done; for i in /*; do d $i; done; for i in $Y/*; do d $i; done; A='*.c'; for i in $A; do d $i; done",
            "$i (maybe) ($i?) (loose); $i (maybe) ($i?) (loose) (in ?) (hidden PWD); /x (in ?) (hidden PWD); /y (in ?) (hidden PWD); $i (maybe) ($i?) (loose) (in ?) (hidden PWD); *.c (in ?) (hidden PWD)",
        ),
        (
            "for i in a\\*b; do d $i; done; for i in a?; do d $i; done; for i in [a]; do d $i; done; A='a b'; for i in $A/*; do d $i; done",
            "a*b; $i (maybe) ($i?) (loose); $i (maybe) ($i?) (loose); a; b/*",
        ),
        (
            "d $((1)) $((1+2)) $((5 - 7)) $((3*4)) $(( 10 )) $((A)) $(($A+1)); A=7; d $((A)) $(($A+1)) $((A*A)) $((2-A))",
            "1|3|-2|12|10|$((A))|$(($A+1)) ($((A)) $(($A+1))?); 7|8|49|-5",
        ),
        (
            "A=08; d $((A)); A=0; d $((A)) $((A+0)); A=10; d $((A)) $((1+2+3)) $((1/2)); d $((A++)); d $A; A=1 B=2; d $((B--)); d $B $A; A=1; d $((A=2)); d $A",
            "$((A)) ($((A))?); 0|0; 10|$((1+2+3))|$((1/2)) ($((1+2+3)) $((1/2))?); $((A++)) ($((A++))?); $A ($A?) (loose); $((B--)) ($((B--))?); $B|1 ($B?) (loose); $((A=2)) ($((A=2))?); $A ($A?) (loose)",
        ),
        (
            "A=123456789; d $((A)); A=1234567890; d $((A)); A=x; d $((A)); d $((08)) $((-1)) $((0x1)); A=-1; d $((A))",
            "123456789; $((A)) ($((A))?); $((A)) ($((A))?); $((08))|$((-1))|$((0x1)) ($((08)) $((-1)) $((0x1))?); $((A)) ($((A))?)",
        ),
        (
            'set a "b c" d; d $1 "$2" $3 $4 "$4" $#; d $0 ${10}x; d "$@"; d "$*"; d $*; d x"$@"y; d ${1}2; d "${2:-x}" "${4:-x}"',
            "a|b c|d|''|3; $0|x ($0?) (loose); a|b c|d; a b c d; a|b|c|d; xa|b c|dy; a2; b c|x",
        ),
        (
            'set a $X c; d $1; d $2; d "$3"; d $#; d "${2:-x}"; d ${#1}',
            "a; $2 ($2?) (loose); $3 ($3?); $# ($#?) (loose); ${2:-x} (${2:-x}?); 1",
        ),
        (
            'set $X; d ${1:-x}; d "$1"; d "$@"; d $*; d "$#"',
            "${1:-x} (${1:-x}?) (loose); $1 ($1?); $@ ($@?) (loose); $* ($*?) (loose); $# ($#?)",
        ),
        ("d $HOSTNAME", "$HOSTNAME ($HOSTNAME?) (loose)"),
        (
            "#!/bin/bash\nd $HOSTNAME ${HOSTNAME%1} ${UID:-x}; HOSTNAME=h; d $HOSTNAME; d ${BASH:-b}",
            "2: web1|web|${UID:-x} (${UID:-x}?) (loose); 2: h; 2: ${BASH:-b} (${BASH:-b}?) (loose)",
        ),
        ("#!/bin/dash\nd $HOSTNAME", "2: $HOSTNAME ($HOSTNAME?) (loose)"),
        (
            'A=abc; d ${#A} ${#B} ${#HOME}; A=ä; d ${#A}; A=(a b); d ${#A[@]} ${#A}; set a b; d ${#@} ${#*} ${#}; B=A; d ${!B}; B=x-y; d ${!B} ; B=C; d x${!B} "${!B}"; d ${!B[@]}',
            "3|${#B}|5 (${#B}?) (loose); ${#A} (${#A}?) (loose); ${#A[@]}|1 (${#A[@]}?) (loose); ${#@}|1|2 (${#@}?) (loose); a; ${!B} (${!B}?) (loose); x${!B}|${!B} (${!B} ${!B}?) (loose); ${!B[@]} (${!B[@]}?) (loose)",
        ),
        (
            'A=; d x${A-u} ${A:-u} x${A+s} x${A:+s} ${A:=v} $A; d x${B-u} x${B+s} ${B=w} $B; unset B; d ${B:-u} x${B:+s}; unset C; d ${C?err} ; d "${C:?err}"',
            "x|u|xs|x|v|v; xu|x|w|w; u|x; ${C?err} (${C?err}?) (loose); ${C:?err} (${C:?err}?)",
        ),
        (
            'A=$X; d ${A:-u} ${A-u} ${A:+s} ${A+s} ${A:=s}; A=a$X; d "${A:-u}" ${A:+s}; A=(); d x${A[@]-u} x${A[@]+s} ${A[@]:-u}',
            "${A:-u}|${A-u}|${A:+s}|${A+s}|${A:=s} (${A:-u} ${A-u} ${A:+s} ${A+s} ${A:=s}?) (loose); a$X|s ($X?); xu|x|u",
        ),
        (
            'export A; A=1; : ${B:=2} ${A:=3}; d $B; set -a; : ${C:=4}; d "$C"; unset D; d ${D:-a b} "${D:-a b}" ${D:-\'a b\'} ${D:-$A c} "${D:-"$A c"}"',
            "A='1' 2; A='1' C='4' 4; A='1' C='4' a|b|a b|a b|1|c|1 c",
        ),
        (
            'A=\'p q\'; d ${A:+$A r} "${A:+$A r}" ${D-"$A"} ${D-$A}; d ${1:-x} ${1-x} ${?:-x} ${A?no} "${A:?no}"',
            "p|q|r|p q r|p q|p|q; ${1:-x}|${1-x}|${?:-x}|p|q|p q (${1:-x} ${1-x} ${?:-x}?) (loose)",
        ),
        (
            'A=(a b c); d ${A[0]} ${A[2]} ${A[3]} $A "${A[@]}" "${A[*]}" ${A[*]} x${A[1]}y; d ${A[i]} ; d ${A[-1]}; d "${A[9]}" z',
            "a|c|a|a|b|c|a b c|a|b|c|xby; ${A[i]} (${A[i]}?) (loose); ${A[-1]} (${A[-1]}?) (loose); ''|z",
        ),
        (
            'A=(a b $X c); d ${A[0]}; d ${A[1]} ; d "${A[@]}"; d "${A[*]}"; A=(a "$X" c); d ${A[2]}; d "${A[@]}"; d ${A[1234567]}',
            "${A[0]} (${A[0]}?) (loose); ${A[1]} (${A[1]}?) (loose); a|b|$A ($A?) (loose); a b $A ($A?) (loose); c; a|$X|c ($X?); ${A[1234567]} (${A[1234567]}?) (loose)",
        ),
        (
            'A=(a b); A[1]=c; d "${A[@]}"; A[2]=d; d "${A[@]}"; A[4]=e; d "${A[@]}"; A=(a b); A[0]+=c; d $A; A=(a b); A[x]=c; d "${A[@]}"; A=(a); A=b; d "${A[@]}"',
            "a|c; a|c|d; $A ($A?); $A ($A?) (loose); $A ($A?); b",
        ),
        (
            'A=(a b); A=c; d "${A[@]}"; A+=d; d "${A[@]}"; A+=(e "f g"); d "${A[@]}"; B+=(x); d "${B[@]}"; B=y; B+=z; d $B; PATH+=:/x; d $PATH; C+=c; d $C; LOGNAME+=x; d $LOGNAME; B[1]=w; d "${B[@]}"',
            "c|b; cd|b; cd|b|e|f g; x; yz; PATH='/bin:/x' /bin:/x; PATH='/bin:/x' c; PATH='/bin:/x' $LOGNAMEx ($LOGNAME?) (loose); PATH='/bin:/x' yz|w",
        ),
        (
            'A=([x]=1 [y]=2); d ${A[x]}; d "${A[@]}"; A=("" b); d "${A[@]}" x; A=(a "" c); d ${A[@]} ; d x"${A[@]}"y; A=(); d "${A[@]}" x "${A[*]}"',
            "${A[x]} (${A[x]}?) (loose); $A ($A?) (loose); ''|b|x; a|c; xa|''|cy; x|''",
        ),
        (
            "export A=(a b); d $A; export B; B=(c); d $B; B=d; d; A=1; export A; A+=2; d; export C=1; C[0]=x; d",
            "a (hidden A); c (hidden A B); (hidden A B); (hidden A B); (hidden A B C)",
        ),
        (
            'd ~ ~/x ~bk ~bk/y "~" x~ ; HOME=/h; d ~/x; unset HOME; d ~ ~/x; HOME=$X; d ~; A=~/y; d $A',
            "/root|/root/x|~bk|~bk/y|~|x~ (~bk ~bk?); HOME='/h' /h/x; -HOME ~|~/x (~ ~?); -HOME ~ (~?); -HOME ~/y (~?) (loose)",
        ),
        (
            'd $(pwd) "$(echo a b)" $(echo a b) `echo c d`x $(x) "$(x)"; d <(x) y; d >(x) ; d x$(echo)y "$(echo)"; d {a,b} $\'a b\' $"c d"',
            "/s|a b|a|b|c|dx|$(x)|$(x) ($(x) $(x)?) (loose); <(x)|y (<(x)?); >(x) (>(x)?); xy|''; {a,b}|a b|c d",
        ),
        (
            'A="a  b"; d $A x$A "$A" \'c\'$A; A=" a "; d x${A}y "x${A}y" $A',
            "a|b|xa|b|a  b|ca|b; x|a|y|x a y|a",
        ),
        (
            "A=aXbXc; d ${A#*X} ${A##*X} ${A%X*} ${A%%X*} ${A/X/-} ${A//X/-} ${A/X} ${A//X} ${A:1} ${A:1:2} ${A: -2} ${A:0:-1} ${A:9}x ${A:5}x ${A:4} ${A: -5}; d x${A: -6}",
            "bXc|c|aXb|a|a-bXc|a-b-c|abXc|abc|XbXc|Xb|Xc|aXbX|x|x|c|aXbXc; x",
        ),
        (
            "A=aBc; d ${A^^} ${A,,} ${A^} ${A,}; A=äB; d ${A^^}; A=; d x${A^} x${A#a} x${A:0:1}; A=aBc; d ${A^^[a]}; d ${A:x}; d ${A:1:x}; d ${A:2:-2}; d x${A:1:-2}; d ${A:1:-1} ${A:0:0}x",
            "ABC|abc|ABc|aBc; ${A^^} (${A^^}?) (loose); x|x|x; ${A^^[a]} (${A^^[a]}?) (loose); ${A:x} (${A:x}?) (loose); ${A:1:x} (${A:1:x}?) (loose); ${A:2:-2} (${A:2:-2}?) (loose); x; B|x",
        ),
        (
            'A=a.b.c; P=.; d ${A#*$P} ${A%.*} ${A%"$P"*} ${A#?} ${A%?} ${A##?} ${A#b} ${A%%b*} "${A#\'*\'}" ${A/./\\/} ${A//./}; d ${A#[a]}; d ${A#$X}; d ${A/$X/y}; d ${A/a/$X}; d ${A/#a/x}; d ${A/%c/x}; d ${A/a/&}',
            "b.c|a.b|a.b|.b.c|a.b.|.b.c|a.b.c|a.|a.b.c|a/b.c|abc; ${A#[a]} (${A#[a]}?) (loose); ${A#$X} (${A#$X}?) (loose); ${A/$X/y} (${A/$X/y}?) (loose); ${A/a/$X} (${A/a/$X}?) (loose); ${A/#a/x} (${A/#a/x}?) (loose); ${A/%c/x} (${A/%c/x}?) (loose); ${A/a/&} (${A/a/&}?) (loose)",
        ),
        (
            "A=(a b); d ${A[@]#a}; d ${A#a}x; d ${A[0]/a/z} ${A[1]^^}; A=$X; d ${A#a} ${A^^}; d ${A:-x}; d ${1#a} ${B#a}x ${B^^}x; unset B; d ${HOME#/}  ${HOME/o/0} ${HOME//o/0} ${HOME//o*/-} ${HOME/o?/-}",
            "${A[@]#a} (${A[@]#a}?) (loose); x; z|B; ${A#a}|${A^^} (${A#a} ${A^^}?) (loose); ${A:-x} (${A:-x}?) (loose); ${1#a}|${B#a}x|${B^^}x (${1#a} ${B#a} ${B^^}?) (loose); root|/r0ot|/r00t|/r-|/r-t",
        ),
        (
            "A=aaa; d ${A/a?/b} ${A//a?/b} ${A//?/x} ${A/?/x} ${A/*/x} ${A//b*/x} ${A//}; A=/a/b; d ${A//\\//_} ${A/\\/}",
            "ba|ba|xxx|xaa|x|aaa|aaa; _a_b|a/b",
        ),
        (
            "A=b; case ab in a$A) d one;; esac; case 'a*' in \"a*\") d two;; esac; case ax in 'a*') d no;; a*) d three;; esac; case a in ?) d four;; esac; case $X in a) d five;; *) d six;; esac",
            "one; two; three; four; five (maybe); six (maybe)",
        ),
        (
            "case a in [a]) d maybe;; a) d maybe;; *) d maybe;; esac; case a in b|a) d yes;; a) d no;; esac; case a in a) d one;& b) d two;; c) d no;; esac; case a in a) d one;;& b) d no;; a) d three;; esac; case a in b) d no;; esac",
            "maybe (maybe); maybe (maybe); yes; one; two; one; three",
        ),
        (
            'X=`echo \\$HOME`; d $X; d "`echo \\"a b\\"`"; d $(echo "$(echo \'$HOME\')"); d ${A:-`echo b`}',
            "/root; a b; $HOME; b",
        ),
        (
            'A=\'a b\'; B=$A; d $B "$B"; B="$A"c; d "$B"; B=$(echo "$A"); d "$B"; B=$A$X; d "$B"; local C=$A; d "$C"',
            "a|b|a b; a bc; a b; a b$X ($X?); a b",
        ),
        (
            'A=1; A=2 B=$A; d $B; A=$B$A; d $A; A=x d $A; d ${A}${B}; f() { d "$#" "$0"; }; f a; f',
            "2; 22; A='x' 22; 222; 1|$0 ($0?); 0|$0 ($0?)",
        ),
    ],
)
def test_words_are_replaced_as_a_shell_does(script: str, calls: str) -> None:
    assert traced(script) == calls
