"""Results of a host that can't be asked, by docs/passive-results.rst: Icinga 2, NSCA, Nagios.

The host is a scratch one, which follows the page to the letter, but for ports and how often. It is
cut off by its own /etc/hosts: the monitoring's name leads nowhere then. ``.ci/run`` runs these.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import tempfile
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from host import Ended, File, Host, scratch
from lab import wait_until
from plugin import BIN, ROOT

from icinga import ICINGA, Node

MASTER, SENDER = "master.example.org", "nat1.example.org"
WANTED = ("/usr/bin/duplicity", "/usr/bin/curl", "/usr/sbin/nsca", "/usr/sbin/send_nsca",
          "/usr/sbin/nagios4", str(ICINGA))  # fmt: skip
MISSING = [path for path in WANTED if not Path(path).exists()]
PAGE = (ROOT / "docs" / "passive-results.rst").read_text()
SCRIPT = "/usr/local/sbin/send-duplicity-results"
OK, WARNING, CRITICAL, UNKNOWN = range(4)

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root: a host of its own, Icinga, Nagios"),
    pytest.mark.skipif(bool(MISSING), reason=f"not here: {', '.join(MISSING)}"),
]


def blocks(part: str) -> list[str]:
    """The literal blocks of one of the two parts of the page, in their order."""
    text = re.split(r"\n[^\n]+\n-{4,}\n", PAGE.split(f"\n{part}\n---")[1])[0]
    found = re.findall(r"::\n\n((?: {4}[^\n]*\n|\n)+)", text)
    return [textwrap.dedent(block).strip() + "\n" for block in found]


def block(part: str, *words: str) -> str:
    """The one block that has all of these words."""
    (found,) = [text for text in blocks(part) if all(word in text for word in words)]
    return found


@pytest.fixture
def sender() -> Iterator[Host]:
    """A host with a job and a good backup, and the plugins where Debian's package has them."""
    with scratch() as host:
        host.lay({
            "/etc/check-duplicity/jobs.d/assets.ini": File(
                "[job]\nuser = root\nscript = /usr/local/bin/assets\nname = assets\n"
                "destination = file:///srv/assets\n"
                "archive_dir = /var/cache/assets\nmail = /var/log/assets.log\n"
            ),
            "/etc/cron.d/assets": File("0 2 * * * root /usr/local/bin/assets\n"),
            "/usr/local/bin/assets": File(BACKUP, mode=0o755),
        })  # fmt: skip
        host.sh("mkdir -p /srv/assets /srv/data; echo 1 > /srv/data/file; /usr/local/bin/assets")
        host.start_cron()
        for path in BIN.glob("*duplicity_*"):
            host.sh(f"ln -sf {path} /usr/lib/nagios/plugins/")
        connect(host)
        yield host


BACKUP = """\
#!/bin/sh
duplicity full --no-encryption --archive-dir /var/cache/assets --name assets /srv/data \\
  file:///srv/assets > /var/log/assets.log 2>&1
"""


def connect(host: Host, address: str = "127.0.0.1") -> None:
    """Let the name of the monitoring lead somewhere."""
    host.lay({"/etc/hosts": File(f"127.0.0.1 localhost\n{address} {MASTER}\n")})


def cut_off(host: Host) -> None:
    """Let it lead to where nobody listens."""
    connect(host, "127.6.6.6")


