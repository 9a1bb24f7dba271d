#!/usr/bin/env bash
# asyncua 2.1.0, its server: a Read with IndexRange "1" of an array of three is answered with all three and status Good.
# OPC 10000-4 7.27 wants the one element, or BadIndexRangeInvalid. A client that takes the first element of what comes
# has the wrong one: an element is picked from the whole array, whatever was asked for.
set -euo pipefail
where=$(mktemp -d)
trap 'rm -rf "$where"' EXIT
python3 -m venv "$where/venv"
"$where/venv/bin/pip" install -q asyncua==2.1.0
cat > "$where/read.py" <<'END'
import asyncio, logging, socket
from asyncua import Client, Server, ua

logging.disable(logging.CRITICAL)

async def main():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"opc.tcp://127.0.0.1:{free.getsockname()[1]}"
    server = Server()
    await server.init()
    server.set_endpoint(url)
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    node = await server.nodes.objects.add_variable(ua.NodeId("A", 2), "A", [10, 20, 30])
    async with server, Client(url) as client:
        item = ua.ReadValueId(NodeId=node.nodeid, AttributeId=ua.AttributeIds.Value, IndexRange="1")
        (answer,) = await client.uaclient.session.read(ua.ReadParameters(NodesToRead=[item]))
        print(f"element 1 of [10, 20, 30]: {answer.Value.Value}, {answer.StatusCode.name}")

asyncio.run(main())
END
"$where/venv/bin/python" "$where/read.py"
