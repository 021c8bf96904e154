"""
Local SGD: variables of one's own
=================================

n workers take H steps each before they average, R times over. What a round costs decides: paid in rounds, more local
steps are always better; a cap stops them.
"""

import matplotlib.pyplot as plt
import numpy as np

import hpgrid

text = "D0/(eta*H*R) + L*eta*sigma**2/(n*b) + (L*eta*H*zeta)**2"
bound = hpgrid.parse(
    text,
    {"D0": 1.0, "L": 1.0, "sigma": 1.0, "zeta": 0.1},
    variables=["n >= 1, whole", "H >= 1, whole", "R >= 1, budget", "T = n*H*R*b"],
)
R = np.geomspace(1e2, 1e10, 40)
figure, ax = plt.subplots(figsize=(6, 3.6), layout="constrained")
for H_max in (1, 8, 64, 512):
    best = hpgrid.refine(bound, ("eta", "H"), fixed={"n": 8, "b": 1}, caps={"H": H_max}, R=R)
    ax.loglog(R, best.risk, label=f"H at most {H_max}")
ax.set(xlabel="R, rounds", ylabel="least risk")
ax.legend()

law = hpgrid.exponents(bound, ("eta", "H"), fixed={"n": 8, "b": 1}, caps={"H": 64})
print({name: str(power) for name, power in law.exponent.items()})
