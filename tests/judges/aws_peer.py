"""Does what stdin asks for to Secrets Manager at argv[1], by boto3, and prints what it answers.

In: a JSON list of [method, arguments]. Out: a JSON list of answers; an error is {"error": code}. Binary is base64.
"""

import base64
import json
import sys

import boto3
from botocore.exceptions import ClientError


def encode(value):
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


client = boto3.client("secretsmanager", endpoint_url=sys.argv[1], region_name="eu-west-1")
answers = []
for method, arguments in json.load(sys.stdin):
    try:
        answer = getattr(client, method)(**arguments)
        answer.pop("ResponseMetadata")
    except ClientError as error:
        answer = {"error": error.response["Error"]["Code"]}
    answers.append(answer)
json.dump(answers, sys.stdout, default=encode)