class TestIcinga:
    """By the API."""

    PART = "Icinga 2's API"

    @pytest.fixture
    def master(self) -> Iterator[Node]:
        with tempfile.TemporaryDirectory(prefix="passive-") as name:
            directory = Path(name)
            directory.chmod(0o755)
            node = Node(directory, MASTER)
            for line in block(self.PART, "cp icinga/passive.conf").splitlines():
                shutil.copy(ROOT / line.split()[1], directory / Path(line.split()[2]).name)
            (directory / "host.conf").write_text(
                block(self.PART, "object ApiUser").replace("a long random word", "secret word")
                # Nothing of this host is for its account.
                + 'object Service "other" {\n  host_name = "nat1.example.org"\n'
                '  check_command = "dummy"\n}\n'
            )
            node.configure(
                f'object Endpoint "{MASTER}" {{}}\n'
                f'object Zone "{MASTER}" {{ endpoints = [ "{MASTER}" ] }}\n'
                'object CheckerComponent "checker" {}\nobject IcingaApplication "app" {}\n'
                + "".join(f'include "{path}"\n' for path in sorted(directory.glob("*.conf")))
            )
            checked = node.validate()
            assert checked.returncode == 0, checked.stdout
            with node.running():
                yield node

    def prepare(self, host: Host, master: Node) -> Callable[..., Ended]:
        """Do what the page says for the host; return how its script is run."""
        authority = (master.data / "certs" / "ca.crt").read_text()
        host.lay({"/etc/check-duplicity/icinga-ca.crt": File(authority)})
        host.sh(block(self.PART, "icinga.netrc <<").replace("a long random word", "secret word"))
        script = block(self.PART, "#!/bin/bash").replace(":5665", f":{master.port}")
        script = script.replace("--format icinga2", "--format icinga2 --interval 5s")
        host.lay({SCRIPT: File(script, mode=0o755)})
        return lambda: host.run(SCRIPT)

    def test_each_check_of_a_job_arrives(self, sender: Host, master: Node) -> None:
        assert self.prepare(sender, master)() == Ended(0, "", "")
        names = ["jobs", "freshness-assets", "process-assets", "log-assets", "restore-assets"]
        states = {name: self.ask(master, name)["state"] for name in names}
        # No drill was ever made.
        assert states == {**dict.fromkeys(names, OK), "restore-assets": UNKNOWN}
        result = self.ask(master, "freshness-assets")["last_check_result"]
        assert result["output"].startswith("DUPLICITY FRESHNESS OK - last backup ")
        assert "|" not in result["output"]
        assert any(datum.startswith("age=") for datum in result["performance_data"])
        assert (result["active"], result["ttl"]) == (False, 10)

    def test_one_by_hand_as_the_page_has_it(self, sender: Host, master: Node) -> None:
        self.prepare(sender, master)
        by_hand = next(text for text in blocks(self.PART) if text.startswith("/usr/lib/nagios"))
        by_hand = by_hand.replace(":5665", f":{master.port}")
        sender.sh("rm /srv/assets/*.difftar.gz")
        assert sender.run("bash", "-o", "pipefail", "-c", by_hand) == Ended(2, "", "")
        found = self.ask(master, "freshness-assets")
        first, _, advice = found["last_check_result"]["output"].partition("\n")
        assert found["state"] == CRITICAL
        assert re.search(r" lacks (volume 1 of 1|its volume)", first), first
        assert "duplicity full --no-encryption SOURCE" in advice

    def test_cut_off_it_becomes_unknown_and_is_right_again_after(
        self, sender: Host, master: Node
    ) -> None:
        send = self.prepare(sender, master)
        assert send() == Ended(0, "", "")
        cut_off(sender)
        failed = send()
        assert failed.out == ""
        assert len(re.findall(r"curl: \(7\) Failed to connect", failed.err)) == 5
        wait_until(lambda: self.ask(master, "freshness-assets")["state"] == UNKNOWN, 60)
        said = self.ask(master, "freshness-assets")["last_check_result"]["output"]
        assert re.match(r"UNKNOWN - no result came since [\d-]+ [\d:]+ ", said)
        connect(sender)
        assert send() == Ended(0, "", "")
        assert self.ask(master, "freshness-assets")["state"] == OK

    def test_its_account_can_do_nothing_else(self, sender: Host, master: Node) -> None:
        send = self.prepare(sender, master)
        script = sender.sh(f"cat {SCRIPT}")
        for wrong, number in (
            (script.replace("--host nat1", "--host nat2"), 500),
            (script.replace("--interval", "--service other --interval"), 500),
            (script.replace("--interval", """--service '" || true || "' --interval"""), 500),
            (script.replace("process-check-result", "reschedule-check"), 404),
            (script.replace("/v1/actions/process-check-result", "/v1/objects/services"), 404),
        ):
            sender.lay({SCRIPT: File(wrong, mode=0o755)})
            assert f"curl: (22) The requested URL returned error: {number}" in send().err
        assert self.ask(master, "freshness-assets")["last_check_result"] is None
        sender.sh("sed -i 's/secret word/guessed/' /etc/check-duplicity/icinga.netrc")
        sender.lay({SCRIPT: File(script, mode=0o755)})
        assert "curl: (22) The requested URL returned error: 401" in send().err

    def ask(self, master: Node, service: str) -> dict[str, Any]:
        return master.ask("service", f"{SENDER}!duplicity-{service}")


