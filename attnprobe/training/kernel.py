"""One seed from its first step to its last, compiled for the CPU.

A step draws a batch of N sequences as digit counts c (V digits), runs the network forward and backward
and applies Adam. The network sees one score and one value a digit, and nothing else:

    z = sum_d c_d e_d v_d / sum_d c_d e_d,  e_d = exp(s_d - max s)     pooled value      ``attention``
    f = b2 + sum_k w2_k relu(w1_k z + b1_k)                            logit             ``readout``
    loss = mean of  log(1 + exp(f)) - y f                                                ``loss``

Backpropagation by the chain rule, with the derivative of the loss by f called g:

    g   = (sigmoid(f) - y) / N                                         residuals         ``loss``
    dw2, dw1, db1, db2    from sums of g and g z over the rows for which a unit is on    ``readout``
    df/dz = the slope of the readout at z,  h = g df/dz / S,  S = sum_d c_d e_d
    dv_d, ds_d            from sums of c_d h and c_d h z over all rows                   ``attention``
    dE, dw, dbV, dWK, dq  from dv and ds                                                 ``attention``

Each of these modules holds one stage with its equations; ``stream`` makes the batch, ``adam`` updates,
``spec`` says where everything stands in memory, ``state`` what is kept from step to step, ``block`` holds
the rows in work.

What makes it fast: sequences are never made, only counts; the readout costs one look-up a row instead of
H products; every other loop is vectorised; and all of a seed's memory stays in the core's first cache,
because a seed runs on one thread from start to finish. That is also why its bits do not depend on its
company: no sum ever runs across seeds, threads or blocks in an order that could change. They do depend on
the kind of CPU, whose vector width decides the order of sums within a row of vectors.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from attnprobe.training import adam, attention, loss, partial, readout, stream
from attnprobe.training.block import BLOCK, ROUND, Block
from attnprobe.training.compiled import entry, stage
from attnprobe.training.memory import zeros
from attnprobe.training.spec import OUTPUT_BIAS, Spec
from attnprobe.training.state import State

__all__ = ["Spec", "State", "Work", "batch_gradient", "flat_weights", "train_seed"]


class Work(NamedTuple):
    """The work space of all stages, the gradient, and the state seen unit by unit."""

    grad: np.ndarray
    units: readout.Units
    units_grad: readout.Units
    units_m: readout.Units
    units_v: readout.Units
    u: np.ndarray
    du: np.ndarray
    slots: np.ndarray
    block: Block
    curve: readout.Curve

    @classmethod
    def on(cls, state: State, spec: Spec) -> Work:
        """For one seed."""
        grad = zeros(spec.size)
        return cls(
            grad=grad,
            units=readout.Units.of(state.weights, spec),
            units_grad=readout.Units.of(grad, spec),
            units_m=readout.Units.of(state.m, spec),
            units_v=readout.Units.of(state.v, spec),
            u=zeros(spec.width),
            du=zeros(spec.width),
            slots=attention.new_slots(spec.vocab_size),
            block=Block.new(),
            curve=readout.Curve.new(spec),
        )


@entry
def train_seed(seed, spec, state, work, until, history_steps, losses, snapshot_steps, snapshots, stop):
    """Train a seed up to step ``until``, going on from ``state``, which is changed in place.

    ``losses[i]`` becomes the mean batch loss since the previous recorded step, ``snapshots[i]`` the
    weights (flat) at ``snapshot_steps[i]``. Setting ``stop[0]`` ends the run at the next step. Returns
    whether the loss stayed finite; if not, the update of that batch is left out and the state stays.
    """
    step = state.step[0]
    recorded, kept = _before(history_steps, step + 1), _before(snapshot_steps, step)
    since = history_steps[recorded - 1] if recorded > 0 else 0
    while True:
        if kept < snapshot_steps.size and step == snapshot_steps[kept]:
            _flat(state, spec, snapshots[kept])
            kept += 1
        if step >= until or stop[0] != 0:
            return True
        batch_loss = _step(seed, step, spec, state, work)
        if not np.isfinite(batch_loss):
            return False
        adam.update(state.weights, work.grad, state.m, state.v, step + 1, spec)
        step += 1
        state.step[0] = step
        due = recorded < history_steps.size and step == history_steps[recorded]
        mean = partial.add(state.loss, step, batch_loss, step - since if due else 1)
        if due:
            losses[recorded] = mean
            since = step
            recorded += 1


@entry
def flat_weights(state, spec, flat):
    """Write the weights in the order of ``parameter_shapes``."""
    _flat(state, spec, flat)


@entry
def batch_gradient(seed, spec, state, work, flat):
    """Loss and gradient of the batch at the state's step, flat (the tests compare it with autograd)."""
    batch_loss = _step(seed, state.step[0], spec, state, work)
    for i in range(work.grad.size):
        state.weights[i] = work.grad[i]
    _flat(state, spec, flat)
    return batch_loss


