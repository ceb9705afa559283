"""The subjects that .ci/check-api sends requests about: accounts, lists, parties, rebuilds and dead letters."""

import itertools
import json
import os
import re
import subprocess
import time

import requests

PASSWORD = "correct horse battery staple"
PARTIES_OF_LIST = 100  # a board holds more; short boards keep reads cheap
USES_OF_ACCOUNT = 4    # an account that changes more often has to refresh its session
RENEWED_SECONDS = 600  # an access token is good for 900
POLLS, POLL_SECONDS = 300, 0.1
PROJECTION_OF = {"promoteRebuild": "mails", "rollBack": "users", "retirePrevious": "waitlists", "cancelRebuild": "waitees"}
# The operations that end a session or an account, or that add an event to the account's stream.
OF_PASSING_ACCOUNT = {"changeMe", "changePassword", "eraseMe", "signOut", "askConfirmation"}
# The party must be in a state from which the operation leads on.
STEPS_BEFORE = {"confirmWaitee": ["call"], "markNoShow": ["call"], "restoreWaitee": ["leave"], "confirmVisit": ["call"]}


class World:
    def __init__(self, base):
        self.base, self.numbers = base, itertools.count(1)
        self.session = requests.Session()
        self.owner = self.account()
        self.command("operator", "grant", self.owner["email"])
        self.renew()
        self.confirmation = self.token_in_mail("confirm", self.owner)
        self.call("POST", "/v1/users/confirm", {"token": self.confirmation})
        self.passing, self.uses = None, 0
        self.list, self.parties = None, 0
        self.neighbour = None
        self.rebuilds = self.rebuilt()

    # Requests.

    def call(self, method, path, body=None, access=None):
        headers = {"Authorization": f"Bearer {access}"} if access else {}
        answer = self.session.request(method, self.base + path, json=body, headers=headers, timeout=30)
        if answer.status_code >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None

    def own(self, method, path, body=None):
        return self.call(method, path, body, self.owner["access"])

    def command(self, *args):
        run = [os.environ["WAITLIST_BINARY"], "--data-dir", os.environ["WAITLIST_DATA_DIR"], *args]
        return subprocess.run(run, check=True, capture_output=True, text=True).stdout

    def until(self, what, find):
        for _ in range(POLLS):
            found = find()
            if found:
                return found
            time.sleep(POLL_SECONDS)
        raise RuntimeError(f"{what} did not come about in {POLLS * POLL_SECONDS:.0f} s")

    # Accounts.

    def account(self):
        email = f"host-{next(self.numbers)}@example.com"
        made = self.call("POST", "/v1/users", {"email": email, "password": PASSWORD, "name": "Ana"})
        return {"id": made["id"], "email": email}

    def sign_in(self, account):
        return self.call("POST", "/v1/sessions", {"email": account["email"], "password": PASSWORD})

    def token_in_mail(self, kind, account):
        def find():
            for line in self.command("outbox", "--json").splitlines():
                mail = json.loads(line)
                token = re.search(rf"{kind}#([A-Za-z0-9_-]+)", mail["body"])
                if mail["to"] == account["email"] and token:
                    return token[1]

        return self.until(f"a mail to {kind}", find)

    def renew(self):
        self.owner["access"] = self.sign_in(self.owner)["access_token"]
        self.renewed = time.monotonic()

    def access_for(self, operation):
        if time.monotonic() - self.renewed > RENEWED_SECONDS:
            self.renew()
        if operation not in OF_PASSING_ACCOUNT:
            return self.owner["access"]
        ends = operation != "changeMe"
        if self.passing is None or self.uses >= USES_OF_ACCOUNT:
            self.passing, self.uses = self.account(), 0
            self.passing["access"] = self.sign_in(self.passing)["access_token"]
        access = self.passing["access"]
        self.uses += 1
        if ends:
            self.passing = None
        return access

    # Lists and parties.

    def new_list(self):
        return self.own("POST", "/v1/waitlists", {"name": "Main room", "time_zone": "America/Los_Angeles", "region": "US"})["id"]

    def open_list(self):
        if self.list is None or self.parties >= PARTIES_OF_LIST:
            self.list, self.parties = self.new_list(), 0
            self.neighbour = self.join()["id"]
        return self.list

    def join(self):
        self.parties += 1
        return self.call("POST", f"/v1/public/waitlists/{self.list}/waitees", {"name": "Ben", "party_size": 2})

    def party(self, operation):
        self.open_list()
        party = self.join()
        for step in STEPS_BEFORE.get(operation, []):
            self.own("POST", f"/v1/waitees/{party['id']}/{step}", {})
        return party

    # Rebuilds and dead letters.

    def rebuilt(self):
        rebuilds = {}
        for operation, name in PROJECTION_OF.items():
            promote = "manual" if operation in ("promoteRebuild", "cancelRebuild") else "auto"
            rebuilds[operation] = self.own("POST", f"/v1/projections/{name}/rebuilds", {"promote": promote})["id"]
        prepared = lambda: all(self.state(of, rebuilds) not in ("requested",) for of in PROJECTION_OF)
        self.until("the tables of the rebuilds", prepared)
        self.command("clock", "advance", "60s")  # past the hand-over, after which scanning begins
        wanted = {"promoteRebuild": "ready", "cancelRebuild": "ready", "rollBack": "promoted", "retirePrevious": "promoted"}
        done = lambda: all(self.state(of, rebuilds) == state for of, state in wanted.items())
        self.until("the end of the rebuilds", done)
        return rebuilds

    def state(self, operation, rebuilds):
        return self.own("GET", f"/v1/projections/{PROJECTION_OF[operation]}/rebuilds/{rebuilds[operation]}")["state"]

    def dead_letter(self):
        """A message that used up its attempts: the server makes a dead letter of it when it receives it next."""
        with open(os.path.join(os.environ["WAITLIST_DATA_DIR"], "server.json")) as file:
            server = json.load(file)
        item = {
            "queue": {"S": "erasures"}, "id": {"S": f"00000000-0000-7000-8000-{next(self.numbers):012}"},
            "body": {"S": "no intent"}, "attempts": {"N": "1000"}, "sent_at": {"N": "1"},
            "waiting": {"S": "erasures"}, "visible_at": {"N": "1"},
        }
        headers = {
            "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "DynamoDB_20120810.PutItem",
            "Authorization": f"AWS4-HMAC-SHA256 Credential={server['engine_access_key']}/20260101/local/dynamodb/aws4_request, "
            "SignedHeaders=host, Signature=0",
        }
        put = json.dumps({"TableName": "waitlist-queue", "Item": item})
        requests.post(server["engine"], put, headers=headers, timeout=30).raise_for_status()
        dead = lambda: self.own("GET", "/v1/dead-letters")["items"]
        return self.until("a dead letter", dead)[0]["id"]

    # Paths and bodies that name existing subjects.

    def path_for(self, operation, given):
        if "token" in given:
            return {"token": self.party(operation)["visit_token"]}
        if operation == "redriveDeadLetter":
            return {"id": self.dead_letter()}
        if operation == "getRebuild":
            return {"name": PROJECTION_OF["promoteRebuild"], "id": self.rebuilds["promoteRebuild"]}
        if operation in PROJECTION_OF:
            return {"name": PROJECTION_OF[operation]} | ({"id": self.rebuilds[operation]} if "id" in given else {})
        if operation == "deleteWaitlist":
            gone = self.new_list()
            self.own("POST", f"/v1/waitlists/{gone}/close", {})
            return {"id": gone}
        if "aitlist" in operation or operation in ("addWaitee", "listWaitees"):
            return {"id": self.new_list() if operation in ("openWaitlist", "closeWaitlist") else self.open_list()}
        if "id" in given:
            return {"id": self.party(operation)["id"]}
        return {}

    def body_for(self, operation, given, path):
        if operation == "signIn":
            return {"email": self.owner["email"], "password": PASSWORD}
        if operation == "refreshSession":
            return {"refresh_token": self.sign_in(self.owner)["refresh_token"]}
        if operation == "register":
            return {"email": f"host-{next(self.numbers)}@example.com"}
        if operation == "confirmEmail":
            return {"token": self.confirmation}
        if operation == "resetPassword":
            account = self.account()
            self.call("POST", "/v1/password-resets", {"email": account["email"]})
            return {"token": self.token_in_mail("reset", account)}
        if operation in ("eraseMe", "changePassword"):
            return {"current_password": PASSWORD}
        if operation == "moveWaitee":
            return {key: self.neighbour for key in ("before", "after") if given.get(key)}
        return {}
