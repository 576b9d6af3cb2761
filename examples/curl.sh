#!/bin/sh
# Every call that a service may make, with curl. Usage: KEY=… ./curl.sh APPOINTMENT_ID [BASE_URL]
set -eu
id=$1
base=${2:-http://localhost:3001}/api/v1/internal/socket

post() { # path, body, further arguments of curl
  path=$1 body=$2
  shift 2
  curl --silent --show-error --fail-with-body --max-time 5 "$base/$path" \
    --header "x-api-key: $KEY" --header 'content-type: application/json' "$@" --data "$body"
  echo
}

post appointment-created "{\"appointmentId\": \"$id\"}"
post appointment-updated "{\"appointmentId\": \"$id\"}"
post appointment-canceled "{\"appointmentId\": \"$id\"}"

# Two requests with the same Idempotency-Key are one emission: both get the same reply.
key=example-$(date +%s)-$$
post appointment-updated "{\"appointmentId\": \"$id\"}" --header "idempotency-key: $key"
accepted=$(post appointment-updated "{\"appointmentId\": \"$id\"}" --header "idempotency-key: $key")
echo "$accepted"

# A batch: the reply has one result for each item.
post batch "{\"emissions\": [
  {\"event\": \"appointment:updated\", \"appointmentId\": \"$id\"},
  {\"event\": \"appointment:updated\", \"appointmentId\": \"000000000000000000000000\"}]}"

# The timeline of an emission.
emission=$(echo "$accepted" | sed 's/.*"emissionId":"\([^"]*\)".*/\1/')
curl --silent --show-error --fail-with-body --max-time 5 "$base/emissions/$emission" --header "x-api-key: $KEY"
echo
