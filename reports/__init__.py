"""One figure a module, drawn from tables; the pages; the PDF; the exercise's own plot.

reports.plot(model, 8, traj)     the exercise's three panels
reports.write(run)               report.pdf, and figures/NAME.{pdf,png,csv}
reports.figures()                the figures by name; each has draw(table, ax)
reports.draw(run, "focus")       one of them, shown by a notebook
reports.show(run, "2224401357")  attention maps of any sequences in any seeds
reports.compare([run, other])    a comparison: tables, figures side by side, comparison.pdf
"""

from __future__ import annotations

from typing import Any

from reports.document import draw, figures, write
from reports.exercise import plot
from reports.shown import show

__all__ = ["compare", "draw", "figures", "plot", "show", "write"]


def __getattr__(name: str) -> Any:
    if name == "compare":  # loaded when asked for: it makes tables, and a report only draws them
        from reports.compared import compare

        return compare
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
