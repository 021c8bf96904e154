"""
From runs to the next setting
=============================

45 runs at five budgets, learning rate tuned at each: where does the best one go at twice the largest budget? In
brackets is the 80% interval of the optimum.
"""

import hpgrid

fit = hpgrid.fit("../constant_rate.csv")
predicted = fit.predict(96000)
low, high = predicted.interval["eta"]
print(f"eta = {predicted.at['eta']:.3g} ({low:.3g} to {high:.3g})")
picture = fit.figure(budgets=[96000])
