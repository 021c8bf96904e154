"""Benchmarks as functions: what is timed, against whom, and how the answers are held against each other.

Nothing here is loaded by ``import hpgrid``; the files in ``benchmarks/`` are thin fronts.
"""
