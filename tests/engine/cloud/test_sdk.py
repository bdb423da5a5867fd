"""`describe` reads what the SDK's classes say when they are run."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

from engine.cloud.sdk import describe

CLASSES = [
    "network.v2.network.Network",
    "network.v2.subnet.Subnet",
    "network.v2.port.Port",
    "network.v2.router.Router",
    "network.v2.floating_ip.FloatingIP",
    "network.v2.security_group.SecurityGroup",
    "network.v2.security_group_rule.SecurityGroupRule",
    "network.v2.subnet_pool.SubnetPool",
    "network.v2.address_scope.AddressScope",
    "network.v2.trunk.Trunk",
    "network.v2.qos_policy.QoSPolicy",
    "network.v2.rbac_policy.RBACPolicy",
    "network.v2.qos_bandwidth_limit_rule.QoSBandwidthLimitRule",
    "compute.v2.server.Server",
    "compute.v2.keypair.Keypair",
    "compute.v2.flavor.Flavor",
    "compute.v2.server_group.ServerGroup",
    "compute.v2.volume_attachment.VolumeAttachment",
    "block_storage.v3.volume.Volume",
    "block_storage.v3.snapshot.Snapshot",
    "block_storage.v3.backup.Backup",
    "block_storage.v3.type.Type",
    "image.v2.image.Image",
    "object_store.v1.container.Container",
    "identity.v3.user.User",
    "identity.v3.project.Project",
    "identity.v3.role.Role",
    "identity.v3.application_credential.ApplicationCredential",
    "identity.v3.trust.Trust",
    "load_balancer.v2.load_balancer.LoadBalancer",
    "load_balancer.v2.member.Member",
    "dns.v2.zone.Zone",
    "dns.v2.recordset.Recordset",
    "key_manager.v1.secret.Secret",
    "shared_file_system.v2.share.Share",
    "orchestration.v1.stack.Stack",
    "workflow.v2.workflow.Workflow",
]


@pytest.mark.parametrize("name", CLASSES)
def test_describe_says_what_the_class_says(name):
    module, _, class_name = name.rpartition(".")
    real = getattr(importlib.import_module(f"openstack.{module}"), class_name)
    found = describe(name)
    assert (found.base_path, found.resource_key, found.resources_key) == (
        real.base_path or "",
        real.resource_key,
        real.resources_key,
    )
    create = real.create_opts.method if hasattr(real, "create_opts") else real.create_method
    assert (found.create_method, found.commit_method) == (create, real.commit_method)
    assert dict(found.body) == _bodies(real)
    assert found.allow == {
        verb for verb in ("create", "fetch", "commit", "delete", "list") if getattr(real, f"allow_{verb}")
    }
    assert dict(found.query).items() <= dict(real._query_mapping._mapping).items()


def _bodies(real):
    """Attribute → wire name, over the classes in the order in which Python looks."""
    members = {}
    for cls in reversed(real.__mro__):
        members |= vars(cls)
    return {name: member.name for name, member in members.items() if type(member).__name__ == "Body"}


def test_describe_imports_no_sdk():
    code = "import sys; from engine.cloud.sdk import describe; describe('compute.v2.server.Server'); "
    code += "sys.exit('openstack' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_service_type_is_the_catalogues():
    assert describe("block_storage.v3.volume.Volume").service == "block-storage"


def test_a_class_that_the_sdk_has_not_is_a_lookup_error():
    with pytest.raises(LookupError, match=r"no class openstack\.network\.v2\.router\.Nothing"):
        describe("network.v2.router.Nothing")
    with pytest.raises(LookupError, match="no module"):
        describe("network.v9.router.Router")
