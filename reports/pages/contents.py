"""The argument in one page: every finding of the report as a sentence, with its page."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

from reports.figure import Material
from reports.pages.page import Chapter, Page
from reports.sheet import Sheet

__all__ = ["CONTENTS", "Entry", "contents", "entries"]

CONTENTS = 2  # the page of contents
ABOVE, BELOW = 0.07, 0.05  # room above a chapter's title, and less than usual below it, in inches
SIZES = (8.5, 8, 7.5, 7, 6.5)  # of type: the largest with which all findings fit


class Entry(NamedTuple):
    """A page, where it stands and what it found."""

    chapter: str  # with its number
    page: Page
    number: int
    finding: str


def entries(chapters: Sequence[Chapter], material: Material, listed: bool = True) -> list[Entry]:
    """All pages in their order with their findings, and with numbers that leave out the page that lists them."""
    pages = [(f"{k} · {chapter.title}", page) for k, chapter in enumerate(chapters, start=1) for page in chapter.pages]
    numbers = (number for number in itertools.count(1) if number != CONTENTS or not listed)
    return [
        Entry(chapter, page, number, page.finding(material))
        for (chapter, page), number in zip(pages, numbers, strict=False)  # numbers have no end
    ]


def contents(sheet: Sheet, listed: Sequence[Entry]) -> None:
    """Fill a sheet with the findings by chapter, each linked to its page."""
    sheet.heading("", "The argument", "What this report says, page by page.")
    size = next((size for size in SIZES if _height(sheet, listed, size) <= sheet.left), SIZES[-1])
    chapter = ""
    for entry in listed:
        if entry.chapter != chapter:
            chapter = entry.chapter
            sheet.space(ABOVE)
            sheet.text(chapter, size=size, weight="bold")
            sheet.space(-BELOW)
        sheet.entry(entry.finding, entry.number, size)
    sheet.close()


def _height(sheet: Sheet, listed: Sequence[Entry], size: float) -> float:
    """What they take, in inches."""
    chapters = len({entry.chapter for entry in listed})
    lines = sum(sheet.lines(entry.finding, size) for entry in listed)
    return (chapters + lines) * sheet.leading(size) + (0.08 + ABOVE - BELOW) * chapters + 0.045 * len(listed)
