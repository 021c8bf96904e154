"""The loader: what real files hold, each quirk on a small one, and what it says of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from hpgrid.checks import Note
from hpgrid.fits.fit import fits_by
from hpgrid.fits.runs import SAME, load, one_value
from hpgrid.fits.table import as_table, numbers

HEADER = "lr,batch_size,tokens,loss"
ROWS = ["1e-3,1000,1e6,3.1", "2e-3,1000,1e6,3.0", "4e-3,1000,1e6,3.2", "2e-3,2000,1e6,3.05"]
TEXT = "\n".join([HEADER, *ROWS]) + "\n"

#: The same four runs as columns.
COLUMNS: dict[str, list[Any]] = {
    "lr": [1e-3, 2e-3, 4e-3, 2e-3],
    "batch_size": [1000, 1000, 1000, 2000],
    "tokens": [1e6] * 4,
    "loss": [3.1, 3.0, 3.2, 3.05],
}


def write(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "runs.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def test_usual_names_are_known_and_said(tmp_path: Path) -> None:
    runs = load(write(tmp_path, *ROWS), {})
    assert_array_equal(runs.values["eta"], COLUMNS["lr"])
    assert_array_equal(runs.lines, [2, 3, 4, 5])
    assert runs.notes == ("eta is the column lr; b is the column batch_size; T is the column tokens",)
    assert runs.varying == ("eta", "b")


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + TEXT.replace("\n", "\r\n"),  # a byte order mark, and lines as Windows ends them
        TEXT.replace("\n", "\r"),
        TEXT.replace(",", ", ").replace("1e6", '"1,000,000"'),
        TEXT.replace(",", ";"),
        TEXT.replace(",", ";").replace(".", ","),  # decimal commas
        TEXT.replace(",", "\t"),
        "\n".join(",".join(f'"{cell}"' for cell in line.split(",")) for line in TEXT.split()),
        TEXT.replace("1e6", '"1,000,000"'),
        TEXT.replace("1e6", "1'000'000"),
        TEXT.replace("1e6", "1\u2009000\u2009000"),
        TEXT.replace("1e6", "1\u202f000\u202f000").replace(",1000,", ",1 000,"),
        TEXT.replace(",", ";").replace(".", ",").replace("1e6", "1.000.000"),
        TEXT.replace("1e6", "1M").replace("000,", "k,"),
        TEXT.replace("1e6", "0.001B").replace("1000,", "1.0 k,"),
        TEXT.replace("lr", "Learning_Rate").replace("loss", "eval/loss").replace("tokens", "TOKENS"),
        TEXT.replace("lr", "learningRate").replace("batch_size", "Batch Size").replace("loss", "Val-Loss"),
        "sep=;\r\n" + TEXT.replace(",", ";").replace(".", ","),
        TEXT.replace("\n", ",\n"),  # an empty column at the end
        TEXT.replace("loss", "loss,,"),
        TEXT.replace("3.1", "3.1,,"),
        TEXT.replace("\n", "\n\n") + "\n  \n,,,\n",
        '# runs of May, by "me", tokens counted\n#\n' + TEXT + "# 9e-3,1000,1e6,2.0\n",
        "# of May\n# " + TEXT,  # as numpy.savetxt writes it
        "".join(f"{'' if k == 0 else k},{line}\n" for k, line in enumerate(TEXT.split())),  # a data frame's index
    ],
)  # fmt: skip
def test_one_table_in_many_spellings(tmp_path: Path, text: str) -> None:
    path = tmp_path / "runs.csv"
    for coding in ("utf-8", "utf-16"):
        path.write_bytes(text.removeprefix("\ufeff" * (coding == "utf-16")).encode(coding))
        runs = load(path, {})
        assert_array_equal(runs.values["eta"], COLUMNS["lr"])
        assert_array_equal(runs.values["b"], COLUMNS["batch_size"])
        assert_array_equal(runs.T, COLUMNS["tokens"])
        assert_array_equal(runs.loss, COLUMNS["loss"])
        assert runs.dropped == {}


def test_lines_are_those_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text(f"# of May\n\n{TEXT}\n1e-3,2000,1e6,nan\n")
    runs = load(path, {})
    assert_array_equal(runs.lines, [4, 5, 6, 7])
    assert runs.dropped == {"the loss is missing or no finite number": (9,)}


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        ({"b": ["1,234", "12,345", ""]}, [[1234, 12345, np.nan]]),
        ({"b": ["1,234", "0,5"]}, [[1.234, 0.5]]),
        ({"lr": ["0,001"], "loss": ["3,412"]}, [[1e-3], [3.412]]),  # alone, 3,412 could be thousands
        ({"loss": ["3.5"], "b": ["4,096"]}, [[3.5], [4096]]),
        ({"b": ["4,096.5", "1,234,567"]}, [[4096.5, 1234567]]),
        ({"T": ["1.234.567,5", "2.000"]}, [[1234567.5, 2000]]),
        ({"T": ["512k", "1.3B", "4M", "2 Ki", "1e9", "INF", "N/A"]}, [[512e3, 1.3e9, 4e6, 2048, 1e9, np.inf, np.nan]]),
    ],
)
def test_the_decimal_mark_is_the_one_by_which_all_are_numbers(
    cells: dict[str, list[str]], values: list[list[float]]
) -> None:
    for found, expected in zip(numbers(cells, cells, np.arange(9)), values, strict=True):
        assert_array_equal(found, expected)


@pytest.mark.parametrize("cell", ["fast", "1,5,2", "3q", "2024-01-01", "1 2", "True", "50x2", "0.5.1"])
def test_a_cell_that_is_no_number_is_named(cell: str) -> None:
    with pytest.raises(ValueError, match=rf"column b, line 7: a cell is a number or empty\. Given: '{cell}'"):
        numbers({"b": ["1", cell]}, ["b"], np.array([5, 7]))


@pytest.mark.parametrize("cell", ["diverged", "OOM", "#DIV/0!", "?", "n.a.", "3,1,2"])
def test_a_run_whose_loss_is_a_word_has_none(tmp_path: Path, cell: str) -> None:
    for mark, between in (".,", ",;"):
        rows = [
            row.replace(",", between).replace(".", mark) for row in (HEADER, *ROWS[:2], "2e-3,1000,1e6,", *ROWS[2:])
        ]
        rows[3] += f'"{cell}"'
        runs = load(write(tmp_path, *rows[1:], header=rows[0]), {})
        assert runs.dropped == {"the loss is missing or no finite number": (4,)}
        assert_array_equal(runs.loss, COLUMNS["loss"])
    words = write(tmp_path, *(f"{row},{cell.replace(',', ' ')}" for row in ROWS), header=f"{HEADER},state")
    with pytest.raises(ValueError, match="column state, line 2: a cell is a number or empty"):
        load(words, {"loss": "state"})


def test_each_reason_to_drop_a_row_is_counted_with_its_lines(tmp_path: Path) -> None:
    bad = ["1e-3,1000,1e6,nan", "1e-3,2000,1e6,", "8e-3,1000,1e6,1.4e14", "0,1000,1e6,3.3", ",1000,1e6,3.4", ROWS[0]]
    runs = load(write(tmp_path, *ROWS, *bad, "5e-3,1000,1e6,inf", "5e-3,1000,inf,3", "8e-3,1000,1e6,5.5"), {})
    assert dict(runs.dropped) == {
        "the loss is missing or no finite number": (6, 7, 12),
        "a loss of 1000 or more: the run diverged": (8,),
        "a setting is missing": (10, 13),
        "a setting is not positive, or alpha above 1": (9,),
        "it repeats an earlier line": (11,),
    }
    assert_array_equal(runs.loss, [*COLUMNS["loss"], 5.5])  # high, but a loss: how much it counts is the surface's


def test_rows_of_a_resumed_run_repeat_all_but_its_name_and_times() -> None:
    twice = {name: [*cells, *cells[:2]] for name, cells in COLUMNS.items()}
    runs = load({"run": list("abcdef"), "_runtime": [1, 2, 3, 4, 5, 6], **twice}, {})
    assert runs.dropped == {"it repeats an earlier line": (4, 5)}
    again = load({**twice, "seed": [0] * 4 + [1] * 2, "loss": [*COLUMNS["loss"], 3.11, 3.01]}, {})
    assert again.dropped == {}  # another seed's loss is another run
    # Also where it was rounded to the same; the same seed's is the run itself.
    for name in ("seed", "config.seed", "data_seed"):
        rounded = load({**twice, name: [0] * 4 + [1, 0]}, {})
        assert rounded.dropped == {"it repeats an earlier line": (5,)}


def test_spellings_of_one_learning_rate_are_one() -> None:
    rates = 1.0472e-4 * 2 ** (np.arange(14) / 2)
    spelled = [f"{x:.6g}" for x in rates] + [f"{x:.3g}" for x in rates[1:13]]
    assert len(set(spelled)) == 26
    table = {"lr": spelled, "tokens": ["1e9"] * 26, "loss": list(3 + np.arange(26) / 100)}
    found = np.unique(load(table, {}).values["eta"])
    assert len(found) == 14
    np.testing.assert_allclose(found, rates, rtol=SAME)


def test_values_that_differ_are_moved_by_half_a_percent_at_most() -> None:
    # 500 rates of a random search over two decades are 0.9% apart on average: many neighbours are within 0.5%.
    x = 10 ** np.random.default_rng(1).uniform(-4, -2, 500)
    found = one_value(x)
    assert np.abs(found / x - 1).max() <= SAME
    assert len(np.unique(found)) > 250  # a width of 0.5% holds two of them on average, and each is one group's middle
    assert set(found) <= set(x)


def test_nominal_and_actual_tokens_are_one_budget_and_no_axis() -> None:
    actual = {**COLUMNS, "tokens": [1000000, 1000100, 999950, 1000000], "target_tokens": [10**6] * 4}
    assert_array_equal(load(actual, {}).T, [1e6] * 4)
    double = {name: [*cells, *cells] for name, cells in COLUMNS.items()}
    double |= {"tokens": [1e6, 1.0001e6, 0.9999e6, 1.0002e6, 2e6, 2.0001e6, 1.9999e6, 2.0002e6]}
    runs = load({**double, "target_tokens": [10**6] * 4 + [2 * 10**6] * 4}, {})
    assert len(np.unique(runs.T)) == 2
    assert runs.notes[-1] == "with eta, b or T vary also target_tokens"


@pytest.mark.parametrize("name", ["smoothed_loss", "loss_ema", "eval/loss_smooth", "final_val_loss", "val/loss"])
def test_of_two_losses_the_one_with_less_noise_is_taken_and_said(name: str) -> None:
    table = {**COLUMNS, name: [3.11, 3.02, 3.19, 3.07]}
    runs = load(table, {})
    assert_array_equal(runs.loss, table[name])
    assert f"loss is the column {name}, not loss" in runs.notes[0]
    assert_array_equal(load(table, {"loss": "loss"}).loss, COLUMNS["loss"])


def test_an_export_with_dotted_names_is_understood() -> None:
    runs = load(
        {
            "Name": ["a", "b", "c", "d"],
            "config.optimizer.learning_rate": COLUMNS["lr"],
            "summary.train/learning_rate": [0, 0, 1e-9, 0],  # what a schedule ended at
            "config.data.batch_size": COLUMNS["batch_size"],
            "config.optimizer.name": ["muon"] * 4,
            "config.tokens": COLUMNS["tokens"],
            "summary.train/loss": [3.0, 2.9, 3.1, 2.95],
            "summary.eval/loss": COLUMNS["loss"],
            "summary.eval/accuracy": [0.4, 0.5, 0.4, 0.5],
            "lr_schedule": [None] * 4,
            "_step": [1000, 1000, 1000, 500],
            "_runtime": [9, 8, 7, 6],
            "_timestamp": [1.7e9, 1.7e9, 1.8e9, 1.8e9],
        },
        {},
    )
    assert_array_equal(runs.values["eta"], COLUMNS["lr"])
    assert_array_equal(runs.loss, COLUMNS["loss"])
    assert runs.columns["K"] == "_step"
    assert runs.notes[0].startswith(
        "eta is the column config.optimizer.learning_rate, not summary.train/learning_rate; "
        "b is the column config.data.batch_size; "
    )


def test_of_two_columns_that_could_be_one_none_is_guessed() -> None:
    table = {**COLUMNS, "config.muon.lr": COLUMNS["lr"], "config.adam.lr": [1, 1, 1, 1]}
    del table["lr"]
    with pytest.raises(ValueError, match=r"eta is one column\. Given: 'config.muon.lr, config.adam.lr'"):
        load(table, {})
    assert_array_equal(load({**table, "config.adam.lr": COLUMNS["lr"]}, {}).values["eta"], COLUMNS["lr"])
    whole = load({"adam.lr": [1, 1, 1, 1], **COLUMNS}, {})  # a whole name is no doubt
    assert whole.notes[0].startswith("eta is the column lr, not adam.lr; ")


def test_an_empty_column_is_not_taken_for_what_it_is_called() -> None:
    table = {**COLUMNS, "tokens": ["", None, "nan", "-"], "train_tokens": COLUMNS["tokens"]}
    assert load(table, {}).columns["T"] == "train_tokens"


@pytest.mark.parametrize("each", [1, 2048, 4096, 317.4])
def test_a_batch_in_sequences_or_examples_is_seen_where_tokens_and_iterations_are_there(each: float) -> None:
    table = {"lr": [1e-3, 2e-3, 4e-3], "batch_size": [8, 8, 16], "steps": [100, 100, 50], "loss": [3.1, 3.0, 3.2]}
    runs = load({**table, "tokens": [800 * each] * 3}, {})
    assert_array_equal(runs.values["b"], np.array([8, 8, 16]) * runs.unit_of_b)
    assert runs.unit_of_b == pytest.approx(each)
    assert (runs.notes[-1] == f"b counts sequences of {each:.4g} tokens, for T = K b {each:.4g}") == (each > 1)
    with pytest.warns(Note, match="8 are fewer than a sequence"):
        unrelated = load({**table, "tokens": [8000, 90000, 1e6]}, {})
    assert unrelated.unit_of_b == 1
    assert unrelated.notes[-2].startswith("T/(K b) is 112, yet b is taken to count 1 tokens")  # 10, 112.5, 1250
    told = load({**table, "tokens": [800 * each] * 3}, {}, b_unit="tokens")
    assert_array_equal(told.values["b"], [8, 8, 16])
    assert told.notes[-1].startswith(f"T/(K b) is {each:.3g}, yet b is taken to count 1 tokens") == (each > 1)


def test_tokens_iterations_and_batch_sizes_give_each_other(tmp_path: Path) -> None:
    path = write(tmp_path, "1e-3,8,100,3.1", "2e-3,8,100,3.0", "2e-3,16,100,3.2", header="lr,batch,steps,loss")
    runs = load(path, {}, seq_len=64)
    assert_array_equal(runs.values["b"], [512, 512, 1024])
    assert_array_equal(runs.T, [51200, 51200, 102400])  # K b, by hand
    path = write(tmp_path, "1e-3,800,9,3.1", "2e-3,800,9,3.0", "2e-3,900,9,3.2", header="lr,batch,steps,loss")
    assert load(path, {}).notes[-1] == "T is K b, in what b counts: --seq-len, if that is sequences"
    runs = load({"lr": [1e-3, 2e-3, 4e-3], "steps": [100, 100, 50], "tokens": [1e6] * 3, "loss": [3.0, 3.1, 3.2]}, {})
    assert_array_equal(runs.values["b"], [1e4, 1e4, 2e4])
    none = load({"lr": [1e-3, 2e-3, 4e-3, 8e-3], "steps": [0, 9, 9, 9], "tokens": [90] * 4, "loss": [9, 3, 4, 5]}, {})
    assert none.dropped == {"a setting is missing": (0,)}
    alone = load({"lr": [1e-3, 2e-3, 4e-3], "steps": [100] * 3, "loss": [3.0, 3.1, 3.2]}, {})
    assert (alone.counted, list(alone.T), list(alone.values)) == ("iterations", [100] * 3, ["eta"])


@pytest.mark.parametrize("name", ["seq_len", "config.seq_length", "sequenceLength", "max_seq_len", "block_size"])
def test_a_batch_smaller_than_a_sequence_counts_sequences_of_the_length_in_its_column(name: str) -> None:
    table = {"lr": [1e-3, 2e-3, 4e-3], "batch_size": [32, 32, 64], "steps": [9] * 3, "loss": [3.1, 3.0, 3.2]}
    runs = load({**table, name: [4096] * 3}, {})
    assert_array_equal(runs.values["b"], [131072, 131072, 262144])
    assert_array_equal(runs.T, 9 * runs.values["b"])
    assert runs.notes[-1] == f"seq_len is the column {name}: 4096"
    tokens = {**table, "batch_size": [8192, 8192, 16384], name: [4096] * 3}
    assert_array_equal(load(tokens, {}).values["b"], tokens["batch_size"])
    assert_array_equal(load(tokens, {}, b_unit="sequences").values["b"], np.array(tokens["batch_size"]) * 4096)
    with pytest.warns(Note, match="yet 32 are fewer than a sequence: if it counts sequences, a column seq_len"):
        assert_array_equal(load(table, {}).values["b"], table["batch_size"])


def test_beta_is_its_complement_and_variables_stand_in_their_order() -> None:
    runs = load({**COLUMNS, "b1": [0.9, 0.95, 0.99, 0.9]}, {"beta": "b1", "b": "batch_size"})
    assert_array_equal(runs.values["alpha"], [0.1, 0.05, 0.01, 0.1])  # 1 - 0.99 is not
    assert list(runs.values) == ["eta", "b", "alpha"]
    assert load({**COLUMNS, "b1": [0.9, 0.95, 0.99, -0.5]}, {"beta": "b1"}).dropped == {
        "a setting is not positive, or alpha above 1": (3,)
    }


@pytest.mark.parametrize("name", ["seed", "config.seed"])
def test_means_and_spreads_over_seeds_are_no_runs_beside_runs(name: str) -> None:
    table = {key: [*cells, cells[0], cells[0]] for key, cells in COLUMNS.items()}
    table |= {"loss": [3.1, 3.0, 3.2, 3.05, 3.104, 0.004], name: [0, 1, 2, 0, "mean", "std"]}
    runs = load(table, {})
    assert runs.dropped == {"a mean or a spread over seeds, beside runs": (4, 5)}
    assert load({**COLUMNS, name: ["mean"] * 4}, {}).dropped == {}


def test_means_of_many_seeds_beside_single_runs_are_asked_about() -> None:
    double = {name: [*cells, *cells] for name, cells in COLUMNS.items()}
    table = {**double, "n_seeds": [1] * 5 + [3] * 3, "loss": [*COLUMNS["loss"], 3.11, 3.01, 3.21, 3.06]}
    with pytest.raises(ValueError, match=r"n_seeds: 1 \(5\), 3 \(3\).*--where n_seeds=1, --ignore n_seeds, or"):
        load(table, {})
    assert len(load(table, {}, where={"n_seeds": "3"}).loss) == 3


def ablated(n: int, **more: list[Any]) -> dict[str, list[Any]]:
    """Runs that agree in all that is tuned, but for four, and differ in their losses."""
    table = {name: [*cells, *[cells[0]] * (n - 4)] for name, cells in COLUMNS.items()}
    return {**table, "loss": [3 + k / 1000 for k in range(n)], **more}


def test_rows_that_agree_in_all_that_is_tuned_differ_in_something_that_is_named() -> None:
    n = 386
    table = ablated(n, weight_decay=["0", "0.10", 0.1] * 128 + [0, 0], warmup=[10, 20] * 193, run_name=[*range(n)])
    with pytest.raises(ValueError, match=r"'weight_decay: 0.10 \(256\), 0 \(130\); also warmup'") as caught:
        load(table, {})
    assert str(caught.value).endswith(
        "Write --where weight_decay=0.10, --ignore weight_decay, or of hpgrid fit --by weight_decay "
        "or --var 'weight_decay > 0', for each."
    )
    assert len(load(table, {}, where={"weight_decay": "0"}, ignore=["warmup"]).loss) == 130
    assert len(load(table, {}, ignore=["weight_decay", "warmup"]).loss) == n


@pytest.mark.parametrize(
    ("name", "cells", "reported"),
    [
        ("optimizer", ["muon", "adamw"] * 10, True),
        ("model.name", ["small", "large"] * 10, True),
        ("state", ["finished"] * 18 + ["crashed"] * 2, True),
        ("weight_decay", [k / 100 for k in range(20)], True),  # drawn for each run by a random search
        ("config.any", [k / 100 for k in range(20)], True),
        ("throughput", [k / 100 for k in range(20)], False),  # came out of each run
        ("train/accuracy", ["0.1", "0.2"] * 10, False),
        ("run_name", ["a", "b"] * 10, False),
        ("created", ["May", "June"] * 10, False),
        ("_step", [10, 20] * 10, False),
        ("dropout", ["0.10", 0.1] * 10, False),  # one value in two spellings
    ],
)  # fmt: skip
def test_what_a_run_is_called_by_or_what_came_out_of_it_is_no_setting(
    name: str, cells: list[Any], reported: bool
) -> None:
    table = ablated(20, **{name: cells})
    if not reported:
        assert len(load(table, {"T": "tokens", "b": "batch_size"}).loss) == 20
        return
    with pytest.raises(ValueError, match=rf"other columns vary among the runs\. Given: '{name}: "):
        load(table, {})


def test_momentum_that_varies_can_be_tuned() -> None:
    with pytest.raises(ValueError, match=r"for each, and --beta config\.beta1 for momentum\."):
        load(ablated(20, **{"config.beta1": [0.9, 0.95] * 10}), {})


def drawn(n: int, name: str, cells: Any = None) -> dict[str, Any]:
    """A random search, in which each run has values of its own."""
    rng = np.random.default_rng(0)
    eta, own = 10 ** rng.uniform(-4, -2, n), rng.uniform(0.01, 0.2, n)
    return {
        "lr": eta,
        "tokens": rng.choice([1e9, 4e9], n),
        "loss": 3 + rng.random(n),
        name: own if cells is None else cells(eta),
    }


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("alpha", r"--ignore alpha, for each, and --alpha alpha for momentum\."),
        ("config.momentum", r"--ignore config\.momentum, for each, and --beta config\.momentum for momentum\."),
        ("adam_b1", r"and --beta adam_b1 for momentum\."),
        *((name, f"--ignore {name}, or of hpgrid fit --var '{name} > 0', for each\\.")
          for name in ("adam_b2", "z_loss_coef", "aux_loss_coeff", "init_std", "label_smoothing", "lambda1")),
    ],
)  # fmt: skip
def test_settings_of_which_each_run_has_its_own_are_refused(name: str, way: str) -> None:
    with pytest.raises(ValueError, match=rf"Given: '{name}: 0\.0\d+ to 0\.1\d+'\. Write .*{way}$"):
        load(drawn(40, name), {})


def test_numbers_of_each_run_s_own_are_remarked_on_where_they_may_be_settings() -> None:
    with pytest.warns(Note, match=r"^sharpness, depth: numbers of nearly every run's own are taken for what came out"):
        load({**drawn(40, "sharpness"), "depth": drawn(40, "x")["x"] * 7}, {})
    assert len(load({**drawn(40, "sharpness"), "throughput": drawn(40, "x")["x"]}, {}, ignore=["sharpness"]).loss) == 40


def test_a_power_of_what_is_known_follows_from_it() -> None:
    def rounded(eta: Any) -> list[str]:
        return [f"{x:.3g}" for x in 0.1 * eta]

    assert load(drawn(40, "min_lr", rounded), {}).notes[-1] == "with eta, b or T vary also min_lr"
    assert load(drawn(40, "wd", lambda eta: 1e-4 * eta**-0.5), {}).notes[-1] == "with eta, b or T vary also wd"
    with pytest.raises(ValueError, match="other columns vary among the runs"):
        load(drawn(4, "wd", lambda eta: 1e-4 * eta**-0.5), {})  # four points are on a plane whatever they are


@pytest.mark.parametrize(
    ("name", "narrow"), [("adam_beta2", (0.99, 0.995, 0.999)), ("momentum", (0.98, 0.99, 0.995)), ("scale", (1, 1.005))]
)
def test_what_spreads_no_farther_than_a_power_may_be_off_follows_from_nothing(
    name: str, narrow: tuple[float, ...]
) -> None:
    with pytest.raises(ValueError, match=rf"other columns vary among the runs\. Given: '{name}: "):
        load(drawn(60, name, lambda eta: [narrow[k % len(narrow)] for k in range(60)]), {})


@pytest.mark.parametrize("name", ["momentum", "beta2", "adam.b1", "ema_decay", "lr_decay"])
def test_momentum_is_no_power_of_what_is_known_however_near_it_is(name: str) -> None:
    with pytest.raises(ValueError, match="other columns vary among the runs"):
        load(drawn(40, name, lambda eta: [*0.99 * eta**-1e-3]), {})


@pytest.mark.parametrize("name", ["weight_decay", "decay_steps", "min_lr"])
def test_a_narrow_power_that_is_exact_follows(name: str) -> None:
    table = drawn(40, name, lambda eta: [*0.1 * eta**1e-3])
    assert load(table, {}).notes[-1] == f"with eta, b or T vary also {name}"


@pytest.mark.parametrize(("cells", "tuned"), [([0.1, 0.2], True), (["cosine", "wsd"], False)])
def test_a_hyperparameter_to_tune_is_a_column_of_numbers(cells: list[Any], tuned: bool) -> None:
    told = " or --var 'wd > 0'" if tuned else ""
    with pytest.raises(ValueError, match=rf"or of hpgrid fit --by wd{told}, for each\."):
        load(ablated(20, wd=cells * 10), {})


def test_what_follows_from_what_is_known_is_said() -> None:
    rows = {"lr": [1e-3, 2e-3, 4e-3] * 2, "tokens": [1e9] * 3 + [2e9] * 3, "loss": [3.1, 3.0, 3.2, 2.9, 2.8, 2.95]}
    runs = load({**rows, "N": [1e8] * 3 + [2e8] * 3, "warmup": [1, 2, 4] * 2}, {})
    assert runs.notes[-1] == "with eta, b or T vary also N, warmup"
    assert runs.N is None
    double = {name: cells * 2 for name, cells in rows.items()} | {"loss": [3 + k / 100 for k in range(12)]}
    table = {**double, "group": [0] * 6 + [1] * 6, "clip": ["no"] * 6 + ["yes"] * 6}
    assert load(table, {}, ignore=["group"]).notes[-1] == "with eta, b or T vary also clip"


def test_what_differs_at_each_point_of_a_grid_does_not_follow_from_it() -> None:
    grid = {
        "lr": [1, 2, 4, 8] * 4,
        "tokens": [1e9] * 16,
        "batch_size": [k for k in (1e3, 2e3, 4e3, 8e3) for _ in range(4)],
    }
    with pytest.raises(ValueError, match="other columns vary among the runs"):
        load({**grid, "loss": [3 + k / 100 for k in range(16)], "clip": [0, 1, 1, 0, 1, 0, 0, 1] * 2}, {})


@pytest.mark.parametrize(
    ("name", "cells", "N"),
    [
        ("N", [124e6] * 3, 124e6),
        ("num_params", ["123,587,328"] * 3, None),
        ("model_size", ["130m"] * 3, 130e6),
        ("model_size", ["1.3B"] * 3, 1.3e9),
        ("config.non_embedding_params", [85e6] * 3, 85e6),
        ("model_size", ["small"] * 3, None),
        ("params", ["", "", ""], None),
    ],
)  # fmt: skip
def test_a_number_of_parameters_is_known(name: str, cells: list[Any], N: float | None) -> None:
    runs = load({"lr": [1, 2, 4], "steps": [9] * 3, "loss": [3, 2, 4], name: cells}, {})
    assert runs.N == N
    assert (runs.notes[-1] == f"N is the column {name}: {cells[0]}") == (N is not None)


@pytest.mark.parametrize(
    ("name", "value", "schedule"),
    [
        ("schedule", "constant", "constant"),
        ("lr_scheduler_type", "constant_with_warmup", "constant"),
        ("config.lr_schedule", "Cosine", "decay"),
        ("scheduler", "wsd", "decay"),
        ("decay", "linear", "decay"),
        ("scheduler", "constant+cooldown", "decay"),
        ("scheduler", "inverse_sqrt", "decay"),
        ("scheduler", "mine", None),
        ("decay", 0.1, None),  # of weights, or a share of the steps
        ("schedule", None, None),
    ],
)
def test_a_schedule_is_known_where_all_runs_have_the_same(name: str, value: Any, schedule: str | None) -> None:
    table = {"lr": [1, 2, 4] * 3, "steps": [9] * 9, "loss": [3, 2, 4, 5, 6, 7, 8, 9, 10]}
    assert load({**table, name: [value] * 9}, {}).schedule == schedule
    mixed = {**table, name: [value] * 6 + ["other"] * 3}
    assert load(mixed, {}, where={name: "empty" if value is None else str(value)}).schedule == schedule
    assert load(mixed, {}, ignore=[name]).schedule is None


class Frame:
    """A data frame as polars has it: a list of names, and columns that NumPy can read."""

    def __init__(self, columns: dict[str, list[Any]]) -> None:
        self.columns, self._data = list(columns), columns

    def __getitem__(self, name: str) -> Column:
        return Column(self._data[name])


class Column:
    def __init__(self, cells: list[Any]) -> None:
        self._cells = cells

    def __len__(self) -> int:
        return len(self._cells)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self._cells, dtype=dtype or object)


def test_frames_and_datasets_are_tables() -> None:
    import pandas
    import xarray

    frame = pandas.DataFrame({**COLUMNS, "loss": [3.1, 3.0, 3.2, 3.05]})
    kinds = frame.assign(
        lr=frame.lr.astype("category"), batch_size=frame.batch_size.astype("Int64"),
        loss=frame.loss.astype("Float64"), optimizer=pandas.Categorical(["muon"] * 4),
        started=pandas.date_range("2024-01-01", periods=4), took=pandas.to_timedelta([1, 2, 3, 4], unit="h"),
    )  # fmt: skip
    missing = kinds.copy()
    missing.loc[3, ["loss", "optimizer"]] = pandas.NA
    grid = xarray.Dataset(
        {"loss": (("lr", "b"), [[3.1, np.nan], [3.0, 3.05], [3.2, np.nan]]), "tokens": 1e6},
        {"lr": [1e-3, 2e-3, 4e-3], "b": [1000, 2000]},
    )
    masked = {**COLUMNS, "loss": np.ma.array(COLUMNS["loss"], mask=[0, 0, 0, 1])}
    runs = {k: load(data, {}) for k, data in enumerate((frame, kinds, Frame(COLUMNS), grid, missing, masked))}
    for k in (0, 1, 2):
        assert_array_equal(runs[k].values["b"], COLUMNS["batch_size"])
        assert_array_equal(runs[k].lines, [0, 1, 2, 3])
    assert_array_equal(runs[3].loss, [3.1, 3.0, 3.05, 3.2])
    for k in (4, 5):
        assert runs[k].dropped == {"the loss is missing or no finite number": (3,)}
    with pytest.raises(ValueError, match="column started, line 0: a cell is a number or empty"):
        load(kinds, {"T": "started"})


@pytest.mark.parametrize(
    ("header", "rows", "options", "words"),
    [
        ("lr,loss", ["1,2", "2,3"], {}, "a table of runs has a column of T, or of K"),
        ("rate,tokens,loss", ["1,2,3"], {}, "a table of runs has a column of eta"),
        ("lr,tokens,los", ["1,2,3"], {}, "a table of runs has a column of loss.*--loss los"),
        (HEADER, ROWS, {"columns": {"eta": "lt"}}, "Write 'lr'"),
        (HEADER, ROWS, {"columns": {"eta": "lr", "b": "lr"}}, "each quantity has a column of its own"),
        (HEADER, ROWS, {"columns": {"alpha": "lr", "beta": "loss"}}, "each quantity has a column of its own"),
        (HEADER, ROWS, {"where": {"los": "3"}}, "Write 'loss'"),
        (HEADER, ROWS, {"ignore": ["los"]}, "Write 'loss'"),
        (HEADER, ROWS, {"where": {"batch_size": "64"}}, "no run has batch_size = 64. Given: '1000, 2000'"),
        (HEADER, ROWS[:2], {}, r"a fit takes three runs or more. Given: '2 left \(none dropped\)'"),
        (HEADER, [f"{row}e4" for row in ROWS], {}, r"Given: '0 left \(4: a loss of 1000 or more: the run diverged\)'"),
        (HEADER, [row.replace("1e6", "10") for row in ROWS], {}, "b = 1000 and T = 10 in line 2'. Write the units"),
        (HEADER, [f"{row[:-3]}3.0" for row in ROWS[:3]], {}, "losses differ among the runs"),
        (HEADER, ["1,2,3"], {}, "runs.csv, line 2: a cell for each column. Given: 3. Write 4 cells"),
        (HEADER, ["0,001,1000,1e6,3,1"], {}, "Given: 6. Write 4 cells, one with a ',' in quotes"),
        ("just one column", ["1"], {}, "a table of runs has a line of names"),
        ("# a comment", ["# another"], {}, "a table of runs has a line of names"),
        (HEADER + "\0", ROWS, {}, "a table of runs has a line of names"),
        (HEADER, [], {}, "a table of runs has a line of names"),
        (f"{HEADER},lr", [f"{row},1" for row in ROWS], {}, "each column has a name of its own. Given: 'lr, 2 times'"),
        (HEADER, ['"1'], {}, "must be a readable CSV or JSON file .unexpected end of data"),
        (HEADER, ["9" * 140000], {}, "must be a readable CSV or JSON file .field larger than field limit"),
        (f"{HEADER},lr_schedule", [f"{row},cosine" for row in ROWS], {"columns": {"eta": "lr_schedule"}},
         "column lr_schedule, line 2: a cell is a number or empty. Given: 'cosine'"),
        (HEADER, ROWS, {"b_unit": "sequences"}, "--seq-len 4096"),
    ],
)  # fmt: skip
def test_what_is_no_table_of_runs_is_refused(
    tmp_path: Path, header: str, rows: list[str], options: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        load(write(tmp_path, *rows, header=header), **{"columns": {}, **options})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ([1, 2], "runs come as a table, a row each. Given: 'list'"),
        ([], "runs come as a table"),
        ({}, "runs come as a table"),
        ({"lr": [], "loss": []}, "runs come as a table"),
        ({**COLUMNS, "lr": [1]}, "the columns of a table are equally long"),
    ],
)
def test_what_is_no_table_at_all_is_refused(data: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        load(data, {})


def test_a_table_that_is_no_utf_8_is_read_as_what_spreadsheets_wrote_before(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_bytes(f"# résumé\n{TEXT.replace('batch_size', 'Schrittgröße')}".encode("latin-1"))
    with pytest.warns(Note, match=r"^runs.csv is not UTF-8 text: it is read as cp1252$"):
        assert_array_equal(load(path, {"b": "Schrittgröße"}).values["b"], COLUMNS["batch_size"])
    # A spreadsheet's own file, what is cut off, and a byte that cp1252 has no letter for.
    for held in (b"PK\x03\x04\xe9" + TEXT.encode(), TEXT.encode("utf-16")[:-1], TEXT.encode() + b"\x81"):
        path.write_bytes(held)
        with pytest.raises(ValueError, match=r"must be a readable CSV or JSON file \(it is not UTF-8 text\)"):
            load(path, {})


def test_runs_as_json_are_a_table(tmp_path: Path) -> None:
    rows = [dict(zip(COLUMNS, cells)) for cells in zip(*COLUMNS.values())]
    rows[0]["run"], rows[1]["run"] = [[1], [2, 3]]
    path = tmp_path / "runs.json"
    for text, lines in (
        (json.dumps(rows, indent=1), [0, 1, 2, 3]),
        ("\n\n".join(map(json.dumps, rows)) + "\n", [1, 3, 5, 7]),
        (json.dumps(COLUMNS), [0, 1, 2, 3]),
    ):
        path.write_text(text)
        runs = load(path, {})
        assert_array_equal(runs.lines, lines)
        assert_array_equal(runs.loss, COLUMNS["loss"])
        assert_array_equal(runs.values["b"], COLUMNS["batch_size"])
    assert_array_equal(load(rows, {}).values["eta"], COLUMNS["lr"])
    missing = load([*rows, {"lr": 1e-3, "tokens": 1e6, "batch_size": 1500}], {})
    assert missing.dropped == {"the loss is missing or no finite number": (4,)}
    for text in ("{", "[" * 100_000, '{"lr": 1}\n{"lr"'):
        path.write_text(text)
        with pytest.raises(ValueError, match="a table of runs in JSON is a list of objects, or one a line"):
            load(path, {})


def test_points_of_one_runs_curve_are_remarked_on() -> None:
    steps, rates = np.arange(1, 101) * 500, [1e-3, 2e-3, 4e-3]
    curves = [(k, rate, step, 3 + k / 10 + 1 / step) for k, rate in enumerate(rates) for step in steps]
    table = dict(zip(("run", "lr", "steps", "loss"), zip(*curves)))
    with pytest.warns(Note, match=r"^run = 0 is there at 100 budgets: points of one run's curve are no runs"):
        load(table, {})
    del table["run"]
    with pytest.warns(Note, match=r"^one setting is there at 100 budgets: "):
        load(table, {})
    few = {name: [x for x, step in zip(cells, table["steps"]) if step % 5000 == 0] for name, cells in table.items()}
    assert len(np.unique(load({**few, "seed_run": [0, 1] * 15, "name": ["a"] * 30}, {}).T)) == 10


def test_tokens_in_millions_are_remarked_on() -> None:
    table = {"lr": COLUMNS["lr"], "tokens_M": [1000] * 4, "loss": COLUMNS["loss"]}
    with pytest.warns(Note, match="1000 of them at most: write 1000M in the cells of tokens_M, if it counts millions"):
        load(table, {"T": "tokens_M"})
    assert_array_equal(load({**table, "tokens_M": ["1000M"] * 4}, {"T": "tokens_M"}).T, [1e9] * 4)


def test_a_file_is_read_without_pandas_or_jax(tmp_path: Path) -> None:
    path = write(tmp_path, *ROWS)
    code = f"import sys; from hpgrid.fits.runs import load; load({str(path)!r}, {{}}); print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert "numpy" in modules
    assert not {"pandas", "xarray", "jax", "scipy", "matplotlib"} & set(modules)


def test_a_fit_for_each_value_of_a_column_is_of_those_that_are_left() -> None:
    table = as_table(Path(__file__).parents[2] / "examples" / "cooldown.csv")[0]
    kinds = ["other" if float(x) == 0.1 else "own" for x in table["cooldown"]]
    own = fits_by({**table, "kind": kinds}, "cooldown", where={"kind": "own"}, unit=1.0)
    assert [*own] == ["0.2", "0.4"]
    with pytest.raises(ValueError, match=r"there is no column of that name\. Given: 'kinds'"):
        fits_by(table, "cooldown", where={"kinds": "own"})


@pytest.mark.parametrize(("of_large", "budgets"), [([1e5, 2e5, 4e5], 2), ([4e5, 8e5, 1.6e6], 1)])
def test_near_tokens_are_two_budgets_where_each_has_the_whole_sweep(of_large: list[float], budgets: int) -> None:
    """Hundreds of steps are 5% more tokens at large batch sizes, of which the others have none."""
    rows = [(lr, b, T) for T, of in ((1e9, [1e5, 2e5, 4e5]), (1.05e9, of_large)) for b in of for lr in (1e-3, 2e-3)]
    lr, b, T = map(list, zip(*rows))
    runs = load({"lr": lr, "batch_tokens": b, "tokens": T, "loss": [3 + k / 100 for k in range(len(T))]}, {})
    assert len(np.unique(runs.T)) == budgets
    assert runs.spans == (1e9, 1.05e9)
