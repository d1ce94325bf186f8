#!/usr/bin/env bash
# Installs, on Debian, the system packages that the tests can use. The product itself needs only Node.
set -euo pipefail
packages=(bubblewrap runc chromium postgresql rustc cargo libstd-rust-dev-wasm32 lld python3 util-linux zip unzip)
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
# The Go toolchain runs the foreign log verifier; one that is there already will do.
if ! command -v go >/dev/null && [ ! -x /usr/local/go/bin/go ]; then missing+=(golang-go); fi
if [ "${#missing[@]}" -eq 0 ]; then echo "setup-system: everything is installed"; exit 0; fi
sudo=""
if [ "$(id -u)" -ne 0 ]; then sudo="sudo"; fi
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq
$sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
echo "setup-system: installed ${missing[*]}"
