"""What every refusal becomes (heat.md §1.5); no user's mistake is a 500."""

from __future__ import annotations

import pytest

from engine.cloud import errors as cloud
from engine.model import errors as model
from engine.model.diagnostic import Diagnostic, Invalid, Severity, Span
from gateway.native.faults import Fault, bad_request, fault_of, response


def finding(code, span=None, address="", severity=Severity.ERROR, summary="It is wrong."):
    return Diagnostic(code, summary, "Do it right.", address, span, severity)


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (model.StackNotFound("s"), 404, "EntityNotFound"),
        (model.ResourceNotFound("r", "s"), 404, "ResourceNotFound"),
        (model.ChangeSetNotFound("c"), 404, "EntityNotFound"),
        (model.StackExists("s"), 409, "StackExists"),
        (model.Busy("later"), 409, "ActionInProgress"),
        (model.InvalidState("no"), 400, "NotSupported"),
        (model.NotSupported("no"), 400, "NotSupported"),
        (model.NoChange(), 400, "NotSupported"),
        (model.LimitExceeded("too many"), 400, "RequestLimitExceeded"),
        (model.Forbidden("no"), 403, "Forbidden"),
        (model.Refused("no"), 400, "Invalid"),
        (cloud.Permanent("no", status=403), 403, "Forbidden"),
        (cloud.Permanent("no", status=401), 403, "Forbidden"),
        (cloud.Permanent("no", status=400), 400, "Invalid"),
        (cloud.NotFound("no", status=404), 400, "Invalid"),
        (cloud.Conflict("no", status=409), 409, "Conflict"),
        (cloud.Temporary("later"), 503, "ServiceUnavailable"),
        (cloud.OutcomeUnknown("later"), 503, "ServiceUnavailable"),
        (bad_request("no"), 400, "HTTPBadRequest"),
    ],
    ids=lambda one: type(one).__name__ if isinstance(one, Exception) else None,
)
def test_err_each_refusal(error, status, kind):
    found = fault_of(error)
    assert (found.status, found.kind) == (status, kind)
    assert found.message


def test_err_43_a_defect_is_no_fault_of_the_user_s():
    assert fault_of(KeyError("x")) is None


@pytest.mark.parametrize(
    ("codes", "status", "kind"),
    [
        (["ParameterMissing"], 400, "UserParameterMissing"),
        (["ParameterMissing", "ParameterMissing"], 400, "UserParameterMissing"),
        (["UnknownParameter"], 400, "UnknownUserParameter"),
        (["ParameterMissing", "UnknownParameter"], 400, "StackValidationFailed"),
        (["ImmutableParameterModified"], 400, "ImmutableParameterModified"),
        (["InvalidTemplateReference"], 400, "InvalidTemplateReference"),
        (["InvalidTemplateVersion"], 400, "InvalidTemplateVersion"),
        (["InvalidTemplateSection"], 400, "InvalidTemplateSection"),
        (["CircularDependency"], 400, "CircularDependencyException"),
        (["ServiceUnavailable"], 400, "ResourceTypeUnavailable"),
        (["CloudUnavailable"], 503, "ServiceUnavailable"),
        (["AnythingElse"], 400, "StackValidationFailed"),
    ],
)
def test_err_findings_have_heat_s_names(codes, status, kind):
    found = fault_of(Invalid([finding(code) for code in codes]))
    assert (found.status, found.kind) == (status, kind)


def test_a_warning_does_not_change_the_name():
    found = fault_of(Invalid([finding("ParameterMissing"), finding("Ignored", severity=Severity.WARNING)]))
    assert found.kind == "UserParameterMissing"


@pytest.mark.parametrize(
    ("lines", "span", "said"),
    [
        (True, Span("template", 3, 7), "It is wrong. Do it right. (template:3:7)"),
        (False, Span("template", 1, 70), "It is wrong. Do it right. (resources.a)"),
        (False, Span("env.yaml", 2, 1), "It is wrong. Do it right. (env.yaml:2:1)"),
        (True, None, "It is wrong. Do it right. (resources.a)"),
    ],
    ids=["text", "map", "file", "no_place"],
)
def test_a_finding_is_told_with_its_place(lines, span, said):
    assert fault_of(Invalid(finding("X", span, "resources.a")), lines=lines).message == said


def test_the_path_is_not_told_twice():
    told = finding("X", address="resources.a", summary="Property error: resources.a: no.")
    assert fault_of(Invalid(told)).message == "Property error: resources.a: no. Do it right."


def test_all_findings_are_told_one_a_line():
    found = fault_of(Invalid([finding("X", Span("t", 1, 1)), finding("Y", Span("t", 2, 2))]))
    assert [line[-6:] for line in found.message.split("\n")] == ["t:1:1)", "t:2:2)"]


def test_apio_09_the_form_of_a_fault():
    answer = response(Fault(404, "EntityNotFound", "The Stack (a) could not be found."))
    assert answer.status == 404
    assert answer.content_type == "application/json"
    assert b'"title":"Not Found"' in answer.body
    assert b'"explanation":"The resource could not be found."' in answer.body
