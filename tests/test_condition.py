"""Conditions: what they mean (as pandas means it), what is refused, and that nothing makes them slow or large."""

from __future__ import annotations

import time
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from folders import refusal
from hypothesis import given, settings
from hypothesis import strategies as st

from attnprobe.condition import Condition
from attnprobe.condition.evaluate import BLOCK

HOW = "Write a comparison of columns such as 'accuracy < 0.99 and focus > 0.5'."
BIG = 2**63 - 1
NAN, INF = float("nan"), float("inf")
FRAME = pd.DataFrame(
    {
        "i": [0, 1, -2, 3, 7, 3],
        "j": [2, 0, 5, -1, 1, 3],
        "x": [0.5, NAN, -0.0, INF, -2.0, 3.0],
        "y": [1.0, 0.0, 2.5, -INF, NAN, 3.0],
        "b": [True, False, True, True, False, False],
        "c": [False, False, True, False, True, True],
        "k": ["a", "b", "", "é", "ab", "a"],
        "m": ["a", "a", "b", "z", "ab", "b"],
    }
)
LARGE = pd.DataFrame({"seed": [0, 2**53 + 1, BIG], "x": [NAN, 1.0, 2.0], "k": ["a\0", "a", "b'\"\\"]})


def rows(text: str, frame: pd.DataFrame = FRAME) -> list[int]:
    return np.flatnonzero(Condition.parse(text).holds(frame)).tolist()


# --- as pandas -------------------------------------------------------------------------------------------

LETTERS = st.text("abé z", max_size=2)
SIGNS = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
AND_OR = st.sampled_from([" and ", " or ", " & ", " | "])


def numbers(depth: int = 2) -> st.SearchStrategy[str]:
    """Arithmetic that pandas computes without wrapping, and without raising."""
    leaf = st.one_of(
        st.sampled_from(["i", "j", "x", "y"]),
        st.integers(0, 9).map(str),
        st.sampled_from([".5", "2.", "1e2", "0.1", "1E-3", "1e999", "1_000"]),
    )
    if not depth:
        return leaf
    below = numbers(depth - 1)
    return st.one_of(
        leaf,
        st.builds("{} {} {}".format, below, st.sampled_from("+-*/"), below),
        st.builds("({} {} {})".format, below, st.sampled_from(["+", "-", "*", "/", "//", "%"]), below),
        st.builds("{} {} {}".format, st.sampled_from("ijxy"), st.sampled_from(["//", "%"]), below),
        st.builds("{} ** {}".format, st.sampled_from("ijxy"), st.integers(0, 3)),
        st.builds("-{}".format, below),
        st.builds("+{}".format, below),
    )


def of_columns(text: str) -> bool:
    """Whether it names one: pandas takes "not 0 < 1" for the number -2."""
    return any(name in text for name in "ijxy")


TRUTHS = st.deferred(
    lambda: st.one_of(
        st.sampled_from(["b", "c"]),
        st.builds("{} {} {}".format, numbers(), SIGNS, numbers()).filter(of_columns),
        st.builds("{} {} {} {} {}".format, numbers(1), SIGNS, st.sampled_from("ijxy"), SIGNS, numbers(1)),
        st.builds("{} {} {}".format, st.sampled_from("bc"), SIGNS, st.sampled_from(["b", "c", "True", "False", "1"])),
        st.builds("{} {} {!r}".format, st.sampled_from("km"), SIGNS, LETTERS),
        st.builds("{!r} {} {}".format, LETTERS, SIGNS, st.sampled_from("km")),
        st.builds("k {} m".format, SIGNS),
        st.builds(
            "{} {} {}".format, st.sampled_from("ij"), st.sampled_from(["in", "not in"]), st.lists(st.integers(-2, 9))
        ),
        st.builds(
            "{} {} {}".format,
            st.sampled_from("xy"),
            st.sampled_from(["in", "not in", "==", "!="]),
            st.lists(st.floats(-3, 3).map(lambda x: round(x * 2) / 2), min_size=1),
        ),
        st.builds("{} {} {}".format, st.sampled_from("km"), st.sampled_from(["in", "not in"]), st.lists(LETTERS)),
        st.builds("({})".format, TRUTHS),
        st.builds("not {}".format, TRUTHS),
        st.builds("~({})".format, TRUTHS),
        st.builds("{}{}{}".format, TRUTHS, AND_OR, TRUTHS),
    )
)


