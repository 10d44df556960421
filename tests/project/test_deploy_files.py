"""The files that containers are made of and started by: nobody's rights, one writable place, a key, no weights."""

from __future__ import annotations

import http.server
import re
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from sources import ROOT
from talkie.settings import ENV_PREFIX, Settings

CONTAINER = ROOT / "deploy" / "container"
CONTAINERFILE = CONTAINER / "Containerfile"
COMPOSE = CONTAINER / "compose.yaml"
QUADLET, GPU, VOLUME = (CONTAINER / name for name in ("talkie.container", "talkie-gpu.conf", "talkie.volume"))
KUBE = ROOT / "deploy" / "kube.yaml"
HEALTH = CONTAINER / "health.py"
NOBODY = "10001"

Instructions = list[tuple[str, str]]


def stages() -> dict[str, Instructions]:
    """The stages of the Containerfile by name: instructions and what they say."""
    text = re.sub(r"\\\n\s*", " ", "\n".join(line for line in lines(CONTAINERFILE) if not line.startswith("#")))
    found: dict[str, Instructions] = {}
    stage: Instructions = found.setdefault("", [])
    for line in filter(None, text.splitlines()):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            source, _, name = rest.partition(" AS ")
            stage = found.setdefault(name, list(found.get(source, [])))
        stage.append((word, rest.strip()))
    return found


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def said(stage: Instructions, word: str) -> list[str]:
    return [rest for found, rest in stage if found == word]


def environment(stage: Instructions) -> dict[str, str]:
    return dict(pair.partition("=")[::2] for rest in said(stage, "ENV") for pair in shlex.split(rest))


def unit(path: Path) -> dict[str, list[tuple[str, str]]]:
    """A systemd file: sections to keys and values, in which keys may come again."""
    found: dict[str, list[tuple[str, str]]] = {}
    section: list[tuple[str, str]] = []
    for line in lines(path):
        if line.startswith("["):
            section = found.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            key, separator, value = line.partition("=")
            assert separator, line
            section.append((key, value))
    return found


def kube() -> dict[str, dict[str, Any]]:
    return {document["kind"]: document for document in yaml.safe_load_all(KUBE.read_text(encoding="utf-8"))}


def pod() -> dict[str, Any]:
    spec: dict[str, Any] = kube()["Deployment"]["spec"]["template"]["spec"]
    return spec


@pytest.mark.parametrize("form", ["cpu", "cuda"])
def test_an_image_runs_as_nobody_and_writes_below_data(form: str) -> None:
    stage = stages()[form]
    assert said(stage, "USER") == [f"{NOBODY}:{NOBODY}"]
    assert said(stage, "VOLUME") == ["/data"]
    told = environment(stage)
    assert (told["TALKIE_HOME"], told["HOME"], said(stage, "WORKDIR")) == ("/data", "/data", ["/data"])
    assert told["TMPDIR"].startswith("/data/")
    assert told["TALKIE_HOST"] == "0.0.0.0"
    assert "TALKIE_API_KEY" not in told


@pytest.mark.parametrize("form", ["cpu", "cuda"])
def test_an_image_says_how_it_is_and_ends_in_order(form: str) -> None:
    stage = stages()[form]
    (health,) = said(stage, "HEALTHCHECK")
    assert '"/opt/talkie/health.py"' in health
    assert said(stage, "STOPSIGNAL") == ["SIGTERM"]
    assert said(stage, "ENTRYPOINT") == ['["python3", "-m", "talkie"]']
    assert said(stage, "CMD") == ['["serve"]']
    labels = " ".join(said(stage, "LABEL"))
    assert all(f"org.opencontainers.image.{name}=" in labels for name in ("title", "source", "licenses", "version"))


@pytest.mark.parametrize("form", ["cpu", "cuda"])
def test_an_image_needs_no_shell_and_takes_nothing_from_the_checkout(form: str) -> None:
    stage = stages()[form]
    assert said(stage, "RUN") == said(stage, "ADD") == []
    assert all(rest.startswith("--from=made-") for rest in said(stage, "COPY"))


def test_bases_are_arguments_and_packages_come_by_hash() -> None:
    text = CONTAINERFILE.read_text(encoding="utf-8")
    assert re.search(r"^ARG BUILD=\S+$", text, re.M)
    assert re.search(r"^ARG RUN=\S+$", text, re.M)
    script = (CONTAINER / "put-together.sh").read_text(encoding="utf-8")
    assert "--require-hashes" in script
    assert all(
        "--require-hashes" in line or "--no-index" in line for line in script.splitlines() if "pip install" in line
    )
    requirements = [line for line in lines(CONTAINER / "cuda.txt") if line and not line.startswith(("#", " "))]
    assert len(requirements) >= 2
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+ \\", line) for line in requirements)


def test_what_is_copied_into_a_build_is_there_and_holds_no_weights() -> None:
    copied = [shlex.split(rest)[:-1] for rest in said(stages()["made-cuda"], "COPY")]
    for name in (name for names in copied for name in names):
        place = ROOT / name
        assert place.exists(), name
        files = [place] if place.is_file() else list(place.rglob("*"))
        assert [one for one in files if one.suffix in (".bin", ".onnx", ".safetensors", ".pt")] == []


