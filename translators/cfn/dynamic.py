"""What can be said of dynamic references before anything is made (cloudformation.md L91 to L94, Q16)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from engine.model.diagnostic import Span
from engine.model.dynamic import BadReference, parse
from engine.model.template import Resource
from translators.cfn import limits
from translators.cfn.builder import Builder
from translators.cfn.findings import Path, steps

# The properties of AWS's types that take secure strings (AWS's documentation of dynamic references).
_SECURE: Final[Mapping[str, tuple[str, ...]]] = {
    "AWS::DirectoryService::MicrosoftAD": ("Password",),
    "AWS::DirectoryService::SimpleAD": ("Password",),
    "AWS::ElastiCache::ReplicationGroup": ("AuthToken",),
    "AWS::IAM::User": ("LoginProfile.Password",),
    "AWS::KinesisFirehose::DeliveryStream": ("RedshiftDestinationConfiguration.Password",),
    "AWS::OpsWorks::App": ("AppSource.Password",),
    "AWS::OpsWorks::Stack": ("CustomCookbooksSource.Password", "RdsDbInstances.DbPassword"),
    "AWS::RDS::DBCluster": ("MasterUserPassword",),
    "AWS::RDS::DBInstance": ("MasterUserPassword",),
    "AWS::Redshift::Cluster": ("MasterUserPassword",),
}


def check(builder: Builder, resources: Mapping[str, Resource]) -> None:
    """Report references that are none, that stand where they may not, and too many of them."""
    for text, at, span in builder.dynamic:
        if not text.endswith("}}") or "${" in text:
            continue  # it is put together when it is evaluated
        try:
            reference = parse(text)
        except BadReference as wrong:
            hint = "Write {{resolve:ssm:name}} or {{resolve:secretsmanager:id:SecretString:key}}."
            builder.fail("InvalidDynamicReference", str(wrong), hint, at, span)
            continue
        if reference.service == "ssm-secure":
            _check_secure(builder, resources, at, span)
    count = len(builder.dynamic)
    if count > limits.DYNAMIC_REFERENCES and builder.strict:
        _, at, span = builder.dynamic[limits.DYNAMIC_REFERENCES]
        summary = limits.too_many("dynamic references", count, limits.DYNAMIC_REFERENCES)
        builder.fail("LimitExceeded", summary, "Put some into nested stacks.", at, span)


def _check_secure(builder: Builder, resources: Mapping[str, Resource], at: Path, span: Span | None) -> None:
    path = steps(at)
    resource = resources.get(path[1]) if len(path) > 3 and path[0] == "Resources" and path[2] == "Properties" else None
    if resource is not None:
        property_path = [step for step in path[3:] if not step.isdigit() and not step.startswith("Fn::")]
        allowed = _SECURE.get(resource.type, ())
        if not resource.type.startswith("AWS::") or ".".join(property_path) in allowed:
            return
        where = "/".join([resource.type, "Properties", *property_path])
    else:
        where = "/".join(path)
    builder.fail(
        "InvalidDynamicReference",
        f"SSM Secure reference is not supported in: [{where}]",
        "A secret in Barbican may be used in every property: {{resolve:secretsmanager:name}}.",
        at,
        span,
    )
