"""OS::Heat::RandomString: a secret made once and kept."""

from __future__ import annotations

import secrets
import string as letters
from collections.abc import Mapping, Sequence

from engine.model.value import Value
from engine.resources.base import Operation
from engine.resources.declare import attribute, between, integer, listing, mapping, maps_of, one_of, string
from engine.resources.heat.local import LocalType

CLASSES: Mapping[str, str] = {
    "lettersdigits": letters.ascii_letters + letters.digits,
    "letters": letters.ascii_letters,
    "lowercase": letters.ascii_lowercase,
    "uppercase": letters.ascii_uppercase,
    "digits": letters.digits,
    "hexdigits": letters.digits + "ABCDEF",
    "octdigits": letters.octdigits,
}


class RandomString(LocalType):
    """Known to templates as its value. Each class and sequence gets its minimum, the rest is drawn from all of them."""

    name = "OS::Heat::RandomString"
    properties = {
        "length": integer(between(1, 512), default=32),
        "sequence": string(one_of(*CLASSES), support="HIDDEN"),
        "character_classes": listing(
            mapping(
                {
                    "class": string(one_of(*CLASSES), default="lettersdigits"),
                    "min": integer(between(1, 512), default=1),
                }
            ),
            default=[{"class": "lettersdigits", "min": 1}],
        ),
        "character_sequences": listing(
            mapping({"sequence": string(required=True), "min": integer(between(1, 512), default=1)})
        ),
        "salt": string(description="Any change of it makes a new value.", secret=True),  # and seals the record
    }
    attributes = {"value": attribute(live=True)}

    def reference(self, physical_id: str | None, attributes: Mapping[str, Value], address: str) -> Value:
        return attributes.get("value")

    def validate(self, properties: Mapping[str, Value]) -> Sequence[str]:
        length = properties.get("length", 32)
        groups = [*maps_of(properties.get("character_classes")), *maps_of(properties.get("character_sequences"))]
        least = sum(_least(group) for _, group in groups)
        if isinstance(length, int) and length < least:
            return [
                f"length {length} is less than the minimums of the character classes and sequences together ({least})"
            ]
        return ()

    async def create(self, op: Operation) -> str | None:
        if "value" not in op.data:
            await op.remember(value=make(op.properties))
        return op.physical_name()

    def values(self, op: Operation) -> Mapping[str, Value]:
        return {"value": op.data.get("value")}


def _least(group: Mapping[str, Value]) -> int:
    least = group.get("min", 1)
    return least if isinstance(least, int) else 1


def make(properties: Mapping[str, Value]) -> str:
    """Return a random string as normalised `properties` want it."""
    classes = properties.get("character_classes") or []
    if properties.get("sequence"):
        classes = [{"class": properties["sequence"], "min": 1}]
    drawn: list[str] = []
    alphabets: list[str] = []
    for group in classes:
        alphabet = CLASSES[group["class"]]
        alphabets.append(alphabet)
        drawn.extend(secrets.choice(alphabet) for _ in range(group["min"]))
    for group in properties.get("character_sequences") or []:
        alphabet = group["sequence"]
        alphabets.append(alphabet)
        drawn.extend(secrets.choice(alphabet) for _ in range(group["min"]))
    everything = "".join(dict.fromkeys("".join(alphabets)))
    drawn.extend(secrets.choice(everything) for _ in range(properties["length"] - len(drawn)))
    secrets.SystemRandom().shuffle(drawn)
    return "".join(drawn)
