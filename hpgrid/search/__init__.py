"""Brute force over a grid, by one bound or by many constants: the same cells, index for index."""
