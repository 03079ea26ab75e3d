"""Files of weights that were made to hurt, or were hurt: refused with the reason, and nothing of them runs."""

from __future__ import annotations

import io
import json
import os
import pickle
import pickletools
import random
import socket
import struct
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import students
import torch
from folders import refusal

import attnprobe as ap
from attnprobe.foreign import opening
from attnprobe.foreign.pickles import NotPlainError, walk
from attnprobe.foreign.weights import read_weights

REMEDY = "Save the weights alone: torch.save(model.state_dict(), 'weights.pt')."
NOT_TORCH = "is a zip archive, but not one that torch.save writes"
CUT = "is damaged or cut short:"
LOOKED_UP = "to be looked up and called"
LEGACY = {"_use_new_zipfile_serialization": False}


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    return students.Plain(vocab=4, dim=2, att=3, hidden=5).state_dict()


def said(path: Path) -> str:
    """The refusal of a file, without its path."""
    message = refusal(read_weights, path)
    assert message.count(str(path)) == 1
    return message.replace(f"{path} ", "").replace(f"{path}: ", "")


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def packed(value, **options) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer, **options)
    return buffer.getvalue()


def repacked(data: bytes, change=lambda name, content: content, compress=zipfile.ZIP_STORED, extra=()) -> bytes:
    """A torch archive with entries changed (None: left out) and the checksums of the archive put right."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", compress) as new:
        for entry in old.infolist():
            content = change(entry.filename.partition("/")[2], old.read(entry))
            if content is not None:
                new.writestr(entry.filename, content)
        for name, content in extra:
            new.writestr(name, content)
    return buffer.getvalue()


def with_pickle(state, content: bytes) -> bytes:
    return repacked(packed(state), lambda name, old: content if name == "data.pkl" else old)


# --- nothing runs ----------------------------------------------------------------------------------------


class Evil:
    """Unpickled, it creates a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return (os.system, (f"touch {self.mark}",))


def test_a_pickle_that_runs_code(state, tmp_path) -> None:
    mark, evil = tmp_path / "ran", Evil(tmp_path / "ran")
    forms = {
        "zip.pt": packed({**state, "x": evil}),
        "legacy.pth": packed({**state, "x": evil}, **LEGACY),
        "bare0.pt": pickle.dumps(evil, protocol=0),
        "bare2.pt": pickle.dumps(evil, protocol=2),
        "bare5.pt": pickle.dumps(evil, protocol=5),
        "as.safetensors": pickle.dumps(evil, protocol=4),
        "opcode.pt": with_pickle(state, b"\x80\x02}(X\x01\x00\x00\x00acposix\nsystem\nX\x04\x00\x00\x00true\x85Ru."),
        "instance.pt": with_pickle(state, b"\x80\x02(X\x04\x00\x00\x00trueiposix\nsystem\n."),
        "extension.pt": with_pickle(state, b"\x80\x02\x82\x01."),
        "magic.pt": packed(state, **LEGACY)[:17] + pickle.dumps(evil, protocol=2),
    }
    for name, data in forms.items():
        assert not mark.exists()
        message = said(written(tmp_path / name, data))
        assert "pickle" in message or "neither what torch.save writes" in message or "damaged" in message, name
    assert not mark.exists()
    assert said(tmp_path / "zip.pt") == (
        "needs 'posix.system' to be looked up and called: it holds Python objects (such as a whole pickled module), "
        f"and loading those can run any code. attnprobe loads tensors only. {REMEDY}"
    )
    pickle.loads(forms["bare2.pt"])  # the weapon is loaded
    assert mark.exists()


def test_a_pickled_module(tmp_path) -> None:
    """Refused with the reason and the remedy, whatever class it is, ours included."""
    for options in ({}, LEGACY):
        message = said(written(tmp_path / "w.pt", packed(ap.AttentionModel(), **options)))
        assert message.startswith(f"needs 'attnprobe.model.AttentionModel' {LOOKED_UP}")
        assert message.endswith(REMEDY)


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_torch_script(tmp_path) -> None:
    torch.jit.save(torch.jit.trace(torch.nn.Linear(2, 1), torch.zeros(3, 2)), tmp_path / "w.pt")
    assert said(tmp_path / "w.pt") == f"is a TorchScript archive: it holds code, not only weights. {REMEDY}"


# --- what is no file of weights --------------------------------------------------------------------------


