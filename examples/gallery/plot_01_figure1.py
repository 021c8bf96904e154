"""
Figure 1: momentum held, batch size and learning rate tuned
===========================================================

Theorem 1 of Shulgin et al. (2026) at beta = 0.999: the best batch size goes as T^1/2, the best learning rate as
T^-1/4. Dots are the grid's best cells, hollow where they lie on its border; the line is the continuous optimum.
"""

import matplotlib.pyplot as plt
import numpy as np

import hpgrid

grid = hpgrid.Grid.footnote()
proxy = hpgrid.bounds.lmo(C1=1.0, C2=1.0, C3=1.0)
held = {"beta": 0.999}
best = hpgrid.grid_search(proxy, grid, over=("eta", "b"), fixed=held)
exact = hpgrid.refine(proxy, ("eta", "b"), fixed=held, T=grid.T.values)
law = hpgrid.exponents(proxy, ("eta", "b"), fixed=held)
print({name: str(power) for name, power in law.exponent.items()})

figure, axes = plt.subplots(1, 2, figsize=(8, 3.4), layout="constrained")
for ax, name in zip(axes, ("b", "eta"), strict=True):
    edge = best.edge[name]
    ax.loglog(grid.T.values, exact.at[name], color="C1", label="optimum")
    ax.loglog(grid.T.values[~edge], best.at[name][~edge], "o", ms=3, color="C0", label="grid")
    ax.loglog(grid.T.values[edge], best.at[name][edge], "o", ms=3, mfc="none", color="C0")
    ax.set(xlabel="T, tokens", ylabel=f"best {name}", title=f"{name} ~ T^{law.exponent[name]}")
axes[0].legend()

# %%
# The slope that the grid shows, with what its argmin's steps leave open:
window = grid.T.values > 1e8
slope = hpgrid.fit_slope(grid.T.values[window], best.at["b"][window], edge=best.edge["b"][window])
print(f"b ~ T^({slope.slope:.3f} +- {slope.error:.3f}), {slope.edge_points} edge points left out")
assert np.isclose(slope.slope, 0.5, atol=slope.error)
