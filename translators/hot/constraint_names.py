"""The names a `custom_constraint` may have (heat.md §3.5, TK rows)."""

from __future__ import annotations

CUSTOM_CONSTRAINTS = frozenset(
    {
        "cron_expression", "dns_domain", "dns_name", "expiration", "ip_addr", "ip_or_cidr", "iso_8601",
        "json_string", "mac_addr", "net_cidr", "rel_dns_name", "test_constr", "timezone", "barbican.container",
        "barbican.secret", "blazar.reservation", "cinder.backup", "cinder.qos_specs", "cinder.snapshot",
        "cinder.volume", "cinder.vtype", "designate.zone", "glance.image", "ironic.node", "ironic.portgroup",
        "keystone.domain", "keystone.group", "keystone.project", "keystone.region", "keystone.role",
        "keystone.service", "keystone.user", "magnum.cluster_template", "manila.share_network",
        "manila.share_snapshot", "manila.share_type", "mistral.workflow", "neutron.address_scope",
        "neutron.flow_classifier", "neutron.lbaas.listener", "neutron.lbaas.loadbalancer", "neutron.lbaas.pool",
        "neutron.lbaas.provider", "neutron.network", "neutron.port", "neutron.port_pair",
        "neutron.port_pair_group", "neutron.qos_policy", "neutron.router", "neutron.security_group",
        "neutron.segment", "neutron.subnet", "neutron.subnetpool", "neutron.taas.tap_flow",
        "neutron.taas.tap_service", "nova.flavor", "nova.host", "nova.keypair", "nova.network", "nova.server",
        "octavia.availabilityzone", "octavia.availabilityzoneprofile", "octavia.flavor",
        "octavia.flavorprofile", "octavia.l7policy", "octavia.listener", "octavia.loadbalancer", "octavia.pool",
        "trove.flavor", "zaqar.queue",
    }
)  # fmt: skip
