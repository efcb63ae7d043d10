# SPDX-License-Identifier: MIT
"""The schema of events.json, held against each kind of event that the daemon can tell."""

import json
import os
import subprocess
from pathlib import Path

import jsonschema
import pytest

SCHEMA = json.loads((Path(__file__).resolve().parents[2] / "data" /
                     "watchq-event.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


@pytest.fixture(name="samples", scope="module")
def make_samples():
    output = subprocess.run([os.environ["SAMPLES"]], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in output.stdout.splitlines()]


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_each_kind_of_event_is_as_it_says(samples):
    for sample in samples:
        VALIDATOR.validate(sample)


def test_each_field_that_is_told_is_described(samples):
    told = set().union(*samples)
    assert not told - set(SCHEMA["properties"])


def test_each_field_that_is_described_is_told(samples):
    told = set().union(*samples)
    assert not set(SCHEMA["properties"]) - told


def test_each_type_and_kind_that_it_names_is_told(samples):
    assert set(SCHEMA["properties"]["type"]["examples"]) <= {sample["type"] for sample in samples}
    named = SCHEMA["properties"]["subtype"]["description"]
    for sample in samples:
        if sample["type"] != "other" and sample.get("subtype") not in (None, "skip"):
            assert sample["subtype"] in named, sample


@pytest.mark.parametrize("change", [
    {"time": "yesterday"}, {"monotonic": "1"}, {"message": ""}, {"mount": "65"}, {"pid": 0},
    {"device": "sda1"}, {"attributes": "ro"}, {"read_only": "yes"}])
def test_it_refuses_what_is_not_so(samples, change):
    sample = next(sample for sample in samples if sample.get("subtype") == "readonly" and
                  sample["type"] == "mount")
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(sample | change)


@pytest.mark.parametrize("kind, field", [
    ("mount", "triggered_on"), ("superblock", "superblock"), ("space", "free"), ("key", "key"),
    ("lost", "count"), ("meta", "time"), ("mount", "message")])
def test_it_refuses_what_lacks_a_field(samples, kind, field):
    sample = dict(next(sample for sample in samples if sample["type"] == kind))
    del sample[field]
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(sample)


def test_new_fields_are_allowed(samples):
    VALIDATOR.validate(samples[0] | {"a_field_of_later": [1, 2]})
