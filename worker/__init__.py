"""The bridge: Celery tasks, the jobs behind them, and the tables of what the training loop did.

May import listening_tests and modeling; the only room that sees both. webapp may import it.
"""
