"""One process at a time writes into a run folder.

The lock is the kernel's (``flock`` on ``RUN/.lock``), so it dies with its owner, however that ends; the file itself
says who holds it, for the message that others get, and means nothing when nobody does. Over NFS Linux turns
it into a lock of the server (version 3 needs its lock service); where a file system knows no locks at all
a warning says so, and the folder is in the user's care.
"""

from __future__ import annotations

import contextlib
import datetime
import errno
import fcntl
import json
import os
import socket
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attnprobe.errors import AttnprobeError, AttnprobeWarning

__all__ = ["NAME", "only_writer"]

NAME = ".lock"
HELD = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)
NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Be the only one that writes into a folder for as long as the context lasts.

    Raises
    ------
    AttnprobeError
        When another process (or another part of this one) is writing there, or nobody may write there.
    """
    descriptor = _taken(folder)
    try:
        _sign(descriptor)
        yield
    finally:
        with contextlib.suppress(OSError):
            (folder / NAME).unlink()
        os.close(descriptor)


def _taken(folder: Path) -> int:
    """A descriptor of the lock file, locked."""
    path = folder / NAME
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise AttnprobeError(
                f"Cannot write into {folder}: {reason}. Choose a place where you may write, or make room; "
                "to look at the run (attnprobe query, show) it need not be writable."
            ) from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in HELD:
                owner = _signature(descriptor)
                os.close(descriptor)
                raise AttnprobeError(
                    f"{folder} is being written by another process{owner}. Wait until it has ended, or stop it "
                    "(nothing that it finished is lost); looking at the run is possible meanwhile."
                ) from None
            if error.errno not in NO_LOCKS:
                os.close(descriptor)
                raise AttnprobeError(f"Cannot lock {folder}: {(error.strerror or str(error)).lower()}.") from None
            warnings.warn(
                f"The file system of {folder} knows no locks: make sure yourself that no other process writes there.",
                AttnprobeWarning,
                stacklevel=4,
            )
            return descriptor
        if _is(descriptor, path):
            return descriptor
        os.close(descriptor)  # its last owner removed it after we had opened it: that lock is nobody's


def _is(descriptor: int, path: Path) -> bool:
    """Whether the open file is the one at the path."""
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    return os.path.samestat(os.fstat(descriptor), there)


def _sign(descriptor: int) -> None:
    who = {
        "process": os.getpid(),
        "host": socket.gethostname(),
        "since": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])[:200] if sys.argv else "",
    }
    with contextlib.suppress(OSError):  # a full disk: the lock holds without a name
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(who).encode(), 0)


def _signature(descriptor: int) -> str:
    """Who holds the lock, as far as it says."""
    try:
        who = json.loads(os.pread(descriptor, 2000, 0))
        return f" ({who['command']!r}, process {int(who['process'])} on {who['host']!r}, since {who['since']!r})"
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""
