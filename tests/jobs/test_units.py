"""Units of systemd, read without a shell: each form with its whole result."""

from __future__ import annotations

import pytest
from check_duplicity.jobs import units
from check_duplicity.jobs.units import Unit


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", {}),
        ("[Timer]\nA=1\nB = 2 \nA=3\n", {"A": ("1", "3"), "B": ("2",)}),
        ("A=1\n#A=2\n  ;A=3\nB\nA=4", {"A": ("1", "4")}),
        ("A=1\nA=\nA=2\nB=1\nB=", {"A": ("2",)}),
        ("A=x \\\n y\\\nz\nB=1", {"A": ("x   y z",), "B": ("1",)}),
        ("A=x\\\n# no\n\t; no\ny\nB=1=2", {"A": ("x y",), "B": ("1=2",)}),
    ],
)
def test_a_unit_is_read(text: str, values: dict[str, tuple[str, ...]]) -> None:
    unit = units.read_unit(text)
    assert unit.values == values
    assert unit.get("A") == values.get("A", ("",))[-1]


@pytest.mark.parametrize(
    ("calendar", "expected"),
    [
        ("minutely", ("* * * * *", "")), ("hourly", ("@hourly", "")), ("Daily", ("@daily", "")),
        ("weekly", ("@weekly", "")), ("monthly", ("@monthly", "")), ("yearly", ("@yearly", "")),
        ("annually", ("@yearly", "")), ("quarterly", ("0 0 1 1,4,7,10 *", "")),
        ("semiannually", ("0 0 1 1,7 *", "")), ("fortnightly", ("", "")), ("", ("", "")),
        (" daily  UTC ", ("@daily", "UTC")),
        ("03:00 Europe/Berlin", ("0 3 * * *", "Europe/Berlin")),
        ("03:00 America/Argentina/Buenos_Aires",
         ("0 3 * * *", "America/Argentina/Buenos_Aires")),
        ("03:00 CET", ("", "")), ("03:00 Etc/GMT+1", ("", "")),
        ("Mon", ("0 0 * * 1", "")), ("tue 01:00", ("0 1 * * 2", "")),
        ("Wednesday 1:05", ("5 1 * * 3", "")), ("thu,FRI 01:00", ("0 1 * * 4,5", "")),
        ("Sat..Sun 01:00", ("0 1 * * 6-0", "")), ("Mon-Fri, 01:00", ("0 1 * * 1-5", "")),
        ("Mon..Wed..Fri 01:00", ("", "")), ("Mond 01:00", ("", "")), ("Xyz 01:00", ("", "")),
        ("Mon,Xyz 01:00", ("", "")),
        ("Mon,Tue,Wed,Thu,Fri,Sat,Sun 1:0", ("0 1 * * 1,2,3,4,5,6,0", "")),
        ("Mon,Tue,Wed,Thu,Fri,Sat,Sun,Mon 1:0", ("", "")),
        ("Tuesday", ("0 0 * * 2", "")), ("Thursday", ("0 0 * * 4", "")),
        ("Friday", ("0 0 * * 5", "")), ("Saturday", ("0 0 * * 6", "")),
        ("Sunday", ("0 0 * * 0", "")), ("Monday", ("0 0 * * 1", "")), ("Sund", ("", "")),
        ("*-*-* 02:30:00", ("30 2 * * *", "")), ("*-* 02:30:00.000", ("30 2 * * *", "")),
        ("02:30:00.5", ("", "")), ("02:30:100", ("", "")), ("2", ("", "")),
        ("*-*-05", ("0 0 5 * *", "")), ("12-24 23:59", ("59 23 24 12 *", "")),
        ("Mon *-*-01 02:00", ("", "")), ("Mon *-02-* 02:00", ("0 2 * 2 1", "")),
        ("24:00", ("", "")), ("23:60", ("", "")), ("*-*-31 1:1", ("1 1 31 * *", "")),
        ("*-*-32 1:1", ("", "")), ("*-*-00 1:1", ("", "")), ("*-12-1", ("0 0 1 12 *", "")),
        ("*-13-1", ("", "")), ("*-00-1", ("", "")), ("0..23:00", ("0 0-23 * * *", "")),
        ("1..5/2:00", ("0 1-5/2 * * *", "")), ("1/6:00", ("0 1-23/6 * * *", "")),
        ("0/6:00", ("0 */6 * * *", "")), ("*/6:00", ("0 */6 * * *", "")),
        ("*:0/15", ("*/15 * * * *", "")), ("*:5/15", ("5-59/15 * * * *", "")),
        ("*:0/00", ("", "")), ("*:0/0", ("", "")), ("*-*-1/2", ("0 0 */2 * *", "")),
        ("*-2/3-1", ("0 0 1 2-12/3 *", "")), ("*-1/3-2/4", ("0 0 2-31/4 */3 *", "")),
        ("1,13:00,30", ("0,30 1,13 * * *", "")), ("1,,2:00", ("", "")), ("1..2..3:00", ("", "")),
        (",".join(["1"] * 98) + ":0", (f"0 {','.join(['1'] * 98)} * * *", "")),
        (",".join(["1"] * 99) + ":0", (f"0 {','.join(['1'] * 99)} * * *", "")),
        (",".join(["1"] * 99) + ":00", ("", "")),
    ],
)  # fmt: skip
def test_each_form_of_a_calendar(calendar: str, expected: tuple[str, str]) -> None:
    assert units.cron_of_calendar(calendar) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, ("", "")),
        ({"OnCalendar": ("daily", "daily", "04:00")}, ("@daily; 0 4 * * *", "")),
        ({"OnCalendar": ("daily UTC", "04:00 UTC")}, ("@daily; 0 4 * * *", "UTC")),
        ({"OnCalendar": ("daily", "never")}, ("", "")),
        ({"OnCalendar": ("never",), "OnUnitActiveSec": ("1h",)}, ("", "")),
        ({"OnUnitActiveSec": ("2h",), "OnUnitInactiveSec": ("3h",)}, ("every 2h", "")),
        ({"OnUnitActiveSec": ("x",), "OnUnitInactiveSec": ("3h",)}, ("every 3h", "")),
        ({"OnUnitActiveSec": ("59",), "OnUnitInactiveSec": ("60",)}, ("every 1m", "")),
        ({"OnUnitActiveSec": ("119",)}, ("every 1m", "")),
        ({"OnUnitActiveSec": ("3660",)}, ("every 61m", "")),
        ({"OnUnitActiveSec": ("3600",)}, ("every 1h", "")),
    ],
)
def test_when_a_timer_starts(values: dict[str, tuple[str, ...]], expected: tuple[str, str]) -> None:
    assert units.schedule_of(Unit(values)) == expected


