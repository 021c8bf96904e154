"""Reducers: arrays in, small records out."""
