"""One file of weights -> the weights of one network of the exercise's form, float32, or one clear error."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from attnprobe.config import Config
from attnprobe.errors import AttnprobeError
from attnprobe.files import sha256
from attnprobe.foreign.archives import unpack
from attnprobe.foreign.candidates import Candidate, candidates
from attnprobe.foreign.opening import REMEDY, read_once, shown
from attnprobe.foreign.roles import Places, UnplacedError, place
from attnprobe.outcome import Outcome
from attnprobe.parameters import parameter_shapes

__all__ = ["SCALES", "TAKEN_FOR", "Exported", "Foreign", "Reading", "read_weights"]

TAKEN_FOR = (
    "A file of weights does not say what is computed with them. They are taken for the exercise's network: "
    "scores q . k / sqrt(att_dim), softmax over positions without positional terms, a scalar value, "
    "Linear-ReLU-Linear, and a probability above 1/2 (a logit above 0) means yes."
)
SCALES = ("sqrt", "none")
MOST_DIMENSIONS = 64  # that an array of numpy can have; no weight has more than 3
FLOATS = (torch.float32, torch.float64, torch.float16, torch.bfloat16)


@dataclass(frozen=True)
class Reading:
    """How files are to be read: the options that all files of one import share.

    Attributes
    ----------
    rename : mapping
        Their name -> the exercise's, for what is not recognised; ``.T`` at the end transposes.
    ignore : collection
        Their names that the answer does not depend on.
    key : str, optional
        Which dict of the file is the state dict, such as ``model_state_dict``.
    scale : str
        ``sqrt``: their scores are q . k / sqrt(att_dim), as in the exercise; ``none``: they are q . k.
    keep_nonfinite : bool
        Keep a network with numbers that are not finite, as a seed that failed.
    """

    rename: Mapping[str, str]
    ignore: Collection[str] = ()
    key: str | None = None
    scale: str = "sqrt"
    keep_nonfinite: bool = False

    def __post_init__(self) -> None:
        if self.scale not in SCALES:
            raise AttnprobeError(f"scale = {self.scale!r} is not allowed: it must be one of {', '.join(SCALES)}.")


@dataclass(frozen=True)
class Exported:
    """What attnprobe wrote beside the weights when it exported them."""

    seed: int
    rule: str
    vocab_size: int
    length: int
    steps: int
    steps_done: int
    status: str


@dataclass(frozen=True, eq=False)
class Foreign:
    """The weights of one network.

    Attributes
    ----------
    path : Path
    sha256 : str
        Of the file's bytes.
    weights : dict
        The exercise's names -> float32 arrays of the exercise's shapes.
    vocab_size, embed_dim, att_dim, hidden : int
    finite : bool
    exported : Exported or None
    notes : tuple of str
        What was done to the numbers or assumed about the names, a sentence each.
    """

    path: Path
    sha256: str
    weights: dict[str, np.ndarray]
    vocab_size: int
    embed_dim: int
    att_dim: int
    hidden: int
    finite: bool
    exported: Exported | None
    notes: tuple[str, ...]

    @property
    def sizes(self) -> dict[str, int]:
        """The four sizes, by the names of Config."""
        return {name: getattr(self, name) for name in ("vocab_size", "embed_dim", "att_dim", "hidden")}


def read_weights(path: str | Path, reading: Reading | None = None) -> Foreign:
    """Read the weights of one network from a ``.pt``, ``.pth`` or ``.safetensors`` file. Runs none of its code.

    Raises
    ------
    AttnprobeError
        When the file cannot be read safely, or is not surely a network of the exercise's form.
    """
    path, reading = Path(path), reading or Reading({})
    data = read_once(path)
    value, metadata = unpack(path, data)
    candidate, places = _chosen(path, value, reading)
    sizes = _allowed(path, places)
    notes = [f"The state dict is its {shown(candidate.key)}."] if candidate.key else []
    weights: dict[str, np.ndarray] = {}
    moved: dict[str, float] = {}
    for ours, shape in parameter_shapes(sizes).items():
        if ours in places.theirs:
            tensor = candidate.tensors[places.theirs[ours]]
            wide = _numbers(path, places.theirs[ours], tensor)
            weights[ours], moved[ours] = _single(path, places, ours, wide)
            weights[ours] = weights[ours].reshape(shape)
        else:
            weights[ours] = np.zeros(shape, dtype=np.float32)
            notes.append(f"It has no {ours}: zero.")
    notes += _conversion(candidate, places, moved)
    if reading.scale == "none":
        weights["query"] = _unscaled(path, weights["query"], notes)
    renamed = {ours: theirs for ours, theirs in places.theirs.items() if not _same(ours, theirs)}
    if renamed:
        notes.append("Taken " + ", ".join(f"{shown(theirs)} as {ours}" for ours, theirs in renamed.items()) + ".")
    finite = _finite(path, places, weights, reading)
    return Foreign(
        path,
        sha256(data),
        weights,
        **places.sizes,
        finite=finite,
        exported=_exported(path, metadata, places),
        notes=tuple(notes),
    )


# --- which tensors ---------------------------------------------------------------------------------------


def _chosen(path: Path, value: Any, reading: Reading) -> tuple[Candidate, Places]:
    """The state dict and its places: the one that was named, the only one, or the only one that is recognised."""
    found = candidates(value)
    if reading.key is not None:
        named = [candidate for candidate in found if candidate.key == reading.key]
        if not named:
            raise AttnprobeError(f"{path} has no dict of tensors {reading.key!r} (--key). {_those(found)}")
        found = named
    if not found:
        what = "one tensor" if isinstance(value, torch.Tensor) else f"a {type(value).__name__} without tensors"
        raise AttnprobeError(f"{path} holds {what}, and no state dict. {REMEDY}")
    fits: list[tuple[Candidate, Places]] = []
    refused: UnplacedError | None = None
    for candidate in found:
        try:
            shapes = {name: tuple(tensor.shape) for name, tensor in candidate.tensors.items()}
            fits.append((candidate, place(shapes, reading.rename, reading.ignore)))
        except UnplacedError as error:
            refused = refused if refused is not None and len(found) > 1 else error
    if len(fits) == 1:
        return fits[0]
    if len(found) == 1:
        raise AttnprobeError(f"{path} {refused}")
    which = "more than one of them could be" if fits else "none of them is surely recognised as"
    raise AttnprobeError(
        f"{path} holds {len(found)} dicts with tensors, and {which} the network's weights. "
        f"Say which with --key. {_those([fit[0] for fit in fits] or found)}"
    )


def _those(found: list[Candidate]) -> str:
    listed = ", ".join(
        f"{shown(candidate.key) if candidate.key else 'the file itself'} ({len(candidate.tensors)} tensors)"
        for candidate in found[:10]
    )
    return f"There are: {listed}." if found else "It holds none."


def _allowed(path: Path, places: Places) -> Config:
    """Sizes as a config, if they are among those that attnprobe knows."""
    try:
        return Config(rule="n0 > n1", **places.sizes)
    except AttnprobeError as error:
        raise AttnprobeError(f"{path} is a network of sizes that attnprobe does not take: {error}") from None


def _same(ours: str, theirs: str) -> bool:
    return theirs == ours or theirs.endswith(f".{ours}")


# --- numbers ---------------------------------------------------------------------------------------------


def _numbers(path: Path, name: str, tensor: torch.Tensor) -> np.ndarray:
    """The tensor's numbers, float64, if they are floating point numbers at all."""
    if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_nested or tensor.device.type != "cpu":
        raise AttnprobeError(
            f"{path}: {shown(name)} is no dense tensor of numbers (a sparse, quantized or meta tensor)."
        )
    if tensor.dim() > MOST_DIMENSIONS:
        raise AttnprobeError(f"{path}: {shown(name)} has {tensor.dim()} dimensions; weights have 3 at most.")
    if tensor.dtype not in FLOATS:
        kind = str(tensor.dtype).removeprefix("torch.")
        raise AttnprobeError(
            f"{path}: {shown(name)} holds {kind} numbers; weights are float32, float64, float16 or bfloat16."
        )
    return tensor.detach().to(torch.float64).numpy()


