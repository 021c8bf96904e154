"""Forms that the bounds of several papers share, with constants that are the user's."""

from hpgrid.bounds.written import Bound, meaning

BOUNDS = {
    "error_feedback": Bound(
        of="the mean squared gradient norm of SGD whose gradients are compressed, what is left out added to the next",
        formula="D0/(eta*K) + s*eta + c*eta**2*(1 - delta)/delta**2",
        constants=meaning("D0", s="noise times smoothness", c="what compression costs"),
        variables=("0 < delta <= 1",),
        budget="K",
        source="the form of bounds with error feedback; delta is the compressor's contraction",
    ),
    "private_sgd": Bound(
        of="the mean squared gradient norm of SGD with clipped gradients and noise that keeps samples private",
        formula="D0/(eta*K) + L*eta*(sigma**2 + d*C**2*K/(n**2*epsilon**2))",
        constants=meaning(
            "D0 L sigma",
            d="number of parameters",
            C="where gradients are clipped",
            n="number of samples",
            epsilon="privacy budget",
        ),
        budget="K",
        source="the form of bounds of private SGD",
    ),
}
