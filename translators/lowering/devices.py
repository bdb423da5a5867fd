"""Block devices of instances: volumes of our own, so that they can be found again, given to Nova at boot."""

from __future__ import annotations

from engine.model.expression import Expression, ListOf, Literal, NoValue, TableLookup
from engine.model.nearest import did_you_mean
from engine.model.template import DeletionPolicy
from translators.lowering import logic
from translators.lowering.draft import Draft
from translators.lowering.language import tag_map

_ROOTS = frozenset({"/dev/sda1", "/dev/xvda", "/dev/sda"})
_IGNORED = frozenset({"Iops", "Throughput", "Encrypted", "KmsKeyId"})
_EBS = frozenset({"DeleteOnTermination", "SnapshotId", "VolumeSize", "VolumeType"})


def volumes(draft: Draft) -> None:
    """Add the volumes of BlockDeviceMappings, and the attachments of Volumes."""
    listed = logic.items(draft.prop("BlockDeviceMappings"))
    if listed is None:
        draft.error("NotWrittenOut", "BlockDeviceMappings must be a list.", "Write the devices out.",
                    "BlockDeviceMappings")  # fmt: skip
        return
    devices = [one for position, mapping in enumerate(listed) if (one := _device(draft, position, mapping)) is not None]
    server = draft.members["server"]
    if any(logic.text(logic.entry(one, "boot_index")) == "0" for one in devices):
        del server.properties["image"]
    if devices:
        server.properties["block_device_mapping_v2"] = ListOf(tuple(devices))
    for position, one in enumerate(logic.items(draft.prop("Volumes")) or ()):
        draft.add(
            f"attachment{position}", "OS::Cinder::VolumeAttachment",
            {"instance_uuid": draft.ref("server"), "volume_id": logic.entry(one, "VolumeId")},
        )  # fmt: skip


def _device(draft: Draft, position: int, mapping: Expression) -> Expression | None:
    path = ("BlockDeviceMappings", str(position))
    ebs = logic.entry(mapping, "Ebs")
    if ebs is None:
        # Ephemeral disks come with the flavor; NoDevice takes away what is not there.
        draft.warn("PropertyIgnored", "A device without Ebs is ignored: local disks come with the flavor.", *path)
        return None
    _check(draft, ebs, (*path, "Ebs"))
    root = (logic.text(logic.entry(mapping, "DeviceName")) or "") in _ROOTS
    size, snapshot = logic.entry(ebs, "VolumeSize"), logic.entry(ebs, "SnapshotId")
    if size is None and (root or snapshot is None):
        return None  # the image's own disk, whose type is the flavor's affair
    kind = logic.entry(ebs, "VolumeType")
    member = draft.add(
        f"volume{position}",
        "OS::Cinder::Volume",
        {
            "size": size,
            "image": draft.ref("image") if root else None,
            "snapshot_id": None if root else snapshot,
            "volume_type": None if kind is None else volume_type(draft, kind),
            "metadata": tag_map(draft),
        },
    )
    if logic.is_true(logic.entry(ebs, "DeleteOnTermination") or Literal(True)) == logic.FALSE:
        member.deletion_policy = DeletionPolicy.RETAIN
    return logic.mapping(volume_id=draft.ref(member.name), boot_index=Literal(0 if root else -1))


def volume_type(draft: Draft, kind: Expression) -> Expression:
    """The cloud's type for an AWS one; nothing, so the cloud's default, when the table has no row."""
    return TableLookup(draft.world.rows.table("volume_types"), kind, NoValue())


def _check(draft: Draft, ebs: Expression, path: tuple[str, ...]) -> None:
    encrypted = logic.is_true(logic.entry(ebs, "Encrypted"))
    hint = "Name an encrypted type of your cloud as VolumeType (table volume_types)."
    if encrypted == logic.TRUE:
        draft.error("PropertyRejected", "Ebs.Encrypted cannot be had here.", hint, *path, "Encrypted")
    elif encrypted != logic.FALSE:
        draft.warn("PropertyUndecided", f"Ebs.Encrypted cannot be had here. {hint}", *path, "Encrypted")
    known = _EBS | _IGNORED
    for key in logic.keys(ebs):
        if key not in known:
            draft.error("UnsupportedProperty", f"Encountered unsupported property {key}",
                        did_you_mean(key, known) or f"Ebs has {', '.join(sorted(known))}.", *path, key)  # fmt: skip
