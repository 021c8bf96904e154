"""``hpgrid transfer``: what it prints, and how it says no."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import commands
import numpy as np
import pytest

import hpgrid
from hpgrid.schemas import stamped

START = "--from eta=3e-4,b=524288,beta=0.95,T=2.5e9"
SEQUENCES = "--from eta=3e-4,b=128,beta=0.95,T=2.5e9 --to T=1e11 --seq-len 4096"

SHORT = """\
For 1e+12 tokens set eta = 6.708e-05, b = 10485760, beta = 0.95: 9.537e+04 iterations.

This is row C: no row's risk falls faster, as T^(-1/4); beta stays, and b ~ T^(1/2) is what public runs show.
Left as it is, the setting costs 236% of eq. (4)'s least risk there, to leading order. \
--calibrate says what each row costs.
The rules are of a constant learning rate: --schedule decay says what a decay changes.

    tuned         held     eta        b, tokens  beta      alpha     K          rule
A   eta           b, beta  1.5e-05    524288     0.95      0.05      1.907e+06  Table 2
B   eta, beta     b        3.354e-06  524288     0.9975    0.0025    1.907e+06  Table 2
C*  eta, b        beta     6.708e-05  10485760   0.95      0.05      9.537e+04  Table 2
D   eta, b, beta  -        9.104e-06  1.423e+06  0.993214  0.006786  7.027e+05  Table 2

--details adds each row's rule and limits, momenta that keep their half-life, four published fits \
and eta along paths of b.
"""
DETAILS = """
from T = 2.5e+09: eta = 0.0003, b = 524288, beta = 0.95, alpha = 0.05, K = 4768
to   T = 1e+12, 400 times as long

