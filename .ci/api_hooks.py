"""Hooks of schemathesis for .ci/check-api: requests that can succeed.

Generated ids, tokens and passwords name nothing, so nearly all answers would be 404 or 401. These hooks replace valid
ones by those of subjects that they make over the API, and count the answers of each operation. Invalid values, which
schemathesis marks as negative, stay as they are.
"""

import atexit
import json
import os
import uuid
from collections import Counter, defaultdict

import schemathesis
from schemathesis.generation import GenerationMode
from schemathesis.generation.meta import TestPhase

from api_world import World

KEPT_OF_VALID = 5  # every fifth request of an operation keeps its generated ids, keys and passwords
world = World(os.environ["WAITLIST_CHECKED_API"])
answers: dict[str, Counter] = defaultdict(Counter)
turns: Counter = Counter()
tokens: dict[str, str] = {}  # the Sync-Token of the last write to a subject, by its id


@schemathesis.auth()
class SignedIn:
    """The owner and operator, or a passing account where the operation ends sessions or grows the account."""

    def get(self, case, context):
        return "chosen for each request"

    def set(self, case, data, context):
        if not case.operation.definition.raw.get("security"):
            return
        name = case.operation.definition.raw["operationId"]
        case.headers["Authorization"] = f"Bearer {world.access_for(name)}"


# Query parameters that are left out: a generated value names nothing, or excludes another parameter.
UNKNOWN = {"cursor", "day", "waitlist"}
# Problem types that may refuse a request although it fits the document. Any other refusal of such a request is a finding.
REFUSALS = {
    "unauthorized", "invalid-credentials", "invalid-token", "forbidden", "not-found", "precondition-failed",
    "idempotency-key-reused", "weak-password", "wrong-password",
}
# Values that no pattern can describe, and what refuses them.
BEYOND_PATTERNS = {
    "/name": "reads as a link",
    "/phone": "a number that no plan has",
    "/remind_minutes": "not less than hold_minutes",
    "cursor": "no page had it",
    "Sync-Token": "no write had it, or beside as_of",
    "as_of": "beside day, or too late",
    "day": "beside as_of",
    "waitlist": "beside stream",
    "to": "not later than from",
}


@schemathesis.check
def valid_data_acceptance(ctx, response, case):
    """Instead of schemathesis's positive_data_acceptance, which knows statuses only."""
    if case.meta is None or is_probe(case) or not is_valid(case) or response.status_code < 400:
        return
    problem = response.json()
    slug = problem["type"].rsplit("/", 1)[1]
    named = {error.get("pointer") or error.get("parameter") or error.get("header") for error in problem.get("errors", [])}
    if slug in REFUSALS or response.status_code == 409 or named and named <= set(BEYOND_PATTERNS):
        return
    raise AssertionError(f"a request that fits the document was refused: {problem}")


@schemathesis.hook
def before_call(context, case, **kwargs):
    if case.meta is None or is_probe(case):
        return
    name = case.operation.definition.raw["operationId"]
    turns[name] += 1
    is_linked = case.meta.phase.name == TestPhase.STATEFUL
    is_kept = turns[name] % KEPT_OF_VALID == 0
    if is_valid(case, "PATH") and case.path_parameters and not is_linked and not is_kept:
        case.path_parameters.update(world.path_for(name, case.path_parameters))
    if is_valid(case, "BODY") and isinstance(case.body, dict) and not is_kept:
        case.body.update(world.body_for(name, case.body, case.path_parameters))
    if is_valid(case, "QUERY") and case.query and not is_linked and not is_kept:
        for unknown in UNKNOWN & set(case.query):
            del case.query[unknown]
    for tags in ("If-Match", "If-None-Match"):
        if is_valid(case, "HEADER") and case.headers.get(tags) == "":
            del case.headers[tags]  # the coverage phase takes this for a value of the pattern
    if is_valid(case, "HEADER") and not is_kept:
        case.headers.pop("Sync-Token", None)
        if "Idempotency-Key" in case.headers:
            case.headers["Idempotency-Key"] = str(uuid.UUID(int=1 << 80 | turns.total()))
    # A read after a write shows it only with the write's Sync-Token.
    written = tokens.get((case.path_parameters or {}).get("id", ""))
    if written and case.method.upper() == "GET" and is_valid(case, "HEADER") and "as_of" not in (case.query or {}):
        case.headers.setdefault("Sync-Token", written)


@schemathesis.hook
def after_call(context, case, response):
    if is_probe(case):
        return
    answers[f"{case.operation.method.upper()} {case.operation.path}"][response.status_code] += 1
    written = response.headers.get("sync-token")
    if written:
        token = written[0]
        tokens[token.split("@")[0].split("-", 1)[1]] = token


def is_probe(case):
    """Whether the request has another method than the operation."""
    return case.method.upper() != case.operation.method.upper()


def is_valid(case, *locations):
    """Whether nothing at these locations, by default anywhere, was made invalid on purpose."""
    modes = {place.name: info.mode for place, info in case.meta.components.items()}
    return all(modes.get(place, GenerationMode.POSITIVE) == GenerationMode.POSITIVE for place in locations or modes)


@atexit.register
def write_answers():
    with open(os.environ["WAITLIST_CHECKED_ANSWERS"], "w") as file:
        json.dump(answers, file)
