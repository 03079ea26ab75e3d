"""Their tensors in our places: which tensor is which parameter, by names first and sizes second.

The projections and the embedding are known by name, the readout's two layers by shape: (hidden, 1) and
(1, hidden) are all that is left. Every tensor must find its place, for one that is left over computes something
that the exercise's module does not; and where two would fit one place, the user says which.
"""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from attnprobe.errors import AttnprobeError, did_you_mean
from attnprobe.foreign.names import owner_of, role
from attnprobe.foreign.opening import SHOWN, shown

__all__ = ["OURS", "Places", "UnplacedError", "place"]

Shape = tuple[int, ...]

OURS: dict[str, str] = {
    "embed.weight": "(vocab_size, embed_dim)",
    "query": "(1, att_dim)",
    "WK.weight": "(att_dim, embed_dim)",
    "WK.bias": "(att_dim,), or none",
    "WV.weight": "(1, embed_dim)",
    "WV.bias": "(1,), or none",
    "nn.0.weight": "(hidden, 1)",
    "nn.0.bias": "(hidden,), or none",
    "nn.2.weight": "(1, hidden)",
    "nn.2.bias": "(1,), or none",
}
BY_ROLE = {
    "embed": "embed.weight",
    "query": "query",
    "WK": "WK.weight",
    "WK.bias": "WK.bias",
    "WV": "WV.weight",
    "WV.bias": "WV.bias",
}
LISTED = 40  # tensors named in an error


class UnplacedError(AttnprobeError):
    """Tensors that could not be placed for sure; the text says why and what to do, without the file's name."""


@dataclass
class Places:
    """Where each of our parameters comes from, and the sizes that follow."""

    shapes: Mapping[str, Shape]  # theirs, without those that are ignored
    theirs: dict[str, str] = field(default_factory=dict)  # our name -> theirs; no entry: a bias of zero
    told: set[str] = field(default_factory=set)  # our names that the user gave, as they are or turned
    turned: set[str] = field(default_factory=set)  # our names whose matrix is to be transposed
    vocab_size: int = 0
    embed_dim: int = 0
    att_dim: int = 0
    hidden: int = 0

    def shape(self, ours: str) -> Shape:
        """The shape of theirs in one of our places, after turning it."""
        shape = self.shapes[self.theirs[ours]]
        return shape[::-1] if ours in self.turned else shape

    @property
    def sizes(self) -> dict[str, int]:
        """The four sizes, by the names of Config."""
        return {name: getattr(self, name) for name in ("vocab_size", "embed_dim", "att_dim", "hidden")}


def place(shapes: Mapping[str, Shape], rename: Mapping[str, str], ignore: Collection[str]) -> Places:
    """Find the place of every tensor.

    Parameters
    ----------
    shapes : mapping
        Their names and shapes.
    rename : mapping
        Their name -> ours, with ``.T`` at the end where the matrix is to be transposed.
    ignore : collection
        Their names to leave out.

    Raises
    ------
    UnplacedError
    """
    places = Places({name: shape for name, shape in shapes.items() if name not in set(ignore)})
    _as_told(places, shapes, rename, ignore)
    _by_name(places)
    _readout(places)
    _nothing_left(places)
    _fit(places)
    return places


# --- names -----------------------------------------------------------------------------------------------


def _as_told(places: Places, shapes: Mapping[str, Shape], rename: Mapping[str, str], ignore: Collection[str]) -> None:
    for option, names in (("--rename", rename), ("--ignore", ignore)):
        for name in names:
            if name not in shapes:
                raise UnplacedError(
                    f"has no tensor {shown(name)} ({option}).{did_you_mean(name, shapes)} {_listing(shapes)}"
                )
    for theirs, target in rename.items():
        ours = target.removesuffix(".T")
        if ours not in OURS:
            raise UnplacedError(
                f"--rename {_typed(theirs)}={_typed(target)}: {ours!r} is none of the exercise's tensors."
                f"{did_you_mean(ours, OURS)} They are: {', '.join(OURS)}; with .T at the "
                "end for a matrix that is to be transposed."
            )
        if theirs not in places.shapes:
            raise UnplacedError(
                f"--rename {_typed(theirs)}={_typed(target)}: the same tensor is left out by --ignore. "
                "Give one of the two."
            )
        if ours in places.theirs:
            raise UnplacedError(
                f"--rename names two tensors for {ours}: {shown(places.theirs[ours])} and {shown(theirs)}."
            )
        places.theirs[ours] = theirs
        places.told.add(ours)
        if target.endswith(".T"):
            places.turned.add(ours)