@stage
def _before(steps, step):
    """How many of the ascending steps are before ``step``."""
    count = 0
    while count < steps.size and steps[count] < step:
        count += 1
    return count


@stage
def _step(seed, step, spec, state, work):
    """Loss of the batch of (seed, step); its gradient goes into ``work.grad``."""
    weights, grad, u, du, slots = state.weights, work.grad, work.u, work.du, work.slots
    block, curve, units, into = work.block, work.curve, work.units, work.units_grad

    if readout.find_kinks(units.w1, units.b1, curve.kink, curve.side, curve.wrong) > 0:
        readout.sort(
            units,
            work.units_m,
            work.units_v,
            state.order,
            curve.kink,
            curve.side,
            curve.cell,
            curve.wrong,
            curve.wrong_words,
        )
    lowest, highest, wide = attention.collapse(weights, spec, u, slots)
    if not (np.isfinite(lowest) and np.isfinite(highest)):
        return np.nan
    readout.tabulate(
        weights[spec.biases + OUTPUT_BIAS],
        units.w1,
        units.b1,
        units.w2,
        curve.side,
        curve.slope_step,
        curve.intercept_step,
        curve.slope,
        curve.intercept,
        curve.table,
    )
    readout.fit_grid(
        lowest,
        highest,
        curve.kink,
        curve.cell,
        curve.now,
        curve.cell_words,
        curve.now_words,
        curve.first,
        curve.grid,
    )

    attention.clear(slots)
    readout.clear(curve.histogram)
    key, total = stream.batch_key(seed, step), 0.0
    for first in range(0, spec.batch_size, BLOCK):
        n = min(BLOCK, spec.batch_size - first)
        rounded = (n + ROUND - 1) // ROUND * ROUND
        stream.draw(key, first, rounded, spec, block.halves, block.packed)
        stream.label(rounded, spec, block.packed, block.rows)
        if wide:
            attention.pool_wide(rounded, spec, block.packed, slots, block.rows)
        else:
            attention.pool(rounded, spec, block.packed, slots, block.rows)
        readout.find_cells(rounded, curve.grid, block.rows, block.place)
        readout.look_up(rounded, block.rows, block.place, curve.first, curve.kink, curve.pairs, block.line_pairs)
        total += loss.residuals(n, rounded, np.float32(1.0 / spec.batch_size), block.rows, block.line)
        readout.tally(rounded, block.place, block.line_pairs, curve.banks)
        if wide:
            attention.unpool_wide(rounded, spec, block.packed, block.rows, slots)
        else:
            attention.unpool(rounded, spec, block.packed, block.rows, slots)

    # first, because it is a chain of short sums: the next stage has something to do meanwhile
    attention.gradient(weights, grad, spec, u, du, slots, wide)
    grad[spec.biases + OUTPUT_BIAS] = readout.gather(
        curve.side,
        curve.histogram,
        curve.slope_step,
        curve.intercept_step,
        curve.slope,
        curve.intercept,
        curve.on_gz,
        curve.on_g,
    )
    readout.gradient(units.w1, units.b1, units.w2, curve.on_gz, curve.on_g, into.w1, into.b1, into.w2)
    return total / spec.batch_size


@stage
def _flat(state, spec, flat):
    """The state's weights in the order of ``parameter_shapes``."""
    weights, circuit, H = state.weights, state.circuit, spec.hidden
    for i in range(circuit.size):
        flat[i] = weights[circuit[i]]
    start = circuit.size
    for p in range(spec.units):
        k = state.order[p]
        if k < H:
            flat[start + k] = weights[spec.w1 + p]
            flat[start + H + k] = weights[spec.b1 + p]
            flat[start + 2 * H + k] = weights[spec.w2 + p]
    flat[start + 3 * H] = weights[spec.biases + OUTPUT_BIAS]
