"""What others need for 10,000 jobs that do nothing and are written down nowhere, due in one second.

APScheduler is the house's own alarm clock; Celery beat sends to a broker in its own memory (a real one
costs more); `schedule` calls its jobs one after another. Celery and schedule are skipped when absent.
"""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger

from tests.benchmarks.figure import Figure

JOBS = 10_000


async def figures() -> list[Figure]:
    logging.disable(logging.CRITICAL)
    found = [
        Figure.told(
            f"beside it: APScheduler, {JOBS:,} daily no-op jobs, nothing durable", await _apscheduler(), "s"
        )
    ]
    for name, measure in (("Celery beat, broker in memory", _celery_beat), ("schedule", _schedule)):
        try:
            found.append(
                Figure.told(f"beside it: {name}, {JOBS:,} no-op jobs, nothing durable", measure(), "s")
            )
        except ImportError:
            found.append(Figure(f"beside it: {name}", "not installed"))
    return found


async def _apscheduler() -> float:
    ran: list[float] = []
    done = asyncio.Event()

    async def job() -> None:
        ran.append(time.perf_counter())
        if len(ran) == JOBS:
            done.set()

    scheduler = AsyncIOScheduler(timezone=UTC, job_defaults={"misfire_grace_time": None})
    scheduler.start(paused=True)
    daily, due = CronTrigger(hour=9, timezone=UTC), datetime.now(UTC)
    for _ in range(JOBS):
        scheduler.add_job(job, daily, next_run_time=due)
    began = time.perf_counter()
    scheduler.resume()
    await done.wait()
    scheduler.shutdown(wait=False)
    return ran[-1] - began


def _celery_beat() -> float:
    from celery import Celery
    from celery.beat import ScheduleEntry, Scheduler
    from celery.schedules import schedule

    app = Celery("bench", broker="memory://")
    app.conf.beat_sync_every = 0

    @app.task(name="nothing", ignore_result=True)
    def nothing() -> None:
        return None

    due = datetime.now(UTC) - timedelta(days=1)
    every = schedule(timedelta(hours=12), app=app)
    entries = {
        f"j{n}": ScheduleEntry(name=f"j{n}", task="nothing", schedule=every, last_run_at=due, app=app)
        for n in range(JOBS)
    }
    beat = Scheduler(app, schedule=entries, lazy=True)
    began = time.perf_counter()
    while beat.tick() == 0:
        pass
    took_s = time.perf_counter() - began
    assert sum(entry.total_run_count for entry in beat.schedule.values()) == JOBS
    return took_s


def _schedule() -> float:
    import schedule

    ran: list[float] = []
    book = schedule.Scheduler()
    for _ in range(JOBS):
        book.every().hour.do(lambda: ran.append(time.perf_counter())).next_run = datetime(2000, 1, 1)
    began = time.perf_counter()
    book.run_pending()
    assert len(ran) == JOBS
    return ran[-1] - began
