"""Let nagiosplugin judge numbers by their ranges, and find the worst state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import nagiosplugin

from check_duplicity.nagios.findings import Finding, Kind, State
from check_duplicity.nagios.measures import Limits, Measure, said_of

_NAGIOS_STATES = {
    State.OK: nagiosplugin.Ok,
    State.WARNING: nagiosplugin.Warn,
    State.CRITICAL: nagiosplugin.Critical,
    State.UNKNOWN: nagiosplugin.Unknown,
}
_TOLD = 2  # findings in the summary
_IMPORTANCE = {kind: rank for rank, kind in enumerate(Kind)}


def judge(
    measures: Sequence[tuple[Measure, Limits]], found: Sequence[Finding]
) -> tuple[State, str, tuple[Finding, ...]]:
    """Return the state, the summary, and all findings, also on numbers outside their limits."""
    contexts = [_MeasureContext(measure.name, limits) for measure, limits in measures]
    probe = _Probe([measure for measure, _ in measures], found)
    check = nagiosplugin.Check(probe, _FindingContext("finding"), *contexts, _Summary())
    check()
    return State(check.exitcode), check.summary_str, tuple(_findings(check.results))


class _Probe(nagiosplugin.Resource):
    def __init__(self, measures: Sequence[Measure], found: Sequence[Finding]) -> None:
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
                finding = Finding(measure.kind, min(state, self.limits.worst), text, measure.job)
                return nagiosplugin.Result(_NAGIOS_STATES[finding.state], finding, metric)
        return nagiosplugin.Result(nagiosplugin.Ok, None, metric)


class _FindingContext(nagiosplugin.Context):
    def evaluate(self, metric: nagiosplugin.Metric, resource: object) -> nagiosplugin.Result:
        return nagiosplugin.Result(_NAGIOS_STATES[metric.value.state], metric.value, metric)


class _Summary(nagiosplugin.Summary):
    def ok(self, results: nagiosplugin.Results) -> str:
        return said_of(result.metric.value for result in results)

    def problem(self, results: nagiosplugin.Results) -> str:
        found = _findings(results)
        more = f" (and {len(found) - _TOLD} more)" if len(found) > _TOLD else ""
        return "; ".join(finding.text for finding in found[:_TOLD]) + more


def _findings(results: Iterable[nagiosplugin.Result]) -> list[Finding]:
    """Return the findings, the worst first, and of equal states the most telling first."""
    found = [result.hint for result in results if result.hint]
    return sorted(found, key=lambda finding: (-finding.state, _IMPORTANCE[finding.kind]))
