"""How fast ``hpgrid.grid_search`` is, against what one would write instead: ``hpgrid bench``, see ``--help``."""

import sys

from hpgrid.cli import main

if __name__ == "__main__":
    main(["bench", *sys.argv[1:]])
