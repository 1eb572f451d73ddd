"""What the figures depend on: the machine, how busy it is, its memory, and how fast it multiplies matrices."""

import os
import platform
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = ("keras", "tensorflow", "jax", "scikit-learn", "scikeras", "pandas", "numpy", "torch", "skorch")


def describe_machine():
    """Return cores, load, platform and the versions of the packages that take part."""
    return {
        "date": time.strftime("%Y-%m-%d"),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load": load(),
        "platform": platform.platform(),
        "threads": {name: value for name, value in os.environ.items() if name.endswith("_THREADS")},
        "python": platform.python_version(),
        **{name: installed for name in _PACKAGES if (installed := _version(name))},
    }


def _version(name):
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def load():
    """Return the load of the last minute, or None where the system does not tell."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def memory_mb():
    """Return the resident memory of this process, "now" and at its "peak", in MB; None where there is no /proc.

    ``getrusage`` would not do: what it calls the peak of a process begins with that of the process that started it.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return {"now": None, "peak": None}
    lines = dict(line.split(":", 1) for line in status.read_text(encoding="utf-8").splitlines())
    return {name: int(lines[key].split()[0]) / 1024 for name, key in (("now", "VmRSS"), ("peak", "VmHWM"))}


def matmul_flop_per_second(size=2048, n_repeats=3):
    """Return the floating point operations per second of a large float32 matrix product, the best of a few.

    NumPy's, which uses the cores there are and agrees with TensorFlow's within the noise of the machine.
    """
    import numpy as np

    matrix = np.random.default_rng(0).standard_normal((size, size), dtype="float32")
    seconds = []
    for _ in range(n_repeats):
        start = time.perf_counter()
        matrix @ matrix
        seconds.append(time.perf_counter() - start)
    return 2 * size**3 / min(seconds)
