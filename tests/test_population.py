"""Every distinct input once: against all sequences one by one, and against exact numbers."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest

import attnprobe as ap
from attnprobe.population import MAX_POPULATION, Population, size


@pytest.mark.parametrize(
    ("vocab_size", "length", "rule"),
    [
        (2, 1, "n0 > n1"),
        (2, 13, "n1 > n0"),
        (3, 7, "n0 > n2"),
        (5, 3, "n4 > n1"),
        (7, 5, "n2 > n4"),
        (11, 3, "n10 > n0"),
        (13, 1, "n5 > n12"),
    ],
)
def test_every_sequence_one_by_one(vocab_size, length, rule) -> None:
    task = ap.Task(rule=rule, vocab_size=vocab_size, length=length)
    more, fewer = task.targets
    expected = Counter(
        tuple(sequence.count(digit) for digit in range(vocab_size))
        for sequence in itertools.product(range(vocab_size), repeat=length)
    )
    found = Population.of(task)
    rows = [tuple(row) for row in found.counts.tolist()]
    assert rows == sorted(expected)  # lexicographic, each once, none missing
    assert found.multiplicity.tolist() == [expected[row] for row in rows]
    assert found.label.tolist() == [row[more] > row[fewer] for row in rows]
    assert len(found) == size(task) == len(expected)
    assert found.total == vocab_size**length == sum(expected.values())
    assert (found.counts.dtype, found.multiplicity.dtype, found.label.dtype) == (np.uint8, np.int64, bool)
    assert found.probability.tolist() == [float(Fraction(expected[row], found.total)) for row in rows]
    yes = sum(expected[row] for row in rows if row[more] > row[fewer])
    assert found.share(found.label) == yes / found.total


def test_the_exercise() -> None:
    found = Population.of(ap.Task())
    assert len(found) == math.comb(19, 9) == 92_378
    assert found.counts.shape == (92_378, 10)
    assert (found.counts.sum(axis=1, dtype=int) == 10).all()
    assert int(found.multiplicity.sum()) == found.total == 10**10
    assert int(found.multiplicity[found.label].sum()) == 3_534_301_122
    assert found.share(found.label) == 0.3534301122
    assert found.share(np.ones(92_378, dtype=bool)) == 1
    assert found.probability.sum() == pytest.approx(1, abs=1e-12)
    assert found.probability @ found.label == pytest.approx(0.3534301122, abs=1e-12)


def test_the_exercise_is_in_lexicographic_order_without_repetition() -> None:
    rows = Population.of(ap.Task()).counts.astype(np.int64)
    place = rows @ (11 ** np.arange(9, -1, -1))  # a number in base 11
    assert (np.diff(place) > 0).all()
    assert rows[0].tolist() == [0] * 9 + [10]
    assert rows[-1].tolist() == [10] + [0] * 9


@pytest.mark.parametrize(("vocab_size", "length"), [(2, 62), (2, 63), (3, 63), (5, 31), (31, 3), (32, 2)])
def test_large_totals_stay_exact(vocab_size, length) -> None:
    task = ap.Task(rule="n1 > n0", vocab_size=vocab_size, length=length)
    found = Population.of(task)
    total = vocab_size**length
    expected = [math.factorial(length) // math.prod(math.factorial(c) for c in row) for row in found.counts.tolist()]
    assert [int(m) for m in found.multiplicity] == expected
    assert sum(expected) == found.total == total
    assert found.share(np.ones(len(found), dtype=bool)) == 1
    assert found.probability.dtype == np.float64
    assert found.probability.tolist() == [float(Fraction(m, total)) for m in expected]
    yes = sum(m for m, row in zip(expected, found.counts.tolist(), strict=True) if row[1] > row[0])
    tied = sum(m for m, row in zip(expected, found.counts.tolist(), strict=True) if row[1] == row[0])
    assert 2 * yes + tied == total  # a second way to count
    assert found.share(found.label) == float(Fraction(yes, total))


@pytest.mark.parametrize(("vocab_size", "length"), [(7, 5), (2, 62), (3, 63)])
def test_shares_of_many_sets_of_some_rows(vocab_size, length) -> None:
    """On both sides of 2^53, where float64 stops counting, and of 2^63, where int64 does."""
    found = Population.of(ap.Task(rule="n1 > n0", vocab_size=vocab_size, length=length))
    rng = np.random.default_rng(0)
    for rows in (slice(None), slice(3, 41), np.flatnonzero(found.label)):
        multiplicity = [int(m) for m in found.multiplicity[rows]]
        holds = rng.random((3, 2, len(multiplicity))) < 0.5
        shares = found.share(holds, rows)
        assert shares.shape == (3, 2)
        for place in np.ndindex(3, 2):
            exact = sum(m for m, one in zip(multiplicity, holds[place], strict=True) if one)
            assert shares[place] == float(Fraction(exact, found.total))
        assert not found.share(np.zeros(len(multiplicity), dtype=bool), rows)


def test_multiplicities_are_python_integers_where_int64_is_too_small() -> None:
    assert Population.of(ap.Task(rule="n0 > n1", vocab_size=2, length=62)).multiplicity.dtype == np.int64
    wide = Population.of(ap.Task(rule="n0 > n1", vocab_size=3, length=63))
    assert wide.multiplicity.dtype == object
    assert {type(m) for m in wide.multiplicity} == {int}
    assert max(wide.multiplicity) == math.factorial(63) // math.factorial(21) ** 3 > 2**63


@pytest.mark.parametrize(("vocab_size", "length", "rows"), [(10, 20, "10,015,005"), (32, 63, None), (11, 31, None)])
def test_more_than_ten_million_are_refused(vocab_size, length, rows) -> None:
    task = ap.Task(vocab_size=vocab_size, length=length)
    assert size(task) > MAX_POPULATION == 10_000_000
    rows = rows or f"{math.comb(length + vocab_size - 1, vocab_size - 1):,}"
    with pytest.raises(ap.AttnprobeError) as error:
        Population.of(task)
    assert str(error.value) == (
        f"vocab_size = {vocab_size} with length = {length} has {rows} distinct count vectors; "
        "exact analyses take up to 10,000,000. Training works at this size; "
        "for the analyses choose a smaller vocab_size or length."
    )


def test_a_population_is_enumerated_once() -> None:
    assert Population.of(ap.Task(length=3)) is Population.of(ap.Task(length=3))
    assert Population.of(ap.Task(length=3)) is not Population.of(ap.Task(length=3, rule="n4 > n2"))
