"""Critical batch size: the batch size that reaches a target in the fewest tokens.

need (how many iterations a bound asks for), solve (where tokens are fewest, numerically), trivial (what holds
without training), lmo (the same for Shulgin et al.'s bound), answer (all of it, closed forms beside), text.
"""
