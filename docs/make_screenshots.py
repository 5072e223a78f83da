"""Take the screenshots of every page, light and dark: ``python docs/make_screenshots.py [PAGE …]``.

Needs playwright and a chromium. They are of the demo runs alone, and go to ``assets/``.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import urlencode

from browser import ROOT, looking, serving
from playwright.sync_api import Page

from workbench.runs.store import demo_runs

ASSETS = ROOT / "assets"
SETTLE = 3000  # ms for figures to be drawn and fonts to be there
Scheme = Literal["light", "dark"]


@dataclass(frozen=True)
class Shot:
    """A page to be taken: its address, the beginning of the name of its demo run, and what must be there."""

    path: str
    run: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)
    ready: str = ".js-plotly-plot"
    height: int = 1000

    def address(self) -> str:
        run = {"run": _demo(self.run)} if self.run else {}
        return f"/{self.path}?{urlencode({**run, **self.choices})}"


SHOTS: Mapping[str, Shot] = {
    "gallery": Shot("", ready="text=Start your own", height=860),
    "distil": Shot("distil", choices={"preset": "five-minute-demo"}, ready="text=Launch", height=1100),
    "watch": Shot("distil", "builtin-citation-kd", {"view": "watch"}),
    "embeddings": Shot("embeddings", "builtin-citation-kd", {"projection": "umap"}),
    "layers": Shot("layers", "builtin-citation-abkd"),
    "local": Shot("local", "builtin-citation-kd"),
    "gap": Shot("gap", "builtin-citation-kd", height=1300),
    "dynamic": Shot("dynamic", "builtin-communities", {"step": "8"}, height=900),
    "compare": Shot("compare", height=1200),
    "real": Shot("real", "builtin-citation-kd", ready="[data-testid=stDataFrame]", height=1000),
    "learn": Shot("learn", choices={"paper": "lsp"}),
}


def shoot(page: Page, server: str, name: str, scheme: Scheme) -> None:
    shot = SHOTS[name]
    page.set_viewport_size({"width": 1280, "height": shot.height})
    page.goto(server + shot.address())
    page.locator(shot.ready).first.wait_for()
    page.wait_for_timeout(SETTLE)
    page.screenshot(path=ASSETS / (f"{name}.png" if scheme == "light" else f"{name}-dark.png"))


def _demo(start: str) -> str:
    """The demo run whose name starts like this, the last of several."""
    return [run.id for run in demo_runs() if run.id.startswith(start)][-1]


def main() -> None:
    wanted = sys.argv[1:] or list(SHOTS)
    if unknown := set(wanted) - SHOTS.keys():
        sys.exit(f"there is no page {min(unknown)!r}: choose from {', '.join(SHOTS)}")
    with tempfile.TemporaryDirectory() as runs, serving(Path(runs)) as (server, _):
        for scheme in get_args(Scheme):
            with looking(scheme) as page:
                for name in wanted:
                    shoot(page, server, name, scheme)
                    print(name, scheme)


if __name__ == "__main__":
    main()
