"""
A maximum in place of a sum
===========================

max(x, y) is at most x + y and at least half of it, so that exponents agree and constants differ; both have exact
laws.
"""

import matplotlib.pyplot as plt
import numpy as np

import hpgrid

constants = {"C1": 1.0, "C2": 1.0, "C3": 1.0}
written = {
    "sum": "C1*b/(eta*T) + C2*sqrt(alpha/b) + C3*eta/alpha",
    "maximum": "max(C1*b/(eta*T), C2*sqrt(alpha/b), C3*eta/alpha)",
}
T = np.geomspace(1e6, 1e16, 30)
figure, ax = plt.subplots(figsize=(6, 3.6), layout="constrained")
for name, text in written.items():
    law = hpgrid.exponents(hpgrid.parse(text, constants), ("eta", "b"), fixed={"alpha": 0.1})
    print(name, {of: str(power) for of, power in law.exponent.items()}, f"risk {law.laws['risk'].constant:.4g}")
    ax.loglog(T, law.laws["risk"].constant * T ** float(law.exponent["risk"]), label=name)
ax.set(xlabel="T, tokens", ylabel="least risk, the law")
ax.legend()
