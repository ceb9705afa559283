#!/usr/bin/env python3
"""idle_statements.py [ROLE...]: takes each statement of these functions' roles away in turn, of all roles by default, and
checks that the function is then denied an action of it when it does its work.

Runs in the environment of .ci/with-deployment. UNSHOWN has the statements for which this is impossible, with the reason; a
statement that is in UNSHOWN and yet is shown to be needed fails the run. The emulator knows no keys of partitions: of several statements that allow the same
on the same table, for different keys, none can be shown.
"""
import fnmatch
import itertools
import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid

import boto3

PASSWORD = "correct horse battery staple"
POLL_SECONDS, POLLS = 0.2, 100  # pipelines begin within seconds
READY_POLLS = 120               # a rebuild scans 35 s after it was prepared
api, stack = os.environ["WAITLIST_DEPLOYED_API"], os.environ["WAITLIST_PREFIX"]
iam, functions, logs, sqs = (boto3.client(name) for name in ("iam", "lambda", "logs", "sqs"))
resources = {
    resource["LogicalResourceId"]: resource["PhysicalResourceId"]
    for page in boto3.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    for resource in page["StackResourceSummaries"]
}
numbers = itertools.count(1)

POLLER = "made by Lambda's poller, which the emulator lets pass"
LATER = "the emulator's mappings have no failure destination"
# By role and the actions of a statement with the last parts of its resources.
UNSHOWN = {
    "Deliver": {"ReceiveMessage, DeleteMessage, GetQueueAttributes on deliveries": POLLER,
                "deny Publish on *": "its absence denies nothing; .ci/denials.py shows that topics are denied"},
    "Eraser": {"ReceiveMessage, DeleteMessage, GetQueueAttributes on erasures": POLLER},
    "Projector": {"DescribeStream, GetRecords, GetShardIterator on events/stream": POLLER, "ListStreams on events/stream": POLLER,
                  "SendMessage on stream-failures": LATER,
                  "ReceiveMessage, DeleteMessage, GetQueueAttributes on retries": POLLER},
    "Reactor": {"DescribeStream, GetRecords, GetShardIterator on events/stream": POLLER, "ListStreams on events/stream": POLLER,
                "SendMessage on stream-failures": LATER},
    "Rebuild": {"ReceiveMessage, DeleteMessage, GetQueueAttributes on rebuilds": POLLER},
}
OTHER_KEYS = "another statement allows the same for other keys"


def call(method, path, body=None, access=None):
    """The status and the body of an answer."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {access}"} if access else {})
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(api + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            text, is_json = answer.read().decode(), answer.headers.get_content_type() == "application/json"
            return answer.status, json.loads(text) if is_json and text else text
    except urllib.error.HTTPError as error:
        return error.code, None


def must(method, path, body=None, access=None):
    status, answer = call(method, path, body, access)
    assert status < 300, f"{method} {path}: {status}"
    return answer


def until(what, find, polls=POLLS):
    for _ in range(polls):
        if found := find():
            return found
        time.sleep(POLL_SECONDS)
    raise AssertionError(f"waited in vain for {what}")


def invoke(name, event):
    """The answer of a function, or what it printed before it started."""
    return functions.invoke(FunctionName=f"{stack}-{name}", Payload=json.dumps(event).encode())["Payload"].read().decode()


def message(name, body):
    record = {"messageId": str(uuid.uuid4()), "eventSource": "aws:sqs", "body": json.dumps(body)}
    return invoke(name, {"Records": [record]})


def record(name, stream, seq):
    keys = {"stream": {"S": stream}, "seq": {"N": str(seq)}}
    change = {"Keys": keys, "SequenceNumber": "1", "NewImage": keys, "SizeBytes": 1, "StreamViewType": "NEW_IMAGE"}
    return invoke(name, {"Records": [{"eventID": "1", "eventName": "INSERT", "eventSource": "aws:dynamodb", "awsRegion": "us-east-1",
                                      "eventSourceARN": resources["Events"], "eventVersion": "1.1", "dynamodb": change}]})


# What is there before a statement is taken away.


def account():
    email = f"host-{uuid.uuid4().hex}@example.com"
    made = must("POST", "/v1/users", {"email": email, "password": PASSWORD, "name": "Ana"})
    tokens = must("POST", "/v1/sessions", {"email": email, "password": PASSWORD})
    return {"id": made["id"], "email": email, "access": tokens["access_token"], "since": time.monotonic()}


def sign_in(owner):
    """An access token, which is good for 900 s. Sign-ins are counted."""
    if time.monotonic() - owner["since"] > 600:
        tokens = must("POST", "/v1/sessions", {"email": owner["email"], "password": PASSWORD})
        owner |= {"access": tokens["access_token"], "since": time.monotonic()}
    return owner["access"]


def room(owner):
    body = {"name": "Main room", "time_zone": "America/Los_Angeles", "region": "US"}
    return must("POST", "/v1/waitlists", body, sign_in(owner))["id"]


def join():
    return must("POST", f"/v1/public/waitlists/{main}/waitees", {"name": "Ben", "party_size": 2})


def party(**more):
    """A party that a host adds: guests' own joins are counted."""
    return must("POST", f"/v1/waitlists/{main}/waitees", {"name": "Ben", "party_size": 2, **more}, sign_in(owner))["id"]


