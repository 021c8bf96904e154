"""A bound written as text, against the built-in one: see ``--help``."""

from hpgrid.bench.formula import main

if __name__ == "__main__":
    raise SystemExit(main())
