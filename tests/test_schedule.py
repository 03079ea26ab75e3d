"""The steps that are recorded: few enough, well spread, and those that a longer training needs are among them."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import attnprobe as ap

STEPS = st.one_of(st.integers(0, 100), st.integers(0, 3000), st.integers(0, 10**9))
HISTORY = st.one_of(st.integers(1, 20), st.integers(1, 3000))
SNAPSHOTS = st.one_of(st.integers(0, 8), st.integers(0, 100), st.integers(0, 1000))


def recorded(steps: int, history: int = 200, snapshots: int = 48) -> tuple[np.ndarray, np.ndarray]:
    config = ap.Config(steps=steps, history=history, snapshots=snapshots)
    return config.history_steps, config.snapshot_steps


def slow_history(steps: int, most: int) -> list[int]:
    """All multiples of 1, of 2, of 4, ...: the first that are few enough."""
    spacing = 1
    while True:
        found = sorted({*range(spacing, steps + 1, spacing), steps} - {0})
        if len(found) <= most:
            return found
        spacing *= 2


def slow_snapshots(steps: int, most: int) -> list[int]:
    """Walks from point to point with ever larger spacing late; then leaves out one early point after the other."""
    if most < 2:
        return [steps] * most
    spacing = 1
    while True:
        found, step = [0], 1
        while step < steps:
            found.append(step)
            step += max(1, min(spacing, 2 ** (step.bit_length() - 1) // 2))
        found = sorted({*found, steps})
        if len(found) <= most:
            return found
        if spacing > steps:
            return [0, *found[len(found) - most + 1 :]]
        spacing *= 2


@settings(max_examples=300)
@given(steps=st.integers(0, 300), history=st.integers(1, 400), snapshots=st.integers(0, 400))
@example(steps=0, history=1, snapshots=1)
@example(steps=2, history=1, snapshots=2)
def test_the_steps_are_those_of_a_slow_walk(steps, history, snapshots) -> None:
    losses, weights = recorded(steps, history, snapshots)
    assert losses.tolist() == slow_history(steps, history)
    assert weights.tolist() == slow_snapshots(steps, snapshots)


@settings(max_examples=500)
@given(short=STEPS, more=STEPS, history=HISTORY, snapshots=SNAPSHOTS)
@example(short=20_000, more=20_000, history=200, snapshots=48)
@example(short=96, more=32, history=3, snapshots=5)
def test_what_more_steps_need_was_recorded(short, more, history, snapshots) -> None:
    long = min(short + more, 10**9)
    for before, after in zip(recorded(short, history, snapshots), recorded(long, history, snapshots), strict=True):
        needed = set(after[after <= short].tolist()) - ({short} if long == short else set())
        assert needed <= set(before.tolist())


@settings(max_examples=300)
@given(steps=STEPS, history=HISTORY, snapshots=SNAPSHOTS)
@example(steps=20_000, history=200, snapshots=48)
@example(steps=10**9, history=200, snapshots=48)
def test_few_enough_and_well_spread(steps, history, snapshots) -> None:
    losses, weights = recorded(steps, history, snapshots)
    assert losses.dtype == weights.dtype == np.int64
    assert min(steps, -(-history // 2)) <= losses.size <= min(steps, history)
    if steps:
        gaps = np.diff(losses, prepend=0)
        assert losses[-1] == steps
        assert (gaps[:-1] == gaps[0]).all()  # blocks of one size, and the rest
        assert 1 <= gaps[-1] <= gaps[0]
        assert losses.size == 1 or gaps[0] & (gaps[0] - 1) == 0
    assert weights.size <= snapshots
    assert (np.diff(weights) > 0).all()
    assert weights.size >= min(snapshots / 2, steps + 1)
    if snapshots:
        assert weights[-1] == steps
    if snapshots > 1:
        assert weights[0] == 0
        late = weights[2:-1] / weights[1:-2]
        assert (late <= 2).all()  # never further apart than an octave


@pytest.mark.parametrize(
    ("steps", "snapshots", "kept"),
    [
        (81, 0, []),
        (81, 1, [81]),
        (81, 2, [0, 81]),
        (81, 3, [0, 64, 81]),
        (80, 9, [0, 8, 12, 16, 24, 32, 48, 64, 80]),
        (80, 16, [0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 80]),
        (81, 4, [0, 48, 64, 81]),
        (64, 4, [0, 32, 48, 64]),
        (0, 0, []),
        (0, 1, [0]),
        (0, 7, [0]),
        (1, 2, [0, 1]),
        (1, 7, [0, 1]),
        (3, 9, [0, 1, 2, 3]),
    ],
)
def test_planted_snapshot_steps(steps, snapshots, kept) -> None:
    assert recorded(steps, snapshots=snapshots)[1].tolist() == kept


@pytest.mark.parametrize(
    ("steps", "history", "rows"),
    [
        (0, 5, []),
        (1, 5, [1]),
        (11, 3, [4, 8, 11]),
        (3, 5, [1, 2, 3]),
        (12, 4, [4, 8, 12]),
        (12, 3, [4, 8, 12]),
        (13, 3, [8, 13]),
        (100, 1, [100]),
    ],
)
def test_planted_history_steps(steps, history, rows) -> None:
    assert recorded(steps, history)[0].tolist() == rows


def test_the_exercise_keeps_about_forty_snapshots_and_records_every_128_steps() -> None:
    losses, weights = recorded(20_000)
    assert losses.tolist() == [*range(128, 20_000, 128), 20_000]
    early = [0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536]
    assert weights.tolist() == [*early, *range(2048, 20_000, 1024), 20_000]
    assert weights.size == 41


def test_a_billion_steps_are_not_walked_through() -> None:
    start = time.process_time()
    for steps in range(10**9 - 100, 10**9):
        recorded(steps, 1, 1000)
    assert time.process_time() - start < 2


def test_all_short_trainings_keep_the_steps_of_the_slow_walk() -> None:
    for steps in range(70):
        for most in range(75):
            assert recorded(steps, snapshots=most)[1].tolist() == slow_snapshots(steps, most), (steps, most)
