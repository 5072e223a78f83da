from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from workbench.errors import Stopped
from workbench.runs.queue import device_slot

HOLD = """
import sys, time
from pathlib import Path
from workbench.runs.queue import device_slot
with device_slot(Path(sys.argv[1]), "cpu", lambda ahead: None):
    print("has it", flush=True)
    time.sleep(60)
"""


def no_waiting(ahead: int) -> None:
    raise AssertionError(f"{ahead} runs before this one")


@pytest.fixture
def holder(tmp_path: Path):  # type: ignore[no-untyped-def]
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "has it\n"
    yield process
    process.kill()
    process.wait()


def test_a_second_run_waits_for_the_device_and_may_give_up(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    def give_up(ahead: int) -> None:
        assert ahead == 1
        raise Stopped("enough")

    with pytest.raises(Stopped), device_slot(tmp_path, "cpu", give_up):
        raise AssertionError("two runs have the same device")


def test_another_device_is_free(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    with device_slot(tmp_path, "cuda:0", no_waiting):
        pass


def test_a_killed_holder_gives_the_device_back(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    holder.kill()
    holder.wait()
    with device_slot(tmp_path, "cpu", no_waiting):
        pass


def test_first_come_is_first_served(tmp_path: Path) -> None:
    order: list[int] = []

    def run(number: int) -> None:
        with device_slot(tmp_path, "cpu", lambda ahead: None):
            order.append(number)
            time.sleep(0.05)

    threads = []
    for number in range(4):
        threads.append(threading.Thread(target=run, args=(number,)))
        threads[-1].start()
        time.sleep(0.05)
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3]
