# Installs and starts ministack, an emulator of AWS; sourced after engine.sh, never run. Needs Python 3.11.
# shellcheck shell=bash

version=1.5.33
translator=1.115.0 # what ministack reads AWS SAM templates with
signer=50.0.2 # what its keys of KMS sign with
name=ministack-$version-$signer

with_pip() {
    python3 -m venv venv
    venv/bin/pip install --quiet --disable-pip-version-check "ministack==$version" "aws-sam-translator==$translator" "cryptography==$signer"
}
installed "$name" with_pip

# start_ministack LOG PORT [NAME=VALUE...]: starts it with these settings at $endpoint. It would listen on every interface
# by default. AWS_ENDPOINT_URL is for the lambdas that it starts, and a certificate bundle would make them expect TLS.
start_ministack() {
    local log=$1 port=$2
    shift 2
    endpoint=http://127.0.0.1:$port
    start "$log" "$port" env -u AWS_CA_BUNDLE BIND_HOST=127.0.0.1 GATEWAY_PORT="$port" AWS_ENDPOINT_URL="$endpoint" \
        "$@" "$engines/$name/venv/bin/ministack"
}
