"""The files in icinga/: commands know all options, and Icinga runs the right commands."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lab import wait_until
from pages import marked
from plugin import run_plugin

from icinga import ICINGA, Node

ROOT = Path(__file__).parent.parent / "icinga"
COMMANDS = (ROOT / "duplicity-commands.conf").read_text()
BASKET: dict[str, Any] = json.loads((ROOT / "director-basket.json").read_text())
CHECKS = ("freshness", "process", "log", "restore")
OF_JOBS = (*CHECKS, "drill")
COMMANDS_OF = (*OF_JOBS, "jobs")
# The only options that no command has: they are for persons and other programs than Icinga.
FOR_OTHERS = {
    "--help", "--version", "--format", "--write", "--interval", "--host", "--service",
}  # fmt: skip
COMMON = {
    "timeout", "verbose", "quiet", "job", "jobs_dir", "destination", "archive_dir", "name", "user",
}  # fmt: skip
# Behind or beside the options: named by what it is.
REST = {
    "freshness": {"--": "duplicity_freshness_options"},
    "process": {},
    "log": {"PATH": "duplicity_log_paths"},
    "restore": {"--": "duplicity_restore_options"},
    "drill": {"--": "duplicity_drill_options"},
    "jobs": {},
}
# Options that are there once for each word of an array.
BY_SUDO = (*CHECKS, "jobs")
REPEATED = {"drill": "--path", "jobs": "--ignore"}
NAGIOS = Path("/usr/sbin/nagios4")
SUDOERS = Path("/etc/sudoers.d/check-duplicity-test-icinga")
OTHER = "daemon"  # A user that every machine has.

by_root = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root: runs daemons as nagios"),
]
needs_icinga = pytest.mark.skipif(not ICINGA.exists(), reason="needs icinga2")


def job_of(check: str) -> list[str]:
    """Return the options that name the job; a check of the whole host has none."""
    return [] if check == "jobs" else ["-j", "assets"]


def program(check: str) -> str:
    return f"duplicity_{check}" if check == "drill" else f"check_duplicity_{check}"


def options(check: str) -> dict[str, tuple[str, bool, str]]:
    """Return --help's options by first spelling: long one, whether it takes a value, and text."""
    shown = run_plugin(program(check), ["--help"], environment={"COLUMNS": "9999"}).out
    lines = re.findall(r"^  (-[^\n]*?)(?:  +|\n {9,})(\S.*)$", shown.split("\n\n", 1)[1], re.M)
    found = {}
    for spelled, text in lines:
        first, *_ = re.findall(r"--?[\w-]+", spelled)
        (long,) = re.findall(r"--[\w-]+", spelled)
        if long not in FOR_OTHERS:
            found[first] = (long, bool(re.search(r" [A-Z]", spelled)), text)
    return found


def arguments(check: str) -> dict[str, dict[str, Any]]:
    """Return the arguments of a command, without the plugin itself."""
    found = dict(BASKET["Command"][f"duplicity_{check}"]["arguments"])
    del found["PLUGIN"]
    return found


def variable_of(argument: dict[str, str]) -> str:
    return (argument.get("value") or argument["set_if"]).strip("$")


def variable(check: str, long: str) -> str:
    """Return an option's variable by the naming rule; a drill's timeout has its own name."""
    name = long.lstrip("-").replace("-", "_")
    common = COMMON - {"timeout"} if check == "drill" else COMMON
    return f"duplicity_{name}" if name in common else f"duplicity_{check}_{name}"


def test_what_is_common_is_what_all_have() -> None:
    longs = [{long for long, _, _ in options(check).values()} for check in OF_JOBS]
    shared = set.intersection(*longs)
    assert {long.lstrip("-").replace("-", "_") for long in shared} == COMMON


@pytest.mark.parametrize("check", COMMANDS_OF)
def test_commands_have_the_options_of_the_help_in_its_words(check: str) -> None:
    expected = {
        first: {
            "value" if valued else "set_if": f"${variable(check, long)}$",
            "description": text,
        }
        for first, (long, valued, text) in options(check).items()
    }
    found = arguments(check)
    for key, name in REST[check].items():
        rest = found.pop(key)
        assert (rest["value"], rest["order"]) == (f"${name}$", 1)
    if check in REPEATED:
        assert found[REPEATED[check]].pop("repeat_key") is True
    assert found == expected


