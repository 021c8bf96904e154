"""``transfer``: hyperparameters from one token budget to another, by every rule that applies."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hpgrid.checks import bad
from hpgrid.transfers import half_life
from hpgrid.transfers.fits import FITS, Applied, applied
from hpgrid.transfers.given import Asked, Limits, Setting, check, missing
from hpgrid.transfers.half_life import Kept
from hpgrid.transfers.paths import Path, paths
from hpgrid.transfers.rules import Row, moved
from hpgrid.transfers.words import as_given

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from hpgrid.transfers.costs import Costs

#: So few tokens in so many iterations may be meant as sequences.
_FEW, _MANY = 1000, 1e6


@dataclass(frozen=True)
class Transfer:
    """The answer.

    Attributes:
        start: the setting that was tuned, b in tokens.
        alpha2: 1 - beta2 at the start, or None.
        T: the budget that it goes to.
        to_b: the batch size there in tokens, where it was given.
        limits: what is feasible there.
        rows: what each regime makes of it.
        lacking: by regime, what the others need and the start does not have.
        sgd: SGD's rule beside the LMO methods', or None.
        kept: by regime, the momenta whose half-life in tokens stays (Marek et al.); with "sgd" none, as the next two.
        fits: what four studies fitted, from this start.
        paths: the batch paths that the rows take, and eta's exponent along them.
        notes: what holds of all rows, a sentence each, without a full stop.
        costs: what the rows cost by eq. (4), or None where neither constants nor a calibration were asked for.
    """

    start: Setting
    alpha2: float | None
    T: float
    to_b: float | None
    limits: Limits
    rows: tuple[Row, ...]
    lacking: Mapping[str, tuple[str, ...]]
    sgd: Row | None
    kept: Mapping[str, Kept]
    fits: tuple[Applied, ...]
    paths: tuple[Path, ...]
    notes: tuple[str, ...]
    costs: Costs | None

    def as_dict(self) -> dict[str, Any]:
        """Return the answer as plain data; what is not given, or no finite number, is None."""
        from hpgrid.transfers.plain import as_dict

        return as_dict(self)

    def text(self) -> str:
        """Return the answer as text."""
        from hpgrid.transfers.text import text

        return text(self)

    def draw(self) -> Figure:
        """Return the picture: eta, b and beta along the way, a line per regime; its budgets differ.

        Raises:
            ValueError: the budget stays, so that there is no way.
        """
        if self.T == self.start.T:
            raise bad("a picture goes from one budget to another", f"T = {self.T:g} twice", "no plot, or another T")
        from hpgrid.transfers.picture import draw

        return draw(self)


def transfer(
    start: Mapping[str, float],
    to: Mapping[str, float] | float,
    *,
    regime: str = "auto",
    to_b: float | None = None,
    max_b: float | None = None,
    max_eta: float | None = None,
    round_b: str | int | None = None,
    seq_len: int | None = None,
    optimizer: str = "lmo",
    constants: Mapping[str, float] | None = None,
    calibrate: bool = False,
) -> Transfer:
    """Return hyperparameters for another token budget, from the best ones at a first.

    Regimes are named by what was tuned at the first budget: A eta; B eta, alpha; C eta, b; D all three. The rest is
    held. Where b is given, capped or rounded, the rest is tuned again at it.

    Args:
        start: eta, b, beta (or alpha = 1 - beta), and the token budget T at which they are best; what was not tuned
            may be missing. Adam's beta2 may be there, for Marek et al.'s rule alone.
        to: the new token budget, or {"T": it}, >= 1.
        regime: "A" to "D", in either case, or "auto" for all that the start suffices for.
        to_b: the batch size at the new budget, whole, where it is given and not the regime's.
        max_b: the largest batch size, >= 1. Caps are taken to have held at the first budget, too, if the start keeps
            to them: with ``calibrate`` a start on a cap is on a bound, and need not be an optimum inside.
        max_eta: the largest learning rate, > 0.
        round_b: "pow2", "int", or a whole number of which b becomes a multiple; never above ``max_b``.
        seq_len: tokens in a sequence. With it, every b that is given is in sequences; without it, in tokens.
        optimizer: "lmo", or "sgd" for SGD's one rule.
        constants: C1, C2, C3, or Delta0, L, rho, sigma, of eq. (4), > 0: with them the answer says what each row costs.
            Those that are not given are 1.
        calibrate: find them in place of that: for each row those for which the start is the best of what it tuned.

    Returns:
        A row per regime with its setting and what to know of it, beside it the rules of others, and the costs where
        constants are at hand; ``text()``, ``as_dict()`` and ``draw()`` say it. Every b in it is in tokens.

    Raises:
        ValueError: a name that does not exist, a number out of its range, a regime that needs a number which
            ``start`` does not have, or a batch size that its limits forbid.

    Source: Shulgin et al., Tables 1 to 3, section 4, Appendix C.3.
    """
    return _answer(check(locals()))


def _answer(asked: Asked) -> Transfer:
    start, T, limits, to_b = asked.start, asked.T, asked.limits, asked.to_b
    lacking = {regime: missing(regime, start, limits, to_b) for regime in asked.regimes}
    able = [regime for regime in asked.regimes if not lacking[regime]]
    rows = tuple(moved(regime, start, T, limits, to_b) for regime in able)
    lmo = asked.optimizer == "lmo"
    contrast = lmo and not missing("SGD", start, limits, to_b)
    return Transfer(
        start=start,
        alpha2=asked.alpha2,
        T=T,
        to_b=to_b,
        limits=limits,
        rows=rows,
        lacking={regime: names for regime, names in lacking.items() if names},
        sgd=moved("SGD", start, T, limits, to_b) if contrast else None,
        kept=_kept(start, asked.alpha2, rows) if lmo else {},
        fits=tuple(applied(fit, start, T) for fit in FITS) if lmo else (),
        paths=paths(start, T, rows) if lmo else (),
        notes=_notes(asked),
        costs=_costs(asked, rows),
    )


def _costs(asked: Asked, rows: tuple[Row, ...]) -> Costs | None:
    """What the rows cost, where that was asked for."""
    if asked.constants is None and not asked.calibrate:
        return None
    from hpgrid.transfers.costs import costs

    return costs(asked.start, rows, asked.limits, given_b=asked.to_b is not None, constants=asked.constants)


def _kept(start: Setting, alpha2: float | None, rows: tuple[Row, ...]) -> dict[str, Kept]:
    """Marek et al.'s rule at each row's batch size."""
    if start.b is None or (start.alpha is None and alpha2 is None):
        return {}
    return {row.regime: half_life.kept(start.b, row.at.b, start.alpha, alpha2) for row in rows if row.at.b is not None}


def _notes(asked: Asked) -> tuple[str, ...]:
    """What holds of all rows."""
    start, notes = asked.start, []
    if asked.T < start.T:
        notes.append("to a shorter run: the rules hold for large T, at both ends")
    if asked.T == start.T:
        notes.append("the budget stays: what changes is what a given, capped or rounded b asks for")
    if start.K is not None and start.K < 1:
        notes.append(f"at the start K = T/b = {start.K:.4g}: less than one iteration")
    if asked.limits.unit == 1 and start.b is not None and start.b < _FEW and start.T / start.b > _MANY:
        notes.append(f"b = {as_given(start.b)} is read in tokens; with a sequence length (seq-len) it is in sequences")
    if start.b is not None and math.remainder(start.b, asked.limits.unit):
        notes.append("b at the start is no whole number")
    return tuple(notes)
