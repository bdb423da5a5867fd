"""Which name was meant."""

from __future__ import annotations

import pytest

from engine.model.nearest import closest, did_you_mean, nearest


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("get_parm", ["get_param", "get_attr"], "get_param"),
        ("string", ["String", "Number"], "String"),
        ("AWS::EC2::vpc", ["AWS::EC2::VPC", "AWS::EC2::EIP"], "AWS::EC2::VPC"),
        ("qos", ["name", "qos_policy"], "qos_policy"),
        ("qos", ["qos_policy", "qos_policy_id"], None),
        ("na", ["name_of_it"], None),
        ("frobnicate", ["name"], None),
        ("", ["name"], None),
        ("x" * 256, ["x" * 255], None),
        (7, ["7a"], "7a"),
    ],
    ids=["misspelt", "case", "case inside", "beginning", "beginnings", "too short", "nothing near", "empty", "long",
         "number"],
)  # fmt: skip
def test_closest(word: object, known: list[str], meant: str | None) -> None:
    assert closest(word, known) == meant
    assert did_you_mean(word, known) == ("" if meant is None else f"Did you mean {meant}?")


def test_what_there_is_where_nothing_is_near_and_there_is_little() -> None:
    assert nearest("x", ["b", "a"]) == "There is: a, b."
    assert nearest("x", [f"name{n}" for n in range(13)]) == ""
    assert nearest("x", []) == ""
    assert nearest("nmae", ["name"]) == "Did you mean name?"


def test_only_what_is_very_like_it_for_names_that_share_much() -> None:
    assert closest("AWS::SageMaker::NotebookInstance", ["AWS::EC2::Instance"], cutoff=0.8) is None


@pytest.mark.parametrize(
    ("word", "known", "said"),
    [
        ("On", ["true", "N"], "YAML reads On without quotes as true: put it in quotes where it is declared."),
        ("false", ["yes", "no"], "Did you mean no? YAML reads it without quotes as false."),
        ("false", ["yes", "maybe"], ""),
        ("off", ["true"], ""),
    ],
)
def test_words_that_yaml_takes_for_truth_are_told(word: str, known: list[str], said: str) -> None:
    assert did_you_mean(word, known) == said
