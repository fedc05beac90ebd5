import * as api from "@salesos/auto-enrichment-client";
import assert from "node:assert/strict";
import { test } from "node:test";
import { token } from "./service.js";
import { running, sendAccount } from "./shared.js";

const { call } = api;

test("every route of the contract has a typed call", async () => {
  const here = running.service;
  const id = await sendAccount("A1");
  const states = [];
  for await (const { jobProgress } of api.liveStates(here, api.JobProgressDocument, { jobId: id })) states.push(jobProgress);
  assert.equal(states.at(-1)?.status, "COMPLETED");
  const { job } = await call(here, api.GetJobDocument, { id });
  assert.equal(job.record.externalId, "A1");
  const { jobs } = await call(here, api.ListJobsDocument, { filter: { entityType: "ACCOUNT" } });
  assert.deepEqual(jobs.nodes.map((one) => one.id), [id]);
  for (const document of [api.RetryJobDocument, api.CancelJobDocument]) {
    await assert.rejects(call(here, document as typeof api.RetryJobDocument, { id }), /completed/);
  }
  const { conflicts } = await call(here, api.ListConflictsDocument, {});
  const conflict = conflicts.nodes[0];
  assert.equal(conflict?.field, "name");
  const { resolveConflict } = await call(here, api.ResolveConflictDocument, {
    id: conflict.id,
    resolution: { action: "CUSTOM_VALUE", value: "Kraken Inc." },
  });
  assert.equal(resolveConflict.status, "RESOLVED");
  const { record } = await call(here, api.GetRecordDocument, { entityType: "ACCOUNT", externalId: "A1" });
  assert.equal((record.fields as { name: string }).name, "Kraken Inc.");
  const { config } = await call(here, api.GetConfigDocument, {});
  const changed = await call(here, api.UpdateConfigDocument, { input: { cooldownHours: 5 }, expectedVersion: config.version });
  assert.deepEqual([changed.updateConfig.cooldownHours, changed.updateConfig.version], [5, config.version + 1]);
  assert.ok((await call(here, api.PausePipelineDocument, { reason: "maintenance" })).pausePipeline.paused);
  assert.equal((await call(here, api.GetPipelineDocument, {})).pipeline.reason, "maintenance");
  assert.ok(!(await call(here, api.ResumePipelineDocument, {})).resumePipeline.paused);
  assert.equal((await call(here, api.GetStatsDocument, {})).stats.records, 1);
  assert.equal((await call(here, api.GetCreditsDocument, {})).credits.reserved, 0);
});

test("many conflicts are decided at once, and taken back", async () => {
  const here = running.service;
  const jobs = [await sendAccount("B1"), await sendAccount("B2")];
  for (const jobId of jobs) for await (const _ of api.liveStates(here, api.JobProgressDocument, { jobId }));
  const variables = { filter: { field: "name" }, resolution: { action: "ACCEPT_CANDIDATE" as const } };
  const { previewResolution: preview } = await call(here, api.PreviewResolutionDocument, variables);
  assert.deepEqual([preview.count, preview.accepts], [2, 2]);
  const { resolveMatchingConflicts: done } = await call(here, api.ResolveMatchingConflictsDocument, { ...variables, expectedCount: 2 });
  assert.equal(done.resolved, 2);
  const { undoResolutions } = await call(here, api.UndoResolutionsDocument, { resolutionId: done.resolutionId });
  assert.equal(undoResolutions.restored, 2);
});

test("a refusal has its code, and a token may be asked for", async () => {
  const viewer = { url: running.url, token: async () => token(60, "VIEWER") };
  await assert.rejects(call(viewer, api.PausePipelineDocument, {}), { name: "CallRefused", code: "FORBIDDEN" });
  await assert.rejects(call({ url: running.url, token: "none" }, api.GetConfigDocument, {}), { code: "UNAUTHENTICATED" });
});

test("a call waits where a limit is used up, and is sent again as it was", async () => {
  const bodies: unknown[] = [];
  const limited: typeof fetch = async (address, options) => {
    bodies.push(options?.body);
    return bodies.length <= 2 ? new Response("", { status: 429, headers: { "retry-after": "0" } }) : fetch(address, options);
  };
  const { pipeline } = await call({ ...running.service, fetch: limited }, api.GetPipelineDocument, {});
  assert.equal(pipeline.paused, false);
  assert.equal(bodies.length, 3);
  assert.equal(new Set(bodies).size, 1);
});

test("a call that would have to wait for long is refused", async () => {
  const limited: typeof fetch = async () => new Response("", { status: 429, headers: { "retry-after": "301" } });
  await assert.rejects(call({ ...running.service, fetch: limited }, api.GetPipelineDocument, {}), { code: "HTTP_429" });
});
