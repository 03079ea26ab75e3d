"""Power loss, simulated: only what was synchronised survives. The folder opens, the same call ends with the same bytes.

The simulation is the worst that a file system may do by its rules: a file has the bytes of its last fsync, or none at
all where there was none; a folder has the entries of its own last fsync.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
import snapshot

import analyses
import attnprobe as ap
from attnprobe import files
from attnprobe.verify import verify

SEEDS = [2, 3, 5]


class PowerLoss(BaseException):
    """The lights go out."""


class Disk:
    """Remembers what fsync has made durable, and what would be left of a folder if the power went now."""

    def __init__(self, root: Path, patch: pytest.MonkeyPatch, last: int | None = None) -> None:
        self.root, self.last, self.synced = root, last, 0
        self.contents: dict[int, bytes] = {}  # by inode
        self.entries: dict[int, dict[str, int]] = {}
        self.kinds: dict[int, int] = {}
        self._handles: dict[int, int] = {}
        self._learn(root)
        self._fsync = os.fsync
        patch.setattr(os, "fsync", self.fsync)

    def _learn(self, path: Path) -> None:
        """What lay there before is durable."""
        found = path.lstat()
        self.kinds[found.st_ino] = found.st_mode
        if path.is_dir():
            self.entries[found.st_ino] = {entry.name: entry.lstat().st_ino for entry in path.iterdir()}
            for entry in path.iterdir():
                self._learn(entry)
        else:
            self.contents[found.st_ino] = path.read_bytes()

    def fsync(self, descriptor: int) -> None:
        if self.synced == self.last:
            raise PowerLoss
        self.synced += 1
        self._fsync(descriptor)
        found = os.fstat(descriptor)
        self.kinds[found.st_ino] = found.st_mode
        if stat.S_ISDIR(found.st_mode):
            with os.scandir(descriptor) as entries:
                self.entries[found.st_ino] = {entry.name: self._held(entry, descriptor) for entry in entries}
        else:
            self.contents[found.st_ino] = Path(f"/proc/self/fd/{descriptor}").read_bytes()

    def _held(self, entry: os.DirEntry, folder: int) -> int:
        """The entry's inode, which is not given to another file while we look: no file system would before a crash."""
        if entry.inode() not in self._handles:
            self._handles[entry.inode()] = os.open(entry.name, os.O_PATH | os.O_NOFOLLOW, dir_fd=folder)
        return entry.inode()

    def close(self) -> None:
        for handle in self._handles.values():
            os.close(handle)

    def left(self, to: Path) -> None:
        """Make what is left of the folder, elsewhere."""
        self._make(self.root.lstat().st_ino, to)

    def _make(self, inode: int, to: Path) -> None:
        kind = self.kinds.get(inode)
        if inode in self.entries or (kind is not None and stat.S_ISDIR(kind)):
            to.mkdir()
            for name, entry in self.entries.get(inode, {}).items():
                self._make(entry, to / name)
        elif kind is None and inode in self.folders():
            to.mkdir()  # made, its entry durable, but never synchronised itself: empty
        else:
            to.write_bytes(self.contents.get(inode, b""))

    def folders(self) -> set[int]:
        return {path.lstat().st_ino for path in self.root.rglob("*") if path.is_dir()}


def story(run: Path, config: ap.Config) -> None:
    """Train, more seeds, tables, a report, more steps, tables again."""
    ap.train(config, SEEDS, run, shard_size=2, threads=1)
    analyses.write(ap.open_run(run), ["history"])
    ap.open_run(run).write_files({"report.pdf": b"%PDF one", "figures/focus.png": b"PNG one"})
    ap.train(config.model_copy(update={"steps": 53}), [7], run, threads=1)
    analyses.write(ap.open_run(run), ["history"])
    ap.open_run(run).write_files({"report.pdf": b"%PDF two", "figures/focus.png": b"PNG two"})


def kept(folder: Path) -> dict[str, bytes]:
    """All but the lock file, which may come back from a crash and means nothing then."""
    return {name: data for name, data in snapshot.files(folder).items() if not name.endswith(".lock")}


def test_power_loss_at_every_fsync(odd_config, tmp_path, monkeypatch) -> None:
    (tmp_path / "whole").mkdir()
    with monkeypatch.context() as patch:
        disk = Disk(tmp_path / "whole", patch)
        story(tmp_path / "whole" / "run", odd_config)
    assert disk.synced > 60
    disk.left(tmp_path / "after")  # when all is done, all is durable
    disk.close()
    assert kept(tmp_path / "after") == kept(tmp_path / "whole")
    for last in range(disk.synced):
        place, left = tmp_path / f"{last} lost", tmp_path / f"{last} left"
        place.mkdir()
        with monkeypatch.context() as patch:
            dying = Disk(place, patch, last)
            with pytest.raises(PowerLoss):
                story(place / "run", odd_config)
        dying.left(left)
        dying.close()
        run = left / "run"
        if (run / "run.json").exists():
            assert [finding for finding in verify(run).findings if finding.kind != "old"] == [], last
        again(run, odd_config)
        assert kept(left) == kept(tmp_path / "whole"), last


def again(run: Path, config: ap.Config) -> None:
    """The same commands, from the one on that had not ended."""
    steps = ap.open_run(run).config.steps if (run / "run.json").exists() else 0
    if steps != 53:
        story(run, config)
        return
    ap.train(config.model_copy(update={"steps": 53}), [7], run, threads=1)
    analyses.write(ap.open_run(run), ["history"])
    ap.open_run(run).write_files({"report.pdf": b"%PDF two", "figures/focus.png": b"PNG two"})


@pytest.mark.parametrize("without", ["_sync_folder", "fsync"])
def test_the_simulation_notices_what_is_not_synchronised(odd_config, tmp_path, monkeypatch, without) -> None:
    """A store that left out either kind of fsync would lose its run here."""
    (tmp_path / "whole").mkdir()
    with monkeypatch.context() as patch:
        disk = Disk(tmp_path / "whole", patch)
        if without == "fsync":
            real = os.fsync
            patch.setattr(os, "fsync", lambda d: real(d) if stat.S_ISDIR(os.fstat(d).st_mode) else None)
        else:
            patch.setattr(files, "_sync_folder", lambda folder: None)
        ap.train(odd_config, SEEDS, tmp_path / "whole" / "run", threads=1)
    disk.left(tmp_path / "left")
    disk.close()
    run = tmp_path / "left" / "run"
    assert not (run / "run.json").exists() or (run / "run.json").read_bytes() == b""
