"""
How flat the joint optimum is
=============================

What a factor of ten costs, the other two tuned again: a share of the risk that falls as T^-1/3.
"""

import matplotlib.pyplot as plt
import numpy as np

import hpgrid

proxy = hpgrid.bounds.lmo(C1=1.0, C2=1.0, C3=1.0)
tuned, T = ("eta", "b", "alpha"), np.geomspace(1e6, 1e22, 33)
figure, ax = plt.subplots(figsize=(6, 3.6), layout="constrained")
for name in tuned:
    ax.loglog(T, hpgrid.regret(proxy, name, 10, tuned=tuned, T=T), label=f"{name} ten times too large")
ax.set(xlabel="T, tokens", ylabel="relative excess risk")
ax.legend()

flat = hpgrid.flatness(proxy, tuned=tuned, T=1e12)
print(f"at T = 1e12, b from {float(flat.low['b']):.3g} to {float(flat.high['b']):.3g} costs at most 1%")
