import { verify, WebhookRefused } from "@salesos/auto-enrichment-client";
import assert from "node:assert/strict";
import { test } from "node:test";
import { Webhook } from "standardwebhooks";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

function signed(body: string, { secret = SECRET, ago = 0 } = {}): Record<string, string> {
  const at = new Date(Date.now() - ago * 1000);
  return {
    "Webhook-Id": "msg_1",
    "Webhook-Timestamp": String(Math.floor(at.getTime() / 1000)),
    "Webhook-Signature": new Webhook(secret).sign("msg_1", at, body),
  };
}

test("a webhook that another library signed is taken", async () => {
  const body = JSON.stringify({ kind: "job.ended", cursor: "7", provider: "größe" });
  assert.equal((await verify(body, signed(body), SECRET)).cursor, "7");
  assert.equal((await verify(Buffer.from(body), new Headers(signed(body)), SECRET)).kind, "job.ended");
  assert.equal((await verify(body, signed(body, { secret: OTHER }), [SECRET, OTHER])).cursor, "7");
  const both = { ...signed(body), "Webhook-Signature": `v1,AAAA v2,x ${signed(body)["Webhook-Signature"]}` };
  assert.equal((await verify(body, both, SECRET)).cursor, "7");
});

const body = '{"a": 1}';
const refused: [string, string, Record<string, string>][] = [
  ["was changed", '{"a": 2}', signed(body)],
  ["has another's secret", body, signed(body, { secret: OTHER })],
  ["has another id", body, { ...signed(body), "Webhook-Id": "msg_2" }],
  ["is old", body, signed(body, { ago: 3600 })],
  ["is of the future", body, signed(body, { ago: -3600 })],
  ["has no signature", body, { ...signed(body), "Webhook-Signature": "" }],
  ["has no signature that can be read", body, { ...signed(body), "Webhook-Signature": "v1,%%%" }],
  ["has no moment", body, { ...signed(body), "Webhook-Timestamp": "soon" }],
];
for (const [what, given, headers] of refused) {
  test(`a webhook that ${what} is refused`, () => assert.rejects(verify(given, headers, SECRET), WebhookRefused));
}
