"""What the words mean, how the numbers are made, and what made this run."""

from __future__ import annotations

import math
import shlex
import textwrap
from collections.abc import Iterator, Sequence

import numpy as np

import attnprobe
from attnprobe.config import Config
from attnprobe.foreign import KNOWN_SETTINGS
from attnprobe.seeds import spelled
from reports.facts import imported, untrained
from reports.figure import Material
from reports.pages.page import Page
from reports.sheet import Sheet
from reports.words import amount, number, plural

__all__ = ["DEFINITIONS", "METHODS", "PROVENANCE", "command"]

MOST_SHARDS = 16  # whose checksums are printed; the run folder has all
LONGEST = 160  # letters of a list of seeds
SOURCES = {  # of the ways in which the table summary makes intervals, by how its method begins
    "Wilson": "shares of seeds. Wilson 1927, doi:10.1080/01621459.1927.10502953",
    "Clopper-Pearson": "shares, exact. Clopper & Pearson 1934, doi:10.1093/biomet/26.4.404",
    "bootstrap BCa": "means over seeds. Efron 1987, doi:10.1080/01621459.1987.10478410",
    "bootstrap percentile": "means over seeds where BCa is not defined. Efron & Tibshirani 1993",
    "Student": "means over more than 5,000 seeds, where the bootstrap agrees with it",
    "order statistics": "medians: the exact interval between two ranks. David & Nagaraja 2003, section 7.1",
    "Fisher z": "rank correlations. Bonett & Wright 2000, doi:10.1007/BF02294183",
    "jackknife": "means over pairs of seeds, leaving out whole seeds. Arvesen 1969, doi:10.1214/aoms/1177697287",
    "bootstrap over seeds": "medians and correlations over pairs: whole seeds are drawn. Snijders & Borgatti 1999",
    "Kaplan-Meier": "steps until a milestone, seeds without it censored. Brookmeyer & Crowley 1982",
}


def defined(material: Material) -> str:
    """What the words are about."""
    V = material.config.vocab_size
    return f"A seed is {V} scores, {V} values and one curve: what it does with any sequence follows from these."


def _definitions(sheet: Sheet, material: Material) -> None:
    a, b = material.targets
    V, L = material.config.vocab_size, material.config.length
    rows: Sequence[Sequence[str]] = (
        ("word", "meaning"),
        (
            "seed",
            "the number of one imported network"
            if imported(material)
            else "the whole number that fixes one training run: initial weights and data",
        ),
        ("score s(d)", "of a digit d, before the softmax, in nats; free up to a shift common to all digits"),
        (
            "attention a(i)",
            "of a position i: exp s(d_i) / sum over positions of exp s(d_j); from 0 to 1, sums to 1 over a sequence",
        ),
        (
            "value v(d)",
            "one number a digit; free up to an affine map that the readout undoes. Here the gauge is fixed: "
            f"{a} has +1 and {b} has −1",
        ),
        ("pooled value z", "the sum over positions of attention times value: all that the readout sees"),
        ("readout f(z)", "the logit of “yes”: a piecewise linear curve; probability = 1 / (1 + exp(−f))"),
        ("threshold t", "a pooled value at which the sign of f changes, so that the answer changes"),
        (
            "rule weight",
            "with one threshold the answer is “yes” when the sum over digits of count(d) b(d) is above 0, "
            f"b(d) = ± exp(s(d)) (v(d) − t), scaled so that {a} has a weight of size 1",
        ),
        ("certified", f"right on every one of the {amount(V**L)} sequences; counted in whole numbers, not sampled"),
        ("accuracy", "probability of a right answer to a random sequence, every digit equally likely; exact"),
        (
            "failed",
            "not finite, or accuracy below 0.9; stuck: failed but finite. Both stay in every denominator; a seed that "
            "is not finite counts as answering “no”",
        ),
        ("margin", "the least logit in favour of the right answer over all inputs, in nats; above 0 when certified"),
        (
            "focus",
            f"expected share of attention on {a}s and {b}s over all sequences; chance is its value under uniform "
            f"attention, 2 / {V} = {number(2 / V)}; lift is focus over chance",
        ),
        (
            "silence",
            f"how much smaller a distractor's rule weight is than that of {a}, on a log scale, split into the part "
            "of a low score (attention) and the part of a value near the threshold",
        ),
        ("leave-one-out", "a position's effect: the logit less the logit without it, attention renormalised"),
        ("Shapley value", "a position's mean effect on the logit over all orders in which positions can join"),
        (
            "distractor",
            f"a digit that the rule does not name: neither {a} nor {b}{'; here there is none' if V == 2 else ''}",
        ),
        ("rank", "place of a seed among all, by probability of error, then by expected loss; 1 is best"),
    )
    sheet.table(rows, (1.15, 5.4))


