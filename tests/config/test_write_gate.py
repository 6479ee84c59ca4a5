from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from django.db.utils import OperationalError

from foyer.config.sqlite.base import WriteGate

HOLD = """
import fcntl, os, sys, time
fcntl.flock(os.open(sys.argv[1], os.O_RDWR | os.O_CREAT), fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(60)
"""


def test_gate_held_by_another_process_is_passed_when_that_process_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "db-gate"
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            HOLD,
            str(path),
        ],
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    gate = WriteGate(str(path))
    passed = threading.Event()

    def pass_gate() -> None:
        gate.acquire()
        passed.set()
        gate.release()

    thread = threading.Thread(target=pass_gate)
    thread.start()
    assert not passed.wait(0.2)
    holder.kill()
    holder.wait()

    assert passed.wait(60)
    thread.join()
    holder.stdout.close()


def test_gate_in_a_missing_folder_is_an_operational_error_and_stays_open(tmp_path: Path) -> None:
    gate = WriteGate(str(tmp_path / "missing" / "db-gate"))

    for _ in range(2):
        with pytest.raises(OperationalError, match="unable to open"):
            gate.acquire()


def test_gate_file_is_private(tmp_path: Path) -> None:
    gate = WriteGate(str(tmp_path / "db-gate"))
    gate.acquire()
    gate.release()

    assert (tmp_path / "db-gate").stat().st_mode & 0o777 == 0o600
