"""Values that somebody could have given for the parameters of a template, made from what the template says of them.

A default is left to be the default. For the rest, candidates are tried in order, the most telling first: allowed
values, what the type or the named limit stands for, what the parameter's name speaks of, the ends of a range, anything
at all; the first that the engine accepts is taken. Where a pattern refuses them all, a text is made from the pattern.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

import hypothesis
from hypothesis import strategies

from engine.expr.parameters import bind
from engine.model.diagnostic import Invalid
from engine.model.template import EMPTY, MISSING, Constraint, Parameter, ParameterType
from engine.model.value import Value
from engine.resources.constraints import violation

# The last part of a CloudFormation type, and a named limit of Heat, that stand for something with a form of its own.
_OF_TYPES: Final[Mapping[str, str]] = {
    "AWS::EC2::AvailabilityZone::Name": "nova",
    "AWS::EC2::Image::Id": "ami-0123456789abcdef0",
    "AWS::EC2::Instance::Id": "i-0123456789abcdef0",
    "AWS::EC2::KeyPair::KeyName": "operator",
    "AWS::EC2::SecurityGroup::GroupName": "default",
    "AWS::EC2::SecurityGroup::Id": "sg-0123456789abcdef0",
    "AWS::EC2::Subnet::Id": "subnet-0123456789abcdef0",
    "AWS::EC2::VPC::Id": "vpc-0123456789abcdef0",
    "AWS::EC2::Volume::Id": "vol-0123456789abcdef0",
    "AWS::Route53::HostedZone::Id": "Z0123456789ABCDEFGHIJ",
    "cron_expression": "0 4 * * *",
    "dns_domain": "example.org.",
    "dns_name": "www",
    "expiration": "2099-01-01T00:00:00",
    "ip_addr": "10.0.0.10",
    "ip_or_cidr": "10.0.0.10",
    "mac_addr": "fa:16:3e:00:00:01",
    "net_cidr": "10.0.0.0/16",
    "rel_dns_name": "www",
    "timezone": "UTC",
}
# What words in a parameter's name speak of; the first that is there counts.
_OF_WORDS: Final[Mapping[str, str]] = {
    r"cidr|ip_?range|ssh_?location|whitelist": "10.0.0.0/16",
    r"e-?mail": "operator@example.org",
    r"arn": "arn:aws:iam::123456789012:role/operator",
    r"https?|ur[li]|webhook|endpoint": "https://example.org/",
    r"domain|host_?name|fqdn|zone_?name": "example.org",
    r"(^|_)ip($|_)|ip_?address|gateway|pool_start": "10.0.0.10",
    r"pool_end": "10.0.0.20",
    r"port($|number)": "8080",
    r"password|secret|passphrase": "Correct-Horse-7-Battery",
    r"account": "123456789012",
    r"region": "us-east-1",
    r"date|time": "2030-01-01T00:00:00Z",
    r"version": "1.0",
    r"size|count|number|capacity|weight|days|minutes|seconds|iops|length": "20",
}
# Forms that patterns ask for, in whatever the parameter is called.
_ANYTHING: Final = (
    "operator", "Operator1", "10.0.0.0/16", "10.0.0.10", "1", "20", "example.org", "operator@example.org",
    "vpc-0123456789abcdef0", "arn:aws:iam::123456789012:role/operator", "https://example.org/",
    "Correct-Horse-7-Battery", "123456789012",
)  # fmt: skip
_EXAMPLES: Final = hypothesis.settings(
    derandomize=True, database=None, deadline=timedelta(seconds=5), max_examples=200,
    suppress_health_check=list(hypothesis.HealthCheck),
)  # fmt: skip


def plausible(parameters: Mapping[str, Parameter]) -> dict[str, Value]:
    """A value for each parameter that must be given. Raises LookupError where none is found."""
    return {name: _value(parameter) for name, parameter in parameters.items() if parameter.default is MISSING}


def _value(parameter: Parameter) -> Value:
    for candidate in _candidates(parameter):
        if _accepted(parameter, candidate):
            return candidate
    raise LookupError(f"No value was found that parameter {parameter.name} takes.")


def _candidates(parameter: Parameter) -> Iterator[Value]:
    for limit in parameter.constraints:
        yield from limit.allowed_values or ()
    match parameter.type:
        case ParameterType.BOOLEAN:
            yield True
        case ParameterType.JSON:
            yield from ({}, {"key": "value"})
        case ParameterType.NUMBER:
            yield from _numbers(parameter)
        case ParameterType.LIST:
            yield from _lists(parameter)
        case ParameterType.STRING:
            yield from _texts(parameter)


def _numbers(parameter: Parameter) -> Iterator[Value]:
    ends = [end for limit in parameter.constraints for end in limit.range or () if end is not None]
    steps = [limit.modulo for limit in parameter.constraints if limit.modulo is not None]
    yield from (offset + count * step for step, offset in steps for count in range(1000))
    yield from (1, *ends, 20, 0)


def _lists(parameter: Parameter) -> Iterator[Value]:
    counts = [count for limit in parameter.constraints for count in limit.length or () if count is not None]
    for one in ("1", "2") if parameter.source_type == "List<Number>" else _texts(parameter):
        for count in (4, *counts, 2, 1, 3, 6):  # as many as a template may well choose from
            yield [one] * count


def _texts(parameter: Parameter) -> Iterator[str]:
    inner = parameter.source_type.removeprefix("List<").removeprefix("AWS::SSM::Parameter::Value<").rstrip(">")
    named = [limit.custom for limit in parameter.constraints if limit.custom is not None]
    told = [_OF_TYPES[name] for name in (inner, *named) if name in _OF_TYPES]
    told += [text for words, text in _OF_WORDS.items() if re.search(words, parameter.name, re.IGNORECASE)]
    for text in (*told, *_ANYTHING):
        yield text
        yield from (text.ljust(least, "x")[:most] for least, most in _lengths(parameter.constraints))
    for limit in parameter.constraints:
        if limit.pattern is not None:
            yield _matching(parameter, limit.pattern)


def _lengths(constraints: tuple[Constraint, ...]) -> Iterator[tuple[int, int | None]]:
    for limit in constraints:
        if limit.length is not None:
            yield limit.length[0] or 0, limit.length[1]


def _matching(parameter: Parameter, pattern: str) -> str:
    """The simplest text of the pattern that keeps the other limits too."""
    texts = strategies.from_regex(pattern, fullmatch=True)
    try:
        return hypothesis.find(texts, lambda text: _accepted(parameter, text), settings=_EXAMPLES)
    except hypothesis.errors.NoSuchExample as error:
        raise LookupError(f"No text was found that keeps the limits of parameter {parameter.name}.") from error


def _accepted(parameter: Parameter, value: Value) -> bool:
    """By the rules of the engine itself; what only a cloud can know is not asked."""
    try:
        typed = bind(replace(EMPTY, parameters={parameter.name: parameter}), {parameter.name: value}).values
    except Invalid:
        return False
    items = typed[parameter.name] if isinstance(typed[parameter.name], list) else [typed[parameter.name]]
    return all(violation(limit, one) is None for limit in parameter.constraints if limit.custom for one in items)