def _single(path: Path, places: Places, ours: str, wide: np.ndarray) -> tuple[np.ndarray, float]:
    """Float64 numbers rounded to float32, and the largest relative change."""
    wide = wide.T if ours in places.turned else wide
    with np.errstate(over="ignore", invalid="ignore"):  # some kinds of not-a-number
        single = wide.astype(np.float32)
    lost = np.isfinite(wide) & ~np.isfinite(single)
    if lost.any():
        raise AttnprobeError(
            f"{path}: {shown(places.theirs[ours])} has {int(lost.sum())} numbers that float32 cannot hold, such as "
            f"{wide[lost].flat[0]:g}."
        )
    moved = np.isfinite(wide) & (single != wide)
    change = np.abs(single[moved] - wide[moved]) / np.abs(wide[moved])
    return single, float(change.max(initial=0.0))


def _conversion(candidate: Candidate, places: Places, moved: Mapping[str, float]) -> list[str]:
    """A sentence on numbers that were not float32."""
    kinds = {str(candidate.tensors[theirs].dtype).removeprefix("torch.") for theirs in places.theirs.values()}
    others = " and ".join(sorted(kinds - {"float32"}))
    worst = max(moved, key=lambda ours: moved[ours])
    if not others:
        return []
    if moved[worst] == 0:
        return [f"Its {others} numbers became float32 without any change."]
    theirs = shown(places.theirs[worst])
    return [f"Its {others} numbers were rounded to float32: by a relative {moved[worst]:.1e} at most, in {theirs}."]


