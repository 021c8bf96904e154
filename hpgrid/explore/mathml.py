"""LaTeX, as hpgrid writes it, as MathML, which browsers draw themselves."""

from __future__ import annotations

import re
from html import escape
from unicodedata import lookup

from hpgrid.text import GREEK

#: Commands that are a letter, by their Unicode names, or a sign.
_LETTERS = {
    name: lookup(
        f"GREEK {'CAPITAL' if name[0].isupper() else 'SMALL'} LETTER {name.upper().replace('LAMBDA', 'LAMDA')}"
    )
    for name in GREEK
}
_SIGNS = {"star": "⋆", "cdot": "·", "times": "×", "le": "≤", "ge": "≥", "lt": "&lt;", "gt": "&gt;"}  # noqa: RUF001

_TOKEN = re.compile(r"\\([A-Za-z]+|.)|([0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?)|(\S)")


def mathml(latex: str) -> str:
    """Return a line of LaTeX as a ``math`` element: letters, numbers, fractions, roots, powers, indices."""
    tokens = [match.groups() for match in _TOKEN.finditer(latex)]
    return f"<math>{_row(tokens)}</math>"


def _row(tokens: list[tuple[str | None, ...]], end: str = "") -> str:
    """A row up to a closing brace or the end; what was read is taken off the tokens."""
    parts: list[str] = []
    while tokens:
        command, _, sign = tokens[0]
        if end and sign == end:
            tokens.pop(0)
            break
        if sign in ("^", "_") and parts:
            scripts = {}
            while tokens and tokens[0][2] in ("^", "_"):
                kind = str(tokens.pop(0)[2])
                scripts[kind] = _one(tokens)
            base = parts.pop()
            if len(scripts) == 2:
                parts.append(f"<msubsup>{base}{scripts['_']}{scripts['^']}</msubsup>")
            else:
                ((kind, script),) = scripts.items()
                tag = "msup" if kind == "^" else "msub"
                parts.append(f"<{tag}>{base}{script}</{tag}>")
        elif command == "left":
            del tokens[:2]
            parts.append(f'<mrow><mo stretchy="true">(</mo>{_inside(tokens)}<mo stretchy="true">)</mo></mrow>')
        elif command == "right":
            break
        else:
            parts.append(_one(tokens))
    return "".join(parts)


def _inside(tokens: list[tuple[str | None, ...]]) -> str:
    """What stands between parentheses, with the closing one taken off."""
    row = _row(tokens)
    del tokens[:2]
    return row


def _bare(row: str) -> str:
    """A row without the parentheses about all of it: a fraction's bar is enough."""
    begin, end = (f'<mo stretchy="true">{mark}</mo>' for mark in "()")
    inside = row.removeprefix(f"<mrow><mrow>{begin}").removesuffix(f"{end}</mrow></mrow>")
    # One pair about all: what is left opens none that was closed before it.
    alone = len(row) - len(inside) == len(f"<mrow><mrow>{begin}{end}</mrow></mrow>") and inside.count(begin) == 0
    return f"<mrow>{inside}</mrow>" if alone else row


def _one(tokens: list[tuple[str | None, ...]]) -> str:
    """One letter, number, sign, group, fraction or root."""
    command, digits, sign = tokens.pop(0)
    if digits:
        return f"<mn>{digits}</mn>"
    if sign == "{":
        return f"<mrow>{_row(tokens, '}')}</mrow>"
    if command == "frac":
        return f"<mfrac>{_bare(_one(tokens))}{_bare(_one(tokens))}</mfrac>"
    if command == "sqrt":
        return f"<msqrt>{_one(tokens)}</msqrt>"
    if command == "mathrm":
        text = re.sub(r"<[^>]*>", "", _one(tokens))
        return f'<mi mathvariant="normal">{text}</mi>'
    if command in _LETTERS:
        return f"<mi>{_LETTERS[command]}</mi>"
    if command:
        return f"<mo>{_SIGNS[command]}</mo>" if command in _SIGNS else f"<mi>{escape(command)}</mi>"
    if str(sign).isalpha():
        return f"<mi>{sign}</mi>"
    return f"<mo>{escape('−' if sign == '-' else str(sign))}</mo>"  # noqa: RUF001
