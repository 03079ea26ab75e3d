"""Calling the command line: within this process, or as a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

import pytest

from attnprobe import cli

SMALL = (
    *("--rule", "n3 > n1", "--vocab-size", "5", "--length", "7", "--embed-dim", "3", "--att-dim", "2"),
    *("--hidden", "11", "--steps", "60", "--batch-size", "61", "--lr", "0.01", "--history", "7", "--snapshots", "3"),
)


class Said(NamedTuple):
    """What a command said and how it ended."""

    code: int
    out: str
    err: str


class Commands:
    """``attnprobe(...)`` runs one command in this process."""

    def __init__(self, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capture = capsysbinary
        self._patch = monkeypatch
        self.raw = b""

    def __call__(self, *words: object) -> Said:
        self._patch.setattr(sys, "argv", ["attnprobe", *map(str, words)])
        self._capture.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        self.raw, err = self._capture.readouterr()
        return Said(int(ended.value.code or 0), self.raw.decode(errors="replace"), err.decode())

    def refused(self, *words: object) -> str:
        """The message of a command that is refused."""
        said = self(*words)
        assert (said.code, said.out) == (2, "")
        assert "Traceback" not in said.err
        return said.err


def argv(*words: object) -> list[str]:
    """The same command as a process: warnings are errors there too."""
    return [sys.executable, "-W", "error", "-m", "attnprobe.cli", *map(str, words)]


def process(*words: object, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv(*words), capture_output=True, text=True, timeout=300, **options)


@contextmanager
def interruptible(words: list[str], handler=signal.default_int_handler, **options) -> Iterator[subprocess.Popen[str]]:
    """A process in a group of its own that Ctrl-C reaches, even where this one was started with Ctrl-C switched off."""
    before = signal.signal(signal.SIGINT, handler)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    try:
        process = subprocess.Popen(words, text=True, start_new_session=True, **pipes, **options)
    finally:
        signal.signal(signal.SIGINT, before)
    with process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
