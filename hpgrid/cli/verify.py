"""``hpgrid verify``: hold every testable statement of a source against measurement."""

from pathlib import Path
from typing import Annotated

from hpgrid.checks import bad, note
from hpgrid.claims.ledger import SOURCES
from hpgrid.cli import options
from hpgrid.cli.options import about
from hpgrid.progress import progress
from hpgrid.text import aligned, counted

#: Claims from which on verifying them takes longer than ten seconds.
_MANY = 20


def verify_claims(
    *ids: Annotated[str, about("Claims, such as S.eq7.b, or families: S.eq7,S.table2. None is all.")],
    source: Annotated[str | None, about(f"Only the claims of one source: {', '.join(SOURCES)}.")] = None,
    json: Annotated[Path | None, about("Write the ledger to this file as JSON.")] = None,
    markdown: Annotated[Path | None, about("Write the ledger to this file as Markdown.")] = None,
    strict: Annotated[bool, about("Exit with 1 when a claim fails.")] = False,
    details: options.Details = False,
    list_: Annotated[bool, about("Say which claims there are.", name="--list")] = False,
) -> int:
    """Verify a paper's claims: measured against stated, by up to three routes, with a verdict for each."""
    from hpgrid.claims import ledger
    from hpgrid.claims.ledger import answer, as_dict, markdown as as_markdown, run, select
    from hpgrid.readings import FAILS
    from hpgrid.record import made_with, write_json, write_text
    from hpgrid.schemas import stamped

    named = options.names(ids)
    if ids and not named:
        raise bad("claims are named by their ids", ",".join(ids), "S.eq7.b, say, or nothing for all of them")
    chosen = select(ledger(), named, source)
    if list_:
        listed = [("claim", "says"), *((entry.id, f"{entry.number}: {entry.statement}") for entry in chosen)]
        print("\n".join(aligned(listed, wrap=("says",))[1:]))
        return 0
    for path, example in ((json, "ledger.json"), (markdown, "ledger.md")):
        options.check_file(path, "the ledger is written to a file", example)
    options.use_compilation_cache()
    if len(chosen) > _MANY:
        note(f"{counted(len(chosen), 'claim')} to measure: some minutes, and a few more where nothing is compiled yet")
    with progress("verifying", len(chosen)) as advance:
        rows = run(chosen, advance)
    answer(rows).show(details)
    made = made_with("float64") if json or markdown else {}
    if json is not None:
        write_json(json, stamped("verify", as_dict(rows, made)))
        print(json)
    if markdown is not None:
        versions = ", ".join(f"{name} {version}" for name, version in made["versions"].items())
        line = f"Made by `hpgrid verify --markdown {markdown.name}`, with {versions}."
        write_text(markdown, as_markdown(rows, line))
        print(markdown)
    return int(strict and any(row.finding.verdict == FAILS for row in rows))
