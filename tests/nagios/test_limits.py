from __future__ import annotations

from collections.abc import Callable

import nagiosplugin
import pytest
from check_duplicity.nagios.limits import (
    Limit,
    age_limit,
    count,
    count_limit,
    format_age,
    format_size,
    percent_limit,
    plural,
    size_limit,
)
from check_duplicity.nagios.limits import size as one_size
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("32h", "~:115200"),
        ("~:32h", "~:115200"),
        ("90", "~:90"),
        ("1d8h", "~:115200"),
        ("1.5h", "~:5400"),
        ("0.5", "~:0.5"),
        ("0.000001", "~:0.000001"),
        ("2w", "~:1209600"),
        ("@1d:2d", "@86400:172800"),
        ("@1d", "@0:86400"),
        ("10m:", "600:"),
        ("0:1h", "0:3600"),
        (":1h", "0:3600"),
        ("@~:1h", "@~:3600"),
    ],
)
def test_an_age_is_read_into_seconds(text: str, spec: str) -> None:
    assert age_limit(text).spec == spec


@pytest.mark.parametrize(
    "text",
    ["", "soon", "32 h", "-5", "1h:", "h", "2d:1d", "1:2:3", "~", "@", ":", "32H", "1e3", "١h",
     "5h3", "@@1h", "1h@", "nan", "inf", "9" * 13, "5:~", "~:~", "@~:~"],
)  # fmt: skip
def test_what_is_not_an_age_is_refused(text: str) -> None:
    if text == "1h:":
        assert age_limit(text).spec == "3600:"
        return
    with pytest.raises(ValueError, match="not an age"):
        age_limit(text)


@pytest.mark.parametrize("text", ["7d", "", "x", "5:4", "-1"])
def test_what_is_not_a_count_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a range"):
        count_limit(text)


def test_a_bare_limit_is_an_upper_limit_and_itself_still_good() -> None:
    good = nagiosplugin.Range(age_limit("1h").spec)
    assert good.match(3600)
    assert good.match(-1)
    assert not good.match(3601)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    for read in (age_limit, count_limit):
        try:
            limit = read(text)
        except ValueError as error:
            assert "write" in str(error)
        else:
            nagiosplugin.Range(limit.spec)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (59, "59s"),
        (60, "1m"),
        (61, "1m 1s"),
        (3600, "1h"),
        (3661, "1h 1m"),
        (86399, "23h 59m"),
        (86400, "1d"),
        (273600, "3d 4h"),
        (-300, "5m"),
        (86460, "1d"),
        (86405, "1d"),
        (90000, "1d 1h"),
        (3605, "1h"),
        (604800, "7d"),
    ],
)
def test_an_age_is_printed_in_its_two_largest_units(seconds: int, text: str) -> None:
    assert format_age(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (1 << 20, "1.0 MiB"),
        (1 << 30, "1.0 GiB"),
        ((1 << 40) - 1, "1024.0 GiB"),
        (1 << 40, "1.0 TiB"),
        (5 << 50, "5120.0 TiB"),
    ],
)
def test_a_size_is_printed_in_its_largest_unit(size: int, text: str) -> None:
    assert format_size(size) == text


@pytest.mark.parametrize(
    ("text", "bytes_"),
    [("1", 1), ("1K", 1024), ("0.5K", 512), ("500M", 500 << 20), ("10G", 10 << 30),
     ("2T", 2 << 40), ("1.7", 1)],
)  # fmt: skip
def test_one_size_is_read_into_bytes(text: str, bytes_: int) -> None:
    assert one_size(text) == bytes_


@pytest.mark.parametrize("text", ["", "0", "0.0K", "x", "5k", "5MB", "1:2", "-1", "@1"])
def test_what_is_not_one_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011
        one_size(text)
    assert str(refused.value) == f"not a size: {text!r} (write 500M or 10G)"


def test_a_count_is_from_1_to_999999() -> None:
    assert [count(text) for text in ("1", "10", "999999")] == [1, 10, 999999]
    for text in ("", "0", "01", "1000000", "-1", "1.5", "x", "١"):
        with pytest.raises(ValueError) as refused:  # noqa: PT011
            count(text)
        assert str(refused.value) == f"not a number: {text!r} (write 1 to 999999)"


@pytest.mark.parametrize(
    ("read", "text", "spec", "upper"),
    [
        (age_limit, "1h30m", "~:5400", 5400.0),
        (age_limit, "~:", "~:", float("inf")),
        (age_limit, "10m:", "600:", None),
        (count_limit, "14", "~:14", 14.0),
        (count_limit, "2:30", "2:30", None),
        (count_limit, "5:5", "5:5", None),
        (count_limit, "@7", "@0:7", None),
        (size_limit, "10G:", "10737418240:", None),
        (size_limit, "2K", "~:2048", 2048.0),
        (percent_limit, "1", "~:0", 0.0),
        (percent_limit, "10", "~:9", 9.0),
        (percent_limit, "100", "~:99", 99.0),
        (percent_limit, "none", "~:", float("inf")),
    ],
)
def test_a_limit_keeps_its_text_and_has_the_guidelines_form(
    read: Callable[[str], Limit], text: str, spec: str, upper: float | None
) -> None:
    assert read(text) == Limit(text, spec)
    assert read(text).upper == upper


def test_one_has_no_s() -> None:
    assert [plural(count, "volume") for count in (0, 1, 2)] == ["volumes", "volume", "volumes"]
