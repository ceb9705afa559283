#!/usr/bin/env python3
"""Checks on a deployment that each function's role is denied calls that it must not make.

Runs in the environment of .ci/with-deployment. A function's credentials are its own, so the roles are first made to
trust this account; what they allow stays as deployed. Conditions on keys are not enforced by the emulator: the test
`template` checks them in the template's text.
"""
import json
import os
import sys

import boto3
from botocore.exceptions import ClientError

stack = os.environ["WAITLIST_PREFIX"]
iam, cloudformation, sts = boto3.client("iam"), boto3.client("cloudformation"), boto3.client("sts")
account = sts.get_caller_identity()["Account"]
resources = {
    resource["LogicalResourceId"]: resource["PhysicalResourceId"]
    for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    for resource in page["StackResourceSummaries"]
}
TEXT, KEY, COMMIT = {"S": "x"}, {"subject": {"S": "account-x"}}, {"stream": {"S": "waitee-x"}, "seq": {"N": "1"}}
SEND = {"MessageBody": "{}"}


def events(**more):
    return {"TableName": f"{stack}-events", **more}


def vault(**more):
    return {"TableName": f"{stack}-vault", **more}


def rows(**more):
    return {"TableName": f"{stack}-events-waitees-g0", **more}


append = ("dynamodb", "put_item", events(Item=COMMIT))
remove = ("dynamodb", "delete_item", events(Key=COMMIT))
change = ("dynamodb", "update_item", events(Key=COMMIT))
scan = ("dynamodb", "scan", events())
drop = ("dynamodb", "delete_table", rows())
put_row = ("dynamodb", "put_item", rows(Item={"id": TEXT}))
put_key = ("dynamodb", "put_item", vault(Item=KEY))
get_key = ("dynamodb", "get_item", vault(Key=KEY))
delete_key = ("dynamodb", "delete_item", vault(Key=KEY))
sign = ("kms", "sign", {"KeyId": resources["TokenKey"], "Message": b"x", "SigningAlgorithm": "ED25519_SHA_512"})
decrypt = ("kms", "decrypt", {"KeyId": resources["DataKey"], "CiphertextBlob": b"x"})
encrypt = ("kms", "encrypt", {"KeyId": resources["DataKey"], "Plaintext": b"x"})
links = ("secretsmanager", "get_secret_value", {"SecretId": resources["LinksSecret"]})
claims = ("secretsmanager", "get_secret_value", {"SecretId": resources["ClaimsSecret"]})
text = ("sns", "publish", {"PhoneNumber": "+14155552671", "Message": "x"})
topic = ("sns", "publish", {"TopicArn": resources["Alarms"], "Message": "x"})
erase = ("sqs", "send_message", {"QueueUrl": resources["Erasures"], **SEND})
deliver = ("sqs", "send_message", {"QueueUrl": resources["Deliveries"], **SEND})
mail = (
    "sesv2",
    "send_email",
    {
        "FromEmailAddress": "hello@waitlist.example",
        "Destination": {"ToAddresses": ["ana@example.com"]},
        "Content": {"Simple": {"Subject": {"Data": "x"}, "Body": {"Text": {"Data": "x"}}}},
    },
)
everyone = [remove, change, scan, drop]
EXCEPTED = {
    "Rebuild": [scan, drop],  # it reads the whole log, and deletes tables of retired generations
    "Operations": [scan],  # it estimates rebuilds from a sample of the log
    "Sweep": [scan],  # it reads the whole log
}
DENIED = {
    "Authorizer": [append, get_key, sign, links, claims],
    "Accounts": [put_row, delete_key, text, mail, erase],
    "Hosts": [put_row, delete_key, encrypt, sign, links, claims, text, mail],
    "Guests": [put_row, delete_key, encrypt, sign, claims, text, mail],
    "Reads": [append, put_row, put_key, delete_key, encrypt, sign, claims, text, mail, deliver],
    "Exports": [put_row, put_key, delete_key, encrypt, sign, links, claims, text, mail, deliver],
    "Operations": [put_row, get_key, decrypt, sign, links, claims, text, mail],
    "Pages": [append, put_row, put_key, get_key, delete_key, decrypt, encrypt, sign, links, claims, text, mail, erase, deliver],
    "Projector": [append, get_key, decrypt, links, deliver, erase, mail],
    "Reactor": [append, put_row, get_key, decrypt, links, text, mail],
    "Deliver": [put_row, put_key, delete_key, encrypt, sign, claims, topic],
    "Eraser": [put_row, encrypt, sign, links, text, mail, deliver],
    "Rebuild": [put_key, get_key, delete_key, decrypt, encrypt, sign, links, claims, text, mail, erase, deliver],
    "Sweep": [append, put_row, put_key, get_key, delete_key, decrypt, encrypt, sign, links, claims, text, mail, deliver],
    "Tick": [append, put_row, get_key, decrypt, links, text, mail, erase],
    "Setup": [append, put_row, get_key, decrypt, links],
}
ALLOWED = {  # proves that a role's credentials work at all
    "Reads": ("dynamodb", "get_item", rows(Key={"id": TEXT})),
    "Setup": ("dynamodb", "describe_table", rows()),
    "Accounts": links,
    "Eraser": claims,
}
trust = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}],
}


def session(role):
    name = resources[f"{role}Role"]
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))
    arn = iam.get_role(RoleName=name)["Role"]["Arn"]
    given = sts.assume_role(RoleArn=arn, RoleSessionName="denials")["Credentials"]
    return boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])


def refusal(session, call):
    """The code of the refusal, or None when the call was allowed."""
    service, operation, parameters = call
    try:
        getattr(session.client(service), operation)(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return None


wrong, calls = [], 0
for role, denied in DENIED.items():
    acting = session(role)
    for call in [call for call in everyone if call not in EXCEPTED.get(role, [])] + denied:
        code = refusal(acting, call)
        calls += 1
        if code not in ("AccessDenied", "AccessDeniedException", "AuthorizationError"):
            wrong.append(f"{role} may {call[0]} {call[1]} {call[2]}: {code or 'allowed'}")
    if role in ALLOWED and (code := refusal(acting, ALLOWED[role])):
        wrong.append(f"{role} may not {ALLOWED[role][1]}: {code}")
missing = {name.removesuffix("Role") for name in resources if name.endswith("Role")} - set(DENIED)
wrong += [f"no denial is checked for {role}" for role in sorted(missing)]
print("\n".join(wrong) or f"{calls} calls of {len(DENIED)} roles were denied, as they must be")
sys.exit(bool(wrong))
