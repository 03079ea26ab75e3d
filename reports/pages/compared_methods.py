"""How the intervals of a comparison are made, and what made its runs."""

from __future__ import annotations

import shlex

from reports.comparison import of
from reports.figure import Material
from reports.pages.methods import command
from reports.pages.page import Page
from reports.sheet import Sheet

__all__ = ["methods_pages"]

METHODS = (
    (
        "Shares",
        "Wilson's intervals of both shares, combined to Newcombe's hybrid score interval (method 10; Newcombe 1998, "
        "Statistics in Medicine 17, 873, and 2635 for paired shares).",
    ),
    (
        "Means",
        "Student's t: Welch's where no seed is shared, the paired one where all are, and between otherwise (Derrick et "
        "al. 2017, doi:10.22237/jmasm/1493597280).",
    ),
    (
        "Medians",
        "Percentile bootstrap of whole seeds; a shared seed is drawn for both runs at once (Efron 1979, "
        "doi:10.1214/aos/1176344552).",
    ),
    (
        "Probability",
        "P(X > Y) + P(X = Y) / 2 of two independent random seeds, called probability of improvement where higher is "
        "better (Agarwal et al. 2021, arXiv:2108.13264). Interval on the logit scale from the variance of DeLong et "
        "al. 1988 (doi:10.2307/2531595) with the covariance of shared seeds (Konietschko et al. 2012, "
        "doi:10.1016/j.csda.2011.03.022); of a share it is (1 + difference) / 2. Twice it less 1 is Cliff's delta.",
    ),
    (
        "Paired",
        "A seed's number fixes its initial weights, given the sizes of the network, and its data, given alphabet and "
        "length. Seeds that both runs have are taken together where one of these is the same. That changes intervals, "
        "never estimates; seeds that one run alone has count as well.",
    ),
    (
        "Steps",
        "Both runs are looked at at the same steps. A seed that is not above 0.999 at any of them counts with the last "
        "(restricted mean; Royston & Parmar 2013, doi:10.1186/1471-2288-13-152).",
    ),
    (
        "Not compared",
        "With another alphabet or length the inputs and the levels of chance are others: accuracy, errors, loss, focus "
        "and entropy mean something else there, and no difference is given. Lift and the share of certified seeds are "
        "compared. Another pair of target digits is the same question under other names.",
    ),
    (
        "Not finite",
        "Seeds whose training became not finite stay in the shares, as failed and not certified; their loss is worse "
        "than any. What has no value for a seed is left out of that measure, and counted.",
    ),
)


def finding(material: Material) -> str:
    """Where the numbers of this comparison come from."""
    methods = of(material)["comparison"].query("compared")["method"]
    paired = int(methods.str.endswith(", paired").sum())
    return f"{paired} of {len(methods)} differences take shared seeds together; what a seed does is exact."


def _methods(sheet: Sheet, material: Material) -> None:
    for title, words in METHODS:
        sheet.text(title, weight="bold", size=8)
        sheet.space(-0.05)
        sheet.text(words, size=8)


def again(material: Material) -> str:
    """What it takes to have this comparison again."""
    return f"{len(of(material).names)} commands make these runs again, and one more this comparison."


def _again(sheet: Sheet, material: Material) -> None:
    sides = of(material).sides
    sheet.text("The runs and this comparison again", weight="bold")
    for name, side in sides.items():
        sheet.text(
            f"{name}: made with attnprobe {side.manifest.attnprobe}, {side.manifest.made_with.cpu_kind}; weights "
            f"{side.state[:16]}",
            size=7,
        )
        sheet.space(-0.07)
        sheet.code(command(side), size=6.5)
        sheet.space(-0.05)
    sheet.code(f"attnprobe compare {' '.join(shlex.quote(side.path.name) for side in sides.values())}", size=7)


def methods_pages(few: bool) -> tuple[Page, ...]:
    """Methods and provenance: together where there are few runs."""
    if few:
        return (Page("Methods and provenance", finding, before=_methods, after=_again),)
    return Page("Methods", finding, before=_methods), Page("Provenance", again, before=_again)
