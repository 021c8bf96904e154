"""Nothing lost: killed, damaged, shared or repeated, a sweep ends in the bytes of a run that nothing touched."""

from __future__ import annotations

import hashlib
import json
import random
import re
import shutil
import signal
import subprocess
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray
import zarr
from sweep_of_six import HELD, SMALL, contents, finished, started

import hpgrid
from hpgrid.record import made_with
from hpgrid.sweeps import store
from hpgrid.sweeps.measure import Options
from hpgrid.sweeps.run import run
from hpgrid.sweeps.store import MARKER, Contents, write_slopes

#: What a store of the standard variables holds.
CONTENTS = Contents(("eta", "b", "alpha"), ("b", "alpha"))
SPECS = CONTENTS.specs


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that one run made, three blocks of two combinations."""
    path = tmp_path_factory.mktemp("whole") / "run.zarr"
    hpgrid.sweep(SMALL, path, block=2)
    return path


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return shutil.copytree(whole, tmp_path / "run.zarr")


def test_its_size_is_known_beforehand(whole: Path) -> None:
    data = hpgrid.open_sweep(whole)
    budgets = len(data[data.attrs["budget"]])
    assert sum(data[name].nbytes for name in SPECS) == CONTENTS.size(budgets) * data.sizes["regime"] * 6


def again(path: Path) -> tuple[int, int, int]:
    """How many blocks a second run finds whole, and damaged, and how many files that they are read by."""
    done = run(SMALL, path, Options())
    return done.found, done.damaged, done.mended


# --- what is there is kept, what is not is made ---


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def _flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(bytes(content))


def _tear(path: Path) -> None:
    zarr.open_group(path, mode="r+")[MARKER][0] = np.full((len(SPECS) + 1, 32), 7, np.uint8)


def _link(file: Path) -> None:
    file.unlink()
    file.symlink_to("/etc/passwd")


#: What becomes of a file.
KINDS: dict[str, Callable[[Path], object]] = {
    "cut short": _cut,
    "one bit": _flip,
    "gone": Path.unlink,
    "empty": lambda file: file.write_bytes(b""),
    "garbage": lambda file: file.write_bytes(random.Random(7).randbytes(900)),
    "a link": _link,
}

#: By name, what becomes of a store, and how many blocks the next run finds whole, and damaged, and files mended.
DAMAGE: dict[str, tuple[Callable[[Path], object], tuple[int, int, int]]] = {
    "nothing": (lambda path: None, (3, 0, 0)),
    "a torn marker": (_tear, (2, 1, 0)),
}
_MARKER = f"{MARKER}/c/1/0/0"
_READ_BY = ("C2/c/0", "T/c/0", "regime/c/0", "exponent/c/0/0", "C2/zarr.json", f"{MARKER}/zarr.json")
for _kind, _damage in KINDS.items():
    for _name in ("risk_hat", "b_edge", "slope_error", "edge_points")[: 4 if _kind in [*KINDS][:3] else 1]:
        _file = Path(_name, "c", "0", "2", "0", *("0" for _ in SPECS[_name].after))
        DAMAGE[f"{_name}, {_kind}"] = lambda path, file=_file, damage=_damage: damage(path / file), (2, 1, 0)
    # Without its marker a block is not whole yet; with another it is damaged.
    _found = 2, int(_kind != "gone"), 0
    DAMAGE[f"a marker, {_kind}"] = lambda path, damage=_damage: damage(path / _MARKER), _found
    DAMAGE[f"what blocks are read by, {_kind}"] = (
        lambda path, damage=_damage: [damage(path / file) for file in _READ_BY], (3, 0, len(_READ_BY)),
    )  # fmt: skip


#: As the other arrays, whose files they are like.
LIKE = [pytest.mark.thorough]


@pytest.mark.parametrize(
    "what", [pytest.param(x, marks=LIKE if x.startswith(("b_edge", "slope_error")) else []) for x in DAMAGE]
)
def test_what_is_damaged_is_found_and_computed_again_to_the_same_bytes(copy: Path, whole: Path, what: str) -> None:
    damage, found = DAMAGE[what]
    damage(copy)
    if found != (3, 0, 0) and what != "a marker, gone":
        with pytest.raises(ValueError, match="not what was written"):
            hpgrid.open_sweep(copy)
    assert again(copy) == found
    assert hpgrid.open_sweep(copy).attrs["whole_blocks"] == 3
    assert contents(copy) == contents(whole)


def test_a_full_disk_is_an_error_that_the_next_run_gets_over(
    tmp_path: Path, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.zarr"
    flush, calls = store._flush, iter(range(1000))

    def full(file: Path) -> None:
        if next(calls) == len(SPECS) + 5:
            raise OSError(28, "No space left on device")
        flush(file)

    monkeypatch.setattr(store, "_flush", full)
    with pytest.raises(ValueError, match=r"block 1 of the store can't be written \(No space left on device\)"):
        run(SMALL, path, Options(), block=2)
    monkeypatch.undo()
    assert again(path) == (1, 0, 0)
    assert contents(path) == contents(whole)


def test_any_block_size_gives_the_same_numbers(tmp_path: Path, whole: Path) -> None:
    one = hpgrid.open_sweep(whole).load()
    for block in (1, 100):
        other = hpgrid.sweep(SMALL, tmp_path / f"{block}.zarr", block=block).load()
        for name in (*SPECS, "exponent"):
            np.testing.assert_array_equal(one[name].values, other[name].values, err_msg=f"{name}, block {block}")


# --- killed ---


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "held.toml"
    path.write_text(HELD)
    return path


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a run of one regime that nothing touched leaves."""
    path = tmp_path_factory.mktemp("held") / "run.zarr"
    hpgrid.sweep(tomllib.loads(HELD), path, block=2)
    return contents(path)


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "never came"
        time.sleep(0.005)


