"""Which of how many processes this is, as a cluster says.

Blocks are shared by their number, and nothing else is communicated: a coordinator tells each process its
place, and is left again. The meeting is held in a process of its own, since JAX aborts the one that it fails
in, and any whose peer dies.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time

from hpgrid.checks import bad

#: Seconds within which all have to be there.
PATIENCE = 48.0

#: What a coordinator is called where JAX is to find it: SLURM, Cloud TPU, Open MPI.
AUTO = "auto"

#: How the meeting ends where there is no cluster to find.
_NO_CLUSTER = 3


def share_of(coordinator: str | None, processes: int | None, process_id: int | None) -> tuple[int, int]:
    """Return how many processes there are, and which of them this is.

    Args:
        coordinator: HOST:PORT of process 0, or "auto"; None where the two others say it all.
        processes: how many there are; None where the cluster says it.
        process_id: which this is, from 0 on; None where the cluster says it.

    Raises:
        ValueError: an address that is none, or not all of them came together in time.
    """
    if coordinator is None:
        return (1 if processes is None else processes), (0 if process_id is None else process_id)
    if coordinator != AUTO:
        host, colon, port = coordinator.rpartition(":")
        if not (host and colon and port.isdigit() and 0 < int(port) < 2**16):
            raise bad("a coordinator is HOST:PORT", coordinator, f"10.0.0.1:8476, say, or {AUTO}")
        # JAX aborts a process whose coordinator does not answer; so it is asked for first.
        if process_id not in (None, 0):
            _await((host.strip("[]"), int(port)), coordinator)
    command = [sys.executable, "-m", __name__, json.dumps([coordinator, processes, process_id])]
    # Where devices are does not matter here, and they stay free for the sweep itself.
    environment = {**os.environ, "JAX_PLATFORMS": "cpu", "TF_CPP_MIN_LOG_LEVEL": "3"}
    try:
        met = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=PATIENCE + 10)
    except subprocess.TimeoutExpired:
        raise _alone(coordinator) from None
    if met.returncode == _NO_CLUSTER:
        raise bad("JAX finds no cluster here", coordinator, "HOST:PORT of process 0, or --processes N --process-id I")
    if met.returncode != 0:
        raise _alone(coordinator)
    total, own = json.loads(met.stdout.splitlines()[-1])
    return int(total), int(own)


def _alone(coordinator: str) -> ValueError:
    rule = f"the processes did not all come together within {PATIENCE:.0f} s"
    return bad(rule, coordinator, "the address of process 0, or --processes N --process-id I without --coordinator")


def _await(address: tuple[str, int], coordinator: str) -> None:
    """Wait for process 0 to listen; JAX itself would abort."""
    ends = time.monotonic() + PATIENCE
    reason = ""
    while time.monotonic() < ends:
        try:
            socket.create_connection(address, timeout=2.0).close()
            return
        except socket.gaierror as error:
            reason = str(error.strerror)
            break
        except OSError as error:
            reason = str(error.strerror or error)
            time.sleep(0.3)
    rule = f"the coordinator can't be reached ({reason})"
    raise bad(rule, coordinator, "the address of process 0, where it listens")


def _meet(coordinator: str, processes: int | None, process_id: int | None) -> tuple[int, int]:
    """Join the others, learn one's place, and leave when all have it."""
    import jax

    address = None if coordinator == AUTO else coordinator
    try:
        jax.distributed.initialize(address, processes, process_id, initialization_timeout=int(PATIENCE))
    # Nothing says how many there are.
    except ValueError:
        sys.exit(_NO_CLUSTER)
    place = jax.process_count(), jax.process_index()
    jax.distributed.shutdown()
    return place


if __name__ == "__main__":
    print(json.dumps(_meet(*json.loads(sys.argv[1]))))