def confirmed(owner):
    """Confirms the address by the mailed link, so that the account may send texts."""
    def mailed():
        with urllib.request.urlopen(f"{os.environ['AWS_ENDPOINT_URL']}/_ministack/ses/messages") as answer:
            text = answer.read().decode()
        mails = [part for part in text.split('"MessageId"') if owner["email"] in part]
        return next((found[1] for mail in mails if (found := re.search(r"confirm#([A-Za-z0-9_-]+)", mail))), None)

    must("POST", "/v1/users/confirm", {"token": until("the welcome mail", mailed)})


def operator(owner):
    settings = {"WAITLIST_CLAIMS_SECRET": resources["ClaimsSecret"]}
    run = ["target/debug/waitlist", "operator", "grant", owner["email"], "--aws"]
    subprocess.run(run, check=True, env=os.environ | settings, stdout=subprocess.DEVNULL)
    owner["since"] = -1e9  # the token that it has does not say so


def rebuild(name, promote):
    """Starts a rebuild, in place of one that an earlier run left."""
    for left in must("GET", f"/v1/projections/{name}/rebuilds?limit=1", None, sign_in(owner))["items"]:
        call("POST", f"/v1/projections/{name}/rebuilds/{left['id']}/cancel", {}, sign_in(owner))
    return must("POST", f"/v1/projections/{name}/rebuilds", {"promote": promote}, sign_in(owner))["id"]


def ready(name, id):
    path = f"/v1/projections/{name}/rebuilds/{id}"
    until(f"{path} is ready", lambda: must("GET", path, None, sign_in(owner))["state"] == "ready", READY_POLLS * 5)


def park(**more):
    body = {"consumer": "projector", "stream": f"mail-{uuid.uuid4()}", "seq": 1, "cause": "made up"}
    return lambda queue, **how: sqs.send_message(QueueUrl=resources[queue], MessageBody=json.dumps(body | more), **how)


def empty(queue):
    sqs.purge_queue(QueueUrl=resources[queue])


def bar():
    """Bars the promotion of rebuilds, by a doorbell that is parked for a while, so that they wait."""
    park()("Retries", DelaySeconds=900)


# The work of each function: yields once all is there, does it, and may yield again before it clears up.


def authorizer(_):
    access = account()["access"]
    yield
    call("GET", "/v1/me", None, access)


def accounts(_):
    known = account()
    yield
    call("GET", "/.well-known/jwks.json")
    call("POST", "/v1/users", {"email": f"{uuid.uuid4().hex}@example.com", "password": PASSWORD, "name": "Ana"})
    call("POST", "/v1/sessions", {"email": known["email"], "password": PASSWORD})
    call("PATCH", "/v1/me", {"name": "Ana Maria"}, known["access"])


def hosts(_):
    seated = party()
    yield
    call("POST", f"/v1/waitlists/{main}/waitees", {"name": "Ben", "party_size": 2}, sign_in(owner))
    call("POST", f"/v1/waitees/{seated}/seat", {"reason": "at last"}, sign_in(owner))


def guests(_):
    token = join()["visit_token"]
    yield
    call("POST", f"/v1/public/waitlists/{main}/waitees", {"name": "Ben", "party_size": 2})
    call("POST", f"/v1/public/visits/{token}/leave", {})


def reads(_):
    joined = join()
    yield
    for path in (f"/v1/waitlists/{main}/waitees", f"/v1/waitees/{joined['id']}/history", "/v1/audit?limit=5", "/v1/waitlists", "/v1/me"):
        call("GET", path, None, sign_in(owner))
    call("GET", f"/v1/public/visits/{joined['visit_token']}")


