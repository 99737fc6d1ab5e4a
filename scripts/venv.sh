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

# install WHAT STAMP: pip-install WHAT in the environment unless pyproject.toml is as it was the last time.
install() {
  local stamp="$venv/.installed-$2"
  if [ ! -f "$stamp" ] || [ pyproject.toml -nt "$stamp" ]; then
    printf 'installing %s\n' "$1" >&2
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --editable "$1"
    touch "$stamp"
  fi
}
