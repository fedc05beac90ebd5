/**
 * Subscriptions that go on by themselves over cuts, restarts of the service and ends of tokens.
 *
 * The organization's log gives each event a cursor. After a cut the feed connects anew, with a token that it takes
 * anew, and goes on after the last cursor that it gave out, so that nothing is missed and nothing comes twice.
 */

import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { CallRefused, MOST_WAIT_MS, type Service, sleep } from "./call.js";
import { EventsDocument, type EventsSubscription, type EventsSubscriptionVariables } from "./generated.js";
import { ConnectionLost, stream } from "./stream.js";

/** The cursor before the oldest event that is kept. */
export const OLDEST = "0";

export type LiveEvent = EventsSubscription["events"];

export interface FeedOptions extends Omit<EventsSubscriptionVariables, "after"> {
  /** Only what came after this cursor; without it, all that is kept. */
  readonly after?: string;
  readonly signal?: AbortSignal;
  /** The wait before the first new try, doubled for each up to half a minute. */
  readonly firstPauseMs?: number;
  /** A connection on which nothing comes for so long is given up: 45 seconds, three signs of life of the service. */
  readonly silenceMs?: number;
}

/** The log does not reach back to the cursor. `startOver` is the cursor of its beginning. */
export class CursorExpired extends Error {
  override readonly name = "CursorExpired";

  constructor(readonly startOver: string) {
    super("the log does not reach back to this cursor");
  }
}

const PASSING = new Set(["UNAVAILABLE", "RATE_LIMITED", "INTERNAL", "TOO_SLOW", "HTTP_502", "HTTP_503", "HTTP_504"]);
const MOST_REFUSALS = 5; // tokens that are refused so often in a row are no good ones
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 30_000;

/**
 * Every event of the log, in order, each once, without end. Keep the cursor of the last one that was dealt with, to go
 * on from it. It ends where `signal` is aborted; throws CursorExpired, and CallRefused for what no further try mends.
 */
export async function* liveEvents(service: Service, options: FeedOptions = {}): AsyncGenerator<LiveEvent, void> {
  const { after: start = OLDEST, signal, firstPauseMs, silenceMs, ...wanted } = options;
  let after = start;
  const once = (): AsyncGenerator<EventsSubscription, void> =>
    stream(service, EventsDocument, { ...wanted, after }, signal, silenceMs);
  for await (const { events } of again(once, { signal, firstPauseMs, endless: true })) {
    after = events.cursor;
    yield events;
  }
}

/**
 * The states of what a subscription shows that begins with the state as it is (`JobProgressDocument`), to its end.
 * After a cut it begins with the state as it is then.
 */
export function liveStates<Result, Variables extends object>(
  service: Service,
  document: TypedDocumentNode<Result, Variables>,
  variables: Variables,
  options: Pick<FeedOptions, "signal" | "firstPauseMs" | "silenceMs"> = {},
): AsyncGenerator<Result, void> {
  return again(() => stream(service, document, variables, options.signal, options.silenceMs), { ...options, endless: false });
}

interface Again {
  readonly signal?: AbortSignal | undefined;
  readonly firstPauseMs?: number | undefined;
  readonly endless: boolean;
}

async function* again<Result>(once: () => AsyncGenerator<Result, void>, how: Again): AsyncGenerator<Result, void> {
  const first = how.firstPauseMs ?? FIRST_PAUSE_MS;
  let pause = first;
  let refusals = 0;
  while (!how.signal?.aborted) {
    let wait = 0;
    try {
      for await (const result of once()) {
        pause = first;
        refusals = 0;
        yield result;
      }
      if (!how.endless) return;
    } catch (error) {
      if (how.signal?.aborted) return;
      refusals = refused(error) ? refusals + 1 : 0;
      if (refusals === MOST_REFUSALS || !passes(error)) throw known(error);
      wait = waitOf(error);
    }
    await sleep(Math.min(wait + pause * (0.5 + Math.random() / 2), MOST_WAIT_MS), how.signal);
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }
}

function refused(error: unknown): boolean {
  return error instanceof CallRefused && error.code === "UNAUTHENTICATED";
}

function passes(error: unknown): boolean {
  return error instanceof ConnectionLost || refused(error) || (error instanceof CallRefused && PASSING.has(error.code));
}

/** For how many milliseconds the service asks to wait. */
function waitOf(error: unknown): number {
  const seconds = error instanceof CallRefused ? error.errors[0]?.extensions?.["retryAfter"] : undefined;
  return typeof seconds === "number" ? seconds * 1_000 : 0;
}

function known(error: unknown): unknown {
  if (!(error instanceof CallRefused) || error.code !== "CURSOR_EXPIRED") return error;
  const startOver = error.errors[0]?.extensions?.["startOver"];
  return new CursorExpired(typeof startOver === "string" ? startOver : OLDEST);
}
