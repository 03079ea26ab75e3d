"""From weights to one score and one value a digit, from counts to pooled values, and back.

    u   = WK^T q / sqrt(att_dim)
    s_d = E_d . u          v_d = E_d . w + bV         (the key bias shifts all scores alike and cancels)
    e_d = exp(s_d - max s)
    S   = sum_d c_d e_d    z   = sum_d c_d e_d v_d / S                       for each row

Going back, with h = g df/dz / S of each row (g is the derivative of the loss by the logit f),

    P_d  = sum of c_d h,   Q_d = sum of c_d h z
    dv_d = e_d P_d,        ds_d = e_d (v_d P_d - Q_d)

and from there by the chain rule to E, w, bV, WK and q. The gradient of the key bias is exactly zero, so it
keeps its initial value (torch lets it drift by rounding noise, which changes no answer).

Where scores span more than WIDE, a row that holds low scores alone would lose its digits, or its factor 1 / S overflow.
Then every row is pooled relative to the highest score t that is in it, z = v_t + sum_d c_d e_d (v_d - v_t) / S, slowly
and with nothing left to overflow, and the way back adds up dv and ds themselves. So is a single position, for then ds
is 0 and not what rounding leaves of it, which Adam would make a step of.

Digits go by slot. A count is taken from its field of a packed word without shifting it down: the field's
place is a power of two, which is taken off e_d (going forward) or P_d and Q_d (going back) once instead.
"""

from __future__ import annotations

import numpy as np

from attnprobe.training.block import INVERSE, NORMALISER, POOLED, PULL, PULL_POOLED, WEIGHTED
from attnprobe.training.compiled import apart, stage
from attnprobe.training.exponential import exp
from attnprobe.training.memory import zeros
from attnprobe.training.spec import COUNT_BITS, FIELDS, LANES, MOST_SLOTS, VALUE_BIAS, slots_of
from attnprobe.training.vectors import add_scaled, dot, keep_apart, scaled

__all__ = ["clear", "collapse", "gradient", "new_slots", "pool", "pool_wide", "unpool", "unpool_wide"]

f32, i32, u32 = np.float32, np.int32, np.uint32
WIDE = f32(40)  # range of scores; 1 / S is at most exp of it
VANISHING = f32(-87)  # exp of less is no normal number
MASKS = tuple(u32((2**COUNT_BITS - 1) << (COUNT_BITS * field)) for field in range(FIELDS))
MASK_0, MASK_1, MASK_2, MASK_3, MASK_4 = MASKS

# Places in ``slots``, which holds MOST_SLOTS numbers of each kind
SCORE, VALUE, DRAW, DRAW_PLACED, VALUE_PLACED, P, Q, DV, DS, PLACE, ABSENT = (k * MOST_SLOTS for k in range(11))
# PLACE: 2^-(bits below the slot's field); ABSENT: 0, or infinity where no digit has this slot


