"""
Figure 11: contours of the risk over iterations and batch size
==============================================================

The least risk over the learning rate, momentum held and tuned: where a larger batch is worth its tokens.
"""

import matplotlib.pyplot as plt
import numpy as np

import hpgrid

proxy = hpgrid.bounds.lmo(C1=1.0, C2=1.0, C3=1.0, budget="K")
grid = hpgrid.Grid(
    eta=hpgrid.LogAxis(1e-15, 1e4, 200),
    b=hpgrid.LogAxis(1, 1e10, 60),
    alpha=hpgrid.LogAxis(1e-8, 1, 60),
    K=hpgrid.LogAxis(1e2, 1e14, 60),
)
held = hpgrid.grid_search(proxy, grid, over=("eta",), fixed={"alpha": 1e-3})
tuned = hpgrid.grid_search(proxy, grid, over=("eta", "alpha"))

figure, axes = plt.subplots(1, 2, figsize=(8, 3.6), layout="constrained", sharey=True)
for ax, best, title in zip(axes, (held, tuned), ("beta = 0.999 held", "beta tuned"), strict=True):
    risk = best.risk if tuple(best.axes) == ("K", "b") else best.risk.T
    drawn = ax.contourf(grid.K.values, grid.b.values, np.log10(risk).T, 14)
    ax.set(xscale="log", yscale="log", xlabel="K, iterations", title=title)
axes[0].set_ylabel("b, tokens")
figure.colorbar(drawn, ax=axes, label="log10 risk")
