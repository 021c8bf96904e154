"""The README and the pages that it leads to: links lead somewhere, and every command is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import hpgrid
from hpgrid.cli import app

ROOT = Path(__file__).resolve().parent.parent
DOCS = [page for page in sorted((ROOT / "docs").rglob("*.md")) if page.parent.name in ("docs", "guides", "answers")]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS]

#: What building the site makes, and of what.
MADE = {"_static/house.svg": "docs/house.py", "gallery/index": "examples/gallery/GALLERY_HEADER.rst"}
LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]*))?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_a_heading_that_are_there(page: Path) -> None:
    for target, heading in LINK.findall(page.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            leads_to = page.parent / target if target else page
            if "gallery/plot_" in target:
                leads_to = (ROOT / "examples/gallery" / Path(target).name).with_suffix(".py")
            elif target in MADE:
                leads_to = ROOT / MADE[target]
            assert leads_to.is_file(), target
            headings = re.findall(r"^#+ (.*)$", leads_to.read_text(encoding="utf-8"), re.MULTILINE) if heading else []
            assert heading in ["", *(re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-") for line in headings)]


def test_the_readme_is_short_names_every_command_and_has_the_two_to_start_with() -> None:
    text = PAGES[0].read_text(encoding="utf-8")
    assert len(text.split()) <= 1300
    assert {name for name in app if not name.startswith("-")} == set(re.findall(r"^\| `hpgrid ([\w-]+)", text, re.M))
    assert "\npython -m pip install -e . && python scripts/reproduce.py fig1\n" in text
    assert '\npython -m pip install -e ".[test]" && python -m pytest\n' in text  # .ci/run reads it here


def _entries(text: str) -> list[str]:
    """The entries of a page's tables of contents."""
    trees = re.findall(r"^```{toctree}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [line for tree in trees for line in tree.splitlines() if line and not line.startswith(":")]


def test_every_entry_of_a_table_of_contents_is_a_page() -> None:
    for page in DOCS:
        for entry in _entries(page.read_text(encoding="utf-8")):
            assert (ROOT / MADE[entry] if entry in MADE else page.parent / f"{entry}.md").is_file(), entry


def test_the_api_has_every_public_name() -> None:
    described = re.findall(r"^.. auto\w+:: hpgrid\.(\w+)$", (ROOT / "docs/api.md").read_text(encoding="utf-8"), re.M)
    assert {*described, "bounds", "__version__"} == set(hpgrid.__all__)


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, pending = set(), [PAGES[0]]
    while pending:
        page = pending.pop()
        if page not in reached and page.suffix == ".md":
            reached.add(page)
            text = page.read_text(encoding="utf-8")
            links = [target for target, _ in LINK.findall(text) if target and "://" not in target]
            links += [f"{entry}.md" for entry in _entries(text) if entry not in MADE]
            pending += [(page.parent / target).resolve() for target in links]
    assert set(PAGES) <= reached


def test_the_first_command_leaves_a_clone_as_it_was() -> None:
    """Whatever figures it writes are ignored, and the pictures of the pages are others."""
    lines = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert lines[lines.index("/figures/*") + 1] == "!/figures/shown/"
    links = [target for page in PAGES for target, _ in LINK.findall(page.read_text(encoding="utf-8"))]
    pictures = [target for target in links if "png" in target]
    assert len(pictures) >= 6
    assert {Path(target).parent.name for target in pictures} == {"shown"}


def test_contributing_names_every_room_of_the_house() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    house = text.partition("## The house")[2].partition("## ")[0]
    rooms = {p.name for p in (ROOT / "hpgrid").iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()}
    assert {room for room in rooms if room not in house} == {"__init__.py", "__main__.py"}
    assert {name for name in re.findall(r"^hpgrid/([\w.]+)", house, re.M) if name not in rooms} == set()
