"""Children end with the one who started them, however that one ends."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dev import processes
from dev.environments import ROOT

SLEEPER = [sys.executable, "-c", "import time; print('awake', flush=True); time.sleep(600)"]
PARENT = """
import sys, time
from pathlib import Path
from dev import processes
child = processes.spawn([sys.executable, "-c", "import time; time.sleep(600)"], log=Path(sys.argv[1]))
print(child.pid, flush=True)
time.sleep(600)
"""


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def spawn_sleeper(log: Path) -> subprocess.Popen[bytes]:
    process = processes.spawn(SLEEPER, log=log)
    processes.wait_until(lambda: "awake" in log.read_text(), process, log=log, seconds=10)
    return process


@pytest.mark.skipif(sys.platform != "linux", reason="Only Linux ends children with their parent.")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_child_when_its_parent_is_killed_ends(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path / "child.log")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert is_alive(child)

        parent.send_signal(number)
        parent.wait()

        end = time.monotonic() + 5
        while is_alive(child) and time.monotonic() < end:
            time.sleep(0.02)
        assert not is_alive(child)


def test_stop_a_paused_child_ends_it(tmp_path: Path) -> None:
    process = spawn_sleeper(tmp_path / "child.log")
    process.send_signal(signal.SIGSTOP)

    processes.stop(process, seconds=5)

    assert process.returncode == -signal.SIGTERM


def test_wait_until_the_child_ends_early_shows_its_log(tmp_path: Path) -> None:
    process = processes.spawn([sys.executable, "-c", "print('no room'); exit(3)"], log=tmp_path / "child.log")

    with pytest.raises(processes.NotReady, match=r"(?s)child ended with code 3.*no room"):
        processes.wait_until(lambda: False, process, log=tmp_path / "child.log", seconds=10)


def test_free_port_when_the_wanted_one_is_taken_is_another() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        wanted = taken.getsockname()[1]

        found = processes.free_port(wanted)

    assert found not in (0, wanted)
