#!/usr/bin/env python3
"""Rotates the secret `links` of a deployment and gives it a wrong secret `claims`.

Runs in the environment of .ci/with-deployment. The functions keep running while `links` rotates: tokens of both
versions are accepted, and those of the former one end when its version loses the stage AWSPREVIOUS. A function whose
secret `claims` is another one must not start, and must say why.
"""
import json
import os
import pathlib
import time
import urllib.error
import urllib.request
import uuid

import boto3

SECONDS_MAX = 40  # a function reads the secret again after 10 s at the earliest, for a token that fits no version
PASSWORD = "correct horse battery staple"
api, stack, emulator = (os.environ[name] for name in ("WAITLIST_DEPLOYED_API", "WAITLIST_PREFIX", "AWS_ENDPOINT_URL"))
functions, secrets = boto3.client("lambda"), boto3.client("secretsmanager")
describe = boto3.client("cloudformation").describe_stack_resource
links = describe(StackName=stack, LogicalResourceId="LinksSecret")["StackResourceDetail"]["PhysicalResourceId"]
began = time.monotonic()


def call(method, path, body=None, **headers):
    """The status of an answer and its body."""
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(api + path, data, {"Content-Type": "application/json", **headers}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"null")


def expect(status, method, path, body=None, **headers):
    found, answer = call(method, path, body, **headers)
    assert found == status, f"{method} {path}: {found} {answer}"
    return answer


def until(what, look):
    """Looks once a second until there is a result."""
    end = time.monotonic() + SECONDS_MAX
    while not (found := look()):
        assert time.monotonic() < end, f"waited in vain until {what}"
        time.sleep(1)
    return found


def processes(*names):
    """The ids of these functions' processes."""
    found = set()
    for environment in pathlib.Path("/proc").glob("[0-9]*/environ"):
        try:
            of = environment.read_bytes().split(b"\0")
        except OSError:
            continue  # it has ended, or belongs to another user
        if f"AWS_ENDPOINT_URL={emulator}".encode() in of and any(
            f"AWS_LAMBDA_FUNCTION_NAME={stack}-{name}".encode() in of for name in names
        ):
            found.add(environment.parent.name)
    return found


def visit(token):
    """By how many of the functions that take a guest's token, reads and guests, it is accepted."""
    shown, confirmed = call("GET", f"/v1/public/visits/{token}"), call("POST", f"/v1/public/visits/{token}/confirm", {})
    statuses = [shown[0], confirmed[0]]
    assert set(statuses) <= {200, 404}, statuses
    return statuses.count(200)


def refreshed(token):
    """The refresh token that follows, or nothing when this one is refused."""
    status, answer = call("POST", "/v1/sessions/refresh", {"refresh_token": token})
    assert status in (200, 401), answer
    return answer.get("refresh_token")


def forge(token):
    return token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB")


def provoke():
    """Shows tokens that fit no version to the functions, so that they read the secret again."""
    assert not visit(forge(guest)) and not refreshed(forge(refresh))


account = {"email": f"rotation-{uuid.uuid4().hex}@example.com", "password": PASSWORD}
expect(201, "POST", "/v1/users", {**account, "name": "Ana"})
session = expect(201, "POST", "/v1/sessions", account)
refresh, owner = session["refresh_token"], {"Authorization": f"Bearer {session['access_token']}"}
room = {"name": "Main room", "time_zone": "America/Los_Angeles", "region": "US"}
room = expect(201, "POST", "/v1/waitlists", room, **owner)["id"]
key = {"Idempotency_Key": str(uuid.uuid4())}


def join():
    """The token of the one visit, signed anew: a repeated request gets the same visit."""
    answer = expect(201, "POST", f"/v1/public/waitlists/{room}/waitees", {"name": "Ben", "party_size": 2}, **key)
    return answer["id"], answer["visit_token"]


party, guest = join()
expect(202, "POST", f"/v1/waitees/{party}/call", {}, **owner)
assert join()[1] == guest and visit(guest) == 2
successor = refreshed(refresh)
assert successor and refreshed(refresh) == successor
running = processes("accounts", "guests", "reads")
assert len(running) >= 3, running

# A new version: functions go on with the versions that they have read, and sooner or later sign with the new one.
secrets.put_secret_value(SecretId=links, SecretString=uuid.uuid4().hex + uuid.uuid4().hex)
assert visit(guest) == 2 and refreshed(refresh), "an old token ended with the rotation"


def signed_anew():
    provoke()
    tokens = join()[1], refreshed(refresh)
    return tokens if tokens[0] != guest and tokens[1] != successor else None


new_guest, new_refresh = until("tokens are signed with the new version", signed_anew)
until("all functions accept the new version", lambda: visit(new_guest) == 2)
assert visit(guest) == 2 and refreshed(refresh) == new_refresh, "an old token ended before its version did"

# The former version loses its stage: its tokens end.
stages = secrets.describe_secret(SecretId=links)["VersionIdsToStages"]
(previous,) = [version for version, names in stages.items() if "AWSPREVIOUS" in names]
secrets.update_secret_version_stage(SecretId=links, VersionStage="AWSPREVIOUS", RemoveFromVersionId=previous)


def ended():
    provoke()
    return visit(guest) == 0 and not refreshed(refresh)


until("old tokens have ended", ended)
assert visit(new_guest) == 2 and refreshed(new_refresh), "a new token ended with the old version"
assert running <= processes("accounts", "guests", "reads"), "a function was started anew meanwhile"
print(f"links rotated in {time.monotonic() - began:.0f} s, while the functions kept running")

# A secret that the vault's claims were not made with.
name = f"{stack}-accounts"
configured = functions.get_function_configuration(FunctionName=name)["Environment"]


def configure(environment):
    functions.update_function_configuration(FunctionName=name, Environment=environment)
    functions.get_waiter("function_updated_v2").wait(FunctionName=name)


configure({"Variables": {**configured["Variables"], "WAITLIST_CLAIMS_SECRET": links}})
assert call("GET", "/.well-known/jwks.json")[0] >= 500, "accounts answers with another claims key"
# The emulator puts what a process prints before it has started into the invocation's error, and not into a log.
failure = json.loads(functions.invoke(FunctionName=name)["Payload"].read())["errorMessage"]
assert "the claims key is not the one" in failure, failure
configure(configured)
expect(200, "GET", "/.well-known/jwks.json")
print(f"with another claims key, {name} does not start: {failure}")
