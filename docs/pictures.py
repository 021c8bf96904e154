"""What an example draws and calls ``picture`` goes on its page, as pyplot's own figures do."""

from __future__ import annotations

from typing import Any

from sphinx_gallery.scrapers import figure_rst


def scrape(block: Any, block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:
    """Save an example's picture, and return where it stands on the page."""
    picture = block_vars["example_globals"].pop("picture", None)
    if picture is None:
        return ""
    path = next(block_vars["image_path_iterator"])
    picture.savefig(path, dpi=120)
    return figure_rst([path], gallery_conf["src_dir"])
