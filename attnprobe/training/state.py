"""All that a seed's training is between two steps: as the kernel works on it, and as it is kept.

The kernel keeps weights and Adam's moments in padded vectors whose hidden units are in the order of their kinks
(``spec``, ``readout``). That order decides the order of sums, hence bits, so it is kept beside the numbers. The padding
is not: it is zero as long as every gradient is finite, and a gradient that is not ends training at the next loss.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from attnprobe.config import Config
from attnprobe.training.memory import zeros
from attnprobe.training.partial import LEVELS
from attnprobe.training.spec import Spec, places, unit_positions

__all__ = ["Flat", "State", "initial_order"]


class Flat(NamedTuple):
    """Weights and Adam's moments of one seed or many, float32 (..., parameters), in ``parameter_shapes``' order."""

    weights: np.ndarray
    m: np.ndarray
    v: np.ndarray


class State(NamedTuple):
    """What the kernel goes on from: to stop and go on changes no bit.

    Attributes
    ----------
    weights, m, v : ndarray, float32, shape (spec.size,)
        Weights and Adam's moments, placed as ``spec`` says.
    order : ndarray, int32, shape (spec.units,)
        Number of the hidden unit at each position.
    step : ndarray, int64, shape (1,)
        Updates done.
    loss : ndarray, float64, shape (LEVELS,)
        Sums of batch losses over blocks of steps (``partial``).
    circuit : ndarray, int64
        Places of the parameters before those of the hidden units.
    """

    weights: np.ndarray
    m: np.ndarray
    v: np.ndarray
    order: np.ndarray
    step: np.ndarray
    loss: np.ndarray
    circuit: np.ndarray

    @classmethod
    def initial(cls, config: Config, weights: np.ndarray) -> State:
        """Before the first step, from flat weights in the order of ``parameter_shapes``."""
        none = np.zeros_like(weights)
        flat, order = Flat(weights, none, none), initial_order(config, weights)
        return cls.kept(config, flat, order, np.zeros(1, dtype=np.int64), np.zeros(LEVELS))

    @classmethod
    def kept(cls, config: Config, flat: Flat, order: np.ndarray, step: np.ndarray, loss: np.ndarray) -> State:
        """From what was kept of one seed; ``step`` is used as it is, so that it can be watched, all else is copied."""
        spec, place = Spec.of(config), _placed(config, order)
        state = cls(
            weights=zeros(spec.size),
            m=zeros(spec.size),
            v=zeros(spec.size),
            order=zeros(spec.units, np.int32),
            step=step,
            loss=zeros(LEVELS, np.float64),
            circuit=places(config)[: -3 * config.hidden - 1],
        )
        for vector, numbers in zip(state[:3], flat, strict=True):
            vector[place] = numbers
        state.order[:], state.loss[:] = order, loss
        return state

    def flat(self, config: Config) -> Flat:
        """What there is to keep, beside ``order``, ``step`` and ``loss``."""
        place = _placed(config, self.order)
        return Flat(self.weights[place], self.m[place], self.v[place])


def initial_order(config: Config, weights: np.ndarray) -> np.ndarray:
    """Number of the unit at each position before the first step, int32 (spec.units,), from flat weights."""
    units, H = Spec.of(config).units, config.hidden
    w1, b1 = np.zeros((2, units), dtype=np.float32)
    w1[:H], b1[:H] = weights[-3 * H - 1 : -2 * H - 1], weights[-2 * H - 1 : -H - 1]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        kink = np.where(w1 == 0, np.float32(np.inf), -b1 / w1)
    order = np.empty(units, dtype=np.int32)
    order[unit_positions(units)] = np.argsort(kink, kind="stable")
    return order


def _placed(config: Config, order: np.ndarray) -> np.ndarray:
    """Where each flat parameter stands with the hidden units in this order."""
    spec, H = Spec.of(config), config.hidden
    position = np.empty(spec.units, dtype=np.int64)
    position[order] = np.arange(spec.units)
    place = places(config).copy()
    sections = np.array([spec.w1, spec.b1, spec.w2])
    place[-3 * H - 1 : -1] = (sections[:, None] + position[:H]).ravel()
    return place
