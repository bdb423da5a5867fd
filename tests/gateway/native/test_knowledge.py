"""Validation, types, languages, the service itself; and what is not served."""

from __future__ import annotations

import pytest
from heatclient import exc

from tests.gateway.native.conftest import CHILD, HOT, PARENT

CONSTRAINED = """\
heat_template_version: 2018-08-31
description: many limits
parameter_groups:
- {label: group, description: of one, parameters: [a]}
parameters:
  a: {type: string, label: The A, default: abc, constraints: [{length: {min: 1, max: 5}, description: short},
      {allowed_values: [abc, de]}, {allowed_pattern: '[a-z]*'}]}
  b: {type: number, constraints: [{range: {min: 2, max: 8}}, {modulo: {step: 2, offset: 0}}]}
  c: {type: comma_delimited_list, hidden: true, tags: [t]}
  d: {type: json, default: {x: 1}}
  e: {type: boolean}
  f: {type: string, constraints: [{custom_constraint: nova.flavor}]}
resources: {}
"""


@pytest.fixture(scope="module")
def described(heat):
    return heat.stacks.validate(template=CONSTRAINED, parameters={"c": "x,y", "b": 4})


@pytest.mark.parametrize(
    ("parameter", "told"),
    [
        ("a", {"Type": "String", "Description": "", "NoEcho": "false", "Label": "The A", "Default": "abc",
               "MinLength": 1, "MaxLength": 5, "AllowedValues": ["abc", "de"], "AllowedPattern": "[a-z]*",
               "ConstraintDescription": "short"}),
        ("b", {"Type": "Number", "Description": "", "NoEcho": "false", "Label": "b", "Value": "4", "MinValue": 2,
               "MaxValue": 8, "Step": 2, "Offset": 0}),
        ("c", {"Type": "CommaDelimitedList", "Description": "", "NoEcho": "true", "Label": "c", "Value": "******",
               "Tags": ["t"]}),
        ("d", {"Type": "Json", "Description": "", "NoEcho": "false", "Label": "d", "Default": {"x": 1}}),
        ("e", {"Type": "Boolean", "Description": "", "NoEcho": "false", "Label": "e"}),
        ("f", {"Type": "String", "Description": "", "NoEcho": "false", "Label": "f",
               "CustomConstraint": "nova.flavor"}),
    ],
)  # fmt: skip
def test_api_03_parameters_as_forms_need_them(described, parameter, told):
    assert described["Parameters"][parameter] == told


def test_api_03_the_rest(described):
    assert described["Description"] == "many limits"
    assert described["ParameterGroups"] == [{"label": "group", "description": "of one", "parameters": ["a"]}]
    assert described["Environment"] == {"parameters": {"c": "x,y", "b": 4}}
    assert "NestedParameters" not in described


def test_api_03_nested_parameters(heat):
    found = heat.stacks.validate(template=PARENT, files={"child.yaml": CHILD}, show_nested=True)["NestedParameters"]
    assert set(found) == {"child"}
    assert found["child"]["Type"] == "child.yaml"
    assert found["child"]["Parameters"]["word"]["Type"] == "String"


def test_engu_21_api_03_every_mistake_is_told(ask, fault):
    text = "heat_template_version: 2018-08-31\nresources:\n  a: {type: OS::No::Such}\n  b: {type: OS::Nor::This}\n"
    message = fault(ask("POST", "/validate", json={"template": text}))[1]
    assert "OS::No::Such" in message
    assert "template:4:" in message


@pytest.mark.parametrize(("codes", "status"), [("99001", 200), ("12345", 400), ("x", 400), ("99001,1", 400)])
def test_api_03_ignorable_errors(ask, codes, status):
    assert ask("POST", f"/validate?ignore_errors={codes}", json={"template": HOT}).status_code == status


# --- types ------------------------------------------------------------------------------------------------------------
def types(ask, query="", token="member"):
    answer = ask("GET", f"/resource_types{query}", token=token)
    assert answer.status_code == 200, answer.text
    return answer.json()["resource_types"]


def test_api_04_types(ask):
    found = types(ask)
    assert {"OS::Nova::Server", "OS::Neutron::Net", "OS::Heat::ResourceGroup"} <= set(found)
    assert found == sorted(found)
    assert "OS::Heat::TemplateResource" not in found
    assert not [name for name in found if name.startswith("Isotherm::")]


def test_api_04_auth_09_types_of_administrators(ask):
    assert "OS::Nova::Flavor" not in types(ask)
    assert not [name for name in types(ask) if name.startswith("OS::Keystone::")]
    assert {"OS::Nova::Flavor", "OS::Keystone::User"} <= set(types(ask, token="admin"))


