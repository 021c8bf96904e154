"""Seeded Monte Carlo in JAX: what the bounds assume of noise and norms, and whether it is so."""
