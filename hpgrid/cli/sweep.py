"""``hpgrid sweep``: many constants, block by block, into a store that loses nothing."""

import os
import re
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from hpgrid.checks import SEARCH_METHODS, bad, check_choice
from hpgrid.cli import options
from hpgrid.cli.options import about
from hpgrid.progress import asking
from hpgrid.text import counted

if TYPE_CHECKING:
    import xarray

#: Bytes in a unit of memory.
UNITS = {"": 1, "B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
UNITS |= {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}

#: A number of devices, combinations or processes.
_count = partial(about, converter=options.whole(example=2))

#: Seconds after Ctrl-C within which a sweep ends, in the middle of a block where it must.
GRACE = 1.5


def run_sweep(
    config: Annotated[Path, about("A TOML file: the bound, its constants, the grid, the regimes.")],
    /,
    *,
    out: Annotated[Path | None, about("The Zarr store, made or gone on with.")] = None,
    bound: options.Written = None,
    domain: options.Domain = None,
    var: options.Var = None,
    csv: Annotated[Path | None, about("Write the slopes to this file as a flat table.")] = None,
    method: Annotated[str, about("exact leaves out cells that can't be best; brute compares all.")] = "exact",
    devices: Annotated[int | None, _count("How many local devices brute force uses; all by default.")] = None,
    memory: Annotated[str | None, about("The most memory brute force may use at once, such as 8GiB.")] = None,
    block: Annotated[int | None, _count("The most combinations of a block: what a kill loses.")] = None,
    processes: Annotated[int | None, _count("How many processes share the blocks, each started apart.")] = None,
    process_id: Annotated[int | None, _count("Which of them this one is, from 0 on.")] = None,
    coordinator: Annotated[
        str | None, about("HOST:PORT of process 0, or auto under SLURM or on a TPU: it says which this is.")
    ] = None,
    yes: options.Yes = False,
) -> int:
    """Sweep a bound's constants: best points, refined optima and slopes of every combination, in one Zarr store.

    Killed at any moment, the same command goes on from the last whole block, to the same result.
    """
    check_choice("method", method, SEARCH_METHODS)
    most = None if memory is None else bytes_of(memory)
    options.check_file(csv, "the table of slopes is written to a file", "slopes.csv")
    if out is None:
        raise bad("a sweep writes a store", "no --out", "--out RUN.zarr")
    from hpgrid.sweeps.plan import load

    plan = load(config, bound, domain, var)  # no NumPy yet: a mistake in the file is answered at once
    options.remark(plan.bound)
    options.use_compilation_cache()
    with _ends_on_interrupt(out), asking(yes):
        from hpgrid.sweeps.cluster import share_of
        from hpgrid.sweeps.measure import Options
        from hpgrid.sweeps.run import run

        share = share_of(coordinator, processes, process_id)
        done = run(plan, out, Options(method, devices, most), block=block, share=share)
        part = f" as one of {share[0]} processes" if share[0] > 1 else ""
        found = f", {done.found} of them found whole" if done.found else ""
        damaged = f", {done.damaged} found damaged and computed again" if done.damaged else ""
        blocks = f"{done.own} of {counted(done.blocks, 'block')}{part}{found}{damaged}"
        mended = f", damaged metadata and coordinates made again: {done.mended}" if done.mended else ""
        swept = f"{counted(plan.combinations, 'combination')}, {blocks}{mended}: {done.seconds:.1f} s"
        print(out, swept, *done.notes, sep="\n")
        if csv is not None:
            from hpgrid.sweeps.store import open_sweep, write_slopes

            data = open_sweep(out)
            remark_unfinished(data)
            write_slopes(data, csv)
            print(csv)
    return 0


def remark_unfinished(data: "xarray.Dataset") -> None:
    """Say on standard error where a sweep is not whole yet."""
    whole, blocks = data.attrs["whole_blocks"], data.attrs["blocks"]
    if whole < blocks:
        print(
            f"hpgrid: note: {whole} of the store's {counted(blocks, 'block')} are whole; the others are not yet",
            file=sys.stderr,
        )


def bytes_of(text: str) -> int:
    """Return 8GiB, 500MB or a number of bytes as that number."""
    found = re.fullmatch(r"(\d{1,15}(?:\.\d{1,6})?)\s*([A-Za-z]{0,3})", text.strip())
    size = int(float(found[1]) * UNITS[found[2]]) if found and found[2] in UNITS else 0
    if size < 1:
        raise bad("--memory is a number of bytes", text, f"8GiB or 500MB, say; units are {', '.join(list(UNITS)[2:])}")
    return size


@contextmanager
def _ends_on_interrupt(out: Path) -> Iterator[None]:
    """Say on Ctrl-C how to go on, and end with 130: at once, or in the middle of a block if that takes too long.

    Python hears of a signal only between two steps of its own; a thread hears it at once, however long XLA
    computes or compiles. Whatever is cut short has no marker, and is computed again.
    """
    heard, told = os.pipe()
    os.set_blocking(told, False)
    over = threading.Event()

    def listen() -> None:
        if os.read(heard, 1) == bytes([signal.SIGINT]) and not over.wait(GRACE):
            _interrupted(out)
            os._exit(130)

    before = signal.set_wakeup_fd(told, warn_on_full_buffer=False)
    threading.Thread(target=listen, daemon=True).start()
    try:
        yield
    except KeyboardInterrupt:
        over.set()
        _interrupted(out)
        sys.exit(130)
    finally:
        over.set()
        signal.set_wakeup_fd(before)
        os.write(told, b"\0")


def _interrupted(out: Path) -> None:
    print(f"\nhpgrid: interrupted; every whole block is in {out}: the same command goes on from there", file=sys.stderr)
    sys.stderr.flush()
