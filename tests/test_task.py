"""The question and its data: labels, the generator, its distribution, and what is refused."""

from __future__ import annotations

import naive
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import attnprobe as ap

LABEL_RATE = 0.3534301122  # exact: 10^-10 times the number of sequences with more 2s than 4s


def refusal(function, *args, **kwargs) -> str:
    with pytest.raises(ap.AttnprobeError) as error:
        function(*args, **kwargs)
    return str(error.value)


# --- batches --------------------------------------------------------------------------------------


def test_the_exercise_batch() -> None:
    torch.manual_seed(0)
    X, y = ap.make_batch(541)
    assert (X.shape, X.dtype) == ((541, 10), torch.int64)
    assert (y.shape, y.dtype) == ((541, 1), torch.float32)
    assert sorted(set(X.flatten().tolist())) == list(range(10))
    assert y[:, 0].tolist() == [naive.label(sequence, 2, 4) for sequence in X.tolist()]
    assert 0 < y.sum() < 541


def test_the_exercise_batch_comes_from_torchs_generator() -> None:
    torch.manual_seed(3)
    first = ap.make_batch(7)
    second = ap.make_batch(7)
    torch.manual_seed(3)
    again = ap.Task().make_batch(7)
    assert (first[0] == again[0]).all()
    assert not (first[0] == second[0]).all()


@pytest.mark.parametrize(("vocab_size", "length", "rule"), [(7, 13, "n6 > n3"), (11, 5, "n0 > n10")])
def test_batches_of_other_tasks(vocab_size, length, rule) -> None:
    task = ap.Task(rule=rule, vocab_size=vocab_size, length=length)
    more, fewer = task.targets
    torch.manual_seed(1)
    for X, y in (task.make_batch(307), task.make_batch(307, seed=2, step=3)):
        assert (X.shape, X.dtype) == ((307, length), torch.int64)
        assert (y.shape, y.dtype) == ((307, 1), torch.float32)
        assert sorted(set(X.flatten().tolist())) == list(range(vocab_size))
        assert y[:, 0].tolist() == [naive.label(sequence, more, fewer) for sequence in X.tolist()]
        counts = [[sequence.count(digit) for digit in range(vocab_size)] for sequence in X.tolist()]
        assert task.counts(X.numpy()).tolist() == counts


def test_a_tie_is_no() -> None:
    task = ap.Task()
    X, y = task.make_batch(2000, seed=0, step=0)
    tied = (X == 2).sum(1) == (X == 4).sum(1)
    assert (tied & (X == 2).any(1)).sum() > 100
    assert not y[tied].any()
    counts = np.array([[0, 0, 3, 0, 2], [0, 0, 2, 0, 2], [0, 0, 1, 0, 2], [9, 0, 0, 0, 0]])
    assert task.parsed.label(counts).tolist() == [True, False, False, False]


# --- the generator --------------------------------------------------------------------------------


@settings(max_examples=60)
@given(
    vocab_size=st.sampled_from([2, 3, 7, 10, 11, 13, 31, 32]),
    length=st.sampled_from([1, 7, 10, 11, 63]),
    seed=st.integers(0, 2**63 - 1),
    step=st.integers(0, 10**9),
)
def test_the_generator_is_the_one_that_is_described(vocab_size, length, seed, step) -> None:
    task = ap.Task(rule="n0 > n1", vocab_size=vocab_size, length=length)
    X, _ = task.make_batch(5, seed=seed, step=step)
    assert X.tolist() == naive.digits(vocab_size, length, 5, seed, step)


def test_a_batch_is_the_same_each_time() -> None:
    task = ap.Task(vocab_size=7, length=11)
    first, second = (task.make_batch(31, seed=5, step=17) for _ in range(2))
    assert (first[0] == second[0]).all()
    assert (first[1] == second[1]).all()


@pytest.mark.parametrize("length", [1, 10, 11, 63])
def test_rows_do_not_depend_on_how_many_there_are(length) -> None:
    task = ap.Task(length=length)
    long, _ = task.make_batch(997, seed=5, step=17)
    for n in (1, 2, 499):
        assert (task.make_batch(n, seed=5, step=17)[0] == long[:n]).all()


def test_batches_differ_between_seeds_steps_and_rows() -> None:
    task = ap.Task(length=20)
    rows = set()
    for seed in range(13):
        for step in range(11):
            rows |= {tuple(row) for row in task.digits(7, seed, step).tolist()}
    assert len(rows) == 13 * 11 * 7  # 10^20 sequences: no repetition by chance


def test_a_named_batch_leaves_torchs_generator_alone() -> None:
    torch.manual_seed(7)
    before = torch.get_rng_state()
    ap.Task().make_batch(100, seed=1, step=2)
    assert (torch.get_rng_state() == before).all()


