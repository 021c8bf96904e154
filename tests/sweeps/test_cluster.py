"""A coordinator tells each process its place, and is left again; whoever can't be reached is one clear line."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest
from sweep_of_six import HELD, contents, finished, started

import hpgrid
from hpgrid.sweeps import cluster


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def test_without_a_coordinator_one_says_it_oneself() -> None:
    assert cluster.share_of(None, None, None) == (1, 0)
    assert cluster.share_of(None, 4, 2) == (4, 2)


def test_a_coordinator_gives_each_process_its_place_and_they_share_the_work(tmp_path: Path) -> None:
    config, out = tmp_path / "small.toml", tmp_path / "shared.zarr"
    config.write_text(HELD)
    options = ["--block", "2", "--coordinator", f"127.0.0.1:{free_port()}", "--processes", "2", "--process-id"]
    for process in [started(config, out, *options, str(k)) for k in range(2)]:
        assert "of 3 blocks as one of 2 processes" in finished(process)[0]
    hpgrid.sweep(config, tmp_path / "alone.zarr", block=2)
    assert contents(out) == contents(tmp_path / "alone.zarr")


@pytest.mark.parametrize("address", ["localhost", ":80", "host:", "host:port", "host:99999"])
def test_an_address_is_a_host_and_a_port(address: str) -> None:
    with pytest.raises(ValueError, match=r"a coordinator is HOST:PORT"):
        cluster.share_of(address, 2, 1)


def test_a_coordinator_that_does_not_listen_is_found_before_jax_aborts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "PATIENCE", 0.5)
    with pytest.raises(ValueError, match=r"can't be reached \(Connection refused\)"):
        cluster.share_of(f"127.0.0.1:{free_port()}", 2, 1)


def test_a_peer_that_never_comes_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """JAX aborts the process that waited: here that is a child."""
    died = subprocess.CompletedProcess([], -6, "", "aborted")
    monkeypatch.setattr(cluster.subprocess, "run", lambda *a, **k: died)
    with pytest.raises(ValueError, match="did not all come together"):
        cluster.share_of(f"127.0.0.1:{free_port()}", 2, 0)


def test_where_there_is_no_cluster_auto_says_so() -> None:
    with pytest.raises(ValueError, match="JAX finds no cluster here"):
        cluster.share_of("auto", None, None)


def test_under_slurm_auto_finds_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"JOB_ID": "7", "STEP_NODELIST": "localhost", "NTASKS": "1", "PROCID": "0", "LOCALID": "0"}
    for name, value in {**told, "STEP_NUM_NODES": "1"}.items():
        monkeypatch.setenv(f"SLURM_{name}", value)
    assert cluster.share_of("auto", None, None) == (1, 0)
