"""The doctor at an installation that runs, with its database, broker, workers, scorer and web server."""

import json

from benchmarks.installation import Installation

# What is there with the processes; beat's first look may be a minute away, and others' tests decide on back-ups.
ALIVE = ("database", "migrations", "durability", "clock", "broker", "workers", "scorer", "media", "site", "torch")
WITHOUT_TORCH = "import sys; from webapp.doctor import checkup; list(checkup.CHECKS); print('torch' in sys.modules)"


def test_it_works(installation: Installation) -> None:
    try:
        said = installation.manage("doctor", "--json")
    except RuntimeError as failed:
        said = str(failed)
    found = {check["check"]: check for check in json.loads(said.splitlines()[-1])["checks"]}
    assert {name: found[name]["told"] for name in ALIVE if found[name]["outcome"] != "passed"} == {}
    assert found["workers"]["told"] == "A worker answers on each queue: default, gpu."


def test_what_looks_loads_no_torch(installation: Installation) -> None:
    assert installation.manage("shell", "--no-imports", "-c", WITHOUT_TORCH).splitlines()[-1] == "False"
