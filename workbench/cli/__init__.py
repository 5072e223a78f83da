"""The command line: thin commands over the same rooms that the app and the notebooks use."""

from __future__ import annotations

import warnings

from workbench.cli.commands import app

__all__ = ["app", "main"]


def main() -> None:
    """Entry point of ``workbench`` and of ``python -m workbench``."""
    # A left-out plug-in is news for a person, who does not need the place in the registry that said so.
    warnings.formatwarning = lambda message, *_, **__: f"Warning: {message}\n"
    app(prog_name="workbench")
