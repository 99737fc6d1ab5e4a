# Sourced by the other scripts: makes .venv with Python 3.11 or newer where there is none.
# PYTHON=python3.12 chooses the interpreter; VENV=DIR another place.

venv="${VENV:-.venv}"

fail() {
  printf 'error: %s\n' "$1" >&2
  exit 2
}

usable_python() {
  local name
  for name in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
    if "$name" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      printf '%s\n' "$name"
      return
    fi
  done
  fail "expected Python 3.11 or newer with the venv module, got ${PYTHON:-none on the path}; install one, or set PYTHON"
}

ensure_venv() {
  if [ ! -x "$venv/bin/python" ]; then
    local python
    python="$(usable_python)"
    printf 'making %s with %s\n' "$venv" "$("$python" --version)" >&2
    "$python" -m venv "$venv"
  fi
}

# install LOCK: what scripts/locks/LOCK.txt lists, checked against its hashes, and this checkout, unless neither the
# lock nor pyproject.toml has changed since. What the lock does not list is never installed.
install() {
  local stamp="$venv/.installed-$1" state
  state="$(cat scripts/locks/"$1".txt scripts/locks/build.txt pyproject.toml | cksum)"
  if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$state" ]; then
    printf 'installing what scripts/locks/%s.txt lists\n' "$1" >&2
    install_locked "$venv" "$1" build
    # An editable install has no hash; what it is built with is locked, too.
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
    printf '%s\n' "$state" >"$stamp"
  fi
}

# install_locked VENV LOCK...: the locked packages alone.
install_locked() {
  local into="$1" lock files=()
  shift
  for lock in "$@"; do
    files+=(--requirement "scripts/locks/$lock.txt")
  done
  "$into/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes "${files[@]}"
}

# get_uv DIR: makes an environment with uv, and sets $uv.
get_uv() {
  "$(usable_python)" -m venv "$1"
  "$1/bin/python" -m pip install --quiet --disable-pip-version-check uv
  uv="$1/bin/uv"
  # uv does not read pip's settings: where pip is told of another index or of certificates, uv goes by them as well.
  local index cert
  index="${PIP_INDEX_URL:-$("$1/bin/python" -m pip config get global.index-url 2>/dev/null || true)}"
  cert="${PIP_CERT:-$("$1/bin/python" -m pip config get global.cert 2>/dev/null || true)}"
  [ -z "$index" ] || export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$index}"
  [ -z "$cert" ] || export SSL_CERT_FILE="${SSL_CERT_FILE:-$cert}"
}

requirements_of_the_build() {
  "$(usable_python)" -c '
import tomllib

with open("pyproject.toml", "rb") as file:
    print(*tomllib.load(file)["build-system"]["requires"], sep="\n")'
}
