"""At which steps a run records its loss and keeps its weights, so that it can be trained on.

A run that is trained on from N to M > N steps must have at N what M steps asked for at once would have recorded up to
there. So all steps that are recorded belong to a chain of sets, each part of the one before it, and a run takes the
first that is not too large; more steps can only mean a set further down the chain:

    schedule(M), as far as it goes up to N, is part of schedule(N)      for all M > N

The last step is recorded too, whatever it is; it may drop out when the run is trained on.

*Losses* are recorded at the multiples of a power of two: means over blocks, of which two make one of the next set.

*Weights* are kept at two steps an octave (1, 2, 3, 4, 6, 8, 12, 16, 24, ...), and from the octave where these would lie
further apart than a power of two g, at the multiples of g: what is learned late is learned within a few of the last
octaves. Where even without g there are too many, the earliest go first; step 0 stays.
"""

from __future__ import annotations

import numpy as np

__all__ = ["history_steps", "snapshot_steps"]


def history_steps(steps: int, most: int) -> np.ndarray:
    """At most ``most`` steps at which a loss is recorded, int64, ascending: multiples of a power of two; ``steps``."""
    spacing = 1
    while -(-steps // spacing) > most:
        spacing *= 2
    return np.array([*range(spacing, steps, spacing), *([steps] if steps else [])], dtype=np.int64)


def snapshot_steps(steps: int, most: int) -> np.ndarray:
    """At most ``most`` steps at which weights are kept, int64, ascending: 0, two an octave, then evenly; ``steps``."""
    if most == 0:
        return np.empty(0, dtype=np.int64)
    if most == 1 or steps == 0:
        return np.array([steps], dtype=np.int64)
    octaves = _two_an_octave(steps)  # those below steps, from 1 on
    room = most - 2  # beside 0 and steps
    spacing = 1
    while 2 * spacing < steps:
        early = [step for step in octaves if step <= 2 * spacing]
        if len(early) + (steps - 1) // spacing - 2 <= room:
            late = range(3 * spacing, steps, spacing)
            return np.array([0, *early, *late, steps], dtype=np.int64)
        spacing *= 2
    return np.array([0, *octaves[max(0, len(octaves) - room) :], steps], dtype=np.int64)


def _two_an_octave(steps: int) -> list[int]:
    """1, 2, 3, 4, 6, 8, 12, ...: powers of two and what lies half way between them, below ``steps``."""
    powers = [1 << exponent for exponent in range(steps.bit_length())]
    return sorted(step for step in (*powers, *(3 * power for power in powers)) if step < steps)
