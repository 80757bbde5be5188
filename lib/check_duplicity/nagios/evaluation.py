"""Judge the numbers by their limits, and find the state of it all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from check_duplicity.nagios.findings import Finding, Measure, State
from check_duplicity.nagios.limits import Limit
from check_duplicity.values import NamedTuple


class Limits(NamedTuple):
    """The limits of one measure; without one it is always good, and never worse than ``worst``."""

    warning: Limit | None = None
    critical: Limit | None = None
    worst: State = State.CRITICAL


class Evaluation(NamedTuple):
    """State, summary and performance data of a check, and its findings, the worst first."""

    state: State
    summary: str
    performance: str
    findings: tuple[Finding, ...]


def evaluate(
    measures: Iterable[Measure], found: Iterable[Finding], limits: Mapping[str, Limits]
) -> Evaluation:
    """Judge measures by their limits (by the measure's name), and join the findings to them."""
    judged = [(measure, limits.get(measure.name, Limits())) for measure in measures]
    found = tuple(found)
    performance = " ".join(sorted(_performance(*pair) for pair in judged))
    if not found and all(_is_plainly_good(*pair) for pair in judged):
        return Evaluation(State.OK, said_of([m for m, _ in judged]), performance, ())
    # Not above: it takes longer to load than a thousand processes to look at, and mostly all is
    # well.
    from check_duplicity.nagios.ranges import judge

    state, summary, findings = judge(judged, found)
    return Evaluation(state, summary, performance, findings)


def said_of(measures: Iterable[Measure]) -> str:
    """Return the summary when all is well."""
    return ", ".join(filter(None, (m.text if m.said is None else m.said for m in measures)))


def _is_plainly_good(measure: Measure, limits: Limits) -> bool:
    """Whether a number is below its upper limits; other ranges are for nagiosplugin to judge."""
    given = [limit.upper for limit in (limits.warning, limits.critical) if limit is not None]
    return all(upper is not None and measure.value <= upper for upper in given)


def _performance(measure: Measure, limits: Limits) -> str:
    """Performance data as the guidelines have it: ``label=value[UOM];warning;critical;minimum``."""
    warning, critical = _plain(limits.warning), _plain(limits.critical)
    return f"{measure.name}={measure.value}{measure.unit};{warning};{critical};0"


def _plain(limit: Limit | None) -> str:
    """A limit for performance data: an upper one as the plain number that graphs can draw.

    Icinga 2 drops limits that are ranges.
    """
    if limit is None:
        return ""
    return limit.spec[2:] if limit.spec.startswith("~:") else limit.spec