def _unscaled(path: Path, query: np.ndarray, notes: list[str]) -> np.ndarray:
    """The query for scores that are not divided by sqrt(att_dim): sqrt(att_dim) times theirs.

    Exact for 1, 4, 16, 64 and 256 dimensions. Otherwise each of its numbers is rounded once more, by at most half a
    unit in the last place: the scores then differ by a relative 6e-8 from theirs, as much as the order
    of the additions in them can change.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        wide = query.astype(np.float64) * math.sqrt(query.size)
        scaled = wide.astype(np.float32)
    if (np.isfinite(query) & ~np.isfinite(scaled)).any():
        raise AttnprobeError(
            f"{path}: the query times sqrt(att_dim) has numbers that float32 cannot hold (--scale none)."
        )
    exact = math.isqrt(query.size) ** 2 == query.size and math.isqrt(query.size).bit_count() == 1
    rounded = "exactly" if exact else "up to rounding to float32 (a relative 6e-8)"
    notes.append(f"Scores without 1/sqrt(att_dim): the query was multiplied by sqrt({query.size}), {rounded}.")
    return scaled


def _finite(path: Path, places: Places, weights: dict[str, np.ndarray], reading: Reading) -> bool:
    bad = {ours: int((~np.isfinite(array)).sum()) for ours, array in weights.items() if not np.isfinite(array).all()}
    if bad and not reading.keep_nonfinite:
        what = ", ".join(
            f"{shown(places.theirs[ours])} ({count} of {weights[ours].size})" for ours, count in bad.items()
        )
        raise AttnprobeError(
            f"{path} has numbers that are infinite or not a number: {what}. With --keep-nonfinite it becomes a seed "
            "with the status nonfinite."
        )
    return not bad


# --- what an export says ---------------------------------------------------------------------------------


def _exported(path: Path, text: str | None, places: Places) -> Exported | None:
    """Attnprobe's own metadata, if there is any; it must be as attnprobe writes it."""
    if text is None:
        return None
    try:
        said = json.loads(text)
        exported = Exported(**said)
    except (ValueError, TypeError, RecursionError):
        raise AttnprobeError(f"{path} is damaged: its metadata is not what attnprobe writes.") from None
    whole = (exported.seed, exported.vocab_size, exported.length, exported.steps, exported.steps_done)
    known = [outcome.value for outcome in Outcome]
    good = (
        all(type(number) is int and 0 <= number < 2**63 for number in whole)
        and isinstance(exported.rule, str)
        and re.fullmatch(r"n\d{1,2} > n\d{1,2}", exported.rule) is not None
        and exported.status in known
        and exported.vocab_size == places.vocab_size
    )
    if not good:
        raise AttnprobeError(f"{path} is damaged: its metadata is not what attnprobe writes, or is of other weights.")
    return exported