A: eta_1 = eta_0 (T_0/T_1)^(1/2); b and alpha held: the noise floor C2 (alpha/b)^(1/2) stays (Corollary 1)
"""


printed = partial(commands.printed, "transfer")


def test_json_is_the_functions_answer(capsys: pytest.CaptureFixture[str]) -> None:
    options = "--to T=1e12 --max-b 2048 --round-b 256 --seq-len 4096 --max-eta 1e-5 --json"
    out = printed(capsys, "--from", "eta=3e-4,b=128", "--from", "alpha=1/20, T=2.5e9, beta2=0.98", *options.split())
    start = {"eta": 3e-4, "b": 128, "alpha": 0.05, "T": 2.5e9, "beta2": 0.98}
    answer = hpgrid.transfer(start, 1e12, max_b=2048, round_b=256, seq_len=4096, max_eta=1e-5)
    assert json.loads(out) == stamped("transfer", answer.as_dict())


GIVEN_B = {
    f"{START} --to T=1e12 --to-b 2097152 --regime D": (
        "D  eta, b, beta  b     1.342e-05  2097152    0.99  0.01   4.768e+05  Table 3\n"
    ),
    "--from eta=0.1,b=256,T=1e8 --to T=1e10 --to-b 1024 --optimizer sgd": "SGD  eta    b     0.04  1024 ",
}


def test_the_regimes_are_a_table_and_a_given_batch_size_makes_table_3(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, *START.split(), "--to", "T=1e12") == SHORT
    assert DETAILS in printed(capsys, *START.split(), "--to", "T=1e12", "--details")
    for line, row in GIVEN_B.items():
        assert row in printed(capsys, *line.split())


@pytest.mark.parametrize(("one", "other"), [
    ("--to 1e12", "--to T=1e12"), ("--to T=1e12 --regime a", "--to T=1e12 --regime A"),
    *((f"--to T=1e12 {option} 1e3", f"--to T=1e12 {option} 1000") for option in ("--seq-len", "--round-b")),
])  # fmt: skip
def test_what_can_be_written_in_two_ways(capsys: pytest.CaptureFixture[str], one: str, other: str) -> None:
    with_spaces = START.replace(",", " ")
    assert printed(capsys, *START.split(), *one.split()) == printed(capsys, *with_spaces.split(), *other.split())


@pytest.mark.parametrize("option", ["--set C1=1e-4,C3=0.05 --set C2=2", "--set Delta0=1,L=1/3", "--calibrate"])
def test_costs_are_part_of_the_answer(capsys: pytest.CaptureFixture[str], option: str) -> None:
    line = f"{SEQUENCES} {option}".split()
    assert "% of eq. (4)'s least risk there; " in " ".join(printed(capsys, *line).split())
    assert "\ncosts:" in printed(capsys, *line, "--details")
    assert len(json.loads(printed(capsys, *line, "--json"))["costs"]["rows"]) == 4


def test_a_picture_is_written_whole_and_to_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "made" / "way.png"
    json.loads(printed(capsys, *SEQUENCES.split(), "--plot", str(path), "--json"))
    assert path.read_bytes().startswith(b"\x89PNG")
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    (tmp_path / "way.png").mkdir()
    line = [*SEQUENCES.split(), "--plot", str(tmp_path / "way.png")]
    commands.refused("transfer", capsys, line, "the picture is written to a file")


MISTAKES = {
    "": "a transfer needs --from",
    START: "a transfer needs --to",
    f"{START} --to T": "--to takes NAME=VALUE",
    f"{START} --to T=2.5m": "a number of tokens has one of the units k, K, M, G, B, T, Ki, Mi, Gi, Ti. Given: '2.5m'",
    f"{START} --to K=1e6": "no name in where a transfer goes of that name",
    f"{START} --to T=1e12,b=1024": "to a token budget T alone. Given: 'b'. Write T=1e12, say, and --to-b",
    f"{START} --to T=1e12,eta=1e-3": "and --max-eta",
    f"{START} --to T=0.5": "T must be a finite number with T >= 1",
    "--from eta=3e-4,b=1024 --to T=1e12": "a start has its token budget T",
    "--from etta=3e-4,T=1e9 --to T=1e12": "no name in a start of that name. Given: 'etta'. Write 'eta'",
    "--from beta3=3e-4,T=1e9 --to T=1e12": "(all: eta, b, beta, alpha, beta2, T)",
    "--from eta=-1,T=1e9 --to T=1e12": "eta must be a finite number with eta > 0. Given: -1.0",
    "--from eta=x,T=1e9 --to T=1e12": "eta is a finite number. Given: 'x'",
    "--from eta=1,b=0.5,T=1e9 --to T=1e12": "b must be a finite number with b >= 1",
    "--from eta=1,beta=1,T=1e9 --to T=1e12": "beta must be a finite number with 0 <= beta < 1. Given: 1.0",
    "--from eta=1,beta2=1,T=1e9 --to T=1e12": "beta2 must be a finite number with 0 <= beta2 < 1. Given: 1.0",
    "--from eta=1,alpha=0,T=1e9 --to T=1e12": "0 < alpha <= 1",
    "--from eta=1,alpha=0.1,beta=0.9,T=1e9 --to T=1e12": "momentum is given once",
    "--from eta=1,eta=2,T=1e9 --to T=1e12": "--from gives eta twice",
    f"{START} --to T=1e12 --regime E": "no regime of that name. Given: 'E'",
    f"{START} --to T=1e12 --optimizer adam": "no optimizer of that name",
    f"{START} --to T=1e12 --optimizer Muon": "Muon is called lmo here: it steps along an oracle of the spectral norm",
    f"{START} --to T=1e12 --set ,": "constants are names and numbers. Given: {}",
    f"{START} --to T=1e12 --optimizer sgd --regime B": "one rule. Given: 'B'. Write --regime auto, or --optimizer",
    "--from eta=1,T=1e9 --to T=1e12 --regime D": "regime D needs b and beta at the first budget",
    "--from b=1024,T=1e9 --to T=1e12 --optimizer sgd --to-b 0": "--to-b must be a finite number, at least 1",
    "--from eta=1,T=1e9 --to T=1e12 --regime A --to-b 1024": "regime A needs b at the first budget",
    f"{START} --to T=1e12 --to-b 1000.5": "--to-b is a whole number. Given: 1000.5. Write --to-b 1001",
    f"{START} --to T=1e12 --to-b 1000.5 --max-b 1000.7": "Write --to-b 1000, say",
    f"{START} --to T=1e12 --to-b 2e6 --max-b 1e6": "that is given is one that the limits on b allow",
    f"{START} --to T=1e12 --to-b 3e6 --round-b pow2": "Write --to-b 4194304, or other limits",
    f"{START} --to T=1e12 --max-b 0.5": "--max-b must be a finite number, at least 1",
    f"{START} --to T=1e12 --max-b nan": "--max-b is a finite number. Given: 'nan'. Write --max-b=512k, say",
    f"{START} --to T=1e12 --max-b 100 --round-b 256": "256 tokens. Given: '--max-b 100'. Write --max-b >= 256",
    f"{SEQUENCES} --max-b 1000 --round-b 1001": "the cap on b leaves room for 1001 sequences",
    f"{START} --to T=1e12 --max-eta 0": "--max-eta must be a positive finite number",
    f"{START} --to T=1e12 --round-b pow3": "of which b is a multiple. Given: 'pow3'. Write --round-b 256",
    f"{START} --to T=1e12 --round-b 0": "--round-b is pow2, int, or a whole number",
    f"{START} --to T=1e12 --seq-len 0": "--seq-len is a whole number, 1 or more. Given: '0'",
    f"{START} --to T=1e12 --seq-len 2.5": "is a whole number, 1 or more. Given: '2.5'. Write --seq-len 4096",
    f"{START} --to T=1e12 --seq-len 0.5k8": "is a whole number, 1 or more. Given: '0.5k8'. Write --seq-len 4096",
    "--from eta=1e-300,T=1 --to T=1e300": "what is transferred stays a number",
    "--from eta=1e-200,b=1e200,alpha=1e-200,T=1 --to T=1e300 --regime D": "what is transferred stays a number",
    "--from eta=1,b=1e299,alpha=0.5,T=1 --to T=1e10 --regime C": "what is transferred stays a number",
    "--from eta=1e-320,T=1 --to T=1e9": "eta is between 2.2e-308 and 1e+300, or 0",
    "--from T=1e9 --to T=1e12 --plot q.png": "every regime needs eta at the first budget. Given: 'T=1e+09'. Write eta=",
    f"{SEQUENCES} --set C1=0": "constant C1 must be a positive finite number",
    f"{SEQUENCES} --set C1=x": "C1 is a finite number",
    f"{SEQUENCES} --set C4=1": "no constant of eq. (4) of that name. Given: 'C4'. Write 'C3'",
    f"{SEQUENCES} --set C1=1,L=2": "give C1, C2, C3 or Delta0, L, rho, sigma, not both",
    f"{SEQUENCES} --set C1": "--set takes NAME=VALUE",
    f"{SEQUENCES} --set C1=1 --calibrate": "constants are given, or calibrated at the start. Given: 'both'",
    f"{SEQUENCES} --calibrate --optimizer sgd": "LMO methods'. Given: '--optimizer sgd'. Write --optimizer lmo, or no",
    "--from b=524288,beta=0.95,T=2.5e9 --to T=1e11 --calibrate": "needs eta, b and beta at the first budget. Given: "
    "'no eta'. Write eta=... beside the others",
    "--from eta=3e-4,T=2.5e9 --to T=1e11 --set C1=1": "Given: 'no b and no beta'",
    f"{SEQUENCES.replace('3e-4', '1e-200')} --set C1=1e300": "a number. Given: 'regime A comes out as none'",
    "--from eta=1e-3,b=10,alpha=1e-250,T=1e9 --to T=1e10 --calibrate": "what a choice costs is a number",
    f"{START} --to 1e14 --bound exp(eta)+b/(eta*T)": "rules off a sum of powers, or of maxima and roots of such",
    f"{START} --to 1e14 --bound sgd --regime D": "has no regime D. Given: 'D'. Write one of A, C, or auto",
    f"{START} --to 1e14 --bound lmo --set C9=1": "C9",
    f"{SEQUENCES} --plot way.gif": "there is no picture format of that name. Given: 'gif'. Write one of png, pdf, svg",
    f"{SEQUENCES.replace('1e11', '2.5e9')} --plot way.png": "a picture goes from one budget to another",
}


@pytest.mark.parametrize("line", MISTAKES)
def test_mistakes_are_one_line_and_status_2(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, line: str
) -> None:
    monkeypatch.chdir(tmp_path)
    commands.refused("transfer", capsys, line.split(), MISTAKES[line], tmp_path)


@pytest.mark.parametrize(("asked", "told"), [
    ({"start": 3e-4}, "a start is names and numbers"),
    ({"start": {"eta": "3e-4", "T": 1e9}}, "eta must be a finite number"),
    ({"to": {}}, "a transfer goes to a token budget T"), ({"to": "1e12"}, "T must be a finite number"),
    *(({"round_b": wrong}, "round_b is pow2") for wrong in (np.array([1, 2]), True)),
    *(({"seq_len": wrong}, "seq_len is a whole number") for wrong in (1.5, "4096")),
    *(({name: 10**400}, f"{name} is between") for name in ("round_b", "seq_len")),
    ({"regime": np.array(["A", "B"])}, "no regime of that name"),
    ({"calibrate": np.array([1, 2])}, "calibrate is True or False"),
    ({"to": 10**400}, "T is between 2.2e-308 and 1e.300, or 0. Given: 'a larger number'"),
    ({"start": {"eta": 1, "b": 1e200, "T": 1e9}, "seq_len": 10**200}, "b in tokens is at most 1e.300"),
    ({"start": {"eta": 5e-324, "T": 1e9}}, "eta is between.*'a smaller number'"),
    ({"start": {"eta": 1, "b": 1, "beta": 0, "T": 9}, "constants": {"C1": 10**400}}, "C1 is between"),
    ({"to_b": float("inf")}, "to_b must be a finite number"),
    ({"start": {"b": 8, "beta": 0, "T": 1e9}}, "every regime needs eta at the first budget.*T=1e.09"),
    ({"max_b": 9}, "every regime needs b at the first budget.*T=1e.09"),
    ({"start": {"T": 1e9}, "to_b": 9}, "every regime needs eta and b at the first budget.*T=1e.09"),
])  # fmt: skip
def test_mistakes_in_python(asked: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        hpgrid.transfer(**{"start": {"eta": 3e-4, "T": 1e9}, "to": 1e12, **asked})  # type: ignore[arg-type]


@pytest.mark.parametrize(("line", "status", "expected"), [
    ("--help", 0, {"rich"}), (f"{START} --to T=1e12 --regime E", 2, set()),
    (f"{START} --to T=1e12", 0, set()), (f"{START} --to T=1e12 --json", 0, set()),
    (f"{START} --to T=1e12 --calibrate", 0, {"numpy"}),
    (f"{START} --to T=1e12 --calibrate --plot way.png", 0, {"matplotlib", "numpy"}),
])  # fmt: skip
def test_it_loads_nothing_that_it_does_not_need(tmp_path: Path, line: str, status: int, expected: set[str]) -> None:
    assert commands.loaded("transfer", *line.split(), code=status, folder=tmp_path) == expected
