"""The door of the house: `callboard`, or `python -m scheduler`.

Nothing is decided here. What the words on the command line mean is `scheduler.cli`'s.
"""

from __future__ import annotations

import sys

from scheduler.cli import callboard


def main() -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(callboard())


if __name__ == "__main__":
    main()
