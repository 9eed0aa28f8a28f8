"""The daemon: turn, rest, ring, reload, drain.

`Daemon` is the room; planning ahead, overlaps, Surveys and the distrust of clocks have files of
their own. What is done outside is the runner's, what is admitted is the limits'.
"""

from scheduler.daemon.daemon import Daemon

__all__ = ["Daemon"]
