"""AWS::CloudFormation::WaitCondition: with a handle, or with a CreationPolicy of its own."""

from __future__ import annotations

from engine.model.expression import Literal
from translators.lowering import logic
from translators.lowering.draft import Draft
from translators.lowering.signals import await_signals, signal_box


def wait_condition(draft: Draft) -> None:
    handle = draft.prop("Handle")
    wanted = logic.entry(draft.source.creation_policy, "ResourceSignal")
    if handle is not None:
        draft.add(
            "condition",
            "OS::Heat::WaitCondition",
            {"handle": handle, "timeout": draft.prop("Timeout") or Literal(300), "count": draft.prop("Count")},
        )
        draft.reference = draft.ref("condition")
        draft.attributes |= {"Data": draft.attr("condition", "data"), "Id": draft.ref("condition")}
        return
    if wanted is None:
        draft.error("PropertyMissing", f"{draft.source.address}: there is nothing to wait for.",
                    "Give a Handle and a Timeout, or a CreationPolicy.")  # fmt: skip
        return
    signal_box(draft)
    await_signals(draft)
    draft.reference = draft.ref("signals")
    draft.attributes |= {"Data": Literal("{}"), "Id": draft.ref("signals")}
