/** Whether a webhook is the service's: signatures as Standard Webhooks has them (https://www.standardwebhooks.com). */

export const TOLERANCE_SECONDS = 300;

/** What came is not what the service sent, or is too old to be it. */
export class WebhookRefused extends Error {
  override readonly name = "WebhookRefused";
}

/** One event of the organization's log, as `GET /events` shows it too: it names what changed and holds no value. */
export interface WebhookEvent {
  readonly cursor: string;
  readonly kind: string;
  readonly at: string;
  readonly entityType: string | null;
  readonly recordId: string | null;
  readonly externalId: string | null;
  readonly jobId: string | null;
  readonly conflictId: string | null;
  readonly fields: readonly string[];
  readonly jobStatus: string | null;
  readonly [name: string]: unknown;
}

export interface VerifyOptions {
  /** Seconds since 1970, for the clock of a test. */
  readonly now?: number;
  readonly toleranceSeconds?: number;
}

type GivenHeaders = Headers | Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * The event of a webhook, once it is known to be the service's. Rejects with WebhookRefused.
 *
 * `body` is what came, not parsed; `secrets` that of the endpoint (`whsec_...`), or both while one is being replaced.
 * `webhook-id` is the same for each try of an event, so that one that comes again can be left out.
 */
export async function verify(
  body: string | Uint8Array,
  headers: GivenHeaders,
  secrets: string | readonly string[],
  options: VerifyOptions = {},
): Promise<WebhookEvent> {
  const given = headers instanceof Headers ? headers : lowered(headers);
  const id = given.get("webhook-id");
  const sentAt = given.get("webhook-timestamp");
  const signatures = given.get("webhook-signature");
  if (!id || !sentAt || !signatures || !/^\d+$/.test(sentAt)) {
    throw new WebhookRefused("a header of the signature is missing");
  }
  const now = options.now ?? Date.now() / 1000;
  if (!(Math.abs(now - Number(sentAt)) <= (options.toleranceSeconds ?? TOLERANCE_SECONDS))) {
    throw new WebhookRefused("it was sent too long ago, or is dated into the future");
  }
  const text = typeof body === "string" ? body : new TextDecoder().decode(body);
  const signed = joined(new TextEncoder().encode(`${id}.${sentAt}.`), bytes(body));
  for (const secret of typeof secrets === "string" ? [secrets] : secrets) {
    const key = await keyOf(secret);
    for (const signature of signatures.split(" ")) {
      if (!signature.startsWith("v1,")) continue;
      const theirs = decoded(signature.slice(3));
      if (theirs && (await crypto.subtle.verify("HMAC", key, theirs, signed))) return JSON.parse(text) as WebhookEvent;
    }
  }
  throw new WebhookRefused("no signature is of one of these secrets");
}

function lowered(headers: Exclude<GivenHeaders, Headers>): Map<string, string> {
  const found = new Map<string, string>();
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === "string") found.set(name.toLowerCase(), value);
  }
  return found;
}

function bytes(body: string | Uint8Array): Uint8Array {
  return typeof body === "string" ? new TextEncoder().encode(body) : body;
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}

async function keyOf(secret: string): Promise<CryptoKey> {
  const raw = decoded(secret.replace(/^whsec_/, ""));
  if (!raw?.length) throw new WebhookRefused("the secret is not one that the service gave");
  return crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
}

function decoded(base64: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  } catch {
    return null;
  }
}
