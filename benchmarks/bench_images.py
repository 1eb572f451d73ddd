"""Photos in a folder: the second fit of a small convolutional network, one epoch over JPEGs of 256 x 256 pixels.

What is judged is the second fit in a process, because the first one decodes the photos on both sides; ours keeps what
it decoded, in a cache that is empty at first. The peer decodes in parallel in every epoch, as many images at a time as
tf.data chooses, and keeps its compiled model for the second fit.
"""

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ._comparison import Comparison, Figure, cold, warm
from ._flops import training_flop
from ._job import Job
from ._problems import build_cnn
from ._settings import PLAIN_NETWORK

PIXELS, SIZE, BATCH_SIZE = 256, 64, 32


@contextmanager
def jpeg_folder(n_samples):
    """Make JPEGs of clouds with a rectangle each, and give their folder as an argument until they are deleted.

    Until then the cache of decoded photos is in there too, for this process and those it starts.
    """
    with tempfile.TemporaryDirectory() as folder, environment("SKSTACK_CACHE", str(Path(folder, "cache"))):
        photos = Path(folder, "photos")
        photos.mkdir()
        generator = np.random.default_rng(0)
        for number in range(n_samples):
            _draw(generator).save(photos / f"{number}.jpg", quality=85)
        yield {"folder": folder}


@contextmanager
def environment(name, value):
    """Set an environment variable within the block."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def _draw(generator):
    from PIL import Image

    clouds = Image.fromarray(generator.integers(0, 256, (32, 32, 3), dtype="uint8"))
    picture = clouds.resize((PIXELS, PIXELS), Image.Resampling.BILINEAR)
    left, top, width, height = (int(value) for value in generator.integers(16, PIXELS // 2, 4))
    picture.paste(tuple(generator.integers(0, 256, 3).tolist()), (left, top, left + width, top + height))
    return picture


def _paths_and_target(folder, n_samples):
    paths = [str(Path(folder, "photos", f"{number}.jpg")) for number in range(n_samples)]
    return paths, np.random.default_rng(1).standard_normal(n_samples, dtype="float32")


def _describe(n_samples):
    return lambda result: {"flop": training_flop(build_cnn(SIZE), n_samples)}


def ours(folder, n_samples):
    shutil.rmtree(Path(folder, "cache"), ignore_errors=True)
    import pandas as pd

    from skstack import MultimodalNetworkRegressor
    from skstack.branches import ImageBranch

    paths, y = _paths_and_target(folder, n_samples)
    X = pd.DataFrame({"photo": paths})
    network = MultimodalNetworkRegressor(
        [("photo", ImageBranch(size=(SIZE, SIZE), hidden=()), ["photo"])],
        head=(),
        epochs=1,
        batch_size=BATCH_SIZE,
        random_state=0,
        **PLAIN_NETWORK,
    )
    return Job(lambda: network.fit(X, y), _describe(n_samples))


def keras(folder, n_samples):
    from skstack._backend import keras as backend

    if backend.backend.backend() != "tensorflow":
        raise ValueError("the peer reads pictures through tf.data: it needs the TensorFlow backend of Keras.")
    model = build_cnn(SIZE)
    model.compile(optimizer="adam", loss="mse")
    batches = _batches(*_paths_and_target(folder, n_samples))
    return Job(lambda: model.fit(batches, epochs=1, shuffle=False, verbose=0), _describe(n_samples))


def _batches(paths, y):
    """Return a tf.data pipeline that shuffles, decodes in parallel and prefetches."""
    import tensorflow as tf

    def decode(path, target):
        picture = tf.io.decode_jpeg(tf.io.read_file(path), channels=3)
        return tf.cast(tf.image.resize(picture, (SIZE, SIZE)), tf.uint8), target

    rows = tf.data.Dataset.from_tensor_slices((paths, y)).shuffle(len(paths), seed=0)
    return rows.map(decode, num_parallel_calls=tf.data.AUTOTUNE).batch(BATCH_SIZE).prefetch(tf.data.AUTOTUNE)


COMPARISONS = (
    Comparison(
        name="images",
        work="{n_samples:,} JPEGs 256 x 256 to 64 x 64, CNN, one epoch",
        peer="Keras fit over tf.data decoding each epoch",
        ours_job="bench_images:ours",
        peer_job="bench_images:keras",
        figures=(warm(at_least=3), cold(), Figure("peak_mb", "peak memory", "MB", at_most=1536)),
        full={"n_samples": 20_000},
        quick={"n_samples": 300},
        peer_runs=2,
        shared=jpeg_folder,
    ),
)
