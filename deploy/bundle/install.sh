#!/bin/sh
# Installs Ganpo on a machine without internet, from what lies beside this script: ./install.sh [FOLDER]
# It needs Python 3.11, 3.12 or 3.13 and nothing else; the folder is /opt/ganpo where none is given. Given again, it upgrades.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
to=${1:-/opt/ganpo}
machine=$(uname -m)

needs=
for python in python3 python3.13 python3.12 python3.11; do
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
    needs=$here/requirements-$version-$machine.txt
    [ ! -f "$needs" ] || break
done
if [ ! -f "$needs" ]; then
    echo "no Python here that this bundle is for; it has wheels for:" >&2
    ls "$here" | sed -n 's/^requirements-\(.*\)-\(.*\)\.txt$/    Python \1 on \2/p' >&2
    echo "this machine is $machine, with $(python3 --version 2>&1 || echo 'no python3')" >&2
    exit 1
fi

[ -x "$to/bin/python3" ] || "$python" -m venv --without-pip "$to"
# pip comes along as a file and is not installed. Every wheel is compared with its hash; nothing is asked of a network.
PYTHONPATH=$here/pip.whl "$to/bin/python3" -m pip install --quiet --disable-pip-version-check --no-cache-dir \
    --no-index --find-links "$here/wheels" --require-hashes -r "$needs"

echo "installed in $to: $("$to/bin/ganpo" --version)"
if [ "$(id -u)" = 0 ] && [ "$to" = /opt/ganpo ]; then
    for program in ganpo ganpo-cloud ganpo-demo; do
        ln -sf "$to/bin/$program" "/usr/local/bin/$program"
    done
    echo "on the path: ganpo, ganpo-cloud, ganpo-demo"
fi