def by_pandas(text: str) -> list[bool] | None:
    """What ``frame.eval`` says; it is the oracle here, and nowhere in the package."""
    try:
        found = FRAME.eval(text, engine="python")
    except Exception:  # it folds constants as Python does (0 / 0), and has no rule for some that we have
        return None
    return found.tolist() if isinstance(found, pd.Series) and found.dtype == bool else None


def test_as_pandas_computes_it() -> None:
    said = []

    @settings(max_examples=800)
    @given(TRUTHS)
    def compared(text: str) -> None:
        expected = by_pandas(text)
        said.append(expected is not None)
        if expected is not None:
            assert Condition.parse(text).holds(FRAME).tolist() == expected

    compared()
    assert sum(said) > 0.8 * len(said) > 600


# --- what it means, where pandas has no say -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("seed == 9223372036854775807", [2]),
        ("seed > -9223372036854775808", [0, 1, 2]),
        ("seed == 9007199254740993", [1]),  # exactly: 2^53 + 1 is no number of double precision
        ("seed in [9007199254740992, 9223372036854775807]", [2]),
        ("seed - 9223372036854775807 == 0", [2]),
        ("seed // 2 == 4503599627370496", [1]),
        ("seed % 10 == 3", [1]),
        ("x != x", [0]),
        ("not x >= 1", [0]),
        ("k == 'a'", [1]),  # and not the one that ends in NUL
        ("k == 'a\0'", [0]),
        ("k in ['a\0', 'c']", [0]),
        ("k == 'b\\'\\\"\\\\'", [2]),
        ("k < 'b'", [0, 1]),
        ("seed in (0)", [0]),
        ("seed in (0, 1,)", [0]),
        ("seed in []", []),
        ("seed not in []", [0, 1, 2]),
        ("2 in [1, 2] and seed < 5", [0]),
        ("x in [1, 2.0, -3.5]", [1, 2]),
        ("x in [True]", [1]),
        ("1/(0 * -x) < 0", [1, 2]),  # the sign of zero is kept: 1 / -0.0
        ("2 ** (0 - x) == 0.5", [1]),
        ("x > 1 &\n\tseed > 1 | False", [2]),
    ],
)
def test_meaning(text: str, expected: list[int]) -> None:
    assert rows(text, LARGE) == expected


def test_precedence_is_that_of_pandas() -> None:
    """There, ``&`` and ``|`` bind as ``and`` and ``or`` do; a sign binds looser than a power."""
    assert rows("i > 0 & j > 0") == rows("(i > 0) and (j > 0)") == [4, 5]
    assert rows("-i ** 2 == -9") == [3, 5]
    assert rows("2 ** 3 ** 0 == 2 or b and i > 99") == [0, 1, 2, 3, 4, 5]
    assert rows("not b == c") == rows("b != c")
    assert rows("10 - 4 - 3 == 3 and 24 / 4 / 2 == 3.0 and b or c") == rows("b or c")


def test_missing_text_is_unequal_to_all() -> None:
    frame = pd.DataFrame({"k": ["a", None, "b"], "o": pd.Series(["a", None, float("nan")], dtype=object)})
    for name in ("k", "o"):
        assert rows(f"{name} == 'a'", frame) == [0]
        assert rows(f"not {name} < 'b'", frame) == [i for i in (1, 2) if name == "o" or i < 3]
        assert 1 in rows(f"{name} != 'a'", frame)
        assert rows(f"{name} in ['a']", frame) == [0]
    assert rows("k == o", frame) == [0]


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "uint32", "float32", "float16"])
def test_other_sizes_of_numbers(dtype: str) -> None:
    frame = pd.DataFrame({"n": np.array([1, 100, 7], dtype=dtype)})
    assert rows("n * n == 10000", frame) == [1]


def test_blocks_of_rows_fit_together() -> None:
    n = 2 * BLOCK + 1
    frame = pd.DataFrame({"i": np.arange(n), "k": np.where(np.arange(n) % 3, "a", "b")})
    assert rows("i >= 0", frame) == list(range(n))
    assert rows("i % 7 == 1 and k == 'b'", frame) == [i for i in range(n) if i % 7 == 1 and i % 3 == 0]


def test_a_condition_is_a_value() -> None:
    condition = Condition.parse("b and (x > 1 or x < i)")
    assert condition == Condition.parse("b and (x > 1 or x < i)") != Condition.parse("b")
    assert condition.columns == ("b", "x", "i")
    assert repr(condition) == "Condition(text='b and (x > 1 or x < i)', columns=('b', 'x', 'i'))"
    assert len({condition, Condition.parse(condition.text)}) == 1


