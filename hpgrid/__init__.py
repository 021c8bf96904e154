"""hpgrid: what a convergence bound says about tuning.

The public names load when they are first used, so that importing hpgrid costs nothing, sets no
JAX flag and opens no device.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.2.0"

#: Where each public name lives.
_HOME = {
    "LogAxis": "hpgrid.grid",
    "Grid": "hpgrid.grid",
    "Term": "hpgrid.term",
    "Proxy": "hpgrid.proxy",
    "FunctionProxy": "hpgrid.proxy",
    "Regime": "hpgrid.regime",
    "grid_search": "hpgrid.search.brute",
    "SearchResult": "hpgrid.search.brute",
    "structure": "hpgrid.search.structure",
    "verify_search": "hpgrid.search.verify",
    "parse": "hpgrid.formula.bound",
    "fit_slope": "hpgrid.slopes",
    "refine": "hpgrid.refinement.optimum",
    "regret": "hpgrid.refinement.cost",
    "flatness": "hpgrid.refinement.cost",
    "exponents": "hpgrid.asymptotics.exact",
    "check": "hpgrid.statements.check",
    "compare": "hpgrid.comparison.compare",
    "critical_batch": "hpgrid.critical.critical_batch",
    "sweep": "hpgrid.sweeps.run",
    "open_sweep": "hpgrid.sweeps.store",
    "transfer": "hpgrid.transfers.transfer",
    "fit": "hpgrid.fits.fit",
    "tuning_problem": "hpgrid.tuning.problem",
    "survey": "hpgrid.tuning.survey",
    "advise": "hpgrid.tuning.advice",
    "reach": "hpgrid.tuning.target",
}

__all__ = [
    "FunctionProxy",
    "Grid",
    "LogAxis",
    "Proxy",
    "Regime",
    "SearchResult",
    "Term",
    "__version__",
    "advise",
    "bounds",
    "check",
    "compare",
    "critical_batch",
    "exponents",
    "fit",
    "fit_slope",
    "flatness",
    "grid_search",
    "open_sweep",
    "parse",
    "reach",
    "refine",
    "regret",
    "structure",
    "survey",
    "sweep",
    "transfer",
    "tuning_problem",
    "verify_search",
]

if TYPE_CHECKING:
    from hpgrid import bounds
    from hpgrid.asymptotics.exact import exponents
    from hpgrid.comparison.compare import compare
    from hpgrid.critical.critical_batch import critical_batch
    from hpgrid.fits.fit import fit
    from hpgrid.formula.bound import parse
    from hpgrid.grid import Grid, LogAxis
    from hpgrid.proxy import FunctionProxy, Proxy
    from hpgrid.refinement.cost import flatness, regret
    from hpgrid.refinement.optimum import refine
    from hpgrid.regime import Regime
    from hpgrid.search.brute import SearchResult, grid_search
    from hpgrid.search.structure import structure
    from hpgrid.search.verify import verify_search
    from hpgrid.slopes import fit_slope
    from hpgrid.statements.check import check
    from hpgrid.sweeps.run import sweep
    from hpgrid.sweeps.store import open_sweep
    from hpgrid.term import Term
    from hpgrid.transfers.transfer import transfer
    from hpgrid.tuning.advice import advise
    from hpgrid.tuning.problem import tuning_problem
    from hpgrid.tuning.survey import survey
    from hpgrid.tuning.target import reach


def __getattr__(name: str) -> Any:
    if name == "bounds":
        return import_module("hpgrid.bounds")
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'hpgrid' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__  # what completion offers
