#!/bin/bash
# Makes a Python environment with PyTorch (the distribution's, for processors) and transformers in the
# folder that is its argument. Does nothing when that has been done.
set -euo pipefail
environment=$1
requirements=$(dirname "$0")/requirements.txt
done_for=$environment/installed

if [ -f "$done_for" ] && cmp --silent "$requirements" "$done_for"; then exit 0; fi

# Without OpenBLAS the distribution's PyTorch falls back to a library ten times slower.
packages=(python3-torch libopenblas0-pthread python3-venv)
missing=()
for package in "${packages[@]}"; do
    dpkg-query --show --showformat='${Status}' "$package" 2>/dev/null | grep --quiet 'ok installed' ||
        missing+=("$package")
done
if [ "${#missing[@]}" -gt 0 ]; then
    if [ "$(id --user)" -ne 0 ]; then
        echo "install first: sudo apt-get install --no-install-recommends ${missing[*]}" >&2
        exit 1
    fi
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

/usr/bin/python3 -m venv --clear --system-site-packages "$environment"
"$environment/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$requirements"
cp "$requirements" "$done_for"
