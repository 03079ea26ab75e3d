"""Opening a run folder, and making one."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import attnprobe
from attnprobe.config import Config
from attnprobe.errors import AttnprobeError
from attnprobe.files import is_temporary, make_folder, write_bytes
from attnprobe.machine import describe
from attnprobe.store import lock
from attnprobe.store.manifest import FORMAT, NAME, MadeWith, Manifest, read_manifest
from attnprobe.store.run import Run

__all__ = ["create_run", "open_run"]

Origin = Literal["trained", "imported"]
WHAT: dict[Origin, str] = {
    "trained": "seeds that were trained here",
    "imported": "weights that were trained elsewhere",
}


def create_run(path: str | Path, config: Config, origin: Origin = "trained") -> Run:
    """Open the run folder at ``path`` for training with ``config``, or make it.

    A run with the same settings but fewer steps is opened as it is: it can be extended.

    Raises
    ------
    AttnprobeError
        When there is something else at ``path``, or a run with another config or of another origin.
    """
    path = Path(path)
    try:
        path.exists()
    except OSError as error:
        raise AttnprobeError(
            f"Cannot make a run at {path}: {(error.strerror or str(error)).lower()}. Choose another place."
        ) from None
    if path.exists() and not path.is_dir():
        raise AttnprobeError(f"{path} is a file, not a folder. Choose another place for the run.")
    if (path / NAME).exists():
        return _fitting(open_run(path), config, origin)
    if path.exists() and not all(entry.name == lock.NAME or is_temporary(entry) for entry in path.iterdir()):
        raise AttnprobeError(
            f"{path} is not empty and not a run folder (it has no run.json). Choose a new or empty folder."
        )
    made_with = MadeWith.model_validate(describe())
    manifest = Manifest(
        format=FORMAT, attnprobe=attnprobe.__version__, origin=origin, config=config, made_with=made_with
    )
    make_folder(path)
    with lock.only_writer(path):
        if (path / NAME).exists():  # somebody was faster
            return _fitting(open_run(path), config, origin)
        write_bytes(path / NAME, manifest.encoded())
    return Run(path, manifest)


def open_run(path: str | Path) -> Run:
    """Open a run folder.

    Raises
    ------
    AttnprobeError
        When there is no run at ``path``, or it cannot be understood.
    """
    path = Path(path)
    try:
        there, named = path.exists(), (path / NAME).exists() or (path / NAME).is_symlink()
    except OSError as error:  # too long a name, or a folder that may not be looked into
        raise AttnprobeError(f"Cannot open {path}: {(error.strerror or str(error)).lower()}.") from None
    if not there:
        raise AttnprobeError(f"There is no run at {path}. Train one with: attnprobe train {path}")
    if not named:
        raise AttnprobeError(f"{path} is not a run folder: it has no run.json.")
    return Run(path, read_manifest(path))


def _fitting(run: Run, config: Config, origin: Origin) -> Run:
    """The run, if it can go on with these settings."""
    if run.origin != origin:
        raise AttnprobeError(
            f"{run.path} holds {WHAT[run.manifest.origin]}; {WHAT[origin]} cannot join them. Choose another folder."
        )
    if run.config.model_copy(update={"steps": config.steps}) != config:
        raise AttnprobeError(
            f"{run.path} already holds a run with another configuration ({_difference(run.config, config)}). "
            "Choose another folder, or ask for the configuration that it holds."
        )
    if config.steps < run.config.steps:
        raise AttnprobeError(
            f"{run.path} has been trained for {run.config.steps:,} steps; {config.steps:,} were asked for. A run can "
            "be given more steps, not fewer: choose another folder, or ask for the configuration that it holds."
        )
    return run


def _difference(ours: Config, theirs: Config) -> str:
    here, asked = ours.model_dump(), theirs.model_dump()
    return "; ".join(
        f"{name} is {here[name]!r} there, {asked[name]!r} was asked for" for name in here if here[name] != asked[name]
    )
