"""Two processes with several threads each at one limit: exactly as many are let through as it says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from foyer.screening.sqlite_counters import SQLiteCounters, path_beside

THREADS, TRIES, LIMIT = 4, 60, 100

RACER = """
import json, sys, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from foyer.screening.sqlite_counters import SQLiteCounters

path, start, threads, tries, limit = Path(sys.argv[1]), float(sys.argv[2]), *map(int, sys.argv[3:6])
counters = SQLiteCounters(path)
counters.check()
def race(_):
    time.sleep(max(0, start - time.time()))
    return sum(counters.acquire_sliding_window_entry("everybody", limit, 86400) for _ in range(tries))
with ThreadPoolExecutor(threads) as pool:
    print(json.dumps(sum(pool.map(race, range(threads)))))
"""


def test_two_processes_at_one_limit_let_exactly_as_many_through_as_it_says(tmp_path: Path) -> None:
    path = path_beside(tmp_path / "foyer.sqlite3")
    arguments = [str(path), str(time.time() + 1.5), str(THREADS), str(TRIES), str(LIMIT)]
    racers = [
        subprocess.Popen([sys.executable, "-c", RACER, *arguments], stdout=subprocess.PIPE, env=os.environ)
        for _ in range(2)
    ]
    let_through = [json.loads(racer.communicate(timeout=60)[0]) for racer in racers]

    assert sum(let_through) == LIMIT


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_child_of_a_fork_counts_in_the_same_file_and_leaves_the_parents_connection_alone(tmp_path: Path) -> None:
    script = """
import os, sys
from pathlib import Path
from foyer.screening.sqlite_counters import SQLiteCounters
counters = SQLiteCounters(Path(sys.argv[1]))
hit = lambda: counters.acquire_sliding_window_entry("key", 2, 86400)
assert hit()
child = os.fork()
if not child:
    counters.leave_to_parent()
    os._exit(0 if hit() and not hit() else 1)
assert os.waitpid(child, 0)[1] == 0
assert not hit()
"""
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "limits.sqlite3")], check=True, timeout=60)
    counters = SQLiteCounters(tmp_path / "limits.sqlite3")
    assert not counters.acquire_sliding_window_entry("key", 2, 86400)
    counters.close()
