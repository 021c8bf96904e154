"""``hpgrid compare``: what each source answers, who can agree, the open question, and how it is printed."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from functools import partial
from pathlib import Path

import commands
import numpy as np
import pytest
from commands import Capture
from matplotlib.mathtext import MathTextParser
from matplotlib.text import Text

from hpgrid import exponents, parse
from hpgrid.bounds import BOUNDS
from hpgrid.bounds.lemmas import nesterov_noise
from hpgrid.comparison import laws
from hpgrid.comparison.compare import SHOWN, Comparison, compare, of_runs, sources, verdict
from hpgrid.comparison.laws import answered, answers, bound, paths
from hpgrid.comparison.picture import draw
from hpgrid.comparison.protocols import Protocols, along, arises, rises
from hpgrid.comparison.questions import PROTOCOLS, QUESTIONS, Cell
from hpgrid.comparison.studies import STUDIES, fitted
from hpgrid.comparison.tables import in_latex
from hpgrid.fits.fit import fit
from hpgrid.record import write_table
from hpgrid.transfers.published import FITS

ROOT = Path(__file__).resolve().parent.parent
PAGE = ("all", "--protocol", "all", "--sources", "all", "--markdown")

printed = partial(commands.printed, "compare")

#: Shulgin et al., Theorems 1 to 3 and B.5, C.3: half-life b/alpha by its quotient; at the floor b (eta T)^-1 and
#: (alpha/b)^(1/2) meet.
LMO = {
    "eta-T": "-1/2", "eta-T-beta": "-3/4", "eta-b": "1/2", "eta-b-K": "0", "b-T": "1/2", "eta-path": "-1/4",
    "b-T-beta": "1/6", "eta-path-beta": "-7/12", "alpha-T": "-1/2", "alpha-b": "1", "risk-T": "-1/4",
    "eta-capped": "-3/4", "b-floored": "2/3", "eta-lam": "- no lam", "half-life": "1/2",
}  # fmt: skip


# --- what bounds answer ---
def test_the_file_has_every_bound_and_question_and_the_papers_own_exponents() -> None:
    assert list(answers()) == list(BOUNDS)
    assert all(list(own.cells) == list(QUESTIONS) for own in answers().values())
    assert {key: cell.text() for key, cell in answers()["lmo"].cells.items()} == LMO
    assert answers()["lmo"].begins["b-T-beta"] == "b: 1024 C1^5 C3^5 C2^-10; alpha: 1/4 C2^2 C1^-1 C3^-1"


@pytest.mark.parametrize("name", ["lmo", "sgd", "storm", "normalised_sgd", "su_law", "functional_scaling", "local_sgd"])
def test_an_exact_answer_in_the_file_is_what_is_computed(name: str) -> None:
    own = answers()[name]
    made = {key: answered(bound(name), question) for key, question in QUESTIONS.items()}
    assert {key: cell for key, (cell, _) in made.items()} == own.cells
    assert {key: start for key, (_, start) in made.items() if start} == own.begins
    assert {"fixed": paths(bound(name), ("eta",)), "tuned": paths(bound(name), ("eta", "alpha"))} == own.paths


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("sgd_strongly_convex", "eta-T"),
        ("star_convex", "b-T"),
        ("steepest", "b-floored"),
        ("independent_decay", "eta-T"),
    ],
)
def test_a_measured_answer_in_the_file_is_what_is_measured(name: str, key: str) -> None:
    kept, (made, _) = answers()[name].cells[key], answered(bound(name), QUESTIONS[key])
    assert kept.known == made.known == "measured"
    # Either may be off by its tolerance; rounding is within it.
    assert made.low <= kept.high
    assert kept.low <= made.high
    assert made.note[:4] == kept.note[:4]


def test_of_two_ends_of_a_flat_valley_the_lower_one_is_read() -> None:
    """All tuned, b out of the way, what is left goes with c s^2: the noise is s/b^(1/2), what rises with eta c eta.

    Least at alpha = 1, it makes momentum worthless and b grow; least as alpha falls, b is 1 and alpha falls alone.
    """
    alpha = np.concatenate([np.geomspace(1e-9, 0.5, 500), np.linspace(0.5, 1, 500)])
    beta, s = 1 - alpha, nesterov_noise(alpha, 1.0)
    gap, kl = (1 + 2 * beta**2 / alpha) * s**2, (1 + 2 * beta**2 / alpha + beta / alpha) * s**2
    star = (4 * (1 + beta**2 / alpha) + 2 * beta / alpha) * s**2
    seed = (0.5 + 2 * beta**2 / alpha) * nesterov_noise(alpha, 2.0) ** 2
    # As alpha falls s^2 is alpha/2, and the gap's product is 1 as at alpha = 1; its next order is positive.
    rounding = 8 * 2.0**-52
    assert min(gap.min(), kl.min()) >= 1 - rounding
    assert (gap[-1], kl[-1], seed.argmin()) == (1.0, 1.0, 999)
    assert star.argmin() == 0
    assert 3 < star[0] < star[-1] == 4
    ends = exponents(parse("1/(eta*K) + sqrt(alpha/b) + eta/alpha"), ("eta", "b", "alpha"), budget="T").flat["b"]
    assert ends == (0, Fraction(1, 2))  # of the gap's program, and of Theorem 8's beside its constant
    assert {name: answers()[name].cells["b-T-beta"].text() for name in VALLEYS} == VALLEYS


#: What the file has of bounds that are flat along a valley.
VALLEYS = {"frank_wolfe": "0.500", "steepest": "0.500", "star_convex": "0.000 at b >= 1"}


@pytest.mark.parametrize("name", [pytest.param(each, marks=pytest.mark.thorough) for each in VALLEYS])
def test_a_valley_is_answered_as_the_file_has_it(name: str) -> None:
    assert answered(bound(name), QUESTIONS["b-T-beta"])[0].text() == VALLEYS[name]


@pytest.mark.parametrize(
    ("G0", "power"), [pytest.param(2 - 1e-8, 0, marks=pytest.mark.thorough), (3.0, Fraction(2, 3))]
)
def test_a_valley_s_end_is_the_extreme_point_of_an_exact_program_that_is_lower(G0: float, power: Fraction) -> None:
    """As alpha falls, the star-convex bound is a posynomial but for (1 - lam eta)^K, small once eta K is above a log.

    Its noise is (alpha/2)^(1/2) (1 + (2 alpha)^(1/2) - O(alpha)), and what rises with eta is (4 + 2 G0) eta/alpha, less
    O(alpha): the programs of its first and of its second order are exact. At L = lam = 1 the product of the two, c s^2,
    is 2 + G0 along the valley and 4 at its end. At G0 = 2 - 1e-8 that shows where refinement is lost, from 1e32 on.
    """
    alpha = np.geomspace(1e-12, 1e-4, 9)
    off = nesterov_noise(alpha, 1.0) / (alpha / 2) ** 0.5 - 1 - (2 * alpha) ** 0.5
    assert np.all(np.abs(off) <= alpha + 4 * 2.0**-52)
    tuned, first, second = ("eta", "b", "alpha"), "sqrt(alpha/b) + eta/alpha", "alpha/sqrt(b)"
    ends = exponents(parse(first, domain=["1 <= eta*K"]), tuned, budget="T").flat["b"]
    lower = exponents(parse(f"{first} + {second}", domain=["1 <= eta*K"]), tuned, budget="T").exponent["b"]
    assert (ends, lower) == ((0, Fraction(2, 3)), 0)
    assert power == (lower if 2 + G0 < 4 else ends[1])
    cell, _ = answered(bound("star_convex").with_constants(G0=G0), QUESTIONS["b-T-beta"])
    assert cell.low <= power <= cell.high


def test_the_file_is_made_again_by_one_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "laws.json"
    other.write_bytes(laws.FILE.read_bytes())
    monkeypatch.setattr(laws, "FILE", other)
    laws.main(["lmo"])
    assert other.read_bytes() == Path(laws.__file__).with_name("laws.json").read_bytes()


# --- who can agree ---
def exact(value: str) -> Cell:
    return Cell(Fraction(value), "exact", Fraction(value), Fraction(value))


def test_answers_agree_where_their_intervals_meet() -> None:
    cells = {"A": exact("1/2"), "B": exact("2/3"), "C": exact("1/2"), "none": Cell(note="flat")}
    cells |= {
        "wide": fitted(0.55, 0.2),
        "near": fitted(0.52, 0.03),
        "sharp": fitted(0.571),
        "C-law": fitted(0.3, None, "C"),
    }
    said = verdict(cells, ["A", "B", "C"])
    assert said == "A, C, wide, near can agree on 1/2; B, wide can agree on 2/3; alone: 0.571 (sharp)"
    assert verdict({"A": exact("1/2"), "none": Cell()}, ["A"]) == ""
    assert verdict({"A": exact("1/2"), "B": exact("0")}, ["A", "B"]) == "alone: 1/2 (A), 0 (B)"
    # Half the last digit: 0.5 may be 0.45 to 0.55, 0.571 is not 4/7.
    assert (fitted(0.5).low, fitted(0.571).high) == (0.45, 0.5715)


def test_studies_of_table_1_are_those_of_transfer_and_answers_are_to_questions_that_there_are() -> None:
    for each in FITS:
        cells = STUDIES[each.name].cells
        assert (cells["b-T"].value, cells["eta-path"].value) == (each.b, each.eta)
        assert STUDIES[each.name].budget == each.budget
    assert all(set(study.cells) <= set(QUESTIONS) for study in STUDIES.values())
    assert STUDIES["Filatov"].cells["b-T"].text() == "0.45 +- 0.07"
    assert STUDIES["DeepSeek"].cells["b-T"].text() == "0.3271 in C"


# --- the open question ---
def test_paths_are_lines_and_say_where_the_learning_rate_rises() -> None:
    own = answers()
    assert along(own["lmo"].paths["tuned"], None) == "p - 3/4 to p = 1/2; p/2 - 1/2"
    assert along(own["lmo"].paths["tuned"], Fraction(1, 4)) == "-1/2"
    assert [rises(own[name].paths["fixed"]) for name in ("lmo", "storm", "functional_scaling")] == [
        None, Fraction(2, 3), Fraction(1, 2),
    ]  # fmt: skip
    open_ = Protocols(
        tuple(PROTOCOLS), {name: answers()[name] for name in ("lmo", "storm", "functional_scaling")}, ("StepLaw",)
    )
    assert open_.answer() == (
        "as far as its exponent is known, eta* rises with T in none of these bounds; along b = T^p in storm from "
        "p = 0.667 on, functional_scaling from p = 0.5 on"
    )


def test_a_published_exponent_arises_along_its_path_along_another_or_never() -> None:
    b, along_it = STUDIES["Filatov"].paths[-1]
    assert arises(answers()["lmo"], b, along_it) == "yes"  # (0.45 - 1)/2 = -0.275
    assert arises(answers()["lmo"], Fraction("0.571"), fitted(0.307)) == "-0.214; never"
    assert arises(answers()["functional_scaling"], Fraction("0.571"), fitted(0.307)) == "0.071; at p = 0.81"
    assert arises(answers()["lmo"], Fraction(0), fitted(-0.5)) == "yes"
    assert arises(answers()["normalised_sgd"], Fraction("0.571"), fitted(0.307)) == "-"


# --- a person's runs ---
def test_runs_are_a_column_with_the_intervals_of_a_fit(capsys: Capture) -> None:
    runs = fit(ROOT / "examples" / "muon_sweep.csv", where={"weight_decay": "0.1"})
    own = of_runs(runs)
    assert [key for key, cell in own.items() if cell.value is not None] == ["eta-T", "eta-b", "b-T", "eta-path"]
    assert own["alpha-T"].text() == "- no beta"
    eta = runs.slope({"eta": 1}, ("eta",))
    assert (own["eta-T"].low, own["eta-T"].value, own["eta-T"].high) == (eta.low, eta.value, eta.high)
    out = printed(capsys, "eta-T", "--fit", str(ROOT / "examples" / "constant_rate.csv"), "--sources", "yours,lmo")
    assert "lmo, yours can agree on -1/2" in out


@pytest.mark.parametrize(
    "asked", [(), ("eta-T",), ("--sources", "all"), ("eta-T", "--sources", "all"), ("--bound", "lmo")]
)
def test_the_runs_that_are_given_stand_in_the_first_table(capsys: Capture, asked: tuple[str, ...]) -> None:
    first = printed(capsys, *asked, "--fit", str(ROOT / "examples" / "constant_rate.csv")).split("\n\n")[1].splitlines()
    assert first[1].split()[:3] == ["exponent", "of", "yours"]
    assert re.search(r"eta\* in T, b and beta held +-0\.\d\d to", "\n".join(first))


def test_an_answer_beyond_the_sweep_is_said_to_tell_nothing(capsys: Capture, tmp_path: Path) -> None:
    """At the larger budget the best rate lies beyond those that were run."""
    eta, T = np.tile(2.0 ** np.arange(-4, 3), 2), np.repeat([1e9, 1.6e10], 7)
    loss = 3 + 0.005 * (np.log2(eta) + np.where(T > 1e9, 6.0, 0.0)) ** 2
    write_table(tmp_path / "runs.csv", {"lr": 1e-3 * eta, "tokens": T, "loss": loss})
    out = " ".join(printed(capsys, "eta-T", "--fit", str(tmp_path / "runs.csv")).split())
    assert "; yours beyond the sweep, and tells nothing." in out.partition("Exponents")[0]
    out = " ".join(printed(capsys, "--fit", str(tmp_path / "runs.csv")).split())
    assert "Of 1 the answer of your runs is beyond the sweep, and tells nothing." in out


# --- how it is printed ---
@pytest.mark.parametrize("width", [80, 100])
def test_text_fits_and_names_what_is_left_out(capsys: Capture, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    for words in ((), ("--protocol", "all"), ("--sources", "all", "--protocol", "all", "all")):
        short, out = printed(capsys, *words), printed(capsys, *words, "--details")
        assert max(map(len, [*short.splitlines(), *out.splitlines()])) <= width
        assert len(short.splitlines()) <= (25 if width == 100 else 30)
    assert "Others" not in out
    assert "Others (--sources): lmo_exact" in printed(capsys, "b-T", "--details")
    assert "b = T^3/5, beta fixed" in " ".join(printed(capsys, "--protocol", "b=T^0.6").split())


def test_the_page_is_what_the_command_makes(tmp_path: Path, capsys: Capture) -> None:
    printed(capsys, *PAGE, str(tmp_path / "atlas.md"))
    assert (tmp_path / "atlas.md").read_text() == (ROOT / "docs" / "atlas.md").read_text()


def test_latex_is_tables_of_whole_rows_whose_formulas_can_be_set(tmp_path: Path, capsys: Capture) -> None:
    printed(capsys, "all", "--protocol", "all", "--sources", "all", "--latex", str(tmp_path / "atlas.tex"))
    source = (tmp_path / "atlas.tex").read_text()
    for columns, body in re.findall(r"\\begin{tabular}{(.*?)}\n(.*?)\\end{tabular}", source, re.DOTALL):
        rows = [row for row in body.splitlines() if row.endswith(r"\\")]
        wide = len(re.sub(r"{.*", "", columns))
        assert {len(re.split(r"(?<!\\)&", row)) for row in rows} == {wide}
    for formula in {*re.findall(r"\$.*?\$", source)}:
        MathTextParser("path").parse(formula)
    assert in_latex("eta* ~ T^(-1/2) of su_law") == r"$\eta^\star$ $\sim$ $T^{-1/2}$ of su\_law"


def test_a_bound_of_ones_own_is_a_column_beside_the_others(tmp_path: Path, capsys: Capture) -> None:
    """D b/(eta T) + s eta^2/b: by hand eta* = (D b^2/(2 s T))^(1/3), and the risk, b^(1/3) T^(-2/3), wants b = 1."""
    written = ("--bound", "D/(eta*K) + s*eta**2/b", "--set", "D=1,s=2")
    data = json.loads(printed(capsys, "all", *written, "--sources", "lmo", "--json"))
    found = {key: each["answers"]["bound"] for key, each in data["questions"].items()}
    by_hand = {"eta-T": "-1/3", "eta-b": "2/3", "eta-b-K": "1/3", "b-T": "0", "eta-path": "-1/3", "risk-T": "-2/3"}
    assert {key: found[key]["value"] for key in by_hand} == by_hand
    assert found["alpha-T"]["note"] == "no beta"
    assert list(data["sources"]) == ["bound", "lmo"]
    file = tmp_path / "mine.toml"
    file.write_text('bound = "A/(eta*K) + B*eta*K**(1/2)"\nconstants = { A = 1.0, B = 1.0 }\n')
    path = printed(capsys, "--bound", str(file), "--sources", "lmo", "--protocol", "fixed")
    assert re.search(r"bound +-3/4", path)  # eta^2 ~ K^(-3/2)


def test_json_has_what_is_printed(capsys: Capture) -> None:
    data = json.loads(printed(capsys, "b-T", "--sources", "lmo,Filatov", "--protocol", "path", "--json"))
    assert data["questions"]["b-T"]["answers"]["lmo"]["value"] == "1/2"
    assert data["questions"]["b-T"]["verdict"] == "lmo, Filatov can agree on 1/2"
    assert data["bounds"]["lmo"]["paths"]["fixed"][0]["slope"] == "1/2"
    assert data["arise"][1]["lmo"] == "yes"


def test_a_picture_has_a_panel_a_question_and_a_point_an_answer(tmp_path: Path, capsys: Capture) -> None:
    every = sources()
    chosen = {name: every[name] for name in ("lmo", "sgd", "Filatov", "DeepSeek")}
    figure = draw(Comparison(("eta-T", "b-T"), chosen))
    points = [sum(line.get_marker() != "None" for line in ax.lines) for ax in figure.axes]
    assert points == [3, 2]
    whole = draw(Comparison(tuple(QUESTIONS), {name: every[name] for name in SHOWN}))
    whole.draw_without_rendering()
    titles = [text for ax in whole.axes for text in ax.findobj(Text) if text.get_text().startswith("(")]
    assert len(titles) >= 10
    assert all(title.get_window_extent().x1 <= whole.bbox.x1 for title in titles)
    printed(capsys, "eta-T", "--plot", str(tmp_path / "atlas.png"))
    assert (tmp_path / "atlas.png").stat().st_size > 10_000


def test_nothing_slow_is_loaded() -> None:
    assert commands.loaded("compare") == commands.loaded("compare", "--protocol", "all") == set()


def test_it_is_a_function_too(capsys: Capture) -> None:
    own = parse("b/(eta*T) + eta + C/b**(1/2)", {"C": 1.0})
    found = compare(["eta-T", "b-T"], sources="bounds", bound=own)
    assert list(found.chosen) == ["bound", *BOUNDS]
    assert found.to_dataframe().loc[["eta-T", "b-T"], "bound"].tolist() == ["-1/2", "1/2"]
    data = json.loads(printed(capsys, "eta-T", "b-T", "--sources", "sgd,StepLaw", "--json"))
    by_name = compare(["eta-T", "b-T"], sources=["sgd", "StepLaw"])
    assert json.loads(json.dumps(by_name.as_dict())) == {key: data[key] for key in by_name.as_dict()}
    for wrong, words in (({"questions": "eta"}, "no question"), ({"sources": "nope"}, "no source"),
                         ({"sources": "yours"}, "yours are the runs of a fit")):  # fmt: skip
        with pytest.raises(ValueError, match=words):
            compare(**wrong)  # type: ignore[arg-type]
