"use strict";

// The token is kept for this tab only. It may come in the address after `#token=`, which is never sent.
const KEPT_AS = "auto-enrichment.token";
const LONGEST_TIMER = 2 ** 31 - 1; // milliseconds

// What GraphiQL keeps (tabs, history) is gone with the page. Earlier versions of it wrote to the disk.
const memory = new Map();
const storage = {
  getItem: (name) => memory.get(name) ?? null,
  setItem: (name, value) => void memory.set(name, value),
  removeItem: (name) => void memory.delete(name),
  clear: () => memory.clear(),
  get length() {
    return memory.size;
  },
};
for (const name of Object.keys(localStorage)) {
  if (name.startsWith("graphiql:")) localStorage.removeItem(name);
}

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

/** Seconds until a token ends; Infinity where it does not say. */
function secondsLeft(claims) {
  return claims?.exp ? claims.exp - Date.now() / 1000 : Infinity;
}

function describe(token) {
  if (!token) return "no token: the schema and all data need one";
  const claims = claimsOf(token);
  if (!claims) return "this does not look like a token";
  const left = secondsLeft(claims);
  if (left <= 0) return "this token has ended: paste a new one";
  const ends = new Date(claims.exp * 1000).toLocaleTimeString();
  const until = left === Infinity ? "" : ` · ends at ${ends}${left < 60 ? ", in less than a minute" : ""}`;
  return `${claims.sub ?? "?"} · ${claims.role ?? "VIEWER"}${until}`;
}

const field = document.getElementById("token");
let timer;

/** Say whose the token is and when it ends, and ask for a new one as soon as it has. */
function tell(token) {
  clearTimeout(timer);
  document.getElementById("whose").textContent = describe(token);
  const left = secondsLeft(claimsOf(token));
  const ended = left <= 0;
  document.getElementById("access").classList.toggle("ended", ended);
  if (ended) {
    field.value = "";
    field.placeholder = "the token has ended: paste a new one here";
    field.focus();
  } else if (left !== Infinity) {
    const next = left > 60 ? left - 60 : left;
    timer = setTimeout(() => tell(token), Math.min(next * 1000 + 50, LONGEST_TIMER));
  }
}

const root = ReactDOM.createRoot(document.getElementById("graphiql"));

function show(token) {
  const headers = { Authorization: `Bearer ${token}` };
  const fetcher = GraphiQL.createFetcher({
    url: window.location.pathname,
    subscriptionUrl: socketAddress(),
    headers,
    wsConnectionParams: headers,
  });
  root.render(
    React.createElement(GraphiQL, {
      key: token, // begin anew, so that the schema is read with this token
      fetcher,
      storage,
      defaultTabs: DOCUMENTS.map((query) => ({ query })),
      isHeadersEditorEnabled: true,
      shouldPersistHeaders: false,
      inputValueDeprecation: true,
      plugins: [GraphiQLPluginExplorer.explorerPlugin()],
    }),
  );
}

function keep(token) {
  sessionStorage.setItem(KEPT_AS, token);
  field.value = token;
  tell(token);
  show(token);
}

document.getElementById("access").addEventListener("submit", (event) => {
  event.preventDefault();
  keep(field.value.trim().replace(/^bearer\s+/i, ""));
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) tell(sessionStorage.getItem(KEPT_AS) ?? ""); // timers sleep with the machine
});

const given = new URLSearchParams(window.location.hash.slice(1)).get("token");
if (given) history.replaceState(null, "", window.location.pathname + window.location.search);
keep(given ?? sessionStorage.getItem(KEPT_AS) ?? "");
