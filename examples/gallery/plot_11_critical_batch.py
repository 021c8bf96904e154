"""
The critical batch size
=======================

Tokens to a target against the batch size, by the first form of Cesista's bound: too small a batch never arrives, too
large a one spends tokens that it doesn't need.
"""

import matplotlib.pyplot as plt
import numpy as np

import hpgrid

setting = {"beta": 0.95, "eta": 1e-2, "sigma": 100.0, "Delta0": 100.0, "G0": 10.0}
figure, ax = plt.subplots(figsize=(6, 3.6), layout="constrained")
targets = np.linspace(2.5, 8, 40)
found = [hpgrid.critical_batch(eps=eps, **setting) for eps in targets]
print(found[10].text())
ax.semilogy(targets, [one.b or np.nan for one in found])
ax.set(xlabel="target eps", ylabel="critical batch size")
