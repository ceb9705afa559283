#!/usr/bin/env python3
"""redeploy.py SAM: deploys the template again, then with another setting, then deletes the stack.

Runs in the environment of .ci/with-deployment. Checks that the same template changes nothing, that a changed setting
reaches its function and keeps data, secrets and keys, and that tables, secrets and keys outlive the stack.
"""
import os
import subprocess
import sys

import boto3

sam, stack, template = sys.argv[1], os.environ["WAITLIST_PREFIX"], os.environ["WAITLIST_TEMPLATE"]
cloudformation, dynamodb, kms = boto3.client("cloudformation"), boto3.client("dynamodb"), boto3.client("kms")
functions, secrets = boto3.client("lambda"), boto3.client("secretsmanager")


def run(*arguments):
    print("sam", *arguments, flush=True)
    done = subprocess.run([sam, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
    return done.stdout


def deploy(*settings):
    more = ["--parameter-overrides", *settings] if settings else []
    arguments = ["--stack-name", stack, "--resolve-s3", "--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset"]
    return run("deploy", "-t", template, *arguments, "--no-fail-on-empty-changeset", *more)


def resources(kind):
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    found = [resource for page in pages for resource in page["StackResourceSummaries"]]
    return sorted(resource["PhysicalResourceId"] for resource in found if resource["ResourceType"] == kind)


def kept():
    """All that must stay: the number of items of each table, the text of each secret, the state of each key."""
    tables = [name for name in dynamodb.list_tables()["TableNames"] if name.startswith(f"{stack}-")]
    counts = {name: dynamodb.scan(TableName=name, Select="COUNT", ConsistentRead=True)["Count"] for name in tables}
    texts = {name: secrets.get_secret_value(SecretId=name)["SecretString"] for name in secret_names}
    states = {name: kms.describe_key(KeyId=name)["KeyMetadata"]["KeyState"] for name in key_names}
    return counts, texts, states


secret_names, key_names = resources("AWS::SecretsManager::Secret"), resources("AWS::KMS::Key")
before = kept()
assert before[0][f"{stack}-events"] > 0 and len(before[0]) == 7 and len(before[1]) == 2 and len(before[2]) == 2, before
for text in before[1].values():
    assert len(text) >= 43 and text.isalnum() and text.isascii(), "a secret is not 43 or more letters and digits"

assert "No changes to deploy" in deploy(), "the same template changed something"

deploy("TextsPerDay=100")
variables = functions.get_function_configuration(FunctionName=f"{stack}-deliver")["Environment"]["Variables"]
assert variables["WAITLIST_TEXTS_PER_DAY"] == "100", variables
assert kept() == before, "a changed setting changed data, secrets or keys"

run("delete", "--stack-name", stack, "--no-prompts")
assert kept() == before, "deleting the stack deleted data, secrets or keys"
print("deployed again without changes; a changed setting kept everything; tables, secrets and keys outlived the stack")
