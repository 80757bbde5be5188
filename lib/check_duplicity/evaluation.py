"""Let nagiosplugin judge the numbers by their limits and find the state of it all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import nagiosplugin

from check_duplicity.findings import Finding, Kind, Measure, State
from check_duplicity.limits import Limit

_NAGIOS_STATES = {
    State.OK: nagiosplugin.Ok,
    State.WARNING: nagiosplugin.Warn,
    State.CRITICAL: nagiosplugin.Critical,
    State.UNKNOWN: nagiosplugin.Unknown,
}
_IMPORTANCE = {kind: rank for rank, kind in enumerate(Kind)}


@dataclass(frozen=True)
class Limits:
    """The limits of one measure; without one it is always good, and never worse than ``worst``."""

    warning: Limit | None = None
    critical: Limit | None = None
    worst: State = State.CRITICAL


@dataclass(frozen=True)
class Evaluation:
    """State, summary and performance data of a check, and its findings, the worst first."""

    state: State
    summary: str
    performance: str
    findings: tuple[Finding, ...]


def evaluate(
    measures: Iterable[Measure], found: Iterable[Finding], limits: Mapping[str, Limits]
) -> Evaluation:
    """Judge measures by their limits (by the measure's name), and join the findings to them."""
    probe = _Probe(tuple(measures), tuple(found))
    contexts = [_MeasureContext(m.name, limits.get(m.name, Limits())) for m in probe.measures]
    check = nagiosplugin.Check(probe, _FindingContext("finding"), *contexts, _Summary())
    check()
    return Evaluation(
        State(check.exitcode),
        check.summary_str,
        " ".join(check.perfdata),
        tuple(_findings(check.results)),
    )


class _Probe(nagiosplugin.Resource):
    def __init__(self, measures: tuple[Measure, ...], found: tuple[Finding, ...]) -> None:
        self.measures, self.found = measures, found

    def probe(self) -> Iterator[nagiosplugin.Metric]:
        for measure in self.measures:
            yield nagiosplugin.Metric(measure.name, measure, context=measure.name)
        for finding in self.found:
            yield nagiosplugin.Metric(finding.kind.value, finding, context="finding")


class _MeasureContext(nagiosplugin.Context):
    def __init__(self, name: str, limits: Limits) -> None:
        super().__init__(name)
        self.limits = limits

    def evaluate(self, metric: nagiosplugin.Metric, resource: object) -> nagiosplugin.Result:
        measure: Measure = metric.value
        for state, limit in (
            (State.CRITICAL, self.limits.critical),
            (State.WARNING, self.limits.warning),
        ):
            if limit is not None and not nagiosplugin.Range(limit.spec).match(measure.value):
                assert measure.kind is not None
                text = f"{measure.text} (limit {limit.text})"
                finding = Finding(measure.kind, min(state, self.limits.worst), text)
                return nagiosplugin.Result(_NAGIOS_STATES[finding.state], finding, metric)
        return nagiosplugin.Result(nagiosplugin.Ok, None, metric)

    def performance(
        self, metric: nagiosplugin.Metric, resource: object
    ) -> nagiosplugin.Performance:
        measure: Measure = metric.value
        warning, critical = _plain(self.limits.warning), _plain(self.limits.critical)
        return nagiosplugin.Performance(
            measure.name, measure.value, measure.unit, warning, critical, 0
        )


class _FindingContext(nagiosplugin.Context):
    def evaluate(self, metric: nagiosplugin.Metric, resource: object) -> nagiosplugin.Result:
        return nagiosplugin.Result(_NAGIOS_STATES[metric.value.state], metric.value, metric)


class _Summary(nagiosplugin.Summary):
    def ok(self, results: nagiosplugin.Results) -> str:
        measures = (result.metric.value for result in results)
        said = (m.text if m.said is None else m.said for m in measures)
        return ", ".join(filter(None, said))

    def problem(self, results: nagiosplugin.Results) -> str:
        worst, *others = _findings(results)
        return worst.text + (f" (and {len(others)} more)" if others else "")


def _findings(results: Iterable[nagiosplugin.Result]) -> list[Finding]:
    """The findings, the worst first, and of equal ones the most telling."""
    found = [result.hint for result in results if result.hint]
    return sorted(found, key=lambda finding: (-finding.state, _IMPORTANCE[finding.kind]))


def _plain(limit: Limit | None) -> str:
    """A limit for performance data: an upper one as the plain number that graphs can draw.

    Icinga 2 drops limits that are ranges.
    """
    if limit is None:
        return ""
    return limit.spec[2:] if limit.spec.startswith("~:") else limit.spec
