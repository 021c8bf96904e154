"""One transfer for several groups of parameters, Muon's and AdamW's say: one budget and batch size, a row for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hpgrid.answer import Answer, Result, Table
from hpgrid.checks import bad
from hpgrid.transfers import report
from hpgrid.transfers.choice import Choice, chosen
from hpgrid.transfers.transfer import Transfer, transfer
from hpgrid.variables import STANDARD


@dataclass(frozen=True, repr=False)
class Groups(Result):
    """Transfers by the group's name; each group moves by its own start, all of them in the same regime."""

    each: Mapping[str, Transfer]

    @property
    def choices(self) -> dict[str, Choice]:
        """The row of each that is recommended, in one regime that all have: b is the same for all."""
        common = set.intersection(*({row.regime for row in one.rows} for one in self.each.values()))
        regime = chosen(next(iter(self.each.values())), common).row.regime
        found = {name: chosen(one, {regime}) for name, one in self.each.items()}
        # What they share moves as soon as one group does.
        leave = all(best.leave is not None for best in found.values())
        return found if leave else {name: best._replace(leave=None) for name, best in found.items()}

    def answer(self) -> Answer:
        """Return what to set in each group, and in details each transfer whole."""
        groups, choices = self.each, self.choices
        first, best = next(iter(groups.values())), next(iter(choices.values()))
        own = [v for v in first.rules.names if v not in ("eta", "b", "alpha")]
        rows = [["group", "eta", "beta", "beta2", *own]]
        for name, one in groups.items():
            row, leave = choices[name].row, choices[name].leave
            at, kept = leave or row.at, one.kept.get(row.regime)
            alpha2 = None if kept is None else kept.alpha2 if leave is None else one.alpha2
            momenta = at.alpha, alpha2
            values = (report.number(at[v]) for v in own)
            rows.append([name, report.number(at.eta), *map(report.beta_text, momenta), *values])
        details = [[f"{name}:", *one.answer().lines(details=True), ""] for name, one in groups.items()]
        first_line = report.setting(first, best.row, ("b",), best.leave)
        return Answer([first_line], [[Table(rows)], report.why(first, best)], details,
                      "each group's own rows, and what stands beside them")  # fmt: skip

    def as_dict(self) -> dict[str, Any]:
        """Return each group's transfer as plain data."""
        return {"groups": {name: one.as_dict() for name, one in self.each.items()},
                "recommended": {name: best.row.regime if best.leave is None else None
                                for name, best in self.choices.items()}}  # fmt: skip


def transfer_groups(starts: Mapping[str, Mapping[str, float]], to: Any, **asked: Any) -> Groups:
    """Return what ``transfer`` says of each group of parameters.

    Args:
        starts: by the group's name its eta, beta, perhaps beta2; b and T, which groups share, in each.
        to: the new budget, and with ``asked`` what else ``transfer`` takes.

    Raises:
        ValueError: as ``transfer``, or groups whose T or b differ.
    """
    bound = asked.get("bound")
    for name in ("b", *(STANDARD if bound is None else bound.space).budget_names):
        if len({start.get(name) for start in starts.values()}) > 1:
            given = ", ".join(f"{group} {start.get(name)}" for group, start in starts.items())
            raise bad(f"groups of one run share {name}", given, f"--from {name}=... once, without a group")
    if "sgd" in starts:
        raise bad("groups move by the rules of eq. (4)", "sgd", "--optimizer sgd, alone, for SGD's rule")
    return Groups({name: transfer(start, to, **asked) for name, start in starts.items()})
