"""A problem's constants, as the bounds take them, and the forms in which Cesista's are stated; without NumPy."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields, replace
from typing import Any

from hpgrid.checks import bad, check_constants, is_number, unknown

#: The paper's own bounds, and the author's later ones.
FORMS = ("seed", "revised")

#: In what the gradient is measured: the paper's approaches 1 and 2.
NORMS = ("dual", "frobenius")


@dataclass(frozen=True)
class Constants:
    """The constants of a problem, numbers or arrays that broadcast; each bound takes those that it names.

    Attributes:
        lam: weight decay, >= 0; the bounds hold for lam eta <= 1.
        sigma: noise scale of a single sample's gradient, > 0.
        L: smoothness constant, > 0.
        D: smoothness of half the squared dual norm, > 0; 1 for an inner product's.
        Delta0: f(W0) - inf f, > 0.
        G0: the size of the gradient at the start, in the norm at hand, > 0.
        rho: norm equivalence of the LMO bound, >= 1, which takes sigma for the noise in the 2-norm.
        kappa1: kappa1 ||X||_F <= ||X||_dual, > 0; it enters in the Frobenius norm alone, as the next three.
        kappa2: ||X||_dual <= kappa2 ||X||_F, >= kappa1.
        L_F: smoothness constant in the Frobenius norm; L where None.
        sigma_F: noise scale there; sigma where None.
    """

    lam: Any = 0.0
    sigma: Any = 1.0
    L: Any = 1.0
    D: Any = 1.0
    Delta0: Any = 1.0
    G0: Any = 1.0
    rho: Any = 1.0
    kappa1: Any = 1.0
    kappa2: Any = 1.0
    L_F: Any = None
    sigma_F: Any = None

    def named(self, *names: str) -> dict[str, Any]:
        """Return some of the constants by name; those of the Frobenius norm with what stands in for them."""
        instead = {"L_F": self.L, "sigma_F": self.sigma}
        values = {name: getattr(self, name) for name in names}
        return {name: instead[name] if value is None else value for name, value in values.items()}

    def checked(self, decays: bool = False, positive: Collection[str] | None = None) -> Constants:
        """Return the problem in floats.

        Args:
            decays: whether weight decay has to be above 0.
            positive: the others that have to be; all of them by default.

        Raises:
            ValueError: a weight decay below 0, or another constant that is no finite number above 0, or none >= 0.
        """
        if not (is_number(self.lam) and (self.lam > 0 if decays else self.lam >= 0)):
            raise bad(f"the weight decay lam must satisfy lam {'>' if decays else '>='} 0", self.lam, "lam=0.1, say")
        # Norm equivalences are not compared: a bound in the dual norm takes none of them.
        others = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "lam"}
        given = {name: value for name, value in others.items() if value is not None}
        return replace(self, lam=float(self.lam), **check_constants(given, given if positive is None else positive))


def check_form(form: str, norm: str) -> None:
    """Refuse a form or a norm that does not exist, or that the source does not state.

    Raises:
        ValueError: see the message.
    """
    if form not in FORMS:
        raise unknown("form", form, FORMS)
    if norm not in NORMS:
        raise unknown("norm", norm, NORMS)
    if form == "revised" and norm != "dual":
        raise bad("the revised forms are stated in the dual norm", norm, 'norm="dual", or form="seed"')
