"""Malformed command lines, formulas, TOML and CSV: mutants of valid ones, each answered, or refused in one line.

A mutant is one that is answered within a second or refused before anything is computed: sweeps are asked for a process
that is not, figures for a grid of one point, so that a file that is still valid ends there.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from hpgrid.cli import main
from hpgrid.config import shipped

#: CPU seconds beyond which an answer is a fault. A mistake takes milliseconds; machines differ, imports come first.
SLOW = 5.0

#: Characters beyond which a message is no line that a person reads.
LONGEST = 700

#: What is put where something else belongs.
HOSTILE = (
    *(
        "",
        " ",
        "nan",
        "inf",
        "-inf",
        "-1",
        "0",
        "1e400",
        "-1e-400",
        "1e-320",
        "9" * 40,
        "0x10",
        "1_000",
        "True",
        "none",
    ),
    *(
        "[]",
        "{}",
        "[[]]",
        "{a=1}",
        "'",
        '"',
        "\\",
        "$",
        "%s",
        "{0}",
        "--",
        "-",
        "-x",
        "=",
        ",",
        ";",
        ":",
        "#",
        "\n",
        "\t",
    ),
    *(
        "1/0",
        "T^1/0",
        "b=",
        "=1",
        "b==1",
        "b=1=2",
        "1:2:3:4",
        "eta",
        "b",
        "alpha",
        "beta",
        "T",
        "K",
        "C1",
        "q",
        "sqrt(",
    ),
    *(
        "é",
        "ß",
        "λ",
        "\uff11",
        "\u202e",
        "\u00a0",
        "\ufeff",
        "😀",
        "a" * 300,
        "../..",
        "/dev/null",
        "__import__",
        "1e9999",
    ),
)

#: Answers that need no compiling, by the words of a command line.
COMMANDS = (
    "exponents lmo --tune eta,b --fix beta=0.999",
    "exponents lmo --tune eta,b,alpha --cap b=1e6 --set C1=2,q=2/3 --json",
    "exponents sgd --tune eta,alpha --path b=T^1/2 --budget T",
    "exponents --bound C1*b/(eta*T)+C2*sqrt(alpha/b)+C3*eta/alpha --set C1=1,C2=2,C3=3 --tune eta,b --fix alpha=0.1",
    "exponents --bound D/(eta*K)+L*eta**g --set D=1,L=2,g=1/3 --tune eta --budget K --latex",
    "transfer --from eta=3e-4,b=524288,beta=0.95,T=2.5e9 --to T=1e12 --max-b 2e6",
    "transfer --from eta=3e-4,b=512,beta=0.95,T=1e8 --to K=1e6 --json",
    "verify S.eq7.b",
    "verify --source shulgin2026",
    "reproduce --list",
    "reproduce fig1 --C1 2 --out OUT --format png",
    "reproduce fig1 --redraw --out OUT",
    "sweep none.toml --out OUT --block 2 --method exact --memory 1GiB",
    "plot-sweep none.zarr --pair C1,C2 --at C3=1 --T 1e12 --out OUT/x.png",
    "new-bound OUT/x.txt",
)

SWEEP = """bound = "lmo"
min_K = 1
[constants]
C1 = 1.0
C2 = { lo = 1e-2, hi = 1e3, n = 3 }
C3 = [0.1, 10.0]
[grid]
preset = "footnote"
n = 16
T = { lo = 1e3, hi = 1e9, n = 4 }
[[regime]]
name = "all tuned"
tuned = ["eta", "b", "alpha"]
caps = { b = 1e6 }
[[regime]]
tuned = ["eta", "b"]
fixed = { alpha = 0.001 }
[[regime]]
tuned = ["eta", "alpha"]
path = { b = "1/2" }
"""

ROWS = (
    'bound = "lmo"\nrows = "rows.csv"\n[constants]\nC1 = 1\n[[regime]]\ntuned = ["eta", "b"]\nfixed = { alpha = 0.1 }\n'
)

CSV = "C2,C3,q\n1,2,0.5\n3e2,4,0.5\n5,6.5,1\n"

BOUND = 'bound = "C1*b/(eta*T) + C2*sqrt(alpha/b) + C3*eta/alpha"\n[constants]\nC1 = 1.0\nC2 = 2\nC3 = 0.5\n'

FIGURES = ("fig1", "fig9", "fig11", "star1", "cbs1", "cbs3", "smooth1", "noise1", "lmo1")


def case(rng: np.random.Generator) -> str | None:
    """Draw one input and run it; return what is wrong with the answer, or None."""
    kinds: tuple[Callable[[np.random.Generator], tuple[list[str], dict[str, str]]], ...] = (_line, _sweep, _rows)
    kinds += (_bound, _figure)
    arguments, files = kinds[rng.integers(len(kinds))](rng)
    fault = answer(arguments, files)
    return None if fault is None else f"{fault}\n  hpgrid {arguments!r}\n  {files!r}"


def answer(arguments: list[str], files: dict[str, str]) -> str | None:
    """Run a command where some files are; return what is wrong with how it ends, or None."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        os.chdir(folder)
        stack.callback(os.chdir, before)
        for name, text in files.items():
            Path(name).write_bytes(text.encode("utf-8", "surrogatepass"))
        there = {*Path().rglob("*")}
        out, err = io.StringIO(), io.StringIO()
        began, code = time.process_time(), None
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), warnings.catch_warnings():
            for kind in (RuntimeWarning, UserWarning):
                warnings.simplefilter("error", kind)
            try:
                main(arguments)
            except SystemExit as end:
                code = end.code or 0
            except BaseException:
                return f"a traceback:\n{traceback.format_exc(limit=-3)}"
        seconds = time.process_time() - began
        left = {str(path) for path in {*Path().rglob("*")} - there}
    said = [line for line in err.getvalue().splitlines() if not line.startswith("hpgrid: note: ")]
    if code == 0:
        fault = f"says {said}" if said else None
    elif code != 2 or len(said) != 1 or not said[0].startswith("hpgrid: error: ") or out.getvalue():
        fault = f"ends with {code}, and says {out.getvalue()[:200]!r}, {err.getvalue()[:600]!r}"
    elif len(said[0]) > LONGEST:
        fault = f"a message of {len(said[0])} characters: {said[0][:400]}"
    else:
        fault = f"leaves {sorted(left)}" if left - {"OUT"} else None
    return fault or (f"takes {seconds:.1f} s of CPU" if seconds > SLOW else None)