@pytest.mark.parametrize(
    ("span", "minutes"),
    [
        *((f"60{unit}", "1m") for unit in ("", "s", "sec", "second", "seconds", " S")),
        *((f"61{unit}", "61m") for unit in ("m", "min", "minute", " minutes")),
        *((f"5{unit}", "5h") for unit in ("h", "hr", "hour", "hours")),
        *((f"2{unit}", "48h") for unit in ("d", "day", "days")),
        *((f"1{unit}", "168h") for unit in ("w", "week", "weeks")),
        ("1h 30m 1h", "150m"), ("1h30min", "90m"), ("1h, 5m", ""), ("x 1h", ""), ("1h x", ""),
        ("1month", ""), ("1h 1y", ""), ("1h ", "1h"), ("1h" + " " * 98 + "1h", ""),
        ("1h" + " " * 96 + "1h", "2h"),
    ],
)  # fmt: skip
def test_how_long_a_timer_waits(span: str, minutes: str) -> None:
    expected = f"every {minutes}" if minutes else ""
    assert units.schedule_of(Unit({"OnUnitActiveSec": (span,)})) == (expected, "")


def test_what_each_specifier_stands_for() -> None:
    known = units.specifiers("b@srv-a\\x2db.service", "bk", "/home/bk", "nas.example.org")
    text = "%% %n %N %p %i %I %H %l %h %u %t %S %C %L %E %T %q %"
    assert units.specified(text, known) == (
        "% b@srv-a\\x2db.service b@srv-a\\x2db b srv-a\\x2db srv/a-b nas.example.org nas /home/bk "
        "bk /run /var/lib /var/cache /var/log /etc /tmp %q %"
    )
    assert units.specifiers("web.timer", "bk", "/h", "nas")["i"] == ""
    assert units.specified("%p.%i", units.specifiers("web.timer", "bk", "/h", "nas")) == "web."


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("A=1 'B=2 3' C=\"4=5\" D E=", {"A": "1", "B": "2 3", "C": "4=5", "E": ""}),
        ("A='1", {}),
    ],
)
def test_variables_of_a_unit(line: str, found: dict[str, str]) -> None:
    assert units.environment_of(line) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A=1\nno\n#B=2\n ;C=3\nD=4", {"A": "1", "D": "4"}),
        ("A=1\n1B=2\nexport C=3\nA-B=4\n_d1=5\nA=6\n", {"A": "6", "_d1": "5"}),
        ("A=\nB= \t\nC=\t 1 \t\n", {"A": "", "B": "", "C": "1"}),
        ("A='x y'z\nB='a'  'b'\nC=a'b'\n", {"A": "x yz", "B": "ab", "C": "a'b'"}),
        ("A='x\ny'\nB='open\nC=1\n", {"A": "x\ny", "B": "open\nC=1\n"}),
        ('A="a\\\nb"\nB="\\q\\"\\\\\\`\\$"\nC=1', {"A": "ab", "B": '\\q"\\`$', "C": "1"}),
        ("A=\"open\\", {"A": "open"}), ('A="a\nb" \'c\'"d"\nB=1', {"A": "a\nbcd", "B": "1"}),
        ("A=a\\\nb\\ c\\$ \nB=1", {"A": "ab c$", "B": "1"}),
        ("A=x\\", {"A": "x"}), ("A=\\", {"A": ""}), ("A=\\\nB=1\nC=2", {"A": "B=1", "C": "2"}),
    ],
)  # fmt: skip
def test_variables_of_a_file(text: str, found: dict[str, str]) -> None:
    assert units.environment_file(text) == found


