"""Laws that a person states, ``b ~ T^1/2``, held against a bound by all routes."""