def test_no_default_is_given_twice() -> None:
    assert not re.search(r"^\s*vars\b", COMMANDS, re.M)


def test_the_command_outlives_the_plugin() -> None:
    for check in COMMANDS_OF:
        text = next(text for long, _, text in options(check).values() if long == "--timeout")
        ((number, hours),) = re.findall(r"default (\d+)(h?)", text)
        longest = int(number) * (3600 if hours else 1)
        assert int(BASKET["Command"][f"duplicity_{check}"]["timeout"]) > longest


def test_the_basket_is_up_to_date() -> None:
    made = subprocess.run(
        [sys.executable, ROOT / "director_basket.py"], capture_output=True, text=True, check=True
    )
    assert made.stdout == (ROOT / "director-basket.json").read_text()


@pytest.mark.parametrize("check", COMMANDS_OF)
def test_the_basket_asks_for_each_variable_with_its_own_words(check: str) -> None:
    command = BASKET["Command"][f"duplicity_{check}"]
    asked = [BASKET["Datafield"][str(field["datafield_id"])] for field in command["fields"]]
    kinds = {field["varname"]: field["datatype"].rpartition("DataType")[2] for field in asked}
    expected = {"duplicity_sudo_user": "String", "duplicity_plugin_dir": "String"}
    for key, argument in arguments(check).items():
        name = variable_of(argument)
        expected[name] = "String" if "value" in argument else "Boolean"
        if key in REST[check] or key == REPEATED.get(check):
            expected[name] = "Array"
    if check != "drill":
        expected["duplicity_timeout"] = "Number"
    assert kinds == expected
    texts = {argument["description"] for argument in arguments(check).values()}
    assert texts <= {field["description"] for field in asked}


def test_the_basket_has_a_service_template_for_each_command() -> None:
    for check in COMMANDS_OF:
        template = BASKET["ServiceTemplate"][f"duplicity-{check}"]
        assert template["check_command"] == f"duplicity_{check}"
        page = f"docs/{program(check)}.rst"
        assert template["notes_url"].endswith(f"/{page}")
        assert (ROOT.parent / page).exists()
        assert int(template["retry_interval"]) < int(template["check_interval"])
        assert template["max_check_attempts"] == ("1" if check == "drill" else "3")


def test_nrpe_sudo_and_nagios_say_the_same() -> None:
    lines = (ROOT / "nrpe/duplicity.cfg").read_text().split("\n")[1:-1]
    plugins = "/usr/lib/nagios/plugins"
    of_host = f"/usr/bin/sudo -n -u root {plugins}/check_duplicity_jobs"
    assert lines.pop(0) == f"command[check_duplicity_jobs]={of_host}"
    assert lines == [
        f"command[check_duplicity_{check}_assets]=/usr/bin/sudo -n -u govuk-backup"
        f" {plugins}/check_duplicity_{check} -j assets"
        for check in CHECKS
    ]
    rules = [line for line in (ROOT / "nrpe/sudoers").read_text().split("\n") if line[:1] == "n"]
    # Without "" sudo would allow any arguments.
    assert rules.pop(0) == f'nagios ALL=(root) NOPASSWD: {plugins}/check_duplicity_jobs ""'
    assert rules == [
        re.sub(r".* -u (\S+) (.*)", r"nagios ALL=(\1) NOPASSWD: \2", line) for line in lines
    ]
    commands = (ROOT / "nagios/commands.cfg").read_text()
    direct = re.findall(r"command_line +(/usr/bin/sudo.*)", commands)
    filled = {"$USER1$": plugins, "$ARG1$": "assets", "$ARG2$": "govuk-backup"}
    for macro, value in filled.items():
        direct = [line.replace(macro, value) for line in direct]
    assert direct == [*(line.partition("=")[2] for line in lines), of_host]
    asked = re.findall(r" -c (\S+)", commands)
    names = re.findall(r"\[(.*)\]", "\n".join(lines))
    expected = [*names, "check_duplicity_jobs"]
    assert [name.replace("$ARG1$", "assets") for name in asked] == expected


