"""The JSON Schemas that are shipped: what every command gives as JSON has them, and nothing beside them."""

from __future__ import annotations

import copy
import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import Capture, refused, status
from jsonschema import Draft202012Validator

from hpgrid import schemas
from hpgrid.bench import grid_search

ROOT = Path(__file__).parent.parent
DATA = ROOT / "examples"
SCHEMAS = {name: schemas.schema(name) for name in schemas.commands()}

#: A bound of each kind: a function, one that does not hold everywhere, one with two equal best points.
KINKED = '--bound "max(b/(eta*T), sqrt(alpha/b), eta/alpha)"'
HALF = '--bound "D/(eta*K*(1-L*eta/2)) + L*eta/(2*b*(1-L*eta/2))" --set D=1,L=1 --fix b=1 --budget K'
TWO = '--bound "min(eta/1e-4 + 1e-4/eta, eta/1e2 + 1e2/eta) + 1/T"'
LARGE = "critical-batch --eta 1e-2 --beta 0.95 --sigma 100 --Delta0 100 --G0 10"
PAIR = "search lmo --tune eta,b --fix beta=0.999 --n 12"
START = "--from eta=3e-4,b=524288,beta=0.95,T=2.5e9 --to T=1e12"

#: Answers of every kind, those without a number among them: command lines without --json.
LINES = f"""
bounds
bounds lmo
bounds star_convex
bounds local_sgd
exponents lmo --tune eta,b,alpha
exponents lmo --tune eta,alpha --path b=T^1/2 --set C1=2,q=2/3
exponents lmo --tune eta,b,alpha --cap b=1e6
exponents {KINKED} --tune eta,b,alpha
exponents --bound C/(eta*T) --set C=1 --tune eta
exponents local_sgd --tune eta,H,n --budget R
{PAIR}
search {KINKED} --tune eta,b,alpha --n 6
search {HALF} --tune eta --n 12
search {TWO} --tune eta --n 12
search local_sgd --tune eta,H --fix n=4 --n 8
search lmo --explain
search {KINKED} --explain
{PAIR} --T 1e12
{PAIR} --T 1e10,1e12
search {TWO} --tune eta --n 12 --T 1e6
search --bound C/(eta*T) --set C=1 --tune eta --n 12 --T 1e6
search local_sgd --tune eta,H --fix n=4 --n 8 --at R=1e6
search "D/(eta*T) - D" --set D=4 --tune eta --n 8 --T 1e4
search "C*log(eta)**2/T" --set C=1 --tune eta --axis eta=1:100 --n 9 --T 1e6
{PAIR} --risk 0.01 --max-K 1e8
{PAIR} --risk 1e-300
search --bound "X*b/T + Y/b + Z" --set X=100,Y=50,Z=0.1 --tune b --risk 0.1
check lmo --claim "b ~ T^1/6" --claim "b ~ T^1/2"
check lmo --claim "eta ~ T^-1/2 @ b = T^1/4"
check "C/(eta*b*T)" --set C=1 --tune eta,b --claim "eta ~ T"
check --fit {DATA}/constant_rate.csv --schedule constant
compare eta-T --fit {DATA}/constant_rate.csv
compare all --protocol all --sources all
{LARGE} --eps 4
{LARGE} --eps 1e-3
{LARGE} --eps 4e5
critical-batch --eta 1e-2 --beta 0.95 --lam 0.1 --eps-prime 0.5 --form revised --measure loss
smoothness --norm muon,sgd --shape 8x4,1x1 --pairs 20 --noise gaussian
fit {DATA}/constant_rate.csv --predict 96000,192000 --schedule constant --design 4 --model eq5
fit {DATA}/muon_sweep.csv --where weight_decay=0.1 --predict 1e11 --max-b 1M
fit {DATA}/cooldown.csv --by cooldown --predict 1e5
fit --design 25 --around eta=3e-3,b=1M,T=1e10
transfer {START}
transfer {START} --max-b 2e6 --calibrate
transfer --from eta=3e-4,b=524288,beta=0.95,T=2.5e9 --to T=1e3 --calibrate
transfer --from eta=3e-4,b=524288,beta=0.5,T=1e6 --to T=1e12 --calibrate
transfer {START} --to-b 1e6 --set C1=1,C2=30,C3=4
transfer --bound local_sgd --from eta=2e-3,H=16,n=8,b=1,R=1e5 --to R=1e7,n=16 --cap H=64
transfer {START} --schedule decay
transfer --fit {DATA}/constant_rate.csv --from beta=0.95 --to 192000
transfer --bound local_sgd --from eta=1e-3,H=4,n=8,R=1e4 --to R=1e6
transfer --bound sgd --from eta=1e-3,b=32,T=1e8 --to T=1e10
transfer --from muon:eta=0.02 --from adamw:eta=3e-4 --from b=512k,T=2.5B --to 1T
"""


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_one_and_leaves_no_key_open(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])
    for each in objects(SCHEMAS[name]):
        # What is open is closed by whoever refers to it.
        closed = each.get("additionalProperties") is not None or "$defs" in each
        assert closed or each in SCHEMAS[name]["$defs"].values(), each
    assert SCHEMAS[name]["properties"]["schema"]["const"].startswith(f"hpgrid/{name}/")


def objects(schema: Any) -> Iterator[dict[str, Any]]:
    """What says of an object which keys it has."""
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict) and "type" in schema:
            yield schema
        schema = [*schema.values()]
    for each in schema if isinstance(schema, list) else ():
        yield from objects(each)


@pytest.mark.parametrize("line", LINES.strip().splitlines())
def test_what_is_printed_has_its_schema_and_a_key_more_or_less_has_not(line: str, capsys: Capture) -> None:
    assert status(*shlex.split(line), "--json") == 0
    told = json.loads(capsys.readouterr().out)
    holds(line.split()[0], told)


def holds(command: str, told: Any) -> None:
    valid = Draft202012Validator(SCHEMAS[command])
    assert [f"{'/'.join(map(str, e.absolute_path))}: {e.message}" for e in valid.iter_errors(told)] == []
    assert not valid.is_valid({**told, "more": 1})
    assert not valid.is_valid({**told, "schema": f"hpgrid/{command}/0"})
    fewer = copy.deepcopy(told)
    del fewer["schema"]
    assert not valid.is_valid(fewer)


def test_what_is_written_to_a_file_has_its_schema(tmp_path: Path, capsys: Capture) -> None:
    assert status("verify", "S.table3.c_alpha,A.local_sgd.joint", "--json", tmp_path / "ledger.json") == 0
    holds("verify", json.loads((tmp_path / "ledger.json").read_text()))
    empty = {**grid_search.record([], 1), "sweeps": [], "fine_grids": {}}
    holds("bench", json.loads(json.dumps(schemas.stamped("bench", empty))))


def test_a_schema_is_printed_whole(capsys: Capture) -> None:
    for name, schema in SCHEMAS.items():
        assert status("schema", name) == 0
        assert json.loads(capsys.readouterr().out) == schema
        assert ".json#" not in json.dumps(schema)
    refused("schema", capsys, ["plot"], "bench, bounds, check")
