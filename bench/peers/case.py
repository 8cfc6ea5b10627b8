"""Cases as peers/cases.mjs writes them, and the timing and checking that every Python peer shares.

A peer is started as `python <peer>.py THREADS FOLDER...` and prints one JSON object a measurement.
"""

import json
import math
import pathlib
import sys
import time

import numpy as np


class Case:
    """Inputs and expected results of one case."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        head = json.loads((self.folder / "case.json").read_text())
        self.name, self.family, self.shape = head["name"], head["family"], head["shape"]
        self.checked = head.get("checked")
        self.arrays = {key: self._read(key, shape) for key, shape in head["arrays"].items()}
        self.out = self._read("out", head["out"])
        self.gradient = self._read("gradient", head["out"]) if self.checked else None

    def _read(self, name, shape):
        return np.fromfile(self.folder / f"{name}.f32", dtype=np.float32).reshape(shape)


def arguments():
    """Threads, and the cases."""
    return int(sys.argv[1]), [Case(folder) for folder in sys.argv[2:]]


def best_seconds(call, budget=1.0):
    """The shortest of at least three calls within about `budget` seconds, after one uncounted."""
    call()
    best, start = math.inf, time.perf_counter()
    for turn in range(1_000_000):
        before = time.perf_counter()
        call()
        after = time.perf_counter()
        best = min(best, after - before)
        if turn >= 2 and after - start > budget:
            return best
    return best


def error_of(got, expected):
    """Largest difference, relative to the largest expected number."""
    return float(np.max(np.abs(np.asarray(got, dtype=np.float64) - expected)) / np.max(np.abs(expected)))


def report(case, contender, direction, seconds, error):
    """Prints one measurement."""
    line = {"case": case.name, "contender": contender, "direction": direction, "seconds": seconds, "error": error}
    print(json.dumps(line), flush=True)
