"""What only a ledger of several processes has: who works on it, who leads, and the jobs between them.

The rows of `workers`, `lead` and `jobs`, and the wire on which workers call each other. Nothing of it is a
promise: were all of it lost, the records would tell what is due. What is handed over, and to whom it is told,
is the engine's.
"""
