"""Training: the plain torch loop (``reference``), the compiled kernel, and many seeds (``batch``)."""
