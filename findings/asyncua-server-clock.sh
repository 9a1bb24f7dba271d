#!/usr/bin/env bash
# asyncua 2.1.0, a client beside servers whose clocks are right and 26 years slow: what the server says between the answer to
# a channel's renewal and the client's next word comes under the token before. The client judges that token's age by the
# server's time of its creation and its own clock, takes it for timed out, and closes the line: a subscription to a
# controller whose clock was never set ends at the first renewal. A token's age can be told by one clock alone.
set -euo pipefail
where=$(mktemp -d)
trap 'kill $(cat "$where"/*.pid) 2>/dev/null || true; rm -rf "$where"' EXIT
python3 -m venv "$where/venv"
"$where/venv/bin/pip" install -q asyncua==2.1.0
cat > "$where/server.py" <<'END'
import asyncio, sys
from datetime import datetime, timedelta
from asyncua import Server, ua
from asyncua.common import connection

class Slow(datetime):
    @classmethod
    def now(cls, tz=None):
        return datetime.now(tz) - timedelta(days=365.25 * float(sys.argv[2]))

connection.datetime = Slow  # by this a server dates its tokens

async def main():
    server = Server()
    await server.init()
    server.set_endpoint(sys.argv[1])
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    index = await server.register_namespace("urn:x")
    node = await server.nodes.objects.add_variable(ua.NodeId("A", index), "A", 0)
    async with server:
        print("up", flush=True)
        for number in range(10**6):
            await node.write_value(number)
            await asyncio.sleep(0.005)

asyncio.run(main())
END
cat > "$where/client.py" <<'END'
import asyncio, logging, sys
from asyncua import Client

logging.disable(logging.CRITICAL)

class Handler:
    heard = 0
    def datachange_notification(self, node, value, data):
        Handler.heard += 1
    def status_change_notification(self, status):
        pass

async def main():
    client = Client(sys.argv[1])
    client.secure_channel_timeout = 1000
    await client.connect()
    subscription = await client.create_subscription(10, Handler())
    await subscription.subscribe_data_change(client.get_node("ns=2;s=A"))
    for second in range(1, 6):
        before = Handler.heard
        await asyncio.sleep(1)
        print(f"second {second}: {client.state.value}, {Handler.heard - before} notifications")
    alive = client.state.value == "connected"
    try:
        await asyncio.wait_for(client.disconnect(), 2)
    except Exception:
        pass
    sys.exit(0 if alive else 3)

asyncio.run(main())
END
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
found=""
for years in 0 26; do
    "$where/venv/bin/python" "$where/server.py" "opc.tcp://127.0.0.1:$((port + years))" "$years" > "$where/$years.out" 2>/dev/null &
    echo $! > "$where/$years.pid"
    until grep -q up "$where/$years.out"; do sleep 0.2; done
    echo "a server whose clock is $years years slow, a channel of 1 s:"
    "$where/venv/bin/python" "$where/client.py" "opc.tcp://127.0.0.1:$((port + years))" && found+=0 || found+=$?
done
[ "$found" = 03 ] || { echo "seen otherwise than before: $found"; exit 1; }
