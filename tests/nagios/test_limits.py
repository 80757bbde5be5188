from __future__ import annotations

import nagiosplugin
import pytest
from check_duplicity.nagios.limits import age_limit, count_limit, format_age
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
    ],
)
def test_an_age_is_printed_in_its_two_largest_units(seconds: int, text: str) -> None:
    assert format_age(seconds) == text
