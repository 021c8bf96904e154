"""``hpgrid bench``: how fast the grid search is, against what one would write instead."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from hpgrid.bench.tasks import CONTENDERS, FINE, HPGRID, SWEEP, TASKS
from hpgrid.checks import bad, note
from hpgrid.cli import options
from hpgrid.cli.options import about
from hpgrid.text import counted, to_width

#: NumPy holds n^3 points at a time, and R1's memory is measured at 2n, on 16 n^4 of them.
_SMALLEST, _LARGEST = 2, 300


def benchmark(
    *,
    only: Annotated[options.Names, about(f"Works, R1,R4 say: {', '.join((*TASKS, SWEEP, FINE))}; else all.")] = None,
    n: Annotated[options.Names, about("Values an axis, such as 50,100,200; else 100.")] = None,
    runs: Annotated[int, about("Timed rounds.", converter=options.whole(1, example=7))] = 7,
    contenders: Annotated[
        options.Names, about(f"Who takes part beside hpgrid: {', '.join(CONTENDERS)}; else all.")
    ] = None,
    json: Annotated[Path | None, about("Write all that was measured to this file.")] = None,
    plot: Annotated[Path | None, about("Draw cost against work to this file: png, pdf or svg.")] = None,
    details: options.Details = False,
    needs: Annotated[bool, about("Say what hpgrid's searches need per point, and measure nothing.")] = False,
) -> int:
    """Time grid searches by hpgrid and by others, check that all agree, and say what the device could do at most."""
    tasks = _chosen("work", only, (*TASKS, SWEEP, FINE))
    searches = [task for task in tasks if task in TASKS]
    sizes = [
        options.whole_number("--n", text, _SMALLEST, _LARGEST, example="50,100,200")
        for text in options.names(n) or ("100",)
    ]
    taking_part = {name: CONTENDERS[name] for name in (*_chosen("contender", contenders, CONTENDERS), HPGRID.name)}
    if plot and not searches:
        raise bad("what is plotted is R1 to R4", ", ".join(tasks), "--only R1,R4, say, or no --plot")
    options.check_file(json, "the record is written to a file", "bench.json")
    options.check_picture(plot, "the plot is written to a file", "bench.png")
    if needs:
        from hpgrid.bench.roofline import lines

        print("\n".join(lines(searches, sizes)))
        return 0
    sizes = sorted(set(sizes))
    # First calls are made in processes of their own, beside this one: each takes what it needs of a GPU.
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    from hpgrid.bench import fine_grids, grid_search, many_constants
    from hpgrid.bench.harness import FACTORED, PRINTED

    def say(text: str) -> None:
        # What takes minutes is said as soon as it is there.
        if details:
            print(to_width([text]), flush=True)

    note(f"first calls in processes of their own, then {counted(runs, 'round')} of each: some minutes")
    outcomes, swept, texts = [], [], []
    if searches:
        say(f"As printed:       {PRINTED}\nFactored by hand: {FACTORED}, then the rest")
        try:
            outcomes = grid_search.run(searches, sizes, runs, contenders=taking_part, say=say)
        except grid_search.Failed as error:
            print(f"hpgrid: error: {error}", file=sys.stderr)
            return 1
    for size in sizes if SWEEP in tasks else ():
        text, record = many_constants.report(size, runs)
        texts.append(text)
        swept.append(record)
    fine: dict[str, Any] = {}
    if FINE in tasks:
        text, fine = fine_grids.report(runs)
        texts.append(text)
    say("")
    grid_search.answer(outcomes, texts).show(details)
    if json:
        from hpgrid.record import write_json
        from hpgrid.schemas import stamped

        write_json(json, stamped("bench", grid_search.record(outcomes, runs) | {"sweeps": swept, "fine_grids": fine}))
        print(json)
    if plot:
        from hpgrid.bench.cost_plot import draw

        options.write_picture(draw(outcomes), plot)
        print(plot)
    return 0


def _chosen(kind: str, named: Sequence[str] | None, known: Sequence[str] | Mapping[str, Any]) -> tuple[str, ...]:
    """The names that were given, in the order of all there are; all where none was."""
    names = options.known_names(kind, named, known)
    return tuple(name for name in known if not names or name in names)