# --- what is refused ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is not an expression: it ends where a column, a number or a text should stand"),
        ("x >", "is not an expression: it ends where a column, a number or a text should stand"),
        ("(x > 1", "is not an expression: it ends where ')' should stand"),
        ("x > 1)", "is not an expression: ')', at character 6, stands where an operator should"),
        ("x > 1 if b", "is not an expression: 'if', at character 7, stands where an operator should"),
        ("x = 1", "is not allowed: only columns, numbers, text, comparisons, arithmetic and and/or/not may stand "
         "there, not '=', at character 3 (write == to compare)"),
        ("k == 'a", "is not an expression: the quote at character 6 is never closed"),
        ("k == 'a' 'b'", "is not an expression: \"'b'\", at character 10, stands where an operator should"),
        ("k == '\\x41'", "is not allowed: '\\\\x' means nothing in a text; write \\\\ for one \\"),
        ("k == '\ud800'", "is not allowed: '\\ud800' is no text that a table can hold"),
        ("i in 5", "is not an expression: '5', at character 6, stands where a list such as [1, 2] should"),
        ("k in m", "is not an expression: 'm', at character 6, stands where a list such as [1, 2] should"),
        ("i in [j]", "is not an expression: 'j', at character 7, stands where a number or a text, as in a list "
         "such as [1, 2] should"),
        ("i not 5", "is not an expression: '5', at character 7, stands where 'in' should"),
        ("1 < i in [2]", "is not allowed: put 'in [2]' and what it asks about in parentheses"),
        ("i < 007", "is not an expression: '007', at character 5, stands where a number such as 12 or 0.5 or 5e-5 "
         "should"),
        ("i < 0x10", "is not an expression: 'x10', at character 6, stands where an operator should"),
        ("i < 9223372036854775808", "is not allowed: whole numbers go up to 2^63 - 1, which '9223372036854775808' is "
         "beyond; with a point, as in 1e19, it is a number of double precision"),
        ("1 == 1", "is not a condition on columns: it names none"),
        ("x", "is not a condition: it is not true or false"),
        ("k", "is not a condition: it is not true or false"),
        ("k > 1", "cannot be computed: 'k' is text and '1' is a number; text is compared with text alone"),
        ("b == 'True'", "cannot be computed: 'b' is true or false and \"'True'\" is text; text is compared with text "
         "alone"),
        ("i in [1, 'a']", "cannot be computed: 'i' is a number and \"'a'\" is text; text is compared with text alone"),
        ("k + 'a' == 'aa'", "cannot be computed: 'k' is text, and arithmetic takes numbers"),
        ("b + c == 2", "cannot be computed: 'b' is true or false, and arithmetic takes numbers"),
        ("-k == 'a'", "cannot be computed: 'k' is text, and arithmetic takes numbers"),
        ("i and b", "cannot be computed: 'i' is a number, and and/or/not take what is true or false"),
        ("~i > 1", "cannot be computed: 'i' is a number, and and/or/not take what is true or false (~ needs "
         "parentheses, as in ~(focus > 0.5))"),
        ("i * 9223372036854775807 > 0", "cannot be computed: 'i * 9223372036854775807' leaves the whole numbers of 64 "
         "bits; with a point, as in 2.0, one of them makes it double precision"),
    ],
)  # fmt: skip
def test_whole_messages(text: str, why: str) -> None:
    assert refusal(rows, text) == f"--where {text!r} {why}. {HOW}"


def test_unknown_columns() -> None:
    have = f"Its columns are: {', '.join(FRAME.columns)}."
    assert refusal(rows, "xx > 1") == f"There is no column 'xx' in this table. Did you mean 'x'? {have}"
    assert refusal(rows, "x == None") == (
        f"There is no column 'None' in this table. A missing number is unequal to itself: x != x finds it. {have}"
    )
    assert refusal(rows, "b == true") == f"There is no column 'true' in this table. Write True. {have}"


def test_columns_that_cannot_be_asked() -> None:
    frame = pd.DataFrame({"t": pd.to_datetime(["2026-01-01"]), "o": [[1]], "u": np.array([1], dtype=np.uint64)})
    for name in frame:
        assert f"'{name}' holds neither numbers nor text nor true or false. " in refusal(rows, f"{name} > 1", frame)
    twice = pd.DataFrame([[1, 2]], columns=["x", "x"])
    assert "there are several columns 'x'. " in refusal(rows, "x > 1", twice)


