"""What understanding a template costs in processor time: a 50 KB one read, and one of 500 resources to its plan."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from bench.table import Figure
from engine.door import TemplateCheck
from engine.model.source import Source
from engine.plan.deployment import bind_source, deploy
from engine.plan.planner import plan_changes
from engine.plan.scope import Facts
from engine.resources.base import StackIdentity
from engine.resources.registry import Registry
from gateway.composing import settle_memory
from mappings import Mappings
from translators.parsing import parse
from translators.translator import Translator

_ROUNDS = 7
_SUBNETS = 15
_IDENTITY = StackIdentity("11111111-2222-3333-4444-555555555555", "large", "aaaabbbbccccddddeeeeffff00001111", "")
_HEAD = """\
AWSTemplateFormatVersion: '2010-09-09'
Description: One network and many servers, each with its group of rules, disk and address.
Parameters:
  Size: {Type: String, Default: m1.small, AllowedValues: [m1.tiny, m1.small, m1.medium]}
  Address: {Type: String, Default: 10.0.0.0/16}
  Disk: {Type: Number, Default: 10, MinValue: 1, MaxValue: 100}
  Stage: {Type: String, Default: test, AllowedValues: [test, production]}
Mappings:
  Images: {RegionOne: {Web: ami-web, Worker: ami-worker}}
Conditions:
  Production: !Equals [!Ref Stage, production]
Resources:
  Network: {Type: AWS::EC2::VPC, Properties: {CidrBlock: !Ref Address}}
  Gateway: {Type: AWS::EC2::InternetGateway}
  Attachment: {Type: AWS::EC2::VPCGatewayAttachment, Properties: {VpcId: !Ref Network, InternetGatewayId: !Ref Gateway}}
  Key: {Type: AWS::EC2::KeyPair, Properties: {KeyName: !Sub '${AWS::StackName}-operators'}}
  Routes: {Type: AWS::EC2::RouteTable, Properties: {VpcId: !Ref Network}}
  Outside:
    Type: AWS::EC2::Route
    DependsOn: Attachment
    Properties: {RouteTableId: !Ref Routes, DestinationCidrBlock: 0.0.0.0/0, GatewayId: !Ref Gateway}
"""
_SUBNET = """\
  Subnet{n}:
    Type: AWS::EC2::Subnet
    Properties:
      VpcId: !Ref Network
      CidrBlock: !Select [{n}, !Cidr [!Ref Address, 32, 8]]
      AvailabilityZone: !Select [{zone}, !GetAZs '']
      Tags: [{{Key: Name, Value: !Sub '${{AWS::StackName}}-{n}'}}]
  Association{n}:
    Type: AWS::EC2::SubnetRouteTableAssociation
    Properties: {{SubnetId: !Ref Subnet{n}, RouteTableId: !Ref Routes}}
