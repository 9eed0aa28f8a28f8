"""Who carries out what a turn has decided: this process alone, or any of several.

One interface, two engines, one contract suite (`tests/contract/engine`). Neither decides when: order, windows
and limits are the turn's, and a turn is made by one process at a time.
"""

from scheduler.engine.embedded import Embedded
from scheduler.engine.engine import Crew, Delivered, Engine, Parts
from scheduler.engine.hands import InHand, Place

__all__ = ["Crew", "Delivered", "Embedded", "Engine", "InHand", "Parts", "Place"]
