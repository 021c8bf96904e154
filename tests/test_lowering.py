"""The programs of a search are lowered for accelerators without one: nothing in them is unknown there."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest
from jax import export

from hpgrid import Grid, Regime, bounds
from hpgrid.search import certified
from hpgrid.search.brute import plan_search
from hpgrid.search.kernel import _best, _Static
from hpgrid.search.lanes import lanes_of

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


@pytest.mark.parametrize("platform", ["cuda", "tpu"])
@pytest.mark.parametrize("over", [("eta", "b", "alpha"), ("eta", "b"), ("eta",), ("b",)], ids="-".join)
def test_a_search_for_many_constants_is_lowered_for(over: tuple[str, ...], platform: str) -> None:
    held = {v: x for v, x in {"eta": 1e-4, "b": 300.0, "alpha": 0.01}.items() if v not in over}
    plan = plan_search(PROXY, GRID, Regime(over, held).settled(PROXY, GRID, free=GRID.axes))
    lanes = lanes_of(plan, plan.tables(), [{**PROXY.constants, "C1": c} for c in (0.5, 1.0)], {})
    assert lanes is not None
    hoisted, counts = lanes.part(np.arange(16))
    # Of eight devices, none of them here.
    mesh = jax.sharding.AbstractMesh((8,), ("lanes",))
    with jax.enable_x64(True):
        exported = export.export(
            jax.jit(certified._shared, static_argnames=("layout", "mesh")),
            platforms=[platform],
        )
        lowered = exported(lanes.scanned, hoisted, counts, layout=lanes.layout, mesh=mesh)
    assert lowered.platforms == (platform,)
    assert [out.shape for out in lowered.out_avals] == [(16,), (16,)]
    assert '<["lanes"=8]>' in lowered.mlir_module()
    assert "custom_call" not in lowered.mlir_module()