"""
_SERVER = """\
  Rules{n}:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: !Sub 'What may reach server {n} of ${{AWS::StackName}}'
      VpcId: !Ref Network
      SecurityGroupIngress:
        - {{IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: !Ref Address}}
        - {{IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 0.0.0.0/0}}
  Server{n}:
    Type: AWS::EC2::Instance
    DependsOn: [Outside, Association{subnet}]
    Metadata:
      AWS::CloudFormation::Init:
        config:
          packages: {{yum: {{httpd: [], php: [], mysql: []}}}}
          files:
            /etc/app/config.json:
              content: !Sub '{{"name": "server-{n}", "stage": "${{Stage}}", "region": "${{AWS::Region}}"}}'
              mode: '000644'
          services: {{sysvinit: {{httpd: {{enabled: 'true', ensureRunning: 'true'}}}}}}
    Properties:
      ImageId: !FindInMap [Images, !Ref AWS::Region, {image}]
      KeyName: !Ref Key
      InstanceType: !If [Production, m1.medium, !Ref Size]
      SubnetId: !Ref Subnet{subnet}
      SecurityGroupIds: [!Ref Rules{n}]
      Tags:
        - {{Key: Name, Value: !Join ['-', [!Ref AWS::StackName, server, '{n}']]}}
        - {{Key: Stage, Value: !Ref Stage}}
      UserData:
        Fn::Base64: !Sub |
          #!/bin/bash -xe
          # Server {n} of ${{AWS::StackName}} in ${{AWS::Region}}
          yum update -y aws-cfn-bootstrap
          /opt/aws/bin/cfn-init -v --stack ${{AWS::StackName}} --resource Server{n} --region ${{AWS::Region}}
          for service in httpd crond rsyslog; do
            systemctl enable "$service" && systemctl start "$service" || echo "$service did not start" >> /var/log/first
          done
          mkfs -t ext4 /dev/vdb && mkdir -p /data && mount /dev/vdb /data
          echo '/dev/vdb /data ext4 defaults,nofail 0 2' >> /etc/fstab
          cat > /etc/motd <<END
          This is server {n} of the stage ${{Stage}}; what is done here by hand is lost with the next update.
          END
          hostnamectl set-hostname "server-{n}.${{AWS::StackName}}.example.org"
          echo "127.0.0.1 server-{n} server-{n}.${{AWS::StackName}}.example.org" >> /etc/hosts
          cat > /etc/logrotate.d/app <<END
          /var/log/app/*.log {{
            daily
            rotate 14
            compress
            missingok
            create 0640 app app
            postrotate
              systemctl reload app.service > /dev/null 2>&1 || true
            endscript
          }}
          END
          cat > /etc/systemd/system/app.service <<END
          [Unit]
          Description=The application of ${{AWS::StackName}} on server {n}
          After=network-online.target data.mount
          [Service]
          User=app
          EnvironmentFile=/etc/app/environment
          ExecStart=/opt/app/bin/serve --listen 0.0.0.0:443 --data /data --name server-{n} --stage ${{Stage}}
          Restart=on-failure
          RestartSec=5
          LimitNOFILE=65536
          [Install]
          WantedBy=multi-user.target
          END
          systemctl daemon-reload && systemctl enable app.service
          curl -sSf https://repository.example.org/${{Stage}}/bootstrap.sh | bash -s -- --name server-{n}
          /opt/aws/bin/cfn-signal -e $? --stack ${{AWS::StackName}} --resource Server{n} --region ${{AWS::Region}}
  Disk{n}:
    Type: AWS::EC2::Volume
    DeletionPolicy: Delete
    Properties: {{Size: !Ref Disk, AvailabilityZone: !GetAtt Server{n}.AvailabilityZone}}
  Mount{n}:
    Type: AWS::EC2::VolumeAttachment
    Properties: {{InstanceId: !Ref Server{n}, VolumeId: !Ref Disk{n}, Device: /dev/vdb}}
"""


def measure() -> list[Figure]:
    """Nothing is cached from round to round, and the least busy round counts."""
    settle_memory()
    small, large = template(12), template(116)
    rows, registry = Mappings(), Registry(plugins=False)
    read = _seconds(lambda: parse(Source(small)))
    planned = _seconds(lambda: _plan(large, rows, registry))
    return [
        Figure(f"{len(small) / 1000:.0f} KB of CloudFormation read", read * 1000, "ms CPU", 40),
        Figure(f"500 resources, {len(large) / 1000:.0f} KB, to a plan", planned * 1000, "ms CPU", 250),
    ]


def template(servers: int) -> str:
    """A CloudFormation template: a network with its subnets, and for each server a group of rules and a disk."""
    return "".join(_parts(servers))


def _parts(servers: int) -> Iterator[str]:
    yield _HEAD
    for number in range(_SUBNETS):
        yield _SUBNET.format(n=number, zone=number % 2)
    for number in range(servers):
        yield _SERVER.format(n=number, subnet=number % _SUBNETS, image=("Web", "Worker")[number % 2])


def _plan(text: str, rows: Mappings, registry: Registry) -> None:
    translator, source = Translator(rows), Source(text)
    translated = translator.translate(source)
    facts = Facts(zones=("az1", "az2"))
    deployment = deploy(translated, bind_source(translated, source), _IDENTITY, facts, registry)
    TemplateCheck(translator, registry).check(deployment)
    changes, _ = plan_changes(deployment, {}, registry)
    if not changes:
        raise ValueError("the plan is empty")


def _seconds(work: Callable[[], object]) -> float:
    spent = []
    for _ in range(_ROUNDS):
        start = time.process_time()
        work()
        spent.append(time.process_time() - start)
    return min(spent)
