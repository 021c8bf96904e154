"""How fast ``hpgrid.search.many.search_many`` is over thousands of constants, against NumPy: see ``--help``."""

from hpgrid.bench.sweep import main

if __name__ == "__main__":
    raise SystemExit(main())
