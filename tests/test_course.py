"""Trained on: in any pieces, from files' worth of arrays alone, a seed has the bits of one that never stopped."""

from __future__ import annotations

import copy
import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from folders import refusal
from hypothesis import example, given, settings
from hypothesis import strategies as st
from kernel_runs import Training

import attnprobe as ap
from attnprobe.outcome import Outcome
from attnprobe.store import Shard
from attnprobe.training import course
from attnprobe.training.batch import Begun, train_shard
from attnprobe.training.block import BLOCK
from attnprobe.training.partial import LEVELS, coarser
from attnprobe.training.state import Flat, State

DEFAULT = ap.Config(steps=1009, history=9, snapshots=13)
# the last lanes not full, a large alphabet, a second block that is not full, units that trade places all the time
ODD = ap.Config(
    rule="n11 > n3",
    vocab_size=13,
    length=9,
    embed_dim=3,
    att_dim=2,
    hidden=37,
    batch_size=BLOCK + 65,
    lr=0.01,
    steps=509,
    history=23,
    snapshots=11,
)
MANY = ODD.model_copy(update={"vocab_size": 32, "hidden": 16, "embed_dim": 17, "batch_size": 1, "betas": (0.5, 0.9)})
ONE = ODD.model_copy(update={"hidden": 1, "embed_dim": 1, "att_dim": 1, "snapshots": 0, "history": 1, "eps": 0.0})
HOT = ODD.model_copy(update={"lr": 0.5, "batch_size": 3, "eps": 1e-3})  # a seed may go over the edge on the way
CONFIGS = {"default": DEFAULT, "odd": ODD, "many digits": MANY, "one": ONE, "hot": HOT}
SEEDS = np.array([11, 2, 5])


def to(config: ap.Config, steps: int) -> ap.Config:
    return config.model_copy(update={"steps": steps})


def parts(shard: Shard) -> dict[str, np.ndarray]:
    """Every array of a shard."""
    named = {
        f"{field.name}.{name}": value
        for field in dataclasses.fields(shard)
        if isinstance(whole := getattr(shard, field.name), dict)
        for name, value in whole.items()
    }
    return {**named, **{name: getattr(shard, name) for name in ("seeds", "status", "steps", "losses")}}


def assert_same_bits(one: Shard, other: Shard) -> None:
    ours, theirs = parts(one), parts(other)
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        assert (value.dtype, value.shape) == (theirs[name].dtype, theirs[name].shape), name
        assert value.tobytes() == theirs[name].tobytes(), name


def read_again(shard: Shard) -> Shard:
    """A shard as another process would have it: from its bytes."""
    return copy.deepcopy(shard)


@pytest.fixture(scope="module")
def at_once() -> dict[str, Shard]:
    return {name: train_shard(config, SEEDS, 2) for name, config in CONFIGS.items()}


# --- more steps ---------------------------------------------------------------------------------------


def test_training_goes_somewhere(at_once) -> None:
    """Else the tests below would prove little."""
    assert (at_once["hot"].steps > 50).all()
    for name, shard in at_once.items():
        if name == "hot":
            continue
        config = CONFIGS[name]
        assert shard.steps.tolist() == [config.steps] * 3, name
        assert np.isfinite(shard.losses).all(), name
        assert all(np.isfinite(kept).all() for kept in shard.snapshots.values()), name
        assert shard.state["adam.m.embed.weight"].any(), name
        start = course.Course(config, SEEDS)
        assert name == "one" or (shard.state["units"] != start.units).sum() > 10, name
        assert (abs(shard.weights["nn.2.bias"][:, 0] - start.shard().weights["nn.2.bias"][:, 0]) > 1e-3).all(), name


@pytest.mark.parametrize("name", CONFIGS)
def test_asked_for_in_pieces(at_once, name) -> None:
    """Each piece a training of its own, to a prime number of steps, on a schedule of its own."""
    config, shard, before = CONFIGS[name], None, None
    for steps in (0, 1, 2, 3, 7, 61, 127, 257, 503, 509, config.steps):
        begun = Begun(to(config, before), read_again(shard)) if shard is not None else None
        shard, before = train_shard(to(config, steps), SEEDS, 2, begun=begun), steps
        assert_same_bits(shard, train_shard(to(config, steps), SEEDS, 1))
    assert_same_bits(shard, at_once[name])


