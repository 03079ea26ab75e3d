"""Cost by stage of one training step, on the state of a seed that has been trained for a while.

Each stage runs alone, again and again on what a step has left; only the look-up needs its input made anew,
and the time of that is taken off. A step has to do more than the sum: branches that were not foreseen,
units that change places, stages that wait for each other.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from attnprobe.config import Config
from attnprobe.model import initial_weights
from attnprobe.training import adam, attention, loss, readout, stream
from attnprobe.training.block import BLOCK, ROUND
from attnprobe.training.compiled import apart
from attnprobe.training.kernel import Spec, State, Work, train_seed

__all__ = ["measure"]

STEPS = 5000  # of training before
SEED = 3
KEY = np.uint64(1)  # of the batch


def measure(seconds: float) -> list[dict[str, Any]]:
    """Time each stage of a step at the default config, about ``seconds`` in all.

    Returns
    -------
    list of dict
        ``{"stage": name, "microseconds": a step}`` in the order of the step.
    """
    config = Config(steps=STEPS, history=1, snapshots=0)
    spec = Spec.of(config)
    state = State.initial(config, initial_weights(config, np.array([SEED]))[0])
    work = Work.on(state, spec)
    nothing = np.zeros(1, dtype=np.int64)
    train_seed(SEED, spec, state, work, STEPS, nothing, np.zeros(1), nothing[:0], np.zeros((0, 1), np.float32), nothing)

    weights, curve, block, slots, units, into = (
        state.weights,
        work.curve,
        work.block,
        work.slots,
        work.units,
        work.units_grad,
    )
    n = config.batch_size
    rounded = -(-n // ROUND) * ROUND
    assert rounded <= BLOCK, "the default batch is one block"
    low, high = curve.grid[0] + 1 / curve.grid[1], curve.grid[0] + np.float32(readout.CELLS - 1) / curve.grid[1]
    intervals = curve.slope_step, curve.intercept_step, curve.slope, curve.intercept
    look_up = (block.place, curve.first, curve.kink, curve.pairs, block.line_pairs)
    rows = block.rows.copy()  # residuals leave something else in the pooled values' place
    stream.draw(KEY, 0, rounded, spec, block.halves, block.packed)
    attention.pool(rounded, spec, block.packed, slots, rows)
    readout.find_cells(rounded, curve.grid, rows, block.place)
    cells = block.place.copy()
    readout.look_up(rounded, rows, *look_up)
    kinks = curve.kink.copy()  # the last update has moved them
    moments = state.m.copy(), state.v.copy()

    timed: dict[str, list[tuple[Callable[..., Any], tuple[Any, ...]]]] = {
        "draw digits": [(stream.draw, (KEY, 0, rounded, spec, block.halves, block.packed))],
        "labels": [(stream.label, (rounded, spec, block.packed, block.rows))],
        "find the kinks": [(readout.find_kinks, (units.w1, units.b1, kinks, curve.side, curve.wrong))],
        "scores and values": [(attention.collapse, (weights, spec, work.u, slots.copy()))],
        "table of intervals": [
            (readout.tabulate, (weights[spec.biases], *units, curve.side, *intervals, curve.table)),
        ],
        "grid": [
            (
                readout.fit_grid,
                (
                    low,
                    high,
                    curve.kink,
                    curve.cell,
                    curve.now,
                    curve.cell_words,
                    curve.now_words,
                    curve.first,
                    curve.grid,
                ),
            )
        ],
        "pool": [(attention.pool, (rounded, spec, block.packed, slots, rows))],
        "look up": [(_restored_look_up, (cells, rounded, rows, *look_up))],
        "residuals, loss": [(loss.residuals, (n, rounded, np.float32(1 / n), block.rows, block.line))],
        "histogram": [
            (readout.clear, (curve.histogram,)),
            (readout.tally, (rounded, block.place, block.line_pairs, curve.banks)),
            (readout.gather, (curve.side, curve.histogram, *intervals, curve.on_gz, curve.on_g)),
        ],
        "readout gradient": [(readout.gradient, (*units, curve.on_gz, curve.on_g, *into))],
        "pool, back": [(attention.unpool, (rounded, spec, block.packed, block.rows, slots))],
        "attention gradient": [(attention.gradient, (weights, work.grad, spec, work.u, work.du, slots, False))],
        "Adam": [(adam.update, (weights.copy(), work.grad, *moments, STEPS, spec))],
    }
    share = seconds / sum(map(len, timed.values()))
    return [
        {"stage": name, "microseconds": sum(_microseconds(call, given, share) for call, given in calls)}
        for name, calls in timed.items()
    ]


@apart
def _restored_look_up(cells, n, rows, place, first, kink, pairs, line):
    for i in range(n):
        place[i] = cells[i]
    readout.look_up(n, rows, place, first, kink, pairs, line)


def _microseconds(call: Callable[..., Any], given: tuple[Any, ...], seconds: float) -> float:
    """Best of several runs of a compiled loop around a compiled call."""
    names = ", ".join(f"x{i}" for i in range(len(given)))
    scope: dict[str, Any] = {"call": call}
    exec(
        f"def loop(times, {names}):\n    for _ in range(times):\n        call({names})\n", scope
    )  # any number of arguments
    loop = apart(scope["loop"])
    loop(10, *given)
    times, best, end = 1000, float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        loop(times, *given)
        best = min(best, time.perf_counter() - start)
    return 1e6 * best / times
