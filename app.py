"""The app: ``streamlit run app.py``, or ``workbench app``."""

from workbench.pages.navigation import main

main()
