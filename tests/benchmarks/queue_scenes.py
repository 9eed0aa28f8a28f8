"""What `queues` plays through with each way: a burst, lone jobs, a dead worker, a stopped one, a server that
is restarted, and nothing to do. Each scene gives what it saw, by what it is called in the table.
"""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Iterable
from statistics import median, quantiles

from tests.benchmarks.queue_counters import counted
from tests.benchmarks.queue_world import Event, World

JOBS, WARM = 10_000, 200
ALONE, APART_S = 200, (0.02, 0.08)
HELD, HOLD_S = 100, 4.0
STOPPED_S = 8.0
AWAY_S = 2.0
NOTED_S = 0.4
"""Until a worker's last note is surely written."""
QUIET_S = 10.0
IDLE_S = 30.0
FLUSHED_S = 1.2
"""From a session's last statement until the server's counters surely show it."""

Seen = dict[str, float]


def burst(world: World) -> Seen:
    """Many at once, from one transaction, to two workers that are warm."""
    with world.working():
        world.enqueue(WARM, undo=True)
        assert world.one("SELECT count(*) FROM records") == world.in_queue == 0, "not one transaction"
        world.enqueue(WARM)
        world.wait_for("done", WARM)
        world.emptied()
        world.leader.execute("CHECKPOINT")
        time.sleep(FLUSHED_S)
        kept, size = world.left()
        before, cpu_s = counted(world.server), world.workers_cpu_s
        began = time.monotonic()
        committed = world.enqueue(JOBS)
        put_s = time.monotonic() - began
        world.wait_for("done", WARM + JOBS)
        world.emptied()
        cpu_s = world.workers_cpu_s - cpu_s
        time.sleep(FLUSHED_S)
        done = counted(world.server).since(before)
    took_s = _last(world.told("acted")) - committed
    kept_now, size_now = world.left()
    return {
        "put into one transaction with as many records, s": put_s,
        "from its COMMIT to the last handed over, s": took_s,
        "jobs handed over in a second": JOBS / took_s,
        "CPU of the two workers, s": cpu_s,
        "CPU of the server, s": done.cpu_s,
        "WAL for a job, bytes": done.wal_bytes / JOBS,
        "commits for a job": done.commits / JOBS,
        "rows that stay behind for a job": (kept_now - kept) / JOBS,
        "bytes by which its tables and indices grow, for a job": (size_now - size) / JOBS,
    }


def alone(world: World) -> Seen:
    """One job at a time, at irregular times, to two workers that wait."""
    late_ms: list[float] = []
    apart = random.Random(7)
    with world.working():
        for number in range(1, ALONE + 1):
            committed = world.enqueue(1)
            acted = world.wait_for("acted", number)[-1]
            late_ms.append((acted.at - committed) * 1e3)
            time.sleep(apart.uniform(*APART_S))
    return {
        "from its COMMIT until it is handed over, median, ms": median(late_ms),
        "95 of 100, ms": quantiles(late_ms, n=20)[-1],
        "the worst, ms": max(late_ms),
    }


def killed(world: World) -> Seen:
    """SIGKILL for the worker that holds all jobs."""
    with world.working(hold_s=HOLD_S):
        _held_by_first(world)
        world.workers[0].kill()
        at = time.monotonic()
        back = (
            world.wait_for("unknown", HELD)
            if world.way == "rows"
            else world.wait_for("begun", 2 * HELD)[HELD:]
        )
        time.sleep(HOLD_S)
        return {
            "until the first is back, s": min(each.at for each in back) - at,
            "until the last is back, s": _last(back) - at,
            "begun a second time, by the other": _twice(world.told("begun")),
            "given back as *unknown*, to be looked for and not to be run": len(world.told("unknown")),
        }


def stopped(world: World) -> Seen:
    """SIGSTOP for the worker that holds all jobs, past its lease, then SIGCONT."""
    with world.working(hold_s=HOLD_S):
        _held_by_first(world)
        world.workers[0].send_signal(signal.SIGSTOP)
        time.sleep(STOPPED_S)
        in_queue, at = world.in_queue, time.monotonic()
        world.workers[0].send_signal(signal.SIGCONT)
        time.sleep(NOTED_S)
        removed = in_queue - world.in_queue
        others = sum(each.worker == "w1" for each in world.told("begun"))
        time.sleep(QUIET_S)
        acted = world.told("acted")
        return {
            "in the other's hands when it goes on": others,
            "acts that it then carries out all the same": sum(e.worker == "w0" and e.at > at for e in acted),
            "acts twice for one job": _twice(acted),
            "jobs in the other's hands that its notes take out of the queue": removed,
        }


def restarted(world: World) -> Seen:
    """The server is stopped (fast), away and back, while both workers hold jobs."""
    with world.working(hold_s=HOLD_S):
        world.enqueue(HELD)
        world.wait_for("begun", HELD)
        world.server.stop()
        time.sleep(AWAY_S)
        world.server.start()
        up_at = time.monotonic()
        world.reconnect()
        world.enqueue(1)
        back = min(each.at for each in _begun(world, HELD + 1))
        time.sleep(QUIET_S)
        return {
            "from the server's return until a new job is handed over, s": back - up_at,
            "acts twice for one job": _twice(world.told("acted")),
            "jobs that were never done": HELD + 1 - len({each.job for each in world.told("done")}),
        }


def idle(world: World) -> Seen:
    with world.working():
        time.sleep(FLUSHED_S)
        before, cpu_s = counted(world.server), world.workers_cpu_s
        time.sleep(IDLE_S)
        done = counted(world.server).since(before)
        return {
            "CPU of the two workers, s": world.workers_cpu_s - cpu_s,
            "CPU of the server, s": done.cpu_s,
            "transactions": done.commits,
        }


def _held_by_first(world: World) -> None:
    """All jobs are in the first worker's hands; the other looks elsewhere meanwhile."""
    world.workers[1].send_signal(signal.SIGSTOP)
    world.enqueue(HELD)
    world.wait_for("begun", HELD)
    world.workers[1].send_signal(signal.SIGCONT)


def _begun(world: World, job: int) -> list[Event]:
    """Wait until this job is begun."""
    while not (found := [each for each in world.told("begun") if each.job == job]):
        time.sleep(0.01)
    return found


def _last(events: Iterable[Event]) -> float:
    return max(each.at for each in events)


def _twice(events: Iterable[Event]) -> int:
    """How many jobs stand there more than once."""
    return sum(number > 1 for number in Counter(each.job for each in events).values())