def new_slots(vocab_size: int) -> np.ndarray:
    """Work space for the slots of an alphabet, float32."""
    slots = zeros((11, MOST_SLOTS), np.float32)
    slots[PLACE // MOST_SLOTS] = 0.5 ** (COUNT_BITS * (np.arange(MOST_SLOTS) % FIELDS))
    slots[ABSENT // MOST_SLOTS] = np.inf
    slots[ABSENT // MOST_SLOTS, slots_of(vocab_size)] = 0
    return slots.ravel()


# --- forward ------------------------------------------------------------------------------------


@stage
def collapse(weights, spec, u, slots):
    """Scores and values of the digits; returns the lowest and the highest value, and whether rows are pooled apart.

    Both values are not finite where any score or value is not.
    """
    u[:] = f32(0)
    for a in range(spec.att_dim):
        q = weights[a] / f32(spec.root)
        for e in range(0, spec.width, LANES):
            add_scaled(u, e, weights, spec.key + a * spec.width + e, q)
    for s in range(MOST_SLOTS):
        slots[SCORE + s] = f32(0)
        slots[VALUE + s] = weights[spec.biases + VALUE_BIAS]
    for e in range(spec.embed_dim):
        for s in range(0, spec.slots, LANES):
            embed = spec.embed + e * spec.slots + s
            add_scaled(slots, SCORE + s, weights, embed, u[e])
            add_scaled(slots, VALUE + s, weights, embed, weights[spec.value + e])
    top, bottom, lowest, highest = f32(-np.inf), f32(np.inf), f32(np.inf), f32(-np.inf)
    sound = f32(0)
    n = min(spec.slots, MOST_SLOTS)  # as it is; told to LLVM, which makes better code for short loops
    for s in range(n):
        absent, value = slots[ABSENT + s], slots[VALUE + s]
        top = max(top, slots[SCORE + s] - absent)
        bottom = min(bottom, slots[SCORE + s] + absent)
        lowest = min(lowest, value + absent)
        highest = max(highest, value - absent)
        sound += (slots[SCORE + s] + value) * f32(0)
    for s in range(n):
        draw = exp(slots[SCORE + s] - top - slots[ABSENT + s])
        slots[DRAW + s] = draw
        slots[DRAW_PLACED + s] = draw * slots[PLACE + s]
        slots[VALUE_PLACED + s] = draw * slots[PLACE + s] * slots[VALUE + s]
    return lowest + sound, highest + sound, top - bottom > WIDE or spec.length == 1


@stage
def pool(n, spec, packed, slots, rows):
    """Normaliser S and pooled value z of each row."""
    for i in range(n):
        rows[NORMALISER + i] = rows[WEIGHTED + i] = f32(0)
    for group in range(spec.groups):
        e, v = DRAW_PLACED + group * FIELDS, VALUE_PLACED + group * FIELDS
        e0, e1, e2, e3, e4 = slots[e], slots[e + 1], slots[e + 2], slots[e + 3], slots[e + 4]
        v0, v1, v2, v3, v4 = slots[v], slots[v + 1], slots[v + 2], slots[v + 3], slots[v + 4]
        for i in range(n):
            c0, c1, c2, c3, c4 = _counts(packed[group, i])
            rows[NORMALISER + i] += c0 * e0 + c1 * e1 + c2 * e2 + c3 * e3 + c4 * e4
            rows[WEIGHTED + i] += c0 * v0 + c1 * v1 + c2 * v2 + c3 * v3 + c4 * v4
    for i in range(n):
        inverse = f32(1) / rows[NORMALISER + i]
        rows[INVERSE + i] = inverse
        rows[POOLED + i] = rows[WEIGHTED + i] * inverse


@apart
def pool_wide(n, spec, packed, slots, rows):
    """The same for wide scores. 1 takes the place of 1 / S, which is in ``unpool_wide``."""
    keep_apart()
    for i in range(n):
        _, _, pooled = _pool_row(i, spec, packed, slots)
        rows[INVERSE + i], rows[POOLED + i] = f32(1), pooled


@stage
def _pool_row(i, spec, packed, slots):
    """The slot with the highest score in a row, the normaliser relative to it, and the pooled value."""
    n = min(spec.slots, MOST_SLOTS)
    top = -1
    for s in range(n):
        if _count(i, s, packed) > 0 and (top < 0 or slots[SCORE + s] > slots[SCORE + top]):
            top = s
    normaliser = pulled = f32(0)
    for s in range(n):
        drawn = _drawn(i, s, top, packed, slots)
        normaliser += drawn
        pulled += drawn * (slots[VALUE + s] - slots[VALUE + top])
    return top, normaliser, slots[VALUE + top] + pulled / normaliser


@stage
def _drawn(i, s, top, packed, slots):
    """Count times exp of the score less the row's highest: 0 below VANISHING."""
    count = _count(i, s, packed)
    below = min(slots[SCORE + s] - slots[SCORE + top], f32(0))  # scores of other digits may be higher
    return f32(count) * exp(below) if count > 0 and below > VANISHING else f32(0)


@stage
def _count(i, s, packed):
    """How often a row holds the digit of a slot."""
    return i32(packed[s // FIELDS, i] >> u32(COUNT_BITS * (s % FIELDS))) & i32(2**COUNT_BITS - 1)


@stage
def _counts(word):
    """The five counts of a packed word, each times the place of its field."""
    return (
        f32(i32(word & MASK_0)),
        f32(i32(word & MASK_1)),
        f32(i32(word & MASK_2)),
        f32(i32(word & MASK_3)),
        f32(i32(word & MASK_4)),
    )


# --- back ---------------------------------------------------------------------------------------


@stage
def clear(slots):
    """Empty the sums over rows."""
    for s in range(MOST_SLOTS):
        slots[P + s] = slots[Q + s] = f32(0)


@stage
def unpool(n, spec, packed, rows, slots):
    """Add the rows to P and Q (times the place of the slot's field)."""
    for group in range(spec.groups):
        p0 = p1 = p2 = p3 = p4 = f32(0)
        q0 = q1 = q2 = q3 = q4 = f32(0)
        for i in range(n):
            h, hz = rows[PULL + i], rows[PULL_POOLED + i]
            c0, c1, c2, c3, c4 = _counts(packed[group, i])
            p0, p1, p2, p3, p4 = p0 + c0 * h, p1 + c1 * h, p2 + c2 * h, p3 + c3 * h, p4 + c4 * h
            q0, q1, q2, q3, q4 = q0 + c0 * hz, q1 + c1 * hz, q2 + c2 * hz, q3 + c3 * hz, q4 + c4 * hz
        for field, (p, q) in enumerate(((p0, q0), (p1, q1), (p2, q2), (p3, q3), (p4, q4))):
            slots[P + group * FIELDS + field] += p
            slots[Q + group * FIELDS + field] += q


@apart
def unpool_wide(n, spec, packed, rows, slots):
    """Add the rows' part of dv to P, and of ds to Q, where scores are wide."""
    keep_apart()
    for i in range(n):
        top, normaliser, pooled = _pool_row(i, spec, packed, slots)
        for s in range(min(spec.slots, MOST_SLOTS)):
            dv = rows[PULL + i] * (_drawn(i, s, top, packed, slots) / normaliser)
            slots[P + s] += dv
            slots[Q + s] += dv * (slots[VALUE + s] - pooled)


@stage
def gradient(weights, grad, spec, u, du, slots, wide):
    """From P and Q to the gradients of embedding, value, key and query."""
    value_bias = f32(0)
    for s in range(min(spec.slots, MOST_SLOTS)):
        draw = slots[DRAW + s] * slots[PLACE + s]
        dv = slots[P + s] if wide else draw * slots[P + s]
        slots[DV + s] = dv
        slots[DS + s] = slots[Q + s] if wide else slots[VALUE + s] * dv - draw * slots[Q + s]
        value_bias += dv
    grad[spec.biases + VALUE_BIAS] = value_bias
    for e in range(spec.embed_dim):
        for_value, for_u = f32(0), f32(0)
        for s in range(0, spec.slots, LANES):
            embed = spec.embed + e * spec.slots + s
            for_value += dot(slots, DV + s, weights, embed)
            for_u += dot(slots, DS + s, weights, embed)
            scaled(grad, embed, slots, DS + s, u[e])
            add_scaled(grad, embed, slots, DV + s, weights[spec.value + e])
        grad[spec.value + e] = for_value
        du[e] = for_u / f32(spec.root)
    for a in range(spec.att_dim):
        dq = f32(0)
        for e in range(0, spec.width, LANES):
            key = spec.key + a * spec.width + e
            dq += dot(weights, key, du, e)
            scaled(grad, key, du, e, weights[a])
        grad[a] = dq
