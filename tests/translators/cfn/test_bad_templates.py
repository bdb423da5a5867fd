"""Bad templates and exactly what is said of them: code, line, column and AWS's own text.

Ids carry the row of the reference that the case shows (cloudformation.md §3, §3.1 and W46).
"""

# ruff: noqa: E501  (the sentences of AWS stand in one piece)

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.model.diagnostic import Diagnostic, Severity

R = "Resources:\n  R: {Type: AWS::SQS::Queue}\n"


def prop(value: str) -> str:
    return f"Resources:\n  R:\n    Type: AWS::SQS::Queue\n    Properties:\n      P: {value}\n"


def cond(value: str) -> str:
    return f"Conditions:\n  C: {value}\n" + R


def param(keys: str) -> str:
    return f"Parameters:\n  P: {{{keys}}}\n" + R


def res(keys: str) -> str:
    return f"Resources:\n  R:\n    Type: AWS::SQS::Queue\n    {keys}\n"


# text of the template, then (code, line, column, how the summary begins) of every finding
BAD: dict[str, tuple[str, list[tuple[str, int, int, str]]]] = {
    "W46 not a map": (
        "[1, 2]\n",
        [("InvalidStructure", 1, 1, "Template format error: unsupported structure.")],
    ),
    "W46 no resources": (
        "Description: x\n",
        [("NoResources", 1, 1, "Template format error: At least one Resources member must be defined.")],
    ),
    "W46 empty resources": (
        "Resources: {}\n",
        [("NoResources", 1, 12, "Template format error: At least one Resources member must be defined.")],
    ),
    "W46 null resources": (
        "Parameters: {}\nResources:\n",
        [("NoResources", 2, 11, "Template format error: At least one Resources member must be defined.")],
    ),
    "W46 resources a list": (
        "Resources: [a]\n",
        [("InvalidStructure", 1, 12, "Template format error: Any Resources member must be an object.")],
    ),
    "W46 unknown section": (
        "Resorces: {}\n" + R,
        [("UnknownSection", 1, 1, "Invalid template property or properties [Resorces]")],
    ),
    "L10 globals": (
        "Globals: {}\n" + R,
        [("UnsupportedSection", 1, 1, "Invalid template property or properties [Globals]")],
    ),
    "L11 hooks": (
        "Hooks: {}\n" + R,
        [("UnsupportedSection", 1, 1, "Invalid template property or properties [Hooks]")],
    ),
    "L01 version": (
        "AWSTemplateFormatVersion: '2020-09-09'\n" + R,
        [
            (
                "UnknownVersion",
                1,
                27,
                "Template format error: 2020-09-09 is not a supported value for AWSTemplateFormatVersion.",
            )
        ],
    ),
    "L02 version": (
        "HeatTemplateFormatVersion: '2014-01-01'\n" + R,
        [
            (
                "UnknownVersion",
                1,
                28,
                "Template format error: 2014-01-01 is not a supported value for HeatTemplateFormatVersion.",
            )
        ],
    ),
    "L03 description not text": (
        "Description: [a]\n" + R,
        [("InvalidStructure", 1, 14, "Template format error: Every Description member must be a string.")],
    ),
    "Q09 description": (
        "Description: " + "x" * 1025 + "\n" + R,
        [("LimitExceeded", 1, 14, "Template format error: 'Description' length is greater than 1024.")],
    ),
    "L09 transform without a name": (
        "Transform: [{Parameters: {}}]\n" + R,
        [("InvalidStructure", 1, 13, "Template format error: Every Transform member must be a string or an object")],
    ),
    "L09 unknown transform": (
        "Transform: [AWS::LanguageExtensions, AWS::LanguageExtension]\n" + R,
        [("UnknownTransform", 1, 38, "No transform named AWS::LanguageExtension found.")],
    ),
    "L88 transform of a service that is not here": (
        "Transform: AWS::CodeDeployBlueGreen\n" + R,
        [("TransformNotSupported", 1, 12, "Transform AWS::CodeDeployBlueGreen is not supported: there is no such")],
    ),
    "L85 include without a location": (
        "Transform: {Name: AWS::Include}\n" + R,
        [("TransformFailed", 1, 12, "Transform AWS::Include failed with: The Location parameter is missing.")],
    ),
    "L85 include of a location that is not known": (
        prop("{'Fn::Transform': {Name: AWS::Include, Parameters: {Location: !GetAtt R.Arn}}}"),
        [
            (
                "UndecidedLocation",
                5,
                72,
                "Transform AWS::Include failed with: The Location cannot be resolved: Fn::GetAtt",
            )
        ],
    ),
    "L30 transform without a name": (
        prop("{'Fn::Transform': {Parameters: {}}}"),
        [("InvalidFunctionArgument", 5, 28, "Template error: every Fn::Transform object requires a Name.")],
    ),
    "L30 two transforms at one place": (
        prop("{'Fn::Transform': [{Name: A}, {Name: B}]}"),
        [("InvalidFunctionArgument", 5, 40, "Template error: every Fn::Transform object calls one transform.")],
    ),
    "L30 transform for whole templates inside": (
        prop("!Transform {Name: AWS::LanguageExtensions}"),
        [("TransformNotSupported", 5, 10, "Transform AWS::LanguageExtensions cannot be called by Fn::Transform")],
    ),
    "L86 application of the repository": (
        "Transform: AWS::Serverless-2016-10-31\nResources:\n  R:\n    Type: AWS::Serverless::Application\n"
        "    Properties: {Location: {ApplicationId: a, SemanticVersion: 1.0.0}}\n",
        [("TransformFailed", 5, 28, "Resource with id [R] is invalid. The Serverless Application Repository cannot")],
    ),
    "L33 loop without the transform": (
        "Resources:\n  Fn::ForEach::X: [A, [a], {'Q${A}': {Type: AWS::SQS::Queue}}]\n",
        [
            (
                "TransformMissing",
                2,
                3,
                "Template error: Fn::ForEach::X can only be used with the transform AWS::LanguageExtensions.",
            )
        ],
    ),
    "W46 resource not an object": (
        "Resources:\n  R: AWS::SQS::Queue\n",
        [("InvalidResource", 2, 3, "Template format error: [/Resources/R] Any Resources member must be an object.")],
    ),
    "W46 resource without type": (
        "Resources:\n  R: {Properties: {}}\n",
        [
            (
                "InvalidResource",
                2,
                3,
                "Template format error: [/Resources/R] Every Resources object must contain a Type member.",
            )
        ],
    ),
    "W46 type not text": (
        "Resources:\n  R: {Type: [a]}\n",
        [("InvalidResource", 2, 13, "Template format error: [/Resources/R/Type] Every Type member must be a string.")],
    ),
    "W46 resource name": (
        "Resources:\n  my-queue: {Type: AWS::SQS::Queue}\n",
        [("InvalidName", 2, 3, "Template format error: Resource name my-queue is non alphanumeric.")],
    ),
    "Q08 resource name": (
        "Resources:\n  " + "x" * 256 + ": {Type: AWS::SQS::Queue}\n",
        [
            (
                "InvalidName",
                2,
                3,
                "Template format error: Resource name xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx… has 256 characters, more than 255.",
            )
        ],
    ),
    "W46 resource key": (
        res("Proprties: {}"),
        [("InvalidResource", 4, 5, "Invalid template resource property 'Proprties'")],
    ),
    "W46 properties not an object": (
        res("Properties: [a]"),
        [
            (
                "InvalidResource",
                4,
                17,
                "Template format error: [/Resources/R/Properties] Every Properties member must be an object.",
            )
        ],
    ),
    "W46 null property": (
        res("Properties: {A: {B: }}"),
        [("NullValue", 4, 25, "[/Resources/R/Properties/A/B] 'null' values are not allowed in templates")],
    ),
    "L77 depends on nothing": (
        res("DependsOn: [S]"),
        [
            (
                "UnknownReference",
                4,
                17,
                "Template format error: Unresolved resource dependencies [S] in the Resources block of the template",
            )
        ],
    ),
    "L77 depends on a number": (
        res("DependsOn: 1"),
        [("InvalidResource", 4, 16, "Template format error: DependsOn must be a string or list of strings.")],
    ),
    "L78 condition": (
        res("Condition: Prod"),
        [
            (
                "UnknownCondition",
                4,
                16,
                "Template format error: Unresolved condition dependency Prod in the Resources block of the template",
            )
        ],
    ),
    "L80 creation policy": (
        res("CreationPolicy: {ResourceSignals: {}}"),
        [("InvalidPolicy", 4, 22, "Template format error: CreationPolicy has the unknown member ResourceSignals")],
    ),
    "L80 timeout": (
        res("CreationPolicy: {ResourceSignal: {Timeout: 15m}}"),
        [
            (
                "InvalidPolicy",
                4,
                48,
                "Template format error: ResourceSignal Timeout '15m' must be a duration of ISO 8601.",
            )
        ],
    ),
    "L81 deletion policy": (
        res("DeletionPolicy: Retian"),
        [("InvalidPolicy", 4, 21, "Template format error: Unrecognized DeletionPolicy Retian for resource R")],
    ),
    "L81 deletion policy by a function": (
        res("DeletionPolicy: !Ref AWS::Region"),
        [("InvalidPolicy", 4, 21, "Template format error: Every DeletionPolicy member must be a string.")],
    ),
    "L81 snapshot": (
        res("DeletionPolicy: Snapshot"),
        [
            (
                "InvalidPolicy",
                4,
                21,
                "Template error: resource type AWS::SQS::Queue does not support deletion policy Snapshot",
            )
        ],
    ),
    "L82 update replace policy": (
        res("UpdateReplacePolicy: RetainExceptOnCreate"),
        [
            (
                "InvalidPolicy",
                4,
                26,
                "Template format error: Unrecognized UpdateReplacePolicy RetainExceptOnCreate for resource R",
            )
        ],
    ),
    "Q04 resources": (
        "Resources:\n" + "".join(f"  R{n}: {{Type: AWS::SQS::Queue}}\n" for n in range(501)),
        [
            (
                "LimitExceeded",
                2,
                3,
                "Template format error: Number of resources, 501, is greater than maximum allowed, 500",
            )
        ],
    ),
    "TV-18 names": (
        "Parameters:\n  R: {Type: String}\n" + R,
        [("DuplicateName", 4, 3, "Template format error: The name R is used for a parameter and for a resource.")],
    ),
    "L70 no type": (
        param("Default: x"),
        [("InvalidParameter", 2, 6, "Template format error: Every Parameters object must contain a Type member.")],
    ),
    "L70 unknown type": (
        param("Type: Strng"),
        [("InvalidParameter", 2, 13, "Template format error: Unrecognized parameter type: Strng")],
    ),
    "L70 key": (
        param("Type: String, Defualt: x"),
        [("InvalidParameter", 2, 21, "Invalid template parameter property 'Defualt'")],
    ),
    "L70 default a function": (
        param("Type: String, Default: !Ref X"),
        [("InvalidParameter", 2, 30, "Template format error: Every Default member must be a string.")],
    ),
    "L51 default no number": (
        param("Type: Number, Default: many"),
        [("InvalidParameter", 2, 30, "Parameter 'P' must be a number.")],
    ),
    "L71 allowed values": (
        param("Type: String, AllowedValues: a"),
        [("InvalidParameter", 2, 36, "Template format error: Every AllowedValues member must be a list.")],
    ),
    "L74 length": (
        param("Type: String, MinLength: few"),
        [("InvalidParameter", 2, 32, "Template format error: Parameter 'P' MinLength must be a number.")],
    ),
    "L74 order": (
        param("Type: String, MinLength: 3, MaxLength: 2"),
        [("InvalidParameter", 2, 32, "Template format error: Parameter 'P' MinLength must be less than MaxLength.")],
    ),
    "L76 no echo": (
        param("Type: String, NoEcho: perhaps"),
        [("InvalidParameter", 2, 29, "Template format error: Every NoEcho member must be a boolean.")],
    ),
    "L69 ssm type that is none": (
        param("Type: AWS::SSM::Parameter::Value<Boolean>"),
        [
            (
                "InvalidParameter",
                2,
                13,
                "Template format error: Unrecognized parameter type: AWS::SSM::Parameter::Value<Boolean>",
            )
        ],
    ),
    "L67 ssm value that is not asked for here": (
        param("Type: AWS::SSM::Parameter::Value<List<String>>, Default: /a"),
        [
            (
                "OutsideNeeded",
                2,
                3,
                "The template cannot be understood without asking for: parameter /a.",
            )
        ],
    ),
    "W46 parameter name": (
        "Parameters:\n  my_name: {Type: String}\n" + R,
        [("InvalidName", 2, 3, "Template format error: Parameter name my_name is non alphanumeric.")],
    ),
    "W46 parameter not an object": (
        "Parameters:\n  P: String\n" + R,
        [("InvalidParameter", 2, 3, "Template format error: Any Parameters member must be an object.")],
    ),
    "Q05 parameters": (
        "Parameters:\n" + "".join(f"  P{n}: {{Type: String}}\n" for n in range(201)) + R,
        [
            (
                "LimitExceeded",
                2,
                3,
                "Template format error: Number of parameters, 201, is greater than maximum allowed, 200",
            )
        ],
    ),
    "Q05 description": (
        param("Type: String, Description: '" + "x" * 4001 + "'"),
        [("InvalidParameter", 2, 34, "Template format error: Description must be no longer than 4000 characters.")],
    ),
    "Q05 default": (
        param("Type: String, Default: '" + "x" * 4097 + "'"),
        [("InvalidParameter", 2, 30, "Template format error: Parameter 'P' default value is longer than 4096 bytes.")],
    ),
    "L07 one level": (
        "Mappings:\n  M: {a: b}\n" + R,
        [("InvalidMapping", 2, 10, "Template format error: Every Mappings attribute must be a map")],
    ),
    "L07 function": (
        "Mappings:\n  M: {a: {b: !Ref AWS::Region}}\n" + R,
        [("InvalidMapping", 2, 14, "Template format error: Every Mappings attribute must be a String or a List.")],
    ),
    "L07 row name": (
        "Mappings:\n  M: {a_b: {c: d}}\n" + R,
        [
            (
                "InvalidName",
                2,
                7,
                "Template format error: Mappings element name 'a_b' must be non-empty and contain only alphanumerics, '-' or '.'",
            )
        ],
    ),
    "L07 attribute name": (
        "Mappings:\n  M: {a: {b-c: d}}\n" + R,
        [
            (
                "InvalidName",
                2,
                11,
                "Template format error: Mappings attribute name 'b-c' must contain only alphanumeric characters.",
            )
        ],
    ),
    "Q07 mappings": (
        "Mappings:\n" + "".join(f"  M{n}: {{a: {{b: c}}}}\n" for n in range(201)) + R,
        [
            (
                "LimitExceeded",
                2,
                3,
                "Template format error: Number of mappings, 201, is greater than maximum allowed, 200",
            )
        ],
    ),
    "L08 a value": (
        cond("true"),
        [
            (
                "InvalidCondition",
                2,
                6,
                "Template format error: Conditions can only be boolean operations on parameters and other conditions",
            )
        ],
    ),
    "L08 a text function": (
        cond("!Sub 'true'"),
        [
            (
                "InvalidCondition",
                2,
                6,
                "Template format error: Conditions can only be boolean operations on parameters and other conditions",
            )
        ],
    ),
    "L08 a resource": (
        cond("!Equals [!Ref R, x]"),
        [
            (
                "UnknownReference",
                2,
                15,
                "Template format error: Unresolved dependencies [R]. Cannot reference resources in the Conditions block of the template",
            )
        ],
    ),
    "L08 a function of resources": (
        cond("!Equals [!GetAtt R.Arn, x]"),
        [
            (
                "FunctionNotAllowed",
                2,
                15,
                "Template format error: Conditions can only be boolean operations on parameters and other conditions (Fn::GetAtt is not)",
            )
        ],
    ),
    "L19 equals": (
        cond("!Equals [a]"),
        [
            (
                "InvalidFunctionArgument",
                2,
                6,
                "Template error: every Fn::Equals object requires a list of 2 string parameters.",
            )
        ],
    ),
    "L20 not": (
        cond("!Not [!Equals [a, a], !Equals [a, a]]"),
        [("InvalidFunctionArgument", 2, 6, "Template error: every Fn::Not object requires one boolean parameter.")],
    ),
    "L20 not without list": (
        cond("{'Fn::Not': {'Fn::Equals': [a, a]}}"),
        [("InvalidFunctionArgument", 2, 18, "Template error: every Fn::Not object requires one boolean parameter.")],
    ),
    "L21 and": (
        cond("!And [!Equals [a, a]]"),
        [
            (
                "InvalidFunctionArgument",
                2,
                6,
                "Template error: every Fn::And object requires a list of at least 2 and at most 10 boolean parameters.",
            )
        ],
    ),
    "L21 or": (
        cond("!Or [" + ", ".join(["!Equals [a, a]"] * 11) + "]"),
        [
            (
                "InvalidFunctionArgument",
                2,
                6,
                "Template error: every Fn::Or object requires a list of at least 2 and at most 10 boolean parameters.",
            )
        ],
    ),
    "L21 operand": (
        cond("!And [a, !Equals [a, a]]"),
        [
            (
                "InvalidFunctionArgument",
                2,
                12,
                "Template error: every Fn::And object requires a list of at least 2 and at most 10 boolean parameters.",
            )
        ],
    ),
    "L22 condition": (
        cond("!Not [!Condition D]"),
        [("UnknownCondition", 2, 12, "Template error: unresolved condition dependency D in Condition")],
    ),
    "L06 rule": (
        "Rules:\n  A: {}\n" + R,
        [("InvalidRule", 2, 3, "Template format error: Rule A must contain a list of Assertions.")],
    ),
    "L06 assertion": (
        "Rules:\n  A: {Assertions: [{AssertDescription: x}]}\n" + R,
        [("InvalidRule", 2, 20, "Template format error: Every Assertions member of rule A must contain an Assert.")],
    ),
    "L06 rule of a resource": (
        "Rules:\n  A: {Assertions: [{Assert: !Contains [[a], !Ref R]}]}\n" + R,
        [
            (
                "UnknownReference",
                2,
                45,
                "Template format error: Unresolved dependencies [R]. Cannot reference resources in the Rules block of the template",
            )
        ],
    ),
    "L38 outside rules": (
        prop("{'Fn::RefAll': String}"),
        [
            (
                "FunctionNotAllowed",
                5,
                11,
                "Template error: Fn::RefAll is only supported in the Conditions and Rules blocks of the template",
            )
        ],
    ),
    "W46 unknown function": (
        prop("!Jion ['', [a]]"),
        [("UnknownFunction", 5, 10, "Template error: Encountered unsupported function: Fn::Jion ")],
    ),
    "L34 GetStackOutput": (
        prop("{'Fn::GetStackOutput': {StackName: a}}"),
        [
            (
                "InvalidFunctionArgument",
                5,
                33,
                "Template error: every Fn::GetStackOutput object requires StackName and OutputName",
            )
        ],
    ),
    "L34 GetStackOutput of what is made by the template": (
        prop("!GetStackOutput {StackName: !Ref R, OutputName: o}"),
        [
            (
                "InvalidFunctionArgument",
                5,
                38,
                "Template error: StackName in Fn::GetStackOutput must not depend on any resources, imported values, or",
            )
        ],
    ),
    "L31 Length without the transform": (
        prop("{'Fn::Length': [a]}"),
        [("TransformMissing", 5, 11, "Template error: Encountered unsupported function: Fn::Length ")],
    ),
    "W46 function not alone": (
        prop("{'Fn::Sub': a, B: c}"),
        [("FunctionNotAlone", 5, 11, "Template format error: Fn::Sub must be the only key of its object.")],
    ),
    "L14 Ref of a list": (
        prop("{Ref: [a]}"),
        [("InvalidFunctionArgument", 5, 16, "Template error: every Ref object must have a single String value.")],
    ),
    "L14 unknown pseudo": (
        prop("!Ref AWS::Regoin"),
        [
            (
                "UnknownPseudoParameter",
                5,
                10,
                "Template format error: Unresolved resource dependencies [AWS::Regoin] in the Resources block of the template",
            )
        ],
    ),
    "L15 GetAtt of one": (
        prop("!GetAtt Other"),
        [
            (
                "InvalidFunctionArgument",
                5,
                10,
                "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute",
            )
        ],
    ),
    "L15 GetAtt empty": (
        prop("{'Fn::GetAtt': [R, '']}"),
        [
            (
                "InvalidFunctionArgument",
                5,
                25,
                "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute",
            )
        ],
    ),
    "L16 Sub of a list": (
        prop("!Sub [a]"),
        [
            (
                "InvalidFunctionArgument",
                5,
                10,
                "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as first argument, and an optional second argument to specify a mapping of values to replace in the string",
            )
        ],
    ),
    "L16 Sub name": (
        prop("!Sub '${A B}'"),
        [
            (
                "InvalidFunctionArgument",
                5,
                10,
                "Template error: variable names in Fn::Sub syntax must contain only alphanumeric characters, underscores, periods, and colons",
            )
        ],
    ),
    "L17 Join of one": (
        prop("!Join ['']"),
        [
            (
                "InvalidFunctionArgument",
                5,
                10,
                "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined.",
            )
        ],
    ),
    "L17 Join of a text": (
        prop("!Join ['', a]"),
        [
            (
                "InvalidFunctionArgument",
                5,
                10,
                "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined.",
            )
        ],
    ),
    "L18 If of two": (
        "Conditions: {C: !Equals [a, a]}\n" + prop("!If [C, a]"),
        [("InvalidFunctionArgument", 6, 10, "Template error: Fn::If requires a list argument with three elements")],
    ),
    "L18 If without condition": (
        prop("!If [[a], b, c]"),
        [
            (
                "InvalidFunctionArgument",
                5,
                10,
                "Template error: Fn::If requires a list argument with the first element being a condition",
            )
        ],
    ),
    "L18 If unknown": (
        prop("!If [Prod, b, c]"),
        [("UnknownCondition", 5, 15, "Template error: unresolved condition dependency Prod in Fn::If")],
    ),
    "L19 Equals among properties": (
        prop("!Equals [a, b]"),
        [
            (
                "FunctionNotAllowed",
                5,
                10,
                "Template error: Fn::Equals is only supported in the Conditions and Rules blocks of the template",
            )
        ],
    ),
    "L23 FindInMap of two": (
        prop("!FindInMap [A, b]"),
        [
            (
                "InvalidFunctionArgument",
                5,
                10,
                "Template error: every Fn::FindInMap object requires three parameters, the map name, map key and the attribute for return value",
            )
        ],
    ),
    "L23 unknown mapping": (
        prop("!FindInMap [A, b, c]"),
        [
            (
                "UnknownMapping",
                5,
                22,
                "Template error: Mapping named 'A' is not present in the 'Mappings' section of template.",
            )
        ],
    ),
    "L23 unknown key": (
        "Mappings: {A: {b: {c: d}}}\n" + prop("!FindInMap [A, x, c]"),
        [("UnknownMappingKey", 6, 25, "Template error: Unable to get mapping for A::x::c")],
    ),
    "L23 unknown attribute": (
        "Mappings: {A: {b: {cc: d}}}\n" + prop("!FindInMap [A, b, cd]"),
        [("UnknownMappingKey", 6, 28, "Template error: Unable to get mapping for A::b::cd")],
    ),
    "L24 Base64 of a list": (
        prop("!Base64 [a]"),
        [("InvalidFunctionArgument", 5, 10, "Template error: every Fn::Base64 object must have a String-typed value.")],
    ),
    "L25 Select of one": (
        prop("!Select [0]"),
        [
            (
                "InvalidFunctionArgument",
                5,
                10,
                "Template error: Fn::Select requires a list argument with two elements: an integer index and a list",
            )
        ],
    ),
    "L25 Select index": (
        prop("!Select [first, [a]]"),
        [
            (
                "InvalidFunctionArgument",
                5,
                19,
                "Template error: Fn::Select requires a list argument with a valid index value as its first element",
            )
        ],
    ),
    "L25 Select too far": (
        prop("!Select [1, [a]]"),
        [("NothingToSelect", 5, 19, "Template error: Fn::Select cannot select nonexistent value at index 1")],
    ),
    "L25 Select of a text": (
        prop("!Select [0, a]"),
        [
            (
                "InvalidFunctionArgument",
                5,
                22,
                "Template error: Fn::Select requires a list argument with two elements: an integer index and a list",
            )
        ],
    ),
    "L26 Split of one": (
        prop("!Split [',']"),
        [
            (
                "InvalidFunctionArgument",
                5,
                10,
                "Template error: every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be split or a function that returns a string to be split.",
            )
        ],
    ),
    "L26 Split of a list": (
        prop("!Split [',', [a]]"),
        [
            (
                "InvalidFunctionArgument",
                5,
                10,
                "Template error: every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be split or a function that returns a string to be split.",
            )
        ],
    ),
    "L26 Split by nothing": (
        prop("!Split ['', a]"),
        [
            (
                "InvalidFunctionArgument",
                5,
                10,
                "Template error: every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be split or a function that returns a string to be split.",
            )
        ],
    ),
    "L27 GetAZs of a list": (
        prop("!GetAZs [a]"),
        [("InvalidFunctionArgument", 5, 10, "Template error: every Fn::GetAZs object must have a String-typed value.")],
    ),
    "L28 ImportValue of a resource": (
        prop("{'Fn::ImportValue': !Ref R}"),
        [
            (
                "InvalidFunctionArgument",
                5,
                30,
                "Template error: the attribute in Fn::ImportValue must not depend on any resources, imported values, or Fn::GetAZs",
            )
        ],
    ),
    "L28 ImportValue of a list": (
        prop("!ImportValue [a]"),
        [
            (
                "InvalidFunctionArgument",
                5,
                10,
                "Template error: the attribute in Fn::ImportValue must be a string or a function that returns a string",
            )
        ],
    ),
    "L29 Cidr of two": (
        prop("!Cidr [10.0.0.0/16, 4]"),
        [
            (
                "InvalidFunctionArgument",
                5,
                10,
                "Template error: every Fn::Cidr object requires three parameters, (1) an IP address block, (2) a number of blocks from 1 to 256 and (3) a number of bits for each",
            )
        ],
    ),
    "L29 Cidr of too many": (
        prop("!Cidr [10.0.0.0/16, 257, 8]"),
        [
            (
                "InvalidFunctionArgument",
                5,
                10,
                "Template error: every Fn::Cidr object requires three parameters, (1) an IP address block, (2) a number of blocks from 1 to 256 and (3) a number of bits for each",
            )
        ],
    ),
    "L91 dynamic reference with a word for a version": (
        prop("'a {{resolve:ssm:/a/b:latest}}'"),
        [
            (
                "InvalidDynamicReference",
                5,
                10,
                "Incorrect format is used in the following SSM reference: [{{resolve:ssm:/a/b:latest}}]",
            )
        ],
    ),
    "L92 secure string where none is taken": (
        prop("{D: ['{{resolve:ssm-secure:/p}}']}"),
        [
            (
                "InvalidDynamicReference",
                5,
                15,
                "SSM Secure reference is not supported in: [AWS::SQS::Queue/Properties/P/D]",
            )
        ],
    ),
    "L92 secure string in an output": (
        R + "Outputs: {O: {Value: '{{resolve:ssm-secure:/p}}'}}\n",
        [("InvalidDynamicReference", 3, 22, "SSM Secure reference is not supported in: [Outputs/O/Value]")],
    ),
    "L93 dynamic reference to a part that there is not": (
        prop("'{{resolve:secretsmanager:db:SecretBinary}}'"),
        [
            (
                "InvalidDynamicReference",
                5,
                10,
                "Incorrect format is used in the following Secrets Manager reference: [{{resolve:secretsmanager:db:Sec",
            )
        ],
    ),
    "L94 Q16 more than sixty": (
        prop("['" + "', '".join(f"{{{{resolve:ssm:/{n}}}}}" for n in range(61)) + "']"),
        [
            (
                "LimitExceeded",
                5,
                1381,
                "Template format error: Number of dynamic references, 61, is greater than maximum allowed, 60",
            )
        ],
    ),
    "L93 dynamic reference to a service that there is not": (
        prop("!Sub '{{resolve:vault:x}} ${AWS::Region}'"),
        [("InvalidDynamicReference", 5, 10, "Dynamic references are of ssm, ssm-secure, secretsmanager; this one")],
    ),
    "W46 output without value": (
        R + "Outputs:\n  O: {Description: x}\n",
        [("InvalidOutput", 4, 3, "Template format error: Every Outputs member must contain a Value object")],
    ),
    "W46 output null": (
        R + "Outputs:\n  O: {Value: }\n",
        [("NullValue", 4, 14, "[/Outputs/O/Value] 'null' values are not allowed in templates")],
    ),
    "L13 output not an object": (
        R + "Outputs:\n  O: x\n",
        [("InvalidOutput", 4, 3, "Template format error: Any Outputs member must be an object.")],
    ),
    "L13 output list": (
        R + "Outputs:\n  O: {Value: [a]}\n",
        [
            (
                "InvalidOutput",
                4,
                14,
                "Template format error: The Value field of every Outputs member must evaluate to a String.",
            )
        ],
    ),
    "L13 output name": (
        R + "Outputs:\n  a-b: {Value: x}\n",
        [("InvalidName", 4, 3, "Template format error: Outputs name 'a-b' is non alphanumeric.")],
    ),
    "L13 output key": (
        R + "Outputs:\n  O: {Value: x, Exports: {}}\n",
        [("InvalidOutput", 4, 17, "Invalid output property or properties [Exports]")],
    ),
    "L13 output condition": (
        R + "Outputs:\n  O: {Value: x, Condition: Prod}\n",
        [
            (
                "UnknownCondition",
                4,
                28,
                "Template format error: Unresolved condition dependency Prod in the Outputs block of the template",
            )
        ],
    ),
    "L13 export without name": (
        R + "Outputs:\n  O: {Value: x, Export: n}\n",
        [
            (
                "InvalidExport",
                4,
                25,
                "Template format error: Output O is malformed. The Name field of every Export member must be specified and consist only of alphanumeric characters, colons, or hyphens.",
            )
        ],
    ),
    "Q22 export name": (
        R + "Outputs:\n  O: {Value: x, Export: {Name: a/b}}\n",
        [
            (
                "InvalidExport",
                4,
                32,
                "Template format error: Output O is malformed. The Name field of every Export member must be specified and consist only of alphanumeric characters, colons, or hyphens.",
            )
        ],
    ),
    "L13 export of a resource": (
        R + "Outputs:\n  O: {Value: x, Export: {Name: !Ref R}}\n",
        [
            (
                "InvalidExport",
                4,
                32,
                "Template format error: Output O is malformed. The Name field of every Export member must not depend on any resources, imported values, or Fn::GetAZs.",
            )
        ],
    ),
    "Q06 output description": (
        R + "Outputs:\n  O: {Value: x, Description: '" + "x" * 1025 + "'}\n",
        [("LimitExceeded", 4, 30, "Template format error: 'Description' length is greater than 1024.")],
    ),
    "Q06 outputs": (
        R + "Outputs:\n" + "".join(f"  O{n}: {{Value: x}}\n" for n in range(201)),
        [
            (
                "LimitExceeded",
                4,
                3,
                "Template format error: Number of outputs, 201, is greater than maximum allowed, 200",
            )
        ],
    ),
    "all findings at once, in the order of the text": (
        "Resorces: {}\nParameters:\n  P: {Type: Strng}\nConditions:\n  C: !Equals [a]\nResources:\n  R:\n    Type: AWS::SQS::Queue\n    Properties:\n      P: !Jion [a]\n      Q: !Join [a]\nOutputs:\n  O: {}\n",
        [
            ("UnknownSection", 1, 1, "Invalid template property or properties [Resorces]"),
            ("InvalidParameter", 3, 13, "Template format error: Unrecognized parameter type: Strng"),
            (
                "InvalidFunctionArgument",
                5,
                6,
                "Template error: every Fn::Equals object requires a list of 2 string parameters.",
            ),
            ("UnknownFunction", 10, 10, "Template error: Encountered unsupported function: Fn::Jion "),
            (
                "InvalidFunctionArgument",
                11,
                10,
                "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined.",
            ),
            ("InvalidOutput", 13, 3, "Template format error: Every Outputs member must contain a Value object"),
        ],
    ),
}


@pytest.mark.parametrize(("text", "expected"), BAD.values(), ids=BAD)
def test_bad_template(
    findings: Callable[..., tuple[Diagnostic, ...]], text: str, expected: list[tuple[str, int, int, str]]
) -> None:
    found = findings(text)
    assert [(one.code, one.span.line, one.span.column) for one in found if one.span] == [row[:3] for row in expected]
    for one, (_, _, _, summary) in zip(found, expected, strict=True):
        assert one.summary.startswith(summary)
        assert one.severity is Severity.ERROR


def test_way_out_names_what_was_meant(findings: Callable[..., tuple[Diagnostic, ...]]) -> None:
    (found,) = findings(prop("!Jion ['', [a]]"))
    assert (found.detail, found.address) == ("Did you mean 'Fn::Join'?", "Resources.R.Properties.P.Fn::Jion")