def _left(places: Places) -> list[str]:
    used = set(places.theirs.values())
    return [name for name in places.shapes if name not in used]


def _by_name(places: Places) -> None:
    """The exercise's own names, whatever stands before them; then names that mean the same."""
    for theirs in _left(places):
        exact = [ours for ours in OURS if theirs == ours or theirs.endswith(f".{ours}")]
        if exact and exact[0] not in places.told:
            _found(places, exact[0], theirs)
    for theirs in _left(places):
        meant = BY_ROLE.get(role(theirs) or "")
        if meant is not None:
            _found(places, meant, theirs)


def _found(places: Places, ours: str, theirs: str) -> None:
    if ours in places.theirs:
        raise UnplacedError(
            f"has two tensors that look like {ours}: {_one(places.shapes, places.theirs[ours])} and "
            f"{_one(places.shapes, theirs)}. Say which it is with --rename NAME={ours}, and what the other "
            "is, or leave it out with --ignore NAME; if the network computes something with both, it is not the "
            "exercise's."
        )
    places.theirs[ours] = theirs


def _readout(places: Places) -> None:
    """The readout's two layers: what is left, by shape."""
    left = _left(places)
    weights = [name for name in left if len(places.shapes[name]) == 2]
    for ours, hidden_first in (("nn.0.weight", True), ("nn.2.weight", False)):
        if ours in places.theirs:
            continue
        fits = [name for name in weights if _layer(places.shapes[name], hidden_first)]
        if len(fits) == 1 and len(weights) <= 2:
            places.theirs[ours] = fits[0]
    if len(weights) == 2 and all(places.shapes[name] == (1, 1) for name in weights):
        _one_unit(places, weights)
    for layer in ("nn.0", "nn.2"):
        theirs = places.theirs.get(f"{layer}.weight")
        if theirs is None or f"{layer}.bias" in places.theirs:
            continue
        owner, kind = owner_of(theirs)
        if kind == "weight" and f"{owner}.bias" in _left(places):
            places.theirs[f"{layer}.bias"] = f"{owner}.bias"


def _layer(shape: Shape, hidden_first: bool) -> bool:
    size, one = shape if hidden_first else shape[::-1]
    return one == 1 and size > 1


def _one_unit(places: Places, weights: list[str]) -> None:
    """One hidden unit: both layers are (1, 1), and only their numbers in one Sequential tell which comes first."""
    found = [re.fullmatch(r"(.*\.)?(\d+)\.weight", name) for name in weights]
    if all(found) and len({match[1] for match in found if match}) == 1:
        first, second = sorted(weights, key=lambda name: int(name.split(".")[-2]))
        places.theirs.setdefault("nn.0.weight", first)
        places.theirs.setdefault("nn.2.weight", second)


def _nothing_left(places: Places) -> None:
    missing = [ours for ours, shape in OURS.items() if ours not in places.theirs and "or none" not in shape]
    left = _left(places)
    if not missing and not left:
        return
    parts = []
    if missing:
        parts.append("is not recognised as the exercise's network: nothing was found for " + ", ".join(missing) + ".")
    elif left:
        parts.append(
            "has tensors that the exercise's network does not have, so it computes something else: "
            + ", ".join(_one(places.shapes, name) for name in left[:LISTED])
            + "."
        )
    parts.append(_listing(places.shapes))
    parts.append("The exercise's: " + ", ".join(f"{name} {shape}" for name, shape in OURS.items()) + ".")
    guesses = [
        f"--rename {_typed(theirs)}={ours}"
        for ours in missing or [ours for ours in OURS if ours not in places.theirs]
        for theirs in left
        if _could_be(places.shapes[theirs], ours)
    ]
    if guesses:
        parts.append(f"If that is what they are: {' or '.join(guesses[:6])}.")
    if left and not missing:
        parts.append("A tensor that the answer does not depend on can be left out: --ignore NAME.")
    raise UnplacedError(" ".join(parts))


