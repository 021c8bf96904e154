"""The house as a picture, drawn from what imports what: a box a room, a line to what it imports."""

from __future__ import annotations

import ast
from pathlib import Path

import hpgrid

ROOT = Path(hpgrid.__file__).parent


def imports() -> dict[str, set[str]]:
    """Return, of each room, the rooms that it imports, lazily or not."""
    rooms = {p.stem for p in ROOT.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()} - {
        "__init__",
        "__main__",
    }
    found: dict[str, set[str]] = {room: set() for room in rooms}
    for path in ROOT.rglob("*.py"):
        room = path.relative_to(ROOT).parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = []
            if isinstance(node, ast.ImportFrom) and node.module:
                named = [f"{node.module}.{one.name}" for one in node.names]
            elif isinstance(node, ast.Import):
                named = [one.name for one in node.names]
            for name in named:
                parts = name.split(".")
                if room in rooms and parts[0] == "hpgrid" and len(parts) > 1 and parts[1] in rooms - {room}:
                    found[room].add(parts[1])
    return found


def below(found: dict[str, set[str]], room: str, seen: frozenset[str] = frozenset()) -> set[str]:
    """Return all that a room rests on. Two packages may import each other, a file of one a file of the other."""
    return {x for one in found[room] - seen for x in {one} | below(found, one, seen | {room, one})}


def draw(path: Path) -> None:
    """Write the picture as SVG."""
    found = imports()
    rests = {room: below(found, room) for room in found}
    # A room stands above all that it rests on, but what rests on it in turn, which stands beside it.
    level: dict[str, int] = {}
    for room in sorted(found, key=lambda room: (len(rests[room]), room)):
        under = [x for x in rests[room] if room not in rests[x]]
        level[room] = 1 + max((level[x] for x in under), default=-1)
    rows = [sorted(room for room in found if level[room] == k) for k in range(max(level.values()) + 1)]
    rows = [row[k : k + 6] for row in rows for k in range(0, len(row), 6)]
    wide, high, gap, across = 118, 26, 46, 132
    width, height = 6 * across + 20, len(rows) * (high + gap)
    at = {}
    for k, row in enumerate(rows):
        for j, room in enumerate(row):
            at[room] = (10 + (6 - len(row)) * across / 2 + j * across, height - (k + 1) * (high + gap) + gap / 2)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        'font-size="12">'
        f'<rect width="{width}" height="{height}" fill="white"/>'
    ]
    for room, under in sorted(found.items()):
        for other in sorted(under):
            if not any(other in rests[x] and room not in rests[x] for x in under - {other}):
                (x, y), (u, v) = at[room], at[other]
                lines.append(f'<line x1="{x + wide / 2}" y1="{y + high}" x2="{u + wide / 2}" y2="{v}" stroke="#9ab"/>')
    for room, (x, y) in sorted(at.items()):
        fill = "#dbe9f6" if (ROOT / room).is_dir() else "#f3f3f3"
        lines.append(
            f'<rect x="{x}" y="{y}" width="{wide}" height="{high}" rx="4" fill="{fill}" stroke="#456"/>'
            f'<text x="{x + wide / 2}" y="{y + 17}" text-anchor="middle">{room}</text>'
        )
    path.write_text("\n".join([*lines, "</svg>", ""]), encoding="utf-8")
