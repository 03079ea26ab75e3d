"""What a torch file's pickle would build, worked out without building it.

``torch.load(weights_only=True)`` runs no code of the file. It does trust the file's numbers, though: how
long a storage is, where in it a tensor lies. This small machine goes through the same instructions first,
calls nothing, and keeps only what is needed to check those numbers: every storage and every tensor.
It knows the instructions that ``torch.save`` writes for a dict of tensors and plain values; any other
instruction, and any name of a class or function outside a short list, is refused with the reason.
"""

from __future__ import annotations

import io
import math
import pickletools
from dataclasses import dataclass, field
from typing import Any

from attnprobe.foreign.opening import shown

__all__ = ["Machine", "NotPlainError", "Storage", "walk"]

MOST_INSTRUCTIONS = 500_000
MOST_ELEMENTS = 2**24  # of one tensor: a view with stride 0 can claim any number

ITEM_BYTES = {
    "FloatStorage": 4,
    "DoubleStorage": 8,
    "HalfStorage": 2,
    "BFloat16Storage": 2,
    "ByteStorage": 1,
    "CharStorage": 1,
    "BoolStorage": 1,
    "ShortStorage": 2,
    "IntStorage": 4,
    "LongStorage": 8,
    "ComplexFloatStorage": 8,
    "ComplexDoubleStorage": 16,
}
DTYPES = ("float16", "bfloat16", "float32", "float64", "uint8", "int8", "int16", "int32", "int64", "bool")  # as values
DICTS = ("collections OrderedDict",)
HARMLESS = (*DICTS, "torch Size", "torch device", "builtins set", "__builtin__ set")
REBUILDS = ("torch._utils _rebuild_tensor_v2", "torch._utils _rebuild_parameter")
OTHER_TENSORS = {
    "_rebuild_qtensor": "a quantized tensor",
    "_rebuild_sparse_tensor": "a sparse tensor",
    "_rebuild_meta_tensor_no_storage": "a meta tensor, which has a shape but no numbers",
    "_rebuild_nested_tensor": "a nested tensor",
    "_rebuild_njt": "a nested tensor",
    "_rebuild_wrapper_subclass": "a tensor of a special class",
    "_rebuild_from_type_v2": "a tensor of a special class",
    "_rebuild_tensor_v3": "a tensor of an unusual number format",
}


class NotPlainError(Exception):
    """The pickle is not that of plain tensors and values; the text says what it holds, as "it ..."."""


@dataclass(frozen=True)
class Name:
    """A class or function that the pickle names, as "module name"; never looked up."""

    text: str


@dataclass(frozen=True)
class Storage:
    """A storage that the pickle refers to."""

    kind: str
    key: str
    elements: int

    @property
    def bytes(self) -> int:
        """How many bytes of data it needs."""
        return self.elements * ITEM_BYTES[self.kind]


@dataclass(frozen=True)
class Tensor:
    """A tensor that the pickle would rebuild; its numbers have been checked."""


@dataclass
class Opaque:
    """A container whose content is not needed."""

    is_dict: bool = False  # an OrderedDict, which may be given attributes


