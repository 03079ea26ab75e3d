"""Run folders that were damaged, forged or made to hurt.

A folder whose bytes were changed must give the numbers that it gave before, or say that it cannot; and ``verify`` must
find it. Where the checksums were computed anew, so that a change cannot be seen, the form of everything is still held
to: what is read has the types and shapes that a run has, and seeds whose files are untouched have their own weights.
Nothing outside of the folder is ever written, and nothing outside of it read through a link.
"""

from __future__ import annotations

import decimal
import hashlib
import io
import json
import math
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import planted
import pyarrow as pa
import pyarrow.parquet as pq

import attnprobe as ap
from attnprobe import query
from attnprobe.cli.output import _encoded
from attnprobe.errors import AttnprobeError
from attnprobe.parameters import parameter_shapes
from attnprobe.schema import Column, Schema
from attnprobe.store import HISTORY, Run
from attnprobe.verify import verify
from fuzz import mutate
from fuzz.room import Case, Room, Wrong, of_message

MIXED = Schema(
    "mixed",
    "row",
    ("row",),
    (
        Column("row", "int64", "", "a number"),
        Column("kind", "string", "", "a text"),
        Column("share", "float64", "share", "a share"),
        Column("right", "bool", "", "a truth"),
    ),
)
CONFIG = planted.settings(snapshots=2, steps=12, history=3)
SEEDS = ((2, 3, 5), (7, 11))
Contents = dict[str, Any]
ODD_COLUMNS = (
    pa.array([1, 2, None]),
    pa.array([1.5, None, math.nan]),
    pa.array([True, None, False]),
    pa.array(["a", None, "b\0"]),
    pa.array(["a", None, "\x1b[31m" * 300]),
    pa.array([2**64 - 1, 0, 1], pa.uint64()),
    pa.array([1, 2, 3], pa.int8()),
    pa.array([1.0, 2.0, 3.0], pa.float32()),
    pa.array([b"a", b"\xff", None]),
    pa.array([None, None, None]),
    pa.array([1, 2, 3], pa.timestamp("ns", "UTC")),
    pa.array([1, 2, 2**40], pa.timestamp("s")),
    pa.array([1, 2, 3], pa.date32()),
    pa.array([1, 2, 3], pa.duration("ms")),
    pa.array([decimal.Decimal("1.5"), None, decimal.Decimal("1e20")], pa.decimal128(38, 2)),
    pa.array([1, 2, 1]).dictionary_encode(),
    pa.array(["a", "b", "a"]).dictionary_encode(),
    pa.array(["a", "b", "a"], pa.large_string()),
    pa.array([[1], [2, 3], None]),
    pa.array([{"a": 1}, None, {"a": 2}]),
)
PANDAS = (
    b"",
    b"{",
    b"[]",
    b"[" * 100_000,
    b'{"index_columns": ["seed"]}',
    b'{"index_columns": [], "columns": [5]}',
    b'{"index_columns": [{"kind": "range", "start": 0, "stop": 9, "step": 0}], "column_indexes": [], "columns": []}',
    b'{"index_columns": ["x"], "column_indexes": [{"name": null}], "columns": [{"field_name": "x", "name": "x", '
    b'"numpy_type": "object", "pandas_type": "evil", "metadata": null}], "pandas_version": "9"}',
)


def made(path: Path, salt: int) -> Path:
    """A sound run of five networks in two shards, with two tables and two files of a report."""
    rng = np.random.default_rng(salt)
    for seeds in SEEDS:
        nets = [planted.random(CONFIG, rng) for _ in seeds]
        kept = [[planted.random(CONFIG, rng) for _ in CONFIG.snapshot_steps] for _ in seeds]
        planted.write(path, CONFIG, nets, seeds, kept)
    run = ap.open_run(path)
    run.write_table(HISTORY, run.history())
    n = 300
    columns = {
        "row": np.arange(n),
        "kind": [f"kind {i % 7}" for i in range(n)],
        "share": rng.random(n),
        "right": rng.random(n) < 0.5,
    }
    run.write_table(MIXED, pd.DataFrame(columns))
    run.write_files({"report.pdf": rng.bytes(500), "figures/focus.csv": b"a,b\n1,2\n"})
    return path


