"""Training under stress: saturated softmax, extreme learning rates, batches of one: torch's numbers, or a status."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from kernel_runs import Training, batch_gradient
from torch.nn.functional import binary_cross_entropy_with_logits

import attnprobe as ap
from attnprobe.model import initial_weights, split
from attnprobe.outcome import Outcome
from attnprobe.training.batch import train_shard

CONFIG = ap.Config(hidden=20, batch_size=97, steps=1, snapshots=0)


def autograd(config: ap.Config, flat: np.ndarray, dtype: torch.dtype) -> tuple[float, np.ndarray]:
    """Loss of the logits and gradient of a batch, key bias left out: its true gradient is 0."""
    model = ap.AttentionModel.from_weights(config, split(config, flat)).to(dtype)
    X, y = config.task.make_batch(config.batch_size, seed=1, step=0)
    e = model.embed(X)
    loss = binary_cross_entropy_with_logits(model.nn[:3]((model.attention(e) @ model.values(e))[:, 0]), y.to(dtype))
    loss.backward()
    parts = {name: p.grad.double().numpy().ravel() for name, p in model.named_parameters() if name != "WK.bias"}
    return loss.item(), np.concatenate([parts[name] for name in sorted(parts)])


@pytest.mark.parametrize("power", [1.0, 2.0, 2.5, 3.0, 5.0, 10.0, 25.0])
@pytest.mark.parametrize("names", [("query",), ("WK.weight",), ("embed.weight",), ("query", "WK.weight")])
def test_gradient_where_the_softmax_saturates(names, power) -> None:
    """Scores tens to 1e30 apart: as near to float64 as float32 torch is, or not finite."""
    flat = initial_weights(CONFIG, np.array([1]))[0]
    for name in names:
        split(CONFIG, flat)[name][...] *= np.float32(10.0**power)
    loss, gradient = batch_gradient(CONFIG, 1, 0, flat)
    if not np.isfinite(loss) or not np.isfinite(gradient).all():
        assert power == 25, "scores beyond float32"
        return
    found = split(CONFIG, gradient)
    g = np.concatenate([found[name].ravel().astype(np.float64) for name in sorted(found) if name != "WK.bias"])
    (l64, g64), (l32, g32) = (autograd(CONFIG, flat, dtype) for dtype in (torch.float64, torch.float32))
    assert abs(loss - l64) <= 1e-5 * l64 + 3 * abs(l32 - l64)
    norm = np.linalg.norm(g64)
    assert np.linalg.norm(g - g64) <= 1e-4 * norm + 10 * np.linalg.norm(g32 - g64)


def test_a_row_without_the_highest_digits_keeps_its_pattern() -> None:
    """Scores 0, -200, -400, ...: each row looks at its highest digit alone, and its loss says so."""
    config = ap.Config(embed_dim=10, att_dim=1, hidden=2, batch_size=64, snapshots=0)
    flat = np.zeros_like(initial_weights(config, np.array([1]))[0])
    w = split(config, flat)
    values = np.linspace(-1, 1, 10)
    w["query"][:], w["embed.weight"][:], w["WK.weight"][0] = 1, np.eye(10), -200.0 * np.arange(10)
    w["WV.weight"][0], w["nn.0.weight"][0], w["nn.0.bias"][0], w["nn.2.weight"][0, 0] = values, 1, 2, 1
    loss, _ = batch_gradient(config, 1, 0, flat)
    X, y = config.task.make_batch(64, seed=1, step=0)
    logit = values[X.min(dim=1).values.numpy()] + 2
    assert loss == pytest.approx(np.mean(np.logaddexp(0, logit) - y[:, 0].numpy() * logit), rel=1e-6)


@pytest.mark.parametrize(
    "settings",
    [
        {"batch_size": 1, "hidden": 1, "embed_dim": 1, "att_dim": 1},
        {"lr": 1e-30},
        {"lr": 0.05, "steps": 12},
        {"betas": (0.0, 0.0)},
        {"eps": 0.0, "betas": (0.0, 0.9)},
        {"eps": 1.0},
        {"length": 1},
        {"vocab_size": 2, "rule": "n1 > n0", "length": 3},
        {"steps": 0},
    ],
    ids=str,
)
def test_steps_are_those_of_torch(settings) -> None:
    config = ap.Config(**{"hidden": 7, "batch_size": 29, "steps": 5, "lr": 1e-3, "snapshots": 0, **settings})
    start = initial_weights(config, np.array([3]))[0]
    model = ap.AttentionModel.from_weights(config, split(config, start)).double()
    how = {"batch_size": config.batch_size, "lr": config.lr, "betas": config.betas, "eps": config.eps or 1e-200}
    ap.fit(model, config.steps, task=config.task, seed=3, **how)  # with eps 0, torch makes 0 / 0 of a dead unit
    training = Training(config, 3)
    assert training.go_on()
    found = split(config, training.flat)
    expected = {name: p.detach().numpy() for name, p in model.named_parameters()}
    for name, value in found.items():
        if name == "WK.bias":
            continue  # the key bias drifts by torch's rounding noise
        moved = np.abs(expected[name] - split(config, start)[name].astype(np.float64)).max()
        np.testing.assert_allclose(value, expected[name], rtol=1e-5, atol=1e-6 + 2e-3 * moved, err_msg=name)
    if config.lr == 1e-30 or config.steps == 0:
        np.testing.assert_array_equal(training.flat, start)


@pytest.mark.parametrize("lr", [1e10, 1e30, 1e39, 1e300])
def test_a_learning_rate_beyond_all_measure_is_a_status_or_finite_numbers(lr) -> None:
    """Weights of 1e10 are numbers; what float32 cannot hold ends training, and is never kept as a result."""
    config = ap.Config(hidden=7, batch_size=29, steps=9, lr=lr, snapshots=2)
    shard = train_shard(config, np.arange(3), 1)
    trained = shard.status == Outcome.TRAINED.code
    assert (trained == (shard.steps == config.steps)).all() or lr > 1e10
    assert not trained.any() or lr == 1e10
    for s in np.flatnonzero(trained):
        assert all(np.isfinite(w[s]).all() for w in shard.weights.values())


def test_without_eps_small_gradients_move_weights_as_far_as_torch_does() -> None:
    """Gradients of 1e-16, second moments of 1e-35: what is far below eps as it usually is counts where eps is 0."""
    config = ap.Config(hidden=3, batch_size=50, steps=30, eps=0.0, lr=1e-3, snapshots=0, rule="n1 > n0", vocab_size=3)
    flat = initial_weights(config, np.array([2]))[0]
    split(config, flat)["nn.2.weight"][:] *= np.float32(1e-14)
    training = Training(config, 2, flat)
    model = ap.AttentionModel.from_weights(config, split(config, flat)).double()
    ap.fit(model, 3, batch_size=50, lr=1e-3, eps=1e-200, task=config.task, seed=2)
    assert training.go_on(3)
    found = split(config, training.flat)
    for name, p in model.named_parameters():
        if name != "WK.bias":
            np.testing.assert_allclose(found[name], p.detach().numpy(), atol=2e-5, err_msg=name)
