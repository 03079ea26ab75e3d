"""Writing files: whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest
import snapshot

from attnprobe.errors import AttnprobeError, did_you_mean
from attnprobe.files import make_folder, read_bytes, sha256, write_bytes


def fail(number: int):
    def failing(*_, **__):
        raise OSError(number, os.strerror(number))

    return failing


def test_bytes_come_back_with_their_checksum(tmp_path) -> None:
    path = tmp_path / "new" / "folder" / "file"
    data = bytes(range(256)) * 7
    assert write_bytes(path, data) == sha256(data) == hashlib.sha256(data).hexdigest()
    assert read_bytes(path) == data
    assert write_bytes(path, b"") == hashlib.sha256(b"").hexdigest()
    assert snapshot.files(tmp_path) == {"new/": b"", "new/folder/": b"", "new/folder/file": b""}


def test_others_may_read_as_the_umask_says(tmp_path) -> None:
    before = os.umask(0o027)
    try:
        write_bytes(tmp_path / "file", b"x")
        assert os.umask(0o027) == 0o027  # and the mask is as it was
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("function", ["replace", "fsync", "fchmod"])
@pytest.mark.parametrize(
    ("number", "reason"),
    [(errno.ENOSPC, "no space left on device"), (errno.EDQUOT, "disk quota exceeded")],
)
def test_a_failed_write_leaves_what_was_there(tmp_path, monkeypatch, function, number, reason) -> None:
    path = tmp_path / "file"
    write_bytes(path, b"old")
    with monkeypatch.context() as patch:
        patch.setattr(os, function, fail(number))
        with pytest.raises(AttnprobeError) as error:
            write_bytes(path, b"new")
    assert str(error.value) == (
        f"Cannot write {path}: {reason}. What was there before is unchanged; "
        "make room or choose another place, then run the same command again."
    )
    assert snapshot.files(tmp_path) == {"file": b"old"}


def test_an_interrupted_write_leaves_what_was_there(tmp_path, monkeypatch) -> None:
    path = tmp_path / "file"
    write_bytes(path, b"old")

    def interrupt(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", interrupt)
        with pytest.raises(KeyboardInterrupt):
            write_bytes(path, b"new")
    assert snapshot.files(tmp_path) == {"file": b"old"}


def test_the_file_is_synced_before_it_takes_the_name_and_the_folder_after(tmp_path, monkeypatch) -> None:
    calls = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (calls.append(str(Path(f"/proc/self/fd/{fd}").readlink())), fsync(fd)))
    monkeypatch.setattr(os, "replace", lambda a, b: (calls.append("replace"), replace(a, b)))
    write_bytes(tmp_path / "file", b"x")
    temporary, middle, folder = calls
    assert Path(temporary).parent == tmp_path
    assert middle == "replace"
    assert folder == str(tmp_path)


def test_a_file_that_is_not_there(tmp_path) -> None:
    with pytest.raises(AttnprobeError) as error:
        read_bytes(tmp_path / "absent")
    assert str(error.value) == f"Cannot read {tmp_path / 'absent'}: no such file or directory."


def test_a_folder_below_a_file(tmp_path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(AttnprobeError) as error:
        make_folder(tmp_path / "file" / "folder")
    assert str(error.value) == (
        f"Cannot make the folder {tmp_path / 'file' / 'folder'}: not a directory. Choose a place where you may write."
    )


def test_did_you_mean() -> None:
    assert did_you_mean("setps", ["steps", "seeds"]) == " Did you mean 'steps'?"
    assert did_you_mean("banana", ["steps", "seeds"]) == ""
    assert did_you_mean("x", iter([])) == ""
