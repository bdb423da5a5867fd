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
# What each policy holds (empty: a plain value), by the types that have it (L80, L83).
_APPSTREAM = frozenset({"AWS::AppStream::Fleet"})
_SCALING = frozenset({"AWS::AutoScaling::AutoScalingGroup"})
_SEARCH = frozenset({"AWS::Elasticsearch::Domain", "AWS::OpenSearchService::Domain"})
_SIGNALLED = _SCALING | {"AWS::CloudFormation::WaitCondition", "AWS::EC2::Instance"}
_Policies = Mapping[str, tuple[frozenset[str], frozenset[str]]]
_CREATION: Final[_Policies] = {
    "AutoScalingCreationPolicy": (_SCALING, frozenset({"MinSuccessfulInstancesPercent"})),
    "ResourceSignal": (_SIGNALLED, frozenset({"Count", "Timeout"})),
    "StartFleet": (_APPSTREAM, frozenset()),
}
_UPDATE: Final[_Policies] = {
    "AutoScalingReplacingUpdate": (_SCALING, frozenset({"WillReplace"})),
    "AutoScalingRollingUpdate": (
        _SCALING,
        frozenset(
            {
                "MaxBatchSize",
                "MinActiveInstancesPercent",
                "MinInstancesInService",
                "MinSuccessfulInstancesPercent",
                "PauseTime",
                "SuspendProcesses",
                "WaitOnResourceSignals",
            }
        ),
    ),
    "AutoScalingScheduledAction": (_SCALING, frozenset({"IgnoreUnmodifiedGroupSizeProperties"})),
    "CodeDeployLambdaAliasUpdate": (
        frozenset({"AWS::Lambda::Alias"}),
        frozenset({"AfterAllowTrafficHook", "ApplicationName", "BeforeAllowTrafficHook", "DeploymentGroupName"}),
    ),
    "EnableVersionUpgrade": (_SEARCH, frozenset()),
    "StartAfterUpdate": (_APPSTREAM, frozenset()),
    "StartBeforeUpdate": (_APPSTREAM, frozenset()),
    "StopAfterUpdate": (_APPSTREAM, frozenset()),
    "StopBeforeUpdate": (_APPSTREAM, frozenset()),
    "UseOnlineResharding": (frozenset({"AWS::ElastiCache::ReplicationGroup"}), frozenset()),
}
_LONGEST: Final = 12 * 3600  # seconds that AWS waits for signals
_DURATION = re.compile(r"PT(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?")


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


def _read(builder: Builder, node: SourceNode, kind: str, at: Path, key: str, known: _Policies) -> Expression | None:
    item = node.get(key)
    if item is None or nodes.is_null(item):
        return None
    here: Path = (at, key)
    if item.kind != "map":
        summary = f"Template format error: Every {key} member must be an object."
        builder.fail("InvalidPolicy", summary, f"Known are {', '.join(sorted(known))}.", here, item.span)
        return None
    if not kind.startswith("OS::"):  # Heat's groups have policies of their own
        message = f"Template format error: {key} has the unknown member {{}}"
        nodes.check_keys(item, frozenset(known) | _functions(item), message, "InvalidPolicy", here, builder.findings)
        for name, inner in nodes.entries(item):
            written = nodes.text(name.value)
            if written in known:
                _check_policy(builder, key, written, inner, kind, known[written], here)
        if _wrong_signals(builder, item, here):
            return Mistake(span=item.span)
    return builder.build(item, here)


def _functions(node: SourceNode) -> frozenset[str]:
    return frozenset(name for name in map(nodes.text, node.keys()) if name == "Ref" or name[:4] == "Fn::")


def _check_policy(
    builder: Builder, key: str, name: str, node: SourceNode, kind: str, row: tuple[frozenset[str], frozenset[str]],
    at: Path,
) -> None:  # fmt: skip
    """What stands in the policy, and whether the type has such a one; AWS takes it without effect where not."""
    types, members = row
    here: Path = (at, name)
    if kind and kind not in types:
        summary = f"{name} in the {key} of a resource of type {kind} has no effect."
        builder.findings.warning("PolicyIgnored", summary, f"It is for {', '.join(sorted(types))}.", at=here,
                                 span=node.span)  # fmt: skip
    if members and node.kind == "map" and node.tag is None:
        message = f"Template format error: {name} has the unknown member {{}}"
        nodes.check_keys(node, members | _functions(node), message, "InvalidPolicy", here, builder.findings)


def _wrong_signals(builder: Builder, policy: SourceNode, at: Path) -> bool:
    """Whether a waiting time is no duration of ISO 8601, hours to seconds, of at most twelve hours, or the number of
    signals not whole."""
    wrong = False
    for key, member in (("ResourceSignal", "Timeout"), ("AutoScalingRollingUpdate", "PauseTime")):
        inner = policy.get(key)
        item = inner.get(member) if inner is not None and inner.kind == "map" else None
        written = nodes.as_string(item) if item is not None else None
        if item is None or written is None:
            continue
        found = _DURATION.fullmatch(written)
        if found is None:
            summary = f"Template format error: {key} {member} {written!r} must be a duration of ISO 8601."
            builder.fail("InvalidPolicy", summary, "Write PT15M for fifteen minutes.", ((at, key), member), item.span)
            wrong = True
        elif _seconds(found) > _LONGEST:
            summary = f"Template format error: {key} {member} {written} is longer than 12 hours."
            builder.fail("InvalidPolicy", summary, "Write PT12H at most.", ((at, key), member), item.span)
            wrong = True
    signal = policy.get("ResourceSignal")
    count = signal.get("Count") if signal is not None and signal.kind == "map" else None
    if count is not None and _is_written(count) and (nodes.as_int(count) or -1) < 1:
        summary = f"Template format error: ResourceSignal Count {nodes.text(count.value)!r} must be a whole number."
        builder.fail("InvalidPolicy", summary, "Write how many signals to wait for, 1 or more.",
                     ((at, "ResourceSignal"), "Count"), count.span)  # fmt: skip
        wrong = True
    return wrong


def _is_written(node: SourceNode) -> bool:
    """Whether it is a value, and not what is computed or null, which is told of itself."""
    return node.kind == "scalar" and node.tag is None and not nodes.is_null(node)


def _seconds(found: re.Match[str]) -> float:
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds
