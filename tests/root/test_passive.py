"""docs/passive-results.rst, followed to the letter, with real Icinga 2, Nagios and NSCA.

Both servers run on a scratch host, which also sends the results. To cut it off, the tests give the
server's name an unused address. Only the times are shorter than in the page.
"""

from __future__ import annotations

import re
import shlex
import shutil
import socket
import textwrap
import urllib.error
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from host import PATH, Ended, File, Host, U, scratch
from lab import wait_until
from needs import needs_root
from plugin import BIN, ROOT, ageless

from icinga import Api

PROGRAMS = ("icinga2", "nagios4", "nsca", "send_nsca", "curl", "openssl", "duplicity")
MISSING = [name for name in PROGRAMS if not shutil.which(name, path=PATH)]
pytestmark = [
    pytest.mark.root,
    needs_root,
    pytest.mark.skipif(bool(MISSING), reason=f"needs {', '.join(MISSING)}"),
]

PAGE = (ROOT / "docs" / "passive-results.rst").read_text()
PROJECT = "/root/check-duplicity"
HERE, NOWHERE = "127.0.0.1", "127.0.0.9"
API_PORT, NSCA_PORT = 5665, 5667
SERVICES = (
    "duplicity-jobs", "duplicity-freshness-assets", "duplicity-process-assets",
    "duplicity-log-assets", "duplicity-restore-assets",
)  # fmt: skip
OK, WARNING, CRITICAL, UNKNOWN = range(4)
# Icinga has checked a service by itself, since one that depends on it has changed.
REPEATED = re.compile(r"\nRepeated by Icinga. It counts until \d{10}(\.\d+)?$")

# What a result must bring along whole, in the name of a file that duplicity can't read.
NASTY = r"""ä\new \\ ; "it's" $HOME $host.name$ $$ & %s"""
# Without its archive directory, in which a backup of the same second would vouch for the run.
JOB = f"""\
[job]
user = {U}
destination = file:///home/{U}/backups
mail = /home/{U}/backup.log
warning = 32h
critical = 56h
"""
BACKUP = f"""\
mkdir backups source
echo x > source/file
echo x > source/{shlex.quote(NASTY)}
chmod 0 source/{shlex.quote(NASTY)}
duplicity full --no-encryption --archive-dir ~/archive source file:///home/{U}/backups \
  > backup.log 2>&1
"""
# Another host, with its account as it is in icinga/hosts.conf, a service that is asked for, and an
# account for the test.
OF_TEST = """\
object Host "nat2.example.org" {
  import "duplicity-passive"
  vars.duplicity_passive_jobs["assets"] = {}
}
object ApiUser "nat2.example.org" {
  import "duplicity-passive"
}
object Service "disk" {
  host_name = "nat1.example.org"
  check_command = "dummy"
}
object ApiUser "test" {
  password = "test"
  permissions = [ "*" ]
}
"""


class Result(NamedTuple):
    """What a check says, or a server has of it; without ages."""

    state: int
    text: str
    performance: str


def result(state: int, text: str, performance: str) -> Result:
    masked = re.sub(r"\b(age|full_age|history)=\d+", r"\1=", performance)
    return Result(state, ageless(text.rstrip("\n")), masked)


def section(heading: str, part: str) -> list[str]:
    """The literal blocks of a part of a section."""
    text = PAGE.split(f"\n{heading}\n---")[1].split(f"\n{part}\n~~~")[1]
    text = re.split(r"\n[^\n]+\n[~-]{4,}\n", text)[0]
    blocks = re.findall(r"::\n\n((?: {4}[^\n]*\n|\n)+)", text)
    return [textwrap.dedent(block).strip() + "\n" for block in blocks]


class Site:
    """The scratch host, and what its crontab has."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.crontab = ""

    def follow(self, commands: str) -> None:
        """Type commands into root's shell, in a copy of the project; each must succeed."""
        ended = self.host.run("bash", "-ec", commands, cwd=PROJECT)
        assert ended.status == 0, ended

    def server_at(self, address: str) -> None:
        """Let the name of the server lead there."""
        names = f"127.0.0.1 localhost\n{address} master.example.org\n"
        self.host.lay({"/etc/hosts": File(names)})

    def lines(self) -> list[str]:
        """The commands of the crontab, in the order of `SERVICES`."""
        found = re.findall(r"^\*/15 \* \* \* \* root (.*)$", self.crontab, re.M)
        assert len(found) == len(SERVICES)
        return found

    def run(self, line: str) -> Ended:
        """Run a line as cron does: by sh, with the variables of the crontab."""
        (path,) = re.findall(r"^PATH=(.*)$", self.crontab, re.M)
        return self.host.run("sh", "-c", line, environment={"PATH": path, "SHELL": "/bin/sh"})

    def send(self, replaced: tuple[str, str] = ("", "")) -> list[Ended]:
        """Run each line, with a word of it replaced."""
        return [self.run(line.replace(*replaced)) for line in self.lines()]

    def sent(self, *replaced: str) -> None:
        """Run each line; cron would have nothing to mail."""
        word, by = replaced or ("", "")
        assert self.send((word, by)) == [Ended(0, "", "")] * len(SERVICES)

    def expected(self, line: str) -> Result:
        """What the check of a line says to who asks it."""
        said = self.run(line.partition(" --host ")[0])
        first, _, more = said.out.partition("\n")
        status, _, performance = first.partition(" | ")
        return result(said.status, f"{status}\n{more}", performance)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """A host whose job has run once, and could not read a file with a nasty name."""
    project = {
        f"{PROJECT}/{path.relative_to(ROOT)}": File(path.read_text())
        for path in (ROOT / "icinga").rglob("*.c*f*")
    }
    with scratch(project) as host:
        site = Site(host)
        host.lay({"/etc/check-duplicity/jobs.d/assets.ini": File(JOB)})
        host.sh(f"cd; {BACKUP}", user=U)
        host.sh(f"ln -sf {BIN}/check_duplicity_* /usr/lib/nagios/plugins/")
        site.server_at(HERE)
        yield site


# Icinga 2's API.


class Master(Api):
    """Icinga on the scratch host, which got all that the page says."""

    def __init__(self, site: Site, authority: Path, account: str = "test:test") -> None:
        authority.write_text(site.host.sh("cat /var/lib/icinga2/certs/ca.crt"))
        super().__init__(API_PORT, authority, account)
        self.site = site
        self.authority = authority

    def of_host(self) -> Api:
        """The API as the account of the host sees it."""
        return Api(API_PORT, self.authority, f"nat1.example.org:{password_of(self.site)}")

    def result(self, service: str, host: str = "nat1.example.org") -> Result:
        attributes = self.ask("service", f"{host}!{service}")
        last = attributes["last_check_result"] or {"output": "", "performance_data": []}
        performance = " ".join(last["performance_data"] or ())
        said = re.sub(REPEATED, "", last["output"])
        return result(int(attributes["state"]), said, performance)

    def output(self, service: str) -> str:
        """All that Icinga has for a person to read."""
        name = f"nat1.example.org!{service}"
        return str(self.ask("service", name)["last_check_result"]["output"])

    def check_host(self, state: int) -> str:
        """Have the host checked until it surely has a state; return what is said of it."""

        def surely() -> bool:
            self.check("Host", "nat1.example.org")
            found = self.ask("host", "nat1.example.org")
            return (found["state"], found["state_type"]) == (state, 1)

        wait_until(surely)
        return str(self.ask("host", "nat1.example.org")["last_check_result"]["output"])

    def check(self, kind: str, name: str) -> None:
        """Have Icinga make its own check, and wait for it."""
        before = self.ask(kind.lower(), name)["last_check"]
        self.post("actions/reschedule-check", {"type": kind, kind.lower(): name, "force": True})
        wait_until(lambda: self.ask(kind.lower(), name)["last_check"] > before)


def password_of(site: Site) -> str:
    (found,) = re.findall(r'password = "(\w+)"', site.host.sh("cat /etc/icinga2/conf.d/nat1.conf"))
    return str(found)


@pytest.fixture(scope="module")
def master(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Master]:
    host = site.host
    # icinga2 copies its files by a system call that wants all of them on one layer of the overlay.
    host.sh("cd /etc; cp -a icinga2 upper; rm -r icinga2; mv upper icinga2")
    host.lay({"/etc/icinga2/conf.d/test.conf": File(OF_TEST)})
    known, account = section("Icinga 2's API", "On the master")
    # It listens where the name leads, and nowhere else.
    site.follow(
        f"{known}sed -i '/^object ApiListener/a bind_host = \"{HERE}\"'"
        " /etc/icinga2/features-available/api.conf\n"
        "install -d -o nagios -g nagios /run/icinga2 /var/log/icinga2\n"
    )
    site.follow(account)
    master = Master(site, tmp_path_factory.mktemp("authority") / "ca.crt")
    wait_until(master.answers)
    how, line, site.crontab, *_ = section("Icinga 2's API", "On the host")
    host.sh("cp /var/lib/icinga2/certs/ca.crt /etc/check-duplicity/icinga2-ca.crt")
    site.follow(how.replace("PASSWORD", password_of(site)))
    assert site.run(line) == Ended(0, "", "")
    try:
        yield master
    finally:
        site.follow("service icinga2 stop")


def test_icinga_has_what_the_checks_say_whole(site: Site, master: Master) -> None:
    site.sent()
    found = {service: master.result(service) for service in SERVICES}
    assert found == dict(zip(SERVICES, map(site.expected, site.lines())))
    assert found["duplicity-freshness-assets"].state == OK
    assert NASTY in found["duplicity-log-assets"].text
    last = master.ask("service", "nat1.example.org!duplicity-jobs")["last_check_result"]
    assert (last["ttl"], last["check_source"]) == (1800, "nat1.example.org")


def test_icinga_has_what_is_critical_with_what_to_type(site: Site, master: Master) -> None:
    site.host.sh(f"mv ~{U}/backups ~{U}/elsewhere")
    try:
        site.sent()
        found = master.result("duplicity-freshness-assets")
        assert found == site.expected(site.lines()[1])
        assert found.state == CRITICAL
        assert "\n" in found.text
    finally:
        site.host.sh(f"mv ~{U}/elsewhere ~{U}/backups")
    site.sent()
    assert master.result("duplicity-freshness-assets").state == OK


def test_a_host_that_is_cut_off_is_unknown_until_it_is_back(site: Site, master: Master) -> None:
    def unknown(service: str) -> bool:
        found = master.result(service)
        return (
            found.state == UNKNOWN
            and "no result came, and the last one counted until 2" in found.text
        )

    site.sent("--format", "--interval 1 --format")
    site.server_at(NOWHERE)
    try:
        for ended in site.send():
            assert ended.status == 7
            assert ended.err.startswith("curl: (7) ")
        wait_until(lambda: all(map(unknown, SERVICES)))
        said = {service: master.result(service) for service in SERVICES}
        assert master.check_host(state=1) == "no result of any check came in time"
        # Nobody is called for the services, and their next check says the same of the same time.
        for service in SERVICES:
            master.check("Service", f"nat1.example.org!{service}")
            assert not master.ask("service", f"nat1.example.org!{service}")["last_reachable"]
            assert master.result(service) == said[service]
    finally:
        site.server_at(HERE)
    site.sent()
    for service, line in zip(SERVICES, site.lines()):
        assert master.result(service) == site.expected(line)
    assert master.check_host(state=0) == "results come"


def test_what_counts_is_repeated_if_icinga_checks_earlier(site: Site, master: Master) -> None:
    """Somebody wants a check, or a service changes that depends on this one: nothing is lost."""
    site.sent()
    for service, line in zip(SERVICES, site.lines()):
        expected = site.expected(line)
        for _ in range(2):
            master.check("Service", f"nat1.example.org!{service}")
            assert master.result(service) == expected
            assert REPEATED.search(master.output(service))
    site.sent()
    assert not REPEATED.search(master.output("duplicity-jobs"))


