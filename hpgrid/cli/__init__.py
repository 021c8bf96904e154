"""The command ``hpgrid``, a file per subcommand.

Nothing heavy is imported until a command needs it, so that help and mistakes are answered at once.
"""

from __future__ import annotations

import _thread
import re
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from cyclopts import App, CycloptsError, Parameter

from hpgrid import __version__
from hpgrid.checks import CALLED, InputError, Note, cut, name_here
from hpgrid.cli.bench import benchmark
from hpgrid.cli.check import check_stated
from hpgrid.cli.critical_batch import print_critical_batch
from hpgrid.cli.exponents import print_exponents
from hpgrid.cli.fit import fit_runs
from hpgrid.cli.new_bound import write_bound
from hpgrid.cli.plot import plot_bound
from hpgrid.cli.plot_sweep import plot_sweep
from hpgrid.cli.reproduce import reproduce_figures
from hpgrid.cli.search import search_bound
from hpgrid.cli.smoothness import print_smoothness
from hpgrid.cli.sweep import run_sweep
from hpgrid.cli.transfer import print_transfer
from hpgrid.cli.verify import verify_claims

app = App(
    name="hpgrid",
    help="What a convergence bound says about tuning: grid search, figures, checks.",
    version=f"hpgrid {__version__}",
    help_format="plaintext",
    default_parameter=Parameter(negative=""),  # no --no-json, no --empty-fix, but where one is said
    suppress_keyboard_interrupt=False,  # main says what Ctrl-C left behind
)
app.command(reproduce_figures, name="reproduce")
app.command(print_exponents, name="exponents")
app.command(print_critical_batch, name="critical-batch")
app.command(verify_claims, name="verify")
app.command(check_stated, name="check")
app.command(benchmark, name="bench")
app.command(run_sweep, name="sweep")
app.command(plot_sweep, name="plot-sweep")
app.command(write_bound, name="new-bound")
app.command(print_smoothness, name="smoothness")
app.command(search_bound, name="search")
app.command(plot_bound, name="plot")
app.command(print_transfer, name="transfer")
app.command(fit_runs, name="fit")


#: An option's name.
_OPTION = re.compile(r"^--([A-Za-z][\w-]*)")


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0 when it ran, 1 when --strict finds a failed check, 2 on bad input."""
    try:
        with _notes(), _heard():
            words = [_OPTION.sub(_named_here, word) for word in (sys.argv[1:] if argv is None else argv)]
            status = app(words, exit_on_error=False, print_error=False, result_action="return_value")
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("hpgrid: interrupted; what is on disk is whole", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        _unread()
    except SystemExit as end:
        # What shows the help says so with 1.
        if isinstance(end.__context__, BrokenPipeError):
            _unread()
        raise
    except (CycloptsError, InputError, OSError) as error:
        # What an option's own reader refuses, it has said itself.
        said = error.__cause__ if isinstance(error.__cause__, InputError) else error
        print(f"hpgrid: error: {' '.join(cut(str(said)).split())}", file=sys.stderr)
        sys.exit(2)
    sys.exit(status or 0)


def _named_here(option: re.Match[str]) -> str:
    """An option by the name that it has here: --eta for --lr."""
    name = option[1].replace("-", "_")
    return f"--{name_here(name)}" if name in CALLED else option[0]


def _unread() -> NoReturn:
    """End well where the reader, head say, has enough: Python would complain of the lost output as it ends."""
    sys.stderr.close()
    sys.exit(0)


@contextmanager
def _heard() -> Iterator[None]:
    """Hear Ctrl-C everywhere: where Python can't raise it, in what its garbage collector calls, it comes once more."""
    # A moment later, from a thread of its own: at once, it would be lost in the same call.

    def again(lost: Any) -> None:
        if issubclass(lost.exc_type, KeyboardInterrupt):
            threading.Timer(0.02, _thread.interrupt_main).start()
        else:
            shown(lost)

    shown, sys.unraisablehook = sys.unraisablehook, again
    try:
        yield
    finally:
        sys.unraisablehook = shown


@contextmanager
def _notes() -> Iterator[None]:
    """Say notes on standard error, each once; whatever a person makes of warnings, these are none."""
    said: set[str] = set()

    def show(message: Any, category: type[Warning], *where: Any) -> None:
        if not issubclass(category, Note):
            shown(message, category, *where)
        elif str(message) not in said:
            said.add(str(message))
            print(f"hpgrid: note: {message}", file=sys.stderr)

    with warnings.catch_warnings():
        shown, warnings.showwarning = warnings.showwarning, show  # type: ignore[assignment]
        warnings.simplefilter("always", Note)
        yield
