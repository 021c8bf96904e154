"""``hpgrid schema``: what a command's JSON has, as a JSON Schema."""

import json
from typing import Annotated

from hpgrid.checks import check_choice
from hpgrid.cli.options import about
from hpgrid.schemas import commands, schema


def print_schema(command: Annotated[str, about(f"One of {', '.join(commands())}.")], /) -> int:
    """Print the JSON Schema of what a command gives as JSON: every key, what it is, and which may be missing."""
    print(json.dumps(schema(check_choice("command with JSON", command, commands())), indent=2))
    return 0
