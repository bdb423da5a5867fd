"""What is called what: members of lowered resources are `WebServer_port`, the one that stands for all of them
`WebServer`; mappings become parameters."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from engine.model.expression import ResourceRef
from engine.model.template import Group, Template

_TAKES_SIGNALS = "Isotherm::SignalBox"


def resource_names(template: Template) -> dict[str, str]:
    """Names by address, none of them a parameter's."""
    taken = {*template.parameters, *(one.address for one in template.resources.values() if one.group is None)}
    names = {address: address for address in template.resources if template.resources[address].group is None}
    for address, wanted in _main_members(template):
        names[address] = wanted
        taken.add(wanted)
    for address in template.resources:
        if address not in names:
            names[address] = _free(address.replace("/", "_"), taken)
            taken.add(names[address])
    return {address: names[address] for address in template.resources}


def _main_members(template: Template) -> Iterator[tuple[str, str]]:
    for group in template.groups.values():
        main = main_member(group, template)
        if main is not None and group.address not in template.resources:
            yield main, group.address


def main_member(group: Group, template: Template) -> str | None:
    """The address of the member that bears the group's name: signals are sent to the name; else it is what a
    reference to the group is, or the only one there is."""
    for member in group.members:
        if template.resources[member].type == _TAKES_SIGNALS:
            return member
    if isinstance(group.reference, ResourceRef) and group.reference.address in group.members:
        return group.reference.address
    return group.members[0] if len(group.members) == 1 else None


def mapping_names(template: Template, resources: Collection[str]) -> Mapping[str, str]:
    """The parameter that each mapping becomes."""
    taken = {*template.parameters, *resources}
    found: dict[str, str] = {}
    for name in template.mappings:
        found[name] = _free(name, taken)
        taken.add(found[name])
    return found


def _free(wanted: str, taken: Collection[str]) -> str:
    name, position = wanted, 2
    while name in taken:
        name, position = f"{wanted}_{position}", position + 1
    return name
