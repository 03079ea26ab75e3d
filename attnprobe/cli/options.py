"""Options that commands share: the run folder, the settings of a run, and what is not to be said."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from attnprobe.config import Config

__all__ = ["LogFile", "Quiet", "RunFolder", "Seeds", "Threads", "config_of", "listed", "takes_settings"]

RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="The run folder.", show_default=False)]
Seeds = Annotated[
    str,
    typer.Option(
        help="Which seeds: a range 0:256 (0 to 255), a list 3,5,8, or a text file. Seeds that the run already "
        "holds are not trained again."
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(help="Seeds trained at a time; all cores by default. Changes no bit.", show_default=False),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", show_default=False, help="No progress and no closing lines.")]

LogFile = Annotated[
    Path | None,
    typer.Option(
        "--log",
        metavar="FILE",
        show_default=False,
        help="Append what happens to this file, as JSON lines (docs/log.md).",
    ),
]


def _settings(
    *,
    rule: Annotated[str | None, typer.Option(help="The question: more of A than of B? (default n2 > n4)")] = None,
    vocab_size: Annotated[int | None, typer.Option(help="Digits in the alphabet, 2 to 32. (default 10)")] = None,
    length: Annotated[int | None, typer.Option(help="Digits in a sequence, 1 to 63. (default 10)")] = None,
    embed_dim: Annotated[int | None, typer.Option(help="Size of embeddings. (default 5)")] = None,
    att_dim: Annotated[int | None, typer.Option(help="Size of keys and query. (default 5)")] = None,
    hidden: Annotated[int | None, typer.Option(help="Hidden units of the readout, 1 to 4096. (default 200)")] = None,
    steps: Annotated[int | None, typer.Option(help="Optimiser steps. (default 20000)")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Sequences in a batch, 1 to 65536. (default 500)")] = None,
    lr: Annotated[float | None, typer.Option(help="Adam's learning rate. (default 5e-5)")] = None,
    betas: Annotated[
        tuple[float, float] | None, typer.Option(help="Adam's two decay rates. (default 0.9 0.999)")
    ] = None,
    eps: Annotated[float | None, typer.Option(help="Adam's epsilon. (default 1e-8)")] = None,
    history: Annotated[
        int | None, typer.Option(help="At most so many points at which the loss is recorded. (default 200)")
    ] = None,
    snapshots: Annotated[
        int | None,
        typer.Option(
            help="At most so many steps at which weights are kept, two an octave, then evenly; 0: none. (default 48)"
        ),
    ] = None,
) -> None:
    """The options that ``train`` and ``study`` share: one for each field of Config."""


def takes_settings(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of :func:`_settings`; it receives those that were set as a dict."""
    shared = inspect.signature(_settings, eval_str=True).parameters
    own = inspect.signature(command, eval_str=True).parameters

    @functools.wraps(command)
    def wrapper(**given: Any) -> None:
        settings = {name: given.pop(name) for name in shared}
        command(**given, settings={name: value for name, value in settings.items() if value is not None})

    merged = [*(parameter for name, parameter in own.items() if name != "settings"), *shared.values()]
    del wrapper.__wrapped__  # else its signature would be read
    wrapper.__signature__ = inspect.Signature(merged)  # type: ignore[attr-defined]
    wrapper.__annotations__ = {parameter.name: parameter.annotation for parameter in merged}
    return wrapper


def config_of(path: Path, given: dict[str, Any]) -> Config:
    """The settings that were given; the others as an existing run has them, else the defaults."""
    from attnprobe.config import Config
    from attnprobe.store import open_run

    existing = open_run(path).config.model_dump() if (path / "run.json").exists() else {}
    return Config(**{**existing, **given})


def listed(text: str) -> list[str]:
    """Names separated by commas."""
    return [name.strip() for name in text.split(",") if name.strip()]
