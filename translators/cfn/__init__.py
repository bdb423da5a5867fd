"""The CloudFormation language: AWSTemplateFormatVersion 2010-09-09 and Heat's two CFN formats.

`parse` is the door: a source tree becomes a `Template` whose `AWS::` resources are as written, for the lowering.
"""

from translators.cfn.template import (
    Parsed,
    outline_leniently,
    parse,
    parse_leniently,
    processed,
    reads_parameters,
)

__all__ = ["Parsed", "outline_leniently", "parse", "parse_leniently", "processed", "reads_parameters"]
