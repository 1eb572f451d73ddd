"""Settings for every test and every example in a docstring."""

import os
import tempfile
from importlib.util import find_spec

# Decoded pictures must not land in the cache of whoever runs the tests; workers of pytest-xdist share a folder.
os.environ.setdefault("SKSTACK_CACHE", tempfile.mkdtemp(prefix="skstack-tests-"))

# The loops for JAX are for those who have it; `make test-jax` installs it.
collect_ignore = [] if find_spec("jax") else ["skstack/training/_jax.py"]
