"""Numbers below their upper limits are good, with nagiosplugin and without it."""

from __future__ import annotations

import pytest
from check_duplicity.nagios.evaluation import evaluate
from check_duplicity.nagios.findings import Finding, Kind, State
from check_duplicity.nagios.limits import age_limit, count_limit
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


def finding(kind: Kind, state: State) -> Finding:
    return Finding(kind, state, kind.name)


def test_the_summary_has_the_two_worst_and_the_most_telling_first() -> None:
    chain = finding(Kind.CHAIN, State.WARNING)
    stale = finding(Kind.STALE, State.WARNING)
    killed = finding(Kind.KILLED, State.CRITICAL)
    found = evaluate([], [chain, stale, killed], {})
    assert (found.state, found.summary) == (State.CRITICAL, "KILLED; STALE (and 1 more)")
    assert found.findings == (killed, stale, chain)
    assert evaluate([], [chain, stale], {}).summary == "STALE; CHAIN"
    assert evaluate([], [finding(Kind.USAGE, State.UNKNOWN), killed], {}).state == State.UNKNOWN


def test_a_number_outside_of_its_limits_is_a_finding_of_its_job() -> None:
    measure = Measure("age", 9, "s", "9s old", Kind.STALE, "fine", "web")
    both = Limits(age_limit("5"), age_limit("8"))
    for limits, state, limit in (
        (both, State.CRITICAL, "8"),
        (both._replace(worst=State.WARNING), State.WARNING, "8"),
        (both._replace(critical=None), State.WARNING, "5"),
        (both._replace(critical=age_limit("9")), State.WARNING, "5"),
        (Limits(critical=age_limit("8")), State.CRITICAL, "8"),
    ):
        text = f"9s old (limit {limit})"
        told = (Finding(Kind.STALE, state, text, "web"),)
        found = evaluate([measure], [], {"age": limits})
        assert found == (state, text, ((measure, limits),), told)
    good = evaluate([measure], [], {"other": both})
    assert good == (State.OK, "fine", ((measure, Limits()),), ())
    assert evaluate([measure], [], {}).performance == "age=9s;;;0"
