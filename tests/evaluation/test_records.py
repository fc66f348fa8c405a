from __future__ import annotations

import json
import math
import os
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tiergym.evaluation import records
from tiergym.evaluation.records import (
    DELAY_EDGES,
    clear_temporaries,
    code_digest,
    delay_counts,
    make_record,
    metric,
    read_records,
    simulation_roots,
    write_records,
    write_text,
)
from tiergym.evaluation.rollout import Episode


def episode(**metrics: float) -> Episode:
    log: Any = SimpleNamespace(
        delay=np.array([0.02, np.nan, 5.0, 0.02]), charged=np.array([True, True, True, False])
    )
    return Episode(3, None, log, metrics)


def test_a_record_comes_back_as_it_was(tmp_path: Path) -> None:
    value = 0.1 + 0.2
    made = make_record({"policy": "p"}, episode(cost=value, accuracy=math.nan, tasks=3.0))
    write_records(tmp_path / "a.jsonl", [made])
    (back,) = read_records(tmp_path / "a.jsonl")
    assert back == made
    assert metric(back, "cost") == value
    assert math.isnan(metric(back, "accuracy"))
    assert math.isnan(metric(back, "never heard of"))
    json.loads((tmp_path / "a.jsonl").read_text(), parse_constant=pytest.fail)


def test_delays_count_charged_tasks_that_were_answered() -> None:
    counts = make_record({}, episode())["delays"]
    assert sum(counts.values()) == 2
    low, high = sorted(int(k) for k in counts)
    assert DELAY_EDGES[low] <= 0.02 < DELAY_EDGES[low + 1]
    assert DELAY_EDGES[high] <= 5.0 < DELAY_EDGES[high + 1]
    ends = delay_counts(np.array([0.0, 1e9]))
    assert ends == {"0": 1, str(len(DELAY_EDGES) - 2): 1}


def test_records_are_sorted_by_seed(tmp_path: Path) -> None:
    write_records(tmp_path / "a.jsonl", [{"seed": s} for s in (3, 1, 2)])
    assert [r["seed"] for r in read_records(tmp_path / "a.jsonl")] == [1, 2, 3]


@pytest.mark.parametrize("content", ["", "no json\n", '{"seed": 1}\n{"se', "[1]\n", b"\xff\xfe"])
def test_a_broken_file_holds_no_records(tmp_path: Path, content: str | bytes) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert read_records(path) == []
    assert read_records(tmp_path / "missing.jsonl") == []


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = tmp_path / "a.jsonl"
    write_text(path, "old\n")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(records.os, step, fail)
    with pytest.raises(OSError, match="No space"):
        write_text(path, "new\n")
    monkeypatch.undo()
    assert path.read_text() == "old\n"
    assert list(tmp_path.iterdir()) == [path]


def test_readers_never_see_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    texts = {"a" * 100_000, "b" * 100_000}
    write_text(path, "a" * 100_000)
    done = threading.Event()

    def write() -> None:
        for _ in range(60):
            for text in texts:
                write_text(path, text)
        done.set()

    thread = threading.Thread(target=write)
    thread.start()
    seen = set()
    while not done.is_set():
        seen.add(path.read_text())
    thread.join()
    assert seen <= texts


def test_only_what_no_live_process_writes_is_cleared(tmp_path: Path) -> None:
    dead = tmp_path / "x" / ".a.jsonl.999999999.abc.tmp"
    alive = tmp_path / f".a.jsonl.{os.getpid()}.abc.tmp"
    dead.parent.mkdir()
    for path in (dead, alive, tmp_path / "a.jsonl"):
        path.write_text("x")
    clear_temporaries(tmp_path)
    assert not dead.exists()
    assert alive.exists()
    assert (tmp_path / "a.jsonl").exists()


def test_temporary_names_are_the_ones_that_are_cleared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records.os, "getpid", lambda: 999_999_999)
    monkeypatch.setattr(records.os, "replace", lambda *_: None)
    write_text(tmp_path / "a.jsonl", "x")
    assert len(list(tmp_path.iterdir())) == 1
    clear_temporaries(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_digest_of_code_follows_names_and_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1")
    first = code_digest([tmp_path])
    (tmp_path / "note.txt").write_text("not code")
    assert code_digest([tmp_path]) == first
    (tmp_path / "a.py").write_text("x = 2")
    second = code_digest([tmp_path])
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    assert len({first, second, code_digest([tmp_path])}) == 3


def test_results_depend_on_the_engine_but_not_on_the_page() -> None:
    roots = {str(path.relative_to(path.parents[1])) for path in simulation_roots()}
    assert {"tiergym/engine", "tiergym/envs", "tiergym/scenarios", "evaluation/rollout.py"} <= roots
    assert "tiergym/evaluation" not in roots
