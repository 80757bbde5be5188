"""Leave the session keyring (keyrings(7)): all processes of a session can read its keys."""

from __future__ import annotations

import errno
import os
import sys

_JOIN_SESSION_KEYRING = 1
# keyctl(2)'s number in the kernel's tables of system calls, for 64 and for 32 bits.
_NUMBERS = {
    "x86_64": (250, 288), "i386": (None, 288), "i486": (None, 288), "i586": (None, 288),
    "i686": (None, 288), "aarch64": (219, 311), "armv8l": (None, 311), "armv7l": (None, 311),
    "armv6l": (None, 311), "armv5tel": (None, 311), "riscv64": (219, None),
    "loongarch64": (219, None), "ppc64": (271, 271), "ppc64le": (271, 271), "ppc": (None, 271),
    "s390x": (280, 280), "mips64": (5241, 4282), "mips": (None, 4282),
}  # fmt: skip
_NONE_HERE = (errno.ENOSYS, errno.EPERM)  # from the kernel; from a container that forbids the call


def leave_session() -> None:
    """Join a new, empty session keyring that only this process and its children have.

    Call it before changing the user, whose quota could make it fail. Raises `OSError` if the kernel
    has keyrings and the old one can't be left.
    """
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    number = _number(os.uname().machine, sys.maxsize > 1 << 32)
    if number is not None:
        failed = libc.syscall(ctypes.c_long(number), ctypes.c_long(_JOIN_SESSION_KEYRING), None)
    elif os.path.exists("/proc/keys"):
        library = ctypes.CDLL("libkeyutils.so.1", use_errno=True)
        failed = library.keyctl_join_session_keyring(None)
    else:
        return
    if failed == -1 and ctypes.get_errno() not in _NONE_HERE:
        reason = os.strerror(ctypes.get_errno())
        raise OSError(ctypes.get_errno(), f"no session keyring of its own: {reason}")


def _number(machine: str, wide: bool) -> int | None:
    """Return the number for a process of this width; ``None`` for a machine not in the tables."""
    of_wide, of_narrow = _NUMBERS.get(machine, (None, None))
    return of_wide if wide else of_narrow
