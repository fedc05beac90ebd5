import { call, CursorExpired, GetConfigDocument, liveEvents, type LiveEvent, UpdateConfigDocument } from "@salesos/auto-enrichment-client";
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { token, until, Way } from "./service.js";
import { running, sendAccount } from "./shared.js";

async function logged(): Promise<string[]> {
  const cursors = [];
  for (let next: string | undefined = `${running.url}/v1/auto-enrichment/events?after=0&limit=200`; next; ) {
    const answer: Response = await fetch(next, { headers: { authorization: `Bearer ${token()}` } });
    const page = (await answer.json()) as { cursor: string }[];
    cursors.push(...page.map((event) => event.cursor));
    next = page.length ? new URL(/<([^>]+)>/.exec(answer.headers.get("link") ?? "")?.[1] ?? "", running.url).href : undefined;
  }
  return cursors;
}

test("the feed has the whole log in order over cuts, a restart and ends of tokens", async () => {
  await sendAccount("F", { name: "Company" });
  const way = new Way(running.port);
  const url = await way.open();
  const leaving = new AbortController();
  const came: LiveEvent[] = [];
  let tokens = 0;
  const service = { url, token: () => token((tokens += 1) === 2 ? 2 : 3600) };
  const listening = (async () => {
    for await (const event of liveEvents(service, { signal: leaving.signal, firstPauseMs: 20 })) came.push(event);
  })();
  try {
    await until(() => came.length > 0);
    way.cut();
    await until(() => tokens >= 3); // the second token ended, and with it its stream
    for (let number = 0; number < 4; number += 1) {
      await sendAccount(`F${number}`, { name: `Company ${number}` });
      if (number === 1) way.cut();
      if (number === 2) {
        await running.stop("SIGKILL");
        await running.start();
      }
    }
    const created = (): LiveEvent[] => came.filter((event) => event.kind === "RECORD_CREATED");
    let log: string[] = [];
    let seen: string[] = [];
    await until(async () => {
      log = await logged();
      seen = came.map((event) => event.cursor);
      return log.length === seen.length && created().length >= 5;
    });
    assert.deepEqual(seen, log);
  } finally {
    leaving.abort();
    await listening;
    way.close();
  }
});

test("a feed goes on after a cursor and chooses what it shows", async () => {
  const { config } = await call(running.service, GetConfigDocument, {});
  const wanted = { kinds: ["CONFIG_CHANGED" as const] };
  await call(running.service, UpdateConfigDocument, { input: { cooldownHours: config.cooldownHours + 1 } });
  await call(running.service, UpdateConfigDocument, { input: { cooldownHours: config.cooldownHours + 2 } });
  const first = [];
  for await (const event of liveEvents(running.service, wanted)) if (first.push(event) === 2) break;
  for await (const event of liveEvents(running.service, { ...wanted, after: first[0]?.cursor ?? "" })) {
    assert.deepEqual(event, first[1]);
    break;
  }
});

test("a feed that no further try would mend ends with an error", async () => {
  const strangers = liveEvents({ url: running.url, token: "none" }, { firstPauseMs: 5 });
  await assert.rejects(strangers.next(), { name: "CallRefused", code: "UNAUTHENTICATED" });
  await assert.rejects(liveEvents(running.service, { after: "nothing" }).next(), { code: "BAD_REQUEST" });
});

for (const answers of [true, false]) test(`a connection that ${answers ? "has fallen silent" : "nobody answers"} is given up for another`, async () => {
  let connections = 0;
  const silent = createServer((_, response) => {
    connections += 1;
    if (!answers) return;
    response.setHeader("content-type", "text/event-stream");
    response.write(":\n\n");
  }).listen(0, "127.0.0.1");
  await until(() => silent.listening);
  const leaving = new AbortController();
  const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const feed = liveEvents({ url, token: "any" }, { signal: leaving.signal, firstPauseMs: 1, silenceMs: 20 });
  const ended = feed.next();
  try {
    await until(() => connections >= 3);
    leaving.abort();
    assert.deepEqual(await ended, { done: true, value: undefined });
  } finally {
    silent.close();
    silent.closeAllConnections();
  }
});

/** The answer of a service that refuses each request until its limit allows one again, before the second that it asks to wait for is over. */
function limited(refusal: () => Response): { fetch: typeof fetch; refused: () => number } {
  let refused = 0;
  let open = false;
  const event = { data: { events: { cursor: "1-0-0" } } };
  return {
    refused: () => refused,
    fetch: async () => {
      if (open) return new Response(`event: next\ndata: ${JSON.stringify(event)}\n\n`, { headers: STREAM });
      if ((refused += 1) === 1) setTimeout(() => (open = true), 900);
      return refusal();
    },
  };
}

const STREAM = { "content-type": "text/event-stream" };
const LIMIT = { errors: [{ message: "too many", extensions: { code: "RATE_LIMITED", retryAfter: 1 } }] };

for (const [how, refusal] of [
  ["an answer", () => new Response("", { status: 429, headers: { "retry-after": "1" } })],
  ["a message", () => new Response(`event: next\ndata: ${JSON.stringify(LIMIT)}\n\n`, { headers: STREAM })],
] as const) {
  test(`a feed waits for as long as ${how} of the service asks, longer than a silence may last`, async () => {
    const { fetch, refused } = limited(refusal);
    const options = { firstPauseMs: 1, silenceMs: 200 };
    for await (const event of liveEvents({ url: "http://test", token: "any", fetch }, options)) {
      assert.equal(event.cursor, "1-0-0");
      break;
    }
    assert.equal(refused(), 1);
  });
}

test("a feed whose cursor is no longer kept says where the log begins", async () => {
  const error = { message: "gone", extensions: { code: "CURSOR_EXPIRED", startOver: "17-0-0" } };
  const pruned = createServer((_, response) => {
    response.setHeader("content-type", "text/event-stream");
    response.end(`event: next\ndata: ${JSON.stringify({ errors: [error] })}\n\nevent: complete\ndata: \n\n`);
  }).listen(0, "127.0.0.1");
  await until(() => pruned.listening);
  const url = `http://127.0.0.1:${(pruned.address() as AddressInfo).port}`;
  try {
    await assert.rejects(liveEvents({ url, token: "any" }, { after: "3" }).next(), (refused) =>
      refused instanceof CursorExpired && refused.startOver === "17-0-0");
  } finally {
    pruned.close();
  }
});
