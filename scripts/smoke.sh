#!/bin/sh
# The smoke test: the life of a user, by curl alone. Works against the service and through a gateway.
# Usage: scripts/smoke.sh http://localhost:3000
# Prints one line a check; exit code 1 when one failed. It makes one account (smoke-…@example.com) and uses up
# this address's login attempts for a minute.
set -u
base=${1:?usage: scripts/smoke.sh URL}
base=${base%/}
email="smoke-$(date +%s)-$$@example.com"
password='Correct1horse'
stranger='00000000-0000-7000-8000-000000000000'
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
passed=0
failed=0

# call METHOD PATH [curl arguments]: leaves the status in $status, headers and body in files
call() {
  method=$1
  path=$2
  shift 2
  status=$(curl -sS --max-time 20 -o "$work/body" -D "$work/headers" -w '%{http_code}' -X "$method" "$@" "$base$path") || status=000
}

post() {
  path=$1
  shift
  call POST "$path" -H 'Content-Type: application/json' --data "$@"
}

# field NAME: a string of the last JSON answer
field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" "$work/body"; }

number() { sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p" "$work/body"; }

retry_after() { tr -d '\r' <"$work/headers" | sed -n 's/^[Rr]etry-[Aa]fter: *\([0-9]*\)$/\1/p'; }

# expect STATUS WHAT [CODE]
expect() {
  code=${3:-}
  if [ "$status" = "$1" ] && { [ -z "$code" ] || [ "$(field code)" = "$code" ]; }; then
    passed=$((passed + 1))
    echo "ok    $2: $status${code:+ $code}"
  else
    failed=$((failed + 1))
    echo "FAIL  $2: wanted $1${code:+ $code}, got $status $(head -c 300 "$work/body" 2>/dev/null)"
  fi
}

# A limit that an earlier run used up is waited for, once.
patient_post() {
  post "$@"
  if [ "$status" = 429 ]; then
    wait=$(retry_after)
    echo "      this address is over its limit; waiting ${wait:-60} s"
    sleep "${wait:-60}"
    post "$@"
  fi
}

credentials="{\"email\":\"$email\",\"password\":\"$password\"}"
wrong="{\"email\":\"$email\",\"password\":\"Wrong1horse\"}"

patient_post /auth/signup "$credentials"
expect 201 'sign up'
user=$(field user_id)

patient_post /auth/login "$credentials"
expect 200 'log in'
token=$(field token)
life=$(number expires_in)

call GET /auth/me -H "Authorization: Bearer $token"
expect 200 'read /auth/me'

call GET "/auth/users/$user" -H "Authorization: Bearer $token"
expect 200 'read the own path'

call GET "/auth/users/$stranger" -H "Authorization: Bearer $token"
expect 403 "be refused another user's path" not_your_resource

call GET /auth/me
expect 401 'be refused without a token' missing_token

# A forged token: the same claims under another signature.
call GET /auth/me -H "Authorization: Bearer ${token%.*}.c2lnbmVkLWJ5LXNvbWVib2R5LWVsc2U"
expect 401 'be refused with a forged token' invalid_token

n=2
while [ "$n" -le 5 ]; do
  post /auth/login "$wrong"
  expect 401 "attempt $n with a wrong password" invalid_credentials
  n=$((n + 1))
done
post /auth/login "$credentials"
expect 429 'attempt 6 is limited, though the password is right' rate_limited

call POST /auth/logout -H "Authorization: Bearer $token"
expect 200 'log out'

call GET /auth/me -H "Authorization: Bearer $token"
expect 401 'be refused with the old token' session_ended

# Expiry comes last: where tokens live for seconds it is waited for, where they live for hours a token of 2020 stands in.
if [ "${life:-86400}" -le 15 ]; then
  sleep $((life + 6))
  expired=$token
  wanted=token_expired
else
  expired='eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6Im9sZCJ9.eyJpYXQiOjE1Nzc4MzY4MDAsImV4cCI6MTU3NzkyMzIwMH0.c2lnbmVkLWluLTIwMjA'
  wanted=invalid_token
fi
call GET /auth/me -H "Authorization: Bearer $expired"
expect 401 'be refused with an expired token' "$wanted"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