def test_what_was_repeated_does_not_count_for_longer(site: Site, master: Master) -> None:
    name = "nat1.example.org!duplicity-log-assets"
    line = site.lines()[SERVICES.index("duplicity-log-assets")]
    site.run(line.replace("--format", "--interval 2 --format"))
    master.check("Service", name)
    assert REPEATED.search(master.output("duplicity-log-assets"))

    def ended() -> bool:
        master.check("Service", name)
        return master.result("duplicity-log-assets").state == UNKNOWN

    wait_until(ended)
    site.sent()


def test_a_service_that_never_got_a_result_is_unknown(master: Master) -> None:
    master.check("Service", "nat2.example.org!duplicity-log-assets")
    found = master.result("duplicity-log-assets", host="nat2.example.org")
    assert found.state == UNKNOWN
    assert "no result has come yet" in found.text


@pytest.mark.parametrize(
    ("word", "by", "error"),
    [
        ("-j assets --host", "-j assets --service duplicity-log-nosuch --host", "error: 500"),
        ("nat1.example.org", "nat2.example.org", "error: 500"),
        ("icinga2.curl", "icinga2.curl --user nat1.example.org:wrong", "error: 401"),
        ("icinga2.curl", "icinga2.curl --cacert /etc/ssl/certs/ca-certificates.crt", "(60)"),
        ("icinga2.curl", "icinga2.curl --connect-to ::localhost:1", "(7)"),
        ("check_duplicity_log", "true", "error: 404"),
    ],
)
def test_what_icinga_does_not_take_is_seen(
    site: Site, master: Master, word: str, by: str, error: str
) -> None:
    line = site.lines()[SERVICES.index("duplicity-log-assets")]
    before = master.result("duplicity-log-assets", host="nat2.example.org")
    ended = site.run(line.replace(word, by))
    assert ended.status
    assert error in ended.err
    assert master.result("duplicity-log-assets", host="nat2.example.org") == before


def test_systemd_sends_the_same(site: Site, master: Master) -> None:
    *_, service, timer = section("Icinga 2's API", "On the host")
    units = "/etc/systemd/system/check-duplicity-passive@"
    site.host.lay({f"{units}.service": File(service), f"{units}.timer": File(timer)})
    if shutil.which("systemd-analyze"):
        for kind in ("service", "timer"):
            ended = site.host.run("systemd-analyze", "verify", f"{units}assets.{kind}")
            assert (ended.status, ended.err) == (0, "")
    (path,) = re.findall(r"^Environment=PATH=(.*)$", service, re.M)
    (started,) = re.findall(r"^ExecStart=((?:.*\\\n)*.*)$", service, re.M)
    words = shlex.split(started.replace("\\\n", "").replace("$$", "$").replace("%i", "assets"))
    begun = master.ask("service", "nat1.example.org!duplicity-log-assets")["last_check"]
    assert site.host.run(*words, environment={"PATH": path}) == Ended(0, "", "")
    for name in SERVICES[1:]:
        assert master.ask("service", f"nat1.example.org!{name}")["last_check"] > begun
    site.server_at(NOWHERE)
    try:
        ended = site.host.run(*words, environment={"PATH": path})
    finally:
        site.server_at(HERE)
    assert (ended.status, ended.err.count("curl: (7) ")) == (1, 4)


def refused(api: Api, path: str, content: dict[str, object] | None = None) -> int:
    """The status of what is refused."""
    try:
        found = api.get(path) if content is None else api.post(path, content)
    except urllib.error.HTTPError as error:
        return error.code
    raise AssertionError(f"not refused: {found}")


