"""The table of functions (cloudformation.md L14 to L41, heat.md TC-01 to TC-13)."""

from __future__ import annotations

from translators.cfn import choices, lookups, rule_functions, texts
from translators.cfn.builder import Function, Scope

_VALUES = frozenset({Scope.VALUES})
_CONDITIONS = frozenset({Scope.CONDITIONS, Scope.RULES})
_RULES = frozenset({Scope.RULES})
_EVERYWHERE = frozenset(Scope)

FUNCTIONS: dict[str, Function] = {
    "Ref": Function(lookups.ref, _EVERYWHERE),
    "Fn::GetAtt": Function(lookups.get_att, _VALUES),
    "Fn::FindInMap": Function(lookups.find_in_map, _EVERYWHERE),
    "Fn::GetAZs": Function(lookups.get_azs, _VALUES),
    "Fn::ImportValue": Function(lookups.import_value, _VALUES),
    "Fn::GetStackOutput": Function(lookups.stack_output, _VALUES),
    "Fn::Select": Function(lookups.select, _EVERYWHERE),
    "Fn::Sub": Function(texts.sub, _EVERYWHERE),
    "Fn::Join": Function(texts.join, _EVERYWHERE),
    "Fn::Split": Function(texts.split, _EVERYWHERE),
    "Fn::Base64": Function(texts.base64, _VALUES),
    "Fn::Cidr": Function(texts.cidr, _VALUES),
    "Fn::If": Function(choices.if_, _EVERYWHERE),
    "Fn::Equals": Function(choices.equals, _CONDITIONS),
    "Fn::Not": Function(choices.not_, _CONDITIONS),
    "Fn::And": Function(choices.and_, _CONDITIONS),
    "Fn::Or": Function(choices.or_, _CONDITIONS),
    "Condition": Function(choices.condition, _EVERYWHERE),
    "Fn::Contains": Function(rule_functions.contains, _CONDITIONS),
    "Fn::EachMemberEquals": Function(rule_functions.each_member_equals, _CONDITIONS),
    "Fn::EachMemberIn": Function(rule_functions.each_member_in, _CONDITIONS),
    "Fn::RefAll": Function(rule_functions.ref_all, _RULES),
    "Fn::ValueOf": Function(rule_functions.value_of, _RULES),
    "Fn::ValueOfAll": Function(rule_functions.value_of_all, _RULES),
    "Fn::Length": Function(texts.length, _EVERYWHERE, extension=True),
    "Fn::ToJsonString": Function(texts.to_json_string, _EVERYWHERE, extension=True),
    "Fn::Replace": Function(texts.replace, _VALUES),
    "Fn::MemberListToMap": Function(texts.member_list_to_map, _VALUES),
    "Fn::ResourceFacade": Function(lookups.resource_facade, _VALUES),
}