def made(material: Material) -> str:
    """What is exact, what is estimated."""
    n, V, L = len(material["seeds"]), material.config.vocab_size, material.config.length
    exact = f"{math.comb(L + V - 1, V - 1):,} digit counts stand for all {amount(V**L)} sequences"
    if n == 1:
        return f"{exact}, so what the one seed does is computed exactly; how seeds vary, one seed cannot say."
    return f"{exact}, so what one seed does is computed exactly; how seeds vary is estimated from {n:,}."


def _training(material: Material) -> str:
    """How the weights came to be."""
    if imported(material):
        return (
            "Elsewhere: of how these weights were trained nothing is known here, so there are no learning curves, no "
            "snapshots and no starts to compare with. They are taken for the exercise’s network: scores q · k / "
            "sqrt(att_dim), softmax over positions without positional terms, a scalar value, Linear-ReLU-Linear, and a "
            "logit above 0 as “yes”. A file of weights does not say so itself."
        )
    return (
        "Adam on binary cross entropy, a new random batch each step. Seed s starts from the weights that torch "
        "gives after torch.manual_seed(s); its batches depend on (s, step) alone, so that a seed is the same in "
        "any company."
    )


def _methods(sheet: Sheet, material: Material) -> None:
    V, L = material.config.vocab_size, material.config.length
    sample = (
        "The imported networks are taken as a random sample of networks like them; whether they are one is not known "
        "here."
        if imported(material)
        else "The seeds of a run are taken as a random sample of all seeds."
    )
    paragraphs = (
        (
            "Exact",
            f"The network has no positions, so it sees a sequence through its digit counts alone. Each of the "
            f"{math.comb(L + V - 1, V - 1):,} count vectors stands for L! / (c_0! c_1! …) sequences, a whole number. "
            "Accuracy, error, loss and certificates are sums over all of them; attention by digit, focus and entropy "
            "are expectations over the same sequences, integrals in one variable that are exact to rounding. Weights "
            f"are float32, as {'imported' if imported(material) else 'trained'}; all that follows from them is "
            "float64. An answer that rounding could turn is counted as undecided, with a bound on the rounding error "
            "that is derived, not guessed.",
        ),
        (
            "Estimated",
            f"{sample} Brackets are 95 % intervals over whole "
            "seeds, and the table summary names the method and n of each. With many intervals, one in twenty misses "
            "what it estimates: read them one by one, not as a search for the largest.",
        ),
        (
            "Gauges",
            "Adding a constant to all scores, or changing all values by an affine map that the readout undoes, "
            "changes no answer. Seeds are compared only in what such changes leave alone, or on the scale that is "
            "fixed by the rule's two digits.",
        ),
        (
            "Drawn",
            "Thick bars are the middle half of the seeds, thin ones the middle 90 %, open dots the median: spread, "
            "not uncertainty. Lines with caps and brackets are 95 % intervals: uncertainty. Attention is drawn from 0 "
            "to 1. Where a figure draws some of the seeds its caption or a note in it says how many; the bars and all "
            "numbers are of all seeds. The two digits of the rule keep their colours throughout, other digits are "
            "grey.",
        ),
        ("Training", _training(material)),
    )
    for title, words in paragraphs:
        sheet.text(title, weight="bold")
        sheet.text(words)
        sheet.space(0.05)
    sheet.text("How the intervals of this report are made", weight="bold")
    sheet.table([("method", "of what, and source"), *_used(material)], (1.7, 4.8), size=7.5)


def _used(material: Material) -> list[tuple[str, str]]:
    """The methods that the table summary names, with their sources."""
    methods = sorted(set(material["summary"]["method"]))
    longest_first = sorted(SOURCES, key=len, reverse=True)
    found = {}
    for method in methods:
        known = next((name for name in longest_first if method.startswith(name)), None)
        if known:
            found[method] = SOURCES[known]
    return list(found.items())


def made_by(material: Material) -> str:
    """By what."""
    if imported(material):
        return (
            f"Imported with attnprobe {material.manifest.attnprobe} from the files below, which the command imports "
            "again."
        )
    return (
        f"{'Begun' if untrained(material) else 'Trained'} with attnprobe {material.manifest.attnprobe}; the command "
        "below makes the run and this report again, byte for byte."
    )


