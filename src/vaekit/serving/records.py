"""A record of every scored example, written beside the answers and never before them.

Requests hand over arrays and go on; a thread makes lines of them. Where it cannot keep up, or
the disk is full, records are dropped and counted.

A record holds when, which model and version, the scores, the code (the latent mean), the
condition and the request's id. Raw values are in `samples-*.jsonl` if the operator asked for it.
"""

import queue
import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, final

import numpy as np
import orjson

from vaekit.serving.exchange import Exchange
from vaekit.serving.models import Served
from vaekit.serving.question import Question
from vaekit.serving.segments import KINDS, RecordSettings, Segments
from vaekit.serving.together import Answer


class _Entry(NamedTuple):
    time: float
    request_id: str
    served: Served
    asked: Question
    answer: Answer


@final
class Recorder:
    """Writes records in a thread of its own.

    Args:
        settings: What, where, and for how long.
        count: Is told how many records had which outcome: written, or why they were dropped.
    """

    def __init__(self, settings: RecordSettings, count: Callable[[str, int], object]) -> None:
        self._settings, self._count = settings, count
        self._queue: queue.SimpleQueue[_Entry | None] = queue.SimpleQueue()
        self._waiting, self._lock = 0, threading.Lock()
        self._segments = {kind: Segments(settings, kind) for kind in KINDS}
        self._random = random.Random()
        self._thread = threading.Thread(target=self._work, name="records", daemon=True)
        self._thread.start()

    def witness(self, exchange: Exchange, served: Served, asked: Question, answer: Answer) -> None:
        """Takes what was answered; never waits."""
        if asked.verb != "score":
            return
        with self._lock:
            if self._waiting + asked.n > self._settings.waiting:
                self._count("dropped_queue_full", asked.n)
                return
            self._waiting += asked.n
        self._queue.put(_Entry(time.time(), exchange.id, served, asked, answer))

    def close(self, seconds: float = 5.0) -> None:
        """Writes what waits, if that can be done in time."""
        self._queue.put(None)  # the end
        self._thread.join(seconds)

    def _work(self) -> None:
        while True:
            entry = self._queue.get()
            if entry is None:
                break
            try:
                self._write(entry)
            except OSError:
                self._count("dropped_disk", entry.asked.n)
            except Exception:  # whatever it is, the next one may do better
                self._count("dropped_failure", entry.asked.n)
            with self._lock:
                self._waiting -= entry.asked.n
        for segments in self._segments.values():
            segments.close()

    def _write(self, entry: _Entry) -> None:
        self._segments["records"].write(_lines(entry, self._settings.masked))
        self._count("written", entry.asked.n)
        chosen = [
            i for i in range(entry.asked.n) if self._random.random() < self._settings.sample_rate
        ]
        if chosen:
            self._segments["samples"].write(_samples(entry, chosen, self._settings.masked))
            self._count("samples_written", len(chosen))


def _lines(entry: _Entry, masked: Sequence[str]) -> bytes:
    scores = {name: _rounded(entry.answer[name]) for name in entry.served.serving.scores}
    codes = _rounded(entry.answer["z"])
    told = {n: v.tolist() for n, v in entry.asked.condition.items() if n not in masked}
    lines = (
        {
            **_head(entry, row),
            "scores": {name: values[row] for name, values in scores.items()},
            "z": codes[row],
            "condition": {name: values[row] for name, values in told.items()},
        }
        for row in range(entry.asked.n)
    )
    return b"".join(map(_json_line, lines))


def _samples(entry: _Entry, rows: Sequence[int], masked: Sequence[str]) -> bytes:
    x = entry.asked.values
    if x is None:
        return b""
    columns = entry.served.serving.form.columns or ()
    hidden = [i for i, column in enumerate(columns) if column in masked]
    kept = x[list(rows)].astype(object)
    kept[~np.isfinite(x[list(rows)])] = None
    if hidden:
        kept[:, hidden] = None
    lines = [
        {**_head(entry, row), "x": values.tolist()} for row, values in zip(rows, kept, strict=True)
    ]
    return b"".join(_json_line(line) for line in lines)


def _head(entry: _Entry, row: int) -> dict[str, Any]:
    return {
        "time": round(entry.time, 3),
        "request_id": entry.request_id,
        "row": row,
        "model": entry.served.name,
        "version": entry.served.version,
        "artifact": entry.served.digest[:16],
        **({"variant": about.variant} if (about := entry.served.about) else {}),
        **{name: entry.asked.parameters[name] for name in ("num_samples", "seed")},
    }


def _rounded(array: np.ndarray) -> list[Any]:
    """Seven digits are what float32 had; what is no finite number becomes null."""
    flat = [float(f"{value:.7g}") for value in array.reshape(-1).tolist()]
    if array.ndim == 1:
        return flat
    width = array.shape[1]
    return [flat[i : i + width] for i in range(0, len(flat), width)]


def _json_line(document: dict[str, Any]) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)
