"""Asks the web server of this machine whether it is well, as its reverse proxy would: exit 0 where it is.

For Docker's health check and for a look by hand. Needs nothing but Python.
"""

import os
import sys
from urllib.request import Request, urlopen

LONGEST_S = 8


def main() -> int:
    host = os.environ.get("EARMARK_HOSTS", "localhost").split(",")[0].strip() or "localhost"
    request = Request(  # noqa: S310 -- our own address
        f"http://127.0.0.1:{os.environ.get('PORT', '8000')}/health/",
        headers={"Host": host, "X-Forwarded-Proto": "https"},
    )
    try:
        with urlopen(request, timeout=LONGEST_S) as answer:  # noqa: S310 -- as above
            sys.stdout.write(answer.read().decode() + "\n")
            return 0
    except OSError as error:
        sys.stdout.write(f"The web server does not answer as it should: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
