"""What ``run.json`` says, and that it is what attnprobe wrote: the record of every other file of a run folder.

It ends with the SHA-256 of all that stands above, so that a changed digit is noticed here too. What it names can be
nothing but a plain name in the run folder or in one of its own subfolders, and all of it is checked for its
form before anything acts on it: a run folder may come from a stranger.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

import attnprobe
from attnprobe.config import Config
from attnprobe.errors import AttnprobeError
from attnprobe.files import read_bytes, sha256

__all__ = [
    "FORMAT",
    "NAME",
    "UNFINISHED",
    "FileRecord",
    "MadeWith",
    "Manifest",
    "ShardRecord",
    "Source",
    "TableRecord",
    "read_manifest",
]

NAME = "run.json"
FORMAT = 2
UNFINISHED = "-unfinished"  # ends the name of a checkpoint
MOST_BYTES = 32 * 2**20  # of run.json: that of a million seeds in shards of 64 has 4 million, 20 if they are random
MOST_PARTS = 200_000  # objects and lists in it: three a file

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Text = Annotated[str, StringConstraints(max_length=1000)]
FileName = Annotated[
    str,
    StringConstraints(
        pattern=r"^((shards|tables|figures|figures/(slides|dark))/)?[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}$",
    ),
]
ShardName = Annotated[str, StringConstraints(pattern=r"^[0-9]{5,19}-[0-9]{1,10}(-unfinished)?$")]
TableName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,99}$")]
SeedsText = Annotated[str, StringConstraints(pattern=r"^[0-9:,]+$")]


class Part(BaseModel):
    """A part of the manifest: frozen, nothing more in it than is declared, no type taken for another."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class FileRecord(Part):
    """A file as it was written."""

    size: Annotated[int, Field(ge=0)]  # bytes
    sha256: Digest

    @classmethod
    def of(cls, data: bytes) -> FileRecord:
        """The record of a file with these bytes."""
        return cls(size=len(data), sha256=sha256(data))


class ShardRecord(Part):
    """A file of trained seeds: its name, which seeds, and up to which step (unless their training broke off)."""

    name: ShardName
    seeds: SeedsText
    steps: Annotated[int, Field(ge=0)]

    @property
    def unfinished(self) -> bool:
        """Whether it is a checkpoint: some of its seeds have steps to go."""
        return self.name.endswith(UNFINISHED)

    @property
    def file(self) -> str:
        """Its name within the run folder."""
        return f"shards/{self.name}.safetensors"


class TableRecord(Part):
    """What a table was computed from, and what it promised: fingerprints of the weights and of its schema."""

    weights: Digest
    promise: Digest


class Source(Part):
    """A file that imported weights came from."""

    seed: Annotated[int, Field(ge=0)]
    name: Text
    sha256: Digest


class MadeWith(Part):
    """Versions, and the kind of processor."""

    python: Text
    libraries: dict[Text, Text]
    system: Text
    cpu: Text
    cpu_kind: Text
    cores: Annotated[int, Field(ge=1)]


