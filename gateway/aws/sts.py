"""The one question of STS that deployment tools ask before anything else: who am I (cloudformation.md W20)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from engine.model.stack import Caller
from gateway.aws.arns import Arns


def get_caller_identity(caller: Caller, arns: Arns) -> dict[str, Any]:
    name = caller.user_name or caller.user_id
    return {"UserId": caller.user_id, "Account": arns.account, "Arn": f"arn:aws:iam::{arns.account}:user/{name}"}


ACTIONS: Final[Mapping[str, Callable[[Caller, Arns], dict[str, Any]]]] = {"GetCallerIdentity": get_caller_identity}