def test_the_account_of_a_host_sends_results_of_its_own_services_and_nothing_else(
    master: Master,
) -> None:
    said = {"exit_status": 0, "plugin_output": "forged"}
    action = "actions/process-check-result"
    mine = {"type": "Service", "service": "nat1.example.org!duplicity-log-assets", **said}
    account = master.of_host()
    assert account.post(action, mine)[0]["code"] == 200
    for other in (
        {"type": "Service", "service": "nat2.example.org!duplicity-log-assets"},
        {"type": "Service", "service": "nat1.example.org!disk"},
        {"type": "Service", "filter": 'host.name == "nat2.example.org"'},
        {"type": "Service", "filter": 'service.name == "disk"'},
        {"type": "Host", "host": "nat1.example.org"},
        {"type": "Host", "filter": "true"},
    ):
        assert refused(account, action, {**other, **said}) in (403, 404, 500)
    everything = account.post(action, {"type": "Service", "filter": "true", **said})
    assert len(everything) == len(SERVICES)
    assert all("nat1.example.org!duplicity-" in one["status"] for one in everything)
    for service in SERVICES:
        assert "forged" not in master.result(service, host="nat2.example.org").text
    for path in ("objects/services", "objects/apiusers", "status", "variables", "config/packages"):
        assert refused(account, path) in (403, 404)
    for path in (
        "reschedule-check",
        "acknowledge-problem",
        "schedule-downtime",
        "shutdown-process",
    ):
        assert refused(account, f"actions/{path}", mine) in (403, 404)
    assert refused(account, "console/execute-script?command=1", {}) in (403, 404)


@pytest.mark.parametrize("password", ["", "nat2.example.org", "None"])
def test_an_account_without_a_password_is_closed(master: Master, password: str) -> None:
    account = Api(API_PORT, master.authority, f"nat2.example.org:{password}")
    assert refused(account, "status") == 401


@pytest.mark.parametrize(
    "name",
    ['" || true || "', "*", 'nat1.example.org" || "', "\\", "$host.name$", "a\nb", "{{ 1 }}"],
)
def test_a_name_is_no_part_of_the_filter(site: Site, master: Master, name: str) -> None:
    """Even with an account that may do all, the name finds what has this name: nothing."""
    line = site.lines()[SERVICES.index("duplicity-log-assets")]
    all_powerful = "icinga2.curl --user test:test"
    before = {s: master.ask("service", f"nat1.example.org!{s}")["last_check"] for s in SERVICES}
    for word in ("--host nat1.example.org", "--host"):
        by = (
            f"--service {shlex.quote(name)} --host"
            if word == "--host"
            else f"--host {shlex.quote(name)}"
        )
        ended = site.run(line.replace(word, by).replace("icinga2.curl", all_powerful))
        assert "error: 500" in ended.err
    after = {s: master.ask("service", f"nat1.example.org!{s}")["last_check"] for s in SERVICES}
    assert after == before


def test_only_root_reads_the_password_on_the_host_and_only_icinga_on_the_master(
    site: Site, master: Master
) -> None:
    modes = site.host.sh(
        "stat -c '%U:%G %a' /etc/check-duplicity/icinga2.curl /etc/icinga2/conf.d/nat1.conf"
    )
    assert modes == "root:root 600\nroot:nagios 640\n"
    assert not any(password_of(site) in line for line in site.lines())


# NSCA.


