"""What trackers of others have kept of a training, read back by their own libraries."""

import json
import struct
import time
from pathlib import Path

import pytest

BLOCK, HEADER = 2**15, struct.Struct("<IHB")  # of LevelDB's log, which W&B writes


def offline(monkeypatch, store: Path) -> None:
    """Let W&B and MLflow tell nobody but files."""
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")
    monkeypatch.setenv("DO_NOT_TRACK", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store.as_uri())
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # SQLite takes it ten seconds to begin


def wandb_records(folder: Path, runs: int) -> list[list]:
    """Return the records of the offline runs of W&B in `folder`, oldest first, once all are there.

    A process of its own writes them, and is not waited for by who has ended a run.
    """
    pattern, begun = "wandb/offline-run-*/run-*.wandb", time.monotonic()
    while time.monotonic() - begun < 60:
        found = [_records(file.read_bytes()) for file in sorted(folder.glob(pattern))]
        ends = [record.WhichOneof("record_type") == "exit" for each in found for record in each]
        if sum(ends) == runs:
            return found
        time.sleep(0.05)
    raise AssertionError(f"of {runs} runs {sum(ends)} have ended")


def _records(data: bytes) -> list:
    wire = pytest.importorskip("wandb.proto.wandb_internal_pb2")
    at, parts, records = HEADER.size, [], []
    while at + HEADER.size <= len(data):
        if BLOCK - at % BLOCK < HEADER.size:
            at += BLOCK - at % BLOCK
            continue
        _, length, kind = HEADER.unpack_from(data, at)
        parts.append(data[at + HEADER.size : at + HEADER.size + length])
        at += HEADER.size + length
        if kind in (1, 4):  # whole, or the last part
            record = wire.Record()
            record.ParseFromString(b"".join(parts))
            records.append(record)
            parts = []
    return records


def wandb_run(records: list) -> tuple[str, dict, list[dict], dict]:
    """Return id, config, rows and summary of a run, of what is in its records."""
    config, rows, summary, run_id = {}, [], {}, ""
    for record in records:
        kind = record.WhichOneof("record_type")
        if kind == "run":
            run_id = record.run.run_id
        elif kind == "config":
            config |= _items(record.config.update)
        elif kind == "history":
            rows.append(_items(record.history.item))
        elif kind == "summary":
            summary |= _items(record.summary.update)
    return run_id, config, rows, summary


def _items(items) -> dict:
    return {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in items}
