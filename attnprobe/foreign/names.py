"""What a tensor's name says: which part of the network it is, whatever the script called it.

A name such as ``module.attn.to_v.weight`` has an owner (``to_v``) and a kind (``weight``). The owner is split
into words, words that say nothing (``to``, ``proj``, ``w``, ...) are left out, and what remains must be one
of the words for a part. What stands before the owner does not matter.
"""

from __future__ import annotations

import re

__all__ = ["owner_of", "role"]

FILLERS = frozenset(
    [
        "w",
        "to",
        "proj",
        "projection",
        "linear",
        "lin",
        "layer",
        "fc",
        "attn",
        "attention",
        "net",
        "map",
        "transform",
        "weight",
        "weights",
        "mat",
        "matrix",
    ]
)
WORDS = {
    "embed": frozenset(["e", "we", "embed", "embedding", "embeddings", "embeds", "emb", "embs", "wte"]),
    "query": frozenset(["q", "wq", "query", "queries"]),
    "WK": frozenset(["k", "wk", "key", "keys"]),
    "WV": frozenset(["v", "wv", "val", "vals", "value", "values"]),
}
OWN_FILLERS = {
    "embed": frozenset(
        ["token", "tok", "tokens", "digit", "digits", "symbol", "char", "word", "input", "table", "lookup", "vocab"]
    ),
    "query": frozenset(["vector", "vec", "param", "parameter", "learned", "learnable"]),
    "WK": frozenset(),
    "WV": frozenset(),
}
BIAS = frozenset(["b", "bias"])


def owner_of(name: str) -> tuple[str, str]:
    """A name's owner with all that stands before it, and its kind: ``weight``, ``bias`` or ``bare``."""
    before, _, last = name.rpartition(".")
    return (before, last) if before and last in ("weight", "bias") else (name, "bare")


def role(name: str) -> str | None:
    """The parameter of ours (embed, query, WK or WV) that a name means, with ``.bias`` for a bias; None if none."""
    owner, kind = owner_of(name)
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", owner.rpartition(".")[2])]
    bias = kind == "bias"
    if kind == "bare" and BIAS & set(words):
        words, bias = [word for word in words if word not in BIAS], True
    for part, meant in WORDS.items():
        left = [word for word in words if word not in FILLERS and word not in OWN_FILLERS[part]]
        if len(left) == 1 and left[0] in meant:
            return f"{part}.bias" if bias else part
    return None
