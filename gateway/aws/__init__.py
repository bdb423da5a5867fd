"""The CloudFormation query API: what the AWS command line, boto3 and every tool built on them speak."""
