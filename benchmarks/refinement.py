"""How fast and how sure ``hpgrid.refine`` is, against NumPy and SciPy: see ``--help``."""

from hpgrid.bench.refinement import main

if __name__ == "__main__":
    raise SystemExit(main())
