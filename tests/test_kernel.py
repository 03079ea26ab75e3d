"""The compiled kernel against torch: data, gradients, hundreds of steps; and how it ends early."""

from __future__ import annotations

import naive
import numpy as np
import pytest
import torch
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from kernel_runs import batch_gradient, drawn, gradient_steps, kernel_run
from torch.nn.functional import binary_cross_entropy_with_logits

import attnprobe as ap
from attnprobe.model import initial_weights, split
from attnprobe.training.block import BLOCK

DEFAULT = ap.Config(steps=300, history=10, snapshots=7)
ODD = ap.Config(
    rule="n6 > n3",
    vocab_size=7,
    length=13,
    embed_dim=3,
    att_dim=2,
    hidden=31,
    batch_size=BLOCK + 101,  # two blocks, the second not full
    lr=1e-3,
    betas=(0.8, 0.99),
    eps=1e-6,
    steps=300,
    history=10,
    snapshots=5,
)


# --- the batch ----------------------------------------------------------------------------------


@settings(max_examples=60)
@given(
    vocab_size=st.integers(2, 32),
    length=st.integers(1, 63),
    seed=st.integers(0, 2**63 - 1),
    step=st.integers(0, 10**9),
    first=st.sampled_from([0, BLOCK, 3 * BLOCK]),
    n=st.sampled_from([1, 29, 64, BLOCK]),
)
@example(vocab_size=10, length=10, seed=0, step=0, first=0, n=64)
@example(vocab_size=11, length=7, seed=5, step=1, first=0, n=64)  # a digit alone in the third packed word
@example(vocab_size=31, length=63, seed=2**63 - 1, step=10**9, first=BLOCK, n=64)
def test_draws_the_batches_of_the_readable_twin(vocab_size, length, seed, step, first, n) -> None:
    task = ap.Task(rule="n0 > n1", vocab_size=vocab_size, length=length)
    assert (drawn(task, seed, step, first, n) == task.counts(task.digits(first + n, seed, step)[first:])).all()


@pytest.mark.parametrize("vocab_size", range(2, 33))
def test_draws_every_alphabet(vocab_size) -> None:
    """Each way to count, of one to seven digits from a half word."""
    for length in range(1, 16):
        task = ap.Task(rule="n1 > n0", vocab_size=vocab_size, length=length)
        assert (drawn(task, 3, length, 0, BLOCK) == task.counts(task.digits(BLOCK, 3, length))).all()


def test_draws_up_to_63_equal_digits_without_overflow_into_the_next_field() -> None:
    task = ap.Task(rule="n0 > n1", vocab_size=2, length=63)
    digits = task.digits(40 * BLOCK, seed=1, step=1)
    most = 0
    for first in range(0, 40 * BLOCK, BLOCK):
        counts = drawn(task, 1, 1, first, BLOCK)
        assert (counts == task.counts(digits[first : first + BLOCK])).all()
        most = max(most, counts.max())
    assert most > 45


# --- the gradient -------------------------------------------------------------------------------


def pool(
    config: ap.Config, flat: np.ndarray, seed: int, step: int
) -> tuple[ap.AttentionModel, torch.Tensor, torch.Tensor]:
    """The model in float64, the batch's pooled values and its labels."""
    model = ap.AttentionModel.from_weights(config, split(config, flat)).double()
    X, y = config.task.make_batch(config.batch_size, seed=seed, step=step)
    e = model.embed(X)
    return model, (model.attention(e) @ model.values(e))[:, 0], y.double()


def autograd(config: ap.Config, flat: np.ndarray, seed: int, step: int) -> tuple[float, dict[str, np.ndarray]]:
    """Loss and gradient of a batch, from the logit: a saturated sigmoid has no gradient left."""
    model, pooled, y = pool(config, flat, seed, step)
    loss = binary_cross_entropy_with_logits(model.nn[:3](pooled), y)
    loss.backward()
    return loss.item(), {name: p.grad.numpy() for name, p in model.named_parameters()}


def near_a_kink(config: ap.Config, flat: np.ndarray, seed: int, step: int) -> bool:
    """Whether float32 may put a sequence on the other side of a kink, where the gradient jumps."""
    model, pooled, _ = pool(config, flat, seed, step)
    w1, b1 = model.nn[0].weight[:, 0], model.nn[0].bias
    gap = abs(pooled - (-b1 / w1)[w1 != 0])
    return bool((gap < 1e-6 * abs(pooled).max()).any())


