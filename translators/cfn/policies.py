"""DeletionPolicy, UpdateReplacePolicy, CreationPolicy and UpdatePolicy (cloudformation.md L80 to L83)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from engine.model.expression import Expression, Mistake
from engine.model.template import DeletionPolicy
from translators.cfn import nodes
from translators.cfn.builder import Builder
from translators.cfn.findings import Path, did_you_mean
from translators.source import SourceNode

# Types that can keep a snapshot of what they were when they are deleted (L81; the OS:: ones are heat.md TR-05).
SNAPSHOT_TYPES: Final = frozenset(
    {
        "AWS::DocDB::DBCluster",
        "AWS::EC2::Volume",
        "AWS::ElastiCache::CacheCluster",
        "AWS::ElastiCache::ReplicationGroup",
        "AWS::Neptune::DBCluster",
        "AWS::RDS::DBCluster",
        "AWS::RDS::DBInstance",
        "AWS::Redshift::Cluster",
        "OS::Cinder::Volume",
        "OS::Heat::DeployedServer",
        "OS::Nova::Server",
    }
)
_CREATION: Final = frozenset({"AutoScalingCreationPolicy", "ResourceSignal", "StartFleet"})
_UPDATE: Final = frozenset(
    {
        "AutoScalingReplacingUpdate",
        "AutoScalingRollingUpdate",
        "AutoScalingScheduledAction",
        "CodeDeployLambdaAliasUpdate",
        "EnableVersionUpgrade",
        "StartAfterUpdate",
        "StopBeforeUpdate",
        "StopAfterUpdate",
        "StartBeforeUpdate",
        "UseOnlineResharding",
    }
)
_DURATION = re.compile(r"PT(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?")


def default_deletion_policy(kind: str, properties: Mapping[str, object]) -> DeletionPolicy:
    """AWS keeps a snapshot of database clusters, and of instances outside a cluster; the rest is deleted (L81)."""
    if kind == "AWS::RDS::DBCluster" or (kind == "AWS::RDS::DBInstance" and "DBClusterIdentifier" not in properties):
        return DeletionPolicy.SNAPSHOT
    return DeletionPolicy.DELETE


def read_deletion_policy(
    builder: Builder, key: str, node: SourceNode, name: str, kind: str, at: Path
) -> DeletionPolicy | None:
    """The written DeletionPolicy or UpdateReplacePolicy; None when absent or wrong (and then reported)."""
    item = node.get(key)
    if item is None:
        return None
    here: Path = (at, key)
    written = nodes.as_string(item)
    if written is None:
        hint = "Write Delete, Retain or Snapshot."
        if item.kind == "map" or item.tag is not None:
            hint = "A function here needs `Transform: AWS::LanguageExtensions` and parameters that have values."
        builder.fail(
            "InvalidPolicy", f"Template format error: Every {key} member must be a string.", hint, here, item.span
        )
        return None
    allowed = list(DeletionPolicy)
    if key == "UpdateReplacePolicy":
        allowed.remove(DeletionPolicy.RETAIN_EXCEPT_ON_CREATE)
    by_name = {policy.value: policy for policy in allowed}
    if builder.heat:
        by_name |= {policy.value.lower(): policy for policy in allowed}
    policy = by_name.get(written)
    if policy is None:
        hint = did_you_mean(written, by_name) or f"Known are {', '.join(one.value for one in allowed)}."
        summary = f"Template format error: Unrecognized {key} {written} for resource {name}"
        builder.fail("InvalidPolicy", summary, hint, here, item.span)
        return None
    if policy is DeletionPolicy.SNAPSHOT and kind not in SNAPSHOT_TYPES:
        what = "deletion policy" if key == "DeletionPolicy" else "update replace policy"
        summary = f"Template error: resource type {kind} does not support {what} Snapshot"
        builder.fail("InvalidPolicy", summary, "Use Delete or Retain.", here, item.span)
        return None
    return policy


def read_creation_policy(builder: Builder, node: SourceNode, kind: str, at: Path) -> Expression | None:
    return _read(builder, node, kind, at, "CreationPolicy", _CREATION)


def read_update_policy(builder: Builder, node: SourceNode, kind: str, at: Path) -> Expression | None:
    return _read(builder, node, kind, at, "UpdatePolicy", _UPDATE)


def _read(
    builder: Builder, node: SourceNode, kind: str, at: Path, key: str, known: frozenset[str]
) -> Expression | None:
    item = node.get(key)
    if item is None or nodes.is_null(item):
        return None
    here: Path = (at, key)
    if item.kind != "map":
        summary = f"Template format error: Every {key} member must be an object."
        builder.fail("InvalidPolicy", summary, f"Known are {', '.join(sorted(known))}.", here, item.span)
        return None
    if not kind.startswith("OS::"):  # Heat's groups have policies of their own
        functions = frozenset(name for name in map(nodes.text, item.keys()) if name == "Ref" or name[:4] == "Fn::")
        message = f"Template format error: {key} has the unknown member {{}}"
        nodes.check_keys(item, known | functions, message, "InvalidPolicy", here, builder.findings)
        if _wrong_waiting(builder, item, here):
            return Mistake(span=item.span)
    return builder.build(item, here)


def _wrong_waiting(builder: Builder, policy: SourceNode, at: Path) -> bool:
    """Whether a waiting time is no duration of ISO 8601, hours to seconds, or the number of signals no number."""
    wrong = False
    for key, member in (("ResourceSignal", "Timeout"), ("AutoScalingRollingUpdate", "PauseTime")):
        inner = policy.get(key)
        item = inner.get(member) if inner is not None and inner.kind == "map" else None
        written = nodes.as_string(item) if item is not None else None
        if item is not None and written is not None and not _DURATION.fullmatch(written):
            summary = f"Template format error: {key} {member} {written!r} must be a duration of ISO 8601."
            builder.fail("InvalidPolicy", summary, "Write PT15M for fifteen minutes.", ((at, key), member), item.span)
            wrong = True
    signals = policy.get("ResourceSignal")
    count = signals.get("Count") if signals is not None and signals.kind == "map" else None
    if count is not None and nodes.as_string(count) is not None and nodes.as_int(count) is None:
        summary = f"Template format error: ResourceSignal Count {count.text!r} must be a number."
        builder.fail("InvalidPolicy", summary, "It is how many signals are waited for.",
                     ((at, "ResourceSignal"), "Count"), count.span)  # fmt: skip
        wrong = True
    return wrong
