"""What a sweep's store costs, and what kills lose: see ``--help``."""

from hpgrid.bench.store import main

if __name__ == "__main__":
    raise SystemExit(main())
