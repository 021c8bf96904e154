"""Chromium without a window, spoken to over a pipe in its own protocol: no driver, no package."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

#: Where it is, by the names that systems give it.
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

#: Seconds after which a browser that does not answer is given up: it starts within one, on a loaded machine some ten.
PATIENCE = 120


class Browser:
    """One page in one browser."""

    def __init__(self, folder: Path) -> None:
        assert CHROMIUM is not None
        # The browser reads commands from its descriptor 3 and writes answers to 4.
        theirs_in, self._to = os.pipe()
        self._from, theirs_out = os.pipe()
        fixed = os.dup2(theirs_in, 103), os.dup2(theirs_out, 104)
        # A sandbox of its own takes rights that a container lacks; the page is a file of ours.
        options = "--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run --hide-scrollbars"
        command = 'exec "$0" "$@" 3<&103 4>&104 103<&- 104>&-'
        arguments = [CHROMIUM, *options.split(), "--remote-debugging-pipe", f"--user-data-dir={folder}", "about:blank"]
        self._process = subprocess.Popen(
            ["bash", "-c", command, *arguments],
            pass_fds=fixed,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for descriptor in (theirs_in, theirs_out, *fixed):
            os.close(descriptor)
        self._count, self._rest, self._session = 0, b"", ""
        target = next(t for t in self.send("Target.getTargets")["targetInfos"] if t["type"] == "page")
        attached = self.send("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]
        self.errors: list[str] = []
        self.send("Page.enable")
        self.send("Runtime.enable")

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with contextlib.suppress(OSError):
            os.close(self._to)
        self._process.terminate()
        self._process.wait(PATIENCE)
        os.close(self._from)

    def _messages(self) -> Iterator[dict[str, Any]]:
        import select

        while True:
            while b"\0" in self._rest:
                whole, _, self._rest = self._rest.partition(b"\0")
                yield json.loads(whole)
            ready, _, _ = select.select([self._from], [], [], PATIENCE)
            block = os.read(self._from, 2**16) if ready else b""
            if not block:
                raise TimeoutError("the browser does not answer")
            self._rest += block

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Give a command and return its result; what pages throw meanwhile is kept."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        for answer in self._messages():
            if answer.get("method") == "Runtime.exceptionThrown":
                self.errors.append(json.dumps(answer["params"]["exceptionDetails"])[:500])
            if answer.get("id") == self._count:
                assert "error" not in answer, answer["error"]
                return answer["result"]
        raise AssertionError

    def open(self, path: Path, state: str = "") -> None:
        """Open a file, in a state, and wait until it has shown it."""
        self.send("Page.navigate", url="about:blank")
        self.send("Page.navigate", url=path.as_uri() + (f"#{state}" if state else ""))
        for _ in range(10_000):
            if self.run(
                "typeof explorer === 'object' && explorer.took !== undefined && document.readyState === 'complete'"
            ):
                return
        raise TimeoutError(f"the page shows nothing: {self.errors}")

    def run(self, expression: str) -> Any:
        """Return the value of an expression of the page, waited for where it is a promise."""
        found = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def key(self, key: str, code: int) -> None:
        """Press a key."""
        for kind in ("rawKeyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)
        self.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def size(self, width: int, height: int, dark: bool = False) -> None:
        """Be of some size in pixels, light or dark."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.send("Emulation.setEmulatedMedia", features=features)

    def picture(self, path: Path) -> None:
        """Write what is shown, the whole page."""
        data = self.send("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        path.write_bytes(base64.b64decode(data))
