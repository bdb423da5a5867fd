"""Query parameters to an action's input (cloudformation.md W03 to W08)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, Final, TypeAlias

from gateway.aws.protocol.model import Mapped, Scalar, Sequence, Shape, Structure

Tree: TypeAlias = dict[str, Any]  # name → text or a deeper tree; "" is the text of a name that also has a tree

_DEEPEST: Final = 12  # names between dots; the model needs six
_LONGEST_NUMBER: Final = 18  # digits


def read_input(pairs: Iterable[tuple[str, str]], shape: Structure) -> tuple[dict[str, Any], list[str]]:
    """Return the input and what is no value of its kind; parameters that the model has not are ignored (W08)."""
    problems: list[str] = []
    return _structure(_tree(pairs), shape, "", problems), problems


def _tree(pairs: Iterable[tuple[str, str]]) -> Tree:
    tree: Tree = {}
    for name, text in pairs:
        if "." not in name:
            held = tree.get(name)
            if isinstance(held, dict):
                held[""] = text
            else:
                tree[name] = text
            continue
        steps = name.split(".", _DEEPEST)
        node = tree
        for step in steps[:-1]:
            held = node.get(step)
            if not isinstance(held, dict):
                held = node[step] = {} if held is None else {"": held}
            node = held
        last = node.get(steps[-1])
        if isinstance(last, dict):
            last[""] = text
        else:
            node[steps[-1]] = text
    return tree


def lower(name: str) -> str:
    """`StackName` as messages write it: `stackName`."""
    return name[:1].lower() + name[1:]


def _value(node: str | Tree, shape: Shape, path: str, problems: list[str]) -> Any:
    match shape:
        case Scalar():
            text = node.get("", "") if isinstance(node, dict) else node
            return _scalar(text, shape, path, problems)
        case Sequence():
            return _sequence(node, shape, path, problems)
        case Mapped():
            return _mapped(node, shape, path, problems)
        case Structure():
            return _structure(node if isinstance(node, dict) else {}, shape, f"{path}.", problems)


def _structure(node: Tree, shape: Structure, prefix: str, problems: list[str]) -> dict[str, Any]:
    found = {}
    members = shape.members
    for name in node:
        member = members.get(name)
        if member is not None:
            found[name] = _value(node[name], member, prefix + lower(name), problems)
    return found


def _numbered(node: Tree) -> list[tuple[str, str | Tree]]:
    """(number, node) in order of the numbers, which may have gaps."""
    found = [(int(key), key) for key in node if key.isascii() and key.isdigit() and len(key) <= _LONGEST_NUMBER]
    return [(key, node[key]) for _, key in sorted(found)]


def _sequence(node: str | Tree, shape: Sequence, path: str, problems: list[str]) -> list[Any]:
    if isinstance(node, str):  # `Tags=` is the empty list (W07)
        if node:
            problems.append(constraint(node, path, "Member must be a list"))
        return []
    members = node.get("member")
    if not isinstance(members, dict):
        return []
    return [_value(one, shape.member, f"{path}.{number}.member", problems) for number, one in _numbered(members)]


def _mapped(node: str | Tree, shape: Mapped, path: str, problems: list[str]) -> dict[str, Any]:
    entries = node.get("entry") if isinstance(node, dict) else None
    found = {}
    for number, one in _numbered(entries) if isinstance(entries, dict) else ():
        if isinstance(one, dict) and "key" in one:
            place = f"{path}.{number}"
            key = _value(one["key"], shape.key, f"{place}.key", problems)
            found[key] = _value(one.get("value", ""), shape.value, f"{place}.value", problems)
    return found


def _scalar(text: str, shape: Scalar, path: str, problems: list[str]) -> Any:
    match shape.kind:
        case "string":
            return text
        case "boolean":
            folded = text.casefold()
            if folded in ("true", "false"):
                return folded == "true"
            problems.append(constraint(text, path, "Member must be true or false"))
            return False
        case "integer" | "long":
            if len(text) <= _LONGEST_NUMBER and text.lstrip("-").isascii() and text.lstrip("-").isdigit():
                return int(text)
            problems.append(constraint(text, path, "Member must be an integer"))
            return None
        case "timestamp":
            return _timestamp(text, path, problems)
        case _:
            return _number(text, path, problems)


def _number(text: str, path: str, problems: list[str]) -> float | None:
    try:
        return float(text)
    except ValueError:
        problems.append(constraint(text, path, "Member must be a number"))
        return None


def _timestamp(text: str, path: str, problems: list[str]) -> dt.datetime | None:
    try:
        time = dt.datetime.fromisoformat(text)
    except ValueError:
        problems.append(constraint(text, path, "Member must be a time as ISO 8601 writes it"))
        return None
    return time if time.tzinfo else time.replace(tzinfo=dt.UTC)


_LONGEST_SHOWN: Final = 1024


def constraint(value: str | None, path: str, failed: str) -> str:
    """One violation in AWS's words (W15); long values are cut."""
    if value is None:
        return f"Value null at '{path}' failed to satisfy constraint: {failed}"
    shown = value if len(value) <= _LONGEST_SHOWN else value[:_LONGEST_SHOWN] + "..."
    return f"Value '{shown}' at '{path}' failed to satisfy constraint: {failed}"