class Nagios:
    """Nagios and nsca on the scratch host."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def result(self, service: str) -> Result:
        """What Nagios has of a service; its file has escapes in the long output."""
        status = self.site.host.sh("cat /var/lib/nagios4/status.dat")
        of_service = re.findall(
            r"^servicestatus \{\n((?:\t.*\n)*)", status, re.M
        )  # a block for each
        (found,) = (
            block
            for block in of_service
            if f"\thost_name=nat1\n\tservice_description={service}\n" in block
        )
        values = dict(re.findall(r"^\t(\w+)=(.*)$", found, re.M))
        long = re.sub(
            r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], values["long_plugin_output"]
        )
        text = f"{values['plugin_output']}\n{long}"
        return result(int(values["current_state"]), text, values["performance_data"])

    def has(self, service: str, expected: Result) -> bool:
        return self.result(service) == expected

    def stale_after(self, seconds: int) -> None:
        """Change for how long a result counts, and let Nagios read that."""
        self.site.host.sh(
            f"sed -i 's/^\\( *freshness_threshold *\\).*/\\1{seconds}/'"
            " /etc/nagios4/conf.d/passive.cfg; kill -HUP $(cat /run/nagios4/nagios4.pid)"
        )


def as_nagios_has_it(said: Result) -> Result:
    """Nagios makes a colon of each semicolon in the first line."""
    first, newline, more = said.text.partition("\n")
    return said._replace(text=first.replace(";", ":") + newline + more)


def listens(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex((HERE, port)) == 0


@pytest.fixture(scope="module")
def nagios(site: Site) -> Iterator[Nagios]:
    services, settings = section("NSCA", "On the server")
    account, line, site.crontab = section("NSCA", "On the host that sends")
    site.host.sh(
        "install -d -o nagios -g nagios /run/nagios /run/nagios4 /var/log/nagios4;"
        "sed -i -e 's/^status_update_interval=.*/status_update_interval=1/'"
        " -e 's/^check_result_reaper_frequency=.*/check_result_reaper_frequency=1/'"
        " -e 's/^service_freshness_check_interval=.*/service_freshness_check_interval=1/'"
        " -e 's/^additional_freshness_latency=.*/additional_freshness_latency=0/'"
        " -e 's!^lock_file=.*!lock_file=/run/nagios4/nagios4.pid!'"
        " -e 's/^use_syslog=1/use_syslog=0/' /etc/nagios4/nagios.cfg"
    )
    site.follow(services)
    site.follow(settings.replace("PASSWORD", "geheim"))
    site.follow(account.replace("PASSWORD", "geheim"))
    site.host.sh(f"echo server_address={HERE} >> /etc/nsca.cfg")
    site.host.sh("nagios4 -d /etc/nagios4/nagios.cfg; nsca --daemon -c /etc/nsca.cfg")
    nagios = Nagios(site)
    wait_until(lambda: listens(NSCA_PORT))
    wait_until(lambda: site.host.run("test", "-p", "/var/lib/nagios4/rw/nagios.cmd").status == 0)
    wait_until(lambda: site.host.run("test", "-e", "/var/lib/nagios4/status.dat").status == 0)
    said = site.run(line.replace("| send_nsca", "| /usr/sbin/send_nsca"))
    assert said == Ended(0, "1 data packet(s) sent to host successfully.\n", "")
    try:
        yield nagios
    finally:
        site.host.sh("kill $(cat /run/nagios/nsca.pid /run/nagios4/nagios4.pid)")


def test_nagios_has_what_the_checks_say_whole(site: Site, nagios: Nagios) -> None:
    site.sent()
    for service, line in zip(SERVICES, site.lines()):
        expected = as_nagios_has_it(site.expected(line))
        wait_until(lambda s=service, e=expected: nagios.has(s, e))
    assert NASTY in nagios.result("duplicity-log-assets").text


def test_nagios_has_several_results_that_come_at_once(site: Site, nagios: Nagios) -> None:
    site.host.sh(f"mv ~{U}/backups ~{U}/elsewhere")
    try:
        checks = [line.partition("|")[0] for line in site.lines()]
        _, _, send = site.lines()[0].partition("|")
        assert site.run(f"{{ {';'.join(checks)}; }} | {send}") == Ended(0, "", "")
        for service, line in zip(SERVICES, site.lines()):
            expected = as_nagios_has_it(site.expected(line))
            wait_until(lambda s=service, e=expected: nagios.has(s, e))
        assert nagios.result("duplicity-freshness-assets").state == CRITICAL
    finally:
        site.host.sh(f"mv ~{U}/elsewhere ~{U}/backups")


def test_nagios_knows_when_no_result_comes(site: Site, nagios: Nagios) -> None:
    def unknown(service: str) -> bool:
        found = nagios.result(service)
        return found.state == UNKNOWN and "no result came for 30 minutes" in found.text

    site.sent()
    site.server_at(NOWHERE)
    try:
        for ended in site.send():
            assert ended.status == 2
            assert ended.out + ended.err
        nagios.stale_after(1)
        wait_until(lambda: all(map(unknown, SERVICES)))
    finally:
        site.server_at(HERE)
        nagios.stale_after(1800)
    wait_until(lambda: site.host.run("test", "-p", "/var/lib/nagios4/rw/nagios.cmd").status == 0)
    site.sent()
    for service, line in zip(SERVICES, site.lines()):
        expected = as_nagios_has_it(site.expected(line))
        wait_until(lambda s=service, e=expected: nagios.has(s, e))
