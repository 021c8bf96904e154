"""
What beats a grid's step
========================

The best learning rate on grids of 25, 100 and 400 values an axis against the optimum: the argmin is within a step,
and the step is what a slope's tolerance is made of.
"""

import matplotlib.pyplot as plt
import numpy as np

import hpgrid

proxy = hpgrid.bounds.lmo(C1=1.0, C2=1.0, C3=1.0)
held, T = {"beta": 0.999, "b": 1024}, hpgrid.LogAxis(1e8, 1e16, 60)
optimum = hpgrid.refine(proxy, ("eta",), fixed=held, T=T.values).at["eta"]
figure, ax = plt.subplots(figsize=(6, 3.6), layout="constrained")
for n in (25, 100, 400):
    grid = hpgrid.Grid(eta=hpgrid.LogAxis(1e-15, 1e4, n), T=T, **held)
    best = hpgrid.grid_search(proxy, grid, over=("eta",))
    off = np.log10(best.at["eta"] / optimum)
    print(f"{n} values: at most {abs(off).max():.3f} decades off, a step is {19 / (n - 1):.3f}")
    ax.semilogx(T.values, off, ".-", label=f"{n} values")
ax.set(xlabel="T, tokens", ylabel="log10 of grid over optimum")
ax.legend()