@pytest.mark.parametrize("data", [{"i": [2, 2**62]}, {"i": [-(2**63), 0]}])
@pytest.mark.parametrize("text", ["i * 4 > 0", "i - 9223372036854775807 < 0", "i ** 9 > 0", "-i + -i > 0"])
def test_whole_numbers_never_wrap(data: dict[str, list[int]], text: str) -> None:
    """Either the row is right (Python's whole numbers have no end), or there is an error."""
    true = [eval(text.split(">")[0].split("<")[0], {"i": i}) for i in data["i"]]
    if "**" in text or not all(-(2**63) <= number < 2**63 for number in true):
        assert "leaves the whole numbers of 64 bits" in refusal(rows, text, pd.DataFrame(data))
    else:
        assert rows(text, pd.DataFrame(data)) == [at for at, i in enumerate(data["i"]) if eval(text, {"i": i})]


# --- nothing makes it slow or large -----------------------------------------------------------------------

BOMBS = [
    "i < 9**9**9",
    "i < 9**9**9**9**9**9",
    "i < 2.0**9**9**9",
    "i << 100000000000",
    "'a' * 10**9 == k",
    "k == 'a' * 1000000000",
    "i % 0 == i",
    "i // 0 < 1",
    "1 % 0 == i",
    "i < 1" + "0" * 90_000,
    "x < 0." + "1" * 90_000,
    "x < 1e" + "9" * 90_000,
    "(" * 10_000 + "b" + ")" * 10_000,
    "[" * 10_000,
    "not " * 10_000 + "b",
    "-" * 10_000 + "i > 1",
    "~" * 10_000 + "b",
    "b" + " and b" * 10_000,
    "i" + " + i" * 10_000 + " > 1",
    "i" + " < i" * 10_000,
    "i" + " ** i" * 10_000 + " > 1",
    "b" + " == (b" * 10_000,
    "1 in [" + "1," * 100_000 + "]",
    "i in [" + "1," * 40_000 + "]",
    "k in [" + "'a'," * 20_000 + "]",
    "k == '" + "a" * 1_000_000 + "'",
    "k == '" + "\\\\" * 40_000,
    "k == '" + "a" * 90_000,
    "a" * 90_000 + " > 1",
    " " * 99_000 + "b",
    "\n" * 1_000_000,
    "\0",
    "b\0",
    "k == '\0'",
    "\ud800 > 1",
    "\u202e > 1",
    "i > " + "٣",
    "1_" * 30_000 + "1 > i",
    "e" * 20 + "=" * 20,
]


@pytest.mark.parametrize("text", BOMBS, ids=range(len(BOMBS)))
def test_nothing_is_slow_or_large(text: str) -> None:
    tracemalloc.start()
    started = time.process_time()
    try:
        message = ""
        assert len(rows(text)) <= len(FRAME)
    except ValueError as error:
        message = str(error)
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert time.process_time() - started < 5  # thirty times what the slowest takes
    assert peak < 60e6
    assert len(message) < 2_000
    assert message.isprintable()


def test_as_deep_and_as_long_as_allowed() -> None:
    assert rows("(" * 99 + "b" + ")" * 99) == rows("b")
    assert refusal(rows, "(" * 100 + "b" + ")" * 100).endswith(
        f"is not allowed: its parts are nested more than 100 deep. {HOW}"
    )
    assert rows("b" + " and b" * 200) == rows("b")
    assert refusal(rows, "b" + " and b" * 201).endswith(f"is not allowed: it may have 200 operators at most. {HOW}")
    assert rows(" " * 99_999 + "b") == rows("b")
    assert refusal(rows, " " * 100_000 + "b") == (
        f"--where {' ' * 200!r}... (100,001 characters) is not allowed: it may have 100,000 characters at most. {HOW}"
    )


def test_memory_is_that_of_a_block_whatever_is_asked() -> None:
    frame = pd.DataFrame({"x": np.linspace(0, 1, 2_000_000)})
    text = "(x * 1) + (" * 45 + "x" + ")" * 45 + " > 3"
    condition = Condition.parse(text)
    tracemalloc.start()
    found = condition.holds(frame)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.sum() == (46 * frame["x"] > 3).sum()
    assert peak < 45e6  # 16 MB for one column of results at once; all at once it would be 720 MB
