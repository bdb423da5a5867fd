"""What a template may write as properties of an AWS type: unknown, missing, refused and ignored ones are told."""

from __future__ import annotations

from engine.model.expression import Expression
from engine.model.nearest import closest, nearest
from mappings import Decision, Level
from translators.lowering import logic
from translators.lowering.draft import Draft


def check_properties(draft: Draft) -> None:
    """Report every finding about the written properties of `draft`'s resource."""
    row, written = draft.row, draft.source.properties
    known = row.known()
    if written.rest is not None:
        draft.error("ComputedProperties", f"The properties of {draft.source.address} are computed as a whole.",
                    f"What {row.type} becomes depends on which are there: write each by its name.")  # fmt: skip
    meant = set()
    for name, value in written.entries:
        if name not in known and row.any_properties:
            continue
        if name not in known:
            near = closest(name, known)
            meant.add(near)
            way_out = nearest(name, known) if near is None else f"Did you mean {near}?"
            draft.error("UnsupportedProperty", f"Encountered unsupported property {name}",
                        way_out or f"docs/coverage.md lists those of {row.type}.", name)  # fmt: skip
            continue
        decision = row.decisions.get(name)
        if decision is not None and logic.present(value) != logic.FALSE:
            decide(draft, f"{row.type} {name}", value, decision, (name,))
    for name in row.required:
        if name not in meant and logic.present(written.get(name)) == logic.FALSE:
            draft.findings.error(
                "PropertyMissing",
                f"Properties validation failed for resource {draft.source.address} with message: "
                f"#: required key [{name}] not found",
                f"Add {name}.", address=draft.place(), span=draft.source.place("properties"),
            )  # fmt: skip


def decide(draft: Draft, what: str, value: Expression | None, decision: Decision, path: tuple[str, ...]) -> None:
    """Tell what becomes of the value at `path`, which users know as `what`."""
    written = logic.text(value)
    if decision.unless and written is not None and written.lower() in {_text(one) for one in decision.unless}:
        return
    undecided = bool(decision.unless) and written is None and logic.items(value) is None and not logic.keys(value)
    match decision.level:
        case Level.REJECTED if undecided:
            draft.warn("PropertyUndecided", f"{what}: {decision.reason}", *path)
        case Level.REJECTED:
            draft.error("PropertyRejected", f"{what} cannot be had here.", decision.reason, *path)
        case Level.IGNORED:
            draft.warn("PropertyIgnored", f"{what} is ignored: {decision.reason}", *path)
        case Level.MAPPED | Level.EMULATED | Level.SILENT:
            return


def _text(value: object) -> str:
    return str(value).lower()
