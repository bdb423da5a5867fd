"""What templates are made of: names with a meaning, and values that are likely to surprise."""

from __future__ import annotations

from random import Random
from typing import Final

from engine.resources.registry import Registry
from mappings import Mappings
from translators.cfn.functions import FUNCTIONS as OF_AWS
from translators.hot.functions import READERS as OF_HEAT

FUNCTIONS: Final = (*OF_HEAT, *OF_AWS, "Fn::Transform", "Fn::ForEach::Loop", "Fn::GetStackOutput")
TAGS: Final = tuple(f"!{name.removeprefix('Fn::')}" for name in OF_AWS)
TYPES: Final = (*Mappings().types(), *Registry(plugins=False).all_types())
SECTIONS: Final = (
    "heat_template_version", "parameters", "parameter_groups", "resources", "outputs", "conditions", "description",
    "AWSTemplateFormatVersion", "HeatTemplateFormatVersion", "Parameters", "Resources", "Outputs", "Conditions",
    "Mappings", "Metadata", "Rules", "Transform", "Description",
)  # fmt: skip
KEYS: Final = (
    "type", "Type", "properties", "Properties", "depends_on", "DependsOn", "condition", "Condition", "metadata",
    "Metadata", "deletion_policy", "DeletionPolicy", "update_policy", "UpdatePolicy", "CreationPolicy",
    "UpdateReplacePolicy", "external_id", "default", "Default", "constraints", "allowed_values", "AllowedValues",
    "allowed_pattern", "AllowedPattern", "range", "length", "modulo", "min", "max", "MinValue", "MaxValue", "MinLength",
    "MaxLength", "hidden", "NoEcho", "immutable", "value", "Value", "Export", "Name", "for_each", "template", "params",
    "permutations", "expression", "data", "resource_def", "count", "index_var", "Assertions", "Assert", "RuleCondition",
    "<<", "Fn::ForEach::Loop", "AWS::CloudFormation::Interface", "keys", "values", "name", "Tags", "Key", "label",
)  # fmt: skip
WORDS: Final = (
    "AWS::Region", "AWS::AccountId", "AWS::NoValue", "AWS::StackName", "AWS::StackId", "AWS::NotificationARNs",
    "AWS::LanguageExtensions", "AWS::Include", "OS::stack_id", "OS::stack_name", "OS::project_id", "string", "number",
    "json", "comma_delimited_list", "boolean", "String", "Number", "CommaDelimitedList", "List<Number>",
    "AWS::SSM::Parameter::Value<String>", "Retain", "Snapshot", "Delete", "2010-09-09", "2021-04-16", "wallaby",
    "2013-05-23", "${A}", "${AWS::Region}", "${!x}", "{{resolve:ssm:name:1}}", "{{resolve:secretsmanager:a:b:c}}",
    "$.data", "$.data.select($)", "10.0.0.0/8", "::/0", "(a+)+$", "%index%", "show", "Ref",
)  # fmt: skip
ODD_TEXTS: Final = (
    "", " ", "\n", "\t", "\x00", "\x7f", "\x85", "\u2028", "\ufeff", "\U0001f525", "é" * 300, "a" * 5000, "%", "%(x)s",
    "{}", "{0}", "${", "${}", "{{resolve:", "}}", "'", '"', "\\", "*", "&", "!", "|", ">", "-", "?", ":", "#", "~",
    "..", "../../etc/passwd", "file:///etc/passwd", "http://[", "http://[::1", "null", "yes", "NaN", "1e999", "0x",
    "1_000", "1:2:3", ".", "[", "(", "(?", "١٢", "²", "-0", "1/2", "2001-01-01", "a,b", "a\nb", "\u202e", "İ", "ß",
)  # fmt: skip
#: As they stand in a YAML text.
ODD_PLAIN: Final = (
    "0", "-1", "1", "2", "255", "256", "65536", "2147483648", "-2147483649", "9223372036854775808", "1" * 400,
    "0x" + "f" * 3990, "1e308", "1.0e+309", "-.inf", ".inf", ".nan", "0.1", "-0.0", "1.5", "true", "false", "null", "~",
    "0777", "0b1", "1:30:00", "1_0", "=", "<<", "2001-12-14t21:59:43.10-05:00",
)  # fmt: skip


def odd_text(random: Random) -> str:
    chosen = random.random()
    if chosen < 0.4:
        return random.choice(WORDS)
    if chosen < 0.8:
        return random.choice(ODD_TEXTS)
    return "".join(chr(random.choice(_RANGES)(random)) for _ in range(random.randrange(1, 12)))


_RANGES: Final = (
    lambda random: random.randrange(32, 127),
    lambda random: random.randrange(0xA0, 0xD800),
    lambda random: random.randrange(0x10000, 0x110000),
)
