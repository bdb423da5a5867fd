"""4: custom resources, whose handler is a real server that is asked over HTTP and answers so (cloudformation.md L84,
L96, Q17)."""

from __future__ import annotations

import asyncio
import json
import threading

import pytest
import requests
from aiohttp import ClientSession, web

from tests.conftest import Server, conf


class Handler:
    """Answers each request by what `behave` makes of it: the body of the PUT, None for nothing, or a status of HTTP by
    which the request itself is refused."""

    def __init__(self):
        self.asked, self.told, self.behave = [], [], None
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        asyncio.run_coroutine_threadsafe(self._serve(), self._loop).result(10)

    async def _serve(self):
        app = web.Application()
        app.add_routes([web.post("/{name}", self._asked)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"

    async def _asked(self, request):
        event = await request.json()
        self.asked.append(event)
        answer = self.behave(event)
        if isinstance(answer, int):
            return web.Response(status=answer)
        if answer is not None:
            self._task = asyncio.ensure_future(self._tell(event["ResponseURL"], answer))
        return web.Response(status=202)

    async def _tell(self, url, answer):
        """As cfnresponse does: no content type, the length said."""
        async with ClientSession() as session, session.put(url, data=json.dumps(answer).encode(),
                                                           headers={"content-type": ""}) as told:  # fmt: skip
            self.told.append((told.status, await told.text()))

    def of(self, stack, kind=None):
        """What was asked about the stack, in order."""
        found = [one for one in self.asked if f":stack/{stack}/" in one["StackId"]]
        return [one for one in found if kind in (None, one["RequestType"])]


def success(event, physical="thing-1", **more):
    given = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    return {"Status": "SUCCESS", "PhysicalResourceId": physical, **given, **more}


def failure(event, reason="out of things", **more):
    return {**success(event, **more), "Status": "FAILED", "Reason": reason}


@pytest.fixture(scope="module")
def handler():
    return Handler()


@pytest.fixture(scope="module")
def served(handler, tmp_path_factory):
    more = (
        f"allow_custom_resource_urls = true\n[custom_resources]\nThings = {handler.url}/things\nGone = http://[::1]:9/"
    )
    config = conf(networks="127.0.0.1/32", more=more).replace("[engine]", "[engine]\nretry_base = 0.01")
    server = Server(tmp_path_factory.mktemp("custom") / "state", config=config).start()
    yield server
    server.kill9()


@pytest.fixture
def aws(served):
    return served.boto3()


@pytest.fixture(autouse=True)
def behaving(handler):
    handler.behave = success


ARN = "arn:aws:lambda:us-east-1:123456789012:function:Things:live"


def template(outputs=None, kind="Custom::Thing", token=ARN, others=None, **properties):
    thing = {"Type": kind, "Properties": {"ServiceToken": token, **properties}}
    shown = {name: {"Value": value} for name, value in (outputs or {}).items()}
    return json.dumps({"Resources": {"Thing": thing, **(others or {})}, "Outputs": shown})


def ref():
    return {"Ref": "Thing"}


def get(name):
    return {"Fn::GetAtt": ["Thing", name]}


def outputs(aws, name):
    (stack,) = aws.describe_stacks(StackName=name)["Stacks"]
    return {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", ())}


def reasons(aws, name):
    events = aws.describe_stack_events(StackName=name)["StackEvents"]
    return " ".join(one.get("ResourceStatusReason", "") for one in events if one["LogicalResourceId"] == "Thing")


@pytest.fixture
def ends(aws, until):
    def ends_as(name, *statuses):
        def status():
            found = aws.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
            return not found.endswith("IN_PROGRESS") and found

        found = until(status)
        assert found in statuses, (found, reasons(aws, name))

    return ends_as


def test_l96_made_changed_in_place_and_removed(aws, handler, name, ends, wait):
    handler.behave = lambda event: success(event, Data={"Url": f"http://{event['ResourceProperties']['Name']}",
                                                        "Deep": {"Port": 80}})  # fmt: skip
    shown = {"Id": ref(), "Url": get("Url"), "Port": get("Deep.Port")}
    given = {"Name": "one", "Count": 3, "Flags": [True, 1.5, {"a": {"Ref": "AWS::StackName"}}]}
    stack_id = aws.create_stack(StackName=name, TemplateBody=template(shown, **given))["StackId"]
    ends(name, "CREATE_COMPLETE")
    assert outputs(aws, name) == {"Id": "thing-1", "Url": "http://one", "Port": "80"}
    (row,) = aws.describe_stack_resources(StackName=name)["StackResources"]
    assert (row["ResourceType"], row["PhysicalResourceId"]) == ("Custom::Thing", "thing-1")
    (event,) = handler.of(name)
    assert event["ResponseURL"].startswith("http://127.0.0.1:")
    assert {key: event[key] for key in event if key not in ("ResponseURL", "RequestId")} == {
        "RequestType": "Create", "StackId": stack_id, "ResourceType": "Custom::Thing", "LogicalResourceId": "Thing",
        "ServiceToken": ARN, "ServiceTimeout": "3600",
        "ResourceProperties": {"ServiceToken": ARN, "Name": "one", "Count": "3", "Flags": ["true", "1.5", {"a": name}]},
    }  # fmt: skip

    aws.update_stack(StackName=name, TemplateBody=template(shown, **{**given, "Name": "two"}))
    ends(name, "UPDATE_COMPLETE")
    assert outputs(aws, name)["Url"] == "http://two"
    _, event = handler.of(name)
    assert (event["RequestType"], event["PhysicalResourceId"]) == ("Update", "thing-1")
    assert event["OldResourceProperties"]["Name"] == "one"
    assert event["ResourceProperties"]["Name"] == "two"

    aws.update_stack(StackName=name, TemplateBody=template({"Id": ref()}, **{**given, "Name": "two"}))
    ends(name, "UPDATE_COMPLETE")
    assert len(handler.of(name)) == 2, "nothing of the resource has changed"

    aws.delete_stack(StackName=name)
    wait(aws, "stack_delete_complete", stack_id)
    event = handler.of(name)[-1]
    assert (event["RequestType"], event["PhysicalResourceId"]) == ("Delete", "thing-1")
    assert event["ResourceProperties"]["Name"] == "two"
    assert len({one["RequestId"] for one in handler.of(name)}) == 3


def test_l96_another_physical_id_means_that_the_one_before_goes_in_the_end(aws, handler, name, ends):
    handler.behave = lambda event: success(event, f"thing-{event['ResourceProperties']['Name']}",
                                           Data={"Name": event["ResourceProperties"]["Name"]})  # fmt: skip
    user = {"User": {"Type": "OS::Heat::TestResource", "Properties": {"value": get("Name")}}}
    aws.create_stack(StackName=name, TemplateBody=template({"Id": ref()}, others=user, Name="a"))
    ends(name, "CREATE_COMPLETE")
    aws.update_stack(StackName=name, TemplateBody=template({"Id": ref()}, others=user, Name="b"))
    ends(name, "UPDATE_COMPLETE")
    assert outputs(aws, name) == {"Id": "thing-b"}
    asked = [(one["RequestType"], one.get("PhysicalResourceId")) for one in handler.of(name)]
    assert asked == [("Create", None), ("Update", "thing-a"), ("Delete", "thing-a")]
    assert handler.of(name)[-1]["ResourceProperties"]["Name"] == "a"
    aws.delete_stack(StackName=name)


def test_l96_a_failed_create_is_told_and_rolled_back(aws, handler, name, ends):
    handler.behave = lambda event: (failure if event["RequestType"] == "Create" else success)(event, physical="half")
    aws.create_stack(StackName=name, TemplateBody=template())
    ends(name, "ROLLBACK_COMPLETE")
    said = "Received response status [FAILED] from custom resource. Message returned: out of things (RequestId: "
    assert said in reasons(aws, name)
    assert [(one["RequestType"], one.get("PhysicalResourceId")) for one in handler.of(name)] == [
        ("Create", None), ("Delete", "half")
    ]  # fmt: skip


def test_l96_a_failed_update_goes_back(aws, handler, name, ends):
    handler.behave = lambda event: (failure if event["ResourceProperties"]["Name"] == "b" else success)(event)
    aws.create_stack(StackName=name, TemplateBody=template(Name="a"))
    ends(name, "CREATE_COMPLETE")
    aws.update_stack(StackName=name, TemplateBody=template(Name="b"))
    ends(name, "UPDATE_ROLLBACK_COMPLETE")
    assert [one["ResourceProperties"]["Name"] for one in handler.of(name, "Update")] == ["b", "a"]
    assert len({one["RequestId"] for one in handler.of(name)}) == 3


def test_l96_nobody_answers(aws, handler, name, ends):
    handler.behave = lambda event: None if event["RequestType"] == "Create" else success(event)
    aws.create_stack(StackName=name, TemplateBody=template(ServiceTimeout="1"))
    ends(name, "ROLLBACK_COMPLETE")
    (event,) = handler.of(name, "Create")
    assert (event["ServiceTimeout"], event["ResourceProperties"]["ServiceTimeout"]) == ("1", "1")
    assert (
        "CloudFormation did not receive a response from your Custom Resource. Please check your logs for requestId "
        f"[{event['RequestId']}]." in reasons(aws, name)
    )
    late = requests.put(event["ResponseURL"], data=json.dumps(success(event)), timeout=10)
    assert late.status_code == 404, "the resource was taken back"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"PhysicalResourceId": ""}, "Invalid PhysicalResourceId"),
        ({"PhysicalResourceId": "x" * 1025}, "Invalid PhysicalResourceId"),
        ({"Status": "DONE"}, "Invalid response object: the Status is SUCCESS or FAILED, not 'DONE'."),
        ({"Data": "text"}, "Invalid response object: the Data must be an object."),
        ({"Data": {"x": "y" * 4096}}, "Response object is too long"),
    ],
    ids=["no id", "long id", "status", "data", "Q17 size"],
)
def test_l96_q17_answers_that_are_none(aws, handler, name, ends, wrong, said):
    handler.behave = lambda event: {**success(event), **(wrong if event["RequestType"] == "Create" else {})}
    aws.create_stack(StackName=name, TemplateBody=template(OnFailure="x"), OnFailure="DELETE")
    ends_deleted = aws.get_waiter("stack_delete_complete")
    stack_id = aws.describe_stacks(StackName=name)["Stacks"][0]["StackId"]
    ends_deleted.wait(StackName=stack_id, WaiterConfig={"Delay": 0.1, "MaxAttempts": 300})
    assert said in reasons(aws, stack_id)


