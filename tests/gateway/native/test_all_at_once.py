"""Creating and validating tell all mistakes of a template together, whatever kinds they are of."""

from __future__ import annotations

import pytest

TEMPLATE = """\
heat_template_version: 2018-08-31
resources:
  net: {type: OS::Neutron::Nett}
  word: {type: OS::Heat::RandomString, properties: {lenght: 5}}
  vpc: {type: AWS::EC2::VPCC}
  other: {type: OS::Heat::Value, properties: {value: {get_parm: x}}}
outputs:
  none: {value: {get_resource: nothing}}
"""
SAID = (
    "OS::Neutron::Nett", "Unknown Property lenght", "[AWS::EC2::VPCC]", '"get_parm" is not a function',
    'The specified reference "nothing"',
)  # fmt: skip


@pytest.mark.parametrize("path", ["/validate", "/stacks"])
def test_all_mistakes_are_told(ask, path):
    answer = ask("POST", path, json={"template": TEMPLATE, "stack_name": "mistakes"})
    assert answer.status_code == 400
    for sentence in SAID:
        assert answer.text.replace("\\", "").count(sentence) == 1, (sentence, answer.text)
