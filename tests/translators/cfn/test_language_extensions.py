"""AWS::LanguageExtensions (cloudformation.md L31 to L33, L87)."""

from __future__ import annotations

from engine.model.expression import AttributeRef, Concat, Literal, MapOf, ParameterRef, ResourceRef
from engine.model.template import DeletionPolicy

HEAD = "Transform: AWS::LanguageExtensions\n"


def test_l33_loop_over_a_list_makes_resources(template) -> None:
    parsed = template(
        HEAD
        + """
Resources:
  Fn::ForEach::Queues:
    - Name
    - [a.fifo, b]
    - Queue&{Name}:
        Type: AWS::SQS::Queue
        Properties: {QueueName: !Ref Name, Label: !Sub '${Name}-${AWS::StackName}', Plain: 'is ${Name}'}
Outputs:
  Fn::ForEach::Arns:
    - Name
    - [a, b]
    - Arn${Name}: {Value: !GetAtt [!Sub 'Queue${Name}', Arn]}
"""
    )
    assert list(parsed.resources) == ["Queueafifo", "Queueb"]
    properties = parsed.resources["Queueafifo"].properties
    assert properties.get("QueueName") == Literal("a.fifo")
    assert properties.get("Plain") == Literal("is a.fifo")
    assert isinstance(properties.get("Label"), Concat)
    assert parsed.outputs["Arnb"].value == AttributeRef("Queueb", Literal("Arn"))


def test_l33_loop_over_a_parameter_takes_the_value_given(template) -> None:
    text = (
        HEAD
        + """
Parameters: {Names: {Type: CommaDelimitedList, Default: 'x, y'}}
Resources:
  Fn::ForEach::Queues: [N, !Ref Names, {'Q${N}': {Type: AWS::SQS::Queue}}]
"""
    )
    assert list(template(text).resources) == ["Qx", "Qy"]
    assert list(template(text, {"Names": "p,q,r"}).resources) == ["Qp", "Qq", "Qr"]


def test_l33_loops_nest_and_stand_in_properties_and_conditions(template) -> None:
    parsed = template(
        HEAD
        + """
Parameters: {Env: {Type: String}}
Conditions:
  Fn::ForEach::Is: [E, [prod, dev], {'Is${E}': !Equals [!Ref Env, !Ref E]}]
Resources:
  Fn::ForEach::Outer:
    - A
    - [x, y]
    - Fn::ForEach::Inner:
        - B
        - [1, 2]
        - Q${A}${B}:
            Type: AWS::SQS::Queue
            Condition: Isprod
            Properties:
              Fn::ForEach::Tags: [T, [k, l], {'Tag${T}': !Ref B}]
"""
    )
    assert list(parsed.conditions) == ["Isprod", "Isdev"]
    assert list(parsed.resources) == ["Qx1", "Qx2", "Qy1", "Qy2"]
    assert parsed.resources["Qy2"].properties == MapOf((("Tagk", Literal("2")), ("Tagl", Literal("2"))))


def test_l33_reference_to_a_made_resource(template) -> None:
    parsed = template(
        HEAD
        + """
Resources:
  Fn::ForEach::Queues: [N, [a], {'Q${N}': {Type: AWS::SQS::Queue}}]
  Last: {Type: AWS::SQS::Queue, DependsOn: Qa, Properties: {P: !Ref Qa}}
"""
    )
    assert parsed.resources["Last"].properties.get("P") == ResourceRef("Qa")


def test_l87_policy_by_a_condition(template) -> None:
    text = (
        HEAD
        + """
Parameters: {Env: {Type: String, Default: dev}}
Conditions: {Prod: !Equals [!Ref Env, prod]}
Resources:
  R: {Type: AWS::SQS::Queue, DeletionPolicy: !If [Prod, Retain, Delete], Properties: {P: !Ref Env}}
"""
    )
    assert template(text).resources["R"].deletion_policy is DeletionPolicy.DELETE
    assert template(text, {"Env": "prod"}).resources["R"].deletion_policy is DeletionPolicy.RETAIN
    assert template(text).resources["R"].properties.get("P") == ParameterRef("Env")


def test_l87_functions_give_the_names_of_ref_and_get_att(template) -> None:
    text = (
        HEAD
        + """
Parameters: {Which: {Type: String, Default: Qb}}
Conditions: {B: !Equals [{Ref: !Sub 'Which'}, Qb]}
Resources:
  Fn::ForEach::Queues: [N, [a, b], {'Q${N}': {Type: AWS::SQS::Queue}}]
  Last:
    Type: AWS::SQS::Queue
    Properties:
      Long: {Ref: {Ref: Which}}
      Short: !Ref {'Fn::Join': ['', [Q, a]]}
      Part: !GetAtt [!If [B, Qb, Qa], Arn]
      Whole: {'Fn::GetAtt': [{'Fn::Sub': '${Which}'}, !Ref Which]}
"""
    )
    made = template(text).resources["Last"].properties
    assert [made.get(name) for name in ("Long", "Short")] == [ResourceRef("Qb"), ResourceRef("Qa")]
    assert made.get("Part") == AttributeRef("Qb", Literal("Arn"))
    assert made.get("Whole") == AttributeRef("Qb", ParameterRef("Which"))
    assert template(text, {"Which": "Qa"}).resources["Last"].properties.get("Part") == AttributeRef(
        "Qa", Literal("Arn")
    )