J = "journal:b.service"


@pytest.mark.parametrize(
    ("output", "errors", "expected"),
    [
        ("", "", (J, J)), ("inherit", "inherit", (J, J)), ("journal", "", (J, J)),
        ("journal+console", "null", (J, "/dev/null")), ("syslog", "tty", (J, "")),
        ("syslog+console", "kmsg", (J, J)), ("kmsg+console", "socket", (J, "")),
        ("null", "", ("/dev/null", "/dev/null")), ("null", "inherit", ("/dev/null", "/dev/null")),
        ("file:/l/%p", "", ("/l/b", "/l/b")), ("append:/l:a", "truncate:/m", ("/l:a", "/m")),
        ("truncate:/l", "append:/m%%", ("/l", "/m%")), ("tty", "journal", ("", J)),
        ("fd:x", "", ("", "")), ("socket", "file:/e", ("", "/e")),
    ],
)  # fmt: skip
def test_where_the_output_of_a_service_goes(
    output: str, errors: str, expected: tuple[str, str]
) -> None:
    given = {"StandardOutput": (output,), "StandardError": (errors,)}
    unit = Unit({key: value for key, value in given.items() if value[0]})
    known = units.specifiers("b.service", "root", "/root", "nas")
    assert units.outputs_of(unit, "b.service", known) == expected


@pytest.mark.parametrize(
    ("line", "commands"),
    [
        ("/s/b.sh a", ["/s/b.sh a"]), ("-@:+!/s/b.sh", ["/s/b.sh"]), ("/a ; /b c", ["/a", "/b c"]),
        ("/a 'b c' $D ${E} x${F}y", ["/a 'b c' $D \"${E}\" x\"${F}\"y"]),
        ("/a $$ a$$b $1 x;y a#b #c", ["/a '$' a'$'b '$1' 'x;y' 'a#b' '#c'"]),
        ("/a ''", ["/a ''"]), ("/a 'b", []), ("/a ; /b 'c", ["/a"]), ("/a %i %%", ["/a web %"]),
        ("/a 'p q${F}r s'", ["/a 'p q'\"${F}\"'r s'"]),
    ],
)  # fmt: skip
def test_what_a_service_runs_as_a_shell_would_write_it(line: str, commands: list[str]) -> None:
    known = units.specifiers("b@web.service", "root", "/root", "nas")
    assert list(units.commands_of(line, known)) == commands
