"""The command ``hpgrid smoothness``: what it is asked, what it prints, how it says no."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from commands import printed

import hpgrid
from hpgrid.checks import PRECISIONS
from hpgrid.stochastic.report import ADAPTIVE, answer, as_dict, measure

SMALL = ("--shape", "4x3", "--pairs", "20", "--noise", "one-hot")


def test_it_says_what_it_measured(capsys: pytest.CaptureFixture[str]) -> None:
    out = printed("smoothness", capsys, "--norm", "muon", *SMALL, "--details")
    assert out.startswith("D of the spectral norm (muon), 4 x 3: 1.")
    assert " on average over 20 pairs (oracle); in the worst case no finite D" in out.splitlines()[0]
    assert out.splitlines()[1].startswith("The noise at hand needs, at b = 4096: ")
    heads = [line.split("  ")[0] for line in out.splitlines() if line]
    assert heads[2:] == [
        "pairs", "oracle", "gaussian", "all is drawn with seed 0", "b E||mean||^2/E||xi||^2", "one-hot",
        "at most (kappa2/kappa1)^2 = 3, whatever the noise", "Newton-Schulz, 5 steps", "float64", "float32", "bfloat16",
    ]  # fmt: skip


def test_a_report_says_what_its_optimizer_has_to_do_with_the_norm_and_is_plain_data() -> None:
    report = measure("soap", (4, 3), 20, noises=("one-hot",))
    shown, data = answer(report).text(), as_dict(report)
    assert shown.startswith("D of the spectral norm (soap), 4 x 3: ")
    assert ADAPTIVE["soap"] in shown
    assert "in the worst case no finite D" in shown
    assert data["pairs"]["oracle"]["pairs"] == 20
    assert data["worst_case"]["smooth"] is False
    assert set(data["newton_schulz"]) == set(PRECISIONS)


def test_what_has_no_number_is_a_dash_and_none() -> None:
    one = next(r for seed in range(20) if (r := measure("max", (1, 1), 1, seed=seed)).pairs["oracle"].coincide)
    (row,) = (line for line in answer(one).text().splitlines() if line.startswith("oracle"))
    assert row.split() == ["oracle", *["-"] * 7, "1"]
    assert as_dict(one)["pairs"]["oracle"]["mean"] is None


def test_json_has_a_report_for_every_norm_and_shape_once(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("--norm", "sgd,max,sgd", "--shape", "2x2,3x1", "--pairs", "5", "--noise", "gaussian", "--json")
    reports = json.loads(printed("smoothness", capsys, *asked))["norms"]
    assert [(r["name"], r["shape"]) for r in reports] == [
        ("sgd", [2, 2]), ("sgd", [3, 1]), ("max", [2, 2]), ("max", [3, 1]),
    ]  # fmt: skip
    assert [r["worst_case"]["smooth"] for r in reports] == [True, True, False, False]
    assert all(r["pairs"]["oracle"]["pairs"] == 5 and r["newton_schulz"] == {} for r in reports)
    assert reports[0]["effective"]["gaussian"]["constant"] == pytest.approx([1.0] * 7)


def test_a_seed_says_the_same_again_and_another_does_not(capsys: pytest.CaptureFixture[str]) -> None:
    first, again, other = (printed("smoothness", capsys, "--norm", "max", *SMALL, "--seed", s) for s in ("1", "1", "2"))
    assert first == again != other


def test_help_and_mistakes_load_no_jax() -> None:
    """In one process: each mistake ends in SystemExit, and then nothing slow has been loaded."""
    wrong = ["--norm moun --shape 3x3", "--norm muon --shape 3x0", "--norm muon --shape 3x3 --seed=-1", "--norm muon"]
    code = (
        "import sys\nfrom hpgrid.cli import main\n"
        f"for arguments in {['--help', *wrong]!r}:\n"
        "    try:\n        main(['smoothness', *arguments.split()])\n"
        "    except SystemExit as ended:\n        print(ended.code)\n"
        "print('loaded:', *(m for m in ('jax', 'numpy', 'matplotlib') if m in sys.modules))"
    )
    root = Path(hpgrid.__file__).parent.parent
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, timeout=120)
    lines = done.stdout.splitlines()
    assert lines[-1 - len(wrong) : -1] == ["2"] * len(wrong)
    assert lines[-1] == "loaded:"
