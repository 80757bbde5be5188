# ruff: noqa: E501
"""Where the output of commands goes: redirections, pipes and what reads them."""

from __future__ import annotations

import pytest
from traces import traced


@pytest.mark.parametrize(
    ("script", "calls"),
    [
        (
            "d >log; d 2>&1; d >a 2>&1; d 2>&1 >a; d &>b; d &>>c; d >&e; d >|f; d 2>&-; d >&-",
            "(> /s/log); (2> /dev/stdout); (> /s/a) (2> /s/a); (> /s/a) (2> /dev/stdout); (> /s/b) (2> /s/b); (> /s/c) (2> /s/c); (> /s/e) (2> /s/e); (> /s/f); (2> /dev/null); (> /dev/null)",
        ),
        (
            "d >/dev/null; d 2>>err >>/l/out; d 3>x; d 1>y; d 2>&1 1>z",
            "(> /dev/null); (> /l/out) (2> /s/err); ; (> /s/y); (> /s/z) (2> /dev/stdout)",
        ),
        (
            'd >$X; d >"$(date +%F).log"; d >l-`date`-$$.log; d >l-$RANDOM/x; d >$(date); d >l-$(date; x).log; d >"a*$SECONDS"; d >.$(date)$EPOCHSECONDS',
            "(> ?); (> /s/*.log); (> /s/l-*-*.log); (> ?); (> ?); (> ?); (> /s/a[*]*); (> ?)",
        ),
        ("d </dev/null; d <<<x; d {fd}>x; d <>y", "; ; ; "),
        (
            "exec >log 2>&1; d; exec 2>err; d; d >x; d; exec >&-; d",
            "(> /s/log) (2> /s/log); (> /s/log) (2> /s/err); (> /s/x) (2> /s/err); (> /s/log) (2> /s/err); (> /dev/null) (2> /s/err)",
        ),
        (
            "exec 3>three; d >&3; d 2>&3; exec 3>&-; d >&3; d >&4",
            "(> /s/three); (2> /s/three); (> /dev/null); (> ?)",
        ),
        (
            "d >/dev/stdout; d >/dev/stderr; d 2>/dev/fd/1; d >/proc/self/fd/2; d >/dev/fd/1x; exec >o; d >/dev/stderr; d 2>/dev/stdout",
            "; (> /dev/stderr); (2> /dev/stdout); (> /dev/stderr); (> /dev/fd/1x); (> /dev/stderr); (> /s/o) (2> /s/o)",
        ),
        (
            "(d; d 2>&1) >log; { d; } >>log; for i in a; do d; done >f; if x; then d; fi 2>e; d",
            "(> /s/log); (> /s/log) (2> /s/log); (> /s/log); (> /s/f); (maybe) (2> /s/e); ",
        ),
        (
            "d | cat; d | cat >log; d | ts | tee log; d | ts %s | cat | logger -t web; d | grep x; d 2>&1 | logger",
            "; (> /s/log); (> /s/log); (> web); (> ?); (> ?) (2> ?)",
        ),
        (
            "d | tee -a log; d | tee log two; d | tee; d | tee >x; d | tee - | cat >y; d | tee $X; d |& tee log; d | tee -i -a log",
            "(> /s/log); (> /s/log); ; (> /s/x); (> /s/-); (> ?); (> /s/log) (2> /s/log); (> /s/log)",
        ),
        (
            "d | logger -t a; d | logger --tag b; d | logger --tag=c -p x.y -i; d | logger -t a -n h; d | logger -t a --server h; d | logger -t a -f x; d | logger --file x -t a; d | logger -t a msg; d | logger -t $X; d | logger -s -t e -P 5 -S 9 -u s --id=3",
            "(> a); (> b); (> c); (> ?); (> ?); (> ?); (> ?); (> ?); (> ?); (> e)",
        ),
        (
            "d | systemd-cat; d | systemd-cat -t a; d | systemd-cat --identifier=b -p info; d | systemd-cat -t a d x; d | /usr/bin/systemd-cat --priority x --identifier c",
            "(> ?); (> a); (> b); (> ?); x (> a) (2> a); (> c)",
        ),
        (
            "d | { cat; } >x; d | (logger -t a); d | cat >x 2>&1; d | while read -r A; do x; done; d | cat | cat",
            "(> ?); (> ?); (> /s/x); (> ?); ",
        ),
        (
            "{ d; d 2>&1; } | cat >x; { d >y; d 2>&1; } 2>&1 | tee log",
            "(> /s/x); (> /s/x) (2> /s/x); (> /s/y) (2> /s/log); (> /s/log) (2> /s/log)",
        ),
        (
            "d > >(tee log); d > >(logger -t a) 2>&1; d 2> >(cat >e); d > >(x); d > >(tee a; x); d > >(cat | tee b); d > >(tee a && x); d >a > >(tee log >&2); d > >()",
            "(> /s/log); (> a) (2> a); (2> /s/e); (> ?); (> ?); (> /s/b); (> ?); (> /s/log); (> ?)",
        ),
        ("exec > >(tee -a log) 2>&1; d", "(> /s/log) (2> /s/log)"),
        (
            "A=$(d); A=$(d >x); A=$(d 2>&1); A=$(d | cat >y; d); d $A",
            "(> ?); (> /s/x); (> ?) (2> ?); (> /s/y); (> ?); $(d | cat >y; d) ($(d | cat >y; d)?) (loose)",
        ),
        (
            'A=$(echo a; echo b >x; echo c >&1; echo e >&2); d "$A"; A=$(echo a >&-); d "x$A"; A=$(exec >x; echo a); d "x$A"; A=$(echo a | cat); d "$A"',
            "a\nc; x; xa; $(echo a | cat) ($(echo a | cat)?)",
        ),
        (
            'A=$({ echo a; } >x; echo b); d "$A"; A=$(echo a 2>x); d "$A"; A=$(echo a 1>&2 2>x); d "x$A"; A=$(echo a 3>x); d "$A"',
            "b; a; x; a",
        ),
        (
            "cd /a; d >b; cd \"$X\"; d >b; d >/b; d >$(date).b; d >/c/$(date); cd '/q*'; d >$(date); d >x-$(date)",
            "(in /a) (> /a/b); (in ?) (> ?) (hidden PWD); (in ?) (> /b) (hidden PWD); (in ?) (> ?) (hidden PWD); (in ?) (> ?) (hidden PWD); (in /q*) (> ?) (hidden OLDPWD); (in /q*) (> ?) (hidden OLDPWD)",
        ),
        (
            'd | cat >a | cat; d | tee a | tee b; d | ts 2>e; d | nice cat; d | /bin/cat; d | $X; d | tee "$X" | cat',
            "(> /s/a); (> /s/a); ; (> ?); ; (> ?); (> ?)",
        ),
        (
            "d | { d two; }; d | if x; then d three; fi; ! d | cat >x",
            "(> ?); two; (> ?); three (maybe); (> /s/x)",
        ),
        (
            "d >a >b; d >a 2>b 2>&1; exec 2>/dev/null; d; (exec >sub; d); d; f() { exec >fun; }; f; d",
            "(> /s/b); (> /s/a) (2> /s/a); (2> /dev/null); (> /s/sub) (2> /dev/null); (2> /dev/null); (> /s/fun) (2> /dev/null)",
        ),
        (
            "A=x; d > >(A=y; tee log); d $A; d | tee ${B:=z}; d x$B; d >${C:=c}; d $C",
            "(> ?); x; (> /s/z); x$B ($B?) (loose); (> /s/c); c",
        ),
        (
            "f() { d; } >log; f; f 2>&1; f | cat >y",
            "(> /s/log); (> /s/log) (2> /dev/stdout); (> /s/log)",
        ),
        (
            "d >'' ; d >a/; d >/; d >..; d >~/x; d >~bk/x; d 2>&1 | tee /l/$(date +%F) /m",
            "(> ?); (> /s/a/); (> /); (> /s/..); (> /root/x); (> ?); (> ?) (2> ?)",
        ),
        (
            "if x; then exec >a; fi; d; exec >b; d; if x; then exec >c; else exec >c; fi; d",
            "(> ?); (> /s/b); (> /s/c)",
        ),
        ("d >&2; d 1>&2 2>&1; d 2>&12; d >&1", "(> /dev/stderr); (> /dev/stderr); (2> /s/12); "),
        (
            "sh -c 'd; d >&2' >log 2>err; bash -c 'd | tee x'",
            "(> /s/log) (2> /s/err); (> /s/err) (2> /s/err); (> /s/x)",
        ),
        (
            'd >x-$(date "+%F" )-`/bin/date -u`; d >x-$(/bin/date +%s | y); d >x$BASHPID; d >x-$(dates); d >x-$(date +$X)',
            "(> /s/x-*-*); (> ?); (> /s/x*); (> ?); (> ?)",
        ),
        ("f() { break; }; for i in a; do d >x; f >y; d; break >z; done; d", "(> /s/x); ; "),
        ("while x; do exec >w; done; d; f() { d >x; return; } ; f >y; d", "(> ?); (> /s/x); (> ?)"),
        ("d | cat |& tee log; d | ts |& cat >x; d | cat 2>e |& cat", "(> /s/log); (> /s/x); "),
    ],
)
def test_output_goes_where_a_shell_sends_it(script: str, calls: str) -> None:
    assert traced(script) == calls
