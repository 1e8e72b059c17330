"""Models at work: single questions answered by the scorer, a process of its own, lists of pairs by the `gpu` worker.

What the web process imports of this package never loads torch: `server`'s work and `work` do.
"""
