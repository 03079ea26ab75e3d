"""Seeds of a run as files that other programs read: a torch state dict or safetensors, one file a seed."""

from __future__ import annotations

import dataclasses
import io
import json
import shlex
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import safetensors.numpy
import torch

from attnprobe.config import Config
from attnprobe.errors import AttnprobeError, unknown
from attnprobe.files import write_bytes
from attnprobe.foreign.archives import METADATA
from attnprobe.foreign.weights import Exported
from attnprobe.seeds import seeds_of
from attnprobe.store import Run

__all__ = ["FORMATS", "export_weights", "import_command"]

FORMATS = ("pt", "safetensors")


def export_weights(
    run: Run,
    out: str | Path,
    seeds: Iterable[int] | None = None,
    *,
    format: str = "pt",
    force: bool = False,
    done: Callable[[int], None] = lambda count: None,
) -> list[Path]:
    """Write the weights of seeds as ``seed17.pt`` or ``seed17.safetensors``; the same seed gives the same bytes.

    Parameters
    ----------
    run : Run
    out : path
        A folder; it is made where it does not exist.
    seeds : iterable of int, optional
        Seeds of the run; all if not given.
    format : str
        ``pt``: ``torch.save(run.model(seed).state_dict(), ...)``, for
        ``AttentionModel().load_state_dict(torch.load(file, weights_only=True))``.
        ``safetensors``: the same tensors, and in the metadata key ``attnprobe`` a JSON text with the seed, the
        task, the steps and the outcome, so that an import needs no options.
    force : bool
        Replace files that are there.
    done : callable
        Called with the number of files written so far.

    Returns
    -------
    list of Path
        One file a seed, ascending.

    Raises
    ------
    AttnprobeError
        For seeds that the run does not have, another format, or a file that is there already (nothing is
        written then).
    """
    if format not in FORMATS:
        raise unknown("Format", format, FORMATS)
    run.require_seeds()
    wanted = seeds_of(run, seeds)
    paths = [Path(out) / f"seed{seed}.{format}" for seed in wanted]
    there = [path for path in paths if path.exists() or path.is_symlink()]
    if there and not force:
        more = f" (and {len(there) - 1:,} more)" if len(there) > 1 else ""
        raise AttnprobeError(
            f"{there[0]}{more} is there already. Choose another folder with --out, or replace it with --force."
        )
    places = np.searchsorted(run.seeds, wanted)
    for i, (place, path) in enumerate(zip(places, paths, strict=True)):
        said = Exported(
            seed=int(wanted[i]),
            rule=run.config.rule,
            vocab_size=run.config.vocab_size,
            length=run.config.length,
            steps=run.config.steps,
            steps_done=int(run.steps[place]),
            status=str(run.status[place]),
        )
        write_bytes(path, _pt(run, said.seed) if format == "pt" else _safetensors(run, int(place), said))
        done(i + 1)
    return paths


def import_command(run: Run, paths: list[Path]) -> str:
    """The command that imports exported files again, with the options that the files themselves do not carry."""
    folder, ending = paths[0].parent, paths[0].suffix
    pattern = len(paths) > 1 and set(folder.glob(f"seed*{ending}")) == set(paths)
    files = [f"{shlex.quote(str(folder))}/seed*{ending}"] if pattern else [shlex.quote(str(path)) for path in paths]
    words = ["attnprobe", "import", "NEWRUN", *files]
    if ending == ".pt":
        standard = {"rule": Config().rule, "length": Config().length, "steps": 0}
        for name, value in standard.items():
            if getattr(run.config, name) != value:
                words += [f"--{name}", shlex.quote(str(getattr(run.config, name)))]
    exported = np.isin(run.seeds, [int(path.stem.removeprefix("seed")) for path in paths])
    if any(not np.isfinite(array[exported]).all() for array in run.weights.values()):
        words.append("--keep-nonfinite")
    return " ".join(words)


def _pt(run: Run, seed: int) -> bytes:
    """What ``torch.save`` makes of the seed's state dict: it writes neither dates nor chance into it."""
    buffer = io.BytesIO()
    torch.save(run.model(seed).state_dict(), buffer)
    return buffer.getvalue()


def _safetensors(run: Run, place: int, said: Exported) -> bytes:
    weights = {name: np.ascontiguousarray(value[place]) for name, value in run.weights.items()}
    return safetensors.numpy.save(weights, metadata={METADATA: json.dumps(dataclasses.asdict(said))})