@pytest.fixture(scope="module")
def directory() -> Iterator[Path]:
    """A directory that the user nagios can reach, as pytest's own aren't."""
    with tempfile.TemporaryDirectory(prefix="check-duplicity-test-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


RECORDER = """#!/usr/bin/python3 -I
import getpass, json, os, sys
with open(f"/proc/{os.getppid()}/cmdline") as file:
    parent = file.read().split("\\0")[:-1]
print(json.dumps({"argv": sys.argv, "parent": parent, "user": getpass.getuser()}))
"""


def record(node: Node) -> None:
    """Replace the plugins with programs that only record their arguments."""
    for check in COMMANDS_OF:
        plugin = node.directory / "plugins" / program(check)
        plugin.write_text(RECORDER)
        plugin.chmod(0o755)


def cases() -> dict[str, tuple[str, dict[str, object], list[str]]]:
    """Return services by name: the check, the variables, and the expected arguments."""
    found: dict[str, tuple[str, dict[str, object], list[str]]] = {}
    for check in COMMANDS_OF:
        found[f"{check}-alone"] = (check, {}, [])
        for key, argument in arguments(check).items():
            name = variable_of(argument)
            if key == "--":
                found[name] = (
                    check,
                    {name: ["--file-prefix", "a b"]},
                    ["--", "--file-prefix", "a b"],
                )
            elif key == "PATH":
                found[name] = (check, {name: ["/var/mail/a", "/a b"]}, ["/var/mail/a", "/a b"])
            elif key == REPEATED.get(check):
                found[name] = (check, {name: ["etc/a b", "srv"]}, [key, "etc/a b", key, "srv"])
            elif "set_if" in argument:
                found[f"{check}-{name}-no"] = (check, {name: False}, [])
                found[f"{check}-{name}"] = (check, {name: True}, [key])
            else:
                found[f"{check}-{name}"] = (
                    check,
                    {name: "a 'b' \"c\" ~:1"},
                    [key, "a 'b' \"c\" ~:1"],
                )
    last: dict[str, object] = {
        "duplicity_job": "assets",
        "duplicity_freshness_require_encryption": True,
        "duplicity_freshness_options": ["--num-retries", "1"],
    }
    order = ["--require-encryption", "-j", "assets", "--", "--num-retries", "1"]
    found["rest-comes-last"] = ("freshness", last, order)
    return found


@pytest.fixture(scope="module")
def master(directory: Path) -> Iterator[Node]:
    """Run a master with all files of icinga/, and an agent with plugins in another directory."""
    shipped = f'include "{directory}/shipped/*.conf"\n'
    shutil.copytree(ROOT, directory / "shipped")
    master = Node(directory, "master")
    agent = Node(directory, "agent", master)
    record(master)
    record(agent)
    shutil.copytree(master.directory / "plugins", directory / "elsewhere")
    zones = (
        'object Endpoint "master" { }\nobject Zone "master" { endpoints = [ "master" ] }\n'
        f'object Endpoint "agent" {{\n  host = "127.0.0.1"\n  port = {agent.port}\n}}\n'
        'object Zone "agent" {\n  endpoints = [ "agent" ]\n  parent = "master"\n}\n'
    )
    services = "".join(
        f'object Service "{name}" {{\n  host_name = "here"\n'
        f'  check_command = "duplicity_{check}"\n'
        # Its own default is no directory of the node's, but /usr/bin.
        + f'  vars.duplicity_plugin_dir = "{master.directory}/plugins"\n' * (check == "drill")
        + "".join(f'  vars["{key}"] = {json.dumps(value)}\n' for key, value in variables.items())
        + "}\n"
        for name, (check, variables, _) in cases().items()
    )
    for check in COMMANDS_OF:
        sudo = f'vars.duplicity_job = "assets"\n  vars.duplicity_sudo_user = "{OTHER}"'
        for name, more in (
            ("sudo", sudo),
            ("agent", f'zone = "master"\n  command_endpoint = "agent"\n  {sudo}'),
            (
                "agent-itself",
                'zone = "master"\n  command_endpoint = "agent"\n  vars.duplicity_job = "assets"',
            ),
            ("elsewhere", f'vars.duplicity_plugin_dir = "{directory}/elsewhere"'),
        ):
            if check == "drill" and name != "elsewhere":
                continue  # It isn't in PluginDir, nor in a rule of sudo's.
            services += (
                f'object Service "{name}-{check}" {{\n  host_name = "here"\n'
                f'  check_command = "duplicity_{check}"\n  {more}\n}}\n'
            )
    master.configure(
        # Only what is asked for is checked.
        'object IcingaApplication "app" {\n  enable_host_checks = false\n'
        "  enable_service_checks = false\n}\n"
        'object CheckerComponent "checker" { }\n'
        f'{zones}object Host "here" {{\n  check_command = "dummy"\n  zone = "master"\n}}\n'
        f"{shipped}{services}"
    )
    agent.configure(zones + shipped.replace("*", "duplicity-commands"))
    rules = [
        [f"nagios ALL=({OTHER}) NOPASSWD: {node.directory}/plugins/check_duplicity_{check}"]
        + (job_of(check) or ['""'])
        for node in (master, agent)
        for check in BY_SUDO
    ]
    SUDOERS.write_text("".join(f"{' '.join(rule)}\n" for rule in rules))
    SUDOERS.chmod(0o440)
    try:
        with agent.running(), master.running():
            wait_until(lambda: master.ask("endpoint", "agent")["connected"])
            wanted = {"type": "Service", "filter": 'host.name == "here"', "force": True}
            master.post("actions/reschedule-check", wanted)
            yield master
    finally:
        SUDOERS.unlink()


def recorded(master: Node, service: str) -> dict[str, Any]:
    """Return the recorded call of a service's plugin."""
    wait_until(lambda: master.ask("service", f"here!{service}")["last_check_result"])
    output = master.ask("service", f"here!{service}")["last_check_result"]["output"]
    assert output.startswith("{"), output
    found: dict[str, Any] = json.loads(output)
    return found


class TestReal:
    pytestmark = [*by_root, needs_icinga]

    def test_icinga_takes_all_of_it(self, master: Node) -> None:
        done = master.validate()
        assert done.returncode == 0, done.stdout
        assert "warning" not in done.stdout

    def test_icinga_takes_what_the_pages_say(self, directory: Path, master: Node) -> None:
        """Each block is a part of a host with an agent, which gets the services of its jobs."""
        found = marked("tests/test_icinga.py", "test_icinga_takes_what_the_pages_say")
        node = Node(directory, "pages", master)
        hosts = "".join(
            f'object Endpoint "host{number}" {{ }}\n'
            f'object Zone "host{number}" {{\n  endpoints = [ "host{number}" ]\n'
            '  parent = "pages"\n}\n'
            f'object Host "host{number}" {{\n  zone = "pages"\n  check_command = "hostalive"\n'
            f'  vars.duplicity_jobs["web"] = {{ }}\n{block.text}}}\n'
            for number, block in enumerate(found)
        )
        zone = 'object Endpoint "pages" { }\nobject Zone "pages" { endpoints = [ "pages" ] }\n'
        node.configure(f'{zone}{hosts}include "{directory}/shipped/*.conf"\n')
        done = node.validate()
        assert done.returncode == 0, done.stdout

    @pytest.mark.parametrize("name", cases())
    def test_what_a_variable_says_arrives(self, master: Node, name: str) -> None:
        check, _, expected = cases()[name]
        plugin = f"{master.directory}/plugins/{program(check)}"
        assert recorded(master, name)["argv"] == [plugin, *expected]

    @pytest.mark.parametrize("check", BY_SUDO)
    @pytest.mark.parametrize("name", ["sudo", "agent"])
    def test_through_sudo_it_is_the_line_that_the_rule_names(
        self, master: Node, name: str, check: str
    ) -> None:
        node = {"sudo": "master", "agent": "agent"}[name]
        plugin = f"{master.directory.parent / node}/plugins/check_duplicity_{check}"
        seen = recorded(master, f"{name}-{check}")
        assert seen["user"] == OTHER
        assert seen["parent"] == ["/usr/bin/sudo", "-n", "-u", OTHER, plugin, *job_of(check)]

    @pytest.mark.parametrize("check", BY_SUDO)
    def test_an_agent_has_its_own_directory_of_plugins(self, master: Node, check: str) -> None:
        plugin = f"{master.directory.parent}/agent/plugins/check_duplicity_{check}"
        seen = recorded(master, f"agent-itself-{check}")
        assert (seen["argv"], seen["user"]) == ([plugin, *job_of(check)], "nagios")

    @pytest.mark.parametrize("check", COMMANDS_OF)
    def test_plugins_may_be_elsewhere(self, master: Node, check: str) -> None:
        (word,) = recorded(master, f"elsewhere-{check}")["argv"]
        assert word == f"{master.directory.parent}/elsewhere/{program(check)}"

    @pytest.mark.parametrize(
        ("parent", "state", "quiet"),
        [
            ("db1.example.org!duplicity-agent", 0, ""),
            ("db1.example.org!duplicity-agent", 1, "jobs process log freshness restore"),
            ("db1.example.org!duplicity-agent", 2, "jobs process log freshness restore"),
            ("db1.example.org!duplicity-agent", 3, "jobs process log freshness restore"),
            ("db1.example.org!duplicity-jobs", 2, ""),
            ("db1.example.org!duplicity-process-assets", 1, ""),
            ("db1.example.org!duplicity-process-assets", 2, "log freshness restore"),
            ("db1.example.org!duplicity-process-assets", 3, ""),
            ("db1.example.org!duplicity-log-assets", 1, ""),
            ("db1.example.org!duplicity-log-assets", 2, "freshness restore"),
            ("db1.example.org!duplicity-log-assets", 3, ""),
            ("db1.example.org!duplicity-freshness-assets", 1, ""),
            ("db1.example.org!duplicity-freshness-assets", 2, "restore"),
            ("db1.example.org!duplicity-freshness-assets", 3, ""),
            ("db1.example.org!duplicity-restore-assets", 2, ""),
            ("web1.example.org!duplicity-agent", 3, "jobs process log archive freshness restore"),
            ("web1.example.org!duplicity-jobs", 2, ""),
            ("web1.example.org!duplicity-process-database", 2, "log archive freshness restore"),
            ("web1.example.org!duplicity-log-database", 2, "archive freshness restore"),
            ("web1.example.org!duplicity-archive-database", 2, "freshness restore"),
            ("web1.example.org!duplicity-archive-database", 3, ""),
            ("web1.example.org!duplicity-freshness-database", 2, "restore"),
            ("web1.example.org!duplicity-freshness-web", 2, "drill restore"),
            ("web1.example.org!duplicity-drill-web", 1, ""),
            ("web1.example.org!duplicity-drill-web", 2, "restore"),
            ("nat1.example.org!duplicity-jobs", 2, ""),
            ("nat1.example.org!duplicity-process-assets", 1, ""),
            ("nat1.example.org!duplicity-process-assets", 2, "log freshness restore"),
            ("nat1.example.org!duplicity-log-assets", 2, "freshness restore"),
            ("nat1.example.org!duplicity-log-assets", 3, ""),
            ("nat1.example.org!duplicity-freshness-assets", 2, "restore"),
            ("nat1.example.org!duplicity-restore-assets", 2, ""),
        ],
    )
    def test_one_cause_makes_one_alert(
        self, master: Node, parent: str, state: int, quiet: str
    ) -> None:
        host, _, service = parent.partition("!")
        *_, last = service.split("-")
        first = "database" if host == "web1.example.org" else "assets"
        job = first if last in ("agent", "jobs") else last
        names = ["process", "log", "freshness", "restore"]
        names += {"database": ["archive"], "web": ["drill"]}.get(job, [])
        children = {name: f"{host}!duplicity-{name}-{job}" for name in names}
        children["jobs"] = f"{host}!duplicity-jobs"
        master.report(parent, state)
        try:
            silenced = set()
            for name, child in children.items():
                if child != parent:
                    master.report(child, 0, times=1)
                    if not master.ask("service", child)["last_reachable"]:
                        silenced.add(name)
            assert silenced == set(quiet.split())
        finally:
            master.report(parent, 0, times=1)

    def test_checks_go_on_while_nobody_is_called(self, master: Node) -> None:
        found = [dependency["attrs"] for dependency in master.get("objects/dependencies")]
        assert found
        assert not any(one["disable_checks"] for one in found)
        assert all(one["disable_notifications"] for one in found)

    def test_nrpe_is_asked_for_the_commands_that_puppet_makes(self, master: Node) -> None:
        for check in CHECKS:
            service = master.ask("service", f"db1.example.org!duplicity-{check}-assets")
            assert service["check_command"] == "nrpe"
            assert service["vars"]["nrpe_command"] == f"check_duplicity_{check}_assets"
            assert service["vars"]["nrpe_timeout"] == "40:UNKNOWN"
        service = master.ask("service", "db1.example.org!duplicity-jobs")
        assert service["check_command"] == "nrpe"
        assert service["vars"]["nrpe_command"] == "check_duplicity_jobs"

    def test_the_alert_leads_to_the_mail_of_the_job(self, master: Node) -> None:
        """The job's own URL, else the host's, else none."""
        lists = "https://lists.example.org"
        urls = {
            f"web1.example.org!duplicity-{check}": f"{lists}/{of}"
            for check, of in (
                ("log-assets", "machine-email"), ("freshness-assets", "machine-email"),
                ("archive-database", "postgres"), ("restore-database", "postgres"),
                ("drill-web", "machine-email"), ("jobs", "machine-email"),
            )
        }  # fmt: skip
        urls |= {"db1.example.org!duplicity-log-assets": "", "db1.example.org!duplicity-jobs": ""}
        found = {name: master.ask("service", name)["action_url"] for name in urls}
        assert found == urls

    def test_passive_services_have_the_names_that_the_checks_give_them(self, master: Node) -> None:
        found = master.get("objects/services")
        names = [service["attrs"]["__name"].split("!") for service in found]
        assert sorted(name for host, name in names if host == "nat1.example.org") == sorted(
            ["duplicity-jobs", *(f"duplicity-{check}-assets" for check in CHECKS)]
        )

    def test_a_host_with_an_agent_is_looked_through_as_root(self, master: Node) -> None:
        service = master.ask("service", "web1.example.org!duplicity-jobs")
        assert (service["check_command"], service["command_endpoint"]) == (
            "duplicity_jobs", "web1.example.org",
        )  # fmt: skip
        assert service["vars"]["duplicity_sudo_user"] == "root"


class TestNagios:
    pytestmark = [
        *by_root,
        pytest.mark.skipif(not NAGIOS.exists(), reason="needs nagios4"),
    ]

    def test_nagios_takes_all_of_it(self, directory: Path) -> None:
        own = directory / "nagios"
        own.mkdir()
        shutil.chown(own, "nagios")
        (own / "resource.cfg").write_text("$USER1$=/usr/lib/nagios/plugins\n")
        (own / "nagios.cfg").write_text(
            f"cfg_dir={ROOT}/nagios\nresource_file={own}/resource.cfg\nlog_file={own}/log\n"
            f"object_cache_file={own}/cache\nstatus_file={own}/status\ntemp_file={own}/temporary\n"
            f"state_retention_file={own}/retention\ncheck_result_path={own}\ntemp_path={own}\n"
            f"command_file={own}/command\nlock_file={own}/pid\n"
            "illegal_macro_output_chars=`~$&|'\"<>\nnagios_user=nagios\nnagios_group=nagios\n"
        )
        done = subprocess.run(
            [NAGIOS, "-v", own / "nagios.cfg"], capture_output=True, text=True, check=False
        )
        assert re.findall(r"Total (\w+): +(\d+)", done.stdout) == [
            ("Warnings", "0"),
            ("Errors", "0"),
        ]
        assert "23 service dependencies" in done.stdout

    def test_sudo_takes_its_rules(self) -> None:
        subprocess.run(["visudo", "-cf", ROOT / "nrpe/sudoers"], check=True, capture_output=True)
