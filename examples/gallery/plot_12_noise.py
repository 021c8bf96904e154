"""
The noise of the methods
========================

Momentum's error and the update's noise by seeded Monte Carlo, against what the lemmas of the papers say of them:
normalised SGD, signSGD and Muon, with Gaussian noise and with noise in one entry at a time.
"""

from hpgrid.config import load, shipped
from hpgrid.paper import compute, draw
from hpgrid.plotting.style import styled

with styled():
    picture = draw(compute(load(shipped("noise1"))))
