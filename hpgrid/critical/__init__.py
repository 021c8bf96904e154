"""Critical batch size: the batch size that reaches a target in the fewest tokens.

given (what is asked), need (how many iterations a bound asks for), solve (where tokens are fewest, numerically), reach
(that, closed forms beside), trivial (what holds without training), lmo (the same for the LMO bound), answer, text.
"""
