"""How a report is to be drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from attnprobe.errors import AttnprobeError, unknown
from reports.paper import paper
from reports.style import style_named

__all__ = ["DEFAULT", "FORMATS", "Options"]

FORMATS = ("pdf", "png", "svg")


@dataclass(frozen=True)
class Options:
    """How figures and pages are drawn.

    Attributes
    ----------
    formats : sequence of str
        Of each figure's files, among ``pdf``, ``png`` and ``svg``; its CSV comes with them.
    style : str
        ``paper``, ``slides`` or ``dark``.
    paper : str
        ``a4`` or ``letter``: the size of the report's pages.

    Raises
    ------
    AttnprobeError
        When there is no such format, style or paper.
    """

    formats: Sequence[str] = ("pdf", "png")
    style: str = "paper"
    paper: str = "a4"

    def __post_init__(self) -> None:
        style_named(self.style)
        paper(self.paper)
        if not self.formats:
            raise AttnprobeError(f"No format was asked for. There are: {', '.join(FORMATS)}.")
        for kind in self.formats:
            if kind not in FORMATS:
                raise unknown("format", kind, FORMATS)

    @property
    def document(self) -> str:
        """The name of the document: the report, or a deck of slides."""
        return {"paper": "report.pdf", "slides": "slides.pdf"}.get(self.style, f"report-{self.style}.pdf")

    @property
    def folder(self) -> str:
        """The folder of the figures: those of another style do not overwrite the ones on paper."""
        return "figures" if self.style == "paper" else f"figures/{self.style}"


DEFAULT = Options()
