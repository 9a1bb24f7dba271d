// An OPC UA server that is neither ours nor asyncua's: options as JSON in the argument, commands and answers as JSON
// lines, as `opcua_server_child.py` has them. Ends with stdin.
"use strict";

const fs = require("node:fs");
const readline = require("node:readline");

const options = JSON.parse(process.argv[2]);

if (options.clock_off_s) {
    // a controller whose clock was never set, or set to nonsense
    const Real = Date;
    const off = options.clock_off_s * 1000;
    globalThis.Date = class extends Real {
        constructor(...given) {
            super(...(given.length ? given : [Real.now() + off]));
        }
        static now() {
            return Real.now() + off;
        }
    };
}

const {
    DataType, MessageSecurityMode, OPCUACertificateManager, OPCUAServer, SecurityPolicy, Variant,
} = require("node-opcua");

async function manager(name, trusted) {
    const made = new OPCUACertificateManager({
        rootFolder: `${options.folder}/${name}`,
        automaticallyAcceptUnknownCertificate: trusted === null,
    });
    await made.initialize();
    for (const file of trusted || []) await made.trustCertificate(fs.readFileSync(file));
    return made;
}

async function serve() {
    const policies = options.secured.map((one) => one.split(","));
    const none = options.security_none ? [["None", "None"]] : [];
    const server = new OPCUAServer({
        port: options.port,
        hostname: options.hostname || "127.0.0.1",
        serverInfo: { applicationUri: "urn:node:server" },
        certificateFile: options.certificate,
        privateKeyFile: options.key,
        securityPolicies: [...new Set([...none, ...policies].map(([policy]) => SecurityPolicy[policy]))],
        securityModes: [...new Set([...none, ...policies].map(([, mode]) => MessageSecurityMode[mode]))],
        allowAnonymous: options.anonymous,
        userManager: { isValidUser: (name, password) => name in options.users && options.users[name] === password },
        serverCertificateManager: await manager("clients", options.trusts),
        userCertificateManager: await manager("users", options.user_certificates),
        defaultSecureTokenLifetime: options.channel_s * 1000,
        maxConnectionsPerEndpoint: 50,
        serverCapabilities: { maxSessions: options.max_sessions },
        buildInfo: { productName: "node-opcua of the tests", manufacturerName: "others", softwareVersion: "1" },
    });
    await server.initialize();
    const space = server.engine.addressSpace;
    const own = space.registerNamespace("urn:ganpo:simulation");
    const values = { ...options.values };
    for (const name of Object.keys(values)) {
        own.addVariable({
            organizedBy: space.rootFolder.objects,
            browseName: name,
            nodeId: `s=${name}`,
            dataType: "Double",
            value: { get: () => new Variant({ dataType: DataType.Double, value: values[name] }) },
        });
    }
    let looked = 0; // a value that is another at every look
    own.addVariable({
        organizedBy: space.rootFolder.objects,
        browseName: "Looked",
        nodeId: "s=Looked",
        minimumSamplingInterval: 50,
        dataType: "Double",
        value: { get: () => new Variant({ dataType: DataType.Double, value: ++looked }) },
    });
    await server.start();
    const answer = (given) => process.stdout.write(JSON.stringify(given) + "\n");
    const commands = {
        sessions: () => server.engine.currentSessionCount,
        sessions_ever: () => server.engine.serverDiagnosticsSummary.cumulatedSessionCount,
        set: ({ name, value }) => { values[name] = value; return null; },
    };
    // what could change something is noted for the whole suite, as tests/support/writes.py has it
    server.on("request", ({ constructor: { name } }) => {
        if (/^(Write|Call|HistoryUpdate|Add|Delete(Nodes|References))/.test(name)) {
            fs.appendFileSync(process.env.WRITES_SEEN_BY_TESTS, `OPC UA ${name}\n`);
        }
    });
    answer({ ok: null });
    readline.createInterface({ input: process.stdin })
        .on("line", (line) => {
            const command = JSON.parse(line);
            answer({ ok: commands[command.do](command) });
        })
        .on("close", () => server.shutdown(0).then(() => process.exit(0)));
}

serve().catch((error) => {
    process.stdout.write(JSON.stringify({ error: String(error.stack) }) + "\n");
    process.exit(1);
});
