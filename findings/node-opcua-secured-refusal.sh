#!/usr/bin/env bash
# node-opcua 2.160.0 refuses a client whose certificate it does not trust with an error message (ERR) that is signed and
# encrypted like the request it answers. An error message is a code and a text in the clear, whatever the channel
# (OPC 10000-6 7.1.2.5), so no client can read why: asyncua 2.1.0 says that the connection was lost. Such a
# server has to be asked without security who it is and what it offers, and the person to be told to have ours trusted there.
set -euo pipefail
where=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; rm -rf "$where"' EXIT
cd "$where"
python3 -m venv venv
venv/bin/pip install -q asyncua==2.1.0
npm install --silent --ignore-scripts --no-audit --no-fund --omit=optional node-opcua@2.160.0 >/dev/null
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat > server.js <<'END'
const { OPCUACertificateManager, OPCUAServer } = require("node-opcua");
(async () => {
    const clients = new OPCUACertificateManager({ rootFolder: "clients", automaticallyAcceptUnknownCertificate: false });
    await clients.initialize();
    const server = new OPCUAServer({
        port: Number(process.argv[2]), serverCertificateManager: clients, certificateFile: "server.pem", privateKeyFile: "server-key.pem",
    });
    await server.initialize();
    await server.start();
    console.log("up");
})();
END
for name in server client; do
    openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj "/CN=$name" -addext "subjectAltName=URI:urn:$name,DNS:localhost" \
        -addext "keyUsage=digitalSignature,nonRepudiation,keyEncipherment,dataEncipherment,keyCertSign" \
        -keyout "$name-key.pem" -out "$name.pem" 2>/dev/null
done
HOME=$where node server.js "$port" >out 2>err & server=$!
until grep -q up out; do sleep 0.2; done
venv/bin/python - "$port" <<'END'
import asyncio, logging, struct, sys
from asyncua import Client
from asyncua.client.ua_client import UASocketProtocol
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256

logging.disable(logging.CRITICAL)
errors = []
heard = UASocketProtocol.data_received

def note(protocol, data):
    if data[:3] == b"ERR":
        errors.append(data)
    heard(protocol, data)

UASocketProtocol.data_received = note

async def main():
    client = Client(f"opc.tcp://127.0.0.1:{sys.argv[1]}")
    client.application_uri = "urn:client"
    await client.set_security(SecurityPolicyBasic256Sha256, "client.pem", "client-key.pem")
    try:
        await client.connect()
    except Exception as error:
        return f"{type(error).__name__}: {error}"

said = asyncio.run(main())
(error,) = errors
length = struct.unpack_from("<I", error, 12)[0]
print(f"an ERR of {len(error)} bytes, whose code would be {struct.unpack_from('<I', error, 8)[0]}, whose text {length} bytes long:")
print(error[16 : 16 + length].decode())
print(f"asyncua says: {said}")
plain = len(error) == 16 + length
sys.exit("the message is as the specification has it" if plain else 0)
END
