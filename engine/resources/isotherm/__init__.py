"""Types of our own, which mappings lower to. They know OpenStack; what they are for elsewhere they do not know."""

from collections.abc import Mapping
from typing import Final

#: Types that may say of what they show that it must not be seen.
HIDING: Final = frozenset({"Isotherm::CustomResource"})

TYPES: Final[Mapping[str, str]] = {
    "Isotherm::AutoScalingGroup": "autoscaling_group:AutoScalingGroup",
    "Isotherm::CustomResource": "custom_resource:CustomResource",
    "Isotherm::Glance::ImageChoice": "choices:ImageChoice",
    "Isotherm::LaunchTemplate": "launch_template:LaunchTemplate",
    "Isotherm::Neutron::AddressBinding": "address_binding:AddressBinding",
    "Isotherm::Neutron::DefaultRoute": "default_route:DefaultRoute",
    "Isotherm::Neutron::ExternalNetwork": "choices:ExternalNetwork",
    "Isotherm::Neutron::FabricSubnet": "fabric_subnet:FabricSubnet",
    "Isotherm::Neutron::Group": "group:Group",
    "Isotherm::Neutron::GroupRule": "group_rule:GroupRule",
    "Isotherm::Neutron::Interface": "interface:Interface",
    "Isotherm::Neutron::Net": "tied:Net",
    "Isotherm::Neutron::PeeringNet": "peering:PeeringNet",
    "Isotherm::Neutron::PeeringRoute": "peering:PeeringRoute",
    "Isotherm::Neutron::PortRoute": "port_route:PortRoute",
    "Isotherm::Neutron::PublicAddress": "public_address:PublicAddress",
    "Isotherm::Neutron::Router": "tied:Router",
    "Isotherm::Neutron::RouterLeg": "router_leg:RouterLeg",
    "Isotherm::Neutron::SubnetPool": "tied:SubnetPool",
    "Isotherm::Neutron::Uplink": "uplink:Uplink",
    "Isotherm::Neutron::UplinkMove": "uplink:UplinkMove",
    "Isotherm::Neutron::VpcBlock": "vpc_block:VpcBlock",
    "Isotherm::Neutron::VpcSubnet": "vpc_subnet:VpcSubnet",
    "Isotherm::Nova::FlavorChoice": "choices:FlavorChoice",
    "Isotherm::Nova::Server": "tied:Server",
    "Isotherm::Nova::Zone": "choices:Zone",
    "Isotherm::Parameter": "parameter:StoredParameter",
    "Isotherm::Record": "record:Record",
    "Isotherm::SignalBox": "signals:SignalBox",
    "Isotherm::Signals": "signals:Signals",
    "Isotherm::Stack": "stack:Stack",
    "Isotherm::WaitConditionHandle": "signals:WaitConditionHandle",
}
