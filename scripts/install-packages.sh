#!/usr/bin/env bash
# Installs the Debian/Ubuntu packages named as arguments, if any is missing.
#
#   scripts/install-packages.sh [--no-services] PACKAGE...
#
# --no-services: servers among them are not started, now or when the machine starts.
set -euo pipefail

services=yes
if [ "${1:-}" = --no-services ]; then
  services=no
  shift
fi
missing=()
for package in "$@"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q "install ok installed" || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

if ! command -v apt-get >/dev/null; then
  echo "error: these packages are missing and there is no apt-get to install them: ${missing[*]}" >&2
  exit 1
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "error: run as root, or install: ${missing[*]}" >&2; exit 1; }
  as_root=(sudo)
fi
echo "installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
enabled_services() {
  command -v systemctl >/dev/null || return 0
  { systemctl list-unit-files --type=service --state=enabled --no-legend --plain 2>/dev/null || true; } | cut -d' ' -f1 | sort
}
enabled_before=$(enabled_services)
if [ $services = no ] && [ ! -e /usr/sbin/policy-rc.d ]; then
  # What packages ask before they start a service; 101 is no.
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee /usr/sbin/policy-rc.d >/dev/null
  "${as_root[@]}" chmod 755 /usr/sbin/policy-rc.d
  trap '"${as_root[@]}" rm -f /usr/sbin/policy-rc.d' EXIT
fi
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
if [ $services = no ]; then
  comm -13 <(echo "$enabled_before") <(enabled_services) | while read -r service; do
    "${as_root[@]}" systemctl disable --quiet "$service"
  done
fi
