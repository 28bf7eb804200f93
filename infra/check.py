"""Checks infra/template.yaml the way AWS will read it: transformed, and only then linted.

Linters of the SAM source pass a misspelt event property or a reference to a missing resource inside a policy, because
only the transform knows what they become. So: transform, lint the source and the result, and then hold the template to
what no linter knows about this product. Needs no account and no network. Exit code 0 means clean.

    python3 -m venv .venv && .venv/bin/pip install -r infra/requirements.txt && .venv/bin/python infra/check.py
"""

import copy
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")  # the transform wants to know a partition

from samtranslator.model.exceptions import InvalidDocumentException  # noqa: E402
from samtranslator.translator.transform import transform  # noqa: E402
from samtranslator.yaml_helper import yaml_parse  # noqa: E402

FUNCTION = "AWS::Serverless::Function"
VISIBILITY_TIMES_TIMEOUT = 6  # https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
NAME_PROPERTIES = (
    "AliasName", "AlarmName", "FunctionName", "LogGroupName", "ManagedPolicyName", "Name", "QueueName", "RoleName", "TableName",
)
NOT_SECRET = {"SlackAppId", "SlackClientId", "SlackScopes", "SlackUserScopes", "SlackRedirectUri"}
PRECIOUS = ("Installations", "TokenKey")

# In the transformed template alone: SAM writes the function's condition around its routes, and inside them again.
TRANSFORM_REPEATS_CONDITIONS = "W1028"

# What somebody may give, and what the Rules must then miss: one name of a parameter for each sentence.
SECRET, TOKEN, SECURE_STRING = {"SlackSigningSecret": "s"}, {"SlackBotToken": "xoxb-1"}, {"SecretsParameter": "/tack/secrets"}
MANY = {"Workspaces": "many", "SlackAppId": "A1", "SlackScopes": "commands"}
CLIENT = {"SlackClientId": "1.2", "SlackClientSecret": "c"}
GIVEN_AND_MISSED = [
    (SECRET | TOKEN, []),
    (SECURE_STRING, []),
    (SECRET | MANY | CLIENT, []),
    (SECURE_STRING | MANY, []),
    (SECRET | MANY | CLIENT | {"SlackScopes": "", "SlackUserScopes": "search:read"}, []),
    ({}, ["SlackSigningSecret", "SlackBotToken"]),
    (SECRET, ["SlackBotToken"]),
    (SECRET | MANY, ["SlackClientId", "SlackClientSecret"]),
    (SECRET | TOKEN | MANY | CLIENT, ["SlackBotToken"]),
    (SECURE_STRING | {"Workspaces": "many"}, ["SlackAppId", "SlackScopes"]),
]


class NoManagedPolicies:
    """Stands for the account's list of managed policies; the template uses none."""

    def load(self):
        return {}


def transformed(source):
    """What CloudFormation makes of the SAM template. Code locations are what `sam build` and `sam package` would set."""
    template = copy.deepcopy(source)
    for resource in template["Resources"].values():
        if resource["Type"] == FUNCTION:
            resource["Properties"]["CodeUri"] = "s3://bucket/key"
            resource.get("Metadata", {}).pop("BuildProperties", None)
    return transform(template, {}, NoManagedPolicies())


def lint(path, *ignored):
    """True if cfn-lint has nothing to say; what it says goes to stdout."""
    command = [Path(sys.executable).with_name("cfn-lint"), "--regions", "us-east-1"]
    command += [word for code in ignored for word in ("--ignore-checks", code)]
    return subprocess.run([*command, "--", path]).returncode == 0


