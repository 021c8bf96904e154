"""``python -m hpgrid``."""

from hpgrid.cli import main

main()