class TestNsca:
    """By NSCA, to Nagios."""

    PART = "NSCA and Nagios"
    STATUS = "/var/lib/nagios4/status.dat"

    @pytest.fixture
    def nagios(self) -> Iterator[Host]:
        with scratch() as host:
            self.port = free_port()
            copy = block(self.PART, "cp icinga/nagios/*.cfg")
            host.sh(
                f"cd {ROOT}\n{copy.splitlines()[0]}\n"
                "sed -i -e 's/^status_update_interval=.*/status_update_interval=1/'"
                " -e 's/^check_result_reaper_frequency=.*/check_result_reaper_frequency=1/'"
                " -e 's/^service_freshness_check_interval=.*/service_freshness_check_interval=1/'"
                " -e 's/^use_syslog=1/use_syslog=0/'"
                # Of Debian's own examples, some of which have the same names, there is nothing.
                " -e '/^cfg_file=/d' -e '/^cfg_dir=.*plugins/d' /etc/nagios4/nagios.cfg\n"
                "sed -i 's/freshness_threshold .*/freshness_threshold 20/'"
                " /etc/nagios4/conf.d/passive.cfg\n"
                f"sed -i -e 's!^command_file=.*!command_file=/var/lib/nagios4/rw/nagios.cmd!'"
                f" -e 's/^server_port=.*/server_port={self.port}/' /etc/nsca.cfg\n"
                "echo password=secret >> /etc/nsca.cfg\n"
                "install -d -o nagios -g nagios /run/nagios /run/nagios4 /var/log/nagios4\n"
                f"{copy.splitlines()[1]}\n"
                "nagios4 -d /etc/nagios4/nagios.cfg > /dev/null 2>&1 < /dev/null\n"
                "until [ -p /var/lib/nagios4/rw/nagios.cmd ]; do sleep 0.1; done\n"
                "setsid nsca -f -c /etc/nsca.cfg > /dev/null 2>&1 < /dev/null &\n"
                f"until ss -ltn | grep -q :{self.port}; do sleep 0.1; done\n"
            )
            yield host

    def prepare(self, host: Host) -> Callable[[], Ended]:
        host.lay({
            "/etc/send_nsca.cfg": File("password=secret\nencryption_method=1\n", mode=0o600),
            SCRIPT: File(self.with_port(block(self.PART, "#!/bin/bash")), mode=0o755),
        })  # fmt: skip
        return lambda: host.run(SCRIPT)

    def with_port(self, text: str) -> str:
        return text.replace("send_nsca -H", f"send_nsca -p {self.port} -H")

    def service(self, nagios: Host, name: str) -> dict[str, str]:
        """What Nagios knows of a service."""
        head = r"servicestatus \{\n\thost_name=nat1\n(?:\t(?!service_)[^\n]*\n)*"
        pattern = rf"{head}\tservice_description={name}\n.*?\n\t\}}"
        found = re.search(pattern, nagios.sh(f"cat {self.STATUS}"), re.S)
        return dict(re.findall(r"^\t(\w+)=(.*)$", found[0], re.M)) if found else {}

    def has(self, nagios: Host, name: str, state: int) -> bool:
        found = self.service(nagios, name)
        return found.get("current_state") == str(state) and found["last_check"] != "0"

    def test_all_arrive_whole_and_what_does_not_come_is_unknown(
        self, nagios: Host, sender: Host
    ) -> None:
        send = self.prepare(sender)
        sender.sh("rm /srv/assets/*.difftar.gz")
        assert send() == Ended(0, "", "")
        for name in ("jobs", "process-assets", "log-assets"):
            wait_until(lambda name=name: self.has(nagios, f"duplicity-{name}", OK), 30)
        wait_until(lambda: self.has(nagios, "duplicity-freshness-assets", CRITICAL), 30)
        found = self.service(nagios, "duplicity-freshness-assets")
        assert found["plugin_output"].startswith("DUPLICITY FRESHNESS CRITICAL - backup of ")
        assert "missing_volumes=1;" in found["performance_data"]
        assert "\\n  " in found["long_plugin_output"]
        cut_off(sender)
        failed = send()
        assert "Could not connect to host" in failed.out or "Connection refused" in failed.out
        wait_until(lambda: self.has(nagios, "duplicity-freshness-assets", UNKNOWN), 60)
        found = self.service(nagios, "duplicity-freshness-assets")
        assert "no result came for 30 minutes" in found["plugin_output"]
        connect(sender)
        assert send() == Ended(0, "", "")
        wait_until(lambda: self.has(nagios, "duplicity-freshness-assets", CRITICAL), 30)

    def test_one_by_hand_as_the_page_has_it(self, nagios: Host, sender: Host) -> None:
        self.prepare(sender)
        by_hand = next(text for text in blocks(self.PART) if text.startswith("/usr/lib/nagios"))
        done = sender.run("bash", "-c", self.with_port(by_hand))
        assert done.status == 0, done
        assert "1 data packet(s) sent to host successfully." in done.out
        wait_until(lambda: self.has(nagios, "duplicity-freshness-assets", OK), 30)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
