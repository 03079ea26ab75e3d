"""Files: written whole or not at all, read without being led astray. The one place that puts bytes on the disk.

What :func:`write_bytes` returned from survives a crash of the machine: the bytes, the file's name and the folders on
the way to it have been synchronised (fsync). A crash in its midst leaves the file as it was, and perhaps a
temporary file, whose name :func:`is_temporary` knows.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
import tempfile
from pathlib import Path

from attnprobe.errors import AttnprobeError

__all__ = ["is_temporary", "make_folder", "move", "read_bytes", "remove", "sha256", "write_bytes"]

TEMPORARY = ".part"  # ends the name of a file that is being written


def sha256(data: bytes) -> str:
    """The SHA-256 of some bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def read_bytes(path: Path, most: int | None = None, *, follow: bool = True) -> bytes:
    """A file's bytes, or one clear error.

    Parameters
    ----------
    path : Path
    most : int, optional
        Bytes that are read at most; a longer file is refused before any of it is read.
    follow : bool
        Whether a symbolic link at ``path`` is followed; if not, it is refused.

    Raises
    ------
    AttnprobeError
        When it cannot be read, is too long, or is no plain file: a pipe would be waited for, a device have no end.
    """
    try:
        with os.fdopen(_opened(path, follow), "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise AttnprobeError(f"Cannot read {path}: it is no plain file.")
            if most is not None and found.st_size > most:
                raise AttnprobeError(f"Cannot read {path}: it has {found.st_size:,} bytes; at most {most:,} are read.")
            return file.read() if most is None else file.read(most)
    except OSError as error:
        if not follow and path.is_symlink():
            raise AttnprobeError(
                f"Cannot read {path}: it is a link, and none is followed out of a run folder."
            ) from None
        raise AttnprobeError(f"Cannot read {path}: {_reason(error)}.") from None


def make_folder(path: Path) -> None:
    """Make a folder and its parents, or raise one clear error."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    try:
        path.mkdir(parents=True, exist_ok=True)
        for folder in missing:
            _sync_folder(folder.parent)
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
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=TEMPORARY, dir=path.parent)
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


def is_temporary(path: Path) -> bool:
    """Whether a file is one that :func:`write_bytes` was writing."""
    return re.fullmatch(r"\..+\.\w{8}" + re.escape(TEMPORARY), path.name) is not None


def remove(path: Path) -> None:
    """Remove a file, if it is there."""
    try:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
            _sync_folder(path.parent)
    except OSError as error:
        raise AttnprobeError(f"Cannot remove {path}: {_reason(error)}.") from None


def move(path: Path, to: Path) -> None:
    """Move a file within its file system; nothing that is there is overwritten."""
    make_folder(to.parent)
    if to.exists() or to.is_symlink():
        raise AttnprobeError(f"Cannot move {path} to {to}: there is something already.")
    try:
        path.rename(to)
        for folder in {path.parent, to.parent}:
            _sync_folder(folder)
    except OSError as error:
        raise AttnprobeError(f"Cannot move {path} to {to}: {_reason(error)}.") from None


def _opened(path: Path, follow: bool) -> int:
    """A descriptor for reading; a pipe without a writer does not keep us waiting."""
    return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW))


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
