"""
A sweep of constants
====================

How the noise constant C2 moves the best batch size at T = 1e12, over six decades: as the exact law says, b ~ C2^1.
"""

import matplotlib.pyplot as plt
import numpy as np

import hpgrid

C2 = np.geomspace(1e-3, 1e3, 31)
proxy = hpgrid.bounds.lmo(C1=1.0, C2=1.0, C3=1.0)
best = hpgrid.refine(proxy, ("eta", "b"), fixed={"beta": 0.999}, T=1e12, constants={"C2": C2})
law = hpgrid.exponents(proxy, ("eta", "b"), fixed={"beta": 0.999}).laws["b"]
print({name: str(power) for name, power in law.powers.items()})
figure, ax = plt.subplots(figsize=(6, 3.6), layout="constrained")
ax.loglog(C2, best.at["b"])
ax.set(xlabel="C2, the noise", ylabel="best b at T = 1e12")
