"""The question: are there more of one digit than of another in a random sequence?

A :class:`Task` is an alphabet of ``vocab_size`` digits, a ``length`` and a ``rule`` on digit counts.

The data of a training run depend on (seed, step) alone. Row i of the batch that seed s sees at step t
is made by a counter-based generator: with the splitmix64 mixing function M and its increment G,

    key  = M(M(s + G) + (t + 1) G)
    word = M(key + (i W + j + 1) G)          j = 0 .. W-1, the W 64-bit words of row i

(all modulo 2^64). Each word gives two 32-bit fractions, low half first, and each fraction gives k
digits by k steps of "multiply by vocab_size, take off the whole part", where k is at most 7 and the
largest number with vocab_size^k <= 2^17; after the first step the fraction is cut to 27 bits, so that
digit and fraction share 32. The probability of any k digits together is therefore within a factor
1 +- 2^-12 of uniform, that of one digit within 1 +- 2^-20 (the tests compute both exactly).
The compiled kernel makes the same numbers; :meth:`Task.make_batch` is the readable twin.

Source of the mixing function: Steele, Lea & Flood 2014, doi:10.1145/2660193.2660195.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import model_validator

from attnprobe.errors import AttnprobeError, shown
from attnprobe.settings import Settings, setting

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Rule", "Task", "TaskSettings", "make_batch"]

GAMMA = 0x9E3779B97F4A7C15
MIX_1 = 0xBF58476D1CE4E5B9
MIX_2 = 0x94D049BB133111EB
SPENT_BITS = 17  # digits are taken from a 32-bit fraction while vocab_size^k fits into this many bits
DIGIT_BITS = 5  # room for a digit above a fraction: vocab_size is at most 32
MOST_DIGITS = 7  # from one fraction: the kernel counts them in 3 bits


@dataclass(frozen=True)
class Rule:
    """ "More ``more`` than ``fewer``": the label is 1 where count[more] > count[fewer]; a tie is 0."""

    more: int
    fewer: int

    @classmethod
    def parse(cls, text: str) -> Rule:
        """Read ``"n2 > n4"``. This is the one place that knows the syntax."""
        found = re.fullmatch(r"\s*n([0-9]{1,9})\s*>\s*n([0-9]{1,9})\s*", text)
        if found is None:
            raise AttnprobeError(
                f"rule = {shown(text)} is not allowed: it must have the form 'nA > nB' "
                "for two digits A and B, for example 'n2 > n4'."
            )
        return cls(more=int(found[1]), fewer=int(found[2]))

    @property
    def targets(self) -> tuple[int, int]:
        """The digits that the rule names."""
        return (self.more, self.fewer)

    def label(self, counts: Any) -> Any:
        """Labels (bool) of count vectors of shape (..., vocab_size)."""
        return counts[..., self.more] > counts[..., self.fewer]


class TaskSettings(Settings):
    """The three settings that fix the question; :class:`Task` and ``Config`` share them."""

    rule: str = setting(
        "n2 > n4", "the question, on digit counts: label 1 where it holds", "'nA > nB' for two digits A and B"
    )
    vocab_size: int = setting(10, "number of digits in the alphabet", "a whole number from 2 to 32", ge=2, le=32)
    length: int = setting(10, "digits in a sequence", "a whole number from 1 to 63", ge=1, le=63)

    @model_validator(mode="after")
    def _rule_fits_alphabet(self) -> TaskSettings:
        rule = Rule.parse(self.rule)
        for digit in rule.targets:
            if digit >= self.vocab_size:
                raise ValueError(
                    f"rule = {shown(self.rule)} is not allowed: digit {digit} is outside the alphabet "
                    f"0..{self.vocab_size - 1}; name digits below vocab_size or raise vocab_size."
                )
        if rule.more == rule.fewer:
            raise ValueError(
                f"rule = {shown(self.rule)} is not allowed: it compares digit {rule.more} with itself; "
                "name two different digits."
            )
        return self


class Task(TaskSettings):
    """The question that a model is trained on.

    Parameters
    ----------
    rule : str
        ``"nA > nB"`` for two different digits: is there more of A than of B? A tie is "no".
    vocab_size : int
        Digits are 0 .. vocab_size - 1 (2 to 32).
    length : int
        Digits in a sequence (1 to 63).
    """

    @cached_property
    def parsed(self) -> Rule:
        """The rule as an object."""
        return Rule.parse(self.rule)

    @property
    def targets(self) -> tuple[int, int]:
        """The digits that the rule names; all others are distractors."""
        return self.parsed.targets

    def counts(self, digits: np.ndarray) -> np.ndarray:
        """Counts (n, vocab_size), int64, of each digit in sequences (n, length)."""
        return np.asarray((digits[:, :, None] == np.arange(self.vocab_size)).sum(axis=1))

    def digits(self, n: int, seed: int, step: int) -> np.ndarray:
        """The sequences of one training batch: int64 (n, length), rows independent of n."""
        per_fraction = digits_per_fraction(self.vocab_size)
        words = words_per_row(self.vocab_size, self.length)
        key = batch_key(seed, step)
        with np.errstate(over="ignore"):  # arithmetic modulo 2^64 is meant
            index = np.arange(1, n * words + 1, dtype=np.uint64).reshape(n, words)
            word = _mix(np.uint64(key) + index * np.uint64(GAMMA))
        low, high = word & np.uint64(0xFFFFFFFF), word >> np.uint64(32)
        product = np.stack([low, high], axis=2).reshape(n, 2 * words) * np.uint64(self.vocab_size)
        product >>= np.uint64(DIGIT_BITS)
        point = np.uint64(32 - DIGIT_BITS)
        columns = []
        for _ in range(per_fraction):
            columns.append(product >> point)
            product = (product & np.uint64(2 ** (32 - DIGIT_BITS) - 1)) * np.uint64(self.vocab_size)
        digits = np.stack(columns, axis=2).reshape(n, 2 * words * per_fraction)
        return digits[:, : self.length].astype(np.int64)

    def make_batch(self, n: int, seed: int | None = None, step: int | None = None) -> tuple[Tensor, Tensor]:
        """Draw n random sequences and their labels.

        Parameters
        ----------
        n : int
            Number of sequences, at least 1.
        seed, step : int, optional
            Together they name a training batch: exactly what seed ``seed`` sees in its update number
            ``step`` (counted from 0), up to the order of digits within a row, which the model cannot
            see. Without them the batch is drawn from torch's global generator.

        Returns
        -------
        X : Tensor, int64, shape (n, length)
            Digits.
        y : Tensor, float32, shape (n, 1)
            1 where the rule holds, else 0.
        """
        import torch

        if n < 1:
            raise AttnprobeError(f"n = {n!r} is not allowed: a batch needs at least 1 sequence.")
        if (seed is None) != (step is None):
            raise AttnprobeError(
                "seed and step name a training batch together: give both, or neither for a random batch."
            )
        if seed is None or step is None:
            X = torch.randint(0, self.vocab_size, (n, self.length))
        elif seed < 0 or step < 0:
            raise AttnprobeError(f"seed = {seed!r}, step = {step!r} is not allowed: neither may be negative.")
        else:
            X = torch.from_numpy(self.digits(n, seed, step))
        more, fewer = (X.eq(digit).sum(1) for digit in self.targets)
        return X, (more > fewer).float()[:, None]


def make_batch(N: int) -> tuple[Tensor, Tensor]:
    """The exercise's data: N random sequences of ten digits; are there more 2s than 4s?

    Returns
    -------
    X : Tensor, int64, shape (N, 10)
    y : Tensor, float32, shape (N, 1)
        1 where there are more 2s than 4s; a tie is 0.
    """
    return Task().make_batch(N)


def digits_per_fraction(vocab_size: int) -> int:
    """How many digits one 32-bit fraction gives."""
    k = 1
    while vocab_size ** (k + 1) <= 2**SPENT_BITS and k < MOST_DIGITS:
        k += 1
    return k


def words_per_row(vocab_size: int, length: int) -> int:
    """How many 64-bit words (two fractions each) one sequence takes."""
    return -(-length // (2 * digits_per_fraction(vocab_size)))


def batch_key(seed: int, step: int) -> int:
    """The 64-bit key of the batch that ``seed`` sees at ``step``."""
    with np.errstate(over="ignore"):
        outer = _mix(np.uint64((seed + GAMMA) % 2**64))
        return int(_mix(outer + np.uint64((step + 1) * GAMMA % 2**64)))


def _mix(x: Any) -> Any:
    """splitmix64's output function, a bijection of 64-bit words."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(MIX_1)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(MIX_2)
    return x ^ (x >> np.uint64(31))
