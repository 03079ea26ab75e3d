"""Command lines from hell: standard files that are closed or full, names that are none, endless files."""

from __future__ import annotations

import shlex
import subprocess

import pytest
from commands import argv, process


def shell(words: str, redirected: str, here) -> subprocess.CompletedProcess[str]:
    line = f"exec {shlex.join(argv(*words.split()))} {redirected}"
    return subprocess.run(["bash", "-c", line], cwd=here, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize(
    ("words", "redirected", "code", "err"),
    [
        ("--help", ">&-", 0, ""),
        ("--help", ">&- 2>&- <&-", 0, ""),
        ("--help", "> /dev/full", 2, "attnprobe: No space left on device.\n"),
        ("query nowhere seeds", "2>&-", 2, ""),
        ("query nowhere seeds", "2> /dev/full", 2, ""),
        ("query demo seeds", ">&-", 2, "attnprobe: Standard output is closed: give --out FILE.\n"),
        ("query demo seeds", "> /dev/full", 2, "attnprobe: No space left on device.\n"),
        ("query demo seeds --out a.csv", ">&- 2>&-", 0, ""),
    ],
)
def test_standard_files(demo, here, words, redirected, code, err) -> None:
    said = shell(words, redirected, here)
    assert (said.returncode, said.stdout, said.stderr) == (code, "", err)


def test_no_file_of_a_run_gets_what_is_printed(demo, here) -> None:
    before = (demo / "run.json").read_bytes()
    assert shell("verify demo", "<&- >&- 2>&-", here).returncode in (0, 1)
    assert (demo / "run.json").read_bytes() == before


@pytest.mark.parametrize(
    "words", [["train", "a" * 300, "--seeds", "0:1"], ["train", "x", "--seeds", "9" * 5000], ["analyze", "\udcff"]]
)
def test_names_and_numbers_that_are_none(here, words) -> None:
    said = process(*words, cwd=here)
    assert said.returncode == 2
    assert said.stderr.startswith("attnprobe: ")
    assert said.stderr.count("\n") == 1