class Folders(Room):
    """``attnprobe.open_run``, everything that a run gives, ``attnprobe.verify``, and writing into it."""

    name = "folders"

    def __init__(self, place: Path) -> None:
        super().__init__(place)
        self.base, self.other = made(place / "base", 1), made(place / "other", 2)
        self.run, self.outside = place / "run", place / "outside"
        self.outside.mkdir()
        (self.outside / "treasure").write_text("mine")
        shutil.copytree(self.base, self.outside / "copy")
        os.mkfifo(self.outside / "pipe")
        self.sound = contents(ap.open_run(self.base))
        self.files = sorted(str(p.relative_to(self.base)) for p in self.base.rglob("*") if p.is_file())
        self.before = stamps(self.outside)

    def case(self, draw: random.Random) -> Case:
        kinds = (
            self.bytes,
            self.bytes,
            self.bytes,
            self.replaced,
            self.added,
            self.forged,
            self.forged,
            self.shard,
            self.shard,
            self.table,
            self.table,
            self.odd_table,
        )
        kind = draw.choice(kinds)
        shutil.rmtree(self.run, ignore_errors=True)
        shutil.copytree(self.base, self.run)
        shown, judge = kind(draw)
        return Case(f"{kind.__name__}: {shown}", lambda: self.judged(judge))

    def judged(self, judge: Callable[[Contents], None]) -> str:
        refused = 0
        try:
            found = contents(ap.open_run(self.run))
        except AttnprobeError as error:
            found, refused = {}, checked(error)
        refused += sum(isinstance(value, AttnprobeError) for value in found.values())
        try:
            verified = verify(self.run)
        except AttnprobeError as error:
            found["verify"] = checked(error)
        else:
            found["verify"] = len(verified.findings)
            for finding in verified.findings:
                checked(finding.what)
        judge(found)
        try:
            ap.open_run(self.run).write_files({"figures/focus.csv": b"a,b\n3,4\n", "figures/new.csv": b""})
        except AttnprobeError as error:
            checked(error)
        if stamps(self.outside) != self.before:
            raise Wrong("something outside of the folder was touched")
        return "refused" if refused else "found by verify alone" if found["verify"] else "accepted"

    # --- what is seen by its bytes --------------------------------------------------------------

    def bytes(self, draw: random.Random) -> tuple[str, Callable[[Contents], None]]:
        name = draw.choice(self.files)
        path = self.run / name
        data = path.read_bytes()
        changed = mutate.data(draw, data, (self.base / draw.choice(self.files)).read_bytes())
        path.write_bytes(changed)
        return f"{name}, {len(data)} -> {len(changed)} bytes", self.same

    def replaced(self, draw: random.Random) -> tuple[str, Callable[[Contents], None]]:
        name = draw.choice([*self.files, "shards", "tables", "figures"])
        path, copy = self.run / name, self.outside / "copy" / name
        if path.is_dir():
            shutil.rmtree(path)
            kind = draw.choice(("nothing", "link to a copy", "link to itself", "empty file", "pipe"))
        else:
            path.unlink()
            kinds = (
                "nothing",
                "link to a copy",
                "link to itself",
                "link to zeros",
                "link to a pipe",
                "empty file",
                "pipe",
                "folder",
                "giant",
                "another file",
                "that of another run",
                "link to nothing",
            )
            kind = draw.choice(kinds)
        if kind == "another file":
            names = [other for other in self.files if other != name]
            path.write_bytes((self.base / draw.choice(names)).read_bytes())
        elif kind == "that of another run":
            path.write_bytes((self.other / name).read_bytes())
            if path.read_bytes() == (self.base / name).read_bytes():
                path.write_bytes(b"")
        elif kind == "giant":
            with path.open("wb") as file:
                file.truncate(2**40)
        elif kind == "folder":
            path.mkdir()
        elif kind == "pipe":
            os.mkfifo(path)
        elif kind == "empty file":
            path.write_bytes(b"")
        elif kind.startswith("link"):
            zeros, pipe, nothing = Path("/dev/zero"), self.outside / "pipe", self.place / "absent"
            to = {"copy": copy, "itself": path, "zeros": zeros, "pipe": pipe, "nothing": nothing}[kind.split()[-1]]
            path.symlink_to(to)
        another_run = kind == "that of another run" and name == "run.json"
        return f"{name} by {kind}", self.none_of_another if another_run else self.same

    def added(self, draw: random.Random) -> tuple[str, Callable[[Contents], None]]:
        name = draw.choice(
            (
                "x",
                "shards/00000-12.safetensors",
                "tables/seeds.parquet",
                "figures/x.png",
                "a b",
                "\x1b[2J",
                "\n",
                "é",
                "\udcff",
                "-rf",
                ".hidden",
                "sub/sub/file",
                "shards/x\u202ey",
                "CON",
                ".lock/x",
            )
        )
        path = self.run / name
        path.parent.mkdir(parents=True, exist_ok=True)
        kind = draw.choice(("file", "link", "pipe"))
        if kind == "file":
            path.write_bytes(b"extra")
        elif kind == "link":
            path.symlink_to(self.outside / "treasure")
        else:
            os.mkfifo(path)
        return f"{name!r}, a {kind}", self.same

    def same(self, found: Contents) -> None:
        """Every number is as it was, or refused; and something was found."""
        for name, value in found.items():
            if name != "verify" and not isinstance(value, AttnprobeError) and value != self.sound[name]:
                raise Wrong(f"{name} is another one than before, without a word")
        if not found["verify"]:
            raise Wrong("verify finds nothing wrong")

    def none_of_another(self, found: Contents) -> None:
        """run.json of another run: no weights at all."""
        if not isinstance(found.get("weights", AttnprobeError()), AttnprobeError):
            raise Wrong("the run.json of another run is believed")

    # --- what its bytes no longer show ------------------------------------------------------------

    def forged(self, draw: random.Random) -> tuple[str, Callable[[Contents], None]]:
        said = json.loads((self.run / "run.json").read_bytes())
        said.pop("sha256")
        for _ in range(draw.choice((1, 1, 1, 2, 3))):
            said = mutate.structure(draw, said)
            if draw.random() < 0.1 and isinstance(said, dict):
                said = hurtful(draw, said)
        seal(self.run, said)
        return repr(said)[:20_000], self.own_weights

    def own_weights(self, found: Contents) -> None:
        """Whatever run.json says, a file of the right checksum gives its seeds their own weights."""
        parts = [found.get(name, AttnprobeError()) for name in ("seeds", "weights")]
        if any(isinstance(part, AttnprobeError) for part in parts):
            return
        seeds, weights = np.frombuffer(parts[0][2], dtype=np.int64), parts[1]
        ours = np.frombuffer(self.sound["seeds"][2], dtype=np.int64).tolist()
        for name, (_, _, data) in weights.items():
            sound = dict(zip(ours, split(self.sound["weights"].get(name, ("", (), b""))[2], len(ours)), strict=True))
            for seed, piece in zip(seeds.tolist(), split(data, len(seeds)), strict=True):
                if sound.get(seed) != piece:
                    raise Wrong(f"seed {seed} has weights {name} that are not its own")

    def shard(self, draw: random.Random) -> tuple[str, Callable[[Contents], None]]:
        name = draw.choice([name for name in self.files if name.startswith("shards/")])
        data = (self.run / name).read_bytes()
        length = int.from_bytes(data[:8], "little")
        if draw.random() < 0.7:
            header = json.loads(data[8 : 8 + length])
            for _ in range(draw.choice((1, 1, 2, 5))):
                header = mutate.structure(draw, header)
            if draw.random() < 0.2 and isinstance(header, dict) and isinstance(header.get("__metadata__"), dict):
                about = header["__metadata__"].get("attnprobe")
                if isinstance(about, str):
                    try:
                        about = json.dumps(mutate.structure(draw, json.loads(about)))
                    except ValueError:
                        about = "[" * 100_000
                    header["__metadata__"]["attnprobe"] = about
            text = json.dumps(header).encode(errors="surrogatepass")
            text += b" " * (-len(text) % 8)
            said = draw.choice((len(text),) * 6 + (0, len(text) + 8, 2**63, 2**31))
            data = said.to_bytes(8, "little") + text + data[8 + length :]
        else:
            data = mutate.data(draw, data)
        self.record(name, data)
        return f"{name}: {data[:3000]!r}", shapes

    def table(self, draw: random.Random) -> tuple[str, Callable[[Contents], None]]:
        name = draw.choice([name for name in self.files if name.startswith("tables/")])
        data = (self.run / name).read_bytes()
        footer = int.from_bytes(data[-8:-4], "little")
        if draw.random() < 0.7:
            at = len(data) - 8 - footer
            changed = mutate.data(draw, data[at:-8])
            data = data[:at] + changed + len(changed).to_bytes(4, "little") + data[-4:]
        else:
            data = mutate.data(draw, data, (self.other / name).read_bytes())
        self.record(name, data)
        return f"{name}: ...{data[-3000:]!r}", shapes

    def odd_table(self, draw: random.Random) -> tuple[str, Callable[[Contents], None]]:
        """A table that is sound Parquet, but of columns that no table has; it is then asked as ``query`` asks."""
        name = draw.choice(("history", "mixed"))
        chosen = [draw.choice(ODD_COLUMNS) for _ in range(draw.randint(1, 4))]
        names = [draw.choice(("seed", "row", "kind", "loss", "x", "", "\x1b[2J", "a" * 5000)) for _ in chosen]
        metadata = draw.choice((None, None, {b"pandas": draw.choice(PANDAS)}))
        buffer = io.BytesIO()
        pq.write_table(pa.Table.from_arrays(chosen, names=names).replace_schema_metadata(metadata), buffer)
        self.record(f"tables/{name}.parquet", buffer.getvalue())

        def judge(found: Contents) -> None:
            try:
                rows = ap.open_run(self.run).table(name)
            except AttnprobeError:
                return
            column = str(draw.choice(list(rows.columns)))
            for ask in (
                lambda: query.where(rows, f"{column} == {column} and not {column} > 1"),
                lambda: query.group(rows, column, draw.choice(query.STATISTICS)),
                lambda: query.pick(rows, [column]),
                *(lambda kind=kind: _encoded(rows, kind) for kind in ("csv", "json", "table", "parquet")),
            ):
                try:
                    ask()
                except AttnprobeError as error:
                    checked(error)

        return (
            f"{name}: {[(key[:20], str(each.type)) for key, each in zip(names, chosen, strict=True)]}, {metadata}",
            judge,
        )

    def record(self, name: str, data: bytes) -> None:
        """Write a file and make ``run.json`` say that it has to be so."""
        (self.run / name).write_bytes(data)
        said = json.loads((self.run / "run.json").read_bytes())
        said.pop("sha256")
        before, after = said["files"][name]["sha256"], hashlib.sha256(data).hexdigest()
        said["files"][name] = {"size": len(data), "sha256": after}
        ours = [said["files"][f"shards/{record['name']}.safetensors"]["sha256"] for record in said["shards"]]
        state = hashlib.sha256("".join(ours).encode()).hexdigest()
        if before != after:
            for table in said["tables"].values():
                table["weights"] = state
        seal(self.run, said)


