"""AWS::CloudFormation::CustomResource and `Custom::` types: all that is written is the handler's (cloudformation.md
L96)."""

from __future__ import annotations

from engine.model.expression import Literal
from translators.cfn import pseudo
from translators.lowering.draft import Draft


def custom_resource(draft: Draft) -> None:
    draft.add(
        "custom",
        "Isotherm::CustomResource",
        {
            "service_token": draft.prop("ServiceToken"),
            "service_timeout": draft.prop("ServiceTimeout"),
            "resource_type": Literal(draft.source.type),
            "logical_id": Literal(draft.source.address),
            "stack": pseudo.expression("AWS::StackId", None),
            "given": draft.source.properties,
        },
    )
    draft.reference = draft.ref("custom")
    draft.attributes["*"] = draft.attr("custom", "*")
