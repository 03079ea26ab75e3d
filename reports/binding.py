"""Pages bound into a document: a title, bookmarks, links from the contents."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import NamedTuple

from pypdf import PdfReader, PdfWriter
from pypdf.annotations import Link as Annotation
from pypdf.generic import (
    ArrayObject,
    BooleanObject,
    DictionaryObject,
    Fit,
    IndirectObject,
    NameObject,
    TextStringObject,
)

from reports.sheet import Link

__all__ = ["Mark", "bound"]


class Mark(NamedTuple):
    """A bookmark: where it stands in the argument, what it says and the number of its page."""

    chapter: str
    title: str
    page: int


def bound(pages: bytes, title: str, marks: Sequence[Mark], links: Sequence[tuple[int, Link]]) -> bytes:
    """The same pages with a title, bookmarks by chapter and page, links; identical input, identical bytes."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pages)))
    writer.metadata = {"/Title": title, "/Creator": "attnprobe", "/Producer": "matplotlib, pypdf"}
    root = writer.root_object
    root[NameObject("/Lang")] = TextStringObject("en")
    root[NameObject("/PageMode")] = NameObject("/UseOutlines")
    root[NameObject("/ViewerPreferences")] = DictionaryObject({NameObject("/DisplayDocTitle"): BooleanObject(True)})
    chapters: dict[str, IndirectObject] = {}
    for mark in marks:
        if mark.chapter not in chapters:
            chapters[mark.chapter] = writer.add_outline_item(title=mark.chapter, page_number=mark.page - 1)
        writer.add_outline_item(title=mark.title, page_number=mark.page - 1, parent=chapters[mark.chapter])
    for page, link in links:
        annotation = Annotation(rect=link.box, target_page_index=link.page - 1, fit=Fit.fit())
        annotation[NameObject("/Border")] = ArrayObject()
        writer.add_annotation(page_number=page - 1, annotation=annotation)
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()
