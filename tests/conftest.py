"""Settings that have to be in the environment before any test imports Keras or Matplotlib."""

import os

# One thread each: the networks of the tests are tiny, and pytest-xdist may run a worker per core.
for _name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("MPLBACKEND", "Agg")
