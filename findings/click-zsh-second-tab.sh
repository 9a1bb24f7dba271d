#!/bin/sh
# click 8.5.1: its completion for zsh, put into a file of $fpath as packages do, completes at the first Tab and not at the
# second: zsh has made the whole file a function by then, and its last lines take that for being sourced by hand.
#
# Needs zsh. Installs click from the package registry into a temporary folder, calls the file's function twice with
# zsh's completion replaced by words that tell, and fails where the second call completes too.
set -eu
command -v zsh >/dev/null || { echo "zsh is not here" >&2; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "click==8.5.1"
mkdir "$folder/functions"
"$folder/venv/bin/python" - >"$folder/functions/_hello" <<'PYTHON'
import click
from click.shell_completion import ZshComplete

print(ZshComplete(click.Command("hello"), {}, "hello", "_HELLO_COMPLETE").source())
PYTHON
printf '#!/bin/sh\nprintf "plain\\n--loud\\n_\\n"\n' >"$folder/hello"
chmod +x "$folder/hello"
said=$(PATH="$folder:$PATH" zsh -f -c '
    fpath=("$1" $fpath)
    autoload -Uz _hello
    compadd() { print completed }
    compdef() { print registered }
    words=(hello --) CURRENT=2
    _hello
    _hello
' zsh "$folder/functions" | tr '\n' ' ')
echo "first Tab, second Tab: $said"
[ "$said" = "completed registered " ]
