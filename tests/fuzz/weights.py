"""Files of weights from elsewhere: torch's, in both of its forms, and safetensors.

Whatever is in them, no code runs: a file that asks for it is refused. What is accepted is a network: numbers of the
right shapes, all finite unless asked otherwise.
"""

from __future__ import annotations

import io
import json
import pickle
import random
import zipfile
from pathlib import Path

import numpy as np
import planted
import safetensors.numpy
import torch

from attnprobe.foreign.weights import read_weights
from fuzz import mutate
from fuzz.room import Case, Room, Wrong

CONFIG = planted.settings()


class Bomb:
    """Touches a file when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (self.target,)  # type: ignore[return-value]


class Weights(Room):
    """``attnprobe import``."""

    name = "weights"

    def __init__(self, place: Path) -> None:
        super().__init__(place)
        self.touched = place / "touched"
        state = {
            name: torch.from_numpy(value) for name, value in planted.random(CONFIG, np.random.default_rng(1)).items()
        }
        bomb = Bomb(self.touched)
        self.sound = {
            "new.pt": saved(state),
            "old.pt": saved(state, _use_new_zipfile_serialization=False),
            "dict.pth": saved({"epoch": 3, "model": state, "loss": 0.5}),
            "plain.safetensors": safetensors.numpy.save({name: value.numpy() for name, value in state.items()}),
            "double.pt": saved({name: value.double() for name, value in state.items()}),
            "bomb.pt": saved({**state, "bomb": bomb}),
            "bomb.pkl.pt": pickle.dumps({"query": bomb}),
        }
        for name, data in self.sound.items():
            (place / name).write_bytes(data)
            if "bomb" not in name:
                read_weights(place / name)

    def case(self, draw: random.Random) -> Case:
        name = draw.choice(sorted(self.sound))
        data = self.sound[name]
        others = self.sound[draw.choice(sorted(self.sound))]
        kind = draw.randrange(4)
        if kind == 0 and name.endswith("safetensors"):
            data = header(draw, data)
        elif kind <= 1 and zipfile.is_zipfile(io.BytesIO(data)):
            data = rezipped(draw, data, others)
        else:
            data = mutate.data(draw, data, others)
        if draw.random() < 0.05:
            name = draw.choice(("a.pt", "a.safetensors", "a.bin", "a.pkl", "a"))
        path = self.place / f"case-{name}"

        def run() -> str:
            path.write_bytes(data)
            found = read_weights(path)
            if self.touched.exists():
                self.touched.unlink()
                raise Wrong("code of the file was run")
            for key, value in found.weights.items():
                if value.dtype != np.float32 or not np.isfinite(value).all():
                    raise Wrong(f"{key} is {value.dtype}, or not finite")
            return "accepted"

        return Case(f"{name}: {data[:3000]!r}", run)


def saved(value: object, **options: bool) -> bytes:
    """As torch writes it."""
    buffer = io.BytesIO()
    torch.save(value, buffer, **options)
    return buffer.getvalue()


def header(draw: random.Random, data: bytes) -> bytes:
    """A safetensors file with another header."""
    length = int.from_bytes(data[:8], "little")
    said = json.loads(data[8 : 8 + length])
    for _ in range(draw.choice((1, 1, 3))):
        said = mutate.structure(draw, said)
    text = json.dumps(said).encode(errors="surrogatepass")
    return len(text).to_bytes(8, "little") + text + data[8 + length :]


def rezipped(draw: random.Random, data: bytes, other: bytes) -> bytes:
    """An archive in which one member was changed, so that its own checksums are right."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w") as new:
        chosen = draw.choice(old.namelist())
        pickled = [name for name in old.namelist() if name.endswith("data.pkl")]
        if draw.random() < 0.6:
            chosen = pickled[0]
        for name in old.namelist():
            content = old.read(name)
            if name == chosen:
                kind = draw.randrange(8)
                if kind == 0:
                    continue
                if kind == 1:
                    new.writestr(name, content, zipfile.ZIP_DEFLATED)
                    continue
                if kind == 2:
                    content = content * 2000
                    new.writestr(name, content, zipfile.ZIP_DEFLATED)
                    continue
                content = mutate.data(draw, content, other)
            new.writestr(name, content)
    return buffer.getvalue()
