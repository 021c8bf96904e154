"""How hpgrid says no: the rule, what was given, what to write instead."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class InputError(ValueError):
    """A caller's mistake: the command line shows its message alone, and exits with 2."""


def bad(rule: str, given: object, instead: str) -> InputError:
    """Return the error for a caller's mistake, in hpgrid's one form.

    Args:
        rule: what must hold, as a sentence without its full stop.
        given: what was given, shown with ``repr``.
        instead: what to write instead.
    """
    return InputError(f"{rule}. Given: {given!r}. Write {instead}.")


def unknown(kind: str, given: object, known: Iterable[str]) -> InputError:
    """Return the error for a name that does not exist: the nearest one, and all there are."""
    names = list(known)
    near = get_close_matches(str(given), names, n=1, cutoff=0.5)
    listed = ", ".join(names)
    instead = f"{near[0]!r} (all: {listed})" if near else f"one of {listed}"
    return bad(f"there is no {kind} of that name", given, instead)
