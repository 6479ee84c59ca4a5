"""Children end with the one who started them, however that one ends."""

from __future__ import annotations

import contextlib
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
    processes.wait_until(lambda: "awake" in log.read_text(), process, log=log, seconds=60)
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

        end = time.monotonic() + 60
        while is_alive(child) and time.monotonic() < end:
            time.sleep(0.02)
        assert not is_alive(child)


def test_stop_a_paused_child_ends_it(tmp_path: Path) -> None:
    process = spawn_sleeper(tmp_path / "child.log")
    process.send_signal(signal.SIGSTOP)

    processes.stop(process, seconds=60)

    assert process.returncode == -signal.SIGTERM


def test_wait_until_the_child_ends_early_shows_its_log(tmp_path: Path) -> None:
    process = processes.spawn([sys.executable, "-c", "print('no room'); exit(3)"], log=tmp_path / "child.log")

    with pytest.raises(processes.NotReady, match=r"(?s)child ended with code 3.*no room"):
        processes.wait_until(lambda: False, process, log=tmp_path / "child.log", seconds=60)


def test_free_port_when_the_wanted_one_is_taken_is_another() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        wanted = taken.getsockname()[1]

        found = processes.free_port(wanted)

    assert found not in (0, wanted)


ASK_FOR_PORTS = """
import sys
from dev.processes import free_port
print(*[free_port(int(wanted)) for wanted in sys.argv[1:]], flush=True)
sys.stdin.read()
"""


def test_free_ports_of_two_processes_are_never_the_same(tmp_path: Path) -> None:
    wanted = processes.free_port()
    command = [sys.executable, "-c", ASK_FOR_PORTS, *["0"] * 150, str(wanted + 1)]
    given: list[int] = []
    with contextlib.ExitStack() as stack:
        for _ in range(3):
            asked = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            stack.enter_context(asked)
            assert asked.stdout is not None
            given += [int(port) for port in asked.stdout.readline().split()]

    assert len(given) == len(set(given)) == 3 * 151


@pytest.mark.skipif(sys.platform != "linux", reason="Linux says which ports it takes for itself.")
def test_free_port_is_none_that_the_system_gives_to_a_connection() -> None:
    low, high = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    if high - low > 50_000:
        pytest.skip("this system takes nearly all")

    assert not low <= processes.free_port() <= high


def test_free_port_stays_free_for_a_server_that_is_started_again() -> None:
    port = processes.free_port()
    for _ in range(3):
        with socket.create_server(("127.0.0.1", port)) as server, socket.create_connection(("127.0.0.1", port)) as us:
            server.accept()[0].close()
            us.recv(1)

    assert processes.free_port() != port