def assert_gradient(config: ap.Config, flat: np.ndarray, seed: int, step: int) -> None:
    """Loss and gradient within the rounding of float32.

    2^-24 is 6e-8; a gradient passes through a few hundred roundings, and float32 torch itself is off by up to
    3e-5 of the gradient's norm on such configs. A wrong factor anywhere is off by far more.
    """
    assert_gradient_is(*batch_gradient(config, seed, step, flat), config, flat, seed, step)


def assert_gradient_is(
    loss: float, gradient: np.ndarray, config: ap.Config, flat: np.ndarray, seed: int, step: int
) -> None:
    expected_loss, expected = autograd(config, flat, seed, step)
    assert loss == pytest.approx(expected_loss, rel=1e-5)
    norm = np.sqrt(sum((g**2).sum() for g in expected.values()))
    assert norm > 0
    for name, g in split(config, gradient).items():
        if name == "WK.bias":
            assert not g.any()
            assert abs(expected[name]).max() < 1e-12 * max(1, norm)
        else:
            np.testing.assert_allclose(g, expected[name], rtol=1e-4, atol=3e-5 * norm, err_msg=name)


@st.composite
def configs(draw) -> ap.Config:
    vocab_size = draw(st.integers(2, 32))
    more = draw(st.integers(0, vocab_size - 1))
    fewer = draw(st.integers(0, vocab_size - 2))
    fewer += fewer >= more
    return ap.Config(
        rule=f"n{more} > n{fewer}",
        vocab_size=vocab_size,
        length=draw(st.integers(1, 63)),
        embed_dim=draw(st.integers(1, 13)),
        att_dim=draw(st.integers(1, 11)),
        hidden=draw(st.sampled_from([1, 2, 15, 16, 17, 31, 101, 300])),
        batch_size=draw(st.sampled_from([1, 2, 63, 64, 65, 127, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 101])),
    )


@settings(max_examples=60)
@given(configs(), st.integers(0, 2**40), st.integers(0, 10**9), st.sampled_from([1, 2]))
def test_gradient_is_that_of_autograd(config, seed, step, scale) -> None:
    flat = initial_weights(config, np.array([seed]))[0] * np.float32(scale)
    assume(not near_a_kink(config, flat, seed, step))
    assert_gradient(config, flat, seed, step)


@pytest.mark.parametrize("config", [DEFAULT, ODD], ids=["default", "odd"])
def test_gradient_is_that_of_autograd_after_training(config) -> None:
    """In the work space of these steps, whose order of units and grid have come a long way; and in a new one."""
    flat, loss, gradient = gradient_steps(config, 3, config.steps)
    assert_gradient_is(loss, gradient, config, flat, 3, config.steps)
    assert_gradient(config, flat, 3, config.steps)


def test_gradient_with_units_that_have_no_input_weight() -> None:
    config = ap.Config(hidden=5, batch_size=97)
    flat = initial_weights(config, np.array([0]))[0]
    named = split(config, flat)
    named["nn.0.weight"][:, 0] = [0, 0, 0, 1.5, -0.75]
    named["nn.0.bias"][:] = [0.5, -0.5, 0, 0.25, 0.125]
    assert_gradient(config, flat, 0, 0)


def test_gradient_with_units_that_share_a_kink() -> None:
    config = ap.Config(hidden=7, batch_size=97)
    flat = initial_weights(config, np.array([0]))[0]
    named = split(config, flat)
    named["nn.0.weight"][:, 0] = [1, -1, 2, -2, 0.5, 1, 3]
    named["nn.0.bias"][:] = [0.25, -0.25, 0.5, -0.5, 0.125, 0.25, 0.1]
    assert_gradient(config, flat, 0, 0)


def test_every_unit_dead_leaves_only_the_output_bias_a_gradient() -> None:
    config = ap.Config(hidden=3, batch_size=97)
    flat = initial_weights(config, np.array([0]))[0]
    named = split(config, flat)
    named["nn.0.weight"][:, 0] = [0, 1e-3, -1e-3]
    named["nn.0.bias"][:] = -1
    _, gradient = batch_gradient(config, 0, 0, flat)
    assert [name for name, g in split(config, gradient).items() if g.any()] == ["nn.2.bias"]
    assert_gradient(config, flat, 0, 0)


# --- hundreds of steps --------------------------------------------------------------------------