def test_q17_the_handler_reads_that_its_answer_is_too_long(aws, handler, name, until):
    handler.behave = lambda event: success(event, Data={"x": "y" * 4096})
    before = len(handler.told)
    aws.create_stack(StackName=name, TemplateBody=template(), OnFailure="DO_NOTHING")
    until(lambda: len(handler.told) > before)
    status, text = handler.told[before]
    assert status == 400
    assert "at most 4096 are taken" in text


def test_l96_what_is_not_to_be_seen(aws, handler, name, ends):
    handler.behave = lambda event: success(event, Data={"Password": "s3cr3t-word"}, NoEcho=True)
    user = {"Store": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": get("Password")}}}
    shown = {"Password": get("Password"), "Put": {"Fn::Sub": "pw=${Thing.Password}"}}
    aws.create_stack(StackName=name, TemplateBody=template(shown, others=user))
    ends(name, "CREATE_COMPLETE")
    assert outputs(aws, name) == {"Password": "******", "Put": "pw=******"}
    assert "s3cr3t" not in str(aws.describe_stack_events(StackName=name))
    reading = {"Parameters": {"P": {"Type": "AWS::SSM::Parameter::Value<String>"}},
               "Resources": {"H": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}}  # fmt: skip
    (row,) = [one for one in aws.describe_stack_resources(StackName=name)["StackResources"]
              if one["LogicalResourceId"] == "Store"]  # fmt: skip
    given = [{"ParameterKey": "P", "ParameterValue": row["PhysicalResourceId"]}]
    aws.create_stack(StackName=f"{name}-reads", TemplateBody=json.dumps(reading), Parameters=given)
    ends(f"{name}-reads", "CREATE_COMPLETE")
    (told,) = aws.describe_stacks(StackName=f"{name}-reads")["Stacks"][0]["Parameters"]
    assert told["ResolvedValue"] == "s3cr3t-word", "the other resource has it"


def test_l96_an_attribute_that_the_handler_does_not_tell(aws, handler, name, ends):
    aws.create_stack(StackName=name, TemplateBody=template({"Out": get("Nothing")}))
    ends(name, "ROLLBACK_COMPLETE", "CREATE_FAILED")
    (stack,) = aws.describe_stacks(StackName=name)["Stacks"]
    assert "Vendor response doesn't contain Nothing attribute" in stack["StackStatusReason"]


@pytest.mark.parametrize(
    ("token", "said"),
    [
        ("Nobody", "Invalid service token: Nobody is nobody's. Whoever runs isotherm names handlers"),
        ("arn:aws:sns:us-east-1:123456789012:Nobody", "`[custom_resources]`, `Nobody = URL`"),
        ("http://169.254.169.254/latest", "Invalid service token: 169.254.169.254 is an address inside"),
        ("http://[::1]:1/", "Invalid service token: ::1 is an address inside"),
        ("{url}/refusing", "refused the request with the status 403"),
        ("Gone", "The handler Gone cannot be reached"),
    ],
)
def test_l96_handlers_that_cannot_be_asked(aws, handler, name, ends, token, said):
    handler.behave = lambda event: 403
    aws.create_stack(StackName=name, TemplateBody=template(token=token.format(url=handler.url)))
    ends(name, "ROLLBACK_COMPLETE")
    assert said in reasons(aws, name)
    assert handler.of(name, "Delete") == [], "what was never asked for is not taken back"


def test_l96_a_url_and_the_type_without_a_name_of_its_own(aws, handler, name, ends):
    told = [503, 429]
    handler.behave = lambda event: told.pop() if told else success(event)
    body = template({"Id": ref()}, kind="AWS::CloudFormation::CustomResource", token=f"{handler.url}/any")
    aws.create_stack(StackName=name, TemplateBody=body)
    ends(name, "CREATE_COMPLETE")
    assert outputs(aws, name) == {"Id": "thing-1"}
    events = handler.of(name)
    assert {one["ResourceType"] for one in events} == {"AWS::CloudFormation::CustomResource"}
    assert len(events) == 3
    assert len({one["RequestId"] for one in events}) == 1, "repeated, not asked anew"


def test_l96_the_service_token_stays(aws, handler, name, ends):
    aws.create_stack(StackName=name, TemplateBody=template(token="Things"))
    ends(name, "CREATE_COMPLETE")
    aws.update_stack(StackName=name, TemplateBody=template(token=ARN))
    ends(name, "UPDATE_ROLLBACK_COMPLETE")
    assert "Modifying service token is not allowed." in reasons(aws, name)


def test_l96_only_the_signed_address_answers(aws, handler, name, ends, until):
    handler.behave = lambda event: None
    aws.create_stack(StackName=name, TemplateBody=template())
    (event,) = until(lambda: handler.of(name))
    url = event["ResponseURL"]
    refused = requests.put(url.replace("Signature=", "Signature=0"), data=json.dumps(success(event)), timeout=10)
    assert refused.status_code == 403
    other = requests.put(url, data=json.dumps({**success(event), "RequestId": "another"}), timeout=10)
    assert other.status_code == 400
    assert requests.put(url, data=b"not json", timeout=10).status_code == 400
    assert requests.put(url, data=json.dumps(success(event, Data={})), timeout=10).status_code == 200
    ends(name, "CREATE_COMPLETE")


def test_l96_an_engine_that_dies_while_it_waits(aws, served, handler, name, until):
    handler.behave = lambda event: None
    aws.create_stack(StackName=name, TemplateBody=template({"Id": ref()}))
    (event,) = until(lambda: handler.of(name))
    served.kill9()
    served.restart()
    path = event["ResponseURL"].partition("/v1/")[2]
    again = served.boto3()
    until(lambda: requests.put(f"{served.url}/v1/{path}", data=json.dumps(success(event)), timeout=10).ok)
    until(lambda: again.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE")
    assert outputs(again, name) == {"Id": "thing-1"}
    assert len({one["RequestId"] for one in handler.of(name, "Create")}) == 1


def test_l84_version(aws, refused, name):
    body = json.loads(template())
    body["Resources"]["Thing"]["Version"] = "2.0"
    said = refused(aws.validate_template, TemplateBody=json.dumps(body))
    assert "The Version of a custom resource is '1.0', not '2.0'." in said


def test_l96_going_back_takes_the_new_object_away_and_leaves_the_old(aws, handler, name, ends):
    handler.behave = lambda event: success(event, f"thing-{event['ResourceProperties']['Name']}")
    last = {"Type": "OS::Heat::TestResource", "DependsOn": "Thing"}
    aws.create_stack(
        StackName=name, TemplateBody=template({"Id": ref()}, others={"Last": {**last, "Properties": {}}}, Name="a")
    )
    ends(name, "CREATE_COMPLETE")
    broken = {"Last": {**last, "Properties": {"value": "x", "fail": True, "update_replace": True}}}
    aws.update_stack(StackName=name, TemplateBody=template({"Id": ref()}, others=broken, Name="b"))
    ends(name, "UPDATE_ROLLBACK_COMPLETE")
    assert outputs(aws, name) == {"Id": "thing-a"}
    (row,) = [one for one in aws.describe_stack_resources(StackName=name)["StackResources"]
              if one["LogicalResourceId"] == "Thing"]  # fmt: skip
    assert row["PhysicalResourceId"] == "thing-a"
    asked = [(one["RequestType"], one.get("PhysicalResourceId")) for one in handler.of(name)]
    assert asked == [("Create", None), ("Update", "thing-a"), ("Delete", "thing-b")]