@pytest.mark.parametrize("name", ["talkie", "talkie-gpu"])
def test_compose_gives_away_no_rights(name: str) -> None:
    service = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["user"].split(":")[0] == NOBODY
    assert service["volumes"] == ["talkie:/data"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert service["environment"]["TALKIE_API_KEY"].startswith("${TALKIE_API_KEY:?")
    assert not {"privileged", "cap_add", "network_mode", "pid"} & set(service)


def test_compose_has_a_profile_for_each_image() -> None:
    compose = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
    found = {tuple(one["profiles"]): one["build"] for one in compose["services"].values()}
    assert {profile: build["target"] for profile, build in found.items()} == {("cpu",): "cpu", ("gpu",): "cuda"}
    for build in found.values():
        assert (CONTAINER / build["context"]).resolve() == ROOT
        assert ROOT / build["dockerfile"] == CONTAINERFILE
    (device,) = compose["services"]["talkie-gpu"]["deploy"]["resources"]["reservations"]["devices"]
    assert device["capabilities"] == ["gpu"]
    assert set(compose["volumes"]) == {"talkie"}


def test_the_quadlet_gives_away_no_rights() -> None:
    told = dict(unit(QUADLET)["Container"])
    assert told["ReadOnly"] == "true"
    assert told["ReadOnlyTmpfs"] == "false"
    assert told["DropCapability"] == "all"
    assert told["NoNewPrivileges"] == "true"
    assert told["User"] == NOBODY
    assert told["PublishPort"].startswith("127.0.0.1:")
    assert told["Volume"] == f"{VOLUME.name}:/data"
    assert "target=TALKIE_API_KEY" in told["Secret"]
    assert "/opt/talkie/health.py" in told["HealthCmd"]


def test_the_quadlet_does_not_try_for_ever_what_cannot_work() -> None:
    found = unit(QUADLET)
    assert dict(found["Service"])["RestartPreventExitStatus"] == "2"
    assert int(dict(found["Unit"])["StartLimitBurst"]) > 0
    assert int(dict(found["Service"])["TimeoutStopSec"]) > int(dict(found["Container"])["StopTimeout"])


def test_the_drop_in_adds_a_gpu() -> None:
    told = dict(unit(GPU)["Container"])
    assert told["AddDevice"] == "nvidia.com/gpu=all"
    assert told["Environment"] == "TALKIE_DEVICE=cuda"


def test_a_pod_gives_away_no_rights() -> None:
    spec = pod()
    (container,) = spec["containers"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert str(spec["securityContext"]["runAsUser"]) == NOBODY
    assert spec["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "readOnlyRootFilesystem": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["volumeMounts"] == [{"name": "data", "mountPath": "/data"}]
    assert (
        spec["volumes"][0]["persistentVolumeClaim"]["claimName"] == kube()["PersistentVolumeClaim"]["metadata"]["name"]
    )


def test_a_pod_has_its_key_from_a_secret_that_is_in_no_file() -> None:
    (container,) = pod()["containers"]
    (key,) = [one for one in container["env"] if one["name"] == "TALKIE_API_KEY"]
    assert set(key) == {"name", "valueFrom"}
    assert "Secret" not in kube()


def test_a_pod_that_is_pulling_is_alive_and_not_ready() -> None:
    (container,) = pod()["containers"]
    alive = [container[name]["exec"]["command"][-2:] for name in ("startupProbe", "livenessProbe")]
    assert alive == [["/opt/talkie/health.py", "/healthz"]] * 2
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert kube()["Service"]["spec"]["selector"] == kube()["Deployment"]["spec"]["template"]["metadata"]["labels"]


def test_whoever_stops_it_waits_until_it_is_done() -> None:
    grace_s = Settings.model_fields["shutdown_grace_s"].default
    service = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]["talkie"]
    waits = service["stop_grace_period"].rstrip("s"), dict(unit(QUADLET)["Container"])["StopTimeout"]
    assert all(float(one) > grace_s for one in (*waits, pod()["terminationGracePeriodSeconds"]))


@pytest.mark.parametrize("path", [CONTAINERFILE, COMPOSE, QUADLET, GPU, KUBE], ids=lambda path: path.name)
def test_settings_in_these_files_exist(path: Path) -> None:
    told = [line for line in lines(path) if not line.lstrip().startswith("#")]
    names = set(re.findall(rf"\b{ENV_PREFIX}([A-Z_]+)\b", "\n".join(told)))
    assert names
    assert {name.lower() for name in names} <= set(Settings.model_fields)


@contextmanager
def answering(status: int) -> Iterator[int]:
    """A server that answers everything so; gives its port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/readyz" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def health(port: int) -> int:
    command = [sys.executable, "-IS", str(HEALTH)]
    return subprocess.run(command, env={"TALKIE_PORT": str(port)}, capture_output=True, timeout=30).returncode


def test_the_health_check_believes_the_server() -> None:
    with answering(200) as port:
        assert health(port) == 0
    assert health(port) == 1
    with answering(503) as port:
        assert health(port) == 1