def command(material: Material) -> str:
    """The command that makes the run again: its seeds, and each setting that is not the default."""
    if imported(material):
        return _import_command(material)
    seeds = spelled(np.sort(material["seeds"]["seed"].to_numpy()))
    asked = seeds if len(seeds) <= LONGEST else "SEEDS.txt"
    parts = ["attnprobe", "study", material.path.name, "--seeds", asked]
    usual = Config()
    for name in Config.model_fields:
        value = getattr(material.config, name)
        if value != getattr(usual, name):
            parts += [f"--{name.replace('_', '-')}", *map(str, value if isinstance(value, tuple) else (value,))]
    return shlex.join(parts)


def _import_command(material: Material) -> str:
    """The command that imports the files again; their names stand in the table below it."""
    config, usual = material.config, Config()
    seeds = spelled(np.sort(material["seeds"]["seed"].to_numpy()))
    parts = [
        "attnprobe",
        "import",
        material.path.name,
        "FILES...",
        "--seeds",
        seeds if len(seeds) <= LONGEST else "...",
    ]
    for name, standard in (("rule", usual.rule), ("length", usual.length), ("steps", 0)):
        if getattr(config, name) != standard:
            parts += [f"--{name}", str(getattr(config, name))]
    return " ".join(part if part in ("FILES...", "...") else shlex.quote(part) for part in parts)


def _sources(material: Material) -> list[tuple[str, str, str]]:
    """The first of the files that imported weights came from."""
    sources = material.manifest.sources
    rows = [
        (str(source.seed), textwrap.shorten(ascii(source.name)[1:-1], 26, placeholder="…"), source.sha256)
        for source in sources[:MOST_SHARDS]
    ]
    if len(sources) > MOST_SHARDS:
        rows.append(("", f"{len(sources) - MOST_SHARDS:,} more", "run.json in the run folder has them all"))
    return [("seed", "file", "SHA-256"), *rows]


def _how_again(sheet: Sheet, material: Material) -> None:
    """The command, and what it needs."""
    sheet.text("The command", weight="bold")
    again = command(material)
    sheet.code(again)
    if imported(material):
        sheet.text(
            "FILES... are the files below in their order; options that said how to read them (such as --rename or "
            "--scale) are to be given again.",
            size=8,
        )
        sheet.table(_sources(material), (0.9, 1.5, 4.3), size=7.5)
        return
    if "SEEDS.txt" in again:
        sheet.text(f"SEEDS.txt is a text file of the {len(material['seeds']):,} seeds, one a line.", size=8)
    sheet.text(
        "It gives the same bits on the same kind of processor with the same versions of the libraries. Another kind "
        "of processor adds up in another order; compare distributions there, not bits.",
        size=8,
    )


def _provenance(sheet: Sheet, material: Material) -> None:
    _how_again(sheet, material)
    sheet.space(0.08)
    sheet.text("Settings", weight="bold")
    fields = Config.model_fields
    settings = material.config.model_dump(mode="json")
    if imported(material):  # the others say how to train, which is not known
        known = {name: settings[name] for name in KNOWN_SETTINGS}
        settings = {**known, "steps": settings["steps"] or "not known"}
    sheet.table(
        [
            ("setting", "value", "meaning"),
            *((name, _setting(value), fields[name].description or "") for name, value in settings.items()),
        ],
        (1.2, 1.2, 4.2),
        size=7.5,
    )
    made = material.manifest.made_with
    sheet.text("Made with", weight="bold")
    sheet.table(
        [
            ("attnprobe", f"{material.manifest.attnprobe} (this report: {attnprobe.__version__})"),
            ("processor", f"{made.cpu} ({made.cpu_kind}), {plural(made.cores, 'core')}, {made.system}"),
            ("Python", made.python),
            ("libraries", ", ".join(f"{name} {version}" for name, version in made.libraries.items())),
        ],
        (1.2, 5.4),
        size=7.5,
        header=False,
    )
    sheet.text("Checksums (SHA-256)", weight="bold")
    sheet.table(list(_checksums(material)), (1.2, 5.4), size=7.5, header=False)


def _checksums(material: Material) -> Iterator[tuple[str, str]]:
    """Of all weights together, and of the first files; the run folder has those of all."""
    yield "all weights", material.state
    shards = material.manifest.shards
    for shard in shards[:MOST_SHARDS]:
        yield f"shard {shard.name}", material.manifest.files[shard.file].sha256
    if len(shards) > MOST_SHARDS:
        yield "", f"{len(shards) - MOST_SHARDS:,} more shards: run.json in the run folder has them."


def _setting(value: object) -> str:
    words = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return textwrap.shorten(words, 24, placeholder="…")


DEFINITIONS = Page("What the words mean", defined, before=_definitions)
METHODS = Page("How the numbers are made", made, before=_methods)
PROVENANCE = Page("What made this run", made_by, before=_provenance)
