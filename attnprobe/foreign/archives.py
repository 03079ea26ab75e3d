"""Torch files and safetensors: from bytes to tensors by name, each size checked before it is used.

Three forms are read: the zip archive that ``torch.save`` writes since 2020, the sequence of pickles that it
wrote before, and safetensors. Torch files are loaded by ``torch.load(weights_only=True)``, after
:mod:`attnprobe.foreign.pickles` has gone through them.
"""

from __future__ import annotations

import io
import json
import struct
import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch

from attnprobe.errors import AttnprobeError
from attnprobe.foreign.opening import LARGEST_FILE, REMEDY, shown
from attnprobe.foreign.pickles import NotPlainError, walk

__all__ = ["METADATA", "unpack"]

METADATA = "attnprobe"  # the one key of a safetensors export's metadata
MOST_ENTRIES = 10_000
LARGEST_HEADER = 2**20  # bytes of a safetensors header
LARGEST_METADATA = 10_000  # characters
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_PROTOCOL = 1001


def unpack(path: Path, data: bytes) -> tuple[Any, str | None]:
    """What a file of weights holds: tensors in dicts, and the text of attnprobe's metadata if there is one.

    Raises
    ------
    AttnprobeError
        When it is of no known form, damaged, or needs pickle.
    """
    if data[:4] == b"PK\x03\x04":
        return _zip(path, data), None
    if data[:2] == b"\x80\x02":
        return _legacy(path, data), None
    if path.suffix == ".safetensors" or (len(data) > 8 and data[8:9] == b"{"):
        return _safetensors(path, data)
    if data[:1] == b"\x80":
        raise AttnprobeError(
            f"{path} is a pickle that torch.save did not write; loading it can run any code, so it is not. {REMEDY}"
        )
    raise AttnprobeError(
        f"{path} is no file of weights: it is neither what torch.save writes (.pt, .pth) nor safetensors, "
        f"or its beginning is damaged. {REMEDY}"
    )


def _damaged(path: Path, why: str) -> AttnprobeError:
    return AttnprobeError(f"{path} is damaged or cut short: {why}. Copy it again from where it was made.")


# --- the zip archive -------------------------------------------------------------------------------------


def _zip(path: Path, data: bytes) -> Any:
    records = _records(path, data)
    if "data.pkl" not in records or "version" not in records:
        raise AttnprobeError(
            f"{path} is a zip archive, but not one that torch.save writes: it has no "
            f"{'data.pkl' if 'version' in records else 'version'}. {REMEDY}"
        )
    try:
        _, machine, _ = walk(records["data.pkl"])
    except NotPlainError as error:
        raise AttnprobeError(f"{path} {error}. {REMEDY}") from None
    for key, storage in machine.storages.items():
        has = len(records.get(f"data/{key}", b""))
        if has != storage.bytes:
            raise _damaged(path, f"storage {shown(key)} has {has:,} bytes, and should have {storage.bytes:,}")
    return _load(path, _clean(records, [f"data/{key}" for key in machine.storages]))


def _records(path: Path, data: bytes) -> dict[str, bytes]:
    """The archive's entries by name, without their common first folder."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if len(entries) > MOST_ENTRIES:
                raise AttnprobeError(
                    f"{path} has {len(entries):,} entries; files of weights have at most {MOST_ENTRIES:,}."
                )
            roots = {entry.filename.partition("/")[0] for entry in entries}
            names = [entry.filename.partition("/")[2] for entry in entries]
            if "constants.pkl" in names or any(name.startswith("code/") for name in names):
                raise AttnprobeError(f"{path} is a TorchScript archive: it holds code, not only weights. {REMEDY}")
            total = sum(entry.file_size for entry in entries)
            if total > LARGEST_FILE or any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
                raise AttnprobeError(
                    f"{path} is a compressed archive ({total:,} bytes when unpacked), which torch.save never writes; "
                    f"it is not unpacked. {REMEDY}"
                )
            if len(roots) != 1 or len(set(names)) != len(names):
                raise AttnprobeError(f"{path} is a zip archive, but not one that torch.save writes. {REMEDY}")
            return {name: archive.read(entry) for name, entry in zip(names, entries, strict=True)}
    except AttnprobeError:
        raise
    except Exception as error:  # BadZipFile, and whatever else broken fields of an archive lead to
        raise _damaged(path, f"{type(error).__name__}, {shown(error)}") from None


def _clean(records: dict[str, bytes], storages: list[str]) -> bytes:
    """A new archive of the records that were checked, so that two readers of zip cannot see two things."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in ("data.pkl", "byteorder", *storages, "version"):
            if name in records:
                archive.writestr(zipfile.ZipInfo(f"archive/{name}"), records[name])
    return buffer.getvalue()


