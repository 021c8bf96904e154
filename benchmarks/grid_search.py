"""How fast ``hpgrid.grid_search`` is, against NumPy, JAX, PyTorch and Numba: see ``--help``."""

from hpgrid.bench.grid_search import main

if __name__ == "__main__":
    raise SystemExit(main())
