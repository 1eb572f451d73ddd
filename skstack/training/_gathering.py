"""Training what fits that take turns ask for: networks of one architecture together, whoever asks for them."""

from collections import defaultdict
from dataclasses import replace
from hashlib import blake2b

import numpy as np

from .._backend import float32_unless_mixed
from ._fit import Trainings, needs_keras_fit, train
from ._programs import architecture_key, program_key

#: Networks of as many rows each that are enough to be trained without others. Rows that are left over after the last
#: whole batch are trained network by network where their number differs.
_ENOUGH = 4


def train_all(questions):
    """Do the trainings that fits ask for; see :func:`skstack._turns.run_in_turns`.

    Parameters
    ----------
    questions : list of (Trainings, Future) tuples
    """
    groups, architectures = defaultdict(list), {}
    for place, (trainings, _) in enumerate(questions):
        groups[_key(trainings, architectures) or place].append(place)
    with float32_unless_mixed():
        for places in groups.values():
            _answer([questions[place] for place in places])


def _key(trainings, architectures):
    """Return what is the same for trainings that one program can do at once, or None if others cannot be done with it.

    Parameters
    ----------
    trainings : Trainings
    architectures : dict of int to str
        By the id of the network, what tells its architecture; gets filled.
    """
    network, training = trainings.network, trainings.each[0]
    schedule, job = training.schedule, training.job
    if schedule.callbacks or needs_keras_fit(training.settings, schedule):
        return None
    if id(network) not in architectures:
        architectures[id(network)] = architecture_key(network)
    known = architectures[id(network)]
    program = None if known is None else program_key(network, training.settings, known)
    if program is None:
        return None
    decides = [len(other.job.validation_rows) > 0 for other in trainings.each]
    return program, schedule.batch_size, schedule.initial_epoch, schedule.vectorized, any(decides), _form(job.data)


def _form(data):
    """Return names, dtypes and shapes of the rows of a network."""
    return tuple(
        (kind, name, str(array.dtype), array.shape[1:])
        for kind, part in sorted(data.items())
        for name, array in sorted(part.items())
    )


def _answer(questions):
    """Train what is asked for with one program; an error is an answer to all."""
    each = [training for trainings, _ in questions for training in trainings.each]
    try:
        trained = _trained(questions[0][0], each)
    except Exception as error:
        for _, future in questions:
            future.set_exception(error)
        return
    for trainings, future in questions:
        future.set_result([trained.pop(0) for _ in trainings.each])


def _trained(first, each):
    """Return what comes of trainings, in their order."""
    each = _with_shared_arrays(each)
    found = {}
    for places in _of_equal_length(each):
        trainings = Trainings(first.network, first.make, [each[place] for place in places])
        found |= zip(places, train(trainings), strict=True)
    return [found[place] for place in range(len(each))]


def _of_equal_length(each):
    """Return the places of trainings in groups that are trained at once, each in the order of the number of epochs."""
    by_length, rest = defaultdict(list), []
    for place, training in enumerate(each):
        by_length[len(training.job.training_rows)].append(place)
    groups = []
    for places in by_length.values():
        groups.append(places) if len(places) >= _ENOUGH else rest.extend(places)
    groups += [sorted(rest)] if rest else []
    # Those that end early wait for others where they are trained at once.
    return [sorted(places, key=lambda place: each[place].schedule.epochs) for places in groups]


def _with_shared_arrays(each):
    """Return trainings in which arrays of the same content are one, as those of all candidates for a fold are."""
    known = {}

    def shared(data):
        return {kind: {name: _known(array, known) for name, array in part.items()} for kind, part in data.items()}

    jobs = [training.job for training in each]
    jobs = [replace(job, data=shared(job.data)) for job in jobs]
    jobs = [
        job if job.validation_data is None else replace(job, validation_data=shared(job.validation_data))
        for job in jobs
    ]
    return [training._replace(job=job) for training, job in zip(each, jobs, strict=True)]


def _known(array, known):
    content = np.ascontiguousarray(array)
    digest = blake2b(content.view("uint8") if content.size else b"", digest_size=16).digest()
    return known.setdefault((array.shape, array.dtype.str, digest), array)
