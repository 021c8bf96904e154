"""
Figure 2: batch size held, momentum and learning rate tuned
===========================================================

Theorem 2 at b = 1072: 1 - beta goes as T^-1/2 and eta as T^-3/4, once the budget is past burn-in, where alpha leaves
1.
"""

import matplotlib.pyplot as plt

import hpgrid

grid = hpgrid.Grid.footnote()
proxy = hpgrid.bounds.lmo(C1=1.0, C2=1.0, C3=1.0)
best = hpgrid.grid_search(proxy, grid, over=("eta", "alpha"), fixed={"b": 1072})
exact = hpgrid.refine(proxy, ("eta", "alpha"), fixed={"b": 1072}, T=grid.T.values)
law = hpgrid.exponents(proxy, ("eta", "alpha"), fixed={"b": 1072})

figure, axes = plt.subplots(1, 2, figsize=(8, 3.4), layout="constrained")
for ax, name in zip(axes, ("alpha", "eta"), strict=True):
    ax.loglog(grid.T.values, exact.at[name], color="C1", label="optimum")
    ax.loglog(grid.T.values, best.at[name], ".", color="C0", label="grid")
    ax.set(xlabel="T, tokens", ylabel=f"best {name}", title=f"{name} ~ T^{law.exponent[name]}")
axes[0].legend()
