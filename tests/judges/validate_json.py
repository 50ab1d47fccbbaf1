"""Says `valid` when the file in argv[2] is what the JSON Schema in argv[1] describes."""
import json
import sys

import jsonschema

with open(sys.argv[1]) as schema, open(sys.argv[2]) as instance:
    schema, instance = json.load(schema), json.load(instance)
jsonschema.Draft202012Validator.check_schema(schema)
checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
jsonschema.Draft202012Validator(schema, format_checker=checker).validate(instance)
print("valid")
