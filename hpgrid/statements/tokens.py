"""A claim's text as tokens, a place among them, and how a mistake is pointed at."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from hpgrid.checks import InputError, bad, unknown

BUDGETS = ("T", "K")


#: The longest claim, in characters.
LONGEST = 400


#: How much of a claim an error shows before and after the place it is about.
_SHOWN = 30


_TOKEN = re.compile(
    r"(?P<number>([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z_0-9]*)"
    r"|(?P<mark><=|->|[~=^*/()@,+-])"
)


class Token(NamedTuple):
    """A number, a name, a mark, or the end, and the column it begins at, from 0."""

    kind: str
    text: str
    column: int


def wrong(source: str, column: int, rule: str, instead: str) -> InputError:
    """Return the error for a mistake at a column of a claim: the columns that a person sees begin at 1."""
    return bad(f"{rule} (column {column + 1})", _around(source, column), instead)


def unknown_name(source: str, column: int, kind: str, name: str, known: Iterable[str]) -> InputError:
    """Return the error for a name that means nothing at a column of a claim: it names the nearest."""
    return InputError(f"claim {_around(source, column)!r}, column {column + 1}: {unknown(kind, name[:_SHOWN], known)}")


def _around(source: str, column: int) -> str:
    first, last = max(0, column - _SHOWN), column + _SHOWN
    before, after = "..." if first else "", "..." if last < len(source) else ""
    return f"{before}{source[first:last]}{after}"


def tokens(source: str) -> list[Token]:
    """Return the tokens of a claim; the last is the end.

    Raises:
        ValueError: the claim is empty or too long, or a character has no place in one.
    """
    if not source.strip():
        raise bad("a claim says what follows what", source[:_SHOWN], "b ~ T^1/2, say")
    if len(source) > LONGEST:
        raise wrong(source, LONGEST, f"a claim has at most {LONGEST} characters", "a shorter one")
    found, column = [], 0
    while column < len(source):
        if source[column] in " \t":
            column += 1
            continue
        match = _TOKEN.match(source, column)
        if match is None:
            raise wrong(source, column, f"{source[column]!r} has no place in a claim", "b ~ T^1/2, say")
        found.append(Token(str(match.lastgroup), match.group(), column))
        column = match.end()
    return [*found, Token("end", "the end", len(source))]


class Reader:
    """A place in the tokens of a claim."""

    def __init__(self, source: str) -> None:
        self.source, self.tokens, self.place, self.depth = source, tokens(source), 0, 0
        self.columns: dict[str, int] = {}

    @property
    def next(self) -> Token:
        return self.tokens[self.place]

    def after(self, steps: int) -> Token:
        return self.tokens[min(self.place + steps, len(self.tokens) - 1)]

    def take(self) -> Token:
        token = self.next
        self.place = min(self.place + 1, len(self.tokens) - 1)
        return token

    def takes(self, *marks: str) -> bool:
        """Go past the next token if it is one of some marks."""
        if self.next.kind == "mark" and self.next.text in marks:
            self.take()
            return True
        return False

    def wrong(self, rule: str, instead: str, at: Token | None = None) -> Exception:
        return wrong(self.source, (at or self.next).column, rule, instead)

    def name(self, known: tuple[str, ...], kind: str) -> str:
        """Take a name that must be one of some."""
        token = self.take()
        if token.kind != "name":
            raise self.wrong(f"a {kind} has a name, not {token.text!r}", f"{known[0]}, say", token)
        if token.text not in known:
            raise unknown_name(self.source, token.column, kind, token.text, known)
        return token.text
