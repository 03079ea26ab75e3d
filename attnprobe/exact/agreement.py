"""How often do two seeds answer differently? Exactly, over all inputs, for every pair of some seeds.

    P(answers differ) = sum over inputs of probability * (yes_a no_b + no_a yes_b)

A product of matrices, answers times probabilities with answers, block by block of the inputs. In whole numbers of
sequences it is exact, and 0 means that no input is answered differently.
"""

from __future__ import annotations

import numpy as np

from attnprobe.circuit import Circuit, quietly
from attnprobe.exact.inputs import answers
from attnprobe.population import Population

__all__ = ["disagreement"]


@quietly
def disagreement(circuit: Circuit) -> np.ndarray:
    """Probability that two seeds answer a random sequence differently, float64 (S, S), symmetric.

    Exact where the number of sequences fits into 53 bits, else right to rounding (and 0 still means none). A seed
    that is not finite answers "no".

    Raises
    ------
    AttnprobeError
        When the task has more than ten million count vectors.
    """
    inputs = Population.of(circuit.task)
    whole = inputs.total <= 2**53
    weight = inputs.multiplicity.astype(np.float64) if whole else inputs.probability
    one_way = np.zeros((len(circuit), len(circuit)))  # the row's seed says yes, the column's no
    for rows, answered in answers(circuit):
        yes = answered.astype(np.float64)
        one_way += (yes * weight[rows]) @ (1 - yes).T
    differ = one_way + one_way.T
    return differ / float(inputs.total) if whole else differ