def test_api_04_types_of_services_that_the_cloud_has(ask):
    found = types(ask, token="small-cloud")
    assert "OS::Neutron::Net" in found
    assert "OS::Nova::Server" not in found
    assert "OS::Cinder::Volume" in types(ask, token="admin")  # its catalogue calls it volumev3


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?name=OS::Neutron::Net$", ["OS::Neutron::Net"]),
        ("?name=Neutron", []),
        ("?name=(", []),
        ("?version=2014.1", []),
        ("?support_status=UNSUPPORTED", []),
    ],
)
def test_api_04_filters(ask, query, found):
    assert types(ask, query) == found


def test_api_04_descriptions(ask):
    found = types(ask, "?with_description=true&name=OS::Heat::")
    assert all(set(one) == {"resource_type", "description"} for one in found)


def test_api_04_support_status_is_checked(ask, fault):
    assert "should be one of" in fault(ask("GET", "/resource_types?support_status=FINE"))[1]


def test_api_05_a_schema(heat):
    found = heat.resource_types.get("OS::Nova::Server")
    assert set(found) >= {"resource_type", "properties", "attributes", "support_status"}
    assert found["support_status"]["status"] == "SUPPORTED"
    assert "show" in found["attributes"]
    assert found["properties"]["flavor"]["required"] is True


@pytest.mark.parametrize(
    ("name", "status"), [("OS::No::Such", 404), ("OS::Nova::Flavor", 403), ("OS::Heat::TemplateResource", 400)]
)
@pytest.mark.parametrize("tail", ["", "/template"])
def test_api_05_api_06_what_has_no_schema(ask, name, status, tail):
    assert ask("GET", f"/resource_types/{name}{tail}").status_code == status


def test_api_06_templates_of_a_type(ask, heat):
    cfn = heat.resource_types.generate_template("OS::Neutron::Net")
    assert cfn["HeatTemplateFormatVersion"] == "2012-12-12"
    hot = heat.resource_types.generate_template("OS::Neutron::Net", "hot")
    assert hot["heat_template_version"] == "2016-10-14"
    assert ask("GET", "/resource_types/OS::Neutron::Net/template?template_type=x").status_code == 400


# --- languages --------------------------------------------------------------------------------------------------------
def test_api_07_versions(heat):
    found = {one.version: one for one in heat.template_versions.list()}
    assert found["heat_template_version.2018-08-31"].type == "hot"
    assert found["heat_template_version.2018-08-31"].aliases == ["heat_template_version.rocky"]
    assert found["AWSTemplateFormatVersion.2010-09-09"].type == "cfn"


def test_api_08_functions(heat):
    found = {one.functions for one in heat.template_versions.get("heat_template_version.2018-08-31")}
    assert {"get_attr", "str_replace"} <= found
    assert "equals" not in found
    more = heat.template_versions.get("heat_template_version.2018-08-31", with_condition_func=True)
    assert "equals" in {one.functions for one in more}


@pytest.mark.parametrize("version", ["heat_template_version.1999-01-01", "nonsense", "2018-08-31"])
def test_api_08_an_unknown_version_is_404(heat, version):
    with pytest.raises(exc.HTTPNotFound):
        heat.template_versions.get(version)


# --- the service ------------------------------------------------------------------------------------------------------
def test_api_45_build_info(heat):
    assert heat.build_info.build_info() == {"api": {"revision": "r1"}, "engine": {"revision": "r1"}}


def test_api_46_services_are_for_administrators(served, heat):
    (one,) = served.heat("admin").services.list()
    assert (one.status, one.topic) == ("up", "engine")
    assert {"id", "host", "hostname", "binary", "engine_id", "report_interval", "created_at", "updated_at",
            "deleted_at"} <= set(one.to_dict())  # fmt: skip
    with pytest.raises(exc.HTTPForbidden):
        heat.services.list()


@pytest.mark.parametrize(
    ("method", "path", "what"),
    [
        ("GET", "/software_configs", "Software configurations"),
        ("POST", "/software_configs", "Software configurations"),
        ("DELETE", "/software_configs/1", "Software configurations"),
        ("GET", "/software_deployments?server_id=1", "Software deployments"),
        ("PUT", "/software_deployments/1", "Software deployments"),
        ("GET", "/software_deployments/metadata/1", "Software deployments"),
    ],
)
def test_what_is_not_served_says_so(ask, two, fault, method, path, what):
    kind, message = fault(ask(method, path.format(stack=two)))
    assert (kind, message) == ("NotSupported", f"{what} are not supported by Isotherm yet.")
