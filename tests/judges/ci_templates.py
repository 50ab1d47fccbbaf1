"""Prints a YAML file as JSON. A bare `on`, which YAML 1.1 takes for true, stays what it is."""
import json
import sys

import yaml

with open(sys.argv[1]) as file:
    document = yaml.safe_load(file)
print(json.dumps({("on" if key is True else key): value for key, value in document.items()}))
