#!/usr/bin/env python3
"""A lambda in few words, in a language whose runtime is not the one under test: it does what an event's `do` says."""

import json, os, sys, time, urllib.request

API = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime"


def post(path, body):
    urllib.request.urlopen(f"{API}/{path}", json.dumps(body).encode()).read()


if "FAIL_TO_START" in os.environ:
    post("init/error", {"errorType": "Config", "errorMessage": "no table is configured", "stackTrace": []})
    sys.exit(1)

while True:
    with urllib.request.urlopen(f"{API}/invocation/next") as answer:
        event, context = json.load(answer), dict(answer.headers)
    request = context["lambda-runtime-aws-request-id"]
    match event["do"]:
        case "echo":
            post(f"invocation/{request}/response", event)
        case "tell":
            post(f"invocation/{request}/response", {"context": context, "environment": dict(os.environ)})
        case "fail":
            post(f"invocation/{request}/error", {"errorType": "Refused", "errorMessage": "not today", "stackTrace": []})
        case "say":
            print("out loud", flush=True)
            print("under its breath", file=sys.stderr, flush=True)
            post(f"invocation/{request}/response", None)
        case "die":
            sys.exit("a last word")
        case "sleep":
            time.sleep(3600)
