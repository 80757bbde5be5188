"""Numbers below their upper limits are good, with nagiosplugin and without it."""

from __future__ import annotations

import pytest
from check_duplicity.nagios.evaluation import evaluate
from check_duplicity.nagios.findings import Finding, Kind, State
from check_duplicity.nagios.limits import count_limit
from check_duplicity.nagios.measures import Limits, Measure
from check_duplicity.nagios.ranges import judge
from hypothesis import given
from hypothesis import strategies as st

NUMBERS = st.integers(0, 5)


@st.composite
def limits(draw: st.DrawFn) -> Limits:
    """Return limits in any form, or none."""
    forms = st.sampled_from(["{}", "0:{}", "~:{}", "@0:{}", "{}:", "@{}:", "~:"])
    texts = st.builds(str.format, forms, NUMBERS)
    one = st.none() | st.builds(count_limit, texts)
    return Limits(draw(one), draw(one), draw(st.sampled_from(State)))


@given(st.lists(st.tuples(NUMBERS, limits()), min_size=1, max_size=3))
def test_the_quick_way_judges_as_nagiosplugin_does(pairs: list[tuple[int, Limits]]) -> None:
    measures = [
        (Measure(f"n{i}", value, text=f"{value} of n{i}", kind=Kind.CHAIN), limits)
        for i, (value, limits) in enumerate(pairs)
    ]
    found = evaluate([m for m, _ in measures], (), {m.name: limits for m, limits in measures})
    assert (found.state, found.summary, found.findings) == judge(measures, ())


@pytest.mark.parametrize(
    ("states", "summary"),
    [
        ((State.WARNING,), "0"),
        ((State.WARNING, State.CRITICAL), "1; 0"),
        ((State.WARNING, State.WARNING, State.CRITICAL, State.CRITICAL), "2; 3 (and 2 more)"),
    ],
)
def test_the_first_line_names_the_two_worst(states: tuple[State, ...], summary: str) -> None:
    found = [Finding(Kind.RUN_FAILED, state, str(n)) for n, state in enumerate(states)]
    assert evaluate([], found, {}).summary == summary
