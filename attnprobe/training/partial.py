"""Sums of losses over blocks of steps that come out the same however training was cut and recorded.

Floating-point sums depend on their order, so the order is fixed: a binary tree over steps. The block of steps
k 2^j + 1 .. (k + 1) 2^j is the sum of its two halves, the earlier first. Of the tree only its edge is kept, a stack
with the sum of one block for each bit of the number of steps done, carried as a binary counter is:

    after 6 = 110 (base 2) steps:   sums[2] = block 1 .. 4,   sums[1] = block 5 .. 6

A mean over 2^j steps is then exactly half the sum of the means over its halves, because nothing is rounded when a
number is halved. The steps since the last multiple of 2^j are the blocks of the lower bits, from small to large.
"""

from __future__ import annotations

import numpy as np

from attnprobe.training.compiled import exact_stage

__all__ = ["LEVELS", "add", "coarser"]

LEVELS = 32  # at most 10^9 steps


@exact_stage
def add(sums, step, loss, n):
    """Add the loss of a step (counted from 1); returns the mean over the last ``n`` steps.

    ``n`` is either a power of two that divides ``step``, or ``step`` modulo a larger power of two. If neither,
    what is returned means nothing.
    """
    total, size, level = loss, 1, 0
    block = loss  # of the last n steps, if n is reached on the way up
    while step & size == 0:
        total = sums[level] + total
        sums[level] = 0.0
        size *= 2
        level += 1
        if size == n:
            block = total
    sums[level] = total
    if size >= n:
        return block / n
    rest, level = 0.0, 0
    while n >> level > 0:
        if (n >> level) & 1:
            rest = rest + sums[level]
        level += 1
    return rest / n


def coarser(means: np.ndarray, times: int) -> np.ndarray:
    """Means (..., K) over blocks of 2^j steps as means over blocks ``times`` as long, a power of two that divides K."""
    while times > 1:
        means, times = (means[..., 0::2] + means[..., 1::2]) / 2, times // 2
    return means
