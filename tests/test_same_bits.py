"""One seed, 20,000 steps: the same bits alone, in company, on any number of threads, and however it is interrupted."""

from __future__ import annotations

import functools
import threading

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from kernel_runs import Training

import attnprobe as ap
from attnprobe.training.batch import train_shard

STEPS = 20_000
CONFIG = ap.Config(steps=STEPS, history=40, snapshots=9)
# Units in several rows of lanes, a last block that is not full, moves so large that units trade places all the time
FAST = ap.Config(
    rule="n11 > n3",
    vocab_size=13,
    length=9,
    embed_dim=3,
    att_dim=2,
    hidden=37,
    batch_size=577,
    lr=0.01,
    steps=2000,
    history=8,
    snapshots=7,
)
SEED = 5
COMPANY = [5, 2, 11]


@functools.cache
def at_once(config: ap.Config, seed: int = SEED) -> Training:
    training = Training(config, seed)
    assert training.go_on()
    return training


def interrupted(config: ap.Config, stops: list[int]) -> Training:
    """Carried to another place at each of these steps."""
    training = Training(config, SEED)
    for step in sorted(stops):
        assert training.go_on(step)
        assert training.done == step
        training = training.carry()
    assert training.go_on()
    return training


def assert_same_bits(one: Training, other: Training) -> None:
    bits = other.bits()
    assert [name for name, value in one.bits().items() if value != bits[name]] == []
    assert one.flat.tobytes() == other.flat.tobytes()


def test_training_goes_a_long_way() -> None:
    """Else the other tests would prove little: all is recorded, units have traded places, most inputs are right."""
    for config in (CONFIG, FAST):
        training = at_once(config)
        assert training.done == config.steps
        assert np.isfinite(training.losses).all()
        assert np.isfinite(training.snapshots).all()
        assert training.losses[-1] < 0.1 * training.losses[0]
        assert (training.state.order != Training(config, SEED).state.order).sum() > 10
        assert config.history_steps.size == config.history
        assert config.snapshot_steps.size == config.snapshots


# --- interrupted --------------------------------------------------------------------------------------


def moments(config: ap.Config) -> st.SearchStrategy[list[int]]:
    """Steps to be interrupted at: any, and those at which something is recorded, or one before or after."""
    recorded = sorted({*config.history_steps.tolist(), *config.snapshot_steps.tolist()})
    near = st.builds(
        lambda step, by: min(max(step + by, 0), config.steps), st.sampled_from(recorded), st.integers(-1, 1)
    )
    return st.lists(st.integers(0, config.steps) | near, min_size=1, max_size=7)


@settings(max_examples=30)
@given(moments(CONFIG))
@example([0])
@example([0, 0, 1, 2])
@example([STEPS])
@example([512, 1024, 1024, 1536])  # where a loss is recorded, and nothing in between
@example(CONFIG.snapshot_steps.tolist())
def test_interrupted_at_any_steps(stops) -> None:
    assert_same_bits(at_once(CONFIG), interrupted(CONFIG, stops))


@settings(max_examples=60)
@given(moments(FAST))
@example(list(range(0, 2000, 7)))
@example(FAST.history_steps.tolist())
def test_interrupted_at_any_steps_where_units_trade_places(stops) -> None:
    assert_same_bits(at_once(FAST), interrupted(FAST, stops))


@pytest.mark.parametrize("config", [CONFIG, FAST], ids=["default", "fast"])
def test_interrupted_after_each_of_many_steps(config) -> None:
    assert_same_bits(at_once(config), interrupted(config, [*range(300), *range(1500, 1600)]))


def test_what_was_recorded_before_is_not_needed_to_go_on() -> None:
    """Only the state is: what is recorded after the interruption has the same bits."""
    step = 7777
    training = Training(CONFIG, SEED)
    assert training.go_on(step)
    training = training.carry()
    training.losses[:] = np.nan
    training.snapshots[:] = np.nan
    assert training.go_on()
    later = CONFIG.history_steps > step
    assert 0 < later.sum() < later.size
    assert training.losses[later].tobytes() == at_once(CONFIG).losses[later].tobytes()
    assert np.isnan(training.losses[~later]).all()
    later = CONFIG.snapshot_steps > step
    assert training.snapshots[later].tobytes() == at_once(CONFIG).snapshots[later].tobytes()
    assert np.isnan(training.snapshots[~later]).all()


@pytest.mark.parametrize("after", [1, 1000, 5000])
def test_stopped_from_another_thread(after) -> None:
    """Wherever the stop reaches it, three times over, the seed goes on with the same bits."""
    training = Training(CONFIG, SEED)
    for _ in range(3):
        start = training.done
        thread = threading.Thread(target=training.go_on, args=(10**9,))
        thread.start()
        while thread.is_alive() and training.done < start + after:
            pass
        training.stop[0] = 1
        thread.join()
        assert start + after <= training.done < 10**9
        training = training.carry()
    end = training.done + 1001
    assert training.go_on(end)
    whole = Training(CONFIG, SEED)
    assert whole.go_on(end)
    assert_same_bits(whole, training)


def test_a_stop_that_is_set_before_records_what_is_due_and_does_no_step() -> None:
    training = Training(CONFIG, SEED)
    training.stop[0] = 1
    for _ in range(3):
        assert training.go_on()
        assert training.done == 0
    assert training.snapshots[0].tobytes() == Training(CONFIG, SEED).flat.tobytes()
    training.stop[0] = 0
    assert training.go_on()
    assert_same_bits(at_once(CONFIG), training)


def test_a_step_that_was_reached_already_is_left_alone() -> None:
    training = at_once(CONFIG).carry()
    for until in (0, 1, STEPS):
        assert training.go_on(until)
        assert_same_bits(at_once(CONFIG), training)


# --- in company -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("seeds", [[SEED], COMPANY], ids=["alone", "in company"])
def test_in_a_shard(seeds, threads) -> None:
    shard = train_shard(CONFIG, np.array(seeds), threads)
    assert shard.steps.tolist() == [STEPS] * len(seeds)
    for row, seed in enumerate(seeds):
        alone = at_once(CONFIG, seed)
        assert shard.losses[row].tobytes() == alone.losses.tobytes()
        for name, weights in alone.weights.items():
            assert shard.weights[name][row].tobytes() == weights.tobytes(), name
        kept = np.concatenate(
            [shard.snapshots[name][row].reshape(CONFIG.snapshots, -1) for name in shard.snapshots], axis=1
        )
        assert kept.tobytes() == alone.snapshots.tobytes()


@pytest.mark.parametrize("threads", [2, 3])
def test_in_threads_with_all_its_state(threads) -> None:
    """All seeds at the same time, each stopped at another step."""
    trainings = [Training(CONFIG, seed) for seed in range(threads)]
    for until in (3333, 12_345, STEPS):
        workers = [threading.Thread(target=t.go_on, args=(until - t.seed,)) for t in trainings]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    for training in trainings:
        assert training.go_on()
        assert_same_bits(at_once(CONFIG, training.seed), training)