def test_killed_at_any_moment_it_ends_in_the_same_bytes(tmp_path: Path, config: Path, held: dict) -> None:
    out, rng = tmp_path / "killed.zarr", random.Random(7)
    for _ in range(3):
        process = started(config, out, "--block", "2")
        until(lambda process=process: out.exists() or process.poll() is not None)  # type: ignore[misc]
        time.sleep(rng.uniform(0, 1.5))
        process.kill()
        process.communicate()
    finished(started(config, out, "--block", "2"))
    assert contents(out) == held


def test_ctrl_c_says_how_to_go_on_and_ends_with_130(tmp_path: Path, config: Path) -> None:
    out = tmp_path / "made" / "stopped.zarr"
    config.write_text(HELD.replace("[0.1, 10.0]", "{ lo = 0.1, hi = 10.0, n = 30 }"))
    process = started(config, out, "--block", "1")  # ninety blocks: most are still to come once the first is there
    until(lambda: any((out / store.MARKER).glob("c/*/*")))
    process.send_signal(signal.SIGINT)
    _, err = finished(process, status=130)
    assert "the same command goes on from there" in err
    assert "Traceback" not in err
    finished(started(config, out))
    assert [path.name for path in out.parent.iterdir()] == [out.name]  # nothing that was half made aside


# --- several processes ---


def test_processes_share_the_blocks_one_killed_and_started_again(tmp_path: Path, config: Path, held: dict) -> None:
    """One process more than there are blocks."""
    out, processes = tmp_path / "shared.zarr", 4

    def begin(process_id: int) -> subprocess.Popen[str]:
        share = ["--processes", str(processes), "--process-id", str(process_id)]
        return started(config, out, "--block", "2", *share)

    running = [begin(k) for k in range(processes)]
    until(out.exists)
    running[0].kill()
    running[0].communicate()
    for process in running[1:]:
        finished(process)
    finished(begin(0))
    assert contents(out) == held


