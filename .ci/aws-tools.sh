# Installs the tools for the deployment's template; sourced after engine.sh, never run. Needs Python 3.11.
# shellcheck shell=bash

sam_version=1.170.0     # brings cfn-lint and boto3 along
checkov_version=3.3.30  # does not agree with SAM on boto3, so it lives apart
sam_home=sam-$sam_version
checkov_home=checkov-$checkov_version

sam_with_pip() {
    python3 -m venv venv
    venv/bin/pip install --quiet --disable-pip-version-check "aws-sam-cli==$sam_version"
}
checkov_with_pip() {
    python3 -m venv venv
    venv/bin/pip install --quiet --disable-pip-version-check "checkov==$checkov_version"
}
installed "$sam_home" sam_with_pip
sam=$engines/$sam_home/venv/bin
export SAM_CLI_TELEMETRY=0
