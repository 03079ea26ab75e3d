"""Command lines: real words, mixed with garbage, run through ``attnprobe.cli.main`` within this process.

A command ends with 0, 1 (``verify`` found something) or 2 (refused, with a sentence on standard error); never with a
traceback, never with control characters in what it says. The run that it is about stays sound, whatever was asked.
Training, computing tables and drawing are left out (they are other tests' business, and take long); what is said about
their options is not.
"""

from __future__ import annotations

import contextlib
import functools
import io
import os
import random
import shutil
import sys
import unicodedata
import warnings
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
import typer

import attnprobe as ap
from attnprobe import cli
from attnprobe.errors import AttnprobeWarning
from attnprobe.schema import Column, Schema
from attnprobe.verify import verify
from fuzz import mutate
from fuzz.folders import CONFIG, contents, made, stamps
from fuzz.room import Case, Room, Wrong, of_message

COMMANDS = ("study", "train", "analyze", "report", "compare", "query", "show", "verify", "import", "export")
OPTIONS = {
    "study": (
        "--seeds",
        "--steps",
        "--hidden",
        "--lr",
        "--betas",
        "--rule",
        "--length",
        "--vocab-size",
        "--threads",
        "-q",
    ),
    "train": (
        "--seeds",
        "--steps",
        "--batch-size",
        "--eps",
        "--history",
        "--snapshots",
        "--embed-dim",
        "--threads",
        "-q",
    ),
    "analyze": ("--force", "-q", "seeds", "digits", "rules"),
    "report": ("--figures", "--format", "--style", "--paper", "-q"),
    "compare": ("demo", "--out", "--paper", "-q"),
    "query": ("--where", "--where", "--by", "--stat", "--columns", "--format", "--out"),
    "show": ("--sequence", "--seeds", "--choose", "-n", "--sort", "--style", "--format", "--out", "--force", "-q"),
    "verify": ("--retrain", "-q", "--threads", "--log"),
    "import": (
        "--seeds",
        "--rule",
        "--length",
        "--steps",
        "--key",
        "--rename",
        "--ignore",
        "--scale",
        "--keep-nonfinite",
    ),
    "export": ("--seeds", "--format", "--out", "--force", "-q"),
}
VALUES = {
    "--seeds": ("0:3", "2,3", "2:6", "11", "seeds.txt", "0:10000000"),
    "--steps": ("12", "3", "0", "20000"),
    "--lr": ("0.01", "5e-5"),
    "--betas": ("0.9", "0.999"),
    "--rule": ("n3 > n1", "n2 > n4"),
    "--where": ("accuracy < 0.99", "seed > 3 and certified", "status == 'trained'"),
    "--by": ("seed", "status", "certified", "accuracy"),
    "--stat": ("mean", "median", "std"),
    "--columns": ("seed,accuracy", "seed", "status, seed"),
    "--format": ("csv", "json", "table", "parquet", "pdf", "png,svg", "pt", "safetensors"),
    "--out": ("found.csv", "found.json", "found.parquet", "shown.png", "new", "file"),
    "--sequence": ("3314022", "3 3 1 4 0 2 2"),
    "--choose": ("random", "closest", "errors"),
    "--figures": ("focus", "rules,focus"),
    "--style": ("paper", "dark", "slides"),
    "--paper": ("a4", "letter"),
    "--sort": ("position", "digit"),
    "--log": ("log.jsonl",),
    "--rename": ("a=WV.weight",),
    "--scale": ("sqrt", "none"),
}
WORDS = (
    "demo", "demo", "demo", "other", "file", "absent", "pipe", "seeds", "history", "mixed", "summary", "-h",
    "--help", "--", "-",
    "", " ", "--version", "--wher", "demo/", "demo/run.json", "demo/tables/seeds.parquet", "demo/shards", "-1",
    "0", "1e999",
)  # fmt: skip
PATHS = ("demo/", "demo/run.json", "demo/tables/seeds.parquet", "demo/shards")
ANSWERS = Schema(
    "seeds",
    "seed",
    ("seed",),
    (
        Column("seed", "int64", "", "the training seed"),
        Column("status", "string", "", "its outcome"),
        Column("accuracy", "float64", "share", "right answers"),
        Column("certified", "bool", "", "no wrong answer"),
        Column("error_probability", "float64", "share", "wrong answers"),
        Column("focus", "float64", "share", "attention on targets"),
    ),
)


