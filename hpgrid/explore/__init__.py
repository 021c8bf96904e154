"""``hpgrid explore``: a bound as one HTML file; the browser searches, the laws are exact."""

from hpgrid.explore.export import page as page
