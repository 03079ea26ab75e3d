"""Runs at the edges of what a report can be about: few seeds, failed seeds, small and large alphabets."""

from __future__ import annotations

import numpy as np
import planted
import students
import torch

import analyses
import attnprobe as ap

TINY = {"embed_dim": 3, "att_dim": 2, "hidden": 5, "batch_size": 13, "lr": 0.01, "history": 3, "snapshots": 3}


def _trained(path, seeds, **settings) -> ap.Run:
    run = ap.train(ap.Config(**{**TINY, **settings}), seeds, path)
    analyses.write(run)
    return run


def _planted(path, networks, **settings) -> ap.Run:
    config = planted.settings(**settings)
    made = [make(config) for make in networks]
    later = config.snapshot_steps.size - 1
    ways = [[planted.perfect(config), *[network] * later] for network in made] if later >= 0 else ()
    run = planted.write(path, config, made, snapshots=ways)
    analyses.write(run)
    return run


def _written(path, networks, config) -> ap.Run:
    run = planted.write(path, config, networks)
    analyses.write(run)
    return run


def _broken(config: ap.Config) -> planted.Weights:
    return planted.broken(planted.perfect(config))


def _stressed(config: ap.Config) -> list[planted.Weights]:
    """Saturated, huge, tiny and dead; ties to the last bit; one NaN and one infinity alone."""
    good, digits = planted.perfect(config), range(config.vocab_size)
    holes = [{name: w.copy() for name, w in good.items()} for _ in range(2)]
    holes[0]["query"][:], holes[1]["nn.2.bias"][:] = np.nan, np.inf
    return [
        good,
        planted.perfect(config, score=1e3),
        planted.network(config, [-1e30 * d for d in digits], [0.5 - d for d in digits]),
        planted.perfect(config, units=((1.0, 8.0, 1.0),), bias=-8.0),
        planted.constant(config, 0.0),
        {name: w * np.float32(1e30) for name, w in good.items()},
        {name: w * np.float32(1e-42) for name, w in good.items()},
        good | {"nn.2.weight": good["nn.2.weight"] * np.float32(1e35)},
        *holes,
    ]


def _imported(path, seeds) -> ap.Run:
    """Networks that a student trained elsewhere; one of them is not finite."""
    path.parent.mkdir(parents=True, exist_ok=True)
    files = [path.parent / f"net{seed}.pt" for seed in seeds]
    for seed, file in zip(seeds, files, strict=True):
        state = students.trained(students.Renamed, seed=seed).state_dict()
        if seed == seeds[-1]:
            state["q"][:] = float("nan")
        torch.save(state, file)
    run = ap.import_weights(files, path, length=6, keep_nonfinite=True).run
    analyses.write(run)
    return run


EDGES = {
    "one seed": lambda path: _trained(path, [7], vocab_size=5, length=7, rule="n3 > n1", steps=23),
    "two seeds": lambda path: _trained(path, [5, 7], vocab_size=5, length=7, rule="n3 > n1", steps=23),
    "twenty seeds": lambda path: _trained(path, range(20), vocab_size=5, length=7, rule="n3 > n1", steps=101),
    "no steps": lambda path: _trained(path, [2, 3, 5], vocab_size=5, length=7, rule="n3 > n1", steps=0),
    "another rule": lambda path: _trained(path, [2, 3], vocab_size=8, length=5, rule="n7 > n0", steps=19),
    "two digits": lambda path: _trained(path, [2, 3, 5], vocab_size=2, length=13, rule="n1 > n0", steps=23),
    "one position": lambda path: _trained(path, [2, 3], vocab_size=5, length=1, rule="n3 > n1", steps=19),
    "long sequences": lambda path: _trained(path, [2, 3], vocab_size=2, length=63, rule="n0 > n1", steps=11),
    "many digits": lambda path: _trained(path, [2, 3], vocab_size=32, length=4, rule="n31 > n17", steps=11),
    "one dimension": lambda path: _trained(
        path, [2, 3], vocab_size=5, length=7, rule="n3 > n1", steps=11, embed_dim=1, att_dim=1, hidden=1
    ),
    "a seed that is not finite": lambda path: _planted(path, [planted.perfect, _broken, planted.constant], snapshots=4),
    "trained elsewhere": lambda path: _imported(path, [1, 2, 3, 4]),
    "no seed is finite": lambda path: _planted(path, [_broken, _broken]),
    "every seed failed": lambda path: _planted(path, [planted.constant, planted.constant, planted.constant]),
    "numbers under stress": lambda path: _written(path, _stressed(planted.settings()), planted.settings()),
    "a learning rate of 1,000": lambda path: _trained(
        path, [2, 3, 5], vocab_size=5, length=7, rule="n3 > n1", steps=23, **{"lr": 1e3}
    ),
    "every seed is perfect": lambda path: _planted(path, [planted.perfect] * 7),
}
REPORTED = (
    "one seed",
    "no steps",
    "two digits",
    "many digits",
    "a seed that is not finite",
    "no seed is finite",
    "numbers under stress",
    "trained elsewhere",
)