def exports(_):
    path = "/v1/audit/export?format=ndjson"
    until("a history to export", lambda: call("GET", path, None, sign_in(owner))[1])  # it ends ten seconds ago
    yield
    call("GET", path, None, sign_in(owner))


def operations(wanted):
    park()("RetriesDead")
    park(stream=f"user-{owner['id']}", generation=generation["users"])("RetriesDead")
    access = sign_in(owner)
    if "dynamodb:BatchGetItem" in wanted:
        empty("Retries")
    yield
    if wanted & {"sqs:GetQueueAttributes", "dynamodb:BatchGetItem"}:  # else it could be promoted
        call("POST", f"/v1/projections/users/rebuilds/{waiting['users']}/promote", {}, access)
    else:
        call("GET", "/v1/projections", None, access)
        call("POST", "/v1/projections/waitlists/rebuilds", {"dry_run": True}, access)
        status, listed = call("GET", "/v1/dead-letters", None, access)
        for letter in (listed or {"items": []})["items"][:1]:
            call("POST", f"/v1/dead-letters/{letter['id']}/redrive", {}, access)
    yield
    bar()


def projector(_):
    joined = party()
    yield
    record("projector", f"waitee-{joined}", 1)
    record("projector", f"waitee-{uuid.uuid4()}", 1)  # of a commit that the log lacks: it is parked


def reactor(_):
    yield
    record("reactor", f"mail-{owner['id']}", 1)


def deliver(_):
    called = party(phone=f"+1415555{2600 + next(numbers)}")  # texts to a number are counted
    yield
    call("POST", f"/v1/waitees/{called}/call", {}, sign_in(owner))
    account()  # gets a mail
    message("deliver", {"intent": "clear", "stream": f"mail-{owner['id']}"})  # it fails, and is queued again


def eraser(_):
    leaving, erased, unreadable = account(), party(), f"waitee-{uuid.uuid4()}"
    item = {"stream": {"S": unreadable}, "seq": {"N": "1"}}
    boto3.client("dynamodb").put_item(TableName=f"{stack}-events", Item=item)
    yield
    call("POST", f"/v1/waitees/{erased}/erase", {}, sign_in(owner))
    call("POST", "/v1/me/erase", {"current_password": PASSWORD}, leaving["access"])
    message("eraser", {"intent": "forget", "stream": unreadable})  # it fails, and is queued again


def rebuilds(wanted):
    started = None
    if "sqs:ReceiveMessage" in wanted:
        empty("Retries")
    yield
    if any(action.startswith("sqs:") for action in wanted):  # else it could be promoted
        message("rebuild", {"projection": "mails", "step": {"conclude": {"rebuild": waiting["mails"]}}})
    else:
        started = rebuild("waitlists", "manual")
    yield
    bar()
    if started:
        call("POST", f"/v1/projections/waitlists/rebuilds/{started}/cancel", {}, sign_in(owner))


def sweep(_):
    gone = party()
    must("POST", f"/v1/waitees/{gone}/erase", {}, sign_in(owner))
    history = f"/v1/waitees/{gone}/history"
    until("the guest is forgotten", lambda: "forgotten" in str(must("GET", history, None, sign_in(owner))))
    empty("Sweeps")
    yield
    invoke("sweep", {"sweep": "daily"})


def tick(_):
    yield
    invoke("tick", {})


def setup(_):
    yield
    nowhere = {"RequestType": "Update", "ResponseURL": "http://127.0.0.1:9/", "RequestId": "1", "StackId": "1", "LogicalResourceId": "RowTables"}
    invoke("setup", nowhere)


WORK = {
    "Authorizer": authorizer, "Accounts": accounts, "Hosts": hosts, "Guests": guests, "Reads": reads, "Exports": exports,
    "Rebuild": rebuilds, "Operations": operations, "Projector": projector, "Reactor": reactor, "Deliver": deliver,
    "Sweep": sweep, "Tick": tick, "Setup": setup, "Eraser": eraser,
}


# Statements.


def listed(value):
    return value if isinstance(value, list) else [value]


def short(resource):
    name = resource.split(":table/")[-1] if ":table/" in resource else resource.rsplit(":", 1)[-1]
    name = re.sub("/stream/.*", "/stream", name.removeprefix(f"{stack}-"))
    return "key" if ":kms:" in resource else re.sub("(Secret)-.*", r"\1", name)


