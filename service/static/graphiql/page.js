"use strict";

// The token is kept for this tab only. It may come in the address after `#token=`, which is never sent.
const KEPT_AS = "auto-enrichment.token";

const DEFAULT_QUERY = `# The newest jobs, with what each provider said and how each field ended.
# Ctrl-Enter runs it. The token above goes into "Headers" below and into subscriptions.
query NewestJobs {
  jobs(first: 5) {
    nodes {
      id
      status
      trigger
      fieldsUpdated
      record { entityType externalId completeness }
      steps { provider outcome fieldsFound creditsCharged detail }
      fieldOutcomes { field reason provider confidence }
    }
    pageInfo { hasNextPage endCursor }
  }
}

# Every change of every job, as it happens.
subscription Watch {
  jobEvents { at job { id status progress runningStep record { externalId } } }
}

# Send a record; it is enriched by itself.
mutation Send {
  upsertRecords(
    records: [{ entityType: ACCOUNT, externalId: "try-1", fields: { name: "GitLab", website: "gitlab.com" } }]
  ) {
    results { outcome job { id status } refusedFields { field reason } error { code message } }
  }
}
`;

function socketAddress() {
  const address = new URL(window.location.pathname, window.location.href);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  return address.toString();
}

function claimsOf(token) {
  try {
    const body = token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
    const bytes = Uint8Array.from(atob(body), (character) => character.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}

function describe(token) {
  if (!token) return "no token: the schema and all data need one";
  const claims = claimsOf(token);
  if (!claims) return "this does not look like a token";
  if (claims.exp && claims.exp * 1000 < Date.now()) return "this token has expired";
  return `${claims.sub ?? "?"} · ${claims.role ?? "VIEWER"}`;
}

const root = ReactDOM.createRoot(document.getElementById("graphiql"));

function show(token) {
  document.getElementById("whose").textContent = describe(token);
  const fetcher = GraphiQL.createFetcher({
    url: window.location.pathname,
    subscriptionUrl: socketAddress(),
  });
  root.render(
    React.createElement(GraphiQL, {
      key: token, // begin anew, so that the schema is read with this token
      fetcher,
      headers: JSON.stringify({ Authorization: `Bearer ${token}` }, null, 2),
      defaultQuery: DEFAULT_QUERY,
      defaultEditorToolsVisibility: "headers",
      isHeadersEditorEnabled: true,
      shouldPersistHeaders: false,
      inputValueDeprecation: true,
      plugins: [GraphiQLPluginExplorer.explorerPlugin()],
    }),
  );
}

function keep(token) {
  sessionStorage.setItem(KEPT_AS, token);
  document.getElementById("token").value = token;
  show(token);
}

document.getElementById("access").addEventListener("submit", (event) => {
  event.preventDefault();
  keep(
    document
      .getElementById("token")
      .value.trim()
      .replace(/^bearer\s+/i, ""),
  );
});

const given = new URLSearchParams(window.location.hash.slice(1)).get("token");
if (given) history.replaceState(null, "", window.location.pathname + window.location.search);
keep(given ?? sessionStorage.getItem(KEPT_AS) ?? "");
