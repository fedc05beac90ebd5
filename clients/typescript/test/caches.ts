import { ApolloClient, HttpLink, InMemoryCache } from "@apollo/client";
import { CombinedError, Client as UrqlClient, fetchExchange } from "@urql/core";
import { GetConfigDocument, GetJobDocument, JobProgressDocument, UpdateConfigDocument } from "@salesos/auto-enrichment-client";
import assert from "node:assert/strict";
import { test } from "node:test";
import { token } from "./service.js";
import { running, sendAccount } from "./shared.js";

const headers = (): { authorization: string } => ({ authorization: `Bearer ${token()}` });

test("urql takes the documents as they are, subscriptions too", async () => {
  const client = new UrqlClient({
    url: `${running.url}/graphql`,
    fetchOptions: () => ({ headers: headers() }),
    exchanges: [fetchExchange],
    preferGetMethod: false,
    fetchSubscriptions: true,
  });
  const jobId = await sendAccount("U1");
  const states = await new Promise<string[]>((resolve, reject) => {
    const seen: string[] = [];
    client.subscription(JobProgressDocument, { jobId }).subscribe(({ data, error }) => {
      if (error) reject(error);
      if (data) seen.push(data.jobProgress.status);
      if (seen.at(-1) === "COMPLETED") resolve(seen);
    });
  });
  assert.equal(states.at(-1), "COMPLETED");
  const { data } = await client.query(GetJobDocument, { id: jobId });
  assert.equal(data?.job.record.externalId, "U1");
  const { error } = await client.query(GetJobDocument, { id: "nothing" });
  assert.ok(error instanceof CombinedError);
});

test("Apollo takes the documents as they are, and its cache shows what a mutation answers", async () => {
  const client = new ApolloClient({
    cache: new InMemoryCache(),
    link: new HttpLink({ uri: `${running.url}/graphql`, headers: headers() }),
  });
  const before = await client.query({ query: GetConfigDocument });
  const cooldownHours = (before.data?.config.cooldownHours ?? 0) + 1;
  await client.mutate({ mutation: UpdateConfigDocument, variables: { input: { cooldownHours } } });
  const shown = client.readQuery({ query: GetConfigDocument });
  assert.equal(shown?.config.cooldownHours, cooldownHours);
});
