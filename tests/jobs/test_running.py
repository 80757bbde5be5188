"""Which command runs a job again, and as which user."""

from __future__ import annotations

import pytest
from check_duplicity.jobs import running
from check_duplicity.jobs.deciding import account
from check_duplicity.jobs.model import Fact, Known
from check_duplicity.jobs.scripts import Script
from check_duplicity.jobs.search import Search

D = "duplicity / file:///b"


@pytest.mark.parametrize(
    ("line", "starter", "owner", "again", "by"),
    [
        (D, "root", "root", D, "root"),
        (f"{D} >> /l/b.log 2>&1", "daemon", "daemon", D, "daemon"),
        (f"sudo -u daemon {D}", "root", "daemon", D, "daemon"),
        (f"sudo -u daemon {D} >> /l/b.log", "root", "daemon", D, "daemon"),
        ("sudo -u daemon duplicity / $(cat /url)", "root", "daemon", "", "daemon"),
        # Nobody but root becomes another user without being asked, as far as can be seen here.
        (f"sudo -u bin {D}", "daemon", "bin", "", "daemon"),
        (f"sudo -u bin true; {D}", "daemon", "daemon", "", "daemon"),
        # Two parts of the same user: the whole line.
        (f"sudo -u daemon true; sudo -u daemon {D}", "root", "daemon",
         f"sudo -u daemon true; sudo -u daemon {D}", "root"),
        # A part of yet another user is no part of this job.
        (f"sudo -u bin true; sudo -u daemon {D}", "root", "daemon", D, "daemon"),
        (f"sudo -u root {D}", "root", "root", f"sudo -u root {D}", "root"),
    ],
)  # fmt: skip
def test_what_is_run_again_and_by_whom(
    line: str, starter: str, owner: str, again: str, by: str
) -> None:
    script = Script(line, "/c:1", account(starter), ("/c",))
    known = Known("web", {"user": Fact(owner, "/c:1")})
    fact, user = running.to_run(Search(""), script, known, Fact(starter, "/c:1"))
    assert (fact.value, user) == (again, by)
