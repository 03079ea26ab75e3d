"""The files of a run folder: read as the manifest records them, changed together or not at all.

A change is written in an order that a crash cannot hurt: first the manifest says what is about to be written, then the
files are, then it names them; a file is removed only after the manifest has ceased to name it. So every file in
the folder is accounted for at any moment, and whoever writes next sweeps up what was begun (``_recover``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attnprobe.errors import AttnprobeError
from attnprobe.files import is_temporary, read_bytes, remove, sha256, write_bytes
from attnprobe.store import lock
from attnprobe.store.manifest import NAME, FileRecord, Manifest, read_manifest

__all__ = ["OWN", "Folder", "again"]

OWN = ("shards", "tables", "figures", "figures/slides", "figures/dark")  # subfolders that attnprobe makes


def again(path: Path, origin: str) -> str:
    """What to do where a shard is bad."""
    if origin == "imported":
        return (
            f"Put back a copy of it, or set it aside (attnprobe verify {path} --repair) and import its weights again."
        )
    return f"Put back a copy of it, or train its seeds again: attnprobe verify {path} --repair"


class Folder:
    """A run folder and its manifest."""

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path = path
        self.manifest = manifest
        self._seen: dict[str, tuple[FileRecord, tuple[int, ...]]] = {}  # files that were found whole
        self._writing = 0  # how often this object has asked for the lock that it holds

    # --- reading --------------------------------------------------------------------------------

    def read(self, name: str) -> bytes:
        """A recorded file's bytes, which are those that were written.

        Raises
        ------
        AttnprobeError
            When they are not; it says how, and what to do.
        """
        path = self.path / name
        self._refuse_links(name)
        allowed = self._allowed(name)
        if not path.exists() and not path.is_symlink():
            raise self._bad(name, "is missing")
        size = path.lstat().st_size
        if size not in [record.size for record in allowed] and path.is_file() and not path.is_symlink():
            raise self._bad(name, f"is damaged: it has {size:,} bytes, {allowed[0].size:,} were written")
        data = read_bytes(path, max(record.size for record in allowed), follow=False)
        if sha256(data) not in [record.sha256 for record in allowed]:
            raise self._bad(
                name, f"is damaged: its bytes are not those that were written (their SHA-256 is not that in {NAME})"
            )
        return data

    def _bad(self, name: str, what: str) -> AttnprobeError:
        """What is wrong with a file; or, where the folder has moved on since it was opened, just that."""
        if read_manifest(self.path) != self.manifest:
            return AttnprobeError(f"{self.path} was changed by another process while it was read. Open it again.")
        return AttnprobeError(f"{self.path / name} {what}. {self._remedy(name)}")

    def whole(self, name: str) -> Path:
        """The path of a recorded file whose bytes are those that were written; they are read only once."""
        path = self.path / name
        record = self.manifest.files[name]
        if self._seen.get(name) != (record, _stamp(path)):
            stamp = _stamp(path)
            self.read(name)
            self._seen[name] = (record, stamp)
        return path

    def _allowed(self, name: str) -> list[FileRecord]:
        """As what a file may be found: while it is being replaced, as what it was and as what it will be."""
        records = [self.manifest.files.get(name), self.manifest.writing.get(name)]
        return [record for record in records if record is not None]

    def _refuse_links(self, name: str) -> None:
        for folder in list(Path(name).parents)[:-1]:
            if (self.path / folder).is_symlink():
                raise AttnprobeError(f"{self.path / folder} is a link, and none is followed out of a run folder.")

    def _remedy(self, name: str) -> str:
        if name.startswith("shards/"):
            return again(self.path, self.manifest.origin)
        if name.startswith("tables/"):
            return f"Compute it again: attnprobe analyze {self.path}"
        return f"Draw it again: attnprobe report {self.path}"

    # --- writing --------------------------------------------------------------------------------

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Be the only writer, on the newest state of the folder; may be asked for again by the one that is."""
        if self._writing:
            self._writing += 1
            try:
                yield
            finally:
                self._writing -= 1
            return
        with lock.only_writer(self.path):
            self._writing = 1
            try:
                self.manifest = read_manifest(self.path)
                self._recover()
                yield
            finally:
                self._writing = 0

    def commit(
        self,
        files: Mapping[str, bytes] | None = None,
        *,
        remove: Iterable[str] = (),
        forget: Iterable[str] = (),
        **changes: Any,
    ) -> None:
        """Write files, remove others and change the manifest: all of it or, after a crash, none.

        Files to forget stay where they are; the manifest ceases to name them.
        (A crash while files are replaced leaves some old and some new ones, each of them whole and known.)
        """
        files = dict(files or {})
        records = {name: FileRecord.of(data) for name, data in files.items()}
        removing = tuple(name for name in remove if name in self.manifest.files and name not in files)
        with self.writing():
            changed = {name: record for name, record in records.items() if not self._is_there(name, record)}
            if changed:
                self._write(self.manifest.changed(writing=changed))
            for name in changed:
                self._refuse_links(name)
                write_bytes(self.path / name, files[name])
            gone = {*removing, *forget}
            known = {name: record for name, record in self.manifest.files.items() if name not in gone}
            after = self.manifest.changed(files={**known, **records}, writing={}, removing=removing, **changes)
            if after != self.manifest:
                self._write(after)
            if removing:
                self._recover()

    def _is_there(self, name: str, record: FileRecord) -> bool:
        """Whether the file is there already, as it is to be."""
        if self.manifest.files.get(name) != record:
            return False
        try:
            self.read(name)
        except AttnprobeError:
            return False
        return True

    def _write(self, manifest: Manifest) -> None:
        write_bytes(self.path / NAME, manifest.encoded())
        self.manifest = manifest

    def _recover(self) -> None:
        """Finish what a process that was stopped had begun, and sweep up what it left."""
        manifest = self.manifest
        for name in manifest.removing:
            self._refuse_links(name)
            remove(self.path / name)
        for name in set(manifest.writing) - set(manifest.files):  # a new file that nothing speaks of yet
            self._refuse_links(name)
            remove(self.path / name)
        found = {name: self._found(name) for name in manifest.writing if name in manifest.files}
        if manifest.removing or manifest.writing:
            self._write(manifest.changed(files={**manifest.files, **found}, writing={}, removing=()))
        for folder in (self.path, *(self.path / own for own in OWN)):
            if folder.is_dir() and not folder.is_symlink():
                for path in folder.iterdir():
                    if is_temporary(path):
                        remove(path)

    def _found(self, name: str) -> FileRecord:
        """As what a file is there that was being replaced; where it is damaged, as what it was."""
        old, new = self.manifest.files[name], self.manifest.writing[name]
        try:
            return new if FileRecord.of(self.read(name)) == new else old
        except AttnprobeError:
            return old


def _stamp(path: Path) -> tuple[int, ...]:
    """Changes when the file does."""
    try:
        found = path.lstat()
    except OSError:
        return ()
    return (found.st_ino, found.st_size, found.st_mtime_ns)
