"""Reads the metrics file on stdin as Prometheus' own client does, and prints its samples as JSON."""
import json
import sys

from prometheus_client.parser import text_string_to_metric_families

families = list(text_string_to_metric_families(sys.stdin.read()))
assert all(family.documentation and family.type == "gauge" for family in families)
samples = [[sample.name, sample.labels, sample.value] for family in families for sample in family.samples]
json.dump(samples, sys.stdout)
