"""What is said of beta, or of another complement, is said of 1 - it: values stand, and a floor is a cap."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import Capture, printed, status

import hpgrid
from hpgrid import bounds, exponents, parse, refine
from hpgrid.config import parse_bound
from hpgrid.refinement import refine_along
from hpgrid.transfers.start import limits_of

#: With b held, least at alpha* = 0.00405, beta* = 0.996.
TEXT, SET, T = "D*b/(eta*T) + s*sqrt(alpha/b) + L*eta/alpha", {"D": 1.0, "s": 1.0, "L": 1.0}, 1e9


def scanned(low: float, high: float) -> tuple[float, float]:
    """The least risk at b = 64 over a range of alpha, eta tuned, and where it is: by NumPy alone."""
    alpha = np.geomspace(low, high, 200_001)
    risk = 2 * np.sqrt(64.0 / (alpha * T)) + np.sqrt(alpha / 64.0)
    return float(risk.min()), float(alpha[risk.argmin()])


def searched(capsys: Capture, *arguments: object) -> Any:
    """What a search says of what to set, whatever it notes."""
    assert status("search", *arguments, "--tune", "eta,alpha", "--fix", "b=64", "--T", T, "--json") == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(("option", "low", "high"), [
    ("--floor beta=0.95", 1e-6, 0.05),
    ("--floor beta=0.999", 1e-6, 0.001),
    ("--floor momentum=0.999", 1e-6, 0.001),
    ("--floor 1-alpha=0.999", 1e-6, 0.001),
    ("--cap beta=0.9", 0.1, 1.0),
    ("--cap beta=0.9 --floor beta=0.5", 0.1, 0.5),
])  # fmt: skip
def test_the_smallest_beta_is_the_largest_alpha(option: str, low: float, high: float, capsys: Capture) -> None:
    written = ("--bound", TEXT, "--set", ",".join(f"{name}={x}" for name, x in SET.items()))
    risk, alpha = scanned(low, high)
    found = searched(capsys, *written, *option.split())
    assert found["risk"] == pytest.approx(risk, rel=1e-6)
    assert found["set"]["alpha"] == pytest.approx(alpha, rel=1e-4)
    assert found["grid"]["risk"] >= risk * (1 - 1e-6)


def test_a_floor_of_beta_is_one_in_a_file_a_sweep_and_the_library(tmp_path: Path, capsys: Capture) -> None:
    risk, alpha = scanned(1e-6, 0.001)
    own = tmp_path / "own.toml"
    constants = "\n".join(f"{name} = {x}" for name, x in SET.items())
    own.write_text(f'bound = "{TEXT}"\nfloors = {{ beta = 0.999 }}\n[constants]\n{constants}\n')
    found = searched(capsys, own)
    assert (found["risk"], found["set"]["alpha"]) == (pytest.approx(risk, rel=1e-6), pytest.approx(alpha))
    best = refine(parse(TEXT, SET).with_floors(beta=0.999), ("eta", "alpha"), fixed={"b": 64.0}, T=T)
    assert (float(best.risk), float(best.at["alpha"])) == (pytest.approx(risk, rel=1e-6), pytest.approx(alpha))
    regime = {"name": "r", "tuned": ["eta", "alpha"], "fixed": {"b": 64.0}}
    grid = {"preset": "footnote", "n": 12, "axes": {"T": [T / 10, T]}}
    plan = {"bound": TEXT, "floors": {"beta": 0.999}, "constants": {**SET, "D": [1.0, 2.0]}, "grid": grid}
    swept = hpgrid.sweep({**plan, "regime": [regime]}, tmp_path / "s.zarr")
    np.testing.assert_allclose(swept.alpha_star.sel(D=1.0).values.ravel()[-1], alpha, rtol=1e-9)
    with pytest.raises(ValueError, match="beta must be a finite number with 0 <= beta < 1"):
        bounds.lmo().with_floors(beta=1.5)
    with pytest.raises(ValueError, match="momentum is given once"):
        bounds.lmo_large_horizon().with_floors(beta=0.5, **{"1-alpha": 0.6})


@pytest.mark.parametrize("bound", [{"name": "lmo"}, {"name": "star_convex"}, {"formula": TEXT, **SET}])
@pytest.mark.parametrize("floors", [{"beta": 0.9}, {"beta": 0.9, "eta": 1e-7}, {"b": 64, "eta": 1e-7}])
def test_a_bound_in_a_file_has_the_variables_of_what_is_built(bound: dict[str, Any], floors: dict[str, float]) -> None:
    config = parse_bound({**bound, "floors": floors})
    built = config.build("T")
    assert config.space == built.space
    assert built.caps.get("alpha") == (0.1 if "beta" in floors else None)
    assert built.space.all["eta"].low == floors.get("eta", 0.0)


def test_a_law_knows_the_floor_of_a_complement(capsys: Capture) -> None:
    # alpha* ~ T^-1/3 is below any cap in the end.
    law = exponents(bounds.lmo().with_floors(beta=0.9), ("eta", "b", "alpha"))
    assert (str(law.exponent["alpha"]), law.active) == ("-1/3", {})
    # eta/alpha is least at the largest alpha: with beta >= 0.9 risk* = 2 (10 D/T)^1/2.
    held = exponents(parse("D/(eta*T) + eta/alpha", {"D": 3.0}).with_floors(beta=0.9), ("eta", "alpha"))
    assert held.active == {"alpha": "alpha <= 0.1"}
    assert held.laws["risk"] is not None
    assert held.laws["risk"].constant == pytest.approx(2 * 30**0.5)
    assert "HOLDS" in printed("check", capsys, "lmo", "--floor", "beta=0.9", "--claim", "alpha ~ T^-1/3")
    own = parse("D/(eta*T) + eta*delta + s/(delta*T)", {"D": 1.0, "s": 1.0}, variables=["0 < delta <= 1"])
    free, floored = (refine(p, ("eta", "delta"), T=1e2) for p in (own, own.with_floors(**{"1-delta": 0.8})))
    assert float(free.at["delta"]) == pytest.approx(1e-2 ** (1 / 3))
    assert float(floored.at["delta"]) == pytest.approx(0.2)


def test_a_transfer_takes_ends_of_beta() -> None:
    limits = limits_of(caps={"beta": 0.99}, floors={"beta": 0.5})
    assert (dict(limits.caps), dict(limits.floors)) == ({"alpha": 0.5}, {"alpha": 0.01})


def test_refinement_takes_limits_starts_and_values_of_beta() -> None:
    tuned: dict[str, Any] = {"tuned": ("eta", "b", "alpha"), "T": np.array([1e6, 1e9])}
    proxy = bounds.lmo()
    inside = refine(proxy, limits={"beta": (0.5, 0.9)}, **tuned)
    np.testing.assert_array_equal(inside.risk, refine(proxy, limits={"alpha": (0.1, 0.5)}, **tuned).risk)
    begun = refine(proxy, start={"beta": [0.9, 0.8]}, **tuned)
    np.testing.assert_array_equal(begun.risk, refine(proxy, start={"alpha": [0.1, 0.2]}, **tuned).risk)
    along = refine_along(proxy, "beta", [0.9, 0.8], **tuned)
    np.testing.assert_array_equal(along.risk, refine_along(proxy, "alpha", [0.1, 0.2], **tuned).risk)
    with pytest.raises(ValueError, match="a start of beta must be below 1"):
        refine(proxy, start={"beta": 1.0}, **tuned)
