"""Says `valid` when the file in argv[2], JSON or TOML, is what the JSON Schema in argv[1] describes."""
import json
import sys
import tomllib

import jsonschema

with open(sys.argv[1], "rb") as schema, open(sys.argv[2], "rb") as instance:
    read = tomllib.load if sys.argv[2].endswith(".toml") else json.load
    schema, instance = json.load(schema), read(instance)
jsonschema.Draft202012Validator.check_schema(schema)
checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
jsonschema.Draft202012Validator(schema, format_checker=checker).validate(instance)
print("valid")
