"""The workbench beside the textbook: the same numbers computed in the plain way, timed in the same run."""
