"""Critical batch size: the batch size that reaches a target in the fewest tokens.

goal (what is asked, checked), tokens (how many iterations a bound asks for, and where tokens are fewest, numerically;
the same for the LMO bound), critical_batch (the answer, closed forms beside, or why there is none), report (its text).
"""
