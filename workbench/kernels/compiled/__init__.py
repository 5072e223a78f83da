"""The same arithmetic compiled for the CPU by numba, imported only for graphs that are large enough to pay for it."""
