"""Says `valid` when every report in argv[3:] is what the schema in argv[2] describes; argv[1] is `junit` or `sarif`.

Besides the schema, which leaves both open: the counts of a JUnit suite are those of its cases, and each result of a SARIF
run points to the rule that it names.
"""
import json
import sys

import jsonschema
from lxml import etree


def junit(schema, paths):
    schema = etree.XMLSchema(etree.parse(schema))
    for path in paths:
        document = etree.parse(path, etree.XMLParser(resolve_entities=False, no_network=True))
        schema.assertValid(document)
        for suite in document.iter("testsuite"):
            assert int(suite.get("tests")) == len(suite.findall("testcase")) > 0, path
            for attribute, element in (("failures", "failure"), ("skipped", "skipped"), ("errors", "error")):
                assert int(suite.get(attribute)) == len(suite.findall(f"testcase/{element}")), (path, attribute)
            names = [case.get("name") for case in suite.findall("testcase")]
            assert len(names) == len(set(names)), names
        total = sum(int(suite.get("tests")) for suite in document.iter("testsuite"))
        assert int(document.getroot().get("tests")) == total, path


def sarif(schema, paths):
    with open(schema) as file:
        schema = json.load(file)
    validator = jsonschema.validators.validator_for(schema)
    validator.check_schema(schema)
    for path in paths:
        with open(path) as file:
            log = json.load(file)
        validator(schema, format_checker=validator.FORMAT_CHECKER).validate(log)
        for run in log["runs"]:
            rules = run["tool"]["driver"]["rules"]
            prints = [result["partialFingerprints"]["primaryLocationLineHash"] for result in run["results"]]
            assert len(prints) == len(set(prints)), prints
            for result in run["results"]:
                assert rules[result["ruleIndex"]]["id"] == result["ruleId"], result
                # Code scanning refuses a result without one.
                assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], result


{"junit": junit, "sarif": sarif}[sys.argv[1]](sys.argv[2], sys.argv[3:])
print("valid")