def shapes(found: Contents) -> None:
    """What is read has the types and shapes of this run."""
    count = sum(map(len, SEEDS))
    expected = {name: ("float32", (count, *shape)) for name, shape in parameter_shapes(CONFIG).items()}
    weights = found.get("weights")
    if isinstance(weights, dict) and {name: value[:2] for name, value in weights.items()} != expected:
        raise Wrong("the weights have other types or shapes")
    for name, kind in (("seeds", "int64"), ("steps", "int64")):
        value = found.get(name)
        if isinstance(value, tuple) and value[:2] != (kind, (count,)):
            raise Wrong(f"{name} is {value[:2]}")


def seal(run: Path, said: Any) -> None:
    """Write a ``run.json`` that has the right checksum of itself, written the way attnprobe writes it."""
    if isinstance(said, dict):
        try:
            said = {**said, "sha256": hashlib.sha256(json.dumps(said, allow_nan=False).encode()).hexdigest()}
        except ValueError:
            said = {**said, "sha256": hashlib.sha256(json.dumps(said).encode()).hexdigest()}
    (run / "run.json").write_bytes((json.dumps(said, indent=1) + "\n").encode(errors="surrogatepass"))


def hurtful(draw: random.Random, said: dict[str, Any]) -> dict[str, Any]:
    """Things that chance would rarely hit upon."""
    names = (
        "../outside/treasure",
        "/etc/passwd",
        "shards/../../x",
        "figures/..",
        "tables/\0",
        "run.json",
        ".lock",
        "shards/00002-12.safetensors",
        "report.pdf",
        "figures/../run.json",
    )
    record = {"size": draw.choice((0, 4, 2**62)), "sha256": "0" * 64}
    seeds = (
        "0:999999999",
        "0:9223372036854775807",
        "5:0,0:5",
        "0:999999999999,999999999999:0",
        "2:4,5," * 50_000 + "9",
        "2,3,5",
        "2:4,5",
        ",",
        "0:" * 1000,
    )
    kind = draw.randrange(7)
    if kind == 0:
        return {**said, "removing": [draw.choice(names)]}
    if kind == 1:
        return {**said, "writing": {draw.choice(names): record}}
    if kind == 2:
        return {**said, "files": {**said.get("files", {}), draw.choice(names): record}}
    if kind == 3 and isinstance(said.get("shards"), list) and said["shards"]:
        shard = dict(said["shards"][0]) if isinstance(said["shards"][0], dict) else {}
        return {**said, "shards": [{**shard, "seeds": draw.choice(seeds)}, *said["shards"][1:]]}
    if kind == 4 and isinstance(said.get("shards"), list):
        return {**said, "shards": said["shards"] * draw.choice((2, 1000))}
    if kind == 5:
        return {**said, "files": {f"figures/{i}.csv": record for i in range(50_000)}}
    deep: Any = 0
    for _ in range(draw.choice((50, 500))):
        deep = [deep]
    return {**said, "tables": deep}