@settings(max_examples=60)
@given(
    name=st.sampled_from(sorted(CONFIGS)),
    stops=st.lists(st.integers(0, 509), max_size=3).map(sorted),
    history=st.integers(1, 600),
    snapshots=st.integers(0, 60),
)
@example(name="default", stops=[64, 128, 256], history=3, snapshots=5)
def test_any_pieces_on_any_schedule(name, stops, history, snapshots) -> None:
    config = CONFIGS[name].model_copy(update={"steps": 509, "history": history, "snapshots": snapshots})
    shard, before = None, None
    for steps in [*stops, 509]:
        begun = Begun(before, read_again(shard)) if shard is not None else None
        before = to(config, steps)
        shard = train_shard(before, SEEDS[:1], 1, begun=begun)
    assert_same_bits(shard, train_shard(config, SEEDS[:1], 1))


def test_some_begun_and_some_not(at_once) -> None:
    early = to(ODD, 131)
    for some in ([2], [5, 11], [11, 5, 2], [3, 2, 7, 11]):
        begun = Begun(early, train_shard(early, np.array(some), 2))
        assert_same_bits(train_shard(ODD, SEEDS, 2, begun=begun), at_once["odd"])


@pytest.mark.parametrize("name", CONFIGS)
def test_what_is_kept_is_the_whole_state(name) -> None:
    """The padding too, which is not kept; after each of many stops."""
    config = CONFIGS[name]
    training = Training(config, 5)
    for stop in (1, 2, 3, 5, 97, 101, 103, config.steps):
        assert training.go_on(stop)
        flat, state = training.state.flat(config), training.state
        again = State.kept(config, Flat(*flat), state.order.copy(), state.step.copy(), state.loss.copy())
        for kept, whole in zip(again, state, strict=True):
            assert kept.tobytes() == whole.tobytes()
        assert flat.weights.tobytes() == training.flat.tobytes()


