"""An import that is killed anywhere: what joined the run stays, and the same command ends with the same bytes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import students
import torch
from test_crashes import DONE, KILLED, Server, files, server, sound, state

__all__ = ["server"]  # a fixture

IMPORT = ("import", "RUN", *(f"net{i}.pt" for i in range(66)))


@pytest.fixture(scope="module")
def whole(server: Server, tmp_path_factory) -> tuple[Path, int]:
    """Two shards of networks, imported without interruption, and the disk operations that it took."""
    place = tmp_path_factory.mktemp("imported")
    for i in range(66):
        torch.manual_seed(i)
        torch.save(students.Plain(vocab=5, dim=2, att=2, hidden=3).state_dict(), place / f"net{i}.pt")
    code, operations = server(place, IMPORT)
    assert code == DONE
    assert state(place / "run") == (66, set(), 0)
    return place, operations


def weights_in(whole: tuple[Path, int], place: Path) -> Path:
    place.mkdir()
    for i in range(66):
        (place / f"net{i}.pt").symlink_to(whole[0] / f"net{i}.pt")
    return place


def test_killed_at_every_operation_on_the_disk(server: Server, whole, tmp_path) -> None:
    seen = set()
    for number in range(whole[1]):
        place = weights_in(whole, tmp_path / str(number))
        assert server(place, IMPORT, operation=number) == (KILLED, number)
        sound(place / "run")
        seen.add(state(place / "run")[0])
        assert server(place, IMPORT)[0] == DONE
        assert files(place / "run") == files(whole[0] / "run"), number
        shutil.rmtree(place)
    assert seen == {0, 64, 66}  # shard by shard, each of them whole


@pytest.mark.parametrize("largest", [0, 1_000, 10_000])
def test_a_disk_that_is_full(server: Server, whole, tmp_path, largest) -> None:
    place = weights_in(whole, tmp_path / "place")
    assert server(place, IMPORT, largest=largest)[0] == 2
    sound(place / "run")
    assert server(place, IMPORT)[0] == DONE
    assert files(place / "run") == files(whole[0] / "run")
