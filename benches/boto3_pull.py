"""What vault-kit's pull is held against: secrets read with BatchGetSecretValue and written to a `.env`, not fsynced.

`boto3_pull.py PREFIX COUNT THREADS FILE`. The endpoint and the credentials come from the environment.
"""

import concurrent.futures
import os
import sys

import boto3

BATCH = 20  # as many as AWS allows


def main() -> None:
    prefix, count, threads, file = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    manager = boto3.client("secretsmanager", region_name=os.environ["AWS_REGION"])
    names = [f"{prefix}{number:05}" for number in range(count)]
    batches = [names[start : start + BATCH] for start in range(0, count, BATCH)]

    def read(batch: list[str]) -> dict[str, str]:
        answer = manager.batch_get_secret_value(SecretIdList=batch)
        assert not answer["Errors"] and len(answer["SecretValues"]) == len(batch)
        return {it["Name"].removeprefix(prefix): it["SecretString"] for it in answer["SecretValues"]}

    values: dict[str, str] = {}
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        for read_values in pool.map(read, batches):
            values.update(read_values)
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as env:
        env.writelines(f"SECRET_{name}={value}\n" for name, value in values.items())


if __name__ == "__main__":
    main()
