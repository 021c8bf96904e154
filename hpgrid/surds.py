"""Positive numbers with exact roots: products of rational powers of primes, such as 3/2, 2^(3/2) and 6*2^(1/2)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from hpgrid.text import power

#: Beyond it, what is left of a whole number counts as prime: 0.1 as a float has a factor of 16 digits.
_LARGEST_DIVISOR = 1000

#: The numbers of what stands under one root, and of a fraction, are smaller; else each prime has a power of its own.
_LARGEST_RADICAND, _LARGEST_FRACTION = 1e3, 1e16


@dataclass(frozen=True)
class Surd:
    """A product of rational powers of primes: equal numbers compare equal, and roots stay exact.

    Args:
        powers: pairs of a prime and its exponent, which is not 0, in order of the primes.
    """

    powers: tuple[tuple[int, Fraction], ...] = ()

    @classmethod
    def of(cls, value: Surd | Fraction | int) -> Surd:
        """Return a positive number, factored."""
        if isinstance(value, Surd):
            return value
        above, below = (_factored(whole) for whole in Fraction(value).as_integer_ratio())
        return cls(tuple(sorted((p, Fraction(e)) for p, e in {**above, **{q: -e for q, e in below.items()}}.items())))

    def __mul__(self, other: Surd) -> Surd:
        total = dict(self.powers)
        for prime, exponent in other.powers:
            total[prime] = total.get(prime, Fraction(0)) + exponent
        return Surd(tuple(sorted((p, e) for p, e in total.items() if e)))

    def __pow__(self, exponent: Fraction | int) -> Surd:
        return Surd(tuple((p, e * exponent) for p, e in self.powers if exponent))

    def rational(self) -> Fraction | None:
        """Return the fraction that it is, or None."""
        if any(e.denominator != 1 for _, e in self.powers):
            return None
        return math.prod((Fraction(p) ** int(e) for p, e in self.powers), start=Fraction(1))

    def parts(self) -> tuple[tuple[Fraction, Fraction], ...]:
        """Return it as one writes it, a fraction and a root, each with its exponent; () for 1.

        A power of one number is that: 2^(3/2), (2/3)^(5/6). Else what is whole stands before the root: 6*2^(1/2),
        2*6^(1/2), (8/3)^(1/4). Where that makes a long number, primes have powers of their own: 2^(1/4)*7^(-2/3).
        """
        whole = Surd(tuple((p, e) for p, e in self.powers if e.denominator == 1))
        roots, out = self * whole**-1, Surd()
        if whole.powers or len({abs(e) for _, e in roots.powers}) > 1:
            out = Surd(tuple((p, Fraction(math.trunc(e))) for p, e in roots.powers if abs(e) > 1))
        rest = roots * out**-1
        exponents = [e for _, e in rest.powers] or [Fraction(1)]
        step = Fraction(math.gcd(*(e.numerator for e in exponents)), math.lcm(*(e.denominator for e in exponents)))
        step = step if max(exponents) > 0 else -step
        under = (rest ** (1 / step))._short(_LARGEST_RADICAND)
        if under is None:
            after = [(Fraction(p), e) for p, e in roots.powers]
        else:
            whole, after = whole * out, [(under, step)]
        number = whole._short(_LARGEST_FRACTION)
        before = [(Fraction(p), e) for p, e in whole.powers] if number is None else [(number, Fraction(1))]
        return tuple(part for part in (*before, *after) if part[0] != 1)

    def _short(self, largest: float) -> Fraction | None:
        """The fraction that it is, where both its numbers are smaller than that."""
        logs = [float(e) * math.log(p) for p, e in self.powers]
        above, below = (math.fsum(max(sign * log, 0.0) for log in logs) for sign in (1, -1))
        return self.rational() if max(above, below) < math.log(largest) else None

    def __float__(self) -> float:
        return math.prod((float(base) ** float(exponent) for base, exponent in self.parts()), start=1.0)

    def __str__(self) -> str:
        parts = ((str(base) if e == 1 or base.denominator == 1 else f"({base})", e) for base, e in self.parts())
        return "*".join(power(base, e) for base, e in parts) or "1"


def _factored(whole: int) -> dict[int, int]:
    """Return the primes of a positive whole number, each with its exponent."""
    primes: dict[int, int] = {}
    divisor = 2
    while divisor * divisor <= whole and divisor <= _LARGEST_DIVISOR:
        while whole % divisor == 0:
            primes[divisor] = primes.get(divisor, 0) + 1
            whole //= divisor
        divisor += 1
    # What is left is a power of one number or counts as prime: each of its primes is above the largest divisor.
    exponents = range(whole.bit_length() // _LARGEST_DIVISOR.bit_length() + 1, 1, -1)
    base, exponent = next(((r, k) for k in exponents if (r := _root(whole, k)) ** k == whole), (whole, 1))
    return primes if whole == 1 else {**primes, base: primes.get(base, 0) + exponent}


def _root(whole: int, k: int) -> int:
    """The largest whole number whose k-th power is no more than another one."""
    low, high = 0, 1 << (whole.bit_length() // k + 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**k <= whole else (low, middle)
    return low
