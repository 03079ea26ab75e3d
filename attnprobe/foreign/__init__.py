"""Weights that were trained elsewhere, and weights for elsewhere.

    opening      a file's bytes, and what kind of file they are; nothing is parsed before its size is known
    pickles      what a torch file would build, worked out without building it
    archives     torch files and safetensors -> tensors by name
    candidates   which dict of a checkpoint is the state dict
    names, roles their names and shapes -> the exercise's
    weights      one file -> the weights of one network, float32
    importing    many files -> a run
    numbering    which number ("seed") each imported network gets
    export       seeds of a run -> .pt or .safetensors

The one thing that no file can tell is what its tensors are used for. They are taken for the exercise's
module (:data:`~attnprobe.foreign.weights.TAKEN_FOR`), and every tensor must have its place in it.
"""

from __future__ import annotations

__all__ = ["KNOWN_SETTINGS"]

KNOWN_SETTINGS = ("rule", "vocab_size", "length", "embed_dim", "att_dim", "hidden")  # of a run of imported weights
