# What with-dynamodb-local and with-ministack have in common; sourced by them, never run.
# shellcheck shell=bash

engines=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/engines
READY_SECONDS_MAX=60 # both answer within 5 s on two idle cores; a busy machine is slower, a broken one never ready
INSTALL_TRIES_MAX=3  # registries have bad moments

# installed NAME COMMAND...: runs COMMAND in the empty folder engines/NAME, once for all later runs. NAME carries the
# version. The stamp comes last, so that an install that was cut short is done again and never taken for complete. A lock
# keeps steps that run side by side from installing the same.
installed() {
    local name=$1
    shift
    mkdir -p "$engines"
    exec 9>"$engines/$name.lock"
    flock 9
    if [[ ! -e $engines/$name/.complete ]]; then
        install "$name" "$@"
    fi
    exec 9>&-
}

install() {
    local home=$engines/$1 try
    shift
    for ((try = 1; try <= INSTALL_TRIES_MAX; try++)); do
        rm -rf "$home"
        mkdir -p "$home"
        # A subshell of its own, outside any condition: only so does its `set -e` hold.
        set +e
        (set -e && cd "$home" && "$@") >&2
        local code=$?
        set -e
        ((code == 0)) && touch "$home/.complete" && return
        echo "install of $home: try $try of $INSTALL_TRIES_MAX failed" >&2
    done
    return 1
}

# A free port. Another process could take it before the engine does: then the engine ends, and start says so.
free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# start NAME PORT COMMAND...: starts an engine as the head of a process group (`set -m`), so that what it starts dies
# with it, and returns when it answers. What it leaves in its temporary folder goes with it too.
start() {
    local name=$1 port=$2 log=$engines/$1.log
    shift 2
    scratch=$(mktemp -d)
    set -m
    TMPDIR=$scratch "$@" </dev/null >"$log" 2>&1 &
    engine=$!
    set +m
    trap stop EXIT
    await "$port" || {
        echo "$name did not become ready; the end of its log:" >&2
        tail -n 40 "$log" >&2
        return 1
    }
}

# Nothing in an engine is worth keeping, so it is not asked to end but ended, whatever the command came to.
stop() {
    kill -KILL -- "-$engine" 2>/dev/null || true
    wait "$engine" 2>/dev/null || true
    rm -rf "$scratch"
}

# await PORT: asks for the list of tables until there is an answer. An open port is not yet an engine that works.
await() {
    python3 - "$1" "$engine" "$READY_SECONDS_MAX" <<'PYTHON'
import http.client, os, sys, time

port, engine, seconds = map(int, sys.argv[1:])
headers = {
    "Content-Type": "application/x-amz-json-1.0",
    "X-Amz-Target": "DynamoDB_20120810.ListTables",
    # Checked for its form only.
    "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0",
}
begun = time.monotonic()
while time.monotonic() - begun < seconds:
    try:
        os.kill(engine, 0)
    except ProcessLookupError:
        sys.exit("the engine has ended")
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("POST", "/", "{}", headers)
        if b"TableNames" in connection.getresponse().read():
            print(f"ready after {time.monotonic() - begun:.1f} s on port {port}", file=sys.stderr)
            sys.exit()
    except (OSError, http.client.HTTPException):
        pass
    time.sleep(0.1)
sys.exit(f"no answer within {seconds} s")
PYTHON
}

# What AWS's SDKs read. The credentials are none: they only have to be there.
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=us-east-1
unset AWS_SESSION_TOKEN AWS_PROFILE
