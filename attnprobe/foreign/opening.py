"""Opening a file of weights: an ordinary file of a reasonable size, read once, so that what is checked is used."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from attnprobe.errors import AttnprobeError

__all__ = ["LARGEST_FILE", "REMEDY", "SHOWN", "read_once", "shown"]

LARGEST_FILE = 64 * 2**20  # bytes; the largest network that Config allows, with Adam's state, has 1.5 million
REMEDY = "Save the weights alone: torch.save(model.state_dict(), 'weights.pt')."
SHOWN = 60  # characters of a name that comes from a file

KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe (FIFO)",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def shown(name: object) -> str:
    """A name from a file, escaped and cut, so that it can be printed on a terminal."""
    text = str(name)
    return repr(text if len(text) <= SHOWN else text[:SHOWN] + "...")


def read_once(path: Path) -> bytes:
    """The bytes of an ordinary file of at most LARGEST_FILE bytes.

    Raises
    ------
    AttnprobeError
        For a folder, a pipe, a device, an empty or too large file, or one that cannot be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe must not keep us waiting
        try:
            about = os.fstat(descriptor)
            if not stat.S_ISREG(about.st_mode):
                kind = KINDS.get(stat.S_IFMT(about.st_mode), "no ordinary file")
                raise AttnprobeError(f"{path} is {kind}, not a file of weights (.pt, .pth or .safetensors).")
            _check_size(path, about.st_size)
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                data = file.read(about.st_size + 1)
        finally:
            os.close(descriptor)
    except AttnprobeError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a path that the system cannot have
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise AttnprobeError(f"Cannot read {path}: {reason}.") from None
    if len(data) != about.st_size:
        raise AttnprobeError(f"{path} changed while it was read. Run the same command again when it is whole.")
    return data


def _check_size(path: Path, size: int) -> None:
    if size == 0:
        raise AttnprobeError(f"{path} is empty. It should hold a state dict (.pt, .pth or .safetensors).")
    if size > LARGEST_FILE:
        raise AttnprobeError(
            f"{path} has {size:,} bytes; files of weights are read up to {LARGEST_FILE:,}. "
            f"The largest network that attnprobe knows takes far less. {REMEDY}"
        )
