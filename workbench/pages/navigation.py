"""Which pages there are. A page is imported when it is opened, so that each one pays only for itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from workbench.pages import class_mode

ICON = str(Path(__file__).with_name("icon.svg"))  # a named icon would be fetched from the network

# The last part of a page's address -> its title, its icon, and the module here whose show() draws it.
PAGES: Mapping[str, tuple[str, str, str]] = {
    "gallery": ("Gallery", "grid_view", "gallery"),
    "distil": ("Distil", "science", "distil"),
    "embeddings": ("Embeddings", "scatter_plot", "embeddings"),
    "layers": ("Layer pairs", "grid_on", "layer_pairs"),
    "local": ("Local structure", "hub", "local_structure"),
    "gap": ("Knowledge gap", "difference", "knowledge_gap"),
    "dynamic": ("Dynamic graph", "timeline", "dynamic_graph"),
    "compare": ("Compare", "leaderboard", "compare"),
    "real": ("Is it real?", "fact_check", "is_it_real"),
    "learn": ("Learn", "school", "learn"),
}


@cache
def _opener(module: str) -> Callable[[], None]:
    def show() -> None:
        import_module(f"workbench.pages.{module}").show()

    show.__name__ = module
    return show


def pages() -> dict[str, StreamlitPage]:
    """Every page by the last part of its address."""
    return {
        path: st.Page(_opener(module), title=title, icon=f":material/{icon}:", url_path=path, default=path == "gallery")
        for path, (title, icon, module) in PAGES.items()
    }


def main() -> None:
    """Draw the page that the address names."""
    st.set_page_config(page_title="GNN distillation workbench", page_icon=ICON, layout="wide")
    page = st.navigation(list(pages().values()), position="top")
    class_mode.begin()
    if class_mode.hidden("navigation"):
        st.navigation(list(pages().values()), position="hidden")
    page.run()
