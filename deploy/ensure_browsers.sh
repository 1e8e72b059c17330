#!/bin/sh
# The browsers of the browser tests: Chromium, which they need, WebKit, the second engine, and letters for Japanese.
# Debian's own packages, installed where they are absent and we may.
set -eu

light_chromium_is_here() {
    command -v chromium-headless-shell
}

chromium_is_here() {
    light_chromium_is_here || command -v chromium || command -v chromium-browser || command -v google-chrome
}

webkit_is_here() {
    command -v WebKitWebDriver && command -v Xvfb
}

japanese_is_here() {
    command -v fc-list && fc-list :lang=ja | grep .
}

may_install() {
    [ "$(id -u)" = 0 ] && command -v apt-get
}

install() {
    DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"
}

if light_chromium_is_here >/dev/null && webkit_is_here >/dev/null && japanese_is_here >/dev/null; then exit 0; fi
if may_install >/dev/null; then
    apt-get update -q || true
    if ! light_chromium_is_here >/dev/null; then
        echo "Chromium's headless shell is absent: installing it, for the browser tests take far longer without."
        install chromium-headless-shell fonts-dejavu-core || true
    fi
    if ! chromium_is_here >/dev/null; then
        echo "Chromium is absent: installing it for the browser tests."
        install chromium fonts-dejavu-core || true
    fi
    if ! webkit_is_here >/dev/null; then
        echo "WebKit is absent: installing it for the tests of a second browser engine."
        install webkit2gtk-driver xvfb || true
    fi
    if ! japanese_is_here >/dev/null; then
        echo "A font for Japanese is absent: installing one, so that pages in Japanese look as raters see them."
        install fontconfig fonts-noto-cjk || true
    fi
fi
if ! webkit_is_here >/dev/null; then
    echo "WebKit is not installed: the tests of a second browser engine will be left out. To have them, install it (Debian: apt-get install --no-install-recommends webkit2gtk-driver xvfb)." >&2
fi
if ! japanese_is_here >/dev/null; then
    echo "No font for Japanese is installed: its pages are tested, and drawn with empty boxes for letters. To see them, install one (Debian: apt-get install fonts-noto-cjk)." >&2
fi
if ! chromium_is_here >/dev/null; then
    echo "The browser tests need Chromium, and it is not installed. Install it (Debian: apt-get install chromium), then run make test again." >&2
    exit 1
fi
