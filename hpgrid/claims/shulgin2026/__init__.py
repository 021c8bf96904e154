"""Shulgin et al. (2026), claim by claim, in the order of the paper."""
