"""What one side of a comparison does, and the fresh process it does it in.

A function of a benchmark file imports what it needs, makes its data and returns a :class:`Job`; none of that is timed.
The process it runs in has done nothing else before, so that neither compiled programs nor memory nor threads of another
job are in its way: its first run is cold, compiling included, and a second one is warm.
"""

import gc
import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from ._machine import load, matmul_flop_per_second, memory_mb

ROOT = Path(__file__).parents[1]


class JobFailedError(Exception):
    """The process of a job ended with an error."""


def _nothing(result):
    return {}


@dataclass(frozen=True)
class Job:
    """One side of a comparison, ready to run.

    Parameters
    ----------
    work : callable
        What is timed.
    describe : callable
        Turns what `work` returned into figures by name, untimed. "flop" among them, the floating point operations of
        one run, gives the share of the machine.
    """

    work: callable
    describe: callable = _nothing


def run_in_child(job, arguments, n_runs):
    """Run a job in a fresh process and return its figures.

    Parameters
    ----------
    job : str
        Module in this package and function, such as "bench_start:import_keras".
    arguments : dict
        Keyword arguments of the function, to be had in JSON.
    n_runs : int
        1 for a cold run, 2 for a warm one after it.

    Returns
    -------
    figures : dict

    Raises
    ------
    JobFailedError
        With the end of what the process wrote.
    """
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder, "figures.json")
        request = json.dumps({"job": job, "arguments": arguments, "n_runs": n_runs, "answer": str(answer)})
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
        command = [sys.executable, "-m", "benchmarks._job", request]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise JobFailedError(f"{job} ended with status {done.returncode}:\n{(done.stdout + done.stderr)[-4000:]}")
        return json.loads(answer.read_text(encoding="utf-8"))


def run_here(job, arguments, n_runs):
    """Run a job in this process and return its figures: what :func:`run_in_child` does in the other one.

    "cold_s" and "warm_s" are the seconds of the first and second run, "cold_cpu_s" and "warm_cpu_s" those of the
    processor, "peak_mb" the most memory the process has held so far, "share" the operations per second of the last run
    over those of a matrix product right after it.
    """
    module, function = job.split(":")
    prepared = getattr(importlib.import_module(f"{__package__}.{module}"), function)(**arguments)
    figures, result = {"load": load()}, None
    for name in ("cold", "warm")[:n_runs]:
        del result
        gc.collect()
        result, figures[f"{name}_s"], figures[f"{name}_cpu_s"] = timed(prepared.work)
    figures["peak_mb"] = memory_mb()["peak"]
    seconds = figures[f"{name}_s"]
    figures.update(prepared.describe(result))
    if "flop" in figures:
        figures["matmul_flop_per_s"] = matmul_flop_per_second()
        figures["share"] = figures["flop"] / seconds / figures["matmul_flop_per_s"]
    return figures


def timed(work):
    """Return what a function returns, the seconds it took and those of the processor."""
    wall, processor = time.perf_counter(), time.process_time()
    result = work()
    return result, time.perf_counter() - wall, time.process_time() - processor


if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    Path(asked.pop("answer")).write_text(json.dumps(run_here(**asked)), encoding="utf-8")
