"""Stack policies (cloudformation.md B13)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.model.diagnostic import Invalid
from engine.model.errors import Forbidden
from engine.model.stack import Change, ChangeAction, Replacement
from engine.plan.policy import denied, read_policy


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Statement": [{"Principal": "*", "Resource": "*", **one} for one in statements]})


ALLOW = {"Effect": "Allow", "Action": "Update:*"}
MODIFY = Change("a", "AWS::S3::Bucket", ChangeAction.MODIFY)
REPLACE = Change("a", "AWS::S3::Bucket", ChangeAction.MODIFY, Replacement.CONDITIONAL)
REMOVE = Change("db", "AWS::RDS::DBInstance", ChangeAction.REMOVE)


@pytest.mark.parametrize(
    "text",
    ["{", "{}", '{"Statement": []}', policy({"Effect": "Maybe", "Action": "Update:*"}),
     policy({"Effect": "Deny", "Action": "Update:Paint"}), policy({"Effect": "Deny"}),
     policy({"Effect": "Deny", "Action": "Update:*", "Principal": "me"})],
)  # fmt: skip
def test_b13_what_is_no_policy_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="Error validating stack policy: Invalid stack policy"):
        read_policy(text)


def test_b13_what_nothing_allows_is_denied() -> None:
    with pytest.raises(Forbidden, match="Action denied by stack policy"):
        denied(read_policy(policy({"Effect": "Allow", "Action": "Update:Delete"})), [MODIFY])


def test_b13_a_deny_wins_over_an_allow() -> None:
    statements = read_policy(policy(ALLOW, {"Effect": "Deny", "Action": "Update:Replace"}))
    denied(statements, [MODIFY])
    with pytest.raises(Forbidden, match=r"Statement \[#2\] does not allow \[Update:Replace\].*LogicalResourceId/a"):
        denied(statements, [REPLACE])


def test_b13_a_condition_names_types() -> None:
    deny = {"Effect": "Deny", "Action": "Update:*", "Condition": {"StringLike": {"ResourceType": ["AWS::RDS::*"]}}}
    statements = read_policy(policy(ALLOW, deny))
    denied(statements, [MODIFY])
    with pytest.raises(Forbidden):
        denied(statements, [REMOVE])


def test_b13_not_action_and_not_resource_turn_it_round() -> None:
    statements = read_policy(
        policy(ALLOW, {"Effect": "Deny", "NotAction": "Update:Modify", "Resource": "LogicalResourceId/db"})
    )
    denied(statements, [MODIFY])
    with pytest.raises(Forbidden):
        denied(statements, [REMOVE])


def test_b13_additions_need_no_leave() -> None:
    denied(read_policy(policy({"Effect": "Deny", "Action": "Update:*"})), [Change("n", "T", ChangeAction.ADD)])
