"""Speaks to an endpoint of Secrets Manager with boto3, and prints what it got as JSON.

The endpoints come from the environment, as for any other program. Stops with a traceback when boto3 cannot make sense of
an answer, or when what it reads is not what it wrote.
"""

import json
import os
import sys
import uuid

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

# The characters that JSON and HTTP could spoil.
TEXT = "päss\"w\\o/rd\n\u2028\U0001f511 ${HOME}\t\x7f"
BINARY = bytes(range(256))


def code(call, **arguments) -> str:
    """The code of the error that a call must end with."""
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["ResponseMetadata"]["RequestId"], "an error without a request id"
        return error.response["Error"]["Code"]
    raise AssertionError(f"{call.__name__} was answered")


def main() -> int:
    config = Config(region_name=os.environ["AWS_REGION"], retries={"max_attempts": 1})
    manager = boto3.client("secretsmanager", config=config)
    seen = {"account": boto3.client("sts", config=config).get_caller_identity()["Account"]}

    made = manager.create_secret(
        Name="/judge/text", SecretString=TEXT, Description="for a judge", Tags=[{"Key": "made-by", "Value": "boto3"}]
    )
    manager.create_secret(Name="/judge/binary", SecretBinary=BINARY)
    manager.create_secret(Name="/judge/empty")
    assert manager.get_secret_value(SecretId="/judge/text")["SecretString"] == TEXT
    assert manager.get_secret_value(SecretId="/judge/binary")["SecretBinary"] == BINARY
    seen["create again"] = code(manager.create_secret, Name="/judge/text", SecretString=TEXT)
    seen["read empty"] = code(manager.get_secret_value, SecretId="/judge/empty")

    # A value under a label of its own, then in force by compare-and-swap.
    token = str(uuid.uuid4())
    for _ in range(2):
        manager.put_secret_value(
            SecretId=made["ARN"], ClientRequestToken=token, SecretString="second", VersionStages=["judge"]
        )
    seen["put another value"] = code(
        manager.put_secret_value, SecretId=made["ARN"], ClientRequestToken=token, SecretString="third"
    )
    assert manager.get_secret_value(SecretId=made["ARN"])["SecretString"] == TEXT
    assert manager.get_secret_value(SecretId=made["ARN"], VersionStage="judge")["SecretString"] == "second"
    move = {"SecretId": made["ARN"], "VersionStage": "AWSCURRENT", "MoveToVersionId": token}
    seen["move from nowhere"] = code(manager.update_secret_version_stage, **move)
    manager.update_secret_version_stage(**move, RemoveFromVersionId=made["VersionId"])
    assert manager.get_secret_value(SecretId=made["ARN"])["SecretString"] == "second"
    stages = manager.describe_secret(SecretId="/judge/text")["VersionIdsToStages"]
    seen["stages"] = [sorted(stages[token]), sorted(stages[made["VersionId"]])]
    manager.update_secret(SecretId="/judge/text", SecretString="fourth")
    versions = manager.list_secret_version_ids(SecretId="/judge/text", IncludeDeprecated=True)["Versions"]
    seen["versions"] = sorted(version.get("VersionStages", []) for version in versions)

    batch = manager.batch_get_secret_value(SecretIdList=["/judge/binary", "/judge/text", "/judge/empty", "/judge/none"])
    seen["batch"] = sorted(value["Name"] for value in batch["SecretValues"])
    seen["batch errors"] = {error["SecretId"]: error["ErrorCode"] for error in batch["Errors"]}
    manager.tag_resource(SecretId="/judge/binary", Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}])
    manager.untag_resource(SecretId="/judge/binary", TagKeys=["a", "c"])
    manager.replicate_secret_to_regions(SecretId="/judge/binary", AddReplicaRegions=[{"Region": "eu-central-1"}])
    described = manager.describe_secret(SecretId="/judge/binary")
    seen["tags"] = described["Tags"]
    seen["replicas"] = [[it["Region"], it["Status"]] for it in described["ReplicationStatus"]]

    pages = manager.get_paginator("list_secrets").paginate(
        Filters=[{"Key": "name", "Values": ["/judge/"]}], PaginationConfig={"PageSize": 2}
    )
    seen["pages"] = [sorted(secret["Name"] for secret in page["SecretList"]) for page in pages]
    deleted = manager.delete_secret(SecretId="/judge/text", RecoveryWindowInDays=7)
    seen["days"] = (deleted["DeletionDate"] - manager.describe_secret(SecretId="/judge/text")["DeletedDate"]).days
    seen["read deleted"] = code(manager.get_secret_value, SecretId="/judge/text")
    seen["listed with it"] = len(manager.list_secrets(IncludePlannedDeletion=True)["SecretList"])
    seen["listed without it"] = len(manager.list_secrets()["SecretList"])
    manager.restore_secret(SecretId="/judge/text")
    assert manager.get_secret_value(SecretId="/judge/text")["SecretString"] == "fourth"
    manager.delete_secret(SecretId="/judge/text", ForceDeleteWithoutRecovery=True)
    seen["describe what is gone"] = code(manager.describe_secret, SecretId="/judge/text")
    print(json.dumps(seen))
    return 0


if __name__ == "__main__":
    sys.exit(main())
