"""What a condition is made of. Every node knows the part of the text that it stands for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Both", "Column", "Compare", "Constant", "Either", "Member", "Node", "Not", "Operation", "Sign", "walk"]

Span = tuple[int, int]  # of the text: from this character up to that one


@dataclass(frozen=True)
class Column:
    """The values of a column."""

    name: str
    span: Span


@dataclass(frozen=True)
class Constant:
    """A number, a text, True or False. Whole numbers fit into 64 bits."""

    value: bool | int | float | str
    span: Span


@dataclass(frozen=True)
class Sign:
    """Plus or minus before a number."""

    sign: str
    operand: Node
    span: Span


@dataclass(frozen=True)
class Operation:
    """Arithmetic of one rank, from left to right: first, then (operator, operand) each in turn."""

    first: Node
    rest: tuple[tuple[str, Node], ...]
    span: Span


@dataclass(frozen=True)
class Compare:
    """``a < b <= c``: each neighbouring pair is compared, and all must hold."""

    first: Node
    rest: tuple[tuple[str, Node], ...]
    span: Span


@dataclass(frozen=True)
class Member:
    """Whether a value is one of a list of constants of one kind (or none of it)."""

    operand: Node
    values: tuple[Constant, ...]
    absent: bool
    span: Span


@dataclass(frozen=True)
class Not:
    """The opposite."""

    operand: Node
    span: Span


@dataclass(frozen=True)
class Both:
    """All of them hold."""

    parts: tuple[Node, ...]
    span: Span


@dataclass(frozen=True)
class Either:
    """One of them holds at least."""

    parts: tuple[Node, ...]
    span: Span


Node = Column | Constant | Sign | Operation | Compare | Member | Not | Both | Either


def walk(node: Node) -> Iterator[Node]:
    """A node and all below it, in the order of the text."""
    yield node
    for child in children(node):
        yield from walk(child)


def children(node: Node) -> tuple[Node, ...]:
    """The nodes right below, in the order of the text."""
    if isinstance(node, Sign | Not | Member):
        return (node.operand,)
    if isinstance(node, Operation | Compare):
        return (node.first, *(operand for _, operand in node.rest))
    if isinstance(node, Both | Either):
        return node.parts
    return ()
