"""Settings for every test and every example in a docstring."""

import os
import tempfile

# Decoded pictures must not land in the cache of whoever runs the tests; workers of pytest-xdist share a folder.
os.environ.setdefault("SKSTACK_CACHE", tempfile.mkdtemp(prefix="skstack-tests-"))
