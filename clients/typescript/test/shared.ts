/** One service for all tests, and what they send to it. */

import { call, UpsertRecordsDocument } from "@salesos/auto-enrichment-client";
import { after, before } from "node:test";
import { RunningService } from "./service.js";

export const running = new RunningService();

before(() => running.start());
after(() => running.end());

/** Sends an account whose name providers spell otherwise; gives the id of its job. */
export async function sendAccount(externalId: string, fields: object = { name: "Karken", domain: "kraken.com" }): Promise<string> {
  const records = [{ entityType: "ACCOUNT" as const, externalId, fields }];
  const { upsertRecords } = await call(running.service, UpsertRecordsDocument, { records });
  const job = upsertRecords.results[0]?.job;
  if (!job) throw new Error(`no job: ${JSON.stringify(upsertRecords)}`);
  return job.id;
}
