"""One seed from its first step to its last, compiled for the CPU.

A step draws a batch of N sequences as digit counts c (V digits), runs the network forward and backward
and applies Adam. Written with one score and one value a digit (the network sees nothing else):

    u   = WK^T q / sqrt(att_dim)
    s_d = E_d . u          v_d = E_d . w + bV         (the key bias shifts all scores alike and cancels)
    e_d = exp(s_d - max s)
    S   = sum_d c_d e_d    z   = sum_d c_d e_d v_d / S                       for each sequence
    f   = b2 + sum_k w2_k relu(w1_k z + b1_k)         p = sigmoid(f)

    loss = mean over sequences of  log(1 + exp(f)) - y f

**The readout is a piecewise linear function of the one number z.** Hidden unit k switches at its kink
-b1_k / w1_k. Let r be the rank of z among the sorted kinks, that is the number of kinks below z. Then
f = slope[r] z + intercept[r], where slope and intercept are prefix sums over the units that are on in
interval r: a sequence costs one look-up instead of H products. The order of the units changes
little from step to step, so an insertion sort keeps it.

**Backward**, with g = (p - y) / N the derivative of the loss by f:

    A_k  = sum of g z,   B_k = sum of g     over sequences for which unit k is on
    dw2_k = w1_k A_k + b1_k B_k,   dw1_k = w2_k A_k,   db1_k = w2_k B_k,   db2 = sum of g

A and B are prefix sums too, over histograms of (g z, g) by rank. With h = g slope[r] / S,

    P_d  = sum of c_d h,   Q_d = sum of c_d h z
    dv_d = e_d P_d,        ds_d = e_d (v_d P_d - Q_d)

and from there by the chain rule to E, w, bV, WK and q. The gradient of the key bias is exactly zero, so
it keeps its initial value (torch lets it drift by rounding noise, which changes no answer).

Rows are handled in blocks of BLOCK, so that memory does not depend on the batch size. One seed runs on
one thread and shares nothing: its bits do not depend on its company.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from attnprobe.config import Config
from attnprobe.task import GAMMA, MIX_1, MIX_2, digits_per_fraction, words_per_row
from attnprobe.training.compiled import compiled, exactly_compiled

__all__ = ["Spec", "train_seed"]

BLOCK = 512
FIELD_BITS = np.uint64(6)  # a count of at most 63 fits
FIELDS = 10  # counts packed into one 64-bit word
SMALLEST = np.float32(1e-30)  # of exp(s_d - max s): scores more than 69 below the largest count as 69 below
TINY = np.float32(1e-30)  # Adam moments below this are set to zero: denormal numbers are slow

LOG_GROUP = 64  # factors 1 + exp(-|f|) multiplied before one logarithm is taken

LOG2_E = np.float32(1.4426950408889634)
LN2_HIGH = np.float32(0.693359375)  # few enough bits that n * LN2_HIGH is exact
LN2_LOW = np.float32(-2.12194440e-4)
C2, C3, C4, C5, C6 = (np.float32(1 / k) for k in (2, 6, 24, 120, 720))

HALF = np.uint64(32)
LOW = np.uint64(0xFFFFFFFF)
G = np.uint64(GAMMA)
M1, M2 = np.uint64(MIX_1), np.uint64(MIX_2)
S30, S27, S31 = np.uint64(30), np.uint64(27), np.uint64(31)


class Spec(NamedTuple):
    """A config as the numbers that the kernel needs."""

    vocab_size: int
    length: int
    more: int
    fewer: int
    embed_dim: int
    att_dim: int
    hidden: int
    batch_size: int
    steps: int
    words: int
    per_fraction: int
    cells: int
    lr: float
    beta1: float
    beta2: float
    eps: float

    @classmethod
    def of(cls, config: Config) -> Spec:
        more, fewer = config.task.targets
        return cls(
            vocab_size=config.vocab_size,
            length=config.length,
            more=more,
            fewer=fewer,
            embed_dim=config.embed_dim,
            att_dim=config.att_dim,
            hidden=config.hidden,
            batch_size=config.batch_size,
            steps=config.steps,
            words=words_per_row(config.vocab_size, config.length),
            per_fraction=digits_per_fraction(config.vocab_size),
            cells=4 * max(256, config.hidden),
            lr=config.lr,
            beta1=config.betas[0],
            beta2=config.betas[1],
            eps=config.eps,
        )


class Layout(NamedTuple):
    """Views of one flat vector (weights or their gradient), in the order of ``parameter_shapes``."""

    query: np.ndarray  # (A,)
    embed: np.ndarray  # (V, D)
    key: np.ndarray  # (A, D)
    value: np.ndarray  # (D,)
    value_bias: np.ndarray  # (1,)
    w1: np.ndarray  # (H,)
    b1: np.ndarray  # (H,)
    w2: np.ndarray  # (H,)
    b2: np.ndarray  # (1,)


class Block(NamedTuple):
    """Work space for one block of sequences."""

    counts: np.ndarray  # float32 (V, BLOCK)
    packed: np.ndarray  # uint64 (BLOCK,), counts in fields of FIELD_BITS
    fraction: np.ndarray  # uint64 (BLOCK,)
    label: np.ndarray  # float32 (BLOCK,)
    normaliser: np.ndarray  # S, float32 (BLOCK,)
    pooled: np.ndarray  # z, float32 (BLOCK,)
    logit: np.ndarray  # f, float32 (BLOCK,)
    slope: np.ndarray  # df/dz, float32 (BLOCK,)
    odds: np.ndarray  # 1 + exp(-|f|), float32 (BLOCK,)
    g: np.ndarray  # df, float32 (BLOCK,)
    h: np.ndarray  # dz / S, float32 (BLOCK,)
    rank: np.ndarray  # int32 (BLOCK,)


class Circuit(NamedTuple):
    """Per digit: direction, exp of score, value, and the sums of the backward pass."""

    u: np.ndarray  # (D,)
    du: np.ndarray  # (D,)
    score: np.ndarray  # (V,)
    draw: np.ndarray  # e_d (V,)
    value: np.ndarray  # v_d (V,)
    P: np.ndarray  # (V,)
    Q: np.ndarray  # (V,)


class Curve(NamedTuple):
    """The readout as a table over the sorted kinks, and the histograms of the backward pass."""

    order: np.ndarray  # int32 (H,): units by kink
    kink: np.ndarray  # float32 (H,), sorted
    rising: np.ndarray  # bool (H,): on to the right of the kink
    slope: np.ndarray  # float32 (H + 1,)
    intercept: np.ndarray  # float32 (H + 1,)
    below: np.ndarray  # int32 (cells + 1,): kinks in lower cells of a grid over z
    sum_gz: np.ndarray  # float64 (H + 1,)
    sum_g: np.ndarray  # float64 (H + 1,)


@compiled
def train_seed(seed, spec, flat, history_steps, losses, snapshot_steps, snapshots, progress, stop):
    """Train one seed; ``flat`` holds its initial weights and, at the end, its trained ones.

    ``losses[i]`` becomes the mean batch loss since the previous recorded step, ``snapshots[i]`` the
    weights at ``snapshot_steps[i]``. ``progress[0]`` counts steps; setting ``stop[0]`` ends the run.
    Returns the number of updates done: fewer than ``spec.steps`` if the loss became not finite (the
    update of that batch is left out) or the run was stopped.
    """
    gradient, m, v = np.zeros_like(flat), np.zeros_like(flat), np.zeros_like(flat)
    weights, grad = _layout(flat, spec), _layout(gradient, spec)
    block, circuit, curve = _block(spec), _circuit(spec), _curve(spec)
    recorded = kept = 0
    loss_sum, batches = 0.0, 0
    if snapshot_steps.size > 0 and snapshot_steps[0] == 0:
        snapshots[0] = flat
        kept = 1
    for step in range(spec.steps):
        if stop[0] != 0:
            return step
        loss = _gradient(seed, step, spec, weights, grad, block, circuit, curve)
        if not np.isfinite(loss):
            return step
        _adam(flat, gradient, m, v, step + 1, spec)
        done = step + 1
        progress[0] = done
        loss_sum += loss
        batches += 1
        if done == history_steps[recorded]:
            losses[recorded] = loss_sum / batches
            recorded += 1
            loss_sum, batches = 0.0, 0
        if kept < snapshot_steps.size and done == snapshot_steps[kept]:
            snapshots[kept] = flat
            kept += 1
    return spec.steps


@compiled
def batch_gradient(seed, step, spec, flat):
    """Loss and flat gradient of one batch at weights ``flat`` (the tests compare it with autograd)."""
    gradient = np.zeros_like(flat)
    loss = _gradient(
        seed,
        step,
        spec,
        _layout(flat, spec),
        _layout(gradient, spec),
        _block(spec),
        _circuit(spec),
        _curve(spec),
    )
    return loss, gradient


@compiled
def _gradient(seed, step, spec, weights, grad, block, circuit, curve):
    """Loss of the batch of (seed, step); its gradient goes into ``grad``."""
    _collapse(weights, circuit, spec)
    low, scale = _tabulate(weights, curve, circuit, spec)
    circuit.P[:] = 0
    circuit.Q[:] = 0
    curve.sum_gz[:] = 0
    curve.sum_g[:] = 0
    key = _batch_key(seed, step)
    loss = 0.0
    for start in range(0, spec.batch_size, BLOCK):
        n = min(BLOCK, spec.batch_size - start)
        _draw(key, start, n, spec, block)
        _pool(n, spec, block, circuit)
        _read_out(n, block, curve, low, scale)
        loss += _residuals(n, block, np.float32(1.0 / spec.batch_size))
        _collect(n, spec, block, circuit, curve)
    _readout_gradient(weights, grad, curve)
    _circuit_gradient(weights, grad, circuit, spec)
    return loss / spec.batch_size


# --- the batch: the compiled twin of Task.digits -------------------------------------------------


@compiled
def _mix(x):
    x = (x ^ (x >> S30)) * M1
    x = (x ^ (x >> S27)) * M2
    return x ^ (x >> S31)


@compiled
def _batch_key(seed, step):
    return _mix(_mix(np.uint64(seed) + G) + np.uint64(step + 1) * G)


@compiled
def _draw(key, start, n, spec, block):
    """Digit counts and labels of rows start .. start + n of the batch."""
    vocab = np.uint64(spec.vocab_size)
    for first in range(0, spec.vocab_size, FIELDS):  # the digits whose counts share a packed word
        fields = min(FIELDS, spec.vocab_size - first)
        for i in range(n):
            block.packed[i] = 0
        left = spec.length
        for j in range(2 * spec.words):
            for i in range(n):
                index = np.uint64((start + i) * spec.words + j // 2 + 1)
                word = _mix(key + index * G)
                block.fraction[i] = word >> HALF if j % 2 else word & LOW
            for _ in range(min(spec.per_fraction, left)):
                for i in range(n):
                    product = block.fraction[i] * vocab
                    digit = (product >> HALF) - np.uint64(first)  # wraps far above for smaller digits
                    here = digit < np.uint64(fields)
                    block.packed[i] += np.uint64(here) << (digit * FIELD_BITS if here else np.uint64(0))
                    block.fraction[i] = product & LOW
            left -= min(spec.per_fraction, left)
        for f in range(fields):
            shift = np.uint64(f) * FIELD_BITS
            for i in range(n):
                block.counts[first + f, i] = np.float32(np.int32((block.packed[i] >> shift) & np.uint64(63)))
    more, fewer = block.counts[spec.more], block.counts[spec.fewer]
    for i in range(n):
        block.label[i] = np.float32(1) if more[i] > fewer[i] else np.float32(0)


# --- forward ------------------------------------------------------------------------------------


@compiled
def _collapse(weights, circuit, spec):
    """Scores, their exponentials and values of the digits."""
    root = np.float32(np.sqrt(spec.att_dim))
    for d in range(spec.embed_dim):
        total = np.float32(0)
        for a in range(spec.att_dim):
            total += weights.query[a] * weights.key[a, d]
        circuit.u[d] = total / root
    for d in range(spec.vocab_size):
        score, value = np.float32(0), weights.value_bias[0]
        for e in range(spec.embed_dim):
            score += weights.embed[d, e] * circuit.u[e]
            value += weights.embed[d, e] * weights.value[e]
        circuit.score[d] = score
        circuit.value[d] = value
    largest = circuit.score.max()
    for d in range(spec.vocab_size):
        circuit.draw[d] = max(np.exp(circuit.score[d] - largest), SMALLEST)


@compiled
def _tabulate(weights, curve, circuit, spec):
    """Sort the kinks, sum up slopes and intercepts, and lay a grid over the range of z."""
    H = spec.hidden
    for j in range(H):
        k = curve.order[j]
        curve.kink[j] = _kink(weights.w1[k], weights.b1[k])
    _insertion_sort(curve.kink, curve.order)

    slope, intercept = 0.0, np.float64(weights.b2[0])  # left of all kinks the falling units are on
    for j in range(H):
        k = curve.order[j]
        curve.rising[j] = weights.w1[k] > 0 or (weights.w1[k] == 0 and not weights.b1[k] > 0)
        if not curve.rising[j]:
            slope += np.float64(weights.w1[k]) * weights.w2[k]
            intercept += np.float64(weights.b1[k]) * weights.w2[k]
    curve.slope[0], curve.intercept[0] = slope, intercept
    for j in range(H):
        k = curve.order[j]
        sign = 1.0 if curve.rising[j] else -1.0
        slope += sign * weights.w1[k] * weights.w2[k]
        intercept += sign * weights.b1[k] * weights.w2[k]
        curve.slope[j + 1], curve.intercept[j + 1] = slope, intercept

    low, high = circuit.value.min(), circuit.value.max()  # z is a mean of values
    scale = np.float32(spec.cells) / (high - low) if high > low else np.float32(0)
    curve.below[:] = 0
    for j in range(H):
        curve.below[_cell(curve.kink[j], low, scale, spec.cells) + 1] += 1
    for c in range(spec.cells):
        curve.below[c + 1] += curve.below[c]
    return low, scale


@exactly_compiled
def _kink(w1, b1):
    """Where a hidden unit switches; a unit without input weight never does."""
    return -b1 / w1 if w1 != 0 else np.float32(np.inf)


@exactly_compiled
def _cell(x, low, scale, cells):
    """Cell of x in a grid: never decreasing in x, so a kink in a lower cell than z lies below z.

    It must round alike for kinks and for z: hence no reordering here. Not-a-number lands in cell 0.
    """
    place = (x - low) * scale
    place = place if place > np.float32(0) else np.float32(0)
    last = np.float32(cells - 1)
    return np.int32(place if place < last else last)


@compiled
def _insertion_sort(kink, order):
    """Sort kinks in place and carry the order of units along; cheap where little has moved."""
    for j in range(1, kink.size):
        x, unit = kink[j], order[j]
        i = j
        while i > 0 and kink[i - 1] > x:
            kink[i], order[i] = kink[i - 1], order[i - 1]
            i -= 1
        kink[i], order[i] = x, unit


@compiled
def _pool(n, spec, block, circuit):
    """Normaliser S and pooled value z of each sequence."""
    S, z = block.normaliser, block.pooled
    for i in range(n):
        S[i] = z[i] = np.float32(0)
    for d in range(spec.vocab_size):
        e = circuit.draw[d]
        ev = e * circuit.value[d]
        c = block.counts[d]
        for i in range(n):
            S[i] += c[i] * e
            z[i] += c[i] * ev
    for i in range(n):
        z[i] /= S[i]


@compiled
def _read_out(n, block, curve, low, scale):
    """Rank, logit and slope of each sequence."""
    cells, hidden = curve.below.size - 1, curve.kink.size
    for i in range(n):
        z = block.pooled[i]
        r = curve.below[_cell(z, low, scale, cells)]
        while r < hidden and curve.kink[r] < z:
            r += 1
        block.rank[i] = r
        block.slope[i] = curve.slope[r]
        block.logit[i] = curve.slope[r] * z + curve.intercept[r]


@compiled
def _exp_of_negative(x):
    """exp(x) for x <= 0 in float32, to about one unit in the last place, in a form that vectorises.

    exp(x) = 2^n exp(y) with n whole and |y| <= log(2) / 2; exp(y) by its Taylor polynomial of degree 6
    (remainder below 2e-7 of a unit in the last place times 2^n), 2^n by writing the exponent bits.
    """
    x = max(x, np.float32(-87.0))  # the smallest normal number; less would be as good as zero
    n = np.floor(x * LOG2_E + np.float32(0.5))
    y = (x - n * LN2_HIGH) - n * LN2_LOW
    p = C6
    for c in (C5, C4, C3, C2):
        p = p * y + c
    p = (p * y + np.float32(1)) * y + np.float32(1)
    bits = np.int32((np.int32(n) + 127) << 23)  # numba widens; the view needs 32 bits
    return p * bits.view(np.float32)


@compiled
def _residuals(n, block, share):
    """g = (p - y) / N and h = g slope / S; returns the sum of the losses."""
    loss = np.float32(0)
    for i in range(n):
        f = block.logit[i]
        y = block.label[i]
        odds = _exp_of_negative(-abs(f))  # at most 1: no overflow on either side
        p = (np.float32(1) if f >= np.float32(0) else odds) / (np.float32(1) + odds)
        block.odds[i] = np.float32(1) + odds
        block.g[i] = (p - y) * share
        block.h[i] = block.g[i] * block.slope[i] / block.normaliser[i]
        loss += max(f, np.float32(0)) - y * f
    for start in range(0, n, LOG_GROUP):  # factors are at most 2: their product cannot overflow
        product = np.float32(1)
        for i in range(start, min(start + LOG_GROUP, n)):
            product *= block.odds[i]
        loss += np.log(product)
    return np.float64(loss)


# --- backward -----------------------------------------------------------------------------------


@compiled
def _collect(n, spec, block, circuit, curve):
    """Add a block to the sums over sequences that the gradients are made of."""
    for i in range(n):
        r = block.rank[i]
        curve.sum_gz[r] += block.g[i] * block.pooled[i]
        curve.sum_g[r] += block.g[i]
    for d in range(spec.vocab_size):
        c = block.counts[d]
        P = Q = np.float32(0)
        for i in range(n):
            ch = c[i] * block.h[i]
            P += ch
            Q += ch * block.pooled[i]
        circuit.P[d] += P
        circuit.Q[d] += Q


@compiled
def _readout_gradient(weights, grad, curve):
    """From histograms by rank to gradients of w1, b1, w2 and b2, by prefix sums."""
    total_gz, total_g = curve.sum_gz.sum(), curve.sum_g.sum()
    left_gz = left_g = 0.0
    for j in range(curve.order.size):
        left_gz += curve.sum_gz[j]  # sequences of rank at most j: z not above kink j
        left_g += curve.sum_g[j]
        A = total_gz - left_gz if curve.rising[j] else left_gz
        B = total_g - left_g if curve.rising[j] else left_g
        k = curve.order[j]
        grad.w2[k] = weights.w1[k] * A + weights.b1[k] * B
        grad.w1[k] = weights.w2[k] * A
        grad.b1[k] = weights.w2[k] * B
    grad.b2[0] = total_g


@compiled
def _circuit_gradient(weights, grad, circuit, spec):
    """From the sums P and Q to gradients of embedding, value, key and query."""
    root = np.float32(np.sqrt(spec.att_dim))
    circuit.du[:] = 0
    grad.value[:] = 0
    value_bias = np.float32(0)
    for d in range(spec.vocab_size):
        dv = circuit.draw[d] * circuit.P[d]
        ds = circuit.draw[d] * (circuit.value[d] * circuit.P[d] - circuit.Q[d])
        value_bias += dv
        for e in range(spec.embed_dim):
            grad.embed[d, e] = ds * circuit.u[e] + dv * weights.value[e]
            grad.value[e] += dv * weights.embed[d, e]
            circuit.du[e] += ds * weights.embed[d, e]
    grad.value_bias[0] = value_bias
    for a in range(spec.att_dim):
        dq = np.float32(0)
        for e in range(spec.embed_dim):
            dq += weights.key[a, e] * circuit.du[e]
            grad.key[a, e] = weights.query[a] * circuit.du[e] / root
        grad.query[a] = dq / root


@compiled
def _adam(flat, gradient, m, v, t, spec):
    """One update of Adam (Kingma & Ba 2015, arXiv:1412.6980), in torch's order of operations."""
    beta1, beta2 = np.float32(spec.beta1), np.float32(spec.beta2)
    one_less_1, one_less_2 = np.float32(1 - spec.beta1), np.float32(1 - spec.beta2)
    size = np.float32(spec.lr / (1 - spec.beta1**t))
    correction = np.float32(np.sqrt(1 - spec.beta2**t))
    eps = np.float32(spec.eps)
    for i in range(flat.size):
        g = gradient[i]
        mi = beta1 * m[i] + one_less_1 * g
        vi = beta2 * v[i] + one_less_2 * g * g
        m[i] = mi if abs(mi) > TINY else np.float32(0)
        v[i] = vi if vi > TINY else np.float32(0)
        flat[i] -= size * mi / (np.sqrt(vi) / correction + eps)