# --- the sequence of pickles -----------------------------------------------------------------------------


def _legacy(path: Path, data: bytes) -> Any:
    """Magic number, protocol, a description of the machine, the object, its storages' keys; then their data."""
    try:
        magic, _, place = walk(data)
        if magic != LEGACY_MAGIC:
            raise AttnprobeError(
                f"{path} is a pickle that torch.save did not write; loading it can run any code, so it is not. {REMEDY}"
            )
        protocol, _, place = walk(data, place)
        _, _, place = walk(data, place)
        _, machine, place = walk(data, place)
        keys, place = _keys(data, place)
    except NotPlainError as error:
        raise AttnprobeError(f"{path} {error}. {REMEDY}") from None
    if protocol != LEGACY_PROTOCOL:
        raise _damaged(path, f"its protocol is {shown(protocol)}")
    if sorted(keys) != sorted(machine.storages):  # else a tensor's numbers would be whatever memory holds
        raise _damaged(path, "the list of its storages is not that of its tensors")
    needed = sum(8 + machine.storages[key].bytes for key in keys)
    if len(data) - place != needed:
        raise _damaged(path, f"{len(data) - place:,} bytes of data, where {needed:,} should be")
    return _load(path, data)


def _keys(data: bytes, place: int) -> tuple[list[str], int]:
    """The list of texts that is pickled at ``place``, and where it ends."""
    import pickletools

    stream = io.BytesIO(data)
    stream.seek(place)
    keys: list[str] = []
    try:
        for instruction, arg, _ in pickletools.genops(stream):
            if instruction.name == "BINUNICODE":
                keys.append(str(arg))
            elif instruction.name not in (
                "PROTO",
                "EMPTY_LIST",
                "BINPUT",
                "LONG_BINPUT",
                "MARK",
                "APPENDS",
                "APPEND",
                "STOP",
            ):
                raise NotPlainError("is damaged: the list of its storages is none")
    except ValueError:
        raise NotPlainError("is damaged or cut short: the list of its storages has no end") from None
    return keys, stream.tell()


def _load(path: Path, data: bytes) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of deprecated storages and the like: nothing that a user could act on
            return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises a dozen kinds for files that are not as they should be
        raise _damaged(path, f"torch does not load it ({type(error).__name__})") from None


# --- safetensors -----------------------------------------------------------------------------------------


def _safetensors(path: Path, data: bytes) -> tuple[dict[str, torch.Tensor], str | None]:
    import safetensors.torch

    metadata = _metadata(path, data)
    try:
        return safetensors.torch.load(data), metadata
    except Exception as error:  # SafetensorError, and KeyError for number formats that torch does not have
        raise _damaged(path, f"safetensors does not load it ({type(error).__name__}, {shown(error)})") from None


def _metadata(path: Path, data: bytes) -> str | None:
    """Check the header's size, count and form; the text of attnprobe's metadata if there is one."""
    if len(data) < 10:
        raise _damaged(path, "it ends before its header")
    (size,) = struct.unpack("<Q", data[:8])
    if size > len(data) - 8:
        raise _damaged(path, f"its header should have {size:,} bytes and {len(data) - 8:,} are there")
    if size > LARGEST_HEADER:
        raise AttnprobeError(f"{path} has a header of {size:,} bytes; headers are read up to {LARGEST_HEADER:,}.")
    try:
        header = json.loads(data[8 : 8 + size].decode("utf-8"), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise _damaged(path, f"its header is not JSON ({type(error).__name__})") from None
    if not isinstance(header, dict):
        raise _damaged(path, "its header is no JSON object")
    if len(header) > MOST_ENTRIES:
        raise AttnprobeError(f"{path} has {len(header):,} tensors; files of weights have at most {MOST_ENTRIES:,}.")
    metadata = header.get("__metadata__", {})
    text = metadata.get(METADATA) if isinstance(metadata, dict) else None
    if text is not None and (not isinstance(text, str) or len(text) > LARGEST_METADATA):
        raise _damaged(path, "its metadata is not what attnprobe writes")
    return text


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice")
    return found
