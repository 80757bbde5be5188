"""What follows from the facts of a job."""

from __future__ import annotations

from pathlib import Path

import pytest
from check_duplicity.jobs.model import Fact, Known, Start
from check_duplicity.nagios.findings import CannotSee, Kind
from check_duplicity.system.user import current

ON, OFF = Start("/c:1", "x"), Start("/c:2", "x", "is commented out")
BK = frozenset(["bk"])


def known(**facts: str) -> Known:
    return Known(
        "web", {key: Fact(value, f"/w:{n}") for n, (key, value) in enumerate(facts.items())}
    )


@pytest.mark.parametrize(
    ("starts", "is_off"), [((), False), ((ON,), False), ((OFF,), True), ((OFF, ON), False)]
)
def test_whether_a_job_is_off(starts: tuple[Start, ...], *, is_off: bool) -> None:
    assert Known("web", {}, starts=starts).is_off is is_off


@pytest.mark.parametrize(
    ("facts", "place"),
    [
        ({}, ""), ({"name": "n"}, ""), ({"encryption": "yes", "options": "x"}, "/w:1"),
        ({"options": "x", "destination": "file:///b"}, "/w:1"), ({"encryption": "no"}, "/w:0"),
    ],
)  # fmt: skip
def test_where_a_backup_is_made(facts: dict[str, str], place: str) -> None:
    assert known(**facts).place == place


def test_simple_facts_of_a_job() -> None:
    assert Start("/u/web.timer", "x").by_timer
    assert not ON.by_timer
    assert (known().get("user"), known().runs_as, known(user="bk").runs_as) == (
        "", current(), "bk",
    )  # fmt: skip
    doubts = ("/c:1: is commented out", "/c:2: other", "/c:3: is commented out")
    assert known()._replace(doubts=doubts).commented_out == (doubts[0], doubts[2])
    assert known(a="1", b="2", c="3").without(["a", "c"]).facts == {"b": Fact("2", "/w:1")}
    assert known().no_destination == (
        "job web has no destination in its file, and none was found elsewhere"
    )


def test_options_of_backups_are_apart() -> None:
    job = known(
        options="--a=1 --full-if-older-than 7D '--b=x y' --skip-if-no-change --c "
        "--full-if-n-inc=3 --full-if-older-than"
    )
    assert job.options == ("--a=1", "--b=x y", "--c")
    assert job.backup_options == {
        "--full-if-older-than": "", "--skip-if-no-change": "", "--full-if-n-inc": "3",
    }  # fmt: skip
    assert known(options="--full-if-older-than 7D --a").backup_options == {
        "--full-if-older-than": "7D"
    }


def test_who_decides_is_added_to_each_fact() -> None:
    job = Known("web", {"user": Fact("a", "/w", frozenset("c")), "name": Fact("n", "/w")})
    decided = job.decided_by(BK)
    assert [fact.by for fact in decided.facts.values()] == [{"bk", "c"}, {"bk"}]
    assert decided.environment_by == {"bk"}
    assert decided.by == {"bk", "c"}
    assert job.by == {"c"}


@pytest.mark.parametrize(
    "key", ["user", "destination", "options", "duplicity", "archive_dir", "name",
            "environment_file"],
)  # fmt: skip
def test_what_runs_is_decided_by_each_of_these_facts(key: str, tmp_path: Path) -> None:
    (tmp_path / "w").touch()
    tmp_path.chmod(0o755)
    (tmp_path / "w").chmod(0o646)
    anybody = frozenset(["any user"])
    facts = {"schedule": Fact("@daily", "/s", BK), key: Fact("x", f"{tmp_path}/w:12", anybody)}
    job = Known("web", facts)
    assert job.by == anybody
    with pytest.raises(CannotSee) as refused:
        job.demand_decided(current())
    assert refused.value.kind is Kind.OTHERS_DECIDE
    reason = f"any user can change {tmp_path}/w, which decides what runs as {current()}"
    assert refused.value.reason == f"{reason}: nothing was run"


def test_who_decides_what_runs_is_named() -> None:
    job = Known(
        "web", {"user": Fact("bk", "crontab -l", BK), "name": Fact("n", "x", frozenset("c"))}
    )
    with pytest.raises(CannotSee) as refused:
        job.demand_decided("bk")
    assert refused.value.reason == "c can change what would run as bk: nothing was run"
    job.without(["name"]).demand_decided("bk")