def _could_be(shape: Shape, ours: str) -> bool:
    """Whether a shape would do in one of our places, whatever the sizes are."""
    if ours == "nn.0.weight":
        return len(shape) == 2 and shape[1] == 1
    if ours in ("WV.weight", "nn.2.weight"):
        return len(shape) == 2 and shape[0] == 1
    if ours == "query":
        return 0 < math.prod(shape) == max(shape, default=1)
    return len(shape) == (1 if ours.endswith("bias") else 2)


# --- sizes -----------------------------------------------------------------------------------------------


def _fit(places: Places) -> None:
    """Work out the sizes, turn a bare matrix that can only be meant that way, and check all shapes."""
    embed = places.shape("embed.weight")
    if len(embed) != 2:
        name = places.theirs["embed.weight"]
        raise UnplacedError(f"has {_one(places.shapes, name)} for embed.weight, which is {OURS['embed.weight']}.")
    places.vocab_size, places.embed_dim = embed
    places.att_dim = math.prod(places.shape("query"))
    places.hidden = math.prod(places.shape("nn.0.weight"))
    _turn_key(places)
    V, D, A, H = places.sizes.values()
    wanted: dict[str, Shape] = {
        "query": (1, A),
        "WK.weight": (A, D),
        "WK.bias": (A,),
        "WV.weight": (1, D),
        "WV.bias": (1,),
        "nn.0.weight": (H, 1),
        "nn.0.bias": (H,),
        "nn.2.weight": (1, H),
        "nn.2.bias": (1,),
    }
    for ours in (name for name in wanted if name in places.theirs):
        have, shape, theirs = places.shape(ours), wanted[ours], places.theirs[ours]
        size = math.prod(shape)
        loose = (ours == "query" or owner_of(theirs)[1] == "bare") and size == max(shape)
        # a vector that stands for itself may have axes of length 1; a layer's has the layer's shape
        if not (math.prod(have) == size == max(have, default=1) if loose else have == shape):
            raise UnplacedError(
                f"does not fit together: {_one(places.shapes, theirs)} stands for {ours} {OURS[ours]}, but by "
                f"{_one(places.shapes, places.theirs['embed.weight'])}, {_one(places.shapes, places.theirs['query'])} "
                f"and {_one(places.shapes, places.theirs['nn.0.weight'])} vocab_size is {V}, embed_dim {D}, "
                f"att_dim {A} and hidden {H}."
            )


def _turn_key(places: Places) -> None:
    """A bare key matrix may be meant as x @ W or as W @ x; where both fit, the user says which."""
    theirs = places.theirs["WK.weight"]
    if owner_of(theirs)[1] != "bare" or "WK.weight" in places.told:
        return
    shape, D, A = places.shapes[theirs], places.embed_dim, places.att_dim
    if shape == (D, A) and A != D:
        places.turned.add("WK.weight")
    elif shape == (D, A) and A > 1:
        raise UnplacedError(
            f"has the bare square matrix {_one(places.shapes, theirs)}, which could be meant either way. Give "
            f"--rename {_typed(theirs)}=WK.weight if a key is W @ e, or --rename {_typed(theirs)}=WK.weight.T if it "
            "is e @ W."
        )


def _one(shapes: Mapping[str, Shape], name: str) -> str:
    return f"{shown(name)} {shapes[name]}"


def _listing(shapes: Mapping[str, Shape]) -> str:
    names = ", ".join(_one(shapes, name) for name in list(shapes)[:LISTED])
    more = f", and {len(shapes) - LISTED:,} more" if len(shapes) > LISTED else ""
    return f"It holds: {names}{more}."


def _typed(name: str) -> str:
    """A name as it can be typed into a shell; escaped where it cannot."""
    return shlex.quote(name) if name.isprintable() and len(name) <= SHOWN else shown(name)