def test_things_that_are_no_ordinary_file(tmp_path, state) -> None:
    os.mkfifo(tmp_path / "pipe.pt")
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "socket"))
    with server:
        for path, kind in (
            (tmp_path, "a folder"),
            (tmp_path / "pipe.pt", "a pipe (FIFO)"),
            (Path("/dev/zero"), "a device"),
        ):
            assert said(path) == f"is {kind}, not a file of weights (.pt, .pth or .safetensors)."
        assert refusal(read_weights, tmp_path / "socket").startswith(f"Cannot read {tmp_path / 'socket'}: ")
    assert (
        refusal(read_weights, tmp_path / "none.pt") == f"Cannot read {tmp_path / 'none.pt'}: no such file or directory."
    )
    assert (
        said(written(tmp_path / "empty.pt", b""))
        == "is empty. It should hold a state dict (.pt, .pth or .safetensors)."
    )
    assert "embedded null" in refusal(read_weights, "a\0b.pt")
    (tmp_path / "link.pt").symlink_to(written(tmp_path / "w.pt", packed(state)))
    assert read_weights(tmp_path / "link.pt").finite  # whoever names a link means what it points to


def test_a_giant_is_refused_before_it_is_read(tmp_path) -> None:
    with (tmp_path / "giant.pt").open("wb") as file:
        file.truncate(10**12)  # sparse: it takes no room
    tracemalloc.start()
    message = said(tmp_path / "giant.pt")
    assert tracemalloc.get_traced_memory()[1] < 10**6
    tracemalloc.stop()
    assert message.startswith("has 1,000,000,000,000 bytes; files of weights are read up to 67,108,864. ")


@pytest.mark.parametrize("size", [10, 10**6])
def test_a_file_that_changes_while_it_is_read(size, tmp_path, state, monkeypatch) -> None:
    path = written(tmp_path / "w.pt", packed(state))
    monkeypatch.setattr(opening.os, "fstat", lambda _: os.stat_result((0o100644, 0, 0, 0, 0, 0, size, 0, 0, 0)))
    assert said(path) == "changed while it was read. Run the same command again when it is whole."


@pytest.mark.parametrize(
    ("data", "begins"),
    [
        (b"hello, world", "is no file of weights: it is neither what torch.save writes (.pt, .pth) nor safetensors"),
        (b"\x80\x04N.", "is a pickle that torch.save did not write; loading it can run any code, so it is not."),
        (pickle.dumps({"a": [1.0, 2.0]}, protocol=2), "is a pickle that torch.save did not write"),
        (b"PK\x03\x04", f"{CUT} BadZipFile, "),
        (b"\x93NUMPY\x01\x00", "is no file of weights"),
        (b"ustar", "is no file of weights"),
    ],
    ids=["text", "pickle4", "pickle2", "zip", "npy", "tar"],
)
def test_other_files(data, begins, tmp_path) -> None:
    assert said(written(tmp_path / "w.pt", data)).startswith(begins)


@pytest.mark.parametrize("form", ["zip", "legacy", "safetensors"])
def test_cut_short_anywhere(form, state, tmp_path) -> None:
    """Every length that is not the whole is refused."""
    if form == "safetensors":
        data = safetensors.torch.save(dict(state))
    else:
        data = packed(state, **({} if form == "zip" else LEGACY))
    path = tmp_path / ("w.safetensors" if form == "safetensors" else "w.pt")
    lengths = {*range(0, len(data), 37), *range(12), len(data) - 1}
    for length in sorted(lengths):
        message = said(written(path, data[:length]))
        assert any(word in message for word in ("empty", "damaged or cut short", "no file of weights", "a pickle"))
    written(path, data)
    assert read_weights(path).finite


# --- archives made to hurt -------------------------------------------------------------------------------


def test_a_zip_bomb(state, tmp_path) -> None:
    bomb = repacked(packed(state), compress=zipfile.ZIP_DEFLATED, extra=[("archive/data/99", bytes(10**8))])
    assert len(bomb) < 10**6
    tracemalloc.start()
    message = said(written(tmp_path / "w.pt", bomb))
    assert tracemalloc.get_traced_memory()[1] < 2 * 10**7
    tracemalloc.stop()
    assert message.startswith("is a compressed archive (100,00")
    small = repacked(packed(state), compress=zipfile.ZIP_DEFLATED)
    assert said(written(tmp_path / "w.pt", small)).startswith("is a compressed archive (")


