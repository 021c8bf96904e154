"""What is counted of the two kernels that measure the device's ceilings."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import pytest

from hpgrid.bench import ceilings as module
from hpgrid.bench.ceilings import ceilings


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LONG", 0.0)


def test_multiply_adds_are_counted_but_not_what_joins_them() -> None:
    """The compiler's own count has the start and the end of the chains, a sixteenth, on top."""
    elements = 64
    with jax.enable_x64(True):
        start, one = jnp.ones(elements, jnp.float64), jnp.float64(0.5)
        lowered = module._multiply_adds.lower(start, one, one, jnp.int32(1))
        flops = lowered.compile().cost_analysis()["flops"]
    amount = ceilings(elements, 64)["arithmetic"].amount
    assert amount == 2 * 8 * 32 * elements
    assert amount <= flops <= 1.1 * amount


def test_a_triad_is_two_reads_and_a_write_in_float64() -> None:
    assert ceilings(64, 1000)["memory"].amount == 24 * 1000


def test_calls_go_on_from_where_they_were_and_stay_at_one() -> None:
    """No number overflows, vanishes or becomes subnormal, however long it runs."""
    with jax.enable_x64(True):
        factor, addend = jnp.float64(0.75), jnp.float64(0.25)
        x = module._multiply_adds(jnp.ones(8, jnp.float64), factor, addend, jnp.int32(1000))
        y = module._triad(jnp.ones(8, jnp.float64), jnp.full(8, 0.25, jnp.float64), factor, jnp.int32(1000))
        assert jnp.allclose(x, 1.0, atol=1e-3)
        assert jnp.array_equal(y, jnp.ones(8, jnp.float64))
    for limit in ceilings(64, 64).values():
        limit.call()
        limit.call()  # its array was given away, and came back


def test_passes_double_until_a_call_is_long_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LONG", 10.0)
    monkeypatch.setattr(module, "_seconds", lambda call: 2.5 * call.args[0])
    made: list[int] = []
    limit = module._long_enough(made.append, 3.0)
    limit.call()
    assert limit.amount == 3.0 * 4
    assert made == [1, 4]
