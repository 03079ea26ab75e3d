"""Measure: ``python -m benchmarks.run [--quick] [--only PART,PART] [--draw]``.

Every measurement runs in a process of its own, and rounds are interleaved (A B C A B C ...), so that a
machine that is shared or changes its clock treats all alike. Ratios are taken within a round. Raw numbers
go to ``results.json``; tables, plots and ``RESULTS.md`` are made from that file alone.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from attnprobe.machine import cores, describe
from benchmarks.cases import CONFIGS, FULL, QUICK, STEPS, Effort, scaling_steps
from benchmarks.rivals import RIVALS, available
from benchmarks.roofline import clock, vector_bits

__all__ = ["main"]

Samples = list[dict[str, Any]]
HERE = Path(__file__).parent
ROOT = HERE.parent
THREADS = min(2, cores())
PATIENCE = 900  # seconds after which a measurement counts as hung


def main() -> None:
    """Measure what is asked for, keep the rest, write results and draw."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two minutes, few repeats, into runs/bench-quick")
    parser.add_argument("--only", default=",".join(PARTS), help=f"parts to measure: {','.join(PARTS)}")
    parser.add_argument("--draw", action="store_true", help="measure nothing: make RESULTS.md from results.json")
    parser.add_argument("--out", type=Path, help="folder of results.json, RESULTS.md and plots")
    given = parser.parse_args()
    parts = [] if given.draw else given.only.split(",")
    unknown = set(parts) - set(PARTS)
    if unknown:
        parser.error(f"unknown part {', '.join(sorted(unknown))}: choose from {', '.join(PARTS)}")
    out = given.out or (ROOT / "runs" / "bench-quick" if given.quick else HERE)
    out.mkdir(parents=True, exist_ok=True)
    path = out / "results.json"
    results = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"parts": {}}
    for part in parts:
        _say(f"--- {part}")
        start = time.time()
        samples = PARTS[part](QUICK if given.quick else FULL)
        results["machine"] = {**describe(), "rivals": _rival_versions(), "clock": clock(), "vector": vector_bits()}
        results["parts"][part] = {
            "date": datetime.now(UTC).strftime("%Y-%m-%d"),
            "quick": given.quick,
            "took": round(time.time() - start),
            "load": round(os.getloadavg()[0], 2),
            "samples": samples,
        }
        path.write_text(json.dumps(_rounded(results), indent=1) + "\n", encoding="utf-8")
    from benchmarks import results as written

    written.write(results, out)
    print(f"{out / 'RESULTS.md'}")


# --- the parts -----------------------------------------------------------------------------------


def rivals(effort: Effort) -> Samples:
    """The default config: who trains how fast? The numbers of seeds that lose in round 1 are left out then."""
    jobs = []
    for name, rival in RIVALS.items():
        if not available(name):
            _say(f"{rival.title}: {rival.needs} is not installed, left out")
            continue
        steps = {"steps": STEPS} if name == "ours" else {}
        for seeds in rival.seeds:
            threads = min(rival.threads, THREADS)
            jobs.append(_train(name, {}, seeds, threads, effort.rival_seconds, **steps))
    samples = _rounds(jobs, 1)
    best = {name: max((s for s in samples if s["rival"] == name), key=_rate) for name in RIVALS if available(name)}
    jobs = [_again(sample) for sample in best.values()]
    return samples + _rounds(jobs, effort.rival_rounds - 1, first=1)


def configs(effort: Effort) -> Samples:
    """A dozen configurations, ours and the plain kernel."""
    jobs = [
        _train(name, CONFIGS[title], 64, THREADS, effort.seconds, title=title)
        for title in effort.configs
        for name in ("ours", "plain_kernel")
    ]
    samples = _rounds(jobs, 1)
    return samples + _rounds([_again(sample) for sample in samples], effort.rounds - 1, first=1)


def scaling(effort: Effort) -> Samples:
    """Ours over the number of seeds, on one thread and on two."""
    jobs = [
        _train("ours", {}, seeds, threads, effort.seconds, steps=scaling_steps(seeds))
        for seeds in effort.seeds
        for threads in sorted({1, THREADS})
    ]
    return _rounds(jobs, effort.rounds)


