"""The researcher's pages: what came in, what the runs did with it, and how much better the tuned model agrees.

Reads worker.selectors, asks worker.services; nothing is computed here.
"""
