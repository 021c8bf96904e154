"""Reproduce the paper's figures: the same as ``hpgrid reproduce``."""

import sys

from hpgrid.cli import main

if __name__ == "__main__":
    main(["reproduce", *sys.argv[1:]])