# --- work space ----------------------------------------------------------------------------------


@compiled
def _layout(flat, spec):
    V, D, A, H = spec.vocab_size, spec.embed_dim, spec.att_dim, spec.hidden
    embed = A
    key = embed + V * D
    key_bias = key + A * D
    value = key_bias + A
    w1 = value + D + 1
    return Layout(
        flat[:embed],
        flat[embed:key].reshape(V, D),
        flat[key:key_bias].reshape(A, D),
        flat[value : value + D],
        flat[value + D : w1],
        flat[w1 : w1 + H],
        flat[w1 + H : w1 + 2 * H],
        flat[w1 + 2 * H : w1 + 3 * H],
        flat[w1 + 3 * H :],
    )


@compiled
def _block(spec):
    def row():
        return np.empty(BLOCK, np.float32)

    return Block(
        np.empty((spec.vocab_size, BLOCK), np.float32),
        np.empty(BLOCK, np.uint64),
        np.empty(BLOCK, np.uint64),
        row(),
        row(),
        row(),
        row(),
        row(),
        row(),
        row(),
        row(),
        np.empty(BLOCK, np.int32),
    )


@compiled
def _circuit(spec):
    D, V = spec.embed_dim, spec.vocab_size

    def row(n):
        return np.empty(n, np.float32)

    return Circuit(row(D), row(D), row(V), row(V), row(V), row(V), row(V))


@compiled
def _curve(spec):
    H = spec.hidden
    return Curve(
        np.arange(H).astype(np.int32),
        np.empty(H, np.float32),
        np.empty(H, np.bool_),
        np.empty(H + 1, np.float32),
        np.empty(H + 1, np.float32),
        np.empty(spec.cells + 1, np.int32),
        np.empty(H + 1, np.float64),
        np.empty(H + 1, np.float64),
    )
