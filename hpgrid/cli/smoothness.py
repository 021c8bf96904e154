"""``hpgrid smoothness``: whether a norm's dual is D-smooth, and what the noise at hand needs."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Annotated, Any

from cyclopts import Parameter, Token

from hpgrid.checks import NOISE_KINDS, OPTIMIZERS, bad, read_shape, unknown
from hpgrid.cli import given
from hpgrid.cli.cache import use_compilation_cache

#: What --norm takes.
NORMS = (*dict.fromkeys(OPTIMIZERS.values()), *OPTIMIZERS)

#: What a shape and a number of pairs may come to: some gigabytes, an hour or so.
MOST_ENTRIES, MOST_PAIRS, MOST_SEED = 2**24, 10**8, 2**63 - 1


def _whole(option: str, least: int, most: int) -> Any:
    """Return how an option's whole number is read: 2.5 and 1e4 are none."""

    def read(_: Any, tokens: Sequence[Token]) -> int:
        text = tokens[0].value
        value = int(text) if re.fullmatch(r"[+-]?[0-9]{1,19}", text) else None
        if value is None or not least <= value <= most:
            rule = f"{option} is a whole number from {least} to {most}"
            raise bad(rule, text, f"{option} {max(least, 10000) if option == '--pairs' else least}, say")
        return value

    return read


def print_smoothness(
    *,
    norm: Annotated[list[str], Parameter(negative="", help=f"Norms or optimizers: {', '.join(NORMS)}.")],
    shape: Annotated[list[str], Parameter(negative="", help="Shapes of the weight, such as 128x32,64x64.")],
    pairs: Annotated[
        int, Parameter(converter=_whole("--pairs", 1, MOST_PAIRS), help="How many random pairs, of each sampling.")
    ] = 10000,
    seed: Annotated[int, Parameter(converter=_whole("--seed", 0, MOST_SEED), help="Of all that is drawn.")] = 0,
    noise: Annotated[
        list[str] | None, Parameter(negative="", help=f"Kinds of noise: {', '.join(NOISE_KINDS)}. All if not given.")
    ] = None,
    json_: Annotated[bool, Parameter(name="--json", negative="", help="Print JSON.")] = False,
) -> int:
    """Estimate the D-smoothness of a norm's dual: over random pairs, in the worst case, for the noise at hand."""
    norms = _known("--norm", "norm or optimizer", given.names(norm), NORMS, "muon")
    shapes = _shapes(given.names(shape))
    noises = NOISE_KINDS if noise is None else _known("--noise", "noise", given.names(noise), NOISE_KINDS, "one-hot")
    use_compilation_cache()
    from hpgrid.progress import track
    from hpgrid.stochastic.report import as_dict, measure, text

    jobs = [(name, size) for name in norms for size in shapes]
    reports = [measure(name, size, pairs, seed=seed, noises=noises) for name, size in track(jobs, "measuring")]
    if json_:
        print(json.dumps([as_dict(report) for report in reports], indent=2, allow_nan=False))
    else:
        print("\n\n\n".join(text(report) for report in reports))
    return 0


def _known(option: str, kind: str, names: Sequence[str], known: Sequence[str], example: str) -> tuple[str, ...]:
    """The names, each once."""
    for name in names:
        if name not in known:
            raise unknown(kind, name, known)
    if not names:
        raise bad(f"{option} names at least one {kind}", "nothing", f"{option} {example}, say")
    return tuple(dict.fromkeys(names))


def _shapes(texts: Sequence[str]) -> tuple[tuple[int, int], ...]:
    if not texts:
        raise bad("--shape names at least one shape", "nothing", "--shape 128x32, say")
    return tuple(dict.fromkeys(_shape(text) for text in texts))


def _shape(text: str) -> tuple[int, int]:
    m, n = read_shape(text)
    if m * n > MOST_ENTRIES:
        raise bad(f"a shape has at most {MOST_ENTRIES} entries", text, "1024x1024, say")
    return m, n
