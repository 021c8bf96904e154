"""The benchmark of ``hpgrid.grid_search``: the same work by hpgrid and by what one would write instead.

Every contender's answer is checked before anything is timed. They are then timed in turn, in one
run, and the device's ceilings with them; first calls and peak memory are measured in a fresh process
each, all of them before this process takes the device: a TPU serves one process at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache

from hpgrid.bench.agreement import Agreement, compare, reference
from hpgrid.bench.ceilings import Ceiling, ceilings
from hpgrid.bench.contenders import CONTENDERS, HPGRID, Contender, why_not
from hpgrid.bench.measure import Fresh, fresh, interleaved
from hpgrid.bench.needs import needs
from hpgrid.bench.problem import Loaded
from hpgrid.bench.report import Outcome, remarks, row, table
from hpgrid.bench.works import WORKS
from hpgrid.grid import Grid
from hpgrid.progress import track

#: Seconds that all rounds of a contender may take.
_PATIENCE = 3600

#: From a contender's name, a work and n to what its first call costs, or why there is none.
Probe = Callable[[str, str, int], Fresh | str]


class Failed(Exception):
    """The contenders can't be compared: one gives another answer, or hpgrid gives none."""


def run(
    works: Sequence[str],
    sizes: Sequence[int],
    runs: int,
    *,
    contenders: Mapping[str, Contender] = CONTENDERS,
    probe: Probe | None = None,
    say: Callable[[str], object] = print,
) -> list[Outcome]:
    """Return what every contender costs at each work and size, and say each as soon as it is measured.

    Args:
        works: their names.
        sizes: values an axis.
        runs: timed rounds.
        contenders: who takes part, by name; hpgrid does.
        probe: what measures a first call; ``fresh`` where None.
        say: takes a text for people.

    Raises:
        Failed: see ``measure``.
    """
    probe = cache(probe or fresh)
    jobs = [(work, n) for work in works for n in sizes]
    for work, n in track(jobs, "first calls"):
        first_calls(work, n, runs, contenders, probe)
        if work == "R1":
            probe(HPGRID.name, work, 2 * n)
    limits = ceilings()
    outcomes = []
    for work, n in jobs:
        outcomes.append(measure(work, n, runs, limits=limits, contenders=contenders, probe=probe))
        say(f"\n{work}: {WORKS[work].asks}; {n}^4 points, {runs} runs, float64")
        say(f"{table(outcomes[-1])}\n{remarks(outcomes[-1])}")
    return outcomes


def measure(
    work: str,
    n: int,
    runs: int,
    *,
    limits: Mapping[str, Ceiling],
    contenders: Mapping[str, Contender] = CONTENDERS,
    probe: Probe = fresh,
) -> Outcome:
    """Return what every contender costs at one work.

    Args:
        work: its name, R1 to R4.
        n: values an axis.
        runs: timed rounds, after one call of each that is checked and not timed.
        limits: the device's ceilings, which are timed in the same rounds.
        contenders: who takes part, by name; hpgrid does.
        probe: what measures a first call.

    Raises:
        Failed: a contender disagrees with the reference, or hpgrid can't run.
    """
    firsts, skipped = first_calls(work, n, runs, contenders, probe)
    doubled = probe(HPGRID.name, work, 2 * n) if work == "R1" else None
    if HPGRID.name not in firsts or isinstance(doubled, str):
        raise Failed(f"hpgrid can't run: {skipped.get(HPGRID.name, doubled)}")
    grid = Grid.footnote(n)
    loaded = {name: contenders[name].load(work, grid) for name in firsts}
    agreements = check(work, grid, loaded)
    calls = {name: ready.call for name, ready in loaded.items()} | {name: c.call for name, c in limits.items()}
    seconds = interleaved(calls, runs)
    rows = {
        name: row(
            ready.detail,
            seconds[name],
            seconds[HPGRID.name],
            n**4,
            first=firsts[name],
            agreement=agreements[name],
        )
        for name, ready in loaded.items()
    }
    rates = {name: limit.amount / min(seconds[name]) for name, limit in limits.items()}
    return Outcome(work, n, rows, skipped, needs(work, grid), rates, doubled)


def first_calls(
    work: str, n: int, runs: int, contenders: Mapping[str, Contender], probe: Probe
) -> tuple[dict[str, Fresh], dict[str, str]]:
    """Return the cost of every contender's first call, and why the others have none or are not timed."""
    firsts, skipped = {}, {}
    for name, contender in contenders.items():
        outcome = why_not(contender, n) or probe(name, work, n)
        why = outcome if isinstance(outcome, str) else too_slow(outcome.first_call_s, runs)
        if isinstance(outcome, str) or why:
            skipped[name] = str(why)
        else:
            firsts[name] = outcome
    return firsts, skipped


def too_slow(first_call_s: float, runs: int) -> str | None:
    """Return why a contender is not timed, going by its first call: every round calls it twice, or None."""
    seconds = 2 * runs * first_call_s
    if seconds <= _PATIENCE:
        return None
    return f"its first call took {first_call_s:.0f} s, so that {runs} rounds would take some {seconds / 3600:.1f} hours"


def check(work: str, grid: Grid, loaded: Mapping[str, Loaded]) -> dict[str, Agreement]:
    """Return how every contender's answer compares with eq. (4) as printed.

    Raises:
        Failed: one disagrees with it.
    """
    expected = reference(work, grid)
    agreements = {name: compare(ready.call(), expected) for name, ready in loaded.items()}
    for name, agreement in agreements.items():
        if not agreement.holds:
            raise Failed(
                f"{name} disagrees with NumPy as printed on {work}: of {agreement.cells} cells, "
                f"{agreement.wrong_indices} have another index and {agreement.wrong_values} another value"
            )
    return agreements
