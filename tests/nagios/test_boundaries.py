"""Every kind of limit at its boundaries: itself, one beside it, 0, the largest, two equal ones.

The tests use the table of all kinds, so a new kind is tested automatically.
"""

from __future__ import annotations

import pytest
from check_duplicity.nagios.evaluation import evaluate
from check_duplicity.nagios.findings import Kind, State
from check_duplicity.nagios.judged import JUDGED, defaults, example, keys, longest_run, read
from check_duplicity.nagios.limits import Limit
from check_duplicity.nagios.measures import Limits, Measure

OK, WARNING, CRITICAL = State.OK, State.WARNING, State.CRITICAL
RANGES = [kind for kind, judged in JUDGED.items() if judged.metavar != "PERCENT"]
PERCENTS = [kind for kind, judged in JUDGED.items() if judged.metavar == "PERCENT"]
# Of each form: the units that a number can have, and what each counts.
UNITS = {
    "AGE": {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800},
    "RANGE": {"": 1},
    "SIZE": {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40},
}
LARGEST = 999_999_999_999
# What is in none of the forms that a kind has.
WRONG = {
    "AGE": ["5K", "5H", "1d 8h", "5%"],
    "RANGE": ["5s", "5K", "5%", "none"],
    "SIZE": ["5h", "5k", "5KB", "5%"],
    "PERCENT": ["0", "101", "050", "5%", "50:", "~:50", "@50", "5.5", "-5", "", "None"],
}


def limit(kind: str, text: str) -> Limit:
    return JUDGED[kind].read(text)


def state(value: int, warning: Limit | None, critical: Limit | None = None) -> State:
    """Return the state of a number with these limits; a bad one must have its sentence."""
    measure = Measure("n", value, text=f"n is {value}", kind=Kind.CHAIN, said="good")
    found = evaluate([measure], (), {"n": Limits(warning, critical)})
    assert found.summary.startswith("good" if found.state == OK else f"n is {value}")
    return found.state


def test_every_form_is_known_here() -> None:
    """A new one needs its boundaries in these tests."""
    assert {judged.metavar for judged in JUDGED.values()} == {*UNITS, "PERCENT"}


@pytest.mark.parametrize("kind", RANGES)
def test_the_limit_itself_is_good_and_what_is_above_is_not(kind: str) -> None:
    for unit, size in UNITS[JUDGED[kind].metavar].items():
        for number in (1, 7, LARGEST):
            given, value = limit(kind, f"{number}{unit}"), number * size
            assert [state(value + n, given) for n in (-1, 0, 1)] == [OK, OK, WARNING]
            assert [state(value + n, None, given) for n in (-1, 0, 1)] == [OK, OK, CRITICAL]


@pytest.mark.parametrize("kind", RANGES)
def test_between_the_limits_is_a_warning(kind: str) -> None:
    warning, critical = limit(kind, "5"), limit(kind, "7")
    states = [state(value, warning, critical) for value in range(4, 10)]
    assert states == [OK, OK, WARNING, WARNING, CRITICAL, CRITICAL]


@pytest.mark.parametrize("kind", RANGES)
def test_of_two_equal_limits_the_critical_one_counts(kind: str) -> None:
    both = limit(kind, "7")
    assert [state(value, both, both) for value in (6, 7, 8)] == [OK, OK, CRITICAL]


@pytest.mark.parametrize("kind", RANGES)
def test_nothing_is_within_a_limit_of_0(kind: str) -> None:
    for text in ("0", "0:0", ":0", "~:0"):
        given = limit(kind, text)
        assert [state(value, given) for value in (0, 1)] == [OK, WARNING]
    assert [state(value, limit(kind, "@0")) for value in (0, 1)] == [WARNING, OK]


