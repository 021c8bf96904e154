"""The programs of a search are lowered for accelerators without one: nothing in them is unknown there."""

from __future__ import annotations

from typing import Any

import jax
import pytest
from jax import export

from hpgrid import Grid, Regime, bounds
from hpgrid.search.brute import plan_search
from hpgrid.search.kernel import _best, _Static
from hpgrid.search.lines import line_of

PROXY, GRID = bounds.lmo(), Grid.footnote(8)


@pytest.mark.parametrize("platform", ["cuda", "tpu"])
@pytest.mark.parametrize("over", [("eta", "b", "alpha"), ("eta", "b"), ("eta",)], ids="-".join)
@pytest.mark.parametrize("kind", ["scanned", "counted", "float32", "by a quotient of logs", "a function"])
def test_a_search_is_lowered_for(kind: str, over: tuple[str, ...], platform: str) -> None:
    proxy: Any = PROXY.as_function() if kind == "a function" else PROXY
    plan = plan_search(proxy, GRID, Regime(over).settled(proxy, GRID, free=GRID.axes))
    tables = plan.tables("float32" if kind == "float32" else "float64")
    scanned, falling = tables.scanned, None
    if kind == "by a quotient of logs":
        line = line_of(PROXY, tables.scan, plan.axes[tables.scan])
        assert line is not None
        scanned, falling = scanned._replace(pair=(line.first, 1 / line.step)), line.falling
    counted = kind in ("counted", "float32")
    static = _Static(tables.call, tables.scan, plan.remaining, tables.over, counted, False, falling)
    with jax.enable_x64(True):
        lowered = export.export(jax.jit(_best, static_argnums=0), platforms=[platform])(static, tables.hoisted, scanned)
    assert lowered.platforms == (platform,)
    assert lowered.out_avals[0].shape == tuple(len(plan.axes[v]) for v in plan.remaining)
    assert "custom_call" not in lowered.mlir_module() or "Sharding" in lowered.mlir_module()
