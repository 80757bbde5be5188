"""Draw the dashboard with its own queries: PYTHONPATH=tests python prometheus/picture.py FILE.png.

The program writes a month of an invented host as the checks would, loads it into a real Prometheus,
runs the queries of dashboard.json, and draws the results with matplotlib. So the picture isn't a
screenshot of Grafana.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import matplotlib as mpl
from check_duplicity.formats.form import text
from check_duplicity.formats.model import Form
from check_duplicity.nagios.answer import Answer
from check_duplicity.nagios.evaluation import evaluate
from check_duplicity.nagios.findings import Finding, Kind, State
from check_duplicity.nagios.limits import age_limit
from check_duplicity.nagios.measures import Bounded, Limits, Measure
from prometheus_server import DASHBOARD, Prometheus, promtool, serving

mpl.use("Agg")
from matplotlib import dates
from matplotlib import pyplot as plt

HOST = "web1.example.org"
END = datetime(2026, 11, 29, 9, tzinfo=timezone.utc)
BEGIN = END - timedelta(days=28)
STEP = timedelta(minutes=30)
DIED = END - timedelta(hours=3)  # the timer of the second job
BROKEN = range(17, 20)  # days on which the first job's destination was full
COLORS = ("tab:green", "tab:orange", "tab:red", "tab:purple")
UNITS: dict[str, tuple[float, str]] = {
    "s": (3600, "h"), "bytes": (2**30, "GiB"), "percentunit": (0.01, "%"), "short": (1, ""),
}  # fmt: skip
AGE = Limits(age_limit("32h"), age_limit("56h"))
DRILL = Limits(age_limit("8d"), age_limit("15d"))


class Backup:
    """An invented job: it runs at 2:00 each night, and makes a full backup every few days."""

    def __init__(self, name: str, days: int, gigabytes: float, broken: range = range(0)) -> None:
        self.name = name
        self.days = days
        self.bytes = gigabytes * 2**30
        self.broken = broken

    def answers(self, now: datetime) -> Iterator[Answer]:
        """Yield the answers of a job's four checks."""
        nights = range(-20, (now - BEGIN).days + 2)
        begun = [(n, BEGIN.replace(hour=2) + timedelta(days=n)) for n in nights]
        begun = [(n, made) for n, made in begun if made <= now]
        good = [(n, made) for n, made in begun if n not in self.broken]
        fulls = [(n, made) for n, made in good if n % self.days == 0]
        since = [n for n, made in good if made >= fulls[-1][1]]
        yield self.freshness(now, good[-1][1], fulls, len(since))
        yield self.process(now, begun[-1][1])
        yield self.log(now, *begun[-1], is_full=begun[-1][0] % self.days == 0)
        yield self.restore(now, fulls[-1][1], len(since))

    def freshness(
        self, now: datetime, newest: datetime, fulls: list[tuple[int, datetime]], length: int
    ) -> Answer:
        """Return the answer about the destination; ``length`` is the newest chain's."""
        kept = fulls[-3:]
        ages = {"age": newest, "full_age": fulls[-1][1], "history": kept[0][1]}
        numbers = {name: int((now - made).total_seconds()) for name, made in ages.items()}
        counts = {
            "chain_length": length, "fulls": len(kept), "files": int(self.bytes / 50_000),
            "orphaned": 0, "incomplete": int(length == 1 and now.hour < 3), "missing_volumes": 0,
        }  # fmt: skip
        measures = [Measure(n, v, "s", n, Kind.STALE) for n, v in numbers.items()]
        measures += [Measure(name, value) for name, value in counts.items()]
        return self.answer("FRESHNESS", now, measures, (), {"age": AGE})

    def process(self, now: datetime, begun: datetime) -> Answer:
        """Return the answer about the running backup; a larger backup runs longer."""
        elapsed = int((now - begun).total_seconds())
        running = elapsed <= self.bytes / 2**24
        measures = [Measure("processes", int(running)), Measure("elapsed", elapsed, "s")]
        return self.answer("PROCESS", now, measures, ())

    def log(self, now: datetime, night: int, begun: datetime, is_full: bool) -> Answer:
        """Return the answer about the newest run."""
        size = self.bytes * (1 + night / 200 + (night * 7 % 5) / 100)
        change = 1.0 if is_full else 0.02 + (night * 5 % 7) / 200
        numbers = {"source_size": size, "backup_size": size * change}
        failed = night in self.broken
        measures = [Measure(name, int(value), "B") for name, value in numbers.items()]
        measures += [Measure("duration", int(600 + size * change / 2**23), "s")]
        measures += [Measure("failed", int(failed)), Measure("errors", int(night % 11 == 0))]
        found = [Finding(Kind.NO_SPACE, State.CRITICAL, "no space")] if failed else []
        if night % 11 == 0:
            found.append(Finding(Kind.SKIPPED, State.WARNING, "a file was skipped"))
        return self.answer("LOG", now, measures, found)

    def restore(self, now: datetime, full: datetime, length: int) -> Answer:
        """Return the answer about the drills, which are made on Mondays."""
        monday = (now - timedelta(days=now.weekday())).replace(hour=4, minute=0)
        drill = monday if monday <= now else monday - timedelta(days=7)
        proved = 0 if full > drill else min(100, 15 * (now - full).days + 100 // length)
        age = Measure("age", int((now - drill).total_seconds()), "s", "drill", Kind.DRILL_STALE)
        measures = [age, Measure("proved", proved, "%")]
        return self.answer("RESTORE", now, measures, (), {"age": DRILL})

    def answer(
        self,
        check: str,
        now: datetime,
        measures: list[Measure],
        found: tuple[Finding, ...] | list[Finding],
        limits: dict[str, Limits] | None = None,
    ) -> Answer:
        """Return an answer with the state that the real evaluation gives it."""
        state, said, bounded, findings = evaluate(measures, found, limits or {})
        return Answer(f"DUPLICITY {check}", state, said, now, bounded, findings)


def host(now: datetime) -> Answer:
    """Return the answer of check_duplicity_jobs: there is a new job since yesterday."""
    new = now > END - timedelta(days=1)
    jobs = (Measure("jobs", 2 + new), Measure("unmonitored", int(new)), Measure("not_started", 0))
    found = (Finding(Kind.NOT_MONITORED, State.WARNING, "new", "mail"),) if new else ()
    bounded: tuple[Bounded, ...] = tuple((measure, Limits()) for measure in jobs)
    return Answer("DUPLICITY JOBS", State(int(new)), "", now, bounded, found)


def month() -> Iterator[str]:
    """Yield lines of OpenMetrics with times, as scraped from the host."""
    backups = (Backup("assets", 7, 40, BROKEN), Backup("db", 14, 12))
    now = BEGIN
    while now <= END:
        for backup in backups:
            # When a check is dead, Prometheus scrapes its last file again and again.
            looked = min(now, DIED) if backup.name == "db" else now
            for answer in backup.answers(looked):
                yield from scraped(answer, backup.name, now)
        yield from scraped(host(now), "", now)
        now += STEP
    yield "# EOF"


def scraped(answer: Answer, backup: str, now: datetime) -> Iterator[str]:
    """Yield the lines of one check, with the labels of the host and the time."""
    form = Form("openmetrics", backup, HOST, "", STEP.total_seconds())
    for line in text(answer, form).splitlines():
        if not line.startswith("#"):
            labels, _, value = line.rpartition(" ")
            labels = labels.replace("{", f'{{instance="{HOST}",job="node",', 1)
            yield f"{labels} {value} {int(now.timestamp())}"


Curve = tuple[str, list[datetime], list[float]]


def curves(server: Prometheus, panel: dict[str, Any]) -> Iterator[Curve]:
    """Yield the results of a panel's queries: name, times, values."""
    for target in panel["targets"]:
        query = target["expr"].replace("$instance", ".*").replace("$backup", ".*")
        times = {"start": str(BEGIN.timestamp()), "end": str(END.timestamp()), "step": "30m"}
        if target["instant"]:
            found = server.get("query", query=query, time=times["end"])["result"]
            series = [(s["metric"], [s["value"]]) for s in found]
        else:
            found = server.get("query_range", query=query, **times)["result"]
            series = [(s["metric"], s["values"]) for s in found]
        assert series, query
        for metric, values in series:
            when = [datetime.fromtimestamp(float(t), timezone.utc) for t, _ in values]
            yield legend(target["legendFormat"], metric), when, [float(v) for _, v in values]


def legend(form: str, metric: dict[str, str]) -> str:
    """Return a curve's name as Grafana makes it, but without the only host."""
    if not form:
        form = "{{backup}}: {{kind}} ({{check}}, {{state}})"
    name = re.sub(r"{{(\w+)}}", lambda m: metric.get(m[1], ""), form.replace("{{instance}}", ""))
    return name.strip()


def draw(axes: Any, panel: dict[str, Any], found: list[Curve]) -> None:
    """Draw one panel according to its kind."""
    axes.set_title(panel["title"], loc="left", fontsize=9, fontweight="bold")
    WAYS[panel["type"]](axes, panel, found)
    axes.tick_params(labelsize=7)


def draw_states(axes: Any, panel: dict[str, Any], found: list[Curve]) -> None:
    """Draw a line for each check, in the colours of its states."""
    for row, (_, when, values) in enumerate(found):
        for state, color in enumerate(COLORS):
            spans = [(dates.date2num(t), STEP / timedelta(days=1))
                     for t, value in zip(when, values) if value == state]  # fmt: skip
            axes.broken_barh(spans, (row + 0.1, 0.8), color=color)
    axes.set_yticks([row + 0.5 for row in range(len(found))], [name for name, _, _ in found])
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter(dates.DateFormatter("%d %b"))


def draw_bars(axes: Any, panel: dict[str, Any], found: list[Curve]) -> None:
    """Draw a bar for each last value, in the colour of its step."""
    scale, unit = UNITS[panel["fieldConfig"]["defaults"]["unit"]]
    steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    colors = [[s["color"] for s in steps if (s["value"] or 0) <= values[-1]][-1]
              for _, _, values in found]  # fmt: skip
    numbers = [values[-1] / scale for _, _, values in found]
    bars = axes.barh([name for name, _, _ in found], numbers, color=[f"tab:{c}" for c in colors])
    axes.bar_label(bars, [f" {number:.1f} {unit}" for number in numbers], fontsize=7)
    axes.set_xlim(0, max([*numbers, 1]) * 1.2)
    axes.invert_yaxis()


def draw_curves(axes: Any, panel: dict[str, Any], found: list[Curve]) -> None:
    """Draw the values over time, with gaps where nothing was scraped."""
    defaults = panel["fieldConfig"]["defaults"]
    scale, unit = UNITS[defaults["unit"]]
    style = "steps-post" if "lineInterpolation" in defaults["custom"] else "default"
    for name, when, values in found:
        dashed = "--" if "limit" in name else "-"
        points: list[tuple[datetime, float]] = []
        for t, value in zip(when, values):
            if points and t - points[-1][0] > STEP:
                points.append((points[-1][0] + STEP, float("nan")))
            points.append((t, value / scale))
        axes.plot(*zip(*points), dashed, drawstyle=style, label=name, linewidth=1)
    axes.set_ylim(bottom=0)
    axes.set_ylabel(unit, fontsize=7)
    axes.legend(fontsize=6, loc="upper left", ncols=2)
    axes.xaxis.set_major_formatter(dates.DateFormatter("%d %b"))


def draw_words(axes: Any, panel: dict[str, Any], found: list[Curve]) -> None:
    """Write the current findings."""
    says_number = panel["type"] == "stat"
    lines = [f"{name}: {values[-1]:.0f}" if says_number else name for name, _, values in found]
    axes.text(0.02, 0.9, "\n".join(sorted(lines)), fontsize=9, va="top", transform=axes.transAxes)
    axes.set_xticks([]), axes.set_yticks([])


WAYS: dict[str, Callable[[Any, dict[str, Any], list[Curve]], None]] = {
    "state-timeline": draw_states, "bargauge": draw_bars, "timeseries": draw_curves,
    "table": draw_words, "stat": draw_words,
}  # fmt: skip


def picture(server: Prometheus, path: str) -> None:
    """Draw all panels where the dashboard has them."""
    panels = json.loads(DASHBOARD.read_text())["panels"]
    rows = max(p["gridPos"]["y"] + p["gridPos"]["h"] for p in panels)
    figure = plt.figure(figsize=(15, rows / 3), dpi=80)
    for panel in panels:
        place = panel["gridPos"]
        left, top = place["x"] / 24 + 0.075, 1 - place["y"] / rows - 0.015
        width, height = place["w"] / 24 - 0.09, place["h"] / rows - 0.035
        draw(figure.add_axes((left, top - height, width, height)), panel, [*curves(server, panel)])
    figure.savefig(path)


def main(path: str) -> None:
    """Fill a Prometheus, and draw its answers into a file."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "month").write_text("\n".join(month()) + "\n")
        words = ("tsdb", "create-blocks-from", "openmetrics", directory / "month")
        status, said = promtool(*words, directory / "tsdb")
        assert status == 0, said
        options = "--storage.tsdb.retention.time=100y", "--query.lookback-delta=29m"
        with serving(directory, "", *options) as server:
            picture(server, path)


if __name__ == "__main__":
    main(sys.argv[1])