# --- its distribution (fixed seeds: these either hold or not) ---------------------------------------

ROWS = 200_000


@pytest.fixture(scope="module")
def sample() -> np.ndarray:
    return np.concatenate([ap.Task().digits(500, seed, step) for seed in range(20) for step in range(20)])


def p_value(observed: np.ndarray) -> float:
    return float(stats.chisquare(observed.ravel()).pvalue)


def test_each_position_is_uniform(sample) -> None:
    assert sample.shape == (ROWS, 10)
    p = [p_value(np.bincount(sample[:, i], minlength=10)) for i in range(10)]
    assert min(p) > 0.001 / 10


def test_each_pair_of_positions_is_uniform(sample) -> None:
    pairs = [(i, j) for i in range(10) for j in range(i)]
    p = [p_value(np.bincount(10 * sample[:, i] + sample[:, j], minlength=100)) for i, j in pairs]
    assert min(p) > 0.001 / len(pairs)
    assert 0.3 < np.mean(p) < 0.7


def test_pairs_of_neighbouring_rows_and_of_neighbouring_batches_are_uniform(sample) -> None:
    rows = 10 * sample[:-1] + sample[1:]
    batches = 10 * sample[:-500] + sample[500:]
    p = [p_value(np.bincount(x[:, i], minlength=100)) for x in (rows, batches) for i in range(10)]
    assert min(p) > 0.001 / 20


@pytest.mark.parametrize("vocab_size", [3, 7, 31, 32])
def test_other_alphabets_are_uniform(vocab_size) -> None:
    task = ap.Task(rule="n0 > n1", vocab_size=vocab_size, length=11)
    digits = np.concatenate([task.digits(1000, 3, step) for step in range(50)])
    p = [p_value(np.bincount(digits[:, i], minlength=vocab_size)) for i in range(11)]
    assert min(p) > 0.001 / 11


def test_the_label_rate_is_the_exact_one(sample) -> None:
    labels = ap.Task().parsed.label(ap.Task().counts(sample))
    spread = (LABEL_RATE * (1 - LABEL_RATE) / ROWS) ** 0.5
    assert abs(labels.mean() - LABEL_RATE) < 3 * spread


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [0, -1])
def test_a_batch_without_sequences(n) -> None:
    expected = f"n = {n} is not allowed: a batch needs at least 1 sequence."
    assert refusal(ap.make_batch, n) == expected
    assert refusal(ap.Task().make_batch, n, seed=0, step=0) == expected


@pytest.mark.parametrize("half", [{"seed": 1}, {"step": 1}])
def test_half_a_name(half) -> None:
    assert refusal(ap.Task().make_batch, 3, **half) == (
        "seed and step name a training batch together: give both, or neither for a random batch."
    )


@pytest.mark.parametrize(("seed", "step"), [(-1, 0), (0, -1)])
def test_negative_names(seed, step) -> None:
    assert refusal(ap.Task().make_batch, 3, seed=seed, step=step) == (
        f"seed = {seed}, step = {step} is not allowed: neither may be negative."
    )


@pytest.mark.parametrize("rule", ["", "n2", "n2 > 4", "n2 < n4", "n2 >= n4", "n-2 > n4", "n2 > n4 > n5", "N2 > n4"])
def test_a_rule_of_another_form(rule) -> None:
    assert refusal(ap.Task, rule=rule) == (
        f"rule = {rule!r} is not allowed: it must have the form 'nA > nB' "
        "for two digits A and B, for example 'n2 > n4'."
    )


@pytest.mark.parametrize(("rule", "digit"), [("n7 > n2", 7), ("n2 > n11", 11), ("n99 > n98", 99)])
def test_a_digit_outside_the_alphabet(rule, digit) -> None:
    assert refusal(ap.Task, rule=rule, vocab_size=7) == (
        f"rule = {rule!r} is not allowed: digit {digit} is outside the alphabet 0..6; "
        "name digits below vocab_size or raise vocab_size."
    )


def test_a_digit_against_itself() -> None:
    assert refusal(ap.Task, rule="n3 > n3") == (
        "rule = 'n3 > n3' is not allowed: it compares digit 3 with itself; name two different digits."
    )


@pytest.mark.parametrize("rule", ["n2>n4", " n2 >n4 ", "n02 > n4"])
def test_spaces_and_zeros_do_not_matter(rule) -> None:
    assert ap.Task(rule=rule).targets == (2, 4)


def test_equal_tasks_are_one_key() -> None:
    used = ap.Task(length=7)
    assert used.targets == (2, 4)  # fills a cached property
    assert used == ap.Task(length=7)
    assert hash(used) == hash(ap.Task(length=7))
    assert used != ap.Task(length=5)