def test_a_store_that_is_being_written_is_refused(copy: Path) -> None:
    with store.writing(copy, 1, 0), pytest.raises(ValueError, match="another process writes these blocks"):
        run(SMALL, copy, Options())
    with store.writing(copy, 4, 0), pytest.raises(ValueError, match="processes that write this store are 4"):
        run(SMALL, copy, Options(), share=(2, 1))
    with store.writing(copy, 2, 0):
        assert run(SMALL, copy, Options(), share=(2, 1)).own == 1


# --- refusals ---


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"constants": {**SMALL["constants"], "C1": 3.0}}, r"plan.bound.C1 is 1.0 there, 3.0 here"),
        ({"grid": {"n": 17}}, r"plan.grid.n is 16 there, 17 here"),
        ({"regime": SMALL["regime"][:1]}, r"plan.regimes has \d there, 1 here"),
    ],
)
def test_a_store_of_another_plan_is_refused_with_what_differs(copy: Path, changes: dict, message: str) -> None:
    before = contents(copy)
    with pytest.raises(ValueError, match=message):
        run({**SMALL, **changes}, copy, Options())
    assert contents(copy) == before


def test_a_store_of_another_version_is_refused(copy: Path) -> None:
    meta = json.loads((copy / "zarr.json").read_text())
    meta["attributes"]["versions"]["jax"] = "0.0.1"
    (copy / "zarr.json").write_text(json.dumps(meta))
    with pytest.raises(ValueError, match=r"versions.jax is '0.0.1' there"):
        run(SMALL, copy, Options())


