"""The compose files: as the Compose Specification has them, with nothing secret in them, and every process in one.

`compose-spec.json` is the specification's own schema (github.com/compose-spec/compose-spec, Apache-2.0). Where Docker's
own command is there, it looks too.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from django.conf import settings

from webapp.processes import programs

DEPLOY = Path(settings.BASE_DIR) / "deploy"
TOGETHER = (("compose.yaml",), ("compose.yaml", "compose.gpu.yaml"), ("compose.gpu-host.yaml",))
# Written as a person would who fills in the example, and no other variable is needed.
FILLED = {
    "EARMARK_DOMAIN": "listen.example.org",
    "SECRET_KEY": "key",
    "POSTGRES_PASSWORD": "word",
    "REDIS_PASSWORD": "word",
}


def compose(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DEPLOY / name).read_text())
    return loaded


def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose("compose.yaml")["services"]
    return found


@pytest.mark.parametrize("name", sorted({name for names in TOGETHER for name in names}))
def test_it_keeps_to_the_specification(name: str) -> None:
    schema = json.loads((Path(__file__).parent / "compose-spec.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(compose(name))


@pytest.mark.parametrize("names", TOGETHER)
def test_dockers_own_command_takes_it(names: tuple[str, ...], tmp_path: Path) -> None:
    command = _docker_compose()
    if command is None:
        pytest.skip("Neither docker compose nor docker-compose is installed.")
    files = [word for name in names for word in ("-f", str(DEPLOY / name))]
    environment = _example_filled(tmp_path)
    done = subprocess.run(  # noqa: S603 -- our own words
        [*command, *files, "--env-file", str(environment), "config"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def _docker_compose() -> list[str] | None:
    if shutil.which("docker"):
        version = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)  # noqa: S607
        if version.returncode == 0:
            return ["docker", "compose"]
    return ["docker-compose"] if shutil.which("docker-compose") else None


def _example_filled(tmp_path: Path) -> Path:
    lines = []
    for line in (DEPLOY / "earmark.env.example").read_text().splitlines():
        # What another GPU host needs is commented out.
        name, equals, value = line.removeprefix("# ").partition("=")
        if equals and re.fullmatch("[A-Z_]+", name):
            lines.append(f"{name}={FILLED.get(name, value)}")
    filled = tmp_path / "earmark.env"
    filled.write_text("\n".join(lines) + "\n")
    return filled


def test_every_process_of_an_installation_has_its_service(tmp_path: Path) -> None:
    started = {service["command"][-1] for service in services().values() if "start" in service.get("command", [])}
    assert started == {program.name for program in programs(home=tmp_path, bind="x:1", with_broker=False)}


def test_a_process_has_as_long_to_stop_as_it_needs(tmp_path: Path) -> None:
    for program in programs(home=tmp_path, bind="x:1", with_broker=False):
        # Docker's own patience is 10 s.
        granted = services()[program.name].get("stop_grace_period", "10s")
        assert int(granted.removesuffix("s")) >= program.stop_s, program.name


def test_only_the_proxy_is_reached_from_outside() -> None:
    assert [name for name, service in services().items() if "ports" in service] == ["proxy"]
    assert compose("compose.yaml")["networks"]["inside"]["internal"] is True
    for name in ("postgres", "redis"):
        assert services()[name]["networks"] == ["inside"]


def test_nothing_runs_as_root_and_images_are_pinned() -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    assert re.search(r"^FROM \S+:\d+\.\d+\.\d+-", dockerfile, re.MULTILINE)
    assert re.findall(r"^USER (\S+)$", dockerfile, re.MULTILINE)[-1] == "earmark"
    for name in ("postgres", "redis", "proxy"):
        assert re.search(r":\d+\.\d+", services()[name]["image"]), name


def test_no_secret_is_written_down() -> None:
    secret = re.compile(r"^(\w*(?:PASSWORD|KEY|TOKEN)\w*)=(.+)$", re.MULTILINE)
    assert secret.findall((DEPLOY / "earmark.env.example").read_text()) == []
    for name in {name for names in TOGETHER for name in names}:
        for found in re.findall(r"(?:PASSWORD|KEY|AUTH): (.+)", (DEPLOY / name).read_text()):
            assert found.startswith("${"), found


def test_every_variable_that_must_be_set_is_in_the_example() -> None:
    example = set(re.findall(r"^(?:# )?([A-Z_]+)=", (DEPLOY / "earmark.env.example").read_text(), re.MULTILINE))
    for name in {name for names in TOGETHER for name in names}:
        needed = set(re.findall(r"\$\{([A-Z_]+):\?", (DEPLOY / name).read_text()))
        assert needed <= example, name


def test_the_proxy_keeps_no_address() -> None:
    caddyfile = (DEPLOY / "Caddyfile").read_text()
    # The only log is that of errors, and what would name a person is cut out of it.
    assert re.findall(r"^\s*log\b.*$", caddyfile, re.MULTILINE) == ["\tlog default {"]
    for field in ("remote_ip", "client_ip", "headers"):
        assert f"request>{field} delete" in caddyfile
    assert "header_up -X-Forwarded-For" in caddyfile
    assert "encode" not in caddyfile
