"""Many seeds: shard by shard into a run folder, one seed a thread.

A finished shard is on disk; whatever stops the process, the same command goes on with the seeds that are
missing. A shard that takes long can be kept on the way: its seeds are stopped between two steps, and go on.
A seed's bits depend on its number and the config alone (and on the kind of CPU), so the size of a shard, the
number of threads, and where it was stopped are free.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from queue import Empty, SimpleQueue

import numpy as np

from attnprobe.config import Config
from attnprobe.errors import AttnprobeError, AttnprobeWarning
from attnprobe.events import Listener
from attnprobe.machine import cores, cpu_kind
from attnprobe.progress import shown
from attnprobe.seeds import check_seeds
from attnprobe.store import Run, Shard, create_run
from attnprobe.training.course import Begun, Course
from attnprobe.training.plan import portions
from attnprobe.training.telling import Telling

__all__ = ["CHECKPOINT", "Begun", "train", "train_shard"]

Report = Callable[[int, int], None]  # seeds done, seed-steps done
CHECKPOINT = 60.0  # seconds between two times that an unfinished shard is kept
LOOK = 0.1  # seconds between two looks at the progress (and at Ctrl-C)
SHORTEST = 0.001  # seconds of such a look where a round should end soon
GRACE = 0.5  # seconds that Ctrl-C waits for seeds to end at their next step


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
        Told what happens: ``progress``, ``checkpoint`` and ``shard``, see :mod:`attnprobe.events`.
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
        _note_another_machine(run, bool(work))
        told = Telling(listener, sum(portion.seeds.size for portion in work), config.steps)

        def keep(shard: Shard) -> None:
            run.keep(shard, config.steps)
            told.checkpoint(shard)

        for portion in work:
            begun = portion.left_by(run)
            told.begin(0 if begun is None else int(begun.shard.steps.sum()))
            shard = train_shard(config, portion.seeds, threads, told.progress, begun=begun, keep=keep)
            if run.config.steps == config.steps:
                run.add_shard(shard)
            else:
                run.keep(shard, config.steps)
            told.shard(shard)
        if run.config.steps < config.steps:
            run.extend(config.steps)
    return run


def _note_another_machine(run: Run, work: bool) -> None:
    """Say so where seeds join others that were trained on another kind of processor."""
    theirs, ours = run.manifest.made_with.cpu_kind, cpu_kind()
    if work and theirs != ours and (run.manifest.shards or run.manifest.unfinished):
        warnings.warn(
            f"{run.path} was begun on another kind of processor ({theirs!r}; this is {ours!r}). Seeds that are trained "
            "here are as good as the others, but not those that would come out there, bit for bit.",
            AttnprobeWarning,
            stacklevel=3,
        )


def train_shard(
    config: Config,
    seeds: np.ndarray,
    threads: int,
    report: Report = lambda *_: None,
    begun: Begun | None = None,
    keep: Callable[[Shard], None] | None = None,
    checkpoint: float = CHECKPOINT,
) -> Shard:
    """Train some seeds in this process, ``threads`` at a time.

    Parameters
    ----------
    config, seeds, threads
        What to train, distinct seeds (S,), how many at a time.
    report : callable
        Is told now and then how many of the seeds are through, and the updates done of all of them; those that had
        been begun count too.
    begun : Begun, optional
        Some or all of the seeds as they were left earlier; these go on from there, bit for bit as if they had never
        stopped. A seed whose loss was not finite stays as it is.
    keep : callable, optional
        Is given the shard, unfinished, about every ``checkpoint`` seconds: rows that were not reached are
        not-a-number, and a seed with fewer steps than ``config.steps`` whose status is "trained" is unfinished. The
        arrays change when ``keep`` has returned.
    checkpoint : float
        Seconds. Each time at least one update has been done.
    """
    course = Course(config, seeds, begun)
    while True:
        _round(course, threads, report, checkpoint if keep else math.inf)
        if keep is None or course.finished.all():
            return course.shard()
        keep(course.shard())


def _round(course: Course, threads: int, report: Report, seconds: float) -> None:
    """Let every seed that is not finished go on, until all are through, or for some seconds and at least one update.

    The threads are daemons: neither Ctrl-C nor the end of the process waits for one that is still compiling. What
    such a thread does later nobody sees.
    """
    stop, ended = np.zeros(1, dtype=np.int64), SimpleQueue[BaseException | None]()
    waiting = deque(np.flatnonzero(~course.finished).tolist())

    def work() -> None:
        try:
            while waiting and stop[0] == 0:
                with contextlib.suppress(IndexError):  # another thread took the last one
                    course.go_on(waiting.popleft(), stop)
        except BaseException as error:
            ended.put(error)
        else:
            ended.put(None)

    workers = [threading.Thread(target=work, daemon=True) for _ in range(min(threads, len(waiting)))]
    try:
        for worker in workers:
            worker.start()
        _watch(course, len(workers), ended, stop, report, seconds)
    except BaseException:  # Ctrl-C above all: end the running seeds at their next step
        stop[0] = 1
        until = time.monotonic() + GRACE
        for worker in workers:
            if worker.ident is not None:
                worker.join(max(0, until - time.monotonic()))
        raise


def _watch(
    course: Course,
    running: int,
    ended: SimpleQueue[BaseException | None],
    stop: np.ndarray,
    report: Report,
    seconds: float,
) -> None:
    """Report until all workers have ended, stop them when it is time; raise what a seed raised."""
    before, until = course.steps.sum(), time.monotonic() + seconds
    while running:
        with contextlib.suppress(Empty):
            error = ended.get(timeout=min(LOOK, max(until - time.monotonic(), SHORTEST)))
            running -= 1
            if error is not None:
                raise error
        report(int(course.finished.sum()), int(course.steps.sum()))
        if time.monotonic() >= until and course.steps.sum() > before:
            stop[0] = 1
