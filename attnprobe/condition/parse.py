"""From text to a checked tree: a tokenizer and a parser by rank, both linear in the length of the text.

Ranks, from loose to tight, as in pandas (where ``&`` and ``|`` bind as ``and`` and ``or`` do)::

    or |      and &      not      < <= > >= == != in, not in      + -      * / // %      - + ~ before      **

No call here goes deeper than ``MOST_DEEP``, and every limit is checked before anything is built.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from attnprobe.condition.tree import (
    Both,
    Column,
    Compare,
    Constant,
    Either,
    Member,
    Node,
    Not,
    Operation,
    Sign,
    Span,
)
from attnprobe.condition.words import refused
from attnprobe.errors import AttnprobeError, shown

__all__ = ["MOST_CHARACTERS", "MOST_DEEP", "MOST_OPERATIONS", "parse"]

MOST_CHARACTERS = 100_000
MOST_DEEP = 100  # parentheses and operators within one another
MOST_OPERATIONS = 200  # operators; the items of a list do not count
MOST_DIGITS = 100  # characters of one number
LARGEST = 2**63 - 1

OR, AND, NOT, COMPARE, ADD, MULTIPLY, BEFORE, POWER = range(1, 9)
RANKS = {
    **dict.fromkeys(("or", "|"), OR),
    **dict.fromkeys(("and", "&"), AND),
    **dict.fromkeys(("<", "<=", ">", ">=", "==", "!=", "in", "not"), COMPARE),
    **dict.fromkeys(("+", "-"), ADD),
    **dict.fromkeys(("*", "/", "//", "%"), MULTIPLY),
    "**": POWER,
}
TOKEN = re.compile(
    r"""(?P<number>(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9_]+)?)
      | (?P<name>[^\W\d]\w*)
      | (?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
      | (?P<sign>\*\*|//|<=|>=|==|!=|[-+*/%<>&|~()\[\],])""",
    re.VERBOSE | re.DOTALL,
)
NUMBER = re.compile(r"(?:0+|[1-9][0-9]*)(?:_[0-9]+)*|(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][+-]?[0-9]+)?")
ESCAPES = {"\\": "\\", "'": "'", '"': '"', "n": "\n", "t": "\t"}
WORDS = frozenset(("or", "and", "not", "in"))
HINTS = {"=": " (write == to compare)", "`": " (column names stand without it)", "^": " (write ** for a power)"}


class Token(NamedTuple):
    """A piece of the text: what it is, what stands there, where."""

    kind: str  # number, name, text, sign, or end
    text: str
    at: int


def parse(text: str) -> Node:
    """The tree of a condition.

    Raises
    ------
    AttnprobeError
        When the text is no condition, or larger than the limits.
    """
    if len(text) > MOST_CHARACTERS:
        raise refused(text, f"is not allowed: it may have {MOST_CHARACTERS:,} characters at most")
    return Parser(text).whole()


class Parser:
    """Reads one text, token by token, with a look at the next one."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens(text)
        self.place = 0
        self.deep = 0
        self.operations = 0

    @property
    def next(self) -> Token:
        return self.tokens[self.place]

    def take(self) -> Token:
        token = self.next
        self.place += 1
        return token

    def whole(self) -> Node:
        """The tree of the whole text."""
        node = self.expression(OR)
        if self.next.kind != "end":
            raise self.unexpected("an operator")
        return node

    def expression(self, rank: int) -> Node:
        """An expression whose operators bind at least as tightly as this rank."""
        self.deep += 1
        if self.deep > MOST_DEEP:
            raise refused(self.text, f"is not allowed: its parts are nested more than {MOST_DEEP} deep")
        at = self.next.at
        node = self.operand(rank)
        while (found := self.rank()) >= rank:
            if found == POWER:
                node = Operation(node, ((self.operator(), self.expression(BEFORE)),), self.span(at))
            elif found == COMPARE:
                node = self.comparison(node, at)
            else:
                node = self.chain(node, at, found)
        self.deep -= 1
        return node

    def rank(self) -> int:
        """The rank of the operator that stands next, or 0."""
        token = self.next
        return RANKS.get(token.text, 0) if token.kind == "sign" or token.text in WORDS else 0

    def operator(self) -> str:
        """Take an operator: one more of those that are allowed."""
        self.operations += 1
        if self.operations > MOST_OPERATIONS:
            raise refused(self.text, f"is not allowed: it may have {MOST_OPERATIONS} operators at most")
        return self.take().text

    def chain(self, first: Node, at: int, rank: int) -> Node:
        """The operators of one rank that follow an operand, with theirs, from left to right."""
        rest = []
        while self.rank() == rank:
            rest.append((self.operator(), self.expression(rank + 1)))
        if rank in (OR, AND):
            join = Either if rank == OR else Both
            return join((first, *(operand for _, operand in rest)), self.span(at))
        return Operation(first, tuple(rest), self.span(at))

    def comparison(self, first: Node, at: int) -> Node:
        """One comparison, a chain of them, or a question for membership."""
        rest: list[tuple[str, Node]] = []
        while self.rank() == COMPARE:
            start, sign = self.next.at, self.operator()
            if sign == "not":
                if self.next.text != "in" or self.next.kind != "name":
                    raise self.unexpected("'in'")
                self.take()
            if sign in ("in", "not") or (sign in ("==", "!=") and self.next.text == "["):
                values = self.items()
                if rest or self.rank() == COMPARE:
                    shorter = shown(self.text[start : self.span(at)[1]])
                    raise refused(self.text, f"is not allowed: put {shorter} and what it asks about in parentheses")
                return Member(first, values, sign in ("not", "!="), self.span(at))
            rest.append((sign, self.expression(ADD)))
        return Compare(first, tuple(rest), self.span(at))

    def operand(self, rank: int) -> Node:
        """A column, a constant, something in parentheses, or something with a sign before it."""
        token = self.next
        if token.kind == "number":
            return self.number(negative=False)
        if token.kind == "text":
            return Constant(self.unquoted(self.take()), self.span(token.at))
        if token.kind == "sign" and token.text == "(":
            self.take()
            node = self.expression(OR)
            self.close(")")
            return node
        if token.kind == "sign" and token.text in "+-~":
            sign = self.operator()
            if sign == "-" and self.next.kind == "number" and not self.power_follows():
                return self.number(negative=True)
            node = self.expression(BEFORE)
            return Not(node, self.span(token.at)) if sign == "~" else Sign(sign, node, self.span(token.at))
        if token.kind == "name" and token.text == "not" and rank <= NOT:
            self.operator()
            return Not(self.expression(NOT), self.span(token.at))
        if token.kind == "name" and token.text not in WORDS:
            self.take()
            truth = {"True": True, "False": False}.get(token.text)
            return Column(token.text, self.span(token.at)) if truth is None else Constant(truth, self.span(token.at))
        raise self.unexpected("a column, a number or a text")

    def power_follows(self) -> bool:
        after = self.tokens[self.place + 1]
        return after.kind == "sign" and after.text == "**"

    def items(self) -> tuple[Constant, ...]:
        """A list of constants, in brackets or parentheses."""
        if self.next.text not in ("[", "("):
            raise self.unexpected("a list such as [1, 2]")
        close = "]" if self.take().text == "[" else ")"
        values: list[Constant] = []
        while self.next.text != close or self.next.kind != "sign":
            values.append(self.item())
            if self.next.text != ",":
                break
            self.take()
        self.close(close)
        return tuple(values)

    def item(self) -> Constant:
        """One constant of a list."""
        token = self.next
        if token.text in ("-", "+") and token.kind == "sign":
            self.take()
        if self.next.kind == "number":
            return self.number(negative=token.text == "-")
        if token is self.next and (token.kind == "text" or token.text in ("True", "False")):
            self.take()
            value = self.unquoted(token) if token.kind == "text" else token.text == "True"
            return Constant(value, self.span(token.at))
        raise self.unexpected("a number or a text, as in a list such as [1, 2]")

    def close(self, sign: str) -> None:
        if self.next.text != sign or self.next.kind != "sign":
            raise self.unexpected(f"{sign!r}")
        self.take()

    def number(self, negative: bool) -> Constant:
        """A number; whole ones must fit into 64 bits, so that nothing grows."""
        token = self.take()
        if len(token.text) > MOST_DIGITS or not NUMBER.fullmatch(token.text):
            raise self.unexpected("a number such as 12 or 0.5 or 5e-5", token)
        span = self.span(token.at)
        if not token.text.replace("_", "").isdigit():
            value = float(token.text)
            return Constant(-value if negative else value, span)
        whole = int(token.text)
        if whole > LARGEST + negative:
            raise refused(
                self.text,
                f"is not allowed: whole numbers go up to 2^63 - 1, which {shown(token.text)} is beyond; with a point, "
                "as in 1e19, it is a number of double precision",
            )
        return Constant(-whole if negative else whole, span)

    def unquoted(self, token: Token) -> str:
        """What a text in quotes says."""

        def character(found: re.Match[str]) -> str:
            if found[1] not in ESCAPES:
                raise refused(self.text, f"is not allowed: {found[0]!r} means nothing in a text; write \\\\ for one \\")
            return ESCAPES[found[1]]

        value = re.sub(r"\\(.)", character, token.text[1:-1], flags=re.DOTALL)
        if any("\ud800" <= letter <= "\udfff" for letter in value):
            raise refused(self.text, f"is not allowed: {shown(value)} is no text that a table can hold")
        return value

    def span(self, start: int) -> Span:
        """From there to the end of the last token that was taken."""
        last = self.tokens[max(self.place - 1, 0)]
        return start, last.at + len(last.text)

    def unexpected(self, wanted: str, token: Token | None = None) -> AttnprobeError:
        token = token or self.next
        if token.kind == "end":
            return refused(self.text, f"is not an expression: it ends where {wanted} should stand")
        return refused(
            self.text,
            f"is not an expression: {shown(token.text)}, at character {token.at + 1}, stands where {wanted} should",
        )


def tokens(text: str) -> list[Token]:
    """The pieces of a text, with an end behind the last.

    Raises
    ------
    AttnprobeError
        When something in it can be no piece of a condition.
    """
    found: list[Token] = []
    at = 0
    while at < len(text):
        if text[at] in " \t\r\n":
            at += 1
            continue
        match = TOKEN.match(text, at)
        if match is None:
            sign = text[at]
            if sign in "'\"":
                raise refused(text, f"is not an expression: the quote at character {at + 1} is never closed")
            raise refused(
                text,
                f"is not allowed: only columns, numbers, text, comparisons, arithmetic and and/or/not may stand there, "
                f"not {sign!r}, at character {at + 1}{HINTS.get(sign, '')}",
            )
        found.append(Token(str(match.lastgroup), match[0], at))
        at = match.end()
    found.append(Token("end", "", len(text)))
    return found
