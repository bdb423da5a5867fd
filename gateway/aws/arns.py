"""ARNs of stacks and change sets, made and read (cloudformation.md W24, W25)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.model.account import account_id

_STACK = re.compile(r"arn:[\w-]*:cloudformation:[^:]*:(\d{12}):stack/([^/]+)/([0-9a-fA-F-]{36})")
_CHANGE_SET = re.compile(r"arn:[\w-]*:cloudformation:[^:]*:(\d{12}):changeSet/([^/]+)/([0-9a-fA-F-]{36})")


@dataclass(frozen=True, slots=True)
class Arns:
    """Makes and reads the ARNs of one project."""

    region: str
    project_id: str

    @property
    def account(self) -> str:
        return account_id(self.project_id)

    def stack(self, name: str, stack_id: str) -> str:
        return f"arn:aws:cloudformation:{self.region}:{self.account}:stack/{name}/{stack_id}"

    def change_set(self, name: str, change_set_id: str) -> str:
        return f"arn:aws:cloudformation:{self.region}:{self.account}:changeSet/{name}/{change_set_id}"

    def stack_id_in(self, arn: str) -> str | None:
        """The stack's UUID, None when it is no ARN of a stack of this project."""
        return self._id(_STACK, arn)

    def change_set_id_in(self, arn: str) -> str | None:
        return self._id(_CHANGE_SET, arn)

    def _id(self, pattern: re.Pattern[str], arn: str) -> str | None:
        found = pattern.fullmatch(arn)
        return found.group(3).lower() if found and found.group(1) == self.account else None


def is_arn(reference: str) -> bool:
    return reference.startswith("arn:")
