"""What is done for an occurrence: the hands.

Given a step, this package does it once at the outside world and says what came of it, through one
door: `jobs.perform`. It knows nothing of time, retries, limits, storage or schedules, and it never
imports `scheduler`. Its map is in `jobs/README.md`.
"""