def _said(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    meta = json.loads((path / "zarr.json").read_text())
    change(meta["attributes"])
    (path / "zarr.json").write_text(json.dumps(meta))


#: What a store may say of itself, and what both who read it and who go on with it are told.
SAYS: dict[str, tuple[Callable[[dict[str, Any]], object], str, str]] = {
    name: (change, read, gone_on)
    for name, change, read, gone_on in (
        ("another schema", lambda said: said.update(hpgrid_sweep=1), "version 1 of its schema", "version 1"),
        ("a schema of text", lambda said: said.update(hpgrid_sweep="x"), "version x of its schema", "version x"),
        ("no plan", lambda said: said.pop("plan"), "says of itself is damaged", "plan is None there"),
        ("a plan of another type", lambda said: said.update(plan=3), "says of itself is damaged", "plan is 3 there"),
        ("a bound of another type", lambda said: said["plan"].update(bound=3), "damaged", "plan.bound is 3 there"),
        ("no such budget", lambda said: said.update(budget="Q"), "says of itself is damaged", "budget is 'Q' there"),
        ("blocks of nothing", lambda said: said.update(block=[0, 0]), "damaged", "at least 1 and at most its axis"),
        ("blocks of text", lambda said: said.update(block=["a", 2]), "damaged", "at least 1 and at most its axis"),
        ("blocks without sides", lambda said: said.pop("block"), "damaged", "blocks have a side for each axis"),
        ("blocks beyond the axes", lambda said: said.update(block=[10**9] * 2), "damaged", "at most its axis"),
    )
}


@pytest.mark.parametrize("what", SAYS)
def test_a_store_that_says_what_can_not_be_is_refused(copy: Path, what: str) -> None:
    change, read, gone_on = SAYS[what]
    _said(copy, change)
    with pytest.raises(ValueError, match=read):
        hpgrid.open_sweep(copy)
    with pytest.raises(ValueError, match=gone_on):
        run(SMALL, copy, Options())


@pytest.mark.parametrize("text", ["", "[]", "{", '{"attributes": ' + "[" * 5000 + "]" * 5000 + "}", "\xff"])
def test_a_store_whose_metadata_are_none_is_refused(copy: Path, text: str) -> None:
    (copy / "zarr.json").write_text(text, encoding="latin-1")
    for read in (hpgrid.open_sweep, lambda path: run(SMALL, path, Options())):
        with pytest.raises(ValueError, match=r"no sweep's store, or its zarr\.json is damaged"):
            read(copy)


def marked_anew(path: Path) -> None:
    """Have markers say that all is as it should be: the work of somebody who knows how."""
    opened, _ = store._described(path, store.attributes_of(path))
    for number in range(3):
        digests = [hashlib.sha256(file.read_bytes()).digest() for file, _ in opened._files(number)]
        opened._marker(number).write_bytes(b"".join((*digests, opened.frame)))


def test_what_unpacks_to_more_than_a_block_is_not_unpacked(copy: Path) -> None:
    from numcodecs.zstd import Zstd

    file = copy.joinpath("risk_hat", "c", "0", "1", "0", "0")
    size = len(Zstd().decode(file.read_bytes()))
    assert size == 2 * 1 * 2 * 16 * 8  # regimes, a block's sides, budgets, float64
    assert store._unpacked(file.read_bytes()) == size
    # RFC 8878: a content size has 1, 2, 4 or 8 bytes.
    for n in (7, 255, 256, 65791, 65792, 2**25):
        assert store._unpacked(Zstd().encode(bytes(n))) == n
    file.write_bytes(Zstd().encode(bytes(2**25)))
    marked_anew(copy)
    with pytest.raises(ValueError, match="1 of the store's 3 blocks"):
        hpgrid.open_sweep(copy)


def test_coordinates_are_those_of_the_plan(copy: Path) -> None:
    """Zeros in C2, of which a picture takes logs, though the markers speak of them."""
    (copy / "C2/c/0").write_bytes(bytes(24))
    marked_anew(copy)
    with pytest.raises(ValueError, match="says of itself is damaged"):
        hpgrid.open_sweep(copy)


def test_an_array_is_as_large_as_the_plan_says(copy: Path) -> None:
    meta = json.loads((copy / "zarr.json").read_text())
    for array in meta["consolidated_metadata"]["metadata"].values():
        array["shape"] = [10**9 if n == 3 else n for n in array["shape"]]
    (copy / "zarr.json").write_text(json.dumps(meta))
    marked_anew(copy)
    with pytest.raises(ValueError, match="says of itself is damaged"):
        hpgrid.open_sweep(copy)


def test_a_lock_that_is_a_link_leaves_what_it_leads_to_alone(copy: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("keep this")
    for name in (".writers", ".writer-0"):
        (copy / name).unlink()
        (copy / name).symlink_to(precious)
        with pytest.raises(ValueError, match=f"{name} is a store's lock"):
            run(SMALL, copy, Options())
        (copy / name).unlink()
    assert precious.read_text() == "keep this"


def test_without_its_check_a_store_is_read_as_it_is(copy: Path) -> None:
    _flip(copy / "C2/c/0")
    assert hpgrid.open_sweep(copy, check=False).attrs["whole_blocks"] == 3


def test_what_is_no_sweeps_store_is_refused_and_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "precious.txt").write_text("keep")
    zarr.create_group(tmp_path / "other.zarr")
    for path in (folder, tmp_path / "other.zarr"):
        with pytest.raises(ValueError, match="sweep's"):
            run(SMALL, path, Options())
        with pytest.raises(ValueError, match="sweep's"):
            hpgrid.open_sweep(path)
    assert (folder / "precious.txt").read_text() == "keep"


REFUSED: dict[str, tuple[dict, dict]] = {
    "the ids are 0 to 1": ({}, {"process_id": 2, "processes": 2}),
    "the ids are 0 to 0": ({}, {"process_id": -1}),
    "processes is a whole number >= 1": ({}, {"processes": 0}),
    "devices is a whole number >= 1": ({}, {"devices": 0}),
    "block is a whole number >= 1": ({}, {"block": 2.5}),
    "this machine has": ({}, {"devices": 999}),
    "a search over budgets has an axis of them": ({"grid": {"T": 1e9}}, {}),
    "the regime 'eta b': alpha of the bound lmo is neither tuned nor fixed": ({"regime": {"tuned": ["eta", "b"]}}, {}),
    "alpha is tuned, so that it needs an": (
        {"grid": {"alpha": 0.1}, "regime": {"tuned": ["eta", "b", "alpha"]}},
        {},
    ),
    "overflows float64 on this grid": ({"constants": {"C2": [1.0, 1e300]}}, {}),
    "overflows float64": ({"constants": {"C1": [1.0, 1e200], "C2": [1.0, 2.0], "C3": [1.0, 1e300]}}, {}),
    "no b is left between its bounds": ({"min_K": 1000}, {}),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_can_not_be_is_refused_before_anything_is_made(tmp_path: Path, message: str) -> None:
    """By the options, the grid, the search or the refinement."""
    changes, options = REFUSED[message]
    with pytest.raises(ValueError, match=message):
        hpgrid.sweep({**SMALL, **changes}, tmp_path / "run.zarr", **options)
    assert not any(tmp_path.iterdir())


def with_names(constant: str, variable: str, **more: object) -> dict[str, Any]:
    """A sweep of a constant that tunes a variable."""
    return {
        "bound": f"{constant}/({variable}*T) + {variable}*last",
        "variables": [f"{variable} > 0"],
        "constants": {constant: [1.0, 2.0], "last": 1.0},
        "grid": {"axes": {variable: [1e-3, 1e-2, 1.0], "T": [1e2, 1e4, 1e6]}},
        "regime": {"tuned": [variable]},
    } | more


def test_a_name_that_means_something_else_in_the_store_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    """Every array and axis that a store has, and every variable of which it would have one twice."""
    hpgrid.sweep(with_names("C", "x"), tmp_path / "plain.zarr")
    (tmp_path / "rows.csv").write_text("C\n1\n2\n")
    rows = with_names("C", "x", constants={"last": 1.0}, rows=str(tmp_path / "rows.csv"))
    hpgrid.sweep(rows, tmp_path / "rows.zarr")
    names: set[str] = set()
    for path in tmp_path.glob("*.zarr"):
        for name, array in zarr.open_group(path, mode="r").arrays():
            names |= {name, *(array.metadata.dimension_names or ())}
    names -= {"C", "T"}
    assert {"block", "row", "quantity", "risk_hat", "points", "x_star", "exponent_exact"} < names
    for name in sorted(names):
        with pytest.raises(ValueError, match=rf"{name} is something else in a sweep's store\. Given: '({name}|x)'"):
            hpgrid.sweep(with_names(name, "x"), tmp_path / "no.zarr")
    of_variables = {name.rpartition("_")[0] for name in names if name.rpartition("_")[2] in ("hat", "star")} - {"x"}
    assert of_variables == {"risk", "slope", "burn_in"}
    for name in of_variables - {"risk"}:
        with pytest.raises(ValueError, match=f"{name}_hat is something else in a sweep's store. Given: '{name}'"):
            hpgrid.sweep(with_names("C", name), tmp_path / "no.zarr")
    assert not (tmp_path / "no.zarr").exists()


def test_a_name_that_is_not_swept_may_be_any(tmp_path: Path) -> None:
    free = with_names("C", "points")
    free |= {"bound": free["bound"].replace("last", "block"), "constants": {"C": [1.0, 2.0], "block": 1.0}}
    found = hpgrid.sweep(free, tmp_path / "run.zarr")
    assert {"points", "points_star"} < {*found.variables}


def test_a_store_that_another_process_made_meanwhile_is_held_to_the_plan(
    tmp_path: Path, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes between the look for one and its making."""
    late, create = tmp_path / "late.zarr", store.create

    def second(path: Path, *given: object) -> None:
        shutil.copytree(copy, path)
        create(path, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "create", second)
    with pytest.raises(ValueError, match=r"plan.bound.C1 is 1.0 there, 5.0 here"):
        run({**SMALL, "constants": {**SMALL["constants"], "C1": 5.0}}, late, Options(), block=2)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".late")] == []


# --- what is opened ---


def test_the_result_is_a_dataset_with_named_axes_and_says_what_it_is(whole: Path) -> None:
    data = hpgrid.open_sweep(whole)
    assert dict(data.risk_hat.sizes) == {"regime": 2, "C2": 3, "C3": 2, "T": 16}
    np.testing.assert_allclose(data.C2, [1e-2, 10**0.5, 1e3], rtol=1e-15)
    assert data.regime.values.tolist() == ["all tuned", "fixed momentum"]
    assert (data.attrs["blocks"], data.attrs["whole_blocks"], data.attrs["dtype"]) == (3, 3, "float64")
    assert json.loads(data.attrs["plan"])["bound"] == {"name": "lmo", "C1": 1.0}
    assert (data.b_hat.attrs["units"], data["T"].attrs["units"]) == ("tokens", "tokens")
    assert all("long_name" in data[name].attrs for name in SPECS)
    assert MARKER not in data


def test_what_the_page_on_sweeps_reads_is_there(whole: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "sweeps.md").read_text()
    code = re.search(r"```python\n(.*?)```", page, re.S)
    assert code
    first, second = code[1].replace('"run.zarr"', repr(str(whole))).strip().splitlines()
    names: dict[str, Any] = {"hpgrid": hpgrid}
    exec(first, names)
    found = eval(second, names)
    assert dict(found.sizes) == {"C3": 2, "T": 16}
    assert float(found.C2) == 1e-2  # of 1e-2, 10^0.5 and 1e3, by their distance


#: What is saved of a sweep.
PARTS: dict[str, Callable[[xarray.Dataset], xarray.Dataset]] = {
    "all": lambda data: data,
    "a selection": lambda data: data.sel(regime="fixed momentum", C2=1e3),
    "a mean": lambda data: data.mean("C2", keep_attrs=True),
}


@pytest.mark.parametrize("part", PARTS)
def test_it_or_a_part_of_it_is_saved_as_netcdf_and_zarr(whole: Path, tmp_path: Path, part: str) -> None:
    data = PARTS[part](hpgrid.open_sweep(whole))
    data.to_netcdf(tmp_path / "run.nc")
    data.to_zarr(tmp_path / "run.zarr", consolidated=False)
    copies = (
        xarray.open_dataset(tmp_path / "run.nc"),
        xarray.open_dataset(tmp_path / "run.zarr", engine="zarr", consolidated=False),
    )
    for again in copies:
        xarray.testing.assert_equal(again, data)
        assert again.attrs == data.attrs


def test_plain_xarray_opens_it_without_a_warning(whole: Path) -> None:
    assert set(SPECS) < set(xarray.open_zarr(whole, chunks=None))


def test_zarr_reads_each_array_by_itself(whole: Path) -> None:
    data = hpgrid.open_sweep(whole)
    for name in data.variables:
        np.testing.assert_array_equal(zarr.open_array(whole / str(name), mode="r")[...], data[name].values)


def test_its_device_is_what_jax_says(whole: Path) -> None:
    device = made_with("float64")["device"]
    assert json.loads(hpgrid.open_sweep(whole).attrs["device"]) == {
        "platform": device["platform"],
        "kind": device["kind"],
    }


def test_a_sweep_that_is_not_whole_says_so(copy: Path) -> None:
    shutil.rmtree(copy / MARKER / "c" / "1")
    assert hpgrid.open_sweep(copy).attrs["whole_blocks"] == 2


def test_the_flat_table_has_a_row_for_each_slope(whole: Path, tmp_path: Path) -> None:
    data = hpgrid.open_sweep(whole)
    write_slopes(data, tmp_path / "slopes.csv")
    header, *rows = (line.split(",") for line in (tmp_path / "slopes.csv").read_text().splitlines())
    assert len(rows) == 2 * 3 * 2 * 4
    for row in rows:
        one = dict(zip(header, row))
        where = {"regime": one["regime"], "C2": float(one["C2"]), "C3": float(one["C3"]), "quantity": one["quantity"]}
        np.testing.assert_equal(float(one["slope_star"]), float(data.slope_star.sel(where)))
        np.testing.assert_equal(
            float(one["exponent"]), float(data.exponent.sel(regime=one["regime"], quantity=one["quantity"]))
        )
