"""Golden answers: what every command says, kept in files, and two such folders compared.

    python scripts/golden.py make FOLDER [GROUP ...]     commands, figures, sweep, ledger; all of them by default
    python scripts/golden.py make tests/golden contract  the small ones that tests hold, after a change on purpose
    python scripts/golden.py compare OLD NEW             says what differs, and exits with 1

For a change that is to change no answer: make one before, one after. Times and versions are left out.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

EQ4 = "C1*b/(eta*T) + C2*sqrt(b)/(alpha*T) + C2*sqrt(alpha/b) + C3*eta*(1+1/alpha)"
KINKED = "max(b/(eta*T), sqrt(alpha/b), eta/alpha)"
A02 = "D/(eta*K) + s*sqrt(alpha/b) + s/(alpha*sqrt(b)*K) + L*eta/alpha"
START = ["--from", "eta=3e-4,b=524288,beta=0.95,T=2.5e9", "--to", "T=1e12"]
CRITICAL = ["--beta", "0.95", "--eta", "1e-2", "--sigma", "100", "--Delta0", "100", "--G0", "10"]

#: A name, and what is typed after ``hpgrid``.
COMMANDS: dict[str, list[str]] = {
    "exponents-joint": ["exponents", "lmo", "--tune", "eta,b,alpha", "--json"],
    "exponents-text": ["exponents", "lmo", "--tune", "eta,b,alpha"],
    "exponents-latex": ["exponents", "lmo", "--tune", "eta,b,alpha", "--latex"],
    "exponents-latex-fixed": ["exponents", "lmo", "--tune", "eta,b", "--fix", "beta=0.999", "--latex"],
    "exponents-path": ["exponents", "lmo", "--tune", "eta,alpha", "--path", "b=T^1/2", "--json"],
    "exponents-cap": ["exponents", "lmo", "--tune", "eta,b,alpha", "--cap", "b=1e6", "--json"],
    "exponents-K": ["exponents", "lmo", "--tune", "eta,alpha", "--fix", "b=1072", "--budget", "K", "--json"],
    "exponents-q": ["exponents", "lmo", "--tune", "eta,b,alpha", "--set", "C2=30,q=2/3", "--json"],
    "exponents-E0": ["exponents", "lmo", "--tune", "eta,b,alpha", "--set", "E0=1", "--json"],
    "exponents-sgd": ["exponents", "sgd", "--tune", "eta,b", "--json"],
    "exponents-text-bound": ["exponents", "--bound", EQ4, "--set", "C1=1,C2=1,C3=1", "--tune", "eta,b,alpha", "--json"],
    "exponents-no-law": ["exponents", "--bound", KINKED, "--tune", "eta,b,alpha", "--json"],
    "search-fixed-alpha": ["search", "lmo", "--over", "eta,b", "--fix", "beta=0.999", "--n", "40", "--json"],
    "search-fixed-alpha-text": ["search", "lmo", "--over", "eta,b", "--fix", "beta=0.999", "--n", "40"],
    "search-fixed-b": ["search", "lmo", "--over", "eta,alpha", "--fix", "b=1072", "--n", "40", "--json"],
    "search-joint": ["search", "lmo", "--over", "eta,b,alpha", "--n", "40", "--json"],
    "search-joint-text": ["search", "lmo", "--over", "eta,b,alpha", "--n", "40"],
    "search-path": ["search", "lmo", "--over", "eta,alpha", "--path", "b=T^1/2", "--n", "30", "--json"],
    "search-cap": ["search", "lmo", "--over", "eta,b,alpha", "--cap", "b=1e6", "--n", "30", "--json"],
    "search-min-K": ["search", "lmo", "--over", "eta,b", "--fix", "alpha=0.01", "--min-K", "1", "--n", "30", "--json"],
    "search-float32": [
        "search",
        "lmo",
        "--over",
        "eta,b",
        "--fix",
        "alpha=1e-3",
        "--dtype",
        "float32",
        "--n",
        "30",
        "--json",
    ],
    "search-K": ["search", "lmo", "--over", "eta,alpha", "--fix", "b=32", "--budget", "K", "--n", "30", "--json"],
    "search-function": ["search", "--bound", KINKED, "--over", "eta,b,alpha", "--n", "12", "--json"],
    "search-star-convex": [
        "search",
        "star_convex",
        "--over",
        "eta,b",
        "--fix",
        "beta=0.95",
        "--set",
        "lam=0.1",
        "--n",
        "20",
        "--json",
    ],
    "search-a01-constant": [
        "search",
        "lmo",
        "--over",
        "eta,b",
        "--fix",
        "beta=0.999",
        "--axis",
        "T=1e2:1e6:40",
        "--json",
    ],
    "search-a01-alpha": ["search", "lmo", "--over", "eta,alpha", "--fix", "b=1e6", "--axis", "T=1e2:1e12:60", "--json"],
    "search-a02": [
        "search",
        "--bound",
        A02,
        "--set",
        "D=7.2,s=0.6,L=28",
        "--over",
        "eta,b,alpha",
        "--n",
        "40",
        "--json",
    ],
    "advise": ["search", "lmo", "--over", "eta,b", "--fix", "beta=0.999", "--T", "1e12", "--json"],
    "advise-text": ["search", "lmo", "--over", "eta,b", "--fix", "beta=0.999", "--T", "1e12"],
    "advise-joint": ["search", "lmo", "--over", "eta,b,alpha", "--T", "1e12", "--json"],
    "reach": ["search", "lmo", "--over", "eta,b", "--fix", "beta=0.999", "--risk", "0.01", "--max-K", "1e8", "--json"],
    "reach-text": ["search", "lmo", "--over", "eta,b", "--fix", "beta=0.999", "--risk", "0.01", "--max-K", "1e8"],
    "check-sixth": ["check", "lmo", "--claim", "b ~ T^1/6", "--json"],
    "check-half": ["check", "lmo", "--claim", "b ~ T^1/2", "--json"],
    "check-text": ["check", "lmo", "--claim", "b ~ T^1/6", "--claim", "b ~ T^1/2"],
    "check-held": ["check", "lmo", "--claim", "alpha ~ C1^1/2 C3^1/2 C2^-1 b T^-1/2 @ fixed b", "--json"],
    "check-path": ["check", "lmo", "--claim", "eta ~ T^-1/2 @ b = T^1/4", "--json"],
    "check-constant": ["check", "lmo", "--claim", "b = 0.315 T^1/6", "--json"],
    "check-log": [
        "check",
        "star_convex",
        "--set",
        "lam=0.1",
        "--claim",
        "b ~ (T/log T)^(2/3) @ fixed beta = 0.95",
        "--json",
    ],
    "transfer": ["transfer", *START, "--json"],
    "transfer-text": ["transfer", *START, "--max-b", "2e6", "--calibrate"],
    "transfer-calibrate": ["transfer", *START, "--max-b", "2e6", "--calibrate", "--json"],
    "transfer-set": ["transfer", *START, "--set", "C1=1,C2=30,C3=4", "--json"],
    "transfer-set-text": ["transfer", *START, "--set", "C1=1,C2=30,C3=4"],
    "transfer-round": ["transfer", *START, "--round-b", "pow2", "--max-eta", "1e-5", "--json"],
    "transfer-to-b": ["transfer", *START, "--to-b", "1e6", "--calibrate", "--json"],
    "transfer-seq": [
        "transfer",
        "--from",
        "eta=3e-4,b=128,beta=0.95,T=2.5e9",
        "--to",
        "T=1e12",
        "--seq-len",
        "4096",
        "--json",
    ],
    "transfer-one": ["transfer", *START, "--regime", "D", "--calibrate", "--json"],
    "transfer-sgd": ["transfer", *START, "--optimizer", "sgd", "--json"],
    "transfer-short": [
        "transfer",
        "--from",
        "eta=3e-4,b=524288,beta=0.95,T=1e12",
        "--to",
        "T=2.5e7",
        "--calibrate",
        "--json",
    ],
    "transfer-alpha-one": ["transfer", "--from", "eta=3e-4,b=65536,beta=0.5,T=1e12", "--to", "T=1e9", "--calibrate"],
    "critical": ["critical-batch", *CRITICAL, "--eps", "4", "--json"],
    "critical-text": ["critical-batch", *CRITICAL, "--eps", "4"],
    "critical-revised": ["critical-batch", *CRITICAL, "--eps", "4", "--form", "revised", "--json"],
    "critical-frobenius": ["critical-batch", *CRITICAL, "--eps-prime", "3", "--norm", "frobenius", "--json"],
    "critical-gap": [
        "critical-batch",
        "--beta",
        "0.95",
        "--eta",
        "1e-2",
        "--sigma",
        "1",
        "--Delta0",
        "10",
        "--G0",
        "10",
        "--lam",
        "0.1",
        "--measure",
        "gap",
        "--eps",
        "5",
        "--json",
    ],
    "critical-vacuous": ["critical-batch", "--beta", "0.95", "--eta", "1e-2", "--eps", "2", "--G0", "1", "--json"],
    "smoothness": ["smoothness", "--norm", "muon", "--shape", "8x4", "--pairs", "200", "--json"],
    "verify-some": ["verify", "S.eq9", "S.table3", "--json", "-"],
}


#: What tests hold: an answer of each command that prints JSON, and a law in LaTeX; quick, and small on disk.
CONTRACT: dict[str, list[str]] = {
    "exponents": COMMANDS["exponents-joint"],
    "latex": COMMANDS["exponents-latex"],
    "search": [
        *("search", "lmo", "--over", "eta,b", "--fix", "beta=0.999", "--n", "40", "--axis", "T=1e10:1e20:6"),
        "--json",
    ],
    "advise": COMMANDS["advise"],
    "reach": COMMANDS["reach"],
    "check": COMMANDS["check-sixth"],
    "transfer": COMMANDS["transfer-one"],
    "critical-batch": COMMANDS["critical"],
    "smoothness": COMMANDS["smoothness"],
    "verify": COMMANDS["verify-some"],
}


def say(arguments: list[str]) -> str:
    """Return what a command prints, its exit status first."""
    from hpgrid.cli import main

    os.environ["COLUMNS"] = "1000"  # whatever terminal it is run on
    out, err = io.StringIO(), io.StringIO()
    status: object = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(arguments)
        except SystemExit as end:
            status = end.code
    return f"status {status}\n{out.getvalue()}{err.getvalue()}"


def answer(arguments: list[str]) -> str:
    """Return what a command prints, or what it writes to the file that stands as "-"."""
    with tempfile.TemporaryDirectory() as scratch, contextlib.chdir(scratch):
        rows = Path("rows.json")
        text = say([str(rows) if each == "-" else each for each in arguments])
        return "status 0\n" + rows.read_text() if rows.exists() else text


def make_commands(folder: Path) -> None:
    """Write what each of ``COMMANDS`` prints."""
    for name, arguments in COMMANDS.items():
        (folder / f"{name}.txt").write_text(answer(arguments))


def make_contract(folder: Path) -> None:
    """Write what each of ``CONTRACT`` prints, without what differs between two runs."""
    for name, arguments in CONTRACT.items():
        text = answer(arguments).partition("\n")[2]
        kept = text if name == "latex" else json.dumps(plain(json.loads(text)), indent=1) + "\n"
        (folder / (f"{name}.tex" if name == "latex" else f"{name}.json")).write_text(kept)


def make_figures(folder: Path) -> None:
    """Write every figure's arrays and record, from twelve values an axis where it has axes."""
    from hpgrid.paper import FIGURES

    small = {"smooth1": "pairs = 20", "noise1": "seeds = 3", "lmo1": "seeds = 4"}
    for name in FIGURES:
        with tempfile.TemporaryDirectory() as scratch:
            typed = ["reproduce", name, "--n", "12", "--out", scratch]
            if name in small:  # no axes, but numbers of samples
                from hpgrid.config import shipped

                key, _, _ = small[name].partition(" =")
                lines = [
                    small[name] if line.split(" =")[0] == key else line
                    for line in shipped(name).read_text().splitlines()
                ]
                config = Path(scratch) / f"{name}.toml"
                config.write_text("\n".join(lines) + "\n")
                typed = ["reproduce", "--config", str(config), "--out", scratch]
            elif name.startswith("cbs"):
                typed = ["reproduce", name, "--out", scratch]
            text = say(typed).replace(scratch, "OUT")
            (folder / f"{name}.txt").write_text(text)
            for file in Path(scratch).glob(f"{name}.*"):
                if file.suffix in (".npz", ".json"):
                    (folder / file.name).write_bytes(file.read_bytes())


