#!/bin/sh
# The browser of the browser tests: Debian's Chromium, installed where it is absent and we may.
set -eu
for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null 2>&1; then exit 0; fi
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Chromium is absent: installing it for the browser tests."
    apt-get update -q
    DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends chromium fonts-dejavu-core
    exit 0
fi
echo "The browser tests need Chromium, and it is not installed. Install it (Debian: apt-get install chromium), then run make test again." >&2
exit 1
