"""The sweep of ``scripts/golden.py`` without its last regime: six combinations; and processes that run it."""

from __future__ import annotations

import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from commands import ENVIRONMENT
from golden import SWEEP

_HEAD, _JOINT, _HELD, _ = SWEEP.split("[[regime]]")

#: One regime, for what many processes do; and two.
HELD = f"{_HEAD}[[regime]]{_HELD}"
SMALL: dict[str, Any] = tomllib.loads(f"{_HEAD}[[regime]]{_JOINT}[[regime]]{_HELD}")


def contents(store: Path) -> dict[str, bytes]:
    """Every file of a store but those that say when, and who writes."""
    files = [path for path in store.rglob("*") if path.is_file() and not path.name.startswith(".")]
    return {str(path.relative_to(store)): path.read_bytes() for path in files if path != store / "zarr.json"}


def started(config: Path, out: Path, *options: str) -> subprocess.Popen[str]:
    """A process of its own that sweeps."""
    command = [sys.executable, "-m", "hpgrid", "sweep", str(config), "--out", str(out), *options]
    # What a shell starts in the background ignores Ctrl-C, and so would all that it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)


def finished(process: subprocess.Popen[str], status: int = 0) -> tuple[str, str]:
    """What a process says until it ends with a status."""
    out, err = process.communicate(timeout=240)
    assert process.returncode == status, err
    return out, err