class Manifest(Part):
    """All that ``run.json`` says.

    Attributes
    ----------
    format : int
        Of the folder; this version writes ``FORMAT``.
    attnprobe : str
        Version that began the run.
    origin : str
        ``trained`` here, or ``imported``.
    config : Config
    made_with : MadeWith
    sources : tuple of Source
        Of imported weights.
    shards : tuple of ShardRecord
        The run's seeds, in ascending order of each shard's first seed.
    unfinished : tuple of ShardRecord
        Work that does not belong to the run yet: checkpoints, and shards on their way to more steps.
    tables : dict of TableRecord by name
    files : dict of FileRecord by name
        Every file of the folder but this one.
    drawn : dict of fingerprints by name
        Of the weights that each file of a report shows.
    writing : dict of FileRecord by name
        Files that were being written: each is on disk as ``files`` says, or as this says.
    removing : tuple of str
        Files that were being removed.
    """

    format: int
    attnprobe: Text
    origin: Literal["trained", "imported"]
    config: Config
    made_with: MadeWith
    sources: tuple[Source, ...] = ()
    shards: tuple[ShardRecord, ...] = ()
    unfinished: tuple[ShardRecord, ...] = ()
    tables: dict[TableName, TableRecord] = {}
    files: dict[FileName, FileRecord] = {}
    drawn: dict[FileName, Digest] = {}
    writing: dict[FileName, FileRecord] = {}
    removing: tuple[FileName, ...] = ()

    def changed(self, **changes: Any) -> Manifest:
        """The same but for some attributes."""
        return self.model_copy(update=changes)

    def encoded(self) -> bytes:
        """As ``run.json`` has it: the same manifest gives the same bytes."""
        said = self.model_dump(mode="json")
        for name in ("tables", "files", "drawn", "writing"):
            said[name] = dict(sorted(said[name].items()))
        return _sealed(said)

    @classmethod
    def decoded(cls, data: bytes) -> Manifest:
        """The manifest that these bytes are.

        Raises
        ------
        ValueError
            When they are not what :meth:`encoded` gives.
        """
        return cls._of(_parsed(data), data)

    @classmethod
    def _of(cls, said: dict[str, Any], data: bytes) -> Manifest:
        said.pop("sha256", None)
        if set(said) != set(cls.model_fields) or _sealed(said) != data:
            raise ValueError("changed")
        manifest = cls.model_validate_json(json.dumps(said))
        if manifest.format != FORMAT or manifest.encoded() != data:
            raise ValueError("not as written")
        for record in (*manifest.shards, *manifest.unfinished):
            if record.file not in manifest.files:
                raise ValueError("a shard without its file")
        if any(record.steps != manifest.config.steps or record.unfinished for record in manifest.shards):
            raise ValueError("a shard of other steps")
        if NAME in {*manifest.files, *manifest.writing, *manifest.removing}:
            raise ValueError("it names itself")
        if any(f"tables/{name}.parquet" not in manifest.files for name in manifest.tables):
            raise ValueError("a table without its file")
        return manifest


def read_manifest(path: Path) -> Manifest:
    """The manifest of the run folder at ``path``.

    Raises
    ------
    AttnprobeError
        When ``run.json`` is not what attnprobe wrote, or another version wrote it.
    """
    data = read_bytes(path / NAME, MOST_BYTES, follow=False)
    damaged = AttnprobeError(
        f"{path / NAME} is damaged: it is not what attnprobe wrote. Put back a copy of it, or let "
        f"`attnprobe verify {path} --repair` write it anew from the shards."
    )
    try:
        said = _parsed(data)
        found = said.get("format")
        if type(found) is int and 0 < found < 10**6 and found != FORMAT:
            when = "a newer" if found > FORMAT else "an earlier"
            raise AttnprobeError(
                f"{path} has format {found}; this attnprobe ({attnprobe.__version__}) reads format {FORMAT}. "
                f"Open it with {when} version of attnprobe."
            )
        return Manifest._of(said, data)
    except AttnprobeError:
        raise
    except (ValueError, RecursionError, ValidationError):
        raise damaged from None


def _parsed(data: bytes) -> dict[str, Any]:
    """The object that is written there, unless it has more parts than any run: each would take many times its bytes."""
    if data.count(b"{") + data.count(b"[") > MOST_PARTS or data.count(b'":') > 8 * MOST_PARTS:
        raise ValueError("too many parts")
    said = json.loads(data, parse_constant=_refused)
    if not isinstance(said, dict):
        raise ValueError("no object")
    return said


def _sealed(said: dict[str, Any]) -> bytes:
    """As JSON, its own checksum at the end."""
    said = {**said, "sha256": sha256(json.dumps(said, allow_nan=False).encode())}
    return (json.dumps(said, indent=1, allow_nan=False) + "\n").encode()


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON")
