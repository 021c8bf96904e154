"""
A transfer from 2.5e9 tokens to 1e12
====================================

Where eta, b and beta go along the way by the rules of Tables 2 and 3, b at most 2e6 tokens; the rows are what is
tuned again.
"""

import hpgrid

start = {"eta": 3e-4, "b": 524288, "beta": 0.95, "T": 2.5e9}
answer = hpgrid.transfer(start, 1e12, max_b=2e6, calibrate=True)
for row in answer.rows:
    print(f"{row.regime}: eta = {row.at.eta:.4g}, b = {row.at.b:.4g}, 1 - beta = {row.at.alpha:.4g}")
picture = answer.figure()
