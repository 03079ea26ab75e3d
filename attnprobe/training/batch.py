"""Many seeds: shard by shard into a run folder, one seed a thread.

A finished shard is on disk; whatever stops the process, the same command goes on with the seeds that are
missing. A seed's bits depend on its number and the config alone (and on the kind of CPU), so the size of
a shard and the number of threads are free.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

import numpy as np

from attnprobe.config import Config
from attnprobe.errors import AttnprobeError
from attnprobe.events import Listener
from attnprobe.machine import cores
from attnprobe.model import initial_weights, split
from attnprobe.outcome import Outcome
from attnprobe.progress import shown
from attnprobe.seeds import check_seeds
from attnprobe.store import Run, Shard, create_run
from attnprobe.training.kernel import Spec, State, Work, flat_weights, train_seed
from attnprobe.training.plan import portions
from attnprobe.training.telling import Telling

__all__ = ["train", "train_shard"]

Report = Callable[[int, int], None]  # seeds done, seed-steps done
LOOK = 0.1  # seconds between two looks at the progress (and at Ctrl-C)


def train(
    config: Config | None = None,
    seeds: Iterable[int] = range(100),
    out: str | Path | None = None,
    *,
    threads: int | None = None,
    progress: bool | None = None,
    events: Listener | None = None,
    shard_size: int = 64,
) -> Run:
    """Train seeds and keep them in a run folder; seeds that it already holds are not trained again.

    Parameters
    ----------
    config : Config, optional
        What to train; the exercise's settings if not given.
    seeds : iterable of int
        Distinct seeds, 0 or larger. Seed s starts from ``torch.manual_seed(s); AttentionModel()``.
    out : path
        The run folder: new, empty, or a run with the same config. If that has fewer steps, all its seeds are trained
        on to as many as ``config`` asks for, bit for bit as if it had been so from the start; until the last of
        them is done the run stays as it was.
    threads : int, optional
        Seeds trained at a time; all cores if not given. It changes no bit of the result.
    progress : bool, optional
        Show a progress bar; if not given, when standard error is a terminal.
    events : callable, optional
        Told what happens: ``progress`` and ``shard``, see :mod:`attnprobe.events`.
    shard_size : int
        Seeds kept in one file. It changes no bit of a seed.

    Raises
    ------
    AttnprobeError
        For settings, seeds or a folder that cannot be used; nothing on disk is changed then.
    """
    config = config or Config()
    wanted = check_seeds(seeds)
    threads = cores() if threads is None else threads
    if out is None:
        raise AttnprobeError("out is missing: name the run folder, for example out='runs/demo'.")
    for name, value in (("threads", threads), ("shard_size", shard_size)):
        if not isinstance(value, int) or value < 1:
            raise AttnprobeError(f"{name} = {value!r} is not allowed: it must be a whole number of 1 or more.")
    run = create_run(out, config)
    with run.writing(), shown(progress, events) as listener:
        work = portions(run, config, wanted, shard_size)
        told = Telling(listener, sum(portion.seeds.size for portion in work), config.steps)
        for portion in work:
            told.begin()
            shard = train_shard(config, portion.seeds, threads, told.progress)
            if run.config.steps == config.steps:
                run.add_shard(shard)
            else:
                run.keep(shard, config.steps)
            told.shard(shard)
        if run.config.steps < config.steps:
            run.extend(config.steps)
    return run


def train_shard(config: Config, seeds: np.ndarray, threads: int, report: Report = lambda *_: None) -> Shard:
    """Train some seeds in this process, ``threads`` at a time."""
    spec = Spec.of(config)
    weights = initial_weights(config, seeds)
    history_steps, snapshot_steps = config.history_steps, config.snapshot_steps
    losses = np.full((seeds.size, history_steps.size), np.nan)
    snapshots = np.full((seeds.size, snapshot_steps.size, weights.shape[1]), np.nan, dtype=np.float32)
    steps = np.zeros(seeds.size, dtype=np.int64)
    stop = np.zeros(1, dtype=np.int64)

    def one(i: int) -> None:
        state = State.initial(config, weights[i])._replace(step=steps[i : i + 1])
        train_seed(
            int(seeds[i]),
            spec,
            state,
            Work.on(state, spec),
            config.steps,
            history_steps,
            losses[i],
            snapshot_steps,
            snapshots[i],
            stop,
        )
        flat_weights(state, spec, weights[i])

    with ThreadPoolExecutor(threads) as pool:
        futures = [pool.submit(one, i) for i in range(seeds.size)]
        try:
            _watch(futures, steps, report)
        except BaseException:  # Ctrl-C above all: end the running seeds at their next step
            stop[0] = 1
            pool.shutdown(cancel_futures=True)
            raise
    finite = (steps == config.steps) & np.isfinite(weights).all(axis=1)
    return Shard(
        seeds=seeds,
        status=np.where(finite, Outcome.TRAINED.code, Outcome.NONFINITE.code).astype(np.uint8),
        steps=steps,
        weights=split(config, weights),
        losses=losses,
        snapshots=split(config, snapshots) if snapshot_steps.size else {},
    )


def _watch(futures: list[Future[None]], steps: np.ndarray, report: Report) -> None:
    """Report until all is done; raise what a seed raised."""
    waiting = set(futures)
    while waiting:
        done, waiting = wait(waiting, timeout=LOOK)
        for future in done:
            future.result()
        report(len(futures) - len(waiting), int(steps.sum()))
