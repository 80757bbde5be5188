"""Icinga Web 2 beside the master, with its database, for pictures of an operator's view.

PHP's built-in server serves it without a login, on loopback, to a headless browser.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from e2e.icinga2 import ENVIRONMENT, ETC, PASSWORD, USER
from e2e.machine import run
from lab import wait_until

POSTGRES = Path("/usr/lib/postgresql/15/bin")
PUBLIC = Path("/usr/share/icingaweb2/public")
DATABASE_PORT, PORT = 15432, 15680
URL = f"http://127.0.0.1:{PORT}"
IDO = f"""
library "db_ido_pgsql"
object IdoPgsqlConnection "ido-pgsql" {{
  user = "icinga"
  password = ""
  host = "127.0.0.1"
  port = {DATABASE_PORT}
  database = "icinga"
}}
"""
ROUTER = f"""<?php
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
if ($path !== '/' && is_file('{PUBLIC}' . $path)) {{ return false; }}
$_SERVER['REMOTE_USER'] = 'admin';
$_SERVER['SCRIPT_NAME'] = '/index.php';
$_SERVER['PHP_SELF'] = '/index.php';
$_SERVER['SCRIPT_FILENAME'] = '{PUBLIC}/index.php';
chdir('{PUBLIC}');
require '{PUBLIC}/index.php';
"""
_RESOURCE = f"""[%s]
type = "db"
db = "pgsql"
host = "127.0.0.1"
port = "{DATABASE_PORT}"
dbname = "%s"
username = "icinga"
password = ""
charset = "utf8"
"""
CONFIGURATION = {
    "config.ini": '[global]\nconfig_backend = "db"\nconfig_resource = "web"\n'
    'module_path = "/usr/share/icingaweb2/modules"\n',
    "authentication.ini": '[auto]\nbackend = "external"\n',
    "roles.ini": '[admins]\nusers = "admin"\npermissions = "*"\n',
    "resources.ini": _RESOURCE % ("ido", "icinga") + _RESOURCE % ("web", "icingaweb"),
    "modules/monitoring/backends.ini": '[icinga]\ntype = "ido"\nresource = "ido"\n',
    "modules/monitoring/commandtransports.ini": '[icinga2]\ntransport = "api"\n'
    f'host = "127.0.0.1"\nport = "5665"\nusername = "{USER}"\npassword = "{PASSWORD}"\n',
}


@contextmanager
def running(directory: Path) -> Iterator[None]:
    """Have Icinga write to a database, and Icinga Web show its contents."""
    with _database(directory / "postgres"):
        (ETC / "features-enabled" / "ido.conf").write_text(IDO)
        run("service", "icinga2", "reload", env=ENVIRONMENT)
        with _web(directory / "web"):
            yield


@contextmanager
def _database(directory: Path) -> Iterator[None]:
    directory.mkdir()
    shutil.chown(directory, "postgres", "postgres")
    as_postgres = ["sudo", "-n", "-u", "postgres"]
    data, log = directory / "data", directory / "log"
    run(*as_postgres, POSTGRES / "initdb", "-D", data, "-A", "trust", "-E", "UTF8",
        "--locale=C.UTF-8")  # fmt: skip
    options = f"-p {DATABASE_PORT} -c listen_addresses=127.0.0.1 -k {directory}"
    run(*as_postgres, POSTGRES / "pg_ctl", "-D", data, "-w", "-o", options, "-l", log, "start")
    try:
        psql = ["psql", "-q", "-h", "127.0.0.1", "-p", DATABASE_PORT, "-U"]
        for command in (
            "create role icinga login",
            "create database icinga owner icinga",
            "create database icingaweb owner icinga",
        ):
            run(*psql, "postgres", "-c", command)
        for database, schema in (
            ("icinga", "/usr/share/icinga2-ido-pgsql/schema/pgsql.sql"),
            ("icingaweb", "/usr/share/icingaweb2/schema/pgsql.schema.sql"),
        ):
            run(*psql, "icinga", database, "-f", schema)
        yield
    finally:
        run(*as_postgres, POSTGRES / "pg_ctl", "-D", data, "-m", "immediate", "stop", check=False)


@contextmanager
def _web(directory: Path) -> Iterator[None]:
    configuration, sessions = directory / "configuration", directory / "sessions"
    sessions.mkdir(parents=True)
    for name, text in CONFIGURATION.items():
        (configuration / name).parent.mkdir(parents=True, exist_ok=True)
        (configuration / name).write_text(text)
    (configuration / "enabledModules").mkdir()
    (configuration / "enabledModules" / "monitoring").symlink_to(
        "/usr/share/icingaweb2/modules/monitoring"
    )
    router = directory / "router.php"
    router.write_text(ROUTER)
    with subprocess.Popen(
        ["php", "-d", f"session.save_path={sessions}", "-d", "date.timezone=UTC",
         "-S", f"127.0.0.1:{PORT}", "-t", PUBLIC, router],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "ICINGAWEB_CONFIGDIR": str(configuration)},
    ) as php:  # fmt: skip
        try:
            wait_until(_answers)
            yield
        finally:
            php.terminate()


def _answers() -> bool:
    try:
        with urllib.request.urlopen(f"{URL}/monitoring/list/services", timeout=10):
            return True
    except OSError:
        return False


def text_of(path: str) -> str:
    """Return a page as Icinga Web sends it."""
    with urllib.request.urlopen(f"{URL}/{path}", timeout=10) as page:
        return str(page.read().decode())


def take_picture(path: str, size: str, picture: Path, directory: Path) -> None:
    """Take a picture of a page in a browser; ``size`` is WIDTH,HEIGHT."""
    run("chromium-headless-shell", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
        f"--window-size={size}", "--virtual-time-budget=5000", f"--user-data-dir={directory}",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        f"--screenshot={picture}", f"{URL}/{path}")  # fmt: skip
