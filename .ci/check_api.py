"""Runs schemathesis against a server of its own, and prints the answers of each operation; called by check-api."""

import json
import os
import subprocess
import sys
import tempfile

# Sign-ins, registrations and joins are counted. The bounds are tested elsewhere, and would end the requests here.
COUNTED = [
    "sign-in-account", "sign-in-address", "register-account", "register-address", "mail-account", "reset-account",
    "mail-address", "token-address", "join-account", "join-address",
]
BY_STATUS = ["2", "3", "4", "5"]


def main():
    with open("schema/openapi.json") as file:
        paths = json.load(file)["paths"]
    operations = [f"{method.upper()} {path}" for path in paths for method in paths[path] if method != "parameters"]
    with tempfile.TemporaryDirectory() as scratch:
        data, answers = f"{scratch}/data", f"{scratch}/answers"
        serve = [os.environ["WAITLIST_BINARY"], "serve", "--listen", "127.0.0.1:0", "--manual-clock", "--json"]
        limits = {"WAITLIST_LIMITS": ",".join(f"{counted}=1000000/1h" for counted in COUNTED)}
        with open(f"{scratch}/log", "w") as log:
            server = subprocess.Popen(
                [*serve, "--data-dir", data], env=os.environ | limits, stdout=subprocess.PIPE, stderr=log, text=True
            )
        try:
            api = json.loads(server.stdout.readline())["listening"]
            code = subprocess.run(
                [
                    "schemathesis", "--config-file", ".ci/schemathesis.toml", "run", "schema/openapi.json",
                    "--url", api, "--seed", os.environ["SEED"],
                    "--max-examples", os.environ["CASES"], "--no-color", "--warnings", "off",
                ],
                env=os.environ | {
                    "SCHEMATHESIS_HOOKS": "api_hooks", "PYTHONPATH": ".ci", "WAITLIST_DATA_DIR": data,
                    "WAITLIST_CHECKED_API": api, "WAITLIST_CHECKED_ANSWERS": answers,
                },
            ).returncode
        finally:
            server.terminate()
            server.wait()
        with open(f"{scratch}/log") as log:
            sys.stderr.writelines(line for line in log if " ERROR " in line)
        with open(answers) as file:
            found = json.load(file)
    sys.exit(code or tell(operations, found))


def tell(operations, found):
    print(f"{'operation':54}" + "".join(f"{status}xx".rjust(6) for status in BY_STATUS))
    never = []
    for operation in operations:
        of_status = [sum(n for code, n in found.get(operation, {}).items() if code[0] == status) for status in BY_STATUS]
        print(f"{operation:54}" + "".join(f"{number:6}" for number in of_status))
        if not of_status[0]:
            never.append(operation)
    print(f"{len(operations)} operations, {sum(sum(of.values()) for of in found.values())} answers")
    if never:
        print("never answered 2xx:", *never, sep="\n  ")
    return 1 if never else 0


main()
