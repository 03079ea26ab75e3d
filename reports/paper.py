"""What pages are made on: paper in two sizes, and slides."""

from __future__ import annotations

from dataclasses import dataclass

from attnprobe.errors import unknown

__all__ = ["PAPERS", "SLIDE", "Paper", "paper"]


@dataclass(frozen=True)
class Paper:
    """A kind of page. Lengths are in inches, sizes of type in points.

    Attributes
    ----------
    name : str
    width, height : float
    side, top, foot : float
        Margins.
    heading, text, caption : float
        Sizes of type.
    least, most : float
        How far a row of axes may shrink or grow from the height that was planned for it.
    fills : bool
        Whether rows that gain nothing by growing grow all the same.
    """

    name: str
    width: float
    height: float
    side: float = 0.85
    top: float = 0.8
    foot: float = 0.75
    heading: float = 14
    text: float = 8.5
    caption: float = 8
    least: float = 0.6
    most: float = 1.3
    fills: bool = False


PAPERS = {size.name: size for size in (Paper("a4", 8.27, 11.69), Paper("letter", 8.5, 11.0))}
SLIDE = Paper(
    "slide", 8.89, 5.0, side=0.5, top=0.3, foot=0.5, heading=11.5, caption=7, least=0.4, most=2.4, fills=True
)  # 16 to 9


def paper(name: str) -> Paper:
    """The paper of that name.

    Raises
    ------
    AttnprobeError
        When there is none.
    """
    if name not in PAPERS:
        raise unknown("paper", name, PAPERS)
    return PAPERS[name]
