/** A typed client of SalesOS Auto Enrichment: calls, the live feed, and the verifier of its webhooks. */

export { type Answer, type AnswerError, call, CallRefused, type Service, type Token } from "./call.js";
export { CursorExpired, type FeedOptions, liveEvents, type LiveEvent, liveStates, OLDEST } from "./feed.js";
export * from "./generated.js";
export { ConnectionLost, stream } from "./stream.js";
export { verify, type VerifyOptions, type WebhookEvent, WebhookRefused } from "./webhook.js";
