"""A process leaves its session keyring if there is one, on any machine."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys

import pytest
from check_duplicity.system import keyring

# What a process of its own says, since it leaves the keyring for good.
LEAVING = """
import os, sys
from check_duplicity.system import keyring
{change}
try:
    keyring.leave_session()
except OSError as error:
    print(error.errno, error.strerror)
else:
    print("left")
"""


def told(change: str = "") -> str:
    """How leaving ends, in a process where something is changed before."""
    words = [sys.executable, "-I", "-c", LEAVING.format(change=change)]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


def test_it_is_left() -> None:
    assert told() == "left"


def test_the_number_of_this_machine_is_the_kernels() -> None:
    source = "#include <sys/syscall.h>\nnumber SYS_keyctl __NR_keyctl\n"
    try:
        done = subprocess.run(
            ["cc", "-E", "-P", "-"], input=source, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs a compiler and the C library's headers")
    [number] = re.findall(r"^number \S+ (\d+)$", done.stdout, re.M)
    assert keyring._number(os.uname().machine, wide=sys.maxsize > 1 << 32) == int(number)


def test_a_kernel_without_keyrings_has_none_to_leave() -> None:
    assert told("keyring._number = lambda *machine: 250_000") == "left"


@pytest.mark.skipif(not os.path.exists("/proc/keys"), reason="the kernel has no keyrings")
def test_a_machine_that_is_not_in_the_table_needs_the_library() -> None:
    unknown = "keyring._number = lambda *machine: None; import ctypes; real = ctypes.CDLL"
    calls = "ctypes.CDLL = lambda name, **more: real(name, **more) if name is None else Library()"
    library = "class Library: keyctl_join_session_keyring = lambda self, name: print(name) or 5"
    assert told(f"{unknown}\n{library}\n{calls}") == "None\nleft"
    # Without it nothing goes on as if the keys were left.
    gone = "ctypes.CDLL = lambda name, **more: real(name and '/nowhere', **more)"
    assert "left" not in told(f"{unknown}\n{gone}")


def test_what_else_fails_is_said() -> None:
    refused = "import ctypes; ctypes.get_errno = lambda: {}; keyring._number = lambda *m: 250_000"
    assert told(refused.format(errno.EDQUOT)).startswith(f"{errno.EDQUOT} no session keyring")
    assert told(refused.format(errno.EPERM)) == "left"