def compiling(effort: Effort) -> Samples:
    """From an empty cache, and from the cache that this leaves."""
    samples = []
    for round_ in range(effort.rounds):
        with tempfile.TemporaryDirectory() as cache:
            for state in ("cold", "warm"):
                job = {"kind": "compile", "state": state, "threads": THREADS}
                samples.append({**job, "round": round_, **_child(job, NUMBA_CACHE_DIR=cache)})
    return samples


def accuracy(effort: Effort) -> Samples:
    """Exact accuracy of trained seeds, on one core."""
    job = {"kind": "accuracy", "threads": 1, "settings": {"seeds": 512, "steps": effort.study_steps // 4}}
    return _listed(job, effort.rounds)


def stages(effort: Effort) -> Samples:
    """Cost of each stage of a step."""
    return _listed({"kind": "stages", "threads": 1, "settings": {"seconds": effort.rival_seconds}}, effort.rounds)


def analyses(effort: Effort) -> Samples:
    """Cost of each table, on all threads."""
    size = {"seeds": effort.study_seeds, "steps": effort.study_steps}
    return _listed({"kind": "analyses", "threads": THREADS, "settings": size}, 1)


def study(effort: Effort) -> Samples:
    """The whole command, launch to PDF, with ten times as many seeds too, after a tiny one that compiles."""
    from benchmarks.study import measure

    measure(2, 20)
    sizes = [{"seeds": n * effort.study_seeds, "steps": effort.study_steps} for n in (1, 10)]
    return [{**size, "round": 0, **measure(**size)} for size in sizes]


PARTS: dict[str, Callable[[Effort], Samples]] = {
    "rivals": rivals,
    "configs": configs,
    "scaling": scaling,
    "compile": compiling,
    "accuracy": accuracy,
    "stages": stages,
    "analyses": analyses,
    "study": study,
}


# --- how a measurement is made ---------------------------------------------------------------------


def _train(rival: str, config: dict[str, Any], seeds: int, threads: int, seconds: float, **more: Any) -> dict[str, Any]:
    job = {"kind": "train", "rival": rival, "config": config, "seeds": seeds, "threads": threads}
    return {**job, "seconds": seconds, "max_steps": STEPS, **more}


def _again(sample: dict[str, Any]) -> dict[str, Any]:
    """The job of a sample once more, with the number of steps that was found for it."""
    names = ("kind", "rival", "config", "seeds", "threads", "max_steps", "title", "steps")
    return {name: sample[name] for name in names if name in sample} | {"seconds": sample["asked_seconds"]}


def _rounds(jobs: Samples, rounds: int, first: int = 0) -> Samples:
    """Each job once a round, all jobs before the next round."""
    samples = []
    for round_ in range(first, first + rounds):
        for job in jobs:
            sample = {**job, "asked_seconds": job["seconds"], "round": round_, **_child(job)}
            samples.append(sample)
            size = f"{job['seeds']:5d} seeds on {job['threads']}"
            _say(f"round {round_ + 1}  {job['rival']:13s} {size}  {sample['rate']:12,.0f}  {job.get('title', '')}")
    return samples


def _listed(job: dict[str, Any], rounds: int) -> Samples:
    """A job that answers with a list, one row each."""
    return [{**row, "round": round_} for round_ in range(rounds) for row in _child(job)]


def _child(job: dict[str, Any], **environment: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.measure", json.dumps(job)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | environment,
        timeout=PATIENCE,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(f"{job} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def _rate(sample: dict[str, Any]) -> float:
    return float(sample["rate"])


def _rival_versions() -> dict[str, str]:
    return {name: metadata.version(name) for name in ("jax", "jaxlib") if available("jax_scan")}


def _rounded(value: Any) -> Any:
    """Five significant digits are more than a timing has."""
    if isinstance(value, float):
        return float(f"{value:.5g}")
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list) else value


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
