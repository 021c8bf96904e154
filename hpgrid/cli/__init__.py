"""The command ``hpgrid``, a file per subcommand.

Nothing heavy is imported until a command needs it, so that help and mistakes are answered at once. Nor do commands'
annotations wait to be read: as text they would be compiled by each run, one by one.
"""

from __future__ import annotations

import _thread
import os
import re
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from textwrap import wrap
from typing import Any, NoReturn

from cyclopts import App, CoercionError, CycloptsError, MissingArgumentError, Parameter, UnusedCliTokensError

from hpgrid import __version__
from hpgrid.checks import CALLED, InputError, Note, bad, cut, name_here
from hpgrid.text import GLUE, columns

app = App(
    name="hpgrid",
    help="What a convergence bound says about tuning: grid search, figures, checks.",
    version=f"hpgrid {__version__}",
    help_format="plaintext",
    default_parameter=Parameter(negative=""),  # no --no-json, no --empty-fix, but where one is said
    suppress_keyboard_interrupt=False,  # main says what Ctrl-C left behind
)

#: Of each command its name, and in which function it is; the first sentence of that, so that help loads none; and what
#: stands at the end of its help: command lines that run as they stand, where the files are there.
_COMMANDS = """
reproduce reproduce_figures
    Reproduce the papers' figures, and hpgrid's own: for each NAME, its picture, NAME.npz and NAME.json.
    $ hpgrid reproduce fig1
    $ hpgrid reproduce fig1 --C2 30 --out mine
bounds print_bounds
    List the published bounds: formula, variables, where each holds, source; or show one with its laws, exact.
    $ hpgrid bounds
    $ hpgrid bounds local_sgd
compare compare_sources
    Compare the exponents of bounds, of studies and of your own runs, question by question: who can agree.
    $ hpgrid compare eta-T
    $ hpgrid compare all --sources all --fit runs.csv
exponents print_exponents
    Say how the best hyperparameters and the risk scale with the budget: exact exponents, whole laws.
    $ hpgrid exponents lmo --tune eta,b --fix beta=0.999
    $ hpgrid exponents --bound "D/(eta*K) + s/sqrt(b) + L*eta" --set D=1,s=2,L=3 --tune eta,b
critical-batch print_critical_batch
    Find the batch size that reaches a target in the fewest tokens, beside the papers' formulas for it.
    $ hpgrid critical-batch --eta 1e-2 --beta 0.95 --sigma 100 --Delta0 100 --G0 10 --eps 4
verify verify_claims
    Verify a paper's claims: measured against stated, by up to three routes, with a verdict for each.
    $ hpgrid verify S.eq9,S.table3
    $ hpgrid verify --source atlas --strict
check check_stated
    Say of stated scaling laws whether they hold, fail, or can't be told, by all routes, with the numbers.
    $ hpgrid check lmo --claim "b ~ T^1/6"
    $ hpgrid check --fit runs.csv --schedule constant
bench benchmark
    Time grid searches by hpgrid and by others, check that all agree, and say what the device could do at most.
    $ hpgrid bench --only R1 --n 50
    $ hpgrid bench --needs
sweep run_sweep
    Sweep a bound's constants: best points, refined optima and slopes of every combination, in one Zarr store.
    $ hpgrid sweep examples/sweep.toml --out run.zarr
plot-sweep plot_sweep
    Draw maps of a sweep over two constants, and how exponents stay while constants move.
    $ hpgrid plot-sweep run.zarr
new-bound write_bound
    Write a commented TOML file with a bound of your own: to edit, and to give to the other commands.
    $ hpgrid new-bound mine.toml
smoothness print_smoothness
    Estimate the D-smoothness of a norm's dual: over random pairs, in the worst case, for the noise at hand.
    $ hpgrid smoothness --norm muon --shape 128x32 --pairs 10000
search search_bound
    Search a bound's best hyperparameters at every budget: on a grid, refined, and how they scale.
    $ hpgrid search lmo --tune eta,b --fix beta=0.999
    $ hpgrid search lmo --tune eta,b --fix beta=0.999 --T 1B,10B
    $ hpgrid search lmo --tune eta,b --fix beta=0.999 --risk 0.01
plot plot_bound
    Draw what a bound says about tuning: best risks and optima against the budget, or contours over it and b.
    $ hpgrid plot lmo --tune eta,b --fix beta=0.999 --out lmo.png
explore explore_bound
    Write a bound as one HTML file: its optimum, contours, curves and exact laws, moved by sliders in a browser.
    $ hpgrid explore lmo --out lmo.html
    $ hpgrid explore sgd --budget K --set sigma=10
transfer print_transfer
    Say what eta, b and beta become at another token budget, by a bound's exact laws, and what others say of it.
    $ hpgrid transfer --from eta=3e-4,b=512k,beta=0.95,T=2.5B --to 1T --max-b 2M
    $ hpgrid transfer --from muon:eta=0.02 --from adamw:eta=3e-4 --from b=512k,T=2.5B --to 1T
fit fit_runs
    Say what learning rate and batch size to set at another token budget, by the runs that one has.
    $ hpgrid fit examples/constant_rate.csv --predict 96000 --schedule constant
    $ hpgrid fit runs.csv --predict T=1e11 --design 12
schema print_schema
    Print the JSON Schema of what a command gives as JSON: every key, what it is, and which may be missing.
    $ hpgrid schema search
"""
COMMANDS, EXAMPLES = dict[str, tuple[str, str]](), dict[str, list[str]]()
for _row in re.split(r"\n(?=\w)", _COMMANDS.strip()):
    _first, _what, *_lines = (line.strip() for line in _row.split("\n"))
    _name, _function = _first.split()
    _where = f"{_name.replace('-', '_')}:{_function}"
    COMMANDS[_name], EXAMPLES[_name] = (_where, _what), [line.removeprefix("$ ") for line in _lines]
    app.command(f"hpgrid.cli.{_where}", name=_name, help=_what)


