"""Lines of crontabs: each form with its whole result."""

from __future__ import annotations

import pytest
from check_duplicity.jobs.crontabs import Entry, read_crontab

WEB = Entry("0 2 * * *", "bk", "/s/web.sh", "/c:1")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("0 2 * * * /s/web.sh", WEB),
        ("-0 2 * * * /s/web.sh", WEB),
        ("\t0  2\t*  *  * \t/s/web.sh  \r", WEB._replace(schedule="0  2\t*  *  *")),
        ("# \t#0 2 * * * /s/web.sh", WEB._replace(active=False)),
        ("0 2 * * /s/web.sh", None),
        ("0 2 * * * ", None),
        ("0 2 * * x /s/web.sh", None),
        *(
            (f"0 2 1 {month},*/3 * /s/web.sh", WEB._replace(schedule=f"0 2 1 {month},*/3 *"))
            for month in [
                "jan",
                "feb",
                "MAR",
                "apr",
                "may",
                "jun",
                "jul",
                "aug",
                "sep",
                "oct",
                "nov",
                "dec",
            ]
        ),
        *(
            (f"0~9 2 * * {day}-7 /s/web.sh", WEB._replace(schedule=f"0~9 2 * * {day}-7"))
            for day in ["mon", "Tue", "wed", "thu", "fri", "sat", "sun"]
        ),
        ("@daily /s/web.sh", WEB._replace(schedule="@daily")),
        ("@midnight /s/web.sh", WEB._replace(schedule="@daily")),
        ("@annually /s/web.sh", WEB._replace(schedule="@yearly")),
        ("@1 /s/web.sh", None),
        (r"0 2 * * * a \% b % c \% d", WEB._replace(command="a % b")),
        ("0 2 * * * %in", WEB._replace(command="")),
    ],
)
def test_a_line_of_a_users_crontab(line: str, expected: Entry | None) -> None:
    assert list(read_crontab(line, "/c", "bk")) == [expected] * (expected is not None)


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("bk /s/web.sh", ("bk", "/s/web.sh")), ("a-b.c$ \t x y ", ("a-b.c$", "x y")),
        ("_u x", ("_u", "x")), ("bk", None), ("1bk x", None), ("/s/web.sh x", None),
        ("b$k x", None),
    ],
)  # fmt: skip
def test_a_line_that_names_its_user(rest: str, expected: tuple[str, str] | None) -> None:
    found = [(entry.user, entry.command) for entry in read_crontab(f"@daily {rest}", "/c")]
    assert found == [expected] * (expected is not None)


@pytest.mark.parametrize(
    ("line", "given"),
    [
        ("A=1", {"A": "1"}), ("\"A\" = 'x y' ", {"A": "x y"}), ("'A'=\"x y\"", {"A": "x y"}),
        ("A='x\"", {"A": "'x\""}), ("A='", {"A": "'"}), ("A=''", {"A": ""}),
        ("A=xyx", {"A": "xyx"}),
        ("#A=1", {}), ("1A=1", {}), ("A", {}), ("A=", {"A": ""}), ("_a1=1=2", {"_a1": "1=2"}),
        ("CRON_TZ=UTC", {"CRON_TZ": "UTC"}),
    ],
)  # fmt: skip
def test_a_line_that_sets_a_variable(line: str, given: dict[str, str]) -> None:
    text = f"@daily /a\n{line}\n\n# more\n@daily /b\n"
    first, second = read_crontab(text, "/c", "bk")
    assert first == Entry("@daily", "bk", "/a", "/c:1")
    zone = given.get("CRON_TZ", "")
    assert second == Entry("@daily", "bk", "/b", "/c:5", given, time_zone=zone)
