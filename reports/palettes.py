"""The colours of each style: what a colour says is the same in all of them, how it looks depends on the ground."""

from __future__ import annotations

from dataclasses import dataclass

import matplotlib as mpl
from matplotlib.colors import Colormap, LinearSegmentedColormap

__all__ = ["DARK", "PAPER", "Maps", "Palette", "Tints"]


@dataclass(frozen=True)
class Tints:
    """Single colours, each named for what it says."""

    paper: str  # the ground
    ink: str  # lines and text
    muted: str  # small print
    pale: str  # lines and areas that should not be noticed first
    faint: str  # digits in cells without a value
    blank: str  # cells without a value
    grid: str
    chance: str  # what somebody who knows nothing would reach
    first: str  # the digit that speaks for "yes"
    second: str  # the digit that speaks against
    distractor: str  # the other digits, and whatever stands for neither side
    first_text: str  # the same three where they are letters, which need more contrast than marks
    second_text: str
    distractor_text: str
    failed: str  # seeds that failed
    certified: str  # seeds that are right on every input
    red: str  # the exercise asks for red 2s and 4s
    sky: str  # four more, for kinds of solution and for methods
    violet: str
    orange: str
    brown: str


@dataclass(frozen=True)
class Maps:
    """Scales from number to colour."""

    attention: Colormap  # 0 is the ground
    diverging: Colormap  # from the second digit's colour through the ground to the first's
    sequential: Colormap
    raw: Colormap  # diverging; values before their sign is fixed, hence not in the two digits' colours


@dataclass(frozen=True)
class Palette:
    """All colours of a style."""

    tints: Tints
    maps: Maps


def _map(name: str, blank: str, *colours: str) -> Colormap:
    return LinearSegmentedColormap.from_list(name, colours).with_extremes(bad=blank)


_LIGHT = Tints(
    paper="#FFFFFF",
    ink="#1A1A1A",
    muted="#595959",
    pale="#BFBFBF",
    faint="#6B6B6B",
    blank="#EDEDED",
    grid="#E6E6E6",
    chance="#000000",
    first="#D55E00",
    second="#005A96",
    distractor="#A0A0A0",
    first_text="#BF5400",
    second_text="#005A96",
    distractor_text="#6B6B6B",
    failed="#BA5790",
    certified="#027E5C",
    red="#C00000",
    sky="#2B8DC7",
    violet="#6C439E",
    orange="#D79410",
    brown="#875D0E",
)
_NIGHT = Tints(
    paper="#14171C",
    ink="#E8E8E8",
    muted="#A6ACB5",
    pale="#5A616B",
    faint="#9AA1AB",
    blank="#242930",
    grid="#2B3038",
    chance="#FFFFFF",
    first="#FF9048",
    second="#3F97E0",
    distractor="#6C7179",
    first_text="#FF9048",
    second_text="#3F97E0",
    distractor_text="#A6ACB5",
    failed="#A47AA6",
    certified="#33C79A",
    red="#FF9C9C",
    sky="#98B4EB",
    violet="#9E77E9",
    orange="#FFC95C",
    brown="#BC822E",
)

PAPER = Palette(
    _LIGHT,
    Maps(
        attention=_map("attention", _LIGHT.blank, _LIGHT.paper, "#4D4D4D"),
        diverging=_map("second_to_first", _LIGHT.blank, _LIGHT.second, _LIGHT.paper, _LIGHT.first),
        sequential=_map("sequential", _LIGHT.blank, "#FFF7E6", "#E69F00", "#5B2C00"),
        raw=mpl.colormaps["PRGn"].with_extremes(bad=_LIGHT.blank),
    ),
)
DARK = Palette(
    _NIGHT,
    Maps(
        attention=_map("attention", _NIGHT.blank, _NIGHT.paper, "#D9D9D9"),
        diverging=_map("second_to_first", _NIGHT.blank, _NIGHT.second, _NIGHT.paper, _NIGHT.first),
        sequential=_map("sequential", _NIGHT.blank, "#2A1E12", "#C07A00", "#FFE9C2"),
        raw=_map("raw", _NIGHT.blank, "#B98BD0", _NIGHT.paper, "#6FBF73"),
    ),
)