@pytest.mark.parametrize(
    ("change", "extra", "begins"),
    [
        (
            lambda name, old: old[:-4] if name == "data/0" else old,
            (),
            f"{CUT} storage '0' has 20 bytes, and should have 24.",
        ),
        (lambda name, old: None if name == "data/1" else old, (), f"{CUT} storage '1' has 0 bytes, "),
        (lambda name, old: None if name == "data.pkl" else old, (), f"{NOT_TORCH}: it has no data.pkl."),
        (lambda name, old: None if name == "version" else old, (), f"{NOT_TORCH}: it has no version."),
        (lambda name, old: b"99999999999" if name == "version" else old, (), f"{CUT} torch does not load it ("),
        (lambda name, old: b"middle" if name == "byteorder" else old, (), f"{CUT} torch does not load it ("),
        (lambda name, old: old, [("other/data.pkl", b"")], f"{NOT_TORCH}."),
        (lambda name, old: old, [("/etc/passwd", b"")], f"{NOT_TORCH}."),
        (lambda name, old: old, [(f"x/{i}", b"") for i in range(10_001)], "has 10,0"),
    ],
    ids=["short", "missing", "no-pickle", "no-version", "version", "byteorder", "two-roots", "outside", "many"],
)
def test_archives_whose_entries_do_not_fit(change, extra, begins, state, tmp_path) -> None:
    data = {name: tensor for name, tensor in state.items() if name != "query"} | {"query": torch.zeros(2, 3)}
    ordered = {"query": data["query"], **data}
    assert said(written(tmp_path / "w.pt", repacked(packed(ordered), change, extra=extra))).startswith(begins)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_in_an_archive(state, tmp_path) -> None:
    twice = repacked(packed(state), extra=[("archive/data/0", b"abcd")])
    assert said(written(tmp_path / "w.pt", twice)).startswith(f"{NOT_TORCH}.")


def test_a_flipped_bit_in_the_numbers(state, tmp_path) -> None:
    data = bytearray(packed(state))
    place = data.index(state["nn.0.weight"].numpy().tobytes())
    data[place] ^= 1
    assert said(written(tmp_path / "w.pt", bytes(data))).startswith('is damaged or cut short: BadZipFile, "Bad CRC-32')


# --- pickles made to hurt --------------------------------------------------------------------------------

