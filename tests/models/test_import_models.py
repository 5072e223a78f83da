"""Models can be listed without paying for PyG."""

import subprocess
import sys

LISTING = """
import sys
import workbench.models
from workbench.registry import models
assert models.names()
print([name for name in sys.modules if name.split(".")[0] in ("torch_geometric", "sklearn", "umap")])
"""


def test_listing_models_imports_no_pyg():
    done = subprocess.run([sys.executable, "-c", LISTING], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
