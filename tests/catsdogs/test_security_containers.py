"""What the containers may do, as their files say: nobody has to run them to see it."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
SERVICES = COMPOSE["services"]
each_service = pytest.mark.parametrize("name", SERVICES)


def test_all_four_are_there():
    assert set(SERVICES) == {"site", "database", "prometheus", "grafana"}


@each_service
def test_a_container_can_gain_no_rights(name):
    service = SERVICES[name]

    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    gains = {"cap_add", "privileged", "devices", "pid", "ipc", "network_mode", "userns_mode"}
    assert not gains & set(service)


@each_service
def test_a_container_writes_to_its_volume_and_to_memory_only(name):
    service = SERVICES[name]

    assert service["read_only"] is True
    assert "/tmp" in service["tmpfs"]
    for volume in service["volumes"]:
        source, *_, last = volume.split(":")
        assert source in COMPOSE["volumes"] or last == "ro", volume
        assert "docker.sock" not in volume


@each_service
def test_a_container_takes_no_more_than_its_share(name):
    assert re.fullmatch(r"[1-4]g", SERVICES[name]["mem_limit"])
    assert SERVICES[name]["pids_limit"] <= 512


@each_service
def test_a_port_is_open_to_this_machine_only(name):
    for port in SERVICES[name].get("ports", []):
        assert port.startswith("127.0.0.1:"), port


def test_the_database_is_open_to_the_other_containers_only():
    assert "ports" not in SERVICES["database"]
    assert SERVICES["database"]["user"] == "postgres"


@each_service
def test_an_image_has_a_version(name):
    service = SERVICES[name]

    assert "build" in service or re.fullmatch(r"[\w/]+:v?\d[\w.-]*", service["image"])


@each_service
def test_no_secret_is_written_down(name):
    secret = re.compile("KEY|PASSWORD|TOKEN|DATABASE_URL")

    for setting, value in SERVICES[name]["environment"].items():
        if secret.search(setting):
            assert re.search(r"\$\{[A-Z_]+:[?-]", value), setting
            assert ":-" not in value or value.endswith((":-}", ":-false}")), setting


def test_the_image_runs_as_nobody_special():
    users = re.findall(r"^USER (\w+)$", DOCKERFILE, re.MULTILINE)

    assert users == ["catsdogs"]
    assert "useradd --system --uid 10001" in DOCKERFILE
    assert "--shell /usr/sbin/nologin" in DOCKERFILE
    after = DOCKERFILE.split("USER catsdogs")[1]
    assert not re.search(r"^(RUN|COPY|ADD)", after, re.MULTILINE)


def test_only_the_folder_for_data_belongs_to_it():
    owned = re.findall(r"--owner=catsdogs.*|--chown=.*|chown .*", DOCKERFILE)

    assert [line.split()[-1] for line in owned] == ["var"]


def test_the_image_takes_only_what_is_locked():
    assert "--require-hashes --only-binary :all:" in DOCKERFILE
    assert not re.search(r"^ADD|curl |wget |apt-get", DOCKERFILE, re.MULTILINE)


def test_what_is_private_stays_out_of_the_image():
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()

    assert {".*", "var", "data", "tests"} <= set(ignored)
    assert not re.search(r"^ENV .*(KEY|PASSWORD|TOKEN)", DOCKERFILE, re.MULTILINE)
