"""``hpgrid smoothness``: whether a norm's dual is D-smooth, and what the noise at hand needs."""

from collections.abc import Sequence
from typing import Annotated

from hpgrid.checks import NOISE_KINDS, OPTIMIZERS, bad, read_shape
from hpgrid.cli import options
from hpgrid.cli.options import about
from hpgrid.progress import asking, track

#: What --norm takes.
NORMS = (*dict.fromkeys(OPTIMIZERS.values()), *OPTIMIZERS)

#: What a shape and a number of pairs may come to: some gigabytes, an hour or so.
MOST_ENTRIES, MOST_PAIRS, MOST_SEED = 2**24, 10**8, 2**63 - 1


def print_smoothness(
    *,
    norm: Annotated[list[str], about(f"Norms or optimizers: {', '.join(NORMS)}.")],
    shape: Annotated[list[str], about("Shapes of the weight, such as 128x32,64x64.")],
    pairs: Annotated[
        int, about("How many random pairs, of each sampling.", converter=options.whole(1, MOST_PAIRS, example=10000))
    ] = 10000,
    seed: Annotated[int, about("Of all that is drawn.", converter=options.whole(0, MOST_SEED, example=0))] = 0,
    noise: Annotated[list[str] | None, about(f"Kinds of noise: {', '.join(NOISE_KINDS)}. All if not given.")] = None,
    yes: options.Yes = False,
    details: options.Details = False,
    json_: options.Json = False,
) -> int:
    """Estimate the D-smoothness of a norm's dual: over random pairs, in the worst case, for the noise at hand."""
    norms = _known("--norm", "norm or optimizer", norm, NORMS, "muon")
    shapes = tuple(dict.fromkeys(map(_shape, options.names(shape))))
    if not shapes:
        raise bad("--shape names at least one shape", "nothing", "--shape 128x32, say")
    noises = NOISE_KINDS if noise is None else _known("--noise", "noise", noise, NOISE_KINDS, "one-hot")
    options.use_compilation_cache()
    from hpgrid.stochastic.report import answer, as_dict, measure

    jobs = [(name, size) for name in norms for size in shapes]
    with asking(yes):
        reports = [measure(name, size, pairs, seed=seed, noises=noises) for name, size in track(jobs, "measuring")]
    if json_:
        options.print_json("smoothness", {"norms": [as_dict(report) for report in reports]})
    else:
        for k, report in enumerate(reports):
            print("\n" * bool(k), end="")
            answer(report).show(details)
    return 0


def _known(option: str, kind: str, given: Sequence[str], known: Sequence[str], example: str) -> tuple[str, ...]:
    found = options.known_names(kind, given, known)
    if not found:
        raise bad(f"{option} names at least one {kind}", "nothing", f"{option} {example}, say")
    return found


def _shape(text: str) -> tuple[int, int]:
    m, n = read_shape(text)
    if m * n > MOST_ENTRIES:
        raise bad(f"a shape has at most {MOST_ENTRIES} entries", text, "1024x1024, say")
    return m, n
