"""Dynamic references in texts (cloudformation.md L91 to L93)."""

from __future__ import annotations

import pytest

from engine.model.dynamic import BadReference, Reference, filled, hidden, parse, references_in, unresolved
from engine.model.value import UNKNOWN

UUID = "11111111-2222-3333-4444-555555555555"
ARN = "arn:aws:secretsmanager:eu-1:123456789012:secret:db-AbCdEf"
HREF = f"https://keys:9311/v1/secrets/{UUID}"


@pytest.mark.parametrize(
    ("inside", "wanted"),
    [
        ("ssm:/a/b", Reference("ssm", "/a/b")),
        ("ssm:name:3", Reference("ssm", "name", "3")),
        ("ssm-secure:/p:12", Reference("ssm-secure", "/p", "12")),
        ("secretsmanager:db", Reference("secretsmanager", "db")),
        ("secretsmanager:a/db:SecretString", Reference("secretsmanager", "a/db")),
        ("secretsmanager:db:SecretString:user", Reference("secretsmanager", "db", key="user")),
        (
            "secretsmanager:db:SecretString:user:AWSPREVIOUS",
            Reference("secretsmanager", "db", "", "AWSPREVIOUS", "user"),
        ),
        (f"secretsmanager:db:SecretString:::{UUID}", Reference("secretsmanager", "db", UUID)),
        ("secretsmanager:db:::", Reference("secretsmanager", "db")),
        (f"secretsmanager:{ARN}:SecretString:user", Reference("secretsmanager", ARN, key="user")),
        (f"secretsmanager:{HREF}", Reference("secretsmanager", HREF)),
        (f"secretsmanager:{HREF}:SecretString:user", Reference("secretsmanager", HREF, key="user")),
    ],
)
def test_l91_l92_l93_forms(inside, wanted):
    assert parse("{{resolve:" + inside + "}}") == wanted


@pytest.mark.parametrize(
    ("inside", "said"),
    [
        ("ssm:", "Incorrect format is used in the following SSM reference: [{{resolve:ssm:}}]"),
        ("ssm:a b", "Incorrect format is used in the following SSM reference: [{{resolve:ssm:a b}}]"),
        ("ssm:a:latest", "Incorrect format is used in the following SSM reference: [{{resolve:ssm:a:latest}}]"),
        ("secretsmanager:", "Incorrect format is used in the following Secrets Manager reference"),
        ("secretsmanager:db:SecretBinary", "Incorrect format is used in the following Secrets Manager reference"),
        ("secretsmanager:db:SecretString:k:AWSCURRENT:v", "it has a stage and a version"),
        (
            "vault:x",
            "Dynamic references are of ssm, ssm-secure, secretsmanager; this one is not: [{{resolve:vault:x}}]",
        ),
    ],
)
def test_l91_l93_what_is_no_reference(inside, said):
    with pytest.raises(BadReference) as caught:
        parse("{{resolve:" + inside + "}}")
    assert said in str(caught.value)


VALUE = {"a": ["x {{resolve:ssm:/a}} y", 1, None], "b": {"c": "{{resolve:ssm:/b}}{{resolve:ssm:/a}}"}, "d": "{{other}}"}
KNOWN = {"{{resolve:ssm:/a}}": "first"}


def test_references_are_found_and_filled_wherever_they_stand():
    assert list(references_in(VALUE)) == ["{{resolve:ssm:/a}}", "{{resolve:ssm:/b}}", "{{resolve:ssm:/a}}"]
    assert filled(VALUE, KNOWN) == {
        "a": ["x first y", 1, None],
        "b": {"c": "{{resolve:ssm:/b}}first"},
        "d": "{{other}}",
    }
    assert unresolved(VALUE) == {"a": [UNKNOWN, 1, None], "b": {"c": UNKNOWN}, "d": "{{other}}"}
    assert hidden({"told": "it is first"}, KNOWN) == {"told": "it is {{resolve:ssm:/a}}"}


def test_a_value_without_references_is_the_same_object():
    plain = {"a": ["x", {"y": 1}]}
    assert filled(plain, KNOWN) is plain
    assert unresolved(plain) is plain