REBUILD = b"ctorch._utils\n_rebuild_tensor_v2\n"
LONG = 2**31 - 1


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def number(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def tensor(elements=12, offset=0, size=(3, 4), stride=(4, 1), kind="FloatStorage", key="0") -> bytes:
    """Instructions that rebuild one tensor."""
    storage = b"(" + text("storage") + f"ctorch\n{kind}\n".encode() + text(key) + text("cpu") + number(elements) + b"tQ"
    shape = b"(" + b"".join(map(number, size)) + b"t(" + b"".join(map(number, stride)) + b"t"
    return REBUILD + b"(" + storage + number(offset) + shape + b"\x89ccollections\nOrderedDict\n)RtR"


def program(*instructions: bytes) -> bytes:
    return b"\x80\x02" + b"".join(instructions) + b"."


@pytest.mark.parametrize(
    ("instructions", "reason"),
    [
        (tensor(offset=1), "is damaged: a tensor reaches beyond its storage '0'"),
        (tensor(stride=(5, 1)), "is damaged: a tensor reaches beyond its storage '0'"),
        (tensor(stride=(-4, 1)), "is damaged: a tensor with an impossible shape"),
        (tensor(stride=(4,)), "is damaged: a tensor with an impossible shape"),
        (tensor(elements=-1), "holds numbers of a kind that a network's weights do not have ('FloatStorage')"),
        (
            tensor(size=(LONG, LONG), stride=(0, 0)),
            "claims a tensor of 4,611,686,014,132,420,609 elements; 16,777,216 are allowed",
        ),
        (tensor(kind="QInt8Storage"), f"needs 'torch.QInt8Storage' {LOOKED_UP}"),
        (tensor() + tensor(elements=24) + b"\x86", "is damaged: it describes storage '0' in two ways"),
        (b"]}b", "sets the inner state of an object, which a state dict does not"),
        (tensor() + b"}b", "sets the inner state of an object, which a state dict does not"),
        (b"cbuiltins\nbytearray\n" + number(LONG) + b"\x85R", f"needs 'builtins.bytearray' {LOOKED_UP}"),
        (b"ctorch\nload\n)R", f"needs 'torch.load' {LOOKED_UP}"),
        (b"ctorch.nn.parameter\nParameter\n)\x81", f"needs 'torch.nn.parameter.Parameter' {LOOKED_UP}"),
        (b"ctorch\nfloat32\n)R", "calls 'torch float32' in a way that torch.save does not"),
        (b"c\x1b[31m\nred\n", f"needs '\\x1b[31m.red' {LOOKED_UP}"),
        (b"c" + b"a" * 999 + b"\nb\n", "needs '" + "a" * 60 + f"...' {LOOKED_UP}"),
        (b"\x8c\x01a", "has the pickle instruction SHORT_BINUNICODE, which torch.save does not write for tensors"),
        (b"]" * 2, "is damaged: it ends with something left over"),
        (b"r" + struct.pack("<I", 2**32 - 1), "is damaged or cut short (IndexError at byte "),
        (b"h\x00", "is damaged or cut short (KeyError at byte "),
        (b"u", "is damaged or cut short (IndexError at byte "),
        (b"\xff", "is damaged or cut short (ValueError at byte "),
        (text("persistent") + b"Q", "refers to something that is not the storage of a tensor"),
        (b"N" * 600_000, "has more than 500,000 instructions: far more than a state dict needs"),
    ],
    ids=lambda value: None if isinstance(value, str) else "x",
)
def test_pickles_that_lie(instructions, reason, state, tmp_path) -> None:
    content = program(instructions)
    with pytest.raises(NotPlainError) as error:
        walk(content)
    assert str(error.value).startswith(reason)
    assert said(written(tmp_path / "w.pt", with_pickle(state, content))).startswith(reason)


def test_the_programs_above_would_load_if_they_did_not_lie(state) -> None:
    content = program(b"}" + text("a") + tensor() + b"s")
    loaded = torch.load(
        io.BytesIO(
            repacked(
                packed({"a": torch.arange(12.0).view(3, 4)}), lambda name, old: content if name == "data.pkl" else old
            )
        ),
        weights_only=True,
    )
    np.testing.assert_array_equal(loaded["a"].numpy(), np.arange(12.0).reshape(3, 4))
    assert walk(content)[1].storages.keys() == {"0"}


def test_nesting_that_would_overflow_the_stack(state, tmp_path) -> None:
    deep = program(b"(" * 20_000 + b"t" * 20_000)
    message = said(written(tmp_path / "w.pt", with_pickle(state, deep)))
    assert message.endswith(REMEDY) or "damaged" in message


def test_a_legacy_file_that_names_no_data_for_a_tensor(state, tmp_path) -> None:
    """Torch would leave such a tensor as whatever memory held."""
    data = packed({"a": torch.ones(3)}, **LEGACY)
    places, start = [], 0
    for _ in range(5):
        start = walk_end(data, start)
        places.append(start)
    keys = data[places[3] : places[4]]
    emptied = data[: places[3]] + b"\x80\x02]q\x00."
    assert b"]" in keys
    assert said(written(tmp_path / "w.pt", emptied)).startswith(
        f"{CUT} the list of its storages is not that of its tensors."
    )
    wrong = data[: places[4]] + struct.pack("<q", 4) + data[places[4] + 8 :]  # the data's own count of elements
    assert said(written(tmp_path / "w.pt", wrong)).startswith(f"{CUT} ")


def walk_end(data: bytes, start: int) -> int:
    stream = io.BytesIO(data)
    stream.seek(start)
    for _ in pickletools.genops(stream):
        pass
    return stream.tell()


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (lambda x: x.to_sparse(), "holds a sparse tensor"),
        (lambda x: x.to("meta"), "holds a meta tensor, which has a shape but no numbers"),
        (lambda x: torch.quantize_per_tensor(x, 0.1, 0, torch.qint8), "holds a quantized tensor"),
        (lambda x: torch.nested.nested_tensor([x, x[:2]]), "holds a nested tensor"),
        (lambda x: x.to(torch.float8_e4m3fn), "holds a tensor of an unusual number format"),
        (lambda x: x.numpy(), "needs 'numpy"),
    ],
    ids=["sparse", "meta", "quantized", "nested", "float8", "numpy"],
)
@pytest.mark.filterwarnings("ignore")
def test_tensors_that_are_not_plain_numbers(value, what, state, tmp_path) -> None:
    path = written(tmp_path / "w.pt", packed({**state, "WK.weight": value(state["WK.weight"])}))
    assert said(path).startswith(what)


# --- safetensors made to hurt ----------------------------------------------------------------------------


