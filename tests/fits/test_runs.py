"""The loader: what real files hold, each quirk on a small one, and what it says of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from hpgrid.fits.runs import load, numbers

HEADER = "lr,batch_size,tokens,loss"
ROWS = ["1e-3,1000,1e6,3.1", "2e-3,1000,1e6,3.0", "4e-3,1000,1e6,3.2", "2e-3,2000,1e6,3.05"]


def write(folder: Path, *rows: str, header: str = HEADER, **how: str) -> Path:
    path = folder / "runs.csv"
    path.write_text("\n".join([header, *rows]) + "\n", **how)
    return path


def test_usual_names_are_known_and_said(tmp_path: Path) -> None:
    runs = load(write(tmp_path, *ROWS), {})
    assert_array_equal(runs.values["eta"], [1e-3, 2e-3, 4e-3, 2e-3])
    assert_array_equal(runs.lines, [2, 3, 4, 5])
    assert runs.notes == ("eta is the column lr; b is the column batch_size; T is the column tokens",)
    assert runs.varying == ("eta", "b")


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + "\r\n".join([HEADER, *ROWS]),  # a byte order mark, and lines as Windows ends them
        "\n".join([HEADER, *ROWS]).replace(",", ";"),
        "\n".join([HEADER, *ROWS]).replace(",", ";").replace(".", ","),  # decimal commas
        "\n".join([HEADER, *ROWS]).replace(",", "\t"),
        "\n".join([HEADER, *(",".join(f'"{cell}"' for cell in row.split(",")) for row in ROWS)]),
        "\n".join([HEADER, *(row.replace("1e6", '"1,000,000"').replace("000,", "000,", 1) for row in ROWS)]),
        "\n".join([HEADER, *ROWS]).replace("lr", "Learning_Rate").replace("loss", "eval/loss"),
    ],
)  # fmt: skip
def test_one_table_in_many_spellings(tmp_path: Path, text: str) -> None:
    path = tmp_path / "runs.csv"
    path.write_bytes(text.encode())
    runs = load(path, {})
    assert_array_equal(runs.values["b"], [1000, 1000, 1000, 2000])
    assert_array_equal(runs.T, [1e6] * 4)
    assert_array_equal(runs.loss, [3.1, 3.0, 3.2, 3.05])


def test_thousands_are_told_from_decimals_by_the_whole_column() -> None:
    assert_array_equal(numbers("b", ["1,234", "12,345", ""]), [1234, 12345, np.nan])
    assert_array_equal(numbers("b", ["1,234", "0,5"]), [1.234, 0.5])
    with pytest.raises(ValueError, match=r"column b: a cell is a number or empty\. Given: 'fast'"):
        numbers("b", ["1", "fast"])


def test_each_reason_to_drop_a_row_is_counted_with_its_lines(tmp_path: Path) -> None:
    bad = ["1e-3,1000,1e6,nan", "1e-3,2000,1e6,", "8e-3,1000,1e6,1.4e14", "0,1000,1e6,3.3", ",1000,1e6,3.4", ROWS[0]]
    runs = load(write(tmp_path, *ROWS, *bad, "5e-3,1000,1e6,inf"), {})
    assert dict(runs.dropped) == {
        "the loss is missing or no finite number": (6, 7, 12),
        "a loss of 1000 or more: the run diverged": (8,),
        "a setting is missing": (10,),
        "a setting is not positive": (9,),
        "it repeats an earlier line": (11,),
    }
    assert len(runs.loss) == 4


def test_values_that_differ_by_rounding_are_one(tmp_path: Path) -> None:
    rows = ["0.001,1000,1000000,3.1", "0.0010001,1000,1000100,3.0", "0.002,1000,999950,3.2"]
    runs = load(write(tmp_path, *rows), {})
    assert_array_equal(np.unique(runs.T), [1e6])
    assert runs.values["eta"][0] == runs.values["eta"][1]


def test_tokens_iterations_and_batch_sizes_give_each_other(tmp_path: Path) -> None:
    rows = ["1e-3,8,100,3.1", "2e-3,8,100,3.0", "2e-3,16,100,3.2"]
    runs = load(write(tmp_path, *rows, header="lr,batch,steps,loss"), {"b": "batch"}, seq_len=64)
    assert_array_equal(runs.values["b"], [512, 512, 1024])
    assert_array_equal(runs.T, [51200, 51200, 102400])  # K b, by hand
    runs = load({"lr": [1e-3, 2e-3, 4e-3], "steps": [100, 100, 50], "tokens": [1e6] * 3, "loss": [3.0, 3.1, 3.2]}, {})
    assert_array_equal(runs.values["b"], [1e4, 1e4, 2e4])


def test_sequences_are_seen_where_tokens_iterations_and_batch_are_all_there() -> None:
    table = {
        "lr": [1e-3, 2e-3, 4e-3],
        "batch_size": [8, 8, 16],
        "steps": [100, 100, 50],
        "tokens": [819200] * 3,
        "loss": [3.1, 3.0, 3.2],
    }
    runs = load(table, {})
    assert_array_equal(runs.values["b"], [8192, 8192, 16384])
    assert "b counts sequences of 1024 tokens" in runs.notes[-1]


def test_beta_is_its_complement() -> None:
    table = {"lr": [1e-3, 2e-3, 4e-3], "tokens": [1e6] * 3, "b1": [0.9, 0.95, 0.99], "loss": [3.1, 3.0, 3.2]}
    assert_array_equal(load(table, {"beta": "b1"}).values["alpha"], [0.1, 0.05, 0.01])  # 1 - 0.99 is not


def test_what_else_varies_blocks_the_fit_and_the_message_says_what_to_write(tmp_path: Path) -> None:
    rows = [f"{row},{wd},run-{k}" for k, (row, wd) in enumerate(zip([*ROWS, *ROWS], "00001111"))]
    path = write(tmp_path, *rows, header=f"{HEADER},weight_decay,name")
    with pytest.raises(ValueError, match=r"weight_decay: 0 \(4\), 1 \(4\).*--where weight_decay=0"):
        load(path, {})
    assert len(load(path, {}, where={"weight_decay": "1.0"}).loss) == 4
    assert len(load(path, {}, ignore=["weight_decay"]).loss) == 8


@pytest.mark.parametrize(
    ("header", "rows", "options", "words"),
    [
        ("lr,loss", ["1,2", "2,3"], {}, "runs have tokens, or iterations"),
        ("rate,tokens,loss", ["1,2,3"], {}, "a table of runs has a column of eta"),
        (HEADER, ROWS, {"columns": {"eta": "lt"}}, "Write 'lr'"),
        (HEADER, ROWS, {"where": {"los": "3"}}, "Write 'loss'"),
        (HEADER, ROWS, {"where": {"batch_size": "64"}}, "no run has batch_size = 64"),
        (HEADER, ROWS[:2], {}, "a fit takes three runs or more"),
        (HEADER, [row.replace("1e6", "10") for row in ROWS], {}, "a batch has at most as many tokens as the run"),
        (HEADER, ["1,2,3"], {}, "runs.csv, line 2: a cell for each column"),
        ("just one column", ["1"], {}, "a table of runs has a line of names"),
        (HEADER, ROWS, {"b_unit": "sequences"}, "--seq-len 4096"),
    ],
)
def test_what_is_no_table_of_runs_is_refused(
    tmp_path: Path, header: str, rows: list[str], options: dict[str, dict[str, str]], words: str
) -> None:
    columns = options.pop("columns", {})
    with pytest.raises(ValueError, match=words):
        load(write(tmp_path, *rows, header=header), columns, **options)  # type: ignore[arg-type]
