"""What a figure is made from that is no grid search: the [parameters] of its config.

The shipped config is the schema: its keys, and of each the kind. What range a number may have is for the
figure's own functions to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hpgrid.checks import is_number
from hpgrid.errors import bad, unknown


def checked(own: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the shipped parameters with those that are given in their place.

    Args:
        own: the shipped ones.
        given: some of them, with values of one's own.

    Raises:
        ValueError: a name that the shipped ones lack, or a value of another kind.
    """
    for name, value in given.items():
        if name not in own:
            raise unknown("key of [parameters]", name, own)
        _check_kind(name, value, own[name])
    return {**own, **given}


def _check_kind(name: str, value: Any, like: Any) -> None:
    """Refuse what is not as the shipped value: a number, a whole number, text, or a list of such."""
    if isinstance(like, list):
        if not isinstance(value, list) or not value:
            raise bad(f"{name} is a list", value, f"{name} = {like!r}, say")
        for one in value:
            _check_kind(name, one, like[0])
        return
    whole, text = isinstance(like, int), isinstance(like, str)
    fits = isinstance(value, str) if text else is_number(value) and (isinstance(value, int) or not whole)
    if not fits:
        kind = "text" if text else "a whole number" if whole else "a finite number"
        raise bad(f"{name} is {kind}", value, f"{name} = {like!r}, say")
