"""What reading a large template costs (engine.md §5: 50 KB in 40 ms)."""

from __future__ import annotations

import time

from engine.model.source import Source
from translators.cfn import parse
from translators.source import read

_INSTANCE = """\
  Server{n}:
    Type: AWS::EC2::Instance
    DependsOn: Network
    Properties:
      ImageId: !FindInMap [Images, !Ref AWS::Region, Ami]
      SubnetId: !If [Public, !Ref Network, !GetAtt Network.Id]
      Tags: [{{Key: Name, Value: !Sub '${{AWS::StackName}}-{n}'}}]
"""


_BUDGET = 0.120  # seconds: three times what is asked, so that a busy machine does not fail the test


def test_50_kb_is_read_within_its_budget_of_processor_time() -> None:
    head = (
        "Mappings: {Images: {eu: {Ami: ami-1}}}\nConditions: {Public: !Equals [a, a]}\n"
        "Resources:\n  Network: {Type: AWS::EC2::Subnet}\n"
    )
    text = head + "".join(_INSTANCE.format(n=number) for number in range(195))
    assert 50_000 < len(text) < 53_000
    spent = []
    for _ in range(10):
        start = time.process_time()
        parse(read(text, name="t"), Source(text))
        spent.append(time.process_time() - start)
    assert min(spent) < _BUDGET
