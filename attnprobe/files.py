"""Writing files: whole or not at all. The one place in the package that puts bytes on disk."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path

from attnprobe.errors import AttnprobeError

__all__ = ["make_folder", "read_bytes", "sha256", "write_bytes"]


def sha256(data: bytes) -> str:
    """The SHA-256 of some bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def read_bytes(path: Path) -> bytes:
    """A file's bytes, or one clear error."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise AttnprobeError(f"Cannot read {path}: {_reason(error)}.") from None


def make_folder(path: Path) -> None:
    """Make a folder and its parents, or raise one clear error."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AttnprobeError(
            f"Cannot make the folder {path}: {_reason(error)}. Choose a place where you may write."
        ) from None


def write_bytes(path: Path, data: bytes) -> str:
    """Write a file so that after a crash it is there whole, or as it was before; returns its SHA-256.

    Temporary file in the same folder, fsync, rename, fsync of the folder.
    """
    make_folder(path.parent)
    temporary: str | None = None
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), 0o666 & ~_umask())
            os.fsync(file.fileno())
        Path(temporary).replace(path)
        temporary = None
        _sync_folder(path.parent)
    except OSError as error:
        raise AttnprobeError(
            f"Cannot write {path}: {_reason(error)}. What was there before is unchanged; "
            "make room or choose another place, then run the same command again."
        ) from None
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
    return sha256(data)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
