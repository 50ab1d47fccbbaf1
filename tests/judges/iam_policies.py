"""Says of each IAM policy of the list on stdin `sound`, or what parliament finds in it."""
import json
import sys
import warnings

warnings.simplefilter("ignore")
import parliament  # noqa: E402

# Newer than parliament's list: https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
NEWER = "kms:ResourceAliases"

for policy in json.load(sys.stdin):
    findings = parliament.analyze_policy_string(json.dumps(policy)).findings
    issues = sorted({finding.issue for finding in findings if NEWER not in str(finding.detail)})
    print(" ".join(issues) or "sound")