# --- mutants ---


def mutated(rng: np.random.Generator, parts: list[str], glue: tuple[str, ...] = ()) -> list[str]:
    """Return parts, one to three of them dropped, doubled, swapped, replaced, or changed within."""
    parts = list(parts)
    for _ in range(rng.integers(1, 4)):
        if not parts:
            break
        k, j = (int(x) for x in rng.integers(len(parts), size=2))
        hostile = str(rng.choice(np.array([*HOSTILE, *glue], dtype=object)))
        match int(rng.integers(6)):
            case 0:
                del parts[k]
            case 1:
                parts.insert(j, parts[k])
            case 2:
                parts[k], parts[j] = parts[j], parts[k]
            case 3:
                parts[k] = hostile
            case 4:
                parts.insert(k, hostile)
            case _:
                at = int(rng.integers(len(parts[k]) + 1))
                parts[k] = parts[k][:at] + hostile[:3] + parts[k][at + int(rng.integers(2)) :]
    return parts


def _text(rng: np.random.Generator, text: str) -> str:
    """A mutant of a text: of its lines, or of its words and signs."""
    if rng.random() < 0.2:
        return "\n".join(mutated(rng, text.splitlines()))
    return "".join(mutated(rng, re.findall(r"[\w.]+|\s+|.", text)))


def _line(rng: np.random.Generator) -> tuple[list[str], dict[str, str]]:
    words = str(rng.choice(COMMANDS)).split()
    # Inside a word, too: NAME=VALUE pairs, lists, formulas.
    k = int(rng.integers(1, len(words)))
    if rng.random() < 0.5:
        words[k] = _text(rng, words[k])
    else:
        words[1:] = mutated(rng, words[1:])
    # Whatever became of the rest, no ledger and no figure is computed.
    return [*words, *{"verify": ["--list"], "reproduce": ["--n", "1"]}.get(words[0], [])], {}


def _sweep(rng: np.random.Generator) -> tuple[list[str], dict[str, str]]:
    return _never_run(_text(rng, SWEEP))


def _rows(rng: np.random.Generator) -> tuple[list[str], dict[str, str]]:
    arguments, files = _never_run(ROWS)
    return arguments, files | {"rows.csv": _text(rng, CSV)}


def _never_run(text: str) -> tuple[list[str], dict[str, str]]:
    """A sweep in a process that is none of them."""
    return ["sweep", "own.toml", "--out", "OUT", "--processes", "1", "--process-id", "1"], {"own.toml": text}


def _bound(rng: np.random.Generator) -> tuple[list[str], dict[str, str]]:
    return ["exponents", "own.toml", "--tune", "eta,b", "--fix", "alpha=0.1"], {"own.toml": _text(rng, BOUND)}


def _figure(rng: np.random.Generator) -> tuple[list[str], dict[str, str]]:
    """A figure on a grid of one point; of one without a grid, which takes no --n."""
    text = shipped(str(rng.choice(FIGURES))).read_text(encoding="utf-8")
    return ["reproduce", "--config", "own.toml", "--n", "1", "--out", "OUT"], {"own.toml": _text(rng, text)}
