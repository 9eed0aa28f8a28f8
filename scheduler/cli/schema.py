"""`callboard schema`: the JSON Schema of the YAML, for editors and other tools.

Only prints it; what may be written is `scheduler.config`'s, and what it means stands in configs/README.md.
"""

from __future__ import annotations

import click

from scheduler.cli.shown import conventions, document


@click.command()
@conventions
def schema(as_json: bool) -> int:
    """Print the JSON Schema (draft-07) of the YAML."""
    from scheduler.config import schema as of_the_yaml

    document(of_the_yaml())
    return 0
