"""``hpgrid new-bound``: a commented TOML file to start from."""

import shlex
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from hpgrid.checks import bad

TEMPLATE = '''\
# A bound of your own, and what to ask of it:
#
#   hpgrid exponents {file} --tune eta,b,alpha
#   hpgrid search {file} --over eta,b --fix alpha=0.001
#   hpgrid search {file} --over eta,b,alpha --T 1e12
#   hpgrid check {file} --claim "b ~ T^1/6" --claim "eta ~ b T^-3/4 @ fixed b"
#   hpgrid plot {file} --layout curves --tune eta,b --fix alpha=0.001 --out {stem}.png
#   hpgrid sweep {file} --out {stem}.zarr

# Variables: eta (learning rate), b (batch size), alpha (momentum complement; or beta, which is 1 - alpha),
# T (tokens), K (iterations, T/b). Every other name is a constant, with a value under [constants].
# Operators: + - * / ** and parentheses; sqrt, exp, log, min, max. A power is b**(3/2): b**3/2 is b**3 divided by 2.
# A sum of powers has exact exponents; anything else is searched and refined all the same.
bound = """
C1*b/(eta*T)
+ C2/sqrt(b)*(b + alpha**(3/2)*T)/(alpha*T)
+ C3*eta*(1 + 1/alpha)
"""
# domain = ["eta <= 1/C3"]  # where it holds, if not everywhere: inequalities in the same names

# [variables]               # what it depends on beside these, or in their place: a name and a range each
# H = {{ range = "H >= 1", whole = true, words = "local steps", symbol = "H" }}
# R = {{ range = "R >= 1", budget = true, words = "rounds" }}
# T = {{ is = "H*R*b" }}    # a budget that follows from another

[constants]                 # --set C2=30 changes one for a command
C1 = 1.0                    # a constant: positive and finite
C2 = 1.0                    # in a sweep also a list, [1.0, 10.0], or a log range, {{ lo = 1e-2, hi = 1e3, n = 16 }}
C3 = 1.0
# g = "1/3"                 # one that stands in exponents alone is exact: a fraction is text

# --- for sweeps alone ---

[grid]
preset = "footnote"         # eta in 1e-15 to 1e4, b in 1 to 1e15, alpha in 1e-10 to 1, T in 1e2 to 1e22
n = 100                     # values an axis
# b = [32, 64, 128]         # an axis of your own: a list, a range {{ lo = 1.0, hi = 1e9, n = 50 }}, or one held value

[[regime]]                  # what is tuned and what is held; as many regimes as you like
name = "all tuned"
tuned = ["eta", "b", "alpha"]

[[regime]]
name = "fixed momentum"
tuned = ["eta", "b"]
fixed = {{ alpha = 0.001 }}
'''


def write_bound(
    file: Annotated[Path, Parameter(help="The file to write; it must not exist yet.")] = Path("bound.toml"),
    /,
) -> int:
    """Write a commented TOML file with a bound of your own: to edit, and to give to the other commands."""
    if file.suffix != ".toml":
        raise bad("a bound is kept in a TOML file", str(file), "bound.toml, say")
    if file.exists():
        raise bad("this file is there already, and nothing is overwritten", str(file), "another name")
    from hpgrid.record import make_folder, write_text

    make_folder(file.parent, "a path in another folder")
    write_text(file, TEMPLATE.format(file=shlex.quote(str(file)), stem=shlex.quote(file.stem)))
    print(file)
    return 0
