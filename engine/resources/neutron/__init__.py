"""Networking types."""

from typing import Final

TYPES: Final = {
    "OS::Neutron::ExtraRouteSet": "extra_route_set:ExtraRouteSet",
    "OS::Neutron::FloatingIP": "floating_ip:FloatingIP",
    "OS::Neutron::FloatingIPAssociation": "floating_ip_association:FloatingIPAssociation",
    "OS::Neutron::Net": "net:Net",
    "OS::Neutron::Port": "port:Port",
    "OS::Neutron::Router": "router:Router",
    "OS::Neutron::RouterGateway": "router_gateway:RouterGateway",
    "OS::Neutron::RouterInterface": "router_interface:RouterInterface",
    "OS::Neutron::SecurityGroup": "security_group:SecurityGroup",
    "OS::Neutron::SecurityGroupRule": "security_group_rule:SecurityGroupRule",
    "OS::Neutron::Subnet": "subnet:Subnet",
    "OS::Neutron::SubnetPool": "subnet_pool:SubnetPool",
}
