"""Says in one sentence where this Python is not one that Earmark runs on."""

import sys

if not (3, 11) <= sys.version_info[:2] <= (3, 13):
    found = "{}.{}".format(*sys.version_info[:2])
    sys.exit(
        f"Earmark needs Python 3.11, 3.12 or 3.13, and this is {found}. Name another one: make run PYTHON=python3.11"
    )
