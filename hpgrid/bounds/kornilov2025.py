"""Normalised methods where noise has p moments, p <= 2. Source: Shulgin et al., Appendix C.2; Kornilov, 2502.07923."""

from hpgrid.bounds.written import Bound, Exponent, meaning

BOUNDS = {
    "heavy_tails": Bound(
        of="the mean gradient norm at b = 1, of noise with p moments",
        formula="D0/(eta*K) + sigma*alpha**((p - 1)/p) + L*eta/alpha",
        constants=meaning("D0 sigma L"),
        exponents={"p": Exponent("1 < p <= 2", "3/2", "how many moments the noise has")},
        budget="K",
        source="Shulgin et al., Appendix C.2; 2502.07923; 2606.14560",
    ),
}
