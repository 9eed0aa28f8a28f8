"""Durations on the command line, read as the YAML reads them.

Only the adapter between click and `scheduler.config`'s own reading.
"""

from __future__ import annotations

import click


class Age(click.ParamType[int]):
    """How old something is, as `service.keep` has it, in whole seconds."""

    name = "AGE"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """`180d` or a duration; else a usage error."""
        from scheduler.config.scalars import Misread, age

        try:
            return age(str(value))
        except Misread:
            self.fail(f"{value!r} is not like 180d", param, ctx)


class Duration(click.ParamType[int]):
    """A duration as the YAML writes it, in whole seconds."""

    name = "DURATION"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """`90s`, `10m`, `1h30m` or a bare number of seconds; else a usage error."""
        from scheduler.config.scalars import Misread, duration

        try:
            return duration(str(value))
        except Misread as error:
            hint = error.hint() if callable(error.hint) else error.hint
            self.fail(f"{value!r} is not like 90s, 10m or 1h30m" + (f"; {hint}" if hint else ""), param, ctx)
