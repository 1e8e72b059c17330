"""Schemathesis asks a running Earmark at length: what the API's schema allows, and what it does not."""

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.installation import Installation

EXAMPLES = 200
CHECKS = (
    *("not_a_server_error", "status_code_conformance", "content_type_conformance"),
    *("response_headers_conformance", "response_schema_conformance"),
)
SHELL_WORDS = """
from django.contrib.auth.models import User
from webapp.api.tokens import token_create
print(token_create(user=User.objects.get(), name="schemathesis")[1])
"""


def main() -> int:
    os.environ["EARMARK_API_RATE"] = "1000000/min"
    installation = Installation(Path(os.environ["EARMARK_HOME"]))
    installation.start()
    try:
        installation.make_test("rain", pairs=4)
        key = installation.manage("shell", "--no-imports", "-c", SHELL_WORDS).split()[-1]
        schemathesis = Path(sys.executable).with_name("schemathesis")
        command = [
            *(str(schemathesis), "run", f"{installation.site}/api/schema/"),
            *("-H", f"Authorization: Bearer {key}", "--max-examples", str(EXAMPLES), "--checks", ",".join(CHECKS)),
        ]
        # What it keeps of failures goes where the installation goes.
        return subprocess.run(command, check=False, cwd=installation.home).returncode  # noqa: S603 -- our own words
    finally:
        installation.stop()


if __name__ == "__main__":
    sys.exit(main())