def contents(run: Run) -> Contents:
    """Everything that a run gives, as values that can be compared, or the errors."""
    names = ["history", "mixed"]
    asked: dict[str, Callable[[], Any]] = {
        "repr": lambda: repr(run).partition(",")[2],
        "seeds": lambda: plain(run.seeds),
        "status": lambda: plain(run.status),
        "steps": lambda: plain(run.steps),
        "weights": lambda: {name: plain(value) for name, value in run.weights.items()},
        "snapshots": lambda: {name: plain(value) for name, value in run.snapshots()[1].items()},
        "kept": lambda: plain(run.snapshots()[0]),
        "losses": lambda: frame(run.history()),
        "model": lambda: {name: plain(value.numpy()) for name, value in run.model(3).state_dict().items()},
        "scores": lambda: plain(run.circuit.scores),
        **{f"table {name}": lambda name=name: frame(run.table(name)) for name in names},
    }
    found: Contents = {}
    for name, call in asked.items():
        try:
            found[name] = call()
        except AttnprobeError as error:
            checked(error)
            found[name] = error
    return found


def checked(error: AttnprobeError | str) -> int:
    """1, for an error that says something and nothing odd."""
    if wrong := of_message(str(error)):
        raise Wrong(wrong)
    return 1


def plain(value: np.ndarray) -> tuple[str, tuple[int, ...], bytes]:
    return str(value.dtype), value.shape, value.tobytes()


def frame(value: pd.DataFrame) -> tuple[object, ...]:
    return (*map(str, value.dtypes.items()), pd.util.hash_pandas_object(value).to_numpy().tobytes())


def split(data: bytes, count: int) -> list[bytes]:
    size = len(data) // max(count, 1)
    return [data[place * size : (place + 1) * size] for place in range(count)]


def stamps(folder: Path) -> dict[str, tuple[int, ...]]:
    """What lies in a folder, and when it was last written."""
    found = {}
    for path in sorted(folder.rglob("*")):
        about = path.lstat()
        found[str(path.relative_to(folder))] = (about.st_ino, about.st_size, about.st_mtime_ns, about.st_mode)
    return found
