"""The site: ``python -m pip install -e ".[docs]" && python -m sphinx -W docs docs/_build``."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import house

import hpgrid

house.draw(Path(__file__).parent / "_static/house.svg")

project = "hpgrid"
author = copyright = "The hpgrid developers"
version = release = hpgrid.__version__
language = "en"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_gallery.gen_gallery"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_build", "sg_execution_times.rst"]
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
highlight_language = "none"

autodoc_typehints = "signature"
autodoc_member_order = "bysource"
napoleon_numpy_docstring = False

html_theme = "pydata_sphinx_theme"
html_title = "hpgrid"
html_static_path = ["_static"]
html_css_files = ["narrow.css"]
html_js_files = [("filter.js", {"defer": "defer"})]
html_show_sourcelink = False
html_theme_options = {"navbar_align": "left", "header_links_before_dropdown": 7, "show_nav_level": 2}

sphinx_gallery_conf = {
    "examples_dirs": "../examples/gallery",
    "gallery_dirs": "gallery",
    "image_scrapers": ("matplotlib", "pictures.scrape"),
    "within_subsection_order": "FileNameSortKey",
    "filename_pattern": r"\.py$",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "min_reported_time": 1e9,
    "write_computation_times": False,
}


def _short(app, what, name, obj, options, signature, returns):
    """A default that is the whole table of standard variables is told by its name."""
    if signature and "Space(tunable" in signature:
        signature = re.sub(r"space: '?Space'? = Space\(tunable=.*?\)\)\)(?=[,)])", "space: Space = STANDARD", signature)
    return signature, returns


def setup(app):
    """Shorten signatures."""
    app.connect("autodoc-process-signature", _short)
