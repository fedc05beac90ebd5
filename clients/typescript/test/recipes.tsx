/** The recipes of docs/recipes.md for Node and React, as they stand there. */

import { GetConfigDocument, call, UpdateConfigDocument, verify } from "@salesos/auto-enrichment-client";
import { Window } from "happy-dom";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { JobProgress } from "./recipes/JobProgress.js";
import { freePort, token, until } from "./service.js";
import { running, sendAccount } from "./shared.js";

async function post<Answer>(path: string, body: object): Promise<Answer> {
  const answer = await fetch(`${running.url}/v1/auto-enrichment/${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token()}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  assert.ok(answer.ok, `${path}: ${answer.status}`);
  return (await answer.json()) as Answer;
}

interface Made {
  secret: string;
  endpoint: { id: string };
}

async function changeConfig(): Promise<void> {
  const { config } = await call(running.service, GetConfigDocument, {});
  await call(running.service, UpdateConfigDocument, { input: { cooldownHours: config.cooldownHours + 1 } });
}

test("a job is shown in React as it goes, to its end", async () => {
  const window = new Window();
  for (const [name, value] of Object.entries({ window, document: window.document, navigator: window.navigator })) {
    Object.defineProperty(globalThis, name, { value, configurable: true });
  }
  const { createRoot } = await import("react-dom/client");
  const container = document.createElement("div");
  const root = createRoot(container);
  try {
    const jobId = await sendAccount("R1");
    root.render(<JobProgress service={running.service} jobId={jobId} />);
    await until(() => container.textContent?.includes("COMPLETED"));
    assert.match(container.textContent ?? "", /directory: MATCH/);
    root.render(<JobProgress service={running.service} jobId="nothing" />);
    await until(() => container.querySelector("[role=alert]") !== null);
  } finally {
    root.unmount();
    await window.happyDOM.close();
  }
});

test("the receiver in Node takes what is signed, each event once", async () => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/`;
  const made = await post<Made>("webhook-endpoints", { url, kinds: ["config.changed"] });
  const receiver = spawn(process.execPath, [fileURLToPath(new URL("../../test/recipes/receiver.mjs", import.meta.url)), String(port)], {
    env: { ...process.env, WEBHOOK_SECRET: made.secret },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let printed = "";
  receiver.stdout.setEncoding("utf8").on("data", (text: string) => (printed += text));
  try {
    await until(() => fetch(url, { method: "POST", body: "{}" }).then((answer) => answer.status === 401).catch(() => false));
    await changeConfig();
    await until(() => printed.includes("config.changed"));
    const first = printed.trim().split("\n");
    await post(`webhook-endpoints/${made.endpoint.id}/replay`, { after: "0" });
    await changeConfig();
    await until(() => printed.trim().split("\n").length > first.length);
    const ids = printed.trim().split("\n").map((line) => line.split(" ")[0]);
    assert.equal(new Set(ids).size, ids.length);
  } finally {
    receiver.kill();
    await once(receiver, "exit");
  }
});

test("the client's own verifier takes what the service sends", async () => {
  const came: string[] = [];
  let secret = "";
  const receiver = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    await verify(Buffer.concat(pieces), request.headers, secret).then(
      (event) => came.push(event.kind) && response.writeHead(204).end(),
      () => response.writeHead(401).end(),
    );
  });
  const port = await freePort();
  receiver.listen(port, "127.0.0.1");
  try {
    const made = await post<Made>("webhook-endpoints", { url: `http://127.0.0.1:${port}/` });
    secret = made.secret;
    await post(`webhook-endpoints/${made.endpoint.id}/test`, {});
    await until(() => came.includes("webhook.test"));
  } finally {
    receiver.close();
    receiver.closeAllConnections();
  }
});
