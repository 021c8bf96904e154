"""
Two bounds, one question
========================

The best learning rate along b, momentum held, at T = 1e12: the LMO bound's square-root rule, and SGD's linear one,
each up to where the batch is too large for it.
"""

import matplotlib.pyplot as plt
import numpy as np

import hpgrid

b = np.geomspace(1, 1e10, 40)
figure, ax = plt.subplots(figsize=(6, 3.6), layout="constrained")
for name in ("lmo", "sgd"):
    proxy = getattr(hpgrid.bounds, name)()
    best = [float(hpgrid.refine(proxy, ("eta",), fixed={"b": x, "beta": 0.95}, T=1e12).at["eta"]) for x in b]
    ax.loglog(b, best, label=name)
ax.set(xlabel="b, tokens", ylabel="best eta")
ax.legend()