def test_l87_a_name_that_only_running_can_tell_is_refused(findings) -> None:
    found = findings(
        HEAD
        + "Resources:\n  Q: {Type: AWS::SQS::Queue}\n  R: {Type: AWS::SQS::Queue, Properties: {P: {Ref: !GetAZs ''}}}\n"
    )
    assert [(one.code, str(one.span)) for one in found] == [("UndecidedName", "t:4:52")]


def test_l87_policy_by_a_condition_that_a_loop_makes(template) -> None:
    text = (
        HEAD
        + """
Parameters: {Env: {Type: String, Default: dev}}
Conditions:
  Fn::ForEach::Kept: [N, [a, b], {'Keep${N}': !Equals [!Ref Env, !Ref N]}]
Resources:
  Fn::ForEach::Queues:
    - N
    - [a, b]
    - 'Q${N}': {Type: AWS::SQS::Queue, DeletionPolicy: !If ['Keep${N}', Retain, Delete]}
"""
    )
    made = template(text, {"Env": "b"}).resources
    assert [made[name].deletion_policy for name in ("Qa", "Qb")] == [DeletionPolicy.DELETE, DeletionPolicy.RETAIN]


def test_l87_policy_that_is_no_value_says_what_to_write(findings) -> None:
    found = findings(
        HEAD
        + """
Conditions: {Prod: !Equals [a, b]}
Resources: {R: {Type: AWS::SQS::Queue, DeletionPolicy: !If [Prod, Retain, !Ref AWS::NoValue]}}
"""
    )
    assert [(one.code, one.detail) for one in found] == [
        ("UndecidedPolicy", "Write Delete, Retain or another policy in its place.")
    ]


def test_l46_no_value_is_no_item_of_a_loop(template) -> None:
    parsed = template(
        HEAD
        + """
Conditions: {More: !Equals [a, b]}
Resources:
  Fn::ForEach::Queues: [N, [a, !If [More, b, !Ref AWS::NoValue], c], {'Q${N}': {Type: AWS::SQS::Queue}}]
"""
    )
    assert list(parsed.resources) == ["Qa", "Qc"]


def test_l33_loops_where_there_are_none_are_told_so(findings) -> None:
    found = findings(
        HEAD
        + """
Metadata: {Fn::ForEach::Note: nothing}
Mappings: {Fn::ForEach::Sizes: [N, [a], {'M${N}': {x: {y: z}}}]}
Resources: {R: {Type: AWS::SQS::Queue}}
"""
    )
    assert [(one.code, str(one.span), one.summary) for one in found] == [
        (
            "FunctionNotAllowed",
            "t:4:12",
            "Template error: Fn::ForEach::Sizes can only be used in Conditions, Resources and Outputs.",
        )
    ]


def test_l33_loop_over_what_only_running_can_tell_is_refused(findings) -> None:
    found = findings(
        HEAD
        + """
Resources:
  Fn::ForEach::Queues: [N, !GetAZs '', {'Q${N}': {Type: AWS::SQS::Queue}}]
"""
    )
    assert [(one.code, one.span.line, one.span.column) for one in found if one.span] == [("UndecidedLoop", 4, 28)]


def test_l33_a_loop_without_a_name_is_told_to_want_one(findings) -> None:
    (found,) = findings(HEAD + "Resources: {Fn::ForEach: [N, [a], {'Q${N}': {Type: AWS::SQS::Queue}}]}\n")
    assert (found.code, found.detail) == ("UnknownFunction", "Did you mean Fn::ForEach::Name?")


def test_l33_loop_that_makes_one_name_twice_is_refused(findings) -> None:
    found = findings(HEAD + "Resources:\n  Fn::ForEach::Qs: [N, [a, b], {Q: {Type: AWS::SQS::Queue}}]\n")
    assert [one.code for one in found] == ["DuplicateName"]


def test_l33_loop_that_explodes_is_refused_at_once(findings) -> None:
    hundred = "[" + ", ".join(str(number) for number in range(100)) + "]"
    found = findings(
        HEAD
        + f"""
Resources:
  Fn::ForEach::A:
    - A
    - {hundred}
    - Fn::ForEach::B:
        - B
        - {hundred}
        - Fn::ForEach::C: [C, {hundred}, {{'Q${{A}}x${{B}}x${{C}}': {{Type: AWS::SQS::Queue}}}}]
"""
    )
    assert [one.code for one in found] == ["LimitExceeded"]
