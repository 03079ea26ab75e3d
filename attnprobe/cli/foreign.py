"""The commands that take weights in from elsewhere, and give them out: import, export."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from attnprobe.cli.options import LogFile, Quiet, RunFolder
from attnprobe.cli.output import say
from attnprobe.cli.stopping import keeping
from attnprobe.cli.telling import naming, telling
from attnprobe.errors import AttnprobeError

__all__ = ["export", "import_"]

MOST_NOTES = 8


def import_(
    run: RunFolder,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="One network a file: .pt or .pth with a state dict, or .safetensors.",
            show_default=False,
        ),
    ],
    seeds: Annotated[
        str | None,
        typer.Option(
            help="Numbers for the files, in their order: 0:8 or 3,5,8. (default those in the exports or at the end of "
            "the file names, else 0, 1, 2, ...)",
        ),
    ] = None,
    rule: Annotated[str | None, typer.Option(help="The question that they were trained on. (default n2 > n4)")] = None,
    length: Annotated[int | None, typer.Option(help="Digits in a sequence, 1 to 63. (default 10)")] = None,
    steps: Annotated[
        int | None, typer.Option(help="For how many steps they were trained, for the record. (default 0: not known)")
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="Which dict of a checkpoint is the state dict, such as ema.net.")
    ] = None,
    rename: Annotated[
        list[str] | None,
        typer.Option(
            metavar="THEIRS=OURS",
            help="Which tensor is which, where names do not say; OURS.T transposes. May be repeated.",
            show_default=False,
        ),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="A tensor that the answer does not depend on. May be repeated.", show_default=False
        ),
    ] = None,
    scale: Annotated[
        str, typer.Option(help="sqrt: scores are q . k / sqrt(att_dim), as in the exercise; none: they are q . k.")
    ] = "sqrt",
    keep_nonfinite: Annotated[
        bool, typer.Option("--keep-nonfinite", help="Keep networks with infinite weights, as failed seeds.")
    ] = False,
    log: LogFile = None,
    quiet: Quiet = False,
) -> None:
    """Make a run of networks that were trained elsewhere. No code of the files is run.

    Interrupted, the same command goes on; files that the run has already are left as they are.

    Examples:

    attnprobe import runs/mine seed0.pt seed1.pt seed2.pt

    attnprobe import runs/mine best.pth --key model_state_dict --rename readout_in.weight=nn.0.weight
    """
    from attnprobe.foreign.importing import import_weights
    from attnprobe.foreign.numbering import in_order
    from attnprobe.foreign.weights import TAKEN_FOR
    from attnprobe.seeds import parse_seeds

    started = time.perf_counter()
    asked = None if seeds is None else in_order(parse_seeds(seeds), seeds)
    renamed = _pairs(rename or [])
    keeping(f"Networks that were imported are kept in {run}; the same command imports the rest.")
    with telling(quiet, log, run) as events, naming(events, "importing", len(files), "files") as progress:
        done = import_weights(
            files,
            run,
            seeds=asked,
            rule=rule,
            length=length,
            steps=steps,
            rename=renamed,
            ignore=ignore or [],
            key=key,
            scale=scale,
            keep_nonfinite=keep_nonfinite,
            progress=progress,
        )
    config, total = done.run.config, len(done.run.seeds)
    there = f" ({done.there:,} already there)" if done.there else ""
    failed = int((done.run.status != "trained").sum())
    more = len(done.notes) - MOST_NOTES
    say(
        quiet,
        f"{done.added:,} imported in {time.perf_counter() - started:.1f} s{there}; {run} holds {total:,}"
        + (f", {failed:,} of them not finite." if failed else "."),
        f"Rule {config.rule!r}, sequences of {config.length} of {config.vocab_size} digits; embed_dim "
        f"{config.embed_dim}, att_dim {config.att_dim}, hidden {config.hidden}. {done.numbered}",
        *done.notes[:MOST_NOTES],
        *([f"... and {more:,} more such notes."] if more > 0 else []),
        TAKEN_FOR,
        f"Next: attnprobe analyze {run}",
    )


def export(
    run: RunFolder,
    seeds: Annotated[
        str | None, typer.Option(help="Seeds of the run: 0:8, 3,5,8, or a text file. (default all)")
    ] = None,
    format_: Annotated[
        str,
        typer.Option("--format", help="pt: a torch state dict; safetensors: also knows its seed, rule and steps."),
    ] = "pt",
    out: Annotated[Path, typer.Option(help="Folder to write seed17.pt and so on into.")] = Path("weights"),
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.", show_default=False)] = False,
    quiet: Quiet = False,
) -> None:
    """Write the weights of seeds as files for other programs, one file a seed.

    Example:  attnprobe export runs/demo --seeds 0:8 --format safetensors --out weights
    """
    from attnprobe.foreign.export import export_weights, import_command
    from attnprobe.seeds import parse_seeds
    from attnprobe.store import open_run

    opened = open_run(run)
    asked = None if seeds is None else parse_seeds(seeds)
    keeping(f"Files that were written are kept in {out}; with --force the same command writes all.")
    paths = export_weights(opened, out, asked, format=format_, force=force)
    size = sum(path.stat().st_size for path in paths)
    say(
        quiet,
        f"{len(paths):,} file{'' if len(paths) == 1 else 's'} written ({size:,} bytes): {out}",
        f"To import: {import_command(opened, paths)}",
    )


def _pairs(given: list[str]) -> dict[str, str]:
    """THEIRS=OURS as a dict."""
    pairs: dict[str, str] = {}
    for text in given:
        theirs, sign, ours = text.rpartition("=")
        if not sign or not theirs or not ours:
            raise AttnprobeError(f"--rename {text!r} is not allowed: write THEIRS=OURS, such as to_v.weight=WV.weight.")
        if theirs in pairs:
            raise AttnprobeError(f"--rename names {theirs!r} twice. Give one place for it.")
        pairs[theirs] = ours
    return pairs
