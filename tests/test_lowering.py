"""The programs of a search are lowered for accelerators without one: nothing in them is unknown there."""

from __future__ import annotations

from typing import Any

import jax
import pytest
from jax import export

from hpgrid import Grid, Regime, bounds
from hpgrid.search.brute import plan_search
from hpgrid.search.kernel import _best, _Static

PROXY, GRID = bounds.lmo(), Grid.footnote(8)


@pytest.mark.parametrize("platform", ["cuda", "tpu"])
@pytest.mark.parametrize("over", [("eta", "b", "alpha"), ("eta", "b"), ("eta",)], ids="-".join)
@pytest.mark.parametrize("kind", ["scanned", "counted", "float32", "a function"])
def test_a_search_is_lowered_for(kind: str, over: tuple[str, ...], platform: str) -> None:
    proxy: Any = PROXY.as_function() if kind == "a function" else PROXY
    plan = plan_search(proxy, GRID, Regime(over).settled(proxy, GRID, free=GRID.axes))
    tables = plan.tables("float32" if kind == "float32" else "float64")
    counted = kind in ("counted", "float32")
    static = _Static(tables.call, tables.scan, plan.remaining, tables.over, counted, False)
    with jax.enable_x64(True):
        lowered = export.export(jax.jit(_best, static_argnums=0), platforms=[platform])(
            static, tables.hoisted, tables.scanned
        )
    assert lowered.platforms == (platform,)
    assert lowered.out_avals[0].shape == tuple(len(plan.axes[v]) for v in plan.remaining)
    assert "custom_call" not in lowered.mlir_module() or "Sharding" in lowered.mlir_module()