#: An option's name.
_OPTION = re.compile(r"^--([A-Za-z][\w-]*)")


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0 when it ran, 1 when --strict finds a failed check, 2 on bad input."""
    try:
        with _notes(), _heard():
            words = [_OPTION.sub(_named_here, word) for word in (sys.argv[1:] if argv is None else argv)]
            if words and words[0] in COMMANDS:
                app[words[0]].help = None  # its function's words, all of them
                app[words[0]].help_epilogue = "\n".join(["Examples:", *map(_typed, EXAMPLES[words[0]])])
                if "--help" in words:  # asked for without what reads a line, in half the time
                    app.help_print(words[:1])
                    sys.exit(0)
            elif "--install-completion" not in app:  # 10 ms and more, which no command need wait for
                app.register_install_completion_command(help="Install completion for the shell: bash, zsh or fish.")
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
        said: Exception = error.__cause__ if isinstance(error.__cause__, InputError) else error
        said = _in_form(said, words) if isinstance(said, CycloptsError) and words[0] in COMMANDS else said
        print(f"hpgrid: error: {' '.join(cut(str(said)).split())}", file=sys.stderr)
        sys.exit(2)
    sys.exit(status or 0)


#: What the value of an option is, and one.
_KINDS: dict[Any, tuple[str, str]] = {
    bool: ("stands alone", ""), int: ("is a whole number", " 7, say"), float: ("is a number", " 0.5, say"),
}  # fmt: skip


def _in_form(error: CycloptsError, words: Sequence[str]) -> Exception:
    """What is refused as a command's line is read, in the one form of all mistakes, as far as that has one."""
    example = f"{EXAMPLES[words[0]][0]}, say"
    if isinstance(error, MissingArgumentError):
        name = error.keyword or str(error.argument and error.argument.name)
        rule = "has a value, after = where it begins with -"
        return bad(
            f"{name} {rule}" if name in words else f"hpgrid {words[0]} must have {name}", " ".join(words), example
        )
    if isinstance(error, UnusedCliTokensError):
        return bad(f"hpgrid {words[0]} takes no further words", " ".join(error.unused_tokens or ()), example)
    if isinstance(error, CoercionError) and error.token and error.target_type in _KINDS:
        rule, value = _KINDS[error.target_type]
        return bad(f"{error.token.keyword} {rule}", error.token.value, f"{error.token.keyword}{value}")
    return error


def _typed(line: str) -> str:
    """A command line in lines that fit the terminal, broken before options, which a shell takes as one."""
    whole = line.replace(" ", GLUE).replace(f"{GLUE}--", " --")
    parts = wrap(whole, columns() - 2, initial_indent="  ", subsequent_indent=" " * 6, break_on_hyphens=False)
    return " \\\n".join(parts).replace(GLUE, " ")


def _named_here(option: re.Match[str]) -> str:
    """An option by the name that it has here: --eta for --lr."""
    name = option[1].replace("-", "_")
    return f"--{name_here(name)}" if name in CALLED else option[0]


def _unread() -> NoReturn:
    """End well where the reader, head say, has enough: what is still to be written as Python ends goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
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
