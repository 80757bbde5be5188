"""A job that backs up into a bucket on moto's S3 server, which ``make moto`` installs."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import Lab, wait_until
from plugin import BIN, Result, run_plugin

MOTO = Path(os.environ.get("MOTO", "/nonexistent"))  # a virtual environment with moto and boto3
SIGNATURE = (
    "AWS4-HMAC-SHA256 Credential=nobody/20261124/us-east-1/s3/aws4_request,"
    " SignedHeaders=host, Signature=0"
)
SERVER = MOTO / "bin" / "moto_server"

pytestmark = [
    pytest.mark.spread,
    pytest.mark.skipif(not SERVER.exists(), reason="no S3 server: make moto installs one"),
]


class S3:
    """The server, which accepts any signature."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint

    def request(self, method: str, path: str) -> str:
        request = urllib.request.Request(f"{self.endpoint}/{path}", method=method)
        request.add_header("Authorization", SIGNATURE)
        with urllib.request.urlopen(request) as answer:
            text: str = answer.read().decode()
        return text

    def keys(self, bucket: str) -> list[str]:
        return re.findall("<Key>(.*?)</Key>", self.request("GET", f"{bucket}?list-type=2"))

    def listing(self, bucket: str) -> str:
        """Return all keys with their sizes, hashes and times."""
        found = re.findall("<Contents>.*?</Contents>", self.request("GET", f"{bucket}?list-type=2"))
        return "\n".join(sorted(found))

    def remove(self, bucket: str) -> None:
        for key in self.keys(bucket):
            self.request("DELETE", f"{bucket}/{key}")
        self.request("DELETE", bucket)

    def answers(self) -> bool:
        try:
            self.request("GET", "")
        except urllib.error.URLError:
            return False
        return True


class Bucket(Lab):
    """A job that backs up into a bucket."""

    def __init__(self, duplicity: Path, directory: Path, s3: S3) -> None:
        super().__init__(duplicity, directory)
        self.s3 = s3
        self.options = ["--s3-endpoint-url", s3.endpoint]
        self.name = f"b{os.urandom(8).hex()}"
        s3.request("PUT", self.name)

    @property
    def url(self) -> str:
        return f"boto3+s3://{self.name}/web"

    @property
    def environment(self) -> dict[str, str]:
        """The environment, with boto3 for a duplicity that is installed without it."""
        [modules] = MOTO.glob("lib/python3*/site-packages")
        return {
            **super().environment,
            "PYTHONPATH": str(modules),
            "AWS_ACCESS_KEY_ID": "nobody",
            "AWS_SECRET_ACCESS_KEY": "nothing",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def look(self, *options: str) -> Result:
        return self.check("-t", "60", "--", *(options or self.options))


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("moto") / "log"
    words = [str(SERVER), "-H", "127.0.0.1", "-p", str(port)]
    with log.open("wb") as out, subprocess.Popen(words, stdout=out, stderr=out) as server:
        try:
            s3 = S3(f"http://127.0.0.1:{port}")
            wait_until(lambda: server.poll() is not None or s3.answers())
            assert server.poll() is None, log.read_text()
            yield s3
        finally:
            server.kill()


@pytest.fixture
def bucket(duplicity: Path, tmp_path: Path, s3: S3) -> Iterator[Bucket]:
    if not (MOTO / "lib" / python_of(duplicity)).exists():
        pytest.skip("the S3 server's boto3 is for another Python")
    bucket = Bucket(duplicity, tmp_path, s3)
    with bucket:
        yield bucket


def python_of(duplicity: Path) -> str:
    """Return the name of the folder with the modules of a duplicity's Python."""
    ask = "import sys; print('python%d.%d' % sys.version_info[:2])"
    python = [str(duplicity.parent / "python"), "-c", ask]
    done = subprocess.run(python, capture_output=True, check=True, text=True)
    return done.stdout.strip()


def test_a_volume_and_then_the_bucket_are_lost(bucket: Bucket) -> None:
    bucket.run("full", *bucket.options, ago=2)
    result = bucket.look()
    assert result.status == 0
    assert (result.value("age") // 3600, result.value("volumes")) == (2, 1)

    [volume] = [key for key in bucket.s3.keys(bucket.name) if ".difftar" in key]
    bucket.s3.request("DELETE", f"{bucket.name}/{volume}")
    result = bucket.look()
    assert (result.status, result.value("missing_volumes")) == (2, 1)
    assert " lacks volume 1 of 1" in result.first_line

    bucket.s3.remove(bucket.name)
    result = bucket.look()
    assert result.status == 2
    gone = f'the destination is not there: S3 bucket "{bucket.name}" does not exist'
    assert result.first_line == f"DUPLICITY FRESHNESS CRITICAL - {gone}"
    assert "provider's console" in result.out
    # Asking has not made it again.
    assert bucket.name not in bucket.s3.request("GET", "")


def test_an_empty_bucket_has_no_backup(bucket: Bucket) -> None:
    result = bucket.look()
    assert (result.status, result.first_line) == (
        2,
        "DUPLICITY FRESHNESS CRITICAL - no backup: no duplicity files there",
    )


def test_a_server_that_cannot_be_reached_is_unknown(bucket: Bucket) -> None:
    with socket.socket() as bound:  # and not listening
        bound.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{bound.getsockname()[1]}"
        result = bucket.look("--s3-endpoint-url", endpoint)
    assert result.status == 3
    assert f'Could not connect to the endpoint URL: "{endpoint}/' in result.first_line


def test_triage_says_that_the_destination_is_missing(bucket: Bucket, tmp_path: Path) -> None:
    bucket.s3.remove(bucket.name)
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "web.ini").write_text(
        f"[job]\ndestination = {bucket.url}\noptions = {' '.join(bucket.options)}\n"
        f"duplicity = {bucket.duplicity}\n"
    )
    words = [str(BIN / "duplicity_triage"), "--jobs-dir", str(tmp_path / "jobs"), "web"]
    done = subprocess.run(
        words, env=bucket.environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stdout.startswith("web: CRITICAL, destination missing\n")


def test_a_bucket_is_proved_to_the_last_volume_and_left_as_it_was(bucket: Bucket) -> None:
    (bucket.source / "big").write_bytes(os.urandom(2 << 20))
    options = ["--volsize", "1", *bucket.options]
    bucket.run("full", *options, passphrase="geheim", ago=2)
    bucket.run("incremental", *options, passphrase="geheim", ago=1)
    before = bucket.s3.listing(bucket.name)
    words = ["-d", bucket.url, "-a", bucket.archive, "--duplicity", bucket.duplicity]
    state = {"XDG_STATE_HOME": str(bucket.home / "state"), "PASSPHRASE": "geheim"}
    drill = [*words, "--volumes", "9", "--path", "file", "--", *bucket.options]
    result = run_plugin("duplicity_drill", drill, environment={**bucket.environment, **state})
    assert (result.status, result.value("proved")) == (0, 100), result.out
    assert "file: 1000 B restored" in result.out
    assert bucket.s3.listing(bucket.name) == before
