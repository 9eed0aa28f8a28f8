"""When and how much: the head.

This package knows what is promised, when it is due, how much may happen at once, how long to wait
and what has happened. It touches the outside world only through `jobs.perform`. Its map is in
`scheduler/README.md`.
"""
