#!/usr/bin/env bash
# One line of the line protocol, two readers: in a tag's value InfluxDB 1.6.7 takes a backslash for itself, VictoriaMetrics
# 1.79.5 takes two for one. Of two in a row only one of the two stores gives back what was meant, whichever way they are
# written, and a value that ends with one is refused by InfluxDB and swallows the next tag in VictoriaMetrics.
set -euo pipefail
where=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$where"' EXIT
chmod 755 "$where"
cd "$where"
apt-get download -qq influxdb=1.6.7~rc0-1+b13 victoria-metrics=1.79.5+ds1-2+b5 2>/dev/null
for package in ./*.deb; do dpkg -x "$package" root; done
read -r influx victoria meta < <(python3 -c 'import socket
held = [socket.socket() for _ in range(3)]
for one in held: one.bind(("127.0.0.1", 0))
print(*(one.getsockname()[1] for one in held))')
cat > influx.toml <<END
reporting-disabled = true
bind-address = "127.0.0.1:$meta"
[meta]
  dir = "$where/meta"
[data]
  dir = "$where/data"
  wal-dir = "$where/wal"
[http]
  bind-address = "127.0.0.1:$influx"
END
root/usr/bin/influxd -config influx.toml > influx.log 2>&1 & pids+=($!)
root/usr/bin/victoria-metrics -httpListenAddr="127.0.0.1:$victoria" -storageDataPath="$where/vm" -retentionPeriod=10y > vm.log 2>&1 & pids+=($!)
python3 - "$influx" "$victoria" <<'END'
import http.client, json, sys, time
from urllib.parse import urlencode

influx, victoria = map(int, sys.argv[1:])

def ask(port, path, body=None, tries=1):
    for n in range(tries):
        try:
            line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            line.request("GET" if body is None else "POST", path, body, {"Content-Type": "application/x-www-form-urlencoded"})
            answer = line.getresponse()
            return answer.read().decode() if answer.status < 300 else f"HTTP {answer.status}"
        except OSError:
            if n == tries - 1:
                raise
            time.sleep(0.2)

at = int(time.time() * 1000) - 86_400_000
ask(influx, "/query", urlencode({"q": "CREATE DATABASE d"}).encode(), 100)
ask(victoria, "/health", None, 100)

def in_influx(n, tag):
    if (said := ask(influx, "/write?db=d&precision=ms", f"m{n},a={tag},z=1 v=1i {at}".encode())):
        return said
    found = json.loads(ask(influx, "/query?" + urlencode({"db": "d", "q": f"SELECT * FROM m{n} GROUP BY *"})))
    return found["results"][0]["series"][0]["tags"]["a"]

def in_victoria(n, tag):
    ask(victoria, "/api/v2/write?precision=ms", f"m{n},a={tag},z=1 v=1i {at}".encode())
    ask(victoria, "/internal/force_flush")
    found = ask(victoria, "/api/v1/export?" + urlencode({"match[]": f'{{__name__="m{n}_v"}}'}))
    return json.loads(found)["metric"]["a"]

expected = [
    ("a\\b", "a\\b", "a\\b"),
    ("a\\b\\=c", "a\\b=c", "a\\b=c"),
    ("a\\\\b", "a\\\\b", "a\\b"),
    ("a\\\\\\\\b", "a\\\\\\\\b", "a\\\\b"),
    ("D:\\", "HTTP 400", "D:,z=1"),
    ("D:\\\\", "HTTP 400", "D:\\"),
]
print(f"{'as written':<12}{'InfluxDB 1.6.7':<18}VictoriaMetrics 1.79.5")
wrong = 0
for n, (tag, one, other) in enumerate(expected):
    seen = in_influx(n, tag), in_victoria(n, tag)
    print(f"{tag:<12}{seen[0]:<18}{seen[1]}")
    wrong += seen != (one, other)
sys.exit(f"{wrong} lines are read otherwise than was seen" if wrong else 0)
END
