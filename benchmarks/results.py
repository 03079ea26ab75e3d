"""From ``results.json`` to ``RESULTS.md`` and the plots: nothing is measured here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

from attnprobe.config import Config
from benchmarks import plots
from benchmarks.rivals import RIVALS
from benchmarks.roofline import bound
from benchmarks.samples import Samples, best_of, samples_of, stage_costs

__all__ = ["markdown", "spread", "write"]

COMPARED = ("ours", "plain_kernel")


def write(results: dict[str, Any], out: Path) -> None:
    """Write RESULTS.md and the plots into ``out``."""
    (out / "RESULTS.md").write_text(markdown(results, plots.draw(results, out)), encoding="utf-8")


def markdown(results: dict[str, Any], pictures: Mapping[str, str]) -> str:
    """The whole page."""
    text = ["# How fast is training?", ""]
    text += ["Made by `make bench` (`python -m benchmarks.run`); raw numbers are in `results.json`.", ""]
    text += _machine(results)
    sections: dict[str, Callable[[dict[str, Any]], list[str]]] = {
        "rivals": _rivals,
        "configs": _configs,
        "scaling": _scaling,
        "compile": _compile,
        "stages": _stages,
        "accuracy": _accuracy,
        "analyses": _analyses,
        "study": _study,
    }
    for part, section in sections.items():
        if samples_of(results, part):
            text += section(results)
            text += [f"![{part}]({pictures[part]})", ""] if part in pictures else []
    if samples_of(results, "scaling"):
        text += _roofline(results)
    return "\n".join(text)


# --- sections -------------------------------------------------------------------------------------


def _machine(results: dict[str, Any]) -> list[str]:
    machine = results["machine"]
    versions = {"python": machine["python"], **machine["libraries"], **machine["rivals"]}
    dates = sorted({part["date"] for part in results["parts"].values()})
    lines = [
        f"- Machine: {machine['cpu']} ({machine['cpu_kind']}), {machine['cores']} cores, "
        f"{machine['clock']:.2f} GHz under load, {machine['vector']}-bit vectors, {machine['system']}",
        f"- Versions: {', '.join(f'{name} {version}' for name, version in versions.items())}",
        f"- Date: {' and '.join(dates)}",
        "- Every measurement is a process of its own; rounds are interleaved (A B C A B C ...). Numbers are medians, "
        "brackets are the smallest and largest of the rounds; ratios are taken within a round.",
    ]
    busy = [s["busy"] for part in ("rivals", "scaling") for s in samples_of(results, part) if _fills_the_cores(s)]
    if busy:
        lines.append(f"- How idle the machine was: our own training got {median(busy):.0%} of its cores' time.")
    if any(part["quick"] for part in results["parts"].values()):
        lines.append("- **A quick run: few and short measurements, for a look only.**")
    return [*lines, ""]


def _rivals(results: dict[str, Any]) -> list[str]:
    samples = samples_of(results, "rivals")
    ours = best_of(samples, "ours")
    rows = []
    for name, rival in RIVALS.items():
        best = best_of(samples, name)
        if not best:
            continue
        pairs = zip(ours, best, strict=True)
        last = best[-1]
        rows.append(
            [
                rival.title,
                last["seeds"],
                last["threads"],
                f"{last['steps']:,}",
                spread(s["rate"] for s in best),
                "" if name == "ours" else spread(a["rate"] / b["rate"] for a, b in pairs),
                f"{median(s['memory'] for s in best):,.0f} MB",
                f"{median(s['loss'] for s in best):.3f}",
            ]
        )
    text = (
        "The default config (batch 500, 200 hidden units), averaged over the whole training run, steps 0 to 20,000. "
        "A rival whose step costs the same early and late is timed over fewer steps; where several numbers of seeds "
        "at once were tried, the fastest counts. Compiling is not timed. Memory is the peak of the whole process, "
        "libraries included. The loss (mean over the last tenth of the steps) shows that it trains."
    )
    head = ["way to train", "seeds", "threads", "steps", "seed-steps per second", "ours is faster by", "memory", "loss"]
    return ["## Ways to train", "", text, "", *_table(head, rows)]


def _configs(results: dict[str, Any]) -> list[str]:
    samples = samples_of(results, "configs")
    rows = []
    for title in dict.fromkeys(s["title"] for s in samples):
        ours, plain = ([s for s in samples if s["title"] == title and s["rival"] == name] for name in COMPARED)
        config = Config(**ours[0]["config"])
        rate = median(s["rate"] for s in ours)
        rows.append(
            [
                title,
                f"{ours[0]['steps']:,}",
                spread(s["rate"] for s in ours),
                _nice(1e9 * ours[0]["threads"] / (rate * config.batch_size)),
                spread(s["rate"] for s in plain),
                spread(a["rate"] / b["rate"] for a, b in zip(ours, plain, strict=True)),
                f"{median(s['memory'] for s in ours):,.0f} MB",
            ]
        )
    text = (
        "What differs from the default is named; 64 seeds, all threads. Slow configurations are timed over their first "
        "steps only. Cost is per sequence and core. The last column compares with the plain numba kernel. "
        "What differs is explained by what a step has to do: digits beyond ten take another pass over every row for "
        "each ten more; 64 and more dimensions make scores and values a real matrix product; many hidden units cost "
        "their own update by Adam, not more a sequence; with few distinct pooled values (vocabulary 2, length 1) "
        "additions to the same place of the histogram wait for each other; small batches pay the part of a step "
        "that does not depend on the batch."
    )
    head = ["config", "steps", "seed-steps per second", "ns a sequence", "plain kernel", "faster by", "memory"]
    return ["## Configurations", "", text, "", *_table(head, rows)]


def _scaling(results: dict[str, Any]) -> list[str]:
    samples = samples_of(results, "scaling")
    counts, threads = (sorted({s[name] for s in samples}) for name in ("seeds", "threads"))
    at = {(n, t): [s for s in samples if s["seeds"] == n and s["threads"] == t] for n in counts for t in threads}
    rows = []
    for n in counts:
        row = [f"{n:,}", f"{at[n, threads[0]][0]['steps']:,}", *(spread(s["rate"] for s in at[n, t]) for t in threads)]
        if len(threads) > 1:
            row.append(spread(b["rate"] / a["rate"] for a, b in zip(*(at[n, t] for t in threads), strict=True)))
        rows.append([*row, f"{_peak(at[n, threads[-1]]):,.0f} MB"])
    head = ["seeds", "steps", *(f"{t} thread{'s' * (t > 1)}" for t in threads)]
    head += [f"{threads[-1]} threads against 1"] * (len(threads) > 1) + ["memory"]
    few, many = counts[-2:]
    growth = 1e3 * (_peak(at[many, threads[-1]]) - _peak(at[few, threads[-1]])) / (many - few)
    text = (
        "Ours, over the number of seeds that one call trains; seed-steps per second. Many seeds take fewer steps. "
        f"From {few:,} to {many:,} seeds the peak of memory grows by **{growth:,.0f} kB a seed** "
        "(weights, recorded losses and the snapshots of the weights; a run folder is written shard by shard, so "
        "there memory does not grow with the number of seeds)."
    )
    return ["## Number of seeds and threads", "", text, "", *_table(head, rows)]


def _compile(results: dict[str, Any]) -> list[str]:
    samples = samples_of(results, "compile")
    rows = [
        [state, *(spread(s[name] for s in samples if s["state"] == state) for name in ("compile", "imports"))]
        for state in ("cold", "warm")
    ]
    text = "Seconds that the first call takes longer than the second: cold with an empty cache, warm from that cache."
    return ["## Compile time", "", text, "", *_table(["cache", "compile, s", "imports before it, s"], rows)]


def _stages(results: dict[str, Any]) -> list[str]:
    cost = stage_costs(results)
    total = sum(cost.values())
    rows = [[stage, f"{time:.3f}", f"{time / total:.0%}"] for stage, time in cost.items()]
    rows.append(["sum", f"{total:.3f}", ""])
    text = "Microseconds of one step of the default config on one core."
    return ["## Cost by stage", "", text, "", *_table(["stage", "µs a step", "share"], rows)]


def _accuracy(results: dict[str, Any]) -> list[str]:
    samples = samples_of(results, "accuracy")
    ways = dict.fromkeys(s["way"] for s in samples)
    rows = [[way, spread(s["milliseconds"] for s in samples if s["way"] == way)] for way in ways]
    text = "Over all 10^10 inputs of the default task, by their 92,378 counts; trained seeds, one core."
    return ["## Exact accuracy", "", text, "", *_table(["way", "ms a seed"], rows)]


def _analyses(results: dict[str, Any]) -> list[str]:
    samples = samples_of(results, "analyses")
    seeds = samples[0]["seeds"]
    tables = dict.fromkeys(s["table"] for s in samples)
    rounds = sorted({s["round"] for s in samples})
    rows = []
    for table in tables:
        of_table = [s for s in samples if s["table"] == table]
        times = [s["seconds"] for s in of_table]
        rows.append([f"`{table}`", f"{of_table[0]['rows']:,}", spread(times), spread(1e3 * t / seeds for t in times)])
    totals = [sum(s["seconds"] for s in samples if s["round"] == round_) for round_ in rounds]
    rows.append(["all", "", spread(totals), spread(1e3 * t / seeds for t in totals)])
    text = (
        f"Each table of a run of {seeds:,} trained seeds, computed and written in the order in which they need each "
        f"other, on all threads, everything compiled before. The process, which trained the run too, peaks at "
        f"{max(s['memory'] for s in samples):,.0f} MB."
    )
    return ["## Analyses", "", text, "", *_table(["table", "rows", "seconds", "ms a seed"], rows)]


def _study(results: dict[str, Any]) -> list[str]:
    samples = samples_of(results, "study")
    names = {
        "launch": "launch: imports, settings, folder",
        "training": "training, shards on disk",
        "tables": "tables",
        "report": "figures and PDF",
        "exit": "exit",
    }
    rows = [[words, *(f"{sample['phases'][name]:.1f}" for sample in samples)] for name, words in names.items()]
    rows.append(["from launch to the end", *(f"{sample['seconds']:.1f}" for sample in samples)])
    rows.append(["peak of the largest process, MB", *(f"{sample['memory']:,.0f}" for sample in samples)])
    rows.append(["run folder, MB", *(f"{sample['disk']:,.0f}" for sample in samples)])
    text = (
        f"`attnprobe study` with {samples[0]['steps']:,} steps a seed, in a new folder, with a warm compile cache; in "
        f"seconds. Training to disk runs at {samples[0]['rate']:,.0f} seed-steps per second. Figures are drawn by as "
        "many processes as there are cores (4 at most), each no larger than the peak."
    )
    return ["## A whole study", "", text, "", *_table(["phase", *(f"{s['seeds']:,} seeds" for s in samples)], rows)]


def _roofline(results: dict[str, Any]) -> list[str]:
    machine, samples = results["machine"], samples_of(results, "scaling")
    one = [s for s in samples if s["threads"] == 1 and s["steps"] == max(s["steps"] for s in samples)]
    step = 1e6 / median(s["rate"] for s in one)
    roofs = bound(Config(), machine["clock"], machine["vector"])
    bounded = "arithmetic" if roofs.arithmetic > roofs.access else "loads and stores"
    clock, bits = machine["clock"], machine["vector"]
    text = (
        f"A step of the default config takes {step:.2f} µs on one core. Counted by hand (`benchmarks/roofline.py`), "
        f"a core at {clock:.2f} GHz with {bits}-bit vectors needs at least {roofs.arithmetic:.2f} µs for its "
        f"arithmetic and {roofs.access:.2f} µs for its loads and stores. A seed's state stays in the first cache: "
        f"main memory bounds nothing, and neither does a second seed on the other core. So {bounded} would bound a "
        f"perfect kernel, and this one reaches {roofs.time / step:.0%} of that roof (a factor of "
        f"{step / roofs.time:.1f}). The rest is latency: the branch that walks up from a cell's first kink (foreseen "
        "wrongly some 20 times a step), additions to one place of the histogram that wait for each other, and a "
        "chain of short sums from the residuals over the gradient and Adam to the next step's scores, which takes "
        "about 1 µs whatever the batch (compare the configuration with a batch of 32)."
    )
    return ["## How far from the roof?", "", text, ""]


# --- helpers --------------------------------------------------------------------------------------


def _fills_the_cores(sample: dict[str, Any]) -> bool:
    return sample["rival"] == "ours" and sample["seeds"] >= 16


def spread(values: Iterable[float]) -> str:
    """Median and range."""
    found = sorted(values)
    middle = _nice(median(found))
    return middle if len(found) == 1 else f"{middle} [{_nice(found[0])}, {_nice(found[-1])}]"


def _peak(samples: Samples) -> float:
    return median(s["memory"] for s in samples)


def _nice(x: float) -> str:
    """Three significant digits, no exponents."""
    rounded = float(f"{x:.3g}")
    return f"{rounded:,.0f}" if abs(rounded) >= 100 else f"{rounded:.3g}"


def _table(head: list[str], rows: Iterable[Iterable[object]]) -> list[str]:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return [*("| " + " | ".join(map(str, line)) + " |" for line in lines), ""]
