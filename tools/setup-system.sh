#!/usr/bin/env bash
# Installs, on Debian, the system packages that the tests can use. The product itself needs only Node.
set -euo pipefail
packages=(bubblewrap runc chromium curl jq postgresql rustc cargo libstd-rust-dev-wasm32 lld git openssl python3 python3-venv util-linux zip unzip)
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
# The Go toolchain runs the foreign log verifier; one that is there already will do.
if ! command -v go >/dev/null && [ ! -x /usr/local/go/bin/go ]; then missing+=(golang-go); fi
if [ "${#missing[@]}" -gt 0 ]; then
  sudo=""
  if [ "$(id -u)" -ne 0 ]; then sudo="sudo"; fi
  export DEBIAN_FRONTEND=noninteractive
  $sudo apt-get update -qq
  $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  echo "setup-system: installed ${missing[*]}"
fi
# The API's fuzzer, in a virtual environment of its own outside of the clone; tools/test-support.ts looks for it there.
requirements="$(cd "$(dirname "$0")" && pwd)/python/schemathesis.txt"
fuzzer="$HOME/.cache/rumi/schemathesis"
if ! cmp -s "$requirements" "$fuzzer/installed.txt"; then
  rm -rf "$fuzzer"
  python3 -m venv "$fuzzer"
  "$fuzzer/bin/pip" install -q --disable-pip-version-check --no-deps -r "$requirements"
  cp "$requirements" "$fuzzer/installed.txt"
  echo "setup-system: installed schemathesis"
fi
echo "setup-system: everything is installed"