SWEEP = """bound = "lmo"
[constants]
C1 = 1.0
C2 = { lo = 1e-2, hi = 1e3, n = 3 }
C3 = [0.1, 10.0]
[grid]
preset = "footnote"
n = 16
[[regime]]
name = "all tuned"
tuned = ["eta", "b", "alpha"]
[[regime]]
name = "fixed momentum"
tuned = ["eta", "b"]
fixed = { alpha = 0.001 }
[[regime]]
name = "fixed batch size"
tuned = ["eta", "alpha"]
fixed = { b = 1072 }
"""


def make_sweep(folder: Path) -> None:
    """Write a small sweep's table of slopes."""
    with tempfile.TemporaryDirectory() as scratch:
        config, store, table = (Path(scratch) / name for name in ("sweep.toml", "run.zarr", "slopes.csv"))
        config.write_text(SWEEP)
        text = say(["sweep", str(config), "--out", str(store), "--csv", str(table)])
        (folder / "sweep.txt").write_text(text.splitlines()[0] + "\n")
        if table.exists():
            (folder / "sweep.csv").write_bytes(table.read_bytes())


def make_ledger(folder: Path) -> None:
    """Write every row of the ledger."""
    with tempfile.TemporaryDirectory() as scratch:
        rows = Path(scratch) / "rows.json"
        say(["verify", "--json", str(rows)])
        (folder / "ledger.json").write_bytes(rows.read_bytes())


