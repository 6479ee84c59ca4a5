# Read by the scripts beside it: goes to the checkout and sets $python to a Python that Foyer can use.
cd "$(dirname "$0")/.." || exit 1
python=
for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    found=$(python3 --version 2>/dev/null || echo "no Python 3")
    echo "Foyer needs Python 3.11 or newer, and this machine has $found: install python3.11 (or newer)." >&2
    exit 1
fi
