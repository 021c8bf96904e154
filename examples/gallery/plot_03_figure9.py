"""
Figure 9: all three tuned, and a grid that can't tell
=====================================================

Theorem 3. The optimum is flat along a curve, so that the best cell's batch size jumps by up to a factor of 1000
between neighbouring budgets, while alpha/b, across the flat direction, is told well.
"""

import matplotlib.pyplot as plt

import hpgrid

grid = hpgrid.Grid.footnote()
proxy = hpgrid.bounds.lmo(C1=1.0, C2=1.0, C3=1.0)
tuned = ("eta", "b", "alpha")
best = hpgrid.grid_search(proxy, grid, over=tuned)
exact = hpgrid.refine(proxy, tuned, T=grid.T.values)

figure, axes = plt.subplots(1, 2, figsize=(8, 3.4), layout="constrained")
T = grid.T.values
axes[0].loglog(T, best.at["b"], ".", label="grid")
axes[0].loglog(T, exact.at["b"], label="optimum, T^1/6")
axes[0].set(xlabel="T, tokens", ylabel="best b")
axes[0].legend()
axes[1].loglog(T, best.at["alpha"] / best.at["b"], ".", label="grid")
axes[1].loglog(T, exact.at["alpha"] / exact.at["b"], label="optimum, T^-1/2")
axes[1].set(xlabel="T, tokens", ylabel="best alpha / best b")
axes[1].legend()
