"""Reads the YAML document on stdin as Kubernetes would, holds it against the JSON Schema in argv[1], prints it as JSON."""
import json
import sys

import jsonschema
import yaml

with open(sys.argv[1]) as schema:
    schema = json.load(schema)
(document,) = yaml.safe_load_all(sys.stdin.buffer)
jsonschema.Draft202012Validator(schema).validate(document)
json.dump(document, sys.stdout, sort_keys=True)