# --- kept on the way ------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_kept_on_the_way(threads) -> None:
    config = to(ODD, 20_011)
    kept: list[Shard] = []
    shard = train_shard(
        config, SEEDS, threads, keep=lambda unfinished: kept.append(read_again(unfinished)), checkpoint=0
    )
    assert_same_bits(shard, train_shard(config, SEEDS, 2))
    assert len(kept) > 3
    done = [part.steps.sum() for part in kept]
    assert (np.diff(done) > 0).all()
    assert any((part.steps == 0).any() for part in kept) or threads > 2
    recorded, seen = config.history_steps, config.snapshot_steps
    for part in kept:
        assert (part.steps < config.steps).any()
        assert (part.status == Outcome.TRAINED.code).all()
        assert (np.isfinite(part.losses) == (recorded <= part.steps[:, None])).all()
        for name, values in part.snapshots.items():
            reached = np.isfinite(values.reshape(3, seen.size, -1)).all(axis=2)
            there = (seen <= part.steps[:, None]) & ((part.steps[:, None] > 0) | reached)
            assert (reached == there).all(), name
            assert np.isnan(values[~reached]).all()
    for part in kept[:: max(1, len(kept) // 3)]:
        assert_same_bits(train_shard(config, SEEDS, 2, begun=Begun(config, part)), shard)
        more = to(config, 20_021)
        assert_same_bits(train_shard(more, SEEDS, 2, begun=Begun(config, part)), train_shard(more, SEEDS, 2))


def test_a_shard_that_is_done_in_time_is_not_kept_on_the_way() -> None:
    kept: list[Shard] = []
    train_shard(ODD, SEEDS, 2, keep=kept.append, checkpoint=1000)
    assert kept == []


def test_what_keeping_raises_is_raised() -> None:
    def full(shard: Shard) -> None:
        raise OSError(28, "no space left")

    with pytest.raises(OSError, match="no space left"):
        train_shard(to(ODD, 10**8), SEEDS, 2, keep=full, checkpoint=0)


def test_progress_counts_all_that_was_done() -> None:
    told: list[tuple[int, int]] = []
    early = to(ODD, 131)
    begun = Begun(early, train_shard(early, SEEDS, 2))
    train_shard(ODD, SEEDS, 2, report=lambda done, steps: told.append((done, steps)), begun=begun)
    assert told[-1] == (3, 3 * ODD.steps)
    assert all(steps >= 3 * 131 for _, steps in told)


# --- seeds that fail ------------------------------------------------------------------------------------


@pytest.mark.parametrize("lr", [1e18, 1e30, 1e38, 1e300])
@pytest.mark.parametrize("name", ["default", "odd", "one"])
def test_seeds_that_blow_up(name, lr) -> None:
    """Wherever the first piece ends: before, at and after the step at which the loss is not finite."""
    config = CONFIGS[name].model_copy(update={"lr": lr, "steps": 40, "history": 40})
    whole = train_shard(config, SEEDS, 2)
    for steps in range(5):
        early = to(config, steps)
        first = train_shard(early, SEEDS, 2)
        assert_same_bits(train_shard(config, SEEDS, 2, begun=Begun(early, read_again(first))), whole)


def test_some_seeds_blow_up_on_the_way(monkeypatch) -> None:
    initial = course.initial_weights

    def planted(config, seeds):
        weights = initial(config, seeds)
        weights[seeds == 2] *= np.float32(1e30)
        return weights

    monkeypatch.setattr(course, "initial_weights", planted)
    config = to(ODD, 3001)
    whole = train_shard(config, SEEDS, 2)
    assert whole.status.tolist() == [0, 1, 0]
    assert whole.steps.tolist() == [3001, 0, 3001]
    early = to(ODD, 101)
    begun = Begun(early, train_shard(early, SEEDS, 2))
    assert begun.shard.status.tolist() == [0, 1, 0]
    kept: list[Shard] = []
    shard = train_shard(
        config, SEEDS, 1, begun=begun, keep=lambda unfinished: kept.append(read_again(unfinished)), checkpoint=0
    )
    assert_same_bits(shard, whole)
    assert kept
    assert_same_bits(train_shard(config, SEEDS, 1, begun=Begun(config, kept[-1])), whole)


# --- sums in a tree ---------------------------------------------------------------------------------------


def tree(losses: list[float]) -> float:
    """The sum of 2^j losses: of the first half and of the second."""
    if len(losses) == 1:
        return losses[0]
    half = len(losses) // 2
    return tree(losses[:half]) + tree(losses[half:])


@pytest.mark.parametrize("name", CONFIGS)
def test_recorded_losses_are_sums_in_a_tree(name, at_once) -> None:
    config = CONFIGS[name]
    each = train_shard(config.model_copy(update={"history": 2000}), SEEDS[:1], 1).losses[0].tolist()
    assert len(each) == config.steps
    for history in {1, 2, 5, 31, 300, config.history}:
        wanted = config.model_copy(update={"history": history})
        expected, start = [], 0
        for stop in wanted.history_steps.tolist():
            blocks, end, left = [], stop, stop - start  # the last block is the smallest
            while left:
                size = left & -left
                blocks.append(tree(each[end - size : end]))
                end, left = end - size, left - size
            expected.append(sum(blocks) / (stop - start))
            start = stop
        shard = train_shard(wanted, SEEDS[:1], 1)
        assert shard.losses[0].tolist() == expected
    sums, done = at_once[name].state["loss_sums"][0], config.steps
    starts = [done - done % (2 << j) for j in range(LEVELS)]
    of_bits = [tree(each[start : start + (1 << j)]) if done >> j & 1 else 0 for j, start in enumerate(starts)]
    assert sums.tolist() == of_bits


def test_coarser_halves() -> None:
    means = np.array([[1.0, 3.0, 5.0, 11.0], [0.0, 2.0, 4.0, 4.0]])
    assert coarser(means, 1).tolist() == means.tolist()
    assert coarser(means, 2).tolist() == [[2.0, 8.0], [1.0, 4.0]]
    assert coarser(means, 4).tolist() == [[5.0], [2.5]]


# --- what cannot be trained on ------------------------------------------------------------------------------


def damaged(change) -> str:
    early = to(ODD, 131)
    shard = train_shard(early, SEEDS, 2)
    change(shard)
    return refusal(train_shard, ODD, SEEDS, 2, begun=Begun(early, shard))


DAMAGE = {
    "without the state": (lambda s: s.state.clear(), "their weights were kept without the state of the optimiser"),
    "without a moment": (lambda s: s.state.pop("adam.v.query"), "the tensor 'adam.v.query' is missing"),
    "a moment of another shape": (
        lambda s: s.state.update({"adam.m.query": np.zeros((3, 2), np.float32)}),
        "the tensor 'adam.m.query' is float32 (3, 2), not float32 (3, 1, 2)",
    ),
    "a moment of another kind": (
        lambda s: s.state.update({"adam.m.query": np.zeros((3, 1, 2))}),
        "the tensor 'adam.m.query' is float64 (3, 1, 2), not float32 (3, 1, 2)",
    ),
    "a unit twice": (
        lambda s: s.state["units"].__setitem__((1, 0), 1),
        "'units' does not number each hidden unit once",
    ),
    "a unit far away": (
        lambda s: s.state["units"].__setitem__((1, 0), 2**31 - 1),
        "'units' does not number each hidden unit once",
    ),
    "a negative second moment": (
        lambda s: s.state["adam.v.query"].__setitem__((1, 0, 0), -1),
        "Adam's moments of 'query' are not numbers, or negative",
    ),
    "a moment that is no number": (
        lambda s: s.state["adam.m.query"].__setitem__((1, 0, 0), np.nan),
        "Adam's moments of 'query' are not numbers, or negative",
    ),
    "a sum that is no number": (
        lambda s: s.state["loss_sums"].__setitem__((1, 0), np.inf),
        "'loss_sums' does not fit the number of updates",
    ),
    "a sum of no steps": (
        lambda s: s.state["loss_sums"].__setitem__((1, 3), 0.5),
        "'loss_sums' does not fit the number of updates",
    ),
    "too many steps": (lambda s: s.steps.__setitem__(1, 132), "the number of updates is not within 0 to 131"),
    "fewer than no steps": (lambda s: s.steps.__setitem__(1, -1), "the number of updates is not within 0 to 131"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_what_is_not_what_training_leaves_is_refused(name) -> None:
    change, why = DAMAGE[name]
    assert damaged(change) == f"Seeds 11, 2, 5 cannot be trained on: {why}. Train them anew in another folder."


def test_another_config_is_a_mistake_of_the_caller() -> None:
    shard = train_shard(to(ODD, 3), SEEDS, 2)
    for config in (ODD.model_copy(update={"lr": 0.02}), to(ODD, 2), ODD.model_copy(update={"history": 24})):
        with pytest.raises(ValueError, match="another config"):
            train_shard(config, SEEDS, 2, begun=Begun(to(ODD, 3), shard))


# --- Ctrl-C while the compiler works ------------------------------------------------------------------------

COMPILING = """
import os, signal, sys
import numpy as np
import attnprobe as ap
from attnprobe.training import batch, course
from attnprobe.training.kernel import train_seed
def called(*arguments):
    os.kill(os.getpid(), signal.SIGINT)  # as Ctrl-C would
    return train_seed(*arguments)  # compiles first
course.train_seed = called
try:
    batch.train_shard(ap.Config(), np.arange(3), 2)
except KeyboardInterrupt:
    print("compiled" if train_seed.signatures else "not waited for", flush=True)
    sys.exit(7)
"""


def test_ctrl_c_does_not_wait_for_the_compiler(tmp_path) -> None:
    place = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(Path(ap.__file__).parent.parent)}
    done = subprocess.run(
        [sys.executable, "-c", COMPILING], env=place, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.returncode, done.stderr) == ("not waited for\n", 7, "")
    assert not list(tmp_path.rglob("*.nbc"))