GROUPS: dict[str, Callable[[Path], None]] = {
    "commands": make_commands,
    "figures": make_figures,
    "sweep": make_sweep,
    "ledger": make_ledger,
    "contract": make_contract,
}

#: What differs between two runs of one version.
FLEETING = {"seconds", "versions", "device", "schema_versions"}


def plain(value: Any) -> Any:
    """Return JSON without what differs between two runs."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if key not in FLEETING}
    return [plain(item) for item in value] if isinstance(value, list) else value


def differences(old: Any, new: Any, at: str = "", share: float = 0.0, least: float = 0.0) -> list[str]:
    """Return where two pieces of plain data differ, a line each.

    Args:
        old: one.
        new: the other.
        at: where in the whole they are.
        share: numbers may differ by this share of the larger;
        least: or by this.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        gone = [f"{at}/{key}: only in the old" for key in old.keys() - new.keys()]
        come = [f"{at}/{key}: only in the new" for key in new.keys() - old.keys()]
        pairs = [(key, old[key], new[key]) for key in old if key in new]
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        gone, come, pairs = [], [], [(named(a, k), a, b) for k, (a, b) in enumerate(zip(old, new))]
    elif all(isinstance(each, (int, float)) and not isinstance(each, bool) for each in (old, new)):
        if old == new or math.isclose(old, new, rel_tol=share, abs_tol=least):
            return []
        return [f"{at}: {old!r} -> {new!r} (relative {abs(old - new) / max(abs(old), abs(new)):.1e})"]
    else:
        return [] if old == new else [f"{at}: {str(old)[:200]!r} -> {str(new)[:200]!r}"]
    return gone + come + [line for key, a, b in pairs for line in differences(a, b, f"{at}/{key}", share, least)]