def header(size: int, content: bytes, body: bytes = b"") -> bytes:
    return struct.pack("<Q", size) + content + body


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (header(2**63, b"{}"), f"{CUT} its header should have 9,223,372,036,854,775,808 bytes and 2 are there."),
        (header(2**20 + 1, b" " * (2**20 + 1)), "has a header of 1,048,577 bytes; headers are read up to 1,048,576."),
        (header(2, b"[]"), f"{CUT} its header is no JSON object."),
        (header(6, b'{"a":}'), f"{CUT} its header is not JSON (JSONDecodeError)."),
        (header(2, b"\xff\xfe"), f"{CUT} its header is not JSON (UnicodeDecodeError)."),
        (header(200_001, b'{"a":' + b"[" * 199_996), f"{CUT} its header is not JSON (RecursionError)."),
        (header(10_000, b'{"a":' + b"9" * 9_994 + b"}"), f"{CUT} its header is not JSON (ValueError)."),
        (header(13, b'{"a":1,"a":2}'), f"{CUT} its header is not JSON (ValueError)."),
        (header(32, b'{"__metadata__":{"attnprobe":1}}'), f"{CUT} its metadata is not what attnprobe writes."),
        (b"{}", f"{CUT} it ends before its header."),
    ],
    ids=lambda value: None if isinstance(value, str) else "x",
)
def test_headers_that_lie(data, reason, tmp_path) -> None:
    assert said(written(tmp_path / "w.safetensors", data)).startswith(reason)


@pytest.mark.parametrize(
    "entry",
    [
        {"dtype": "F32", "shape": [2**40, 2**40], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [1], "data_offsets": [0, 400]},
        {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]},
        {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]},
        {"dtype": "F99", "shape": [1], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [1]},
    ],
    ids=["overflow", "beyond", "backwards", "negative", "dtype", "no-offsets"],
)
def test_entries_that_lie(entry, tmp_path) -> None:
    content = json.dumps({"a": entry}).encode()
    path = written(tmp_path / "w.safetensors", header(len(content), content, b"abcd"))
    assert said(path).startswith(f"{CUT} safetensors does not load it (")


@pytest.mark.parametrize(
    "change",
    [
        {"seed": -1},
        {"seed": True},
        {"seed": 2**63},
        {"rule": "n2 > n4\x1b[31m"},
        {"rule": 3},
        {"vocab_size": 5},
        {"status": "perfect"},
        {"steps": 1.5},
        {"more": 1},
        {"seed": None},
    ],
    ids=str,
)
def test_metadata_that_lies(change, state, tmp_path) -> None:
    good = {
        "seed": 1,
        "rule": "n2 > n1",
        "vocab_size": 4,
        "length": 5,
        "steps": 3,
        "steps_done": 3,
        "status": "trained",
    }
    for said_there, fits in ((good, True), ({**good, **change}, False)):
        data = safetensors.torch.save(dict(state), metadata={"attnprobe": json.dumps(said_there)})
        path = written(tmp_path / "w.safetensors", data)
        if fits:
            assert read_weights(path).exported.seed == 1
        else:
            assert said(path).startswith("is damaged: its metadata is not what attnprobe writes")


# --- anything at all -------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["zip", "legacy", "safetensors", "pickle"])
def test_files_with_random_damage_are_read_or_refused(form, state, tmp_path) -> None:
    """Bytes changed, cut out and put in at random: one clear error, or weights of the right form."""
    plain = {
        "zip": packed(state),
        "legacy": packed(state, **LEGACY),
        "safetensors": safetensors.torch.save(dict(state)),
    }
    with zipfile.ZipFile(io.BytesIO(plain["zip"])) as archive:
        inner = archive.read("archive/data.pkl")
    rng = random.Random(form)
    path = tmp_path / ("w.safetensors" if form == "safetensors" else "w.pt")
    refused = 0
    for _ in range(250):
        data = bytearray(inner if form == "pickle" else plain[form])
        for _ in range(rng.choice([1, 1, 2, 5])):
            place = rng.randrange(len(data) if form != "legacy" else 1500)
            match rng.randrange(4):
                case 0:
                    data[place] ^= 1 << rng.randrange(8)
                case 1:
                    data[place] = rng.choice(b"\x00\xff}].(tRQcuXJK\x81\x85")
                case 2:
                    del data[place : place + rng.randrange(1, 9)]
                case _:
                    data[place:place] = rng.randbytes(rng.randrange(1, 9))
        path.write_bytes(with_pickle(state, bytes(data)) if form == "pickle" else bytes(data))
        message = ""
        try:
            weights = read_weights(path).weights
            assert {array.dtype for array in weights.values()} == {np.dtype(np.float32)}
        except ap.AttnprobeError as error:
            refused, message = refused + 1, str(error)
        assert message.isprintable()
    assert refused > 25
