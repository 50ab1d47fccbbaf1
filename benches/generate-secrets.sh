#!/usr/bin/env bash
# What people run today instead of `vault-kit init --preset sutra`: one secret, two HS256 tokens, a CA, a P-256
# certificate under it, `.env`. The same files with the same modes, by openssl, nothing fsynced, nothing kept.
#
#   generate-secrets.sh DIRECTORY
set -euo pipefail
umask 077
mkdir -p "$1/.secrets/tokens" "$1/.secrets/tls"
cd "$1"

base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }

# subject, role, seconds
token() {
  local now header claims signature
  now=$(date +%s)
  header=$(printf '{"alg":"HS256","typ":"JWT"}' | base64url)
  claims=$(printf '{"iss":"sutra","aud":["sutra"],"sub":"%s","role":"%s","jti":"%s","iat":%d,"nbf":%d,"exp":%d}' \
    "$1" "$2" "$(openssl rand -hex 16)" "$now" "$now" "$((now + $3))" | base64url)
  signature=$(printf '%s.%s' "$header" "$claims" | openssl dgst -sha256 -hmac "$secret" -binary | base64url)
  printf '%s.%s.%s' "$header" "$claims" "$signature"
}

secret=$(openssl rand 32 | base64url)
printf 'SUTRA_AUTH_SECRET=%s\n' "$secret" >.env
token svc:internal service 31536000 >.secrets/tokens/service_token.txt
token admin:ops admin 7776000 >.secrets/tokens/admin_token.txt

tls=.secrets/tls
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=sutra dev CA" \
  -addext keyUsage=critical,keyCertSign,cRLSign -keyout "$tls/ca.key" -out "$tls/ca.pem" 2>/dev/null
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=storage-server \
  -keyout "$tls/key.pem" -out "$tls/leaf.csr" 2>/dev/null
printf '%s\n' basicConstraints=critical,CA:FALSE keyUsage=critical,digitalSignature extendedKeyUsage=serverAuth \
  subjectAltName=DNS:storage-server,DNS:grid-event-storage,DNS:sutra-api,DNS:localhost,IP:127.0.0.1 >"$tls/leaf.ext"
openssl x509 -req -in "$tls/leaf.csr" -CA "$tls/ca.pem" -CAkey "$tls/ca.key" -days 90 -extfile "$tls/leaf.ext" \
  -out "$tls/fullchain.pem" 2>/dev/null
rm "$tls/leaf.csr" "$tls/leaf.ext"
