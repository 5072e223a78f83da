"""Which pages there are. A page is imported when it is opened, so that each one pays only for itself."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

ICON = str(Path(__file__).with_name("icon.svg"))  # a named icon would be fetched from the network


def _gallery() -> None:
    from workbench.pages.gallery import show

    show()


def _distil() -> None:
    from workbench.pages.distil import show

    show()


def _embeddings() -> None:
    from workbench.pages.embeddings import show

    show()


def _dynamic() -> None:
    from workbench.pages.dynamic_graph import show

    show()


def pages() -> dict[str, StreamlitPage]:
    """Every page by the last part of its address."""
    return {
        "gallery": st.Page(_gallery, title="Gallery", icon=":material/grid_view:", url_path="gallery", default=True),
        "distil": st.Page(_distil, title="Distil", icon=":material/science:", url_path="distil"),
        "embeddings": st.Page(_embeddings, title="Embeddings", icon=":material/scatter_plot:", url_path="embeddings"),
        "dynamic": st.Page(_dynamic, title="Dynamic graph", icon=":material/timeline:", url_path="dynamic"),
    }


def main() -> None:
    """Draw the page that the address names."""
    st.set_page_config(page_title="GNN distillation workbench", page_icon=ICON, layout="wide")
    st.navigation(list(pages().values()), position="top").run()