def named(entry: Any, k: int) -> str:
    """Return what an entry of a list is called: its own id or name, or its place."""
    return str(entry.get("id") or entry.get("name") or k) if isinstance(entry, dict) else str(k)


def file_differences(old: Path, new: Path) -> list[str]:
    """Return where two files differ, a line each."""
    if old.suffix == ".npz":
        with np.load(old) as a, np.load(new) as b:
            lines = [f"arrays {sorted(set(a.files) ^ set(b.files))}"] if set(a.files) != set(b.files) else []
            for key in set(a.files) & set(b.files):
                if a[key].shape != b[key].shape or a[key].dtype != b[key].dtype:
                    lines.append(f"{key}: {a[key].shape} {a[key].dtype} -> {b[key].shape} {b[key].dtype}")
                elif a[key].tobytes() != b[key].tobytes():
                    far = ""
                    if a[key].dtype.kind == "f":
                        with np.errstate(all="ignore"):
                            far = f", relative {np.nanmax(np.abs(a[key] / b[key] - 1), initial=0.0):.1e}"
                    lines.append(f"{key}: {int((a[key] != b[key]).sum())} of {a[key].size} values differ{far}")
            return lines
    texts = [path.read_text() for path in (old, new)]
    bodies = [text.partition("\n")[2] if text.startswith("status ") else text for text in texts]
    try:
        both = [plain(json.loads(body)) for body in bodies]
    except ValueError:
        lines = [text.splitlines() for text in texts]
        apart = [f"line {k}: {a!r} -> {b!r}" for k, (a, b) in enumerate(zip(*lines), 1) if a != b]
        return apart + ([f"{len(lines[0])} lines -> {len(lines[1])}"] if len(lines[0]) != len(lines[1]) else [])
    status = [text.splitlines()[0] for text in texts if text.startswith("status ")]
    return ([f"{status[0]} -> {status[1]}"] if len(set(status)) > 1 else []) + differences(*both)


def compare(old: Path, new: Path) -> int:
    """Print what differs between two folders; return 1 if anything does."""
    files = {folder: {path.name for path in folder.iterdir()} for folder in (old, new)}
    lines = [f"{name}: only in the new" for name in sorted(files[new] - files[old])]
    for name in sorted(files[old] & files[new]):
        lines += [f"{name}: {line}" for line in file_differences(old / name, new / name)]
    missing = sorted(files[old] - files[new])
    print("\n".join([*lines, f"{len(files[old] & files[new])} files compared, {len(lines)} differences"]))
    if missing:
        print(f"not made: {len(missing)}, {', '.join(missing[:5])} ...")
    return 1 if lines else 0


if __name__ == "__main__":
    verb, *rest = sys.argv[1:] or [""]
    if verb == "make" and rest:
        target = Path(rest[0]).resolve()
        target.mkdir(parents=True, exist_ok=True)
        for group in rest[1:] or [name for name in GROUPS if name != "contract"]:
            GROUPS[group](target)
    elif verb == "compare" and len(rest) == 2:
        sys.exit(compare(Path(rest[0]), Path(rest[1])))
    else:
        sys.exit(__doc__)
