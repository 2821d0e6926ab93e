"""docs/api.md says what the code does."""

import json
import re
from pathlib import Path

import yaml

from tests.photos import photo_upload

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
NOT_IN_SCHEMA = {("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/metrics")}


def test_the_page_lists_each_endpoint_of_the_schema(client, db):
    schema = yaml.safe_load(client.get("/api/schema").content)
    served = {
        (method.upper(), path) for path, methods in schema["paths"].items() for method in methods
    }

    listed = set(re.findall(r"^\| (GET|POST|DELETE) \| `([^`]+)` \|", PAGE, re.MULTILINE))

    assert listed - NOT_IN_SCHEMA == served


def test_the_page_lists_each_code_that_the_code_gives():
    sources = [path.read_text() for path in ROOT.glob("[cmf]*/**/*.py")]
    given = set(re.findall(r'code="([a-z_]+)"', "".join(sources)))

    listed = set(re.findall(r"^\| \d{3} \| `([a-z_]+)` \|", PAGE, re.MULTILINE))

    made_by_drf = {"not_authenticated", "permission_denied", "method_not_allowed"}
    assert listed == given | made_by_drf


def test_the_example_has_the_fields_of_a_real_prediction(client, engine):
    example = json.loads(re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)[0])

    real = client.post("/api/predict", {"image": photo_upload()}).json()

    assert list(example) == list(real)
    for part in ("model", "photo", "timings_ms", "links"):
        assert list(example[part]) == list(real[part]), part