def label(statement):
    actions = ", ".join(action.split(":")[1] for action in listed(statement["Action"]))
    over = ", ".join(sorted({short(resource) for resource in listed(statement["Resource"])}))
    return ("deny " if statement["Effect"] == "Deny" else "") + f"{actions} on {over}"


def is_allowed_by(others, statement):
    """Whether other statements allow all of this one's actions on all of its resources, keys aside."""
    def allows(other, action, resource):
        matches = any(fnmatch.fnmatchcase(resource, pattern) for pattern in listed(other["Resource"]))
        return other["Effect"] == "Allow" and action in listed(other["Action"]) and matches

    pairs = itertools.product(listed(statement["Action"]), listed(statement["Resource"]))
    return statement["Effect"] == "Allow" and all(any(allows(other, *pair) for other in others) for pair in pairs)


def denied(role, since, printed):
    """The actions that the role was denied since a time, as logs and answers name them."""
    found = logs.filter_log_events(logGroupName=f"/waitlist/{stack}/functions", startTime=since)["events"]
    texts = [event["message"] for event in found] + printed
    about = [text for text in texts if f"assumed-role/{resources[role + 'Role']}/" in text]
    refused = [text for text in texts if "the carrier refused" in text and re.search("AccessDenied|AuthorizationError", text)]
    carriers = {"ses:SendEmail" if "welcome-" in text else "sns:Publish" for text in refused}
    return carriers | {action for text in about for action in re.findall(r"not authorized to perform: ([a-z]+:\w+)", text)}


def restart(name, variables):
    """Lets the function start anew, without what it has read."""
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})


def try_without(role, policy, document, place):
    """The actions of a statement that were denied once it was gone."""
    statement = document["Statement"][place]
    rest = {**document, "Statement": document["Statement"][:place] + document["Statement"][place + 1:]}
    name, wanted = f"{stack}-{role.lower()}", set(listed(statement["Action"]))
    variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    work = WORK[role](wanted)
    next(work)
    iam.put_role_policy(RoleName=resources[f"{role}Role"], PolicyName=policy, PolicyDocument=json.dumps(rest))
    since, printed = int(time.time() * 1000), []
    try:
        restart(name, variables | {"WITHOUT": str(place)})
        next(work, None)
        for poll in range(POLLS // 2):
            if found := denied(role, since, printed) & wanted:
                return found
            if poll % 10 == 0:
                printed.append(invoke(role.lower(), {}))  # what it prints before it has started is in no log
            time.sleep(POLL_SECONDS)
        return set()
    finally:
        iam.put_role_policy(RoleName=resources[f"{role}Role"], PolicyName=policy, PolicyDocument=json.dumps(document))
        restart(name, variables)
        next(work, None)


def check(role):
    """The statements of a role that are not as UNSHOWN has them."""
    (policy,) = iam.list_role_policies(RoleName=resources[f"{role}Role"])["PolicyNames"]
    document = iam.get_role_policy(RoleName=resources[f"{role}Role"], PolicyName=policy)["PolicyDocument"]
    document = json.loads(document) if isinstance(document, str) else document
    wrong = []
    for place, statement in enumerate(document["Statement"]):
        named, reason = label(statement), UNSHOWN.get(role, {}).get(label(statement))
        others = document["Statement"][:place] + document["Statement"][place + 1:]
        if reason is None and is_allowed_by(others, statement):
            reason = OTHER_KEYS
        found = set() if reason else try_without(role, policy, document, place)
        print(f"{role:11} {named:75} {', '.join(sorted(found)) or f'not shown: {reason}' if found or reason else 'IDLE'}", flush=True)
        if not found and not reason:
            wrong.append(f"{role}: {named}")
    return wrong


roles = sys.argv[1:] or list(WORK)
owner = account()
confirmed(owner)
main = room(owner)
waiting, generation = {}, {}
if {"Operations", "Rebuild"} & set(roles):
    operator(owner)
    bar()
    waiting = {"users": rebuild("users", "manual"), "mails": rebuild("mails", "auto")}
    for name, id in waiting.items():
        ready(name, id)
        generation[name] = must("GET", f"/v1/projections/{name}/rebuilds/{id}", None, sign_in(owner))["generation"]
wrong = [of for role in roles for of in check(role)]
print("\n".join(f"idle: {of}" for of in wrong) or f"each statement of {len(roles)} roles is needed, or cannot be shown for a named reason")
sys.exit(bool(wrong))