class Commands(Room):
    """``attnprobe ...``."""

    name = "commands"

    def __init__(self, place: Path) -> None:
        super().__init__(place)
        self.here, self.outside = place / "here", place / "outside"
        base = made(place / "base", 1)
        run = ap.open_run(base)
        answers = {"seed": run.seeds, "status": run.status, "accuracy": np.array([0.9, 1.0, np.nan, 0.5, 0.99])}
        run.write_table(
            ANSWERS,
            pd.DataFrame(
                {
                    **answers,
                    "certified": np.arange(5) % 2 == 0,
                    "error_probability": np.full(5, 0.1),
                    "focus": np.full(5, 0.5),
                }
            ),
        )
        (self.outside / "x").mkdir(parents=True)
        self.sound = contents(ap.open_run(base))
        self.outside_before = stamps(self.outside)
        self.command = functools.cache(typer.main.get_command)  # a third of the time of a case
        self.renew()
        self.call(["show", "demo", "-q"])  # what is compiled is compiled before anybody looks at the clock

    def renew(self) -> None:
        """The place to stand in, as it was."""
        shutil.rmtree(self.here, ignore_errors=True)
        self.here.mkdir()
        (self.here / "other").mkdir()
        (self.here / "other" / "notes.txt").write_text("mine")
        (self.here / "file").write_text("mine too")
        (self.here / "seeds.txt").write_text("2,3\n")
        os.mkfifo(self.here / "pipe")
        shutil.copytree(self.place / "base", self.here / "demo")
        self.before = stamps(self.here)

    def case(self, draw: random.Random) -> Case:
        words = self.words(draw)
        return Case(" ".join(map(repr, words))[:100_000], lambda: self.judged(words))

    def words(self, draw: random.Random) -> list[str]:
        """A command with some of its options; some words are then exchanged, left out or garbled."""
        command = draw.choice(COMMANDS)
        words = [command, "demo"]
        if command == "query":
            words.append(draw.choice(("seeds", "history", "mixed")))
        if command == "import":
            words = [command, draw.choice(("new", "demo")), draw.choice(("file", "demo/run.json", "absent"))]
        for _ in range(draw.randint(0, 4)):
            option = draw.choice(OPTIONS[command])
            words.append(option)
            if option in VALUES:
                words.append(draw.choice(VALUES[option]))
            elif option.startswith("--") and option not in ("--force", "--keep-nonfinite"):
                words.append(draw.choice(("1", "5", "12", "x")))
            if option == "--betas":
                words.append("0.99")
        every = [value for values in VALUES.values() for value in values] + [*WORDS, *COMMANDS, *VALUES]
        for _ in range(draw.choice((0, 1, 1, 2, 3))):
            at = draw.randrange(len(words)) if words else 0
            kind = draw.randrange(5)
            if kind == 0:
                del words[at : at + 1]
            elif kind == 1:
                words.insert(at, draw.choice(every))
            elif kind == 2 and words:
                words[at] = draw.choice(every)
            elif kind == 3 and words:
                words[at] = mutate.text(draw, [words[at]], every, most=2)
            else:
                words.insert(at, mutate.text(draw, every, most=2))
        return [within(word) for word in words]

    def judged(self, words: list[str]) -> str:
        code, out, error = self.call(words)
        if code not in (0, 1, 2) or (code == 1 and "verify" not in words):
            raise Wrong(f"it ends with {code}: {error[-500:]!r}")
        said = error.decode(errors="replace")
        if b"not enough memory" in error:
            raise Wrong("it takes too much memory")
        if b"Traceback" in error or b"Traceback" in out:
            raise Wrong(f"a traceback: {said[-500:]}")
        if b"Usage:" not in error and (wrong := of_message(said or "nothing")):
            raise Wrong(wrong)
        if any(unicodedata.category(letter) == "Cc" and letter != "\n" for letter in said):
            raise Wrong(f"control characters: {said[:500]!r}")  # in what Typer says of words that it does not know, too
        if code == 2 and not (said + out.decode(errors="replace")).strip():
            raise Wrong("it is refused without a word")
        if stamps(self.outside) != self.outside_before:
            raise Wrong("something outside was touched")
        if stamps(self.here) != self.before:
            run = ap.open_run(self.here / "demo")
            now = contents(run)
            if set(run.seeds) == {2, 3, 5, 7, 11} and now != self.sound:
                raise Wrong("the run is another one than before")
            damage = [finding.what for finding in verify(self.here / "demo").findings if finding.kind != "extra"]
            if damage:
                raise Wrong(f"the run is damaged: {damage[0]}")
            self.renew()
        return {0: "accepted", 1: "accepted", 2: "refused"}[code]

    def call(self, words: list[str]) -> tuple[int, bytes, bytes]:
        """Code, output and errors of a command."""
        out, error = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="backslashreplace") for _ in range(2))
        with (
            contextlib.chdir(self.here),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(error),
            mock.patch.object(sys, "argv", ["attnprobe", *words]),
            mock.patch.object(warnings, "formatwarning", warnings.formatwarning),  # the command line sets it
            self.without_the_work(),
        ):
            warnings.simplefilter("always", AttnprobeWarning)  # these are for the user to read
            try:
                cli.main()
                code: Any = 0
            except SystemExit as ended:
                code = ended.code
        for stream in (out, error):
            stream.flush()
        return code or 0, out.buffer.getvalue(), error.buffer.getvalue()  # type: ignore[attr-defined]

    @contextlib.contextmanager
    def without_the_work(self) -> Any:
        """Training, tables and drawing do nothing."""
        import analyses
        import attnprobe.repair
        import attnprobe.training.batch
        import reports
        import reports.compared
        from reports import shown

        def train(config: ap.Config, seeds: Any, out: Path, **_: Any) -> ap.Run:
            if config.steps > 10**9 or len(seeds) < 1:
                raise Wrong("it would train nothing, or for ever")
            return ap.open_run(self.here / "demo")

        def report(run: ap.Run, *_: Any, **__: Any) -> Path:
            return run.path / "report.pdf"

        def compute(run: ap.Run, names: Any = None, *_: Any, force: bool = False, **__: Any) -> list[str]:
            analyses.outdated(run, names or analyses.names(), force)
            return []

        with (
            mock.patch.object(attnprobe.training.batch, "train", train),
            mock.patch.object(analyses, "write", compute),
            mock.patch.object(reports, "write", report),
            mock.patch.object(reports.compared, "compare", return_value=None),
            mock.patch("reports.compared_text.text", return_value="compared"),
            mock.patch.object(shown, "write", return_value=None),
            mock.patch("attnprobe.verify.retrain", return_value=[]),
            mock.patch("typer.main.get_command", self.command),
        ):
            yield


def within(word: str) -> str:
    """The word, led into no other folder than this one: whoever runs the tests may be allowed to write anywhere."""
    return word if word in PATHS else word.replace("/", "%").replace("..", "._").replace("\0", "")


assert CONFIG.length == 7  # as the sequences above
