/** One subscription over one connection, as graphql-sse has it: a POST whose answer is a stream of messages. */

import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { type Answer, answered, post, refusal, type Service } from "./call.js";

/** The service shows every 15 seconds that it is there; a connection that is silent for three times that is gone. */
export const SILENCE_MS = 45_000;

/** The connection ended before the subscription did: cut, restarting, silent, or its token has expired. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";
}

/**
 * The results of a subscription until it is complete. Throws CallRefused for an error that the service sends, and
 * ConnectionLost where the connection ends first.
 */
export async function* stream<Result, Variables extends object>(
  service: Service,
  document: TypedDocumentNode<Result, Variables>,
  variables: Variables,
  signal?: AbortSignal,
  silenceMs = SILENCE_MS,
): AsyncGenerator<Result, void, undefined> {
  const ending = new AbortController();
  const end = (): void => ending.abort();
  signal?.addEventListener("abort", end, { once: true });
  if (signal?.aborted) end();
  let silence: ReturnType<typeof setTimeout> | undefined;
  const alive = (): void => {
    clearTimeout(silence);
    silence = setTimeout(end, silenceMs);
  };
  const bounded: typeof fetch = async (...request) => {
    alive();
    try {
      return await (service.fetch ?? fetch)(...request);
    } finally {
      clearTimeout(silence); // a wait that the service asks for before the next request is no silence
    }
  };
  try {
    const limited = { ...service, fetch: bounded };
    const response = await connected(post(limited, document, variables, "text/event-stream", ending.signal));
    alive();
    const type = response.headers.get("content-type") ?? "";
    if (!response.body || !type.startsWith("text/event-stream")) {
      throw refusal((await connected(answered<Result>(response))).errors, response.status);
    }
    for await (const message of messages(response.body, alive)) {
      if (message.event === "complete") return;
      if (message.event !== "next") continue;
      const answer = JSON.parse(message.data) as Answer<Result>;
      if (answer.errors?.length) throw refusal(answer.errors, response.status);
      if (answer.data != null) yield answer.data;
    }
    throw new ConnectionLost("the stream ended");
  } finally {
    clearTimeout(silence);
    signal?.removeEventListener("abort", end);
    end();
  }
}

async function connected<Value>(coming: Promise<Value>): Promise<Value> {
  try {
    return await coming;
  } catch (error) {
    throw new ConnectionLost("no connection", { cause: error });
  }
}

interface Message {
  readonly event: string;
  readonly data: string;
}

/** The messages of a stream of server-sent events. `alive` is called for whatever comes. */
async function* messages(body: ReadableStream<Uint8Array>, alive: () => void): AsyncGenerator<Message> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  try {
    for (;;) {
      const { done, value } = await connected(reader.read());
      if (done) return;
      alive();
      text += decoder.decode(value, { stream: true });
      const blocks = text.split(/\r?\n\r?\n/);
      text = blocks.pop() ?? "";
      for (const block of blocks) yield parsed(block);
    }
  } finally {
    reader.cancel().catch(() => undefined); // the connection is gone already
  }
}

function parsed(block: string): Message {
  let event = "message";
  const data: string[] = [];
  for (const line of block.split(/\r?\n/)) {
    const [name, value] = line.split(/: ?(.*)/s, 2);
    if (name === "event") event = value ?? "";
    if (name === "data") data.push(value ?? "");
  }
  return { event, data: data.join("\n") };
}
