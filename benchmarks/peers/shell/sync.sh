#!/usr/bin/env bash
# Compares pages/*.yaml with the live pages, prints `changed ID` for each that differs, and sends what does, if asked.
#
#     sync.sh plan|apply ADDRESS          the key is in XQR_API_KEY
#
# What was tried, and why it is like this (1,000 and 10,000 pages, two cores):
# - One curl for all lists keeps its connection; one curl a list costs 12 ms each.
# - One yq for all files: starting it takes 0.1 s, so one a file would be minutes. `sed -s` puts them into one stream,
#   since 10,000 names are more files than yq may hold open (1,024), and `xargs` would start it twenty times.
# - yq, jq and curl run side by side, joined by pipes. Two yq with half of the files each gain nothing at 1,000
#   pages, and a third at 10,000; the script would be twice as long.
# - jq's own INDEX copies the object for every page (3.3 s for 10,000 of them); the `reduce` in differing.jq takes 0.3 s.
# - gojq reads YAML itself and is as fast at 1,000 pages, but three times slower at 10,000.
# - How many lists there are is counted from the files. Live pages that no file names would need more of them: a favour.
set -euo pipefail
what=$1 address=$2
here=$(dirname "$0")
files=(pages/*.yaml)
offsets=$(seq -s , 0 200 $((${#files[@]} - 1)))

# The key goes in by a pipe: an argument could be read by everybody on the machine. --disable: nobody's own .curlrc.
key() { printf 'Authorization: Bearer %s\n' "$XQR_API_KEY"; }
ask=(curl --disable --silent --show-error --fail --fail-early --retry 5)
lists() { "${ask[@]}" --header @<(key) "$address/bio/pages?limit=200&offset={$offsets}"; }
pages() { sed -s '1i---' "${files[@]}" | yq --compact-output .; }
differing() { pages | jq --raw-output --null-input --slurpfile lists <(lists) --from-file "$here/differing.jq"; }

if [[ $what == plan ]]; then
  differing | sed 's/^\([^\t]*\)\t.*/changed \1/'
  exit
fi

bodies=$(mktemp --directory)
trap 'rm -rf "$bodies"' EXIT
differing >"$bodies/all"
[[ -s $bodies/all ]] || exit 0
# One curl for all writes, one after the other on one connection; it stops at the first that fails.
while IFS=$'\t' read -r id body; do
  printf '%s' "$body" >"$bodies/$id.json"
  printf 'next\nsilent\nshow-error\nfail\nretry = 5\nrequest = PATCH\nurl = "%s/bio/pages/%s"\n' "$address" "$id"
  printf 'header = "@%s/head"\ndata = "@%s/%s.json"\noutput = "/dev/null"\n' "$bodies" "$bodies" "$id"
done <"$bodies/all" >"$bodies/writes"
# In a file that only its owner can read (mktemp sees to that), since each write reads it anew.
{ key && echo 'Content-Type: application/json'; } >"$bodies/head"
curl --disable --fail-early --config "$bodies/writes"
sed 's/^\([^\t]*\)\t.*/changed \1/' "$bodies/all"