@pytest.mark.parametrize("kind", RANGES)
def test_both_ends_of_a_range_are_in_it(kind: str) -> None:
    for unit, size in UNITS[JUDGED[kind].metavar].items():
        low, high = 2 * size, 30 * size
        values = (low - 1, low, high, high + 1)
        inside = limit(kind, f"2{unit}:30{unit}")
        assert [state(value, inside) for value in values] == [WARNING, OK, OK, WARNING]
        outside = limit(kind, f"@2{unit}:30{unit}")
        assert [state(value, outside) for value in values] == [OK, WARNING, WARNING, OK]
        least = limit(kind, f"2{unit}:")
        assert [state(value, least) for value in values] == [WARNING, OK, OK, OK]
        one = limit(kind, f"2{unit}:2{unit}")
        assert [state(low + n, one) for n in (-1, 0, 1)] == [WARNING, OK, WARNING]


@pytest.mark.parametrize("kind", RANGES)
def test_the_largest_number_has_12_digits_and_6_behind_the_point(kind: str) -> None:
    for unit in UNITS[JUDGED[kind].metavar]:
        assert limit(kind, f"{LARGEST}.999999{unit}").upper
        for text in (f"{LARGEST}0{unit}", f"1.1234567{unit}", f".5{unit}", f"5.{unit}"):
            with pytest.raises(ValueError, match=r"^not an? \w+: "):
                limit(kind, text)


@pytest.mark.parametrize("kind", PERCENTS)
def test_a_percentage_that_is_reached_counts(kind: str) -> None:
    for number in (1, 50, 99, 100):
        given = limit(kind, str(number))
        assert [state(number + n, given) for n in (-1, 0, 1)] == [OK, WARNING, WARNING]
        assert [state(number + n, given, given) for n in (-1, 0)] == [OK, CRITICAL]
    assert state(100, limit(kind, "none"), limit(kind, "none")) == OK
    warning, critical = limit(kind, "50"), limit(kind, "90")
    states = [state(value, warning, critical) for value in (0, 49, 50, 89, 90, 100)]
    assert states == [OK, OK, WARNING, WARNING, CRITICAL, CRITICAL]


@pytest.mark.parametrize("kind", JUDGED)
def test_other_forms_are_refused(kind: str) -> None:
    for text in WRONG[JUDGED[kind].metavar]:
        with pytest.raises(ValueError, match=r"^not a"):
            limit(kind, text)


@pytest.mark.parametrize("kind", JUDGED)
def test_the_default_itself_is_judged_as_any_limit(kind: str) -> None:
    texts = defaults([kind]).values()
    warning, critical = (limit(kind, text) if text else None for text in texts)
    for given, worse in ((warning, WARNING), (critical, CRITICAL)):
        if given is not None and given.upper is not None:
            assert state(int(given.upper), warning, critical) < worse
            assert state(int(given.upper) + 1, warning, critical) == worse
    assert (warning is None) == (critical is None)


@pytest.mark.parametrize("kind", JUDGED)
def test_a_jobs_file_has_a_key_for_each(kind: str) -> None:
    for key in keys([kind]):
        assert read(key, "7") == limit(kind, "7")


def test_how_long_a_backup_may_run_is_the_critical_limit() -> None:
    assert longest_run("") == 86400
    assert longest_run("3h") == 10800
    assert longest_run("0") == 0
    assert longest_run("1h:") == float("inf")


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("warning", "36h, or a Nagios range"),
        ("full_critical", "36h, or a Nagios range"),
        ("lookback", "36h, or a Nagios range"),
        ("errors_warning", "14, or a Nagios range"),
        ("source_size_critical", "10G, or a Nagios range"),
        ("shrunk_warning", "50, or none"),
    ],
)
def test_each_key_has_its_example(key: str, shown: str) -> None:
    assert example(key) == shown


def test_the_defaults_are_those_of_the_manual() -> None:
    assert {key: text for key, text in defaults(JUDGED).items() if text} == {
        "warning": "32h", "critical": "56h", "shrunk_warning": "50", "shrunk_critical": "90",
        "process_warning": "12h", "process_critical": "24h", "stalled_warning": "1h",
        "stalled_critical": "3h", "restore_warning": "8d", "restore_critical": "15d",
    }  # fmt: skip
    assert keys(["", "full_"]) == ["warning", "critical", "full_warning", "full_critical"]
    longest = [longest_run(text) for text in ("", "1h", "2:3", "~:", "@5")]
    assert longest == [86400.0, 3600.0, float("inf"), float("inf"), float("inf")]
