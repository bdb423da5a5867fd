"""Signals that come to a resource by its own name (CreationPolicy, cloudformation.md L80): a box that takes them, and
who waits for them."""

from __future__ import annotations

from engine.model.expression import Expression, Literal
from translators.lowering import logic
from translators.lowering.draft import Draft, MemberDraft


def signal_box(draft: Draft, sender: MemberDraft | None = None, made_for: Expression | None = None) -> None:
    """Add the box; `sender` is made after it, and what changes `made_for` makes an empty one."""
    draft.add("signal_box", "Isotherm::SignalBox", {"of": Literal(draft.source.address), "made_for": made_for})
    if sender is not None:
        sender.depends_on.append(draft.address("signal_box"))


def await_signals(draft: Draft, made_for: Expression | None = None, percent: Expression | None = None) -> None:
    """Wait, when all other members are there, for as many signals as the CreationPolicy says, or `percent` of them."""
    wanted = logic.entry(draft.source.creation_policy, "ResourceSignal")
    draft.add(
        "signals",
        "Isotherm::Signals",
        {
            "of": Literal(draft.source.address),
            "count": logic.entry(wanted, "Count"),
            "timeout": logic.entry(wanted, "Timeout"),
            "percent": percent,
            "made_for": made_for,
        },
        depends_on=tuple(draft.address(name) for name in draft.members),
    )
