#!/usr/bin/env bash
# Runs the playbook and turns the items of the list that its last task prints as JSON into lines `changed ID`.
#
#     sync.sh ANSIBLE-PLAYBOOK PLAYBOOK NAME=VALUE…
set -euo pipefail
ANSIBLE_CONFIG=$(dirname "$0")/ansible.cfg
export ANSIBLE_CONFIG
playbook=("$1" --inventory localhost, "$2")
for variable in "${@:3}"; do playbook+=(--extra-vars "$variable"); done
"${playbook[@]}" | sed 's/^ *"\(changed [^"]*\)",\{0,1\}$/\1/'
