"""The commands by name, in the order of the help. Each is a function of a module of its own kind."""

from __future__ import annotations

import typer

from attnprobe.cli.asking import compare, query, show
from attnprobe.cli.checking import verify
from attnprobe.cli.foreign import export, import_
from attnprobe.cli.making import analyze, report, study, train

__all__ = ["COMMANDS", "app"]

COMMANDS = (study, train, analyze, report, compare, query, show, import_, export, verify)

app = typer.Typer(
    help="Train many seeds of one small attention network, tabulate what they do, report on it.\n\n"
    "Start with:  attnprobe study runs/demo --seeds 0:256\n\n"
    "A run is a folder. study = train (weights) + analyze (tables) + report (figures, PDF); query asks a table.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for command in COMMANDS:
    app.command(command.__name__.rstrip("_"))(command)
