"""Importing Keras through skstack says nothing unless asked, and loses nothing that others have to say."""

import os
import subprocess
import sys

import pytest

# What TensorFlow's C++ code prints while it is imported, and a line of somebody else in between.
CHATTER = """\
WARNING: All log messages before absl::InitializeLog() is called are written to STDERR
I0000 00:00:1795294632.501086    3848 cudart_stub.cc:31] Could not find cuda drivers on your machine.
E0000 00:00:1795294632.501087    3848 cuda_fft.cc:485] Unable to register cuFFT factory.
2026-01-31 12:00:00.123456: I tensorflow/core/util/port.cc:153] oneDNN custom operations are on.
2026-01-31 12:00:00.123457: W tensorflow/core/util/port.cc:154] a warning
"""
REMARK = "a remark of another thread\n"
FATAL = "F0000 00:00:1795294632.501088    3848 cpu.cc:1] This machine lacks AVX.\n"


# Our layers, which skstack registers with Keras, need the real one.
WITHOUT_LAYERS = """\
import skstack._registration
skstack._registration.LAYER_MODULES = ()
"""


def _python(code, *, path=None, **environment):
    """Run code in a fresh interpreter that knows nothing of the caller's TensorFlow level and Keras backend."""
    inherited = {k: v for k, v in os.environ.items() if k not in ("TF_CPP_MIN_LOG_LEVEL", "KERAS_BACKEND")}
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, env={**inherited, **environment}
    )


@pytest.fixture
def fake_keras(tmp_path):
    """Return a function that writes a module ``keras``, by default a talkative one, and returns its folder."""
    talk = f"import os\nos.write(2, {(CHATTER + REMARK + FATAL).encode()!r})\n"

    def write(source=talk, end=""):
        (tmp_path / "keras.py").write_text(WITHOUT_LAYERS + source + end, encoding="utf-8")
        return tmp_path

    return write


def test_log_lines_are_dropped_and_everything_else_is_kept(fake_keras):
    done = _python("from skstack._backend import keras; print(keras.__name__)", path=fake_keras())
    assert done.stdout == "keras\n"
    assert done.stderr == REMARK + FATAL


@pytest.mark.parametrize("level", ["0", "1", "2"])
def test_every_line_is_shown_to_a_user_who_sets_the_level(fake_keras, level):
    done = _python("import skstack._backend", path=fake_keras(), TF_CPP_MIN_LOG_LEVEL=level)
    assert done.stderr == CHATTER + REMARK + FATAL


def test_worker_processes_inherit_the_quiet(fake_keras):
    code = "import skstack._backend, subprocess, sys; subprocess.run([sys.executable, '-c', 'import skstack._backend'])"
    assert _python(code, path=fake_keras()).stderr == 2 * (REMARK + FATAL)


def test_every_line_is_shown_when_the_import_fails(fake_keras):
    done = _python("import skstack._backend", path=fake_keras(end="raise ImportError('a broken installation')"))
    assert done.returncode == 1
    assert done.stderr.startswith(CHATTER + REMARK + FATAL)
    assert "ImportError: a broken installation" in done.stderr


def test_standard_error_works_after_the_import(fake_keras):
    code = "import os, sys, skstack._backend; print('python', file=sys.stderr, flush=True); os.write(2, b'fd')"
    assert _python(code, path=fake_keras()).stderr == REMARK + FATAL + "python\nfd"


@pytest.mark.parametrize(
    "lost", ["os.close(2)", "os.close(2); sys.stderr = sys.__stderr__ = None", "sys.stderr = None"]
)
def test_a_process_without_standard_error_can_import(fake_keras, lost):
    code = f"import os, sys; {lost}; from skstack._backend import keras; print(keras.__name__)"
    assert _python(code, path=fake_keras(source="")).stdout == "keras\n"


def test_keras_that_is_there_already_is_taken_as_it_is():
    code = f"""
{WITHOUT_LAYERS}
import os, sys, types
sys.modules["keras"] = types.ModuleType("keras")
os.dup2 = None
from skstack._backend import keras
print(keras is sys.modules["keras"])
"""
    assert _python(code).stdout == "True\n"


FIRST_FIT = """
import numpy as np
from skstack import MultimodalNetworkRegressor
from skstack.branches import NumericBranch

X = np.arange(40.0).reshape(20, 2)
network = MultimodalNetworkRegressor([("numbers", NumericBranch(hidden=(4,)))], epochs=1)
network.fit(X, X.sum(axis=1)).predict(X)
"""


def test_tensorflow_is_quiet_from_import_to_the_first_prediction():
    done = _python(FIRST_FIT)
    assert done.returncode == 0
    assert done.stderr == ""


def test_tensorflow_speaks_when_asked():
    assert _python("import skstack._backend", TF_CPP_MIN_LOG_LEVEL="0").stderr
