"""A drawn figure: laid out once, saved in any format with the same bytes each time, shown by notebooks."""

from __future__ import annotations

import io
from typing import Any

from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.figure import Figure as Canvas

from reports.finish import fit_cells
from reports.fonts import light_fonts
from reports.style import look

__all__ = ["Drawing"]

# What a file says of itself: nothing of the day, the machine or whoever drew it.
METADATA: dict[str, dict[str, Any]] = {
    "pdf": {"CreationDate": None, "Creator": "attnprobe"},
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": "attnprobe"},
}


class Drawing(Canvas):
    """A matplotlib figure in one of the styles. A notebook shows it; ``savefig`` works as for any figure.

    Attributes
    ----------
    style : str
    fine : float
        Dots an inch of its PNG.
    """

    style: str = "paper"
    fine: float = 200

    def lay_out(self) -> None:
        """Find everything its place, once for all formats: saving would do so again for each, by a draw to nowhere."""
        engine = self.get_layout_engine()
        assert engine is not None
        FigureCanvasPdf(self)  # places as the widths of letters in the PDF have them
        with look(self.style):
            dpi, self.dpi = self.dpi, FigureCanvasPdf.fixed_dpi
            engine.execute(self)
            self.dpi = dpi
            fit_cells(self)
            self.set_layout_engine(None)  # not "none", with which saving would draw to nowhere all the same

    def saved(self, kind: str) -> bytes:
        """The bytes of a file: pdf, png or svg."""
        buffer = io.BytesIO()
        with look(self.style), light_fonts():
            self.savefig(buffer, format=kind, dpi=self.fine, metadata=METADATA[kind])
        return buffer.getvalue()

    def _repr_png_(self) -> bytes:
        return self.saved("png")