def torch_loop(config: ap.Config, seed: int, dtype: torch.dtype) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The plain loop on the same batches from the same weights; losses averaged over the same windows."""
    start = split(config, initial_weights(config, np.array([seed]))[0])
    model = ap.AttentionModel.from_weights(config, start).to(dtype)
    trajectory = ap.fit(
        model,
        config.steps,
        batch_size=config.batch_size,
        lr=config.lr,
        betas=config.betas,
        eps=config.eps,
        task=config.task,
        seed=seed,
    )
    weights = {name: p.detach().double().numpy() for name, p in model.named_parameters()}
    return weights, means(config, np.array(trajectory))


def means(config: ap.Config, losses: np.ndarray) -> np.ndarray:
    """Losses (steps,) averaged since the recorded step before."""
    starts = [0, *config.history_steps[:-1]]
    return np.array([losses[a:b].mean() for a, b in zip(starts, config.history_steps, strict=True)])


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
@pytest.mark.parametrize(("config", "seed"), [(DEFAULT, 17), (ODD, 8)], ids=["default", "odd"])
def test_300_steps_follow_the_plain_torch_loop(config, seed, dtype) -> None:
    """For seeds whose pooled values keep clear of kinks: a gradient that jumps takes float32 torch 1e-3 off float64."""
    run = kernel_run(config, seed)
    expected, losses = torch_loop(config, seed, dtype)
    start = split(config, initial_weights(config, np.array([seed]))[0])
    assert run.finite
    assert run.done == 300
    for name, after in run.weights.items():
        if name == "WK.bias":
            continue
        moved = abs(expected[name] - start[name]).max()
        assert moved > 0.25 * config.lr * 100, f"{name} hardly moved: this test would prove nothing"
        # float32 torch is 1e-6 off float64 torch here; a wrong constant in Adam is off by the movement itself
        np.testing.assert_allclose(after, expected[name], rtol=0, atol=1e-5, err_msg=name)
    np.testing.assert_allclose(run.losses, losses, rtol=2e-6)


def test_key_bias_keeps_its_initial_value() -> None:
    start = split(DEFAULT, initial_weights(DEFAULT, np.array([17]))[0])
    assert kernel_run(DEFAULT, 17).weights["WK.bias"].tobytes() == start["WK.bias"].tobytes()


def test_trained_weights_answer_as_the_naive_loops_do(odd_config) -> None:
    run = kernel_run(odd_config, 19)
    model = ap.AttentionModel.from_weights(odd_config, run.weights)
    X, _ = odd_config.task.make_batch(23, seed=1, step=0)
    for sequence, p in zip(X.tolist(), model(X)[:, 0].tolist(), strict=True):
        assert p == pytest.approx(naive.forward(run.weights, sequence)[0], abs=1e-6)


# --- what is recorded ---------------------------------------------------------------------------


def test_snapshots_are_the_weights_of_shorter_runs() -> None:
    run = kernel_run(ODD, 5)
    steps = ODD.snapshot_steps
    assert steps.tolist() == [0, 128, 192, 256, 300]
    assert run.snapshots[0].tobytes() == initial_weights(ODD, np.array([5]))[0].tobytes()
    for step, snapshot in zip(steps, run.snapshots, strict=True):
        shorter = kernel_run(ODD.model_copy(update={"steps": int(step)}), 5)
        assert snapshot.tobytes() == shorter.flat.tobytes()


def test_history_is_the_mean_loss_since_the_previous_record() -> None:
    each = kernel_run(ODD.model_copy(update={"history": 300}), 5).losses
    uneven = ODD.model_copy(update={"history": 7})
    windows = kernel_run(uneven, 5).losses
    assert uneven.history_steps.tolist() == [64, 128, 192, 256, 300]
    assert len(each) == 300
    np.testing.assert_allclose(windows, means(uneven, each), rtol=1e-12)


def test_no_steps_leave_the_weights_alone() -> None:
    config = ODD.model_copy(update={"steps": 0})
    run = kernel_run(config, 5)
    assert (run.finite, run.done, run.losses.size) == (True, 0, 0)
    assert run.flat.tobytes() == run.snapshots[0].tobytes() == initial_weights(config, np.array([5]))[0].tobytes()


# --- ending early -------------------------------------------------------------------------------


@pytest.mark.parametrize("lr", [1e30, 1e300])
def test_a_run_that_blows_up_ends_early(lr) -> None:
    run = kernel_run(ap.Config(steps=100, lr=lr, history=100, snapshots=0), 0)
    assert not run.finite
    assert 1 <= run.done < 100
    assert np.isfinite(run.losses[: run.done]).all()
    assert np.isnan(run.losses[run.done :]).all()


def test_a_stopped_run_does_no_step() -> None:
    run = kernel_run(ODD, 5, stop=1)
    assert (run.finite, run.done) == (True, 0)
    assert run.flat.tobytes() == initial_weights(ODD, np.array([5]))[0].tobytes()