def broken_promises(source):
    """Sentences about what the product relies on and no linter knows."""
    resources, parameters = source["Resources"], source["Parameters"]
    functions = {name: r["Properties"] for name, r in resources.items() if r["Type"] == FUNCTION}

    workers = {name: f["Environment"]["Variables"] for name, f in functions.items() if name.startswith("Worker")}
    if len({json.dumps(variables, sort_keys=True) for variables in workers.values()}) != 1:
        yield f"{' and '.join(workers)} are one binary and must have the same variables"

    for name, function in functions.items():
        if not (Path(__file__).parent / function["CodeUri"] / "Cargo.toml").is_file():
            yield f"{name}: CodeUri {function['CodeUri']} is no package"
        for event in function["Events"].values():
            if event["Type"] != "SQS":
                continue
            queue = resources[event["Properties"]["Queue"]["Fn::GetAtt"][0]]["Properties"]
            for timeout, visibility in timings(source, function["Timeout"], queue["VisibilityTimeout"]):
                if visibility < VISIBILITY_TIMES_TIMEOUT * timeout:
                    yield f"{name}: a time-out of {timeout} s needs a visibility timeout of six times that, not {visibility} s"
                receives, retention = queue["RedrivePolicy"]["maxReceiveCount"], queue["MessageRetentionPeriod"]
                if receives * visibility >= retention:
                    # A worker that never starts returns nothing: each receive then costs the whole visibility timeout.
                    yield (
                        f"{name}: with a time-out of {timeout} s SQS forgets a message after {retention} s, before the"
                        f" {receives} receives of {visibility} s each that make it a dead letter"
                    )

    for name, resource in resources.items():
        for key in NAME_PROPERTIES:
            value = resource["Properties"].get(key)
            if isinstance(value, str):
                yield f"{name}: {key} is fixed, so a second stage would not fit into the account"

    counted = {
        transformation["MetricName"]
        for resource in resources.values()
        if resource["Type"] == "AWS::Logs::MetricFilter"
        for transformation in resource["Properties"]["MetricTransformations"]
    }
    for name, resource in resources.items():
        alarm = resource["Properties"]
        if resource["Type"] != "AWS::CloudWatch::Alarm" or isinstance(alarm["Namespace"], str):
            continue  # a namespace that is put together is ours, a plain one is AWS's
        if alarm["MetricName"] not in counted:
            yield f"{name}: no filter counts {alarm['MetricName']}, so the alarm would sleep for ever"

    for name, parameter in parameters.items():
        if name.startswith("Slack") and name not in NOT_SECRET and not parameter.get("NoEcho"):
            yield f"{name} is a secret and must be NoEcho"

    for name in PRECIOUS:
        for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
            if resources[name].get(policy) != "Retain":
                yield f"{name}: without {policy} Retain an update or the end of the stack deletes what nobody can make again"

    for name, statement in statements(resources):
        actions, targets = listed(statement["Action"]), listed(statement["Resource"])
        if any("*" in action for action in actions):
            yield f"{name} {statement['Sid']}: an action with a wildcard"
        if any("*" in json.dumps(target) for target in targets) and "Condition" not in statement:
            yield f"{name} {statement['Sid']}: a resource with a wildcard and no condition"
        if any(action.startswith("kms:") for action in actions):
            keys = statement.get("Condition", {}).get("StringEquals", {})
            if not any(key.startswith("kms:EncryptionContext:") for key in keys):
                yield f"{name} {statement['Sid']}: a key without an encryption context opens everything it ever closed"

    for given, missed in GIVEN_AND_MISSED:
        told = [sentence.split()[0] for sentence in refusals(source, given)]
        if told != missed:
            yield f"Rules: with {given} they should miss {missed} and miss {told}"


def listed(value):
    return value if isinstance(value, list) else [value]


def statements(resources):
    """Every statement of a role or policy, whatever its condition, with its resource's name."""
    for name, resource in resources.items():
        properties = resource["Properties"]
        if resource["Type"] == "AWS::IAM::ManagedPolicy":
            documents = [properties["PolicyDocument"]]
        elif resource["Type"] == "AWS::IAM::Role":
            documents = [policy["PolicyDocument"] for policy in properties["Policies"]]
        else:
            continue
        for document in documents:
            for statement in document["Statement"]:
                for branch in statement["Fn::If"][1:] if "Fn::If" in statement else [statement]:
                    if branch != {"Ref": "AWS::NoValue"}:
                        yield name, branch


def refusals(source, given):
    """The sentences with which the Rules would stop a deployment that gives these parameters."""
    values = {name: given.get(name, parameter.get("Default", "")) for name, parameter in source["Parameters"].items()}

    def holds(condition):
        (function, of), = condition.items()
        if function == "Fn::Equals":
            left, right = (values[side["Ref"]] if isinstance(side, dict) else side for side in of)
            return left == right
        return {"Fn::Not": lambda all: not all[0], "Fn::Or": any, "Fn::And": all}[function]([holds(inner) for inner in of])

    for rule in source["Rules"].values():
        if "RuleCondition" in rule and not holds(rule["RuleCondition"]):
            continue
        for assertion in rule["Assertions"]:
            if not holds(assertion["Assert"]):
                yield assertion["AssertDescription"]


def timings(source, timeout, visibility):
    """Every (time-out, visibility timeout) in seconds that the parameters allow."""
    if not isinstance(timeout, dict):
        return [(timeout, visibility)]
    table = source["Mappings"][visibility["Fn::FindInMap"][0]] if isinstance(visibility, dict) else {}
    allowed = source["Parameters"][timeout["Ref"]]["AllowedValues"]
    return [(int(t), table.get(str(t), {}).get("Seconds", 0) if table else visibility) for t in allowed]


def main():
    path = Path(__file__).parent / "template.yaml"
    source = yaml_parse(path.read_text())
    try:
        result = transformed(source)
    except InvalidDocumentException as error:
        print(f"{path.name} does not transform: {error.message}")
        for cause in error.causes:
            print(f"  {cause.message}")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "transformed.json"
        out.write_text(json.dumps(result, indent=1))
        clean = lint(str(path)) & lint(str(out), TRANSFORM_REPEATS_CONDITIONS)
    broken = list(broken_promises(source))
    for sentence in broken:
        print(sentence)
    if clean and not broken:
        print(f"{path.name}: {len(source['Resources'])} resources, {len(result['Resources'])} after the transform, clean")
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