@dataclass
class Machine:
    """The state of one walk, and what it found."""

    storages: dict[str, Storage] = field(default_factory=dict)
    instructions: int = 0

    def run(self, stream: io.BytesIO) -> Any:
        """Go through one pickle up to its end; the value that it would build, as far as it is kept."""
        stack: list[Any] = []
        marks: list[list[Any]] = []
        memo: dict[int, Any] = {}
        arg: Any
        for instruction, arg, _ in pickletools.genops(stream):
            self.instructions += 1
            if self.instructions > MOST_INSTRUCTIONS:
                raise NotPlainError(
                    f"has more than {MOST_INSTRUCTIONS:,} instructions: far more than a state dict needs"
                )
            match instruction.name:
                case "PROTO":
                    if arg != 2:
                        raise NotPlainError(
                            f"is written in pickle protocol {arg}, which torch's safe loader does not read"
                        )
                case "MARK":
                    marks.append(stack)
                    stack = []
                case "STOP":
                    if marks or len(stack) != 1:
                        raise NotPlainError("is damaged: it ends with something left over")
                    return stack.pop()
                case "NONE" | "NEWTRUE" | "NEWFALSE":
                    stack.append({"NONE": None, "NEWTRUE": True, "NEWFALSE": False}[instruction.name])
                case "BININT" | "BININT1" | "BININT2" | "LONG1" | "BINFLOAT" | "BINUNICODE" | "SHORT_BINSTRING":
                    stack.append(arg)
                case "EMPTY_TUPLE":
                    stack.append(())
                case "EMPTY_DICT" | "EMPTY_LIST" | "EMPTY_SET":
                    stack.append(Opaque())
                case "TUPLE1" | "TUPLE2" | "TUPLE3":
                    count = int(instruction.name[-1])
                    parts = tuple(stack.pop() for _ in range(count))[::-1]
                    stack.append(parts)
                case "TUPLE":
                    parts = tuple(stack)
                    stack = marks.pop()
                    stack.append(parts)
                case "APPEND":
                    stack.pop()
                    _container(stack[-1])
                case "SETITEM":
                    stack.pop()
                    stack.pop()
                    _container(stack[-1])
                case "APPENDS" | "SETITEMS":
                    stack = marks.pop()
                    _container(stack[-1])
                case "BINPUT" | "LONG_BINPUT":
                    memo[arg] = stack[-1]
                case "BINGET" | "LONG_BINGET":
                    stack.append(memo[arg])
                case "GLOBAL":
                    stack.append(_name(str(arg)))
                case "REDUCE":
                    args, function = stack.pop(), stack.pop()
                    stack.append(_call(function, args))
                case "BUILD":
                    stack.pop()
                    if not (isinstance(stack[-1], Opaque) and stack[-1].is_dict):
                        raise NotPlainError("sets the inner state of an object, which a state dict does not")
                case "BINPERSID":
                    stack.append(self._storage(stack.pop()))
                case other:
                    raise NotPlainError(
                        f"has the pickle instruction {other}, which torch.save does not write for tensors"
                    )
        raise NotPlainError("is damaged: it has no end")

    def _storage(self, said: Any) -> Storage:
        """The storage of a persistent id ("storage", kind, key, location, elements[, view])."""
        if not (isinstance(said, tuple) and len(said) in (5, 6) and said[0] == "storage" and said[5:] in ((), (None,))):
            raise NotPlainError("refers to something that is not the storage of a tensor")
        kind, key, elements = said[1], said[2], said[4]
        named = kind.text.partition(" ")[2] if isinstance(kind, Name) else ""
        if named not in ITEM_BYTES or not isinstance(key, str) or not _count(elements):
            raise NotPlainError(f"holds numbers of a kind that a network's weights do not have ({shown(named)})")
        storage = Storage(named, key, elements)
        if self.storages.setdefault(key, storage) != storage:
            raise NotPlainError(f"is damaged: it describes storage {shown(key)} in two ways")
        return storage


def walk(data: bytes, start: int = 0) -> tuple[Any, Machine, int]:
    """Walk through the pickle that starts at ``start``: its value as far as kept, the machine, and where it ends.

    Raises
    ------
    NotPlainError
        When it is damaged or would need more than tensors and plain values.
    """
    stream, machine = io.BytesIO(data), Machine()
    stream.seek(start)
    try:
        value = machine.run(stream)
    except NotPlainError:
        raise
    except Exception as error:  # whatever a broken pickle leads to: a stack that is empty, text that is none, ...
        raise NotPlainError(f"is damaged or cut short ({type(error).__name__} at byte {stream.tell():,})") from None
    return value, machine, stream.tell()


def _name(text: str) -> Name:
    """A name that may stand in a pickle, or the reason why not."""
    module, _, name = text.partition(" ")
    if name in OTHER_TENSORS:
        raise NotPlainError(
            f"holds {OTHER_TENSORS[name]}; the exercise's weights are dense tensors of floating point numbers"
        )
    if text in HARMLESS or text in REBUILDS or (module == "torch" and (name in ITEM_BYTES or name in DTYPES)):
        return Name(text)
    what = f"{module}.{name}"
    raise NotPlainError(
        f"needs {shown(what)} to be looked up and called: it holds Python objects (such as a whole pickled module), "
        "and loading those can run any code. attnprobe loads tensors only"
    )


def _call(function: Any, args: Any) -> Any:
    """What a call would give. Nothing is called."""
    text = function.text if isinstance(function, Name) else ""
    if not isinstance(args, tuple):
        raise NotPlainError("is damaged: a call without arguments")
    if text in HARMLESS:
        return Opaque(is_dict=text in DICTS)
    if text == "torch._utils _rebuild_parameter" and args and isinstance(args[0], Tensor):
        return args[0]
    if text == "torch._utils _rebuild_tensor_v2" and len(args) >= 4:
        return _tensor(*args[:4])
    raise NotPlainError(f"calls {shown(text)} in a way that torch.save does not")


def _tensor(storage: Any, offset: Any, size: Any, stride: Any) -> Tensor:
    """Check that a tensor lies within its storage."""
    if not (isinstance(storage, Storage) and isinstance(size, tuple) and isinstance(stride, tuple)):
        raise NotPlainError("is damaged: a tensor without storage")
    if len(size) != len(stride) or not all(map(_count, (offset, *size, *stride))):
        raise NotPlainError("is damaged: a tensor with an impossible shape")
    elements = math.prod(size)
    if elements > MOST_ELEMENTS:
        raise NotPlainError(f"claims a tensor of {elements:,} elements; {MOST_ELEMENTS:,} are allowed")
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if elements and last >= storage.elements:
        raise NotPlainError(f"is damaged: a tensor reaches beyond its storage {shown(storage.key)}")
    return Tensor()


def _container(value: Any) -> None:
    if not isinstance(value, Opaque):
        raise NotPlainError("is damaged: an item is put into something that is no container")


def _count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**48
