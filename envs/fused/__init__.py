"""A world's text compiled by numba: a step of N environments is one call, with NumPy's bits."""
