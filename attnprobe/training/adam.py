"""Adam (Kingma & Ba 2015, arXiv:1412.6980), in torch's order of operations."""

from __future__ import annotations

import numpy as np

from attnprobe.training.compiled import stage

__all__ = ["update"]

f32 = np.float32
TINY = 1e-30  # moments below this are set to zero: denormal numbers are slow
UNSEEN = 1e-7  # share of eps: what a moment below TINY is to a step, if eps is as usual


@stage
def update(weights, grad, m, v, t, spec):
    """The t-th update (counted from 1) of all weights."""
    beta1, beta2 = f32(spec.beta1), f32(spec.beta2)
    less1, less2 = f32(1 - spec.beta1), f32(1 - spec.beta2)
    size = f32(spec.lr / (1 - spec.beta1**t))
    correction = f32(1 / np.sqrt(1 - spec.beta2**t))
    eps = f32(spec.eps)
    tiny_m, tiny_v = f32(min(TINY, spec.eps)), f32(min(TINY, (UNSEEN * spec.eps) ** 2))
    for i in range(weights.size):
        g = grad[i]
        mi = beta1 * m[i] + less1 * g
        vi = beta2 * v[i] + less2 * g * g
        m[i] = mi if abs(mi) > tiny_m else f32(0)
        v[i] = vi if vi > tiny_v else f32(0)
        update = size * mi / (np.sqrt(vi) * correction + eps)
        weights[i] -= update if mi != f32(0) else f32(0)  # 0 / 0 where eps is 0 too
