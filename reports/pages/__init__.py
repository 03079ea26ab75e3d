"""The pages, in the order of the argument: one question a chapter, one module a page."""

from __future__ import annotations

from reports.pages.attention import ATTENTION
from reports.pages.attributions import ATTRIBUTIONS
from reports.pages.budget import BUDGET
from reports.pages.dynamics import DYNAMICS, SURVIVAL
from reports.pages.embedding import EMBEDDING
from reports.pages.errors import ERRORS
from reports.pages.explanation import EXPLANATION
from reports.pages.failed import FAILED
from reports.pages.families import FAMILIES
from reports.pages.gallery import ALL_SEEDS, GALLERY
from reports.pages.geometry import GEOMETRY
from reports.pages.interventions import INTERVENTIONS
from reports.pages.learning import LEARNING
from reports.pages.methods import DEFINITIONS, METHODS, PROVENANCE
from reports.pages.overview import EXERCISE, SUMMARY
from reports.pages.page import Chapter, Page
from reports.pages.qk_ov import QK_OV
from reports.pages.readout import READOUT
from reports.pages.rules import RULES
from reports.pages.sampled_tests import SAMPLED_TESTS
from reports.pages.silencing import SILENCING
from reports.pages.stuck import STUCK
from reports.pages.substitutions import SUBSTITUTIONS
from reports.pages.values import VALUES

__all__ = ["CHAPTERS", "PAGES", "Chapter", "Page"]

CHAPTERS: tuple[Chapter, ...] = (
    Chapter("What was asked", (SUMMARY, EXERCISE)),
    Chapter("Does it work?", (LEARNING, ERRORS)),
    Chapter("What does it look at?", (ATTENTION, GALLERY, ALL_SEEDS)),
    Chapter("What does it compute?", (QK_OV, VALUES, READOUT, RULES)),
    Chapter("Does attention explain it?", (EXPLANATION, SILENCING, INTERVENTIONS, SUBSTITUTIONS, ATTRIBUTIONS)),
    Chapter("How is it built?", (EMBEDDING, GEOMETRY)),
    Chapter("How did it get there?", (DYNAMICS, SURVIVAL)),
    Chapter("How do seeds differ?", (FAMILIES, FAILED, STUCK)),
    Chapter("How sure are we?", (BUDGET, SAMPLED_TESTS)),
    Chapter("Methods and provenance", (DEFINITIONS, METHODS, PROVENANCE)),
)

PAGES: tuple[Page, ...] = tuple(page for chapter in CHAPTERS for page in chapter.pages)
