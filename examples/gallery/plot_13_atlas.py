"""
The atlas: who can agree
========================

The exponents of the best learning rate and batch size, by bounds, by published studies and by one's own runs: a panel
a question, intervals where they were fitted.
"""

import hpgrid
from hpgrid.comparison.compare import Comparison, sources

every = sources(hpgrid.fit("../constant_rate.csv"))
chosen = {name: every[name] for name in every if name in ("yours", "lmo", "sgd", "storm") or not every[name].is_bound}
comparison = Comparison(("eta-T", "b-T"), chosen)
for question in comparison.questions:
    print(question, comparison.verdict(question), sep=": ")
picture = comparison.figure()
