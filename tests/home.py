"""Gives the tests an EARMARK_HOME of their own, before anything reads the settings: they never touch a person's data.

Loaded by pytest's option -p, since pytest-django reads the settings before it reads conftest.py. Where tests run in
several processes, the first of them makes the home and clears it away; the others find it in the environment.
"""

import atexit
import os
import shutil
import tempfile

if "EARMARK_TEST_HOME" not in os.environ:
    # A short name, for a socket lies in it.
    os.environ["EARMARK_TEST_HOME"] = tempfile.mkdtemp(prefix="emt-")
    atexit.register(shutil.rmtree, os.environ["EARMARK_TEST_HOME"], ignore_errors=True)
os.environ["EARMARK_HOME"] = os.environ["EARMARK_TEST_HOME"]
# WhiteNoise looks for collected files where a real installation has them.
os.makedirs(os.path.join(os.environ["EARMARK_HOME"], "static"), exist_ok=True)
for _name in (
    *("DATABASE_URL", "CELERY_BROKER_URL", "EARMARK_PROFILE", "EARMARK_HOSTS", "EARMARK_PRESET"),
    *("EARMARK_SCORER", "EARMARK_SCORE_BATCH", "EARMARK_SCORE_SECONDS"),
    *("EARMARK_URL", "EARMARK_STALLED_HOURS", "EMAIL_HOST", "EMAIL_FROM"),
):
    os.environ.pop(_name, None)
# Playwright's loop runs in the test's own thread, where Django would refuse to be called.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
