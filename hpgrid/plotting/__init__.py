"""Drawing: helpers that take an Axes and arrays, and know nothing of bounds or searches."""
