"""Each plugin under each fault: one valid answer, nothing left behind, and the next is right."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import DUPLICITIES
from faults import PLUGINS, Call, Site, assert_answer, run

FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A sound job of the newest duplicity at hand."""
    newest = sorted(DUPLICITIES.glob("*/bin/duplicity"))[-1]
    site = Site(newest, tmp_path_factory.mktemp("site"))
    with site.lab, site.running():
        yield site


Fault = Callable[[Site, str, Call], Call]


def closed(*descriptors: int) -> Fault:
    return lambda site, plugin, call: call._replace(
        prepare=lambda: [os.close(descriptor) for descriptor in descriptors]
    )


def limited(kind: int, most: int) -> Fault:
    return lambda site, plugin, call: call._replace(
        prepare=lambda: resource.setrlimit(kind, (most, most))
    )


def having(**environment: str) -> Fault:
    return lambda site, plugin, call: call.having(**environment)


def without(*names: str) -> Fault:
    def change(site: Site, plugin: str, call: Call) -> Call:
        kept = {k: v for k, v in call.environment.items() if k not in names}
        return call._replace(environment=kept)

    return change

def behind(script):
    def change(site, plugin, call):
        return call.behind(script.format(tmp=site.lab.temporary, state=site.state))
    return change

def lost(site, plugin, call):
    d = site.state / "gone"
    d.mkdir(exist_ok=True)
    return call._replace(cwd=str(d), prepare=lambda: os.rmdir(d))

def deaf(site, plugin, call):
    r, w = os.pipe()
    os.close(r)
    return call._replace(stdout=w)

def full_pipe(site, plugin, call):
    r, w = os.pipe()
    os.set_blocking(w, False)
    try:
        while True: os.write(w, b"x"*65536)
    except BlockingIOError: pass
    try:
        while True: os.write(w, b"x")
    except BlockingIOError: pass
    os.set_blocking(w, True)
    return call._replace(stdout=w)

def tty(stream):
    def change(site, plugin, call):
        return call
    return change

FAULTS = {
    "none": lambda s,p,c: c,
    "stdin closed": closed(0),
    "stdout closed": closed(1),
    "stderr closed": closed(2),
    "all closed": closed(0, 1, 2),
    "out err closed": closed(1, 2),
    "dev full": lambda s,p,c: c._replace(stdout=os.open("/dev/full", os.O_WRONLY)),
    "err full": lambda s,p,c: c._replace(stderr=os.open("/dev/full", os.O_WRONLY)),
    "deaf": deaf,
    "full pipe": full_pipe,
    "no home": without("HOME"), "no path": without("PATH"), "empty": lambda s,p,c: c._replace(environment={}),
    "home junk": having(HOME="/no/such/\udcff"),
    **{f"fd {n}": limited(resource.RLIMIT_NOFILE, n) for n in (*range(3,13),16,20)},
    "as 200": limited(resource.RLIMIT_AS, 200<<20),
    "as 100": limited(resource.RLIMIT_AS, 100<<20),
    "as 60": limited(resource.RLIMIT_AS, 60<<20),
    "as 30": limited(resource.RLIMIT_AS, 30<<20),
    "data 200": limited(resource.RLIMIT_DATA, 200<<20),
    "data 16": limited(resource.RLIMIT_DATA, 16<<20),
    "data 8": limited(resource.RLIMIT_DATA, 8<<20),
    "stack 64k": limited(resource.RLIMIT_STACK, 256<<10),
    "fsize 0": limited(resource.RLIMIT_FSIZE, 0),
    "nproc 0": limited(resource.RLIMIT_NPROC, 0),
    "cpu 0": limited(resource.RLIMIT_CPU, 0),
    "locale": having(LC_ALL="xx_YY.nonsense"),
    "locale2": having(LC_ALL="C", LANG="de_DE.ISO-8859-1"),
    "tz": having(TZ=":/\x01nonsense"), "tz2": having(TZ="\udcff"*300), "tz3": having(TZ="/etc/passwd"),
    "cwd": lost,
    "tmp full": behind("mount -t tmpfs -o size=4k none {tmp}; head -c 4096 /dev/zero > {tmp}/full || true"),
    "tmp noinode": behind("mount -t tmpfs -o nr_inodes=1 none {tmp}"),
    "tmp 3inode": behind("mount -t tmpfs -o nr_inodes=3 none {tmp}"),
    "tmp ro": behind("mount -t tmpfs -o ro none {tmp}"),
    "state full": behind("mount -t tmpfs -o size=4k,mode=700 none {state}; head -c 4096 /dev/zero > {state}/full || true"),
    "state ro": behind("mount -t tmpfs -o ro,mode=700 none {state}"),
    "no proc": behind("mount -t tmpfs none /proc"),
    "no dev": behind("mount -t tmpfs none /dev"),
    "no etc": behind("mount -t tmpfs none /etc"),
    "day ahead": having(LD_PRELOAD=str(FAKETIME), FAKETIME="+1d"),
    "day back": having(LD_PRELOAD=str(FAKETIME), FAKETIME="-1d"),
    "PYTHON junk": having(PYTHONIOENCODING="nonsense"),
    "PYTHONWARN": having(PYTHONWARNINGS="error", PYTHONDEVMODE="1"),
}

@pytest.mark.parametrize("plugin", PLUGINS)
@pytest.mark.parametrize("fault", FAULTS)
def test_fault(site, plugin, fault):
    before = site.untouched()
    call = FAULTS[fault](site, plugin, site.call(plugin))
    ended = run(call)
    print(fault, plugin, ended.status, repr(ended.first_line[:150]), repr(ended.error[-300:]))
    assert site.untouched() == before
    assert list(site.lab.temporary.iterdir()) == []
    assert_answer(plugin, ended, "OWCU")
    after = run(site.call(plugin))
    assert_answer(plugin, after, "O")
