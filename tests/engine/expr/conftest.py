"""A scope with a little of everything for the tests of expressions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.model.diagnostic import invalid
from engine.model.expression import FacadePart, Pseudo
from engine.model.value import UNKNOWN, Value

PARAMETERS: dict[str, Any] = {
    "text": "abc", "names": ["a", "b"], "data": {"k": [{"x": 1}], "7": "seven"}, "yes": True, "later": UNKNOWN,
}  # fmt: skip
ATTRIBUTES: dict[str, Any] = {"addresses": {"net": [{"addr": "10.0.0.1"}]}, "name": "n", "later": UNKNOWN}


class Everything:
    """Implements `engine.expr.scope.Scope`."""

    def parameter(self, name: str) -> Value:
        return PARAMETERS[name]

    def pseudo(self, name: Pseudo) -> Value:
        return [{"Key": "stage", "Value": "test"}] if name is Pseudo.TAGS else f"<{name}>"

    def reference(self, address: str) -> Value:
        return UNKNOWN if address == "later" else f"id-of-{address}"

    def attribute(self, address: str, name: str | None) -> Value:
        return ATTRIBUTES if name is None else ATTRIBUTES.get(name)

    def attribute_at(self, address: str, name: str, path: Sequence[Value]) -> tuple[Value, int]:
        return self.attribute(address, name), 0

    def condition(self, name: str) -> Value:
        return {"on": True, "off": False, "later": UNKNOWN}[name]

    def mapping(self, name: str) -> Mapping[str, Mapping[str, Value]] | None:
        return {"Sizes": {"eu": {"Small": "1"}}}.get(name)

    def zones(self, region: str) -> list[str]:
        return ["nova", "az2"]

    def import_value(self, name: str) -> Value:
        if name != "exported":
            raise invalid("UnknownExport", f"No export named {name} found.")
        return "imported"

    def stack_output(self, stack: str, output: str) -> Value:
        if stack != "other":
            raise invalid("UnknownStackOutput", f"Stack with id {stack} does not exist")
        return f"{output} of {stack}"

    def object_attribute(self, physical_id: str, name: str) -> Value:
        return UNKNOWN if physical_id == "later" else f"{name} of {physical_id}"

    def fill(self, text: str) -> str:
        return text

    def spend(self, size: int) -> bool:
        return True

    def facade(self, part: FacadePart) -> Value:
        return f"facade {part}"
