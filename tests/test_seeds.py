"""Which seeds: from Python, from text, from a file; each mistake with its whole message."""

from __future__ import annotations

import numpy as np
import pytest

from attnprobe.errors import AttnprobeError
from attnprobe.seeds import check_seeds, parse_seeds

HOW = "Give distinct whole numbers of 0 or more, such as range(100) or [3, 5, 8]."
LARGEST = 2**63 - 1


def refusal(function, given) -> str:
    with pytest.raises(AttnprobeError) as error:
        function(given)
    return str(error.value)


@pytest.mark.parametrize(
    "given",
    [
        range(3),
        [2, 0, 1],
        (0, 1, 2),
        {1, 2, 0},
        np.arange(3),
        np.array([2, 1, 0], dtype=np.uint8),
        iter([0, 2, 1]),
        (seed for seed in (0, 1, 2)),
    ],
    ids=lambda given: type(given).__name__,
)
def test_seeds_from_python(given) -> None:
    seeds = check_seeds(given)
    assert seeds.dtype == np.int64
    assert seeds.tolist() == [0, 1, 2]


def test_the_largest_seed() -> None:
    assert check_seeds([LARGEST, 0]).tolist() == [0, LARGEST]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], f"seeds is empty: there is nothing to train. {HOW}"),
        (range(0), f"seeds is empty: there is nothing to train. {HOW}"),
        ([3, -1], f"seed -1 is not allowed: seeds run from 0 to 2^63 - 1. {HOW}"),
        ([2**63], f"seed {2**63} is not allowed: seeds run from 0 to 2^63 - 1. {HOW}"),
        ([1, 2.0], f"seed 2.0 is not allowed: it is no whole number. {HOW}"),
        ([True], f"seed True is not allowed: it is no whole number. {HOW}"),
        ([np.bool_(True)], f"seed {np.bool_(True)!r} is not allowed: it is no whole number. {HOW}"),
        (["1"], f"seed '1' is not allowed: it is no whole number. {HOW}"),
        ([None], f"seed None is not allowed: it is no whole number. {HOW}"),
        ([5, 3, 5, 3], f"seed 3 is given twice: each seed is one training run. {HOW}"),
        (5, f"seeds = 5 is not allowed: it is no collection of seeds. {HOW}"),
        (5.0, f"seeds = 5.0 is not allowed: it is no collection of seeds. {HOW}"),
        (np.int64(5), f"seeds = {np.int64(5)!r} is not allowed: it is no collection of seeds. {HOW}"),
        (None, f"seeds = None is not allowed: it is no collection of seeds. {HOW}"),
        ("0:5", f"seeds = '0:5' is not allowed: it is no collection of seeds. {HOW}"),
    ],
)
def test_what_is_refused_from_python(given, message) -> None:
    assert refusal(check_seeds, given) == message


@pytest.mark.parametrize(
    ("text", "seeds"),
    [
        ("0:4", [0, 1, 2, 3]),
        ("3,5,8", [3, 5, 8]),
        ("8,3,5", [3, 5, 8]),
        ("17", [17]),
        ("0:3,7,10:12", [0, 1, 2, 7, 10, 11]),
        ("7 3\t5\n2", [2, 3, 5, 7]),
        (" 1, 2 ,3, ", [1, 2, 3]),
        ("007", [7]),
        (f"{LARGEST}", [LARGEST]),
        (f"{LARGEST}:{LARGEST + 1}", [LARGEST]),
    ],
)
def test_seeds_from_text(text, seeds) -> None:
    parsed = parse_seeds(text)
    assert parsed.dtype == np.int64
    assert parsed.tolist() == seeds


def test_seeds_from_a_file(tmp_path) -> None:
    path = tmp_path / "seeds.txt"
    path.write_text("# the good ones\n10:13, 3\n5 # five, not 6\n\n8\t7\n#99\n")
    assert parse_seeds(str(path)).tolist() == [3, 5, 7, 8, 10, 11, 12]


def no_item(source: str, item: str) -> str:
    return (
        f"seeds = {source!r} is not allowed: {item!r} is neither a seed nor a range START:STOP with "
        "START below STOP. Write 0:256 for the seeds 0 to 255, or 3,5,8."
    )


@pytest.mark.parametrize(
    ("text", "item"),
    [
        ("5:5", "5:5"),
        ("1,5:2", "5:2"),
        ("1:2:3", "1:2:3"),
        (":5", ":5"),
        ("5:", "5:"),
        ("1-5", "1-5"),
        ("-1:4", "-1:4"),
        (f"0:{2**63 + 1}", f"0:{2**63 + 1}"),
    ],
)
def test_items_that_are_refused(text, item, tmp_path) -> None:
    assert refusal(parse_seeds, text) == no_item(text, item)
    path = tmp_path / "seeds.txt"
    path.write_text(text)
    assert refusal(parse_seeds, str(path)) == no_item(str(path), item)


def test_words_in_a_file_are_refused(tmp_path) -> None:
    path = tmp_path / "seeds.txt"
    path.write_text("1 2 three")
    assert refusal(parse_seeds, str(path)) == no_item(str(path), "three")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("-1", f"seed -1 is not allowed: seeds run from 0 to 2^63 - 1. {HOW}"),
        ("1,2,1", f"seed 1 is given twice: each seed is one training run. {HOW}"),
        ("0:5,3", f"seed 3 is given twice: each seed is one training run. {HOW}"),
        (f"{2**63}", f"seed {2**63} is not allowed: seeds run from 0 to 2^63 - 1. {HOW}"),
    ],
)
def test_seeds_in_text_are_checked(text, message) -> None:
    assert refusal(parse_seeds, text) == message


@pytest.mark.parametrize("name", ["absent.txt", ".", "1.5", "abc"])
def test_neither_seeds_nor_a_file(name, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert refusal(parse_seeds, name) == (
        f"seeds = {name!r} is not allowed: it is neither a range such as 0:256, nor a list such as 3,5,8, "
        "nor a text file that can be read."
    )


def test_a_file_that_is_no_text(tmp_path) -> None:
    path = tmp_path / "seeds.bin"
    path.write_bytes(b"\xff\xfe\x00")
    assert refusal(parse_seeds, str(path)).endswith(" nor a text file that can be read.")


@pytest.mark.parametrize("content", ["", "# nothing but words\n", " \n\n"])
def test_a_file_without_seeds(tmp_path, content) -> None:
    path = tmp_path / "seeds.txt"
    path.write_text(content)
    assert refusal(parse_seeds, str(path)) == f"seeds is empty: there is nothing to train. {HOW}"
