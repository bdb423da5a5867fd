"""Templates that are larger than AWS allows, and exactly what is said of them: code, line, column and AWS's own text.

They are made here, for as files they would be large; the other bad templates are in tests/golden. Ids carry the row of
the reference that the case shows (cloudformation.md §3).
"""

# ruff: noqa: E501  (the sentences of AWS stand in one piece)

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.model.diagnostic import Diagnostic, Severity

R = "Resources:\n  R: {Type: AWS::SQS::Queue}\n"


def param(keys: str) -> str:
    return f"Parameters:\n  P: {{{keys}}}\n" + R


# text of the template, then (code, line, column, how the summary begins) of every finding
TOO_LARGE: dict[str, tuple[str, list[tuple[str, int, int, str]]]] = {
    "Q09 description": (
        "Description: " + "x" * 1025 + "\n" + R,
        [("LimitExceeded", 1, 14, "Template format error: 'Description' length is greater than 1024.")],
    ),
    "Q08 resource name": (
        "Resources:\n  " + "x" * 256 + ": {Type: AWS::SQS::Queue}\n",
        [
            (
                "InvalidName",
                2,
                3,
                "Template format error: Resource name xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx… has 256 characters, more than 255.",
            )
        ],
    ),
    "Q04 resources": (
        "Resources:\n" + "".join(f"  R{n}: {{Type: AWS::SQS::Queue}}\n" for n in range(501)),
        [
            (
                "LimitExceeded",
                2,
                3,
                "Template format error: Number of resources, 501, is greater than maximum allowed, 500",
            )
        ],
    ),
    "Q05 parameters": (
        "Parameters:\n" + "".join(f"  P{n}: {{Type: String}}\n" for n in range(201)) + R,
        [
            (
                "LimitExceeded",
                2,
                3,
                "Template format error: Number of parameters, 201, is greater than maximum allowed, 200",
            )
        ],
    ),
    "Q05 description": (
        param("Type: String, Description: '" + "x" * 4001 + "'"),
        [("InvalidParameter", 2, 34, "Template format error: Description must be no longer than 4000 characters.")],
    ),
    "Q05 default": (
        param("Type: String, Default: '" + "x" * 4097 + "'"),
        [("InvalidParameter", 2, 30, "Template format error: Parameter 'P' default value is longer than 4096 bytes.")],
    ),
    "Q07 mappings": (
        "Mappings:\n" + "".join(f"  M{n}: {{a: {{b: c}}}}\n" for n in range(201)) + R,
        [
            (
                "LimitExceeded",
                2,
                3,
                "Template format error: Number of mappings, 201, is greater than maximum allowed, 200",
            )
        ],
    ),
    "Q06 output description": (
        R + "Outputs:\n  O: {Value: x, Description: '" + "x" * 1025 + "'}\n",
        [("LimitExceeded", 4, 30, "Template format error: 'Description' length is greater than 1024.")],
    ),
    "Q06 outputs": (
        R + "Outputs:\n" + "".join(f"  O{n}: {{Value: x}}\n" for n in range(201)),
        [
            (
                "LimitExceeded",
                4,
                3,
                "Template format error: Number of outputs, 201, is greater than maximum allowed, 200",
            )
        ],
    ),
}


@pytest.mark.parametrize(("text", "expected"), TOO_LARGE.values(), ids=TOO_LARGE)
def test_too_large(
    findings: Callable[..., tuple[Diagnostic, ...]], text: str, expected: list[tuple[str, int, int, str]]
) -> None:
    found = findings(text)
    assert [(one.code, one.span.line, one.span.column) for one in found if one.span] == [row[:3] for row in expected]
    for one, (_, _, _, summary) in zip(found, expected, strict=True):
        assert one.summary.startswith(summary)
        assert one.severity is Severity.ERROR


def test_a_finding_is_addressed_by_its_path(findings: Callable[..., tuple[Diagnostic, ...]]) -> None:
    (found,) = findings("Resources:\n  R: {Type: AWS::SQS::Queue, Properties: {P: !Jion ['', [a]]}}\n")
    assert (found.detail, found.address) == ("Did you mean !Join?", "Resources.R.Properties.P.Fn::Jion")
