"""The functional scaling law at a constant learning rate. Source: 2602.14208 and 2602.06797."""

from hpgrid.bounds.written import Bound, Exponent

BOUNDS = {
    "functional_scaling": Bound(
        of="the excess loss at a constant learning rate",
        formula="A*(eta*K)**(-s) + C*eta/b",
        constants={"A": "what is left to learn", "C": "noise"},
        exponents={"s": Exponent("s > 0", "1", "with which what is left falls")},
        source="2602.14208; 2602.06797, their constant corner",
    ),
}
