"""
Where a bound holds
===================

Gradient descent's bound has 1 - L eta/2 below a fraction line: beyond eta = 2/L it is negative, and means nothing. A
domain keeps every route inside.
"""

import matplotlib.pyplot as plt
import numpy as np

import hpgrid

text = "D/(eta*K*(1 - L*eta/2)) + L*eta*s2/(2*b*(1 - L*eta/2))"
bound = hpgrid.parse(text, {"D": 1.0, "L": 1.0, "s2": 1.0}, domain=["eta < 2/L"])
K = np.geomspace(1e1, 1e8, 40)
best = hpgrid.refine(bound, ("eta",), fixed={"b": 1}, K=K)

figure, axes = plt.subplots(1, 2, figsize=(8, 3.4), layout="constrained")
eta = np.linspace(0.01, 3.99, 400)
eta = eta[abs(eta - 2) > 0.02]
axes[0].plot(eta, 1 / (eta * 1e2 * (1 - eta / 2)) + eta / (2 * (1 - eta / 2)))
axes[0].axvspan(2, 4, color="0.85", label="outside its domain")
axes[0].set(ylim=(-5, 5), xlabel="eta", ylabel="the formula, K = 100")
axes[0].legend()
axes[1].loglog(K, best.at["eta"])
axes[1].axhline(2, ls=":", color="0.5")
axes[1].set(xlabel="K, iterations", ylabel="best eta, below 2/L")
