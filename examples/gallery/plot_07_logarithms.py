"""
A law with a logarithm
======================

With weight decay, a star-convex function's best batch size goes as (T/log T)^(2/3): the local exponent, by implicit
differentiation, comes to 2/3 as slowly as a logarithm does.
"""

import matplotlib.pyplot as plt
import numpy as np

import hpgrid

proxy = hpgrid.bounds.star_convex(lam=0.1)
T = np.geomspace(1e8, 1e60, 60)
best = hpgrid.refine(proxy, ("eta", "b"), fixed={"beta": 0.95}, T=T)
figure, ax = plt.subplots(figsize=(6, 3.6), layout="constrained")
ax.semilogx(T, best.exponent["b"], label="d log b* / d log T")
ax.semilogx(T, 2 / 3 * (1 - 1 / np.log(T)), "--", label="of (T / log T)^(2/3)")
ax.axhline(2 / 3, color="0.6", ls=":")
ax.set(xlabel="T, tokens", ylabel="local exponent")
ax.legend()

for said in hpgrid.check(proxy, "b ~ (T/log T)^(2/3)", tuned=("eta", "b"), fixed={"beta": 0.95}):
    print(said.verdict)
