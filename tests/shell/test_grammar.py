# ruff: noqa: E501
"""How statements are told apart, and that the reader goes on after what is wrong."""

from __future__ import annotations

import pytest
from traces import traced


@pytest.mark.parametrize(
    ("script", "calls"),
    [
        (
            "fi; d a; done; d b; esac; d c; } d e; ) d f; then d g; ;; d h; ;& d i; do d j; elif d k; else d l",
            "a; b; c; e; f; g; h; i; j; k; l",
        ),
        (
            "if x; then d a; done; d b; fi; d c; if x; then d a; ;; d b; fi; d c; { d a; fi; d b; }; d c; while x; do d a; } d b; done",
            "a (maybe); b (maybe); c; a (maybe); b (maybe); c; a; b; c; a (maybe); b (maybe)",
        ),
        (
            "if x; d a; then d b; elif y; d c; then d e; else d f; fi; d g; if x; then d h",
            "a; b (maybe); c (maybe); e (maybe); f (maybe); g; h (maybe)",
        ),
        (
            "case a in a) d a; fi; d b;; b) d c; esac; d e; case x in esac; d f; case a in a) d g; case a; d h",
            "a; b; e; f; g; h",
        ),
        (
            "(d a; fi; d b); d c; $(d a; done; d b); (d a;; d b); d $(echo a; fi); d `echo b; fi`; { (d a; }; d b); d c; }",
            "a; b; c; a (> ?); b (> ?); a; b; a; b; a; b; c",
        ),
        (
            "if x; then (d a; fi; d b); d c; fi; if x; then d $(d one; fi; d two); fi; d end; (case a in a) d a; esac); case a in (a) d b;; esac; case a in a ) d c ;; esac",
            "a (maybe); b (maybe); c (maybe); one (maybe) (> ?); two (maybe) (> ?); $(d one; fi; d two) (maybe) ($(d one; fi; d two)?) (loose); end; a; b; c",
        ),
        (
            "d a & d b && d c & d e || d f; & d g; | d h; && d i; ; d j; d k &",
            "a; b; c (maybe); e; f (maybe); g; h; i; j; k",
        ),
        (
            "true && d a; false && d b; true || d c; false || d d; false && x || d e; true && false || d f; ! true || d g; ! false && d h; ! ! true && d i; time true && d j; ! time false && d k; time -p d l; time",
            "a; d; e; f; g; h; i; j; k; l",
        ),
        (
            "true &&\nd a; true &&\n\nd b\ntrue &&; d c; true && fi; d e; false ||\nd f; if true && then d g; fi",
            "2: a; 4: b; 5: c; 5: e; 6: f; 6: g",
        ),
        (
            "true | d a; d b | true && d maybe; ! true | d c && d maybe; true | false || d maybe; d e |\n d f; d g | ; d h; d i |& d j; d k || d l; |& d m",
            "a; b (> ?); maybe (maybe); c; maybe (maybe); maybe (maybe); e (> ?); 2: f; 2: g; 2: h; 2: i (> ?) (2> ?); 2: j; 2: k; 2: l (maybe); 2: m",
        ),
        (
            "f() { d a; }; f; g()\n{ d b; }; g; function h { d c; }; h; function i () { d e; }; i; j ( ) { d f; }; j; function k\n{ d g; }; k; l() if true; then d h; fi; l; m() (d i); m; n() ; d j; n",
            "a; 2: b; 2: c; 2: e; 2: f; 3: g; 3: h; 3: i; 3: j",
        ),
        (
            "f() { d a; } >x; f; f-g() { d b; }; f-g; f.g() { d c; }; f.g; function f:g { d e; }; f:g; function a=b { d f; }; a=b; f() d g; f; function q() for i in a; do d $i; done; q",
            "a (> /s/x); b; c; e; g; a",
        ),
        ("f() fi; d a; f() ) d b; f()", "a; b"),
        (
            "((A++)); d a; ((1)) && d maybe; ((A=2)); d $A; (( (1) )); d b; ((x\n)); d c; ( (d e) ); ((d f); d g)",
            "a; maybe (maybe); $A ($A?) (loose); b; 2: c; 2: e; 2: f; 2: g",
        ),
        (
            "coproc d a; coproc { d b; }; coproc N { d c; }; coproc if x; then d e; fi; d f",
            "a; b; e (maybe); f",
        ),
        (
            "while d a; do d b; done; until d c; do d e; done; while false; do d f; done; until true; do d g; done; while x; do; d h; done; while x\ndo\nd i\ndone",
            "a (maybe); b (maybe); c (maybe); e (maybe); h (maybe); 3: i (maybe)",
        ),
        (
            "for i in a b; do d $i; done; for i in a b\ndo\nd $i\ndone; for i in a; { d $i; }; for i\nin c d\ndo d $i; done; for i in; do d none; done; for i in a b; do d; done >x",
            "a; b; 3: a; 3: b; 4: a; 6: c; 6: d; 6: (> /s/x); 6: (> /s/x)",
        ),
        (
            "set x y; for i; do d $i; done; for i\ndo d $i; done; for i ; do d $i; done; for ((i=0;i<2;i++)); do d $i; done; for ((;;)) { d e; }; for i do d $i; done; for ((i=0;i<2;i++)) do d f; done",
            "x; y; 2: x; 2: y; 2: x; 2: y; 2: y (maybe); 2: e (maybe); 2: x; 2: y; 2: f (maybe)",
        ),
        (
            "select i in a b; do d $i; done; d $i; for i in a; do for j in b c; do d $i$j; done; done; for i-j in a; do d x; done; for; do d y; done; for i in a; d z; done",
            "$i (maybe) ($i?) (loose); $i ($i?) (loose); ab; ac; x; y (maybe); z",
        ),
        (
            "for i in a b; do if x; then break; fi; d $i; done; for i in a b; do d $i; continue; d no; done; for i in a b; do d $i; break; done",
            "a; b; a; b; a",
        ),
        (
            'case a in a) d 1;; esac; case a in (b|a) d 2 ;; esac; case a in b | a) d 3 ;; esac; case a in\na)\nd 4\n;;\nb) d no\nesac; case a\nin a) d 5; esac; case "a b" in "a b") d 6;; esac; case a in a) ;; *) d no;; esac; d end',
            "1; 2; 3; 3: 4; 7: 5; 7: 6; 7: end",
        ),
        (
            "case a in b) d no;& a) d 1;& c) d 2;& *) d 3; esac; case a in a|) d 4;; esac; case '' in '') d 5;; esac; case in in in) d 6;; esac; case a in *) d 7;; a) d no; esac; case a in b) ;; esac; case in) d 8;; esac; d 9",
            "1; 2; 3; 4; 5; 6; 7; 8; 9",
        ),
        (
            "case a in a) case b in b) d 1;; esac; d 2;; b) d no;; esac; case a in a) if x; then d 3; fi;; esac; case a in a) (d 4);; esac; case $(echo a) in a) d 5;; esac; case a in $(echo a)) d 6;; esac; case a in a;b) d 7;; esac; case a in <a) d 8;; esac",
            "1; 2; 3 (maybe); 4; 5; 6; 7; 8",
        ),
        (
            "case a in ((a) d 1;; esac; case a in a&b) d 2;; esac; case a in\n# why\na) d 3;;\n# more\nesac\ncase a in a) # x\nd 4;; esac; case a in a)\n\n\nd 5\n\n;; esac",
            "1; 2; 3: 3; 7: 4; 10: 5",
        ),
        (
            "[[ a == a ]] && d 1; [[ a ]] && d 2; [[ '' ]] || d 3; [[ a == a && b == b ]] && d 4; [[ a == b || b == b ]] && d 5; [[\na == a\n]] && d 6; [[ ! a == b ]] && d 7; [[ (a == a) ]] || d maybe; [[ a < b ]] || d maybe; [[ a > b ]] || d maybe; [[ a == a; b ]] ; d 8; [[ a ]]>x; [[ a]] ]] && d 9",
            "1; 2; 3; 4; 5 (maybe); 3: 6; 3: 7; 3: maybe (maybe); 3: maybe (maybe); 3: maybe (maybe); 3: 8; 3: 9",
        ),
        (
            'A=1 d; A=1 B=2; d $A $B; A+=2; d $A; A[0]=3; d $A; A[1]+=4; d "${A[@]}"; 1A=2; d 1A=2; A-B=1; d A=3; "A"=4; d $A; A= ; d x$A; A =5; d x$A',
            "A='1'; 1|2; 12; 3; $A ($A?); 1A=2; A=3; $A ($A?) (loose); x; x",
        ),
        (
            'export A=1 B="x y"; d $A "$B"; export A=(a b); d ${A[1]}; \\export A=2; d ${A[1]}; \'export\' C=3; d $C; d export E=4; d x$E; declare -a F=(a "b c"); d "${F[1]}"; readonly G=$B; d "$G"; local H=$B I=1; d "$H" $I; typeset J=$B; d "$J"; exporting K=1; d x$K',
            "A='1' B='x y' 1|x y; B='x y' b (hidden A); A='2' B='x y'; A='2' B='x y' C='3' 3; A='2' B='x y' C='3' export|E=4; A='2' B='x y' C='3' x$E ($E?) (loose); A='2' B='x y' C='3' b c; A='2' B='x y' C='3' x y; A='2' B='x y' C='3' x y|1; A='2' B='x y' C='3' x y; A='2' B='x y' C='3' x$K ($K?) (loose)",
        ),
        (
            'X=$B; B=\'x y=1\'; export $B; d $x; export Y=$B; d "$Y"; A=~/x; d $A; A=a:~/x; d $A; export A=~/y; d $A; A="~/z"; d $A',
            "y='1' $x ($x?) (loose) (hidden x); Y='x y=1' y='1' x y=1 (hidden x); Y='x y=1' y='1' /root/x (hidden x); Y='x y=1' y='1' a:~/x (hidden x); A='/root/y' Y='x y=1' y='1' /root/y (hidden x); A='~/z' Y='x y=1' y='1' ~/z (hidden x)",
        ),
        (
            'A=(a \'b c\' # why\n d\n); d "${A[@]}"; A=(); d x$A; A=(a); A+=(b); d ${A[1]}; A=(a;b); d "${A[@]}"; A=(a|b); d "${A[@]}"; A=(a [3]=b); d ${A[0]}; A=([a]=b); d ${A[a]}; A=(); d "${A[@]}" x; A=(a)b; d $A; A=( a\n\n b ); d "${A[1]}"',
            "3: a|b c|d; 3: x; 3: b; 3: a|b; 3: a|b; 3: ${A[0]} (${A[0]}?) (loose); 3: ${A[a]} (${A[a]}?) (loose); 3: x; 3:; 5: b",
        ),
        (
            ">x d a; d >x b; d b > x c; d 2>x 3; d 2 >x 3; d {A}>x 3; d >; d >x>y; d >& x; d &>x; d a&>x b; d a2>x; d 2>&1 a; <x d a; d <x; d a<x; d >\"a b\"; d >a'b'c",
            "a (> /s/x); b (> /s/x); b|c (> /s/x); 3 (2> /s/x); 2|3 (> /s/x); 3; ; (> /s/y); (> /s/x) (2> /s/x); (> /s/x) (2> /s/x); a|b (> /s/x) (2> /s/x); a2 (> /s/x); a (2> /dev/stdout); a; ; a; (> /s/a b); (> /s/abc)",
        ),
        (
            "cat <<E; d a\nd no $(d in)\nE\nd b; cat <<'E'\nd no $(d no)\nE\nd c; cat <<-E\n\\td no\n\\tE\nd e; cat <<\\E\nd no\nE\nd f; cat <<\"E F\"\nd no\nE F\nd g; cat << E >x; d h\nno\nE\nd i; cat <<E'F'\"G\"\\\\H\nno\nEFGH\nd j; cat <<E-F.g\nno\nE-F.g\nd k",
            "a; 4: b; 7: c; 13: f; 16: g; 16: h; 19: i",
        ),
        (
            "cat <<A <<B; d a\nd no\nA\nd no\nB\nd b; cat <<E | d c\nno\nE\nd <<E e\nno\nE\nd f; d <<<\"a b\" g; cat <<; d h; cat <<-'E'\n\\tE\nd i; cat <<E\nE\nd j; if x; then cat <<E; fi; d k\nno\nE\nd l",
            "a; 6: b; 6: c; 9: e; 12: f; 12: g; 12: h; 16: j; 16: k; 19: l",
        ),
        (
            "d a\\\\\nb; d a \\\\\n b; d 'a\nb'; d \"a\\\\\nb\"; d a#b; d a #b\nd #; d \"#\" '#'; # c\nd $# ${#} x; d {a} {} }; d ! a; d if then; d [[ a ]]; {d a; }; d b; {\nd c; }; !d e; if! d f",
            "a\\; 2: a|\\; 3: a\nb; 4: a\\\nb; 5: a#b; 5: a; 6:; 7: $#|${#}|x ($# ${#}?) (loose); 7: {a}|{}|}; 7: !|a; 7: if|then; 7: [[|a|]]; 7: b; 8: c",
        ),
        (
            "d a;;d b; d c;d e&d f|d g||d h&&d i; (d j)(d k); (d l) d m; { d n; } d o; if x; then d p; fi d q; {d;}; d r; if(d s);then d t;fi; while(d u)do d v;done",
            "a; b; c; e; f (> ?); g; h (maybe); i (maybe); j; k; l; m; n; o; p (maybe); q; r; s; t (maybe); u (maybe); v (maybe)",
        ),
        (
            "if x\nthen\nd a\nelse\nd b\nfi\nif\nx\nthen d c; fi; if x; then :; elif y; then d e; elif z; then d f; fi; if false; then d no; elif false; then d no; elif true; then d g; else d no; fi; if true; then d h; elif x; then d no; fi; if false; then d no; else d i; fi",
            "3: a (maybe); 5: b (maybe); 9: c (maybe); 9: e (maybe); 9: f (maybe); 9: g; 9: h; 9: i",
        ),
        (
            "if x; then if y; then d a; else d b; fi; else d c; fi; if true; then if false; then d no; else d e; fi; else d no; fi; if x; then d f; fi >y; { d g; } >y 2>&1 <z; (d h) >y; while x; do d i; done >y; case a in a) d j;; esac >y; [[ a ]] >y; f() { d k; }; f >y",
            "a (maybe); b (maybe); c (maybe); e; f (maybe) (> /s/y); g (> /s/y) (2> /s/y); h (> /s/y); i (maybe) (> /s/y); j (> /s/y); k (> /s/y)",
        ),
        (
            "d time; time; time d a; time { d b; }; time -- d c; !; ! ; d e; { d f; }; {}; d g; { }; d h; ( ); d i; (d j; ); { d k\n}; { d l;; }; d m; $(d n); d o",
            "time; a; b; c; e; f; g; h; i; j; k; 2: l; 2: m; 2: n (> ?); 2: o",
        ),
        (
            "A='if x'; $A; d a; \"if\" x; d b; \\if x; d c; i\\f x; then d e; fi; e\\\nf; d g; elif\\\\\n x; d h; do\\td i; done\nd j; f\\\\\ni; d k",
            "a; b; c; e; 2: g; 3: h; 4: j; 5: k",
        ),
    ],
)
def test_statements_are_read_as_a_shell_reads_them(script: str, calls: str) -> None:
    assert traced(script) == calls
