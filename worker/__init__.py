"""The bridge: Celery tasks, the jobs behind them, and the tables of what the training loop did.

May import listening_tests and modeling; the only room that sees both. webapp may import it. `worker.jobs` loads torch
and belongs in a worker or a command: worker.tasks imports it inside the task's body, so that no web process does.
"""

from worker.celery import app as celery_app

__all__ = ["celery_app"]
