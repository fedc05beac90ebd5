/** Calls over plain fetch, typed by the documents of `generated.ts` (or any other typed document). */

import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { print } from "graphql";

/** What a caller is known by: a token, or what gives one that is good at the moment. */
export type Token = string | (() => string | Promise<string>);

/** Where the service is (`https://host`), and who calls. `fetch` replaces the one of the platform. */
export interface Service {
  readonly url: string;
  readonly token: Token;
  readonly fetch?: typeof fetch;
}

/** One error of an answer, as GraphQL has it; `extensions.code` is of the service's catalogue. */
export interface AnswerError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** The service refused a call. `code` is that of the first error, or `HTTP_<status>` of an answer that is no GraphQL. */
export class CallRefused extends Error {
  override readonly name = "CallRefused";

  constructor(
    readonly code: string,
    message: string,
    readonly errors: readonly AnswerError[] = [],
  ) {
    super(message);
  }
}

export interface Answer<Result> {
  readonly data?: Result | null;
  readonly errors?: readonly AnswerError[];
}

/** The data of one operation. Rejects with CallRefused, or with what fetch rejects with where nothing answers. */
export async function call<Result, Variables extends object>(
  service: Service,
  document: TypedDocumentNode<Result, Variables>,
  variables: Variables,
  signal?: AbortSignal,
): Promise<Result> {
  const response = await post(service, document, variables, "application/json", signal);
  const answer = await answered<Result>(response);
  if (answer.errors?.length || answer.data == null) throw refusal(answer.errors, response.status);
  return answer.data;
}

const TOO_MANY = 429;
const USUAL_WAIT_MS = 5_000;
/** The longest wait that the service may ask for. */
export const MOST_WAIT_MS = 300_000; // for one request in all; then its caller gets the refusal

/** The request of an operation, sent; where a limit is used up, again once it has waited as the service says. */
export async function post(
  service: Service,
  document: TypedDocumentNode<unknown, never> | TypedDocumentNode,
  variables: object,
  accept: string,
  signal?: AbortSignal,
): Promise<Response> {
  for (let left = MOST_WAIT_MS; ; ) {
    const response = await send(service, document, variables, accept, signal);
    const pause = pauseOf(response);
    if (pause === undefined || pause > left) return response;
    await response.body?.cancel();
    await sleep(pause, signal);
    left -= pause;
  }
}

/** For how many milliseconds a refusal asks to wait; undefined: it is no refusal of a limit. */
function pauseOf(response: Response): number | undefined {
  if (response.status !== TOO_MANY) return undefined;
  const told = response.headers.get("retry-after") ?? "";
  return /^\d+$/.test(told) ? Number(told) * 1_000 : USUAL_WAIT_MS;
}

async function send(
  service: Service,
  document: TypedDocumentNode<unknown, never> | TypedDocumentNode,
  variables: object,
  accept: string,
  signal?: AbortSignal,
): Promise<Response> {
  const token = typeof service.token === "string" ? service.token : await service.token();
  return (service.fetch ?? fetch)(`${service.url.replace(/\/+$/, "")}/graphql`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json", accept },
    body: JSON.stringify({ query: print(document), variables }),
    signal: signal ?? null,
  });
}

/** The errors of an answer as one. */
export function refusal(errors: readonly AnswerError[] | undefined, status: number): CallRefused {
  const first = errors?.[0];
  const code = first?.extensions?.["code"];
  return new CallRefused(
    typeof code === "string" ? code : `HTTP_${status}`,
    first?.message ?? `the service answered ${status}`,
    errors,
  );
}

/** The answer in the body of a response; none of one that is no GraphQL, as a proxy before the service gives it. */
export async function answered<Result>(response: Response): Promise<Answer<Result>> {
  const text = await response.text();
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null ? parsed : {};
  } catch {
    return {};
  }
}

/** Waits, until `signal` is aborted at the latest. */
export function sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const woken = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", woken);
      resolve();
    };
    const timer = setTimeout(woken, milliseconds);
    signal?.addEventListener("abort", woken);
  });
}
