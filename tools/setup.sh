#!/usr/bin/env bash
# Installs what Vigil needs, safe to repeat and quick when nothing has changed.
# usage: tools/setup.sh            the environment in .venv, with .venv/bin/vigil
#        tools/setup.sh browser    headless Chromium for the browser tests, when it is missing
set -euo pipefail
cd "$(dirname "$0")/.."

system_packages=(python3-venv python3-dev make g++ ca-certificates)

say() { printf 'vigil setup: %s\n' "$*"; }

install_packages() { # as root install, otherwise say the one line and stop
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "installing $*"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
  else
    echo "Please run this once, then try again:  sudo apt-get install -y $*"
    exit 1
  fi
}

is_python_complete() {
  python3 -c 'import ensurepip, sysconfig, pathlib, sys
sys.exit(not (sys.version_info >= (3, 11) and pathlib.Path(sysconfig.get_path("include"), "Python.h").exists()))' 2>/dev/null
}

if [ "${1:-}" = browser ]; then
  command -v chromium >/dev/null || command -v chromium-browser >/dev/null || install_packages chromium
  exit 0
fi

if ! is_python_complete || ! command -v g++ >/dev/null || [ ! -e /etc/ssl/certs/ca-certificates.crt ]; then
  install_packages "${system_packages[@]}"
fi
is_python_complete || { echo "Vigil needs Python 3.11 or newer with its headers and venv."; exit 1; }

stamp=.venv/installed
want=$(cat requirements.lock requirements.bootstrap.lock pyproject.toml tools/setup.sh \
  $(find ringmatch -type f \( -name '*.cpp' -o -name '*.h' -o -name '*.hpp' -o -name 'CMakeLists.txt' -o -name 'pyproject.toml' \) -not -path '*/build/*' | sort) | sha256sum)
if [ "$(cat "$stamp" 2>/dev/null)" != "$want" ]; then
  [ -x .venv/bin/python ] || python3 -m venv .venv
  say "installing the pinned packages into .venv"
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.bootstrap.lock
  .venv/bin/uv pip install --quiet --python .venv/bin/python --require-hashes -r requirements.lock
  say "building Vigil and its matching engine"
  # make, not ninja: the module of that name is django-ninja here, and the build would import it.
  CMAKE_GENERATOR="Unix Makefiles" .venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --no-index -e . -e ./ringmatch
  printf '%s' "$want" >"$stamp"
fi
.venv/bin/python -m tools.translations compile
