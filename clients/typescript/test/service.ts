/** The service as an operator runs it, in a process of its own, and a way to it that can be cut. */

import { type ChildProcess, spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Service } from "@salesos/auto-enrichment-client";

const REPOSITORY = fileURLToPath(new URL("../../../../", import.meta.url));
const SECRET = "a-secret-of-more-than-thirty-two-bytes";
const PATIENCE_MS = 30_000;

export function token(seconds = 3600, role = "ADMIN"): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const exp = Math.floor(Date.now() / 1000) + seconds;
  const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part({ sub: "ann", organizationId: "acme", role, exp })}`;
  return `${signed}.${createHmac("sha256", SECRET).update(signed).digest("base64url")}`;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

/** Waits until something is there, and gives it. */
export async function until<Value>(look: () => Value | undefined | false | Promise<Value | undefined | false>): Promise<Value> {
  const latest = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > latest) throw new Error(`not within ${PATIENCE_MS} ms: ${look}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export class RunningService {
  readonly #data = mkdtempSync(join(tmpdir(), "auto-enrichment-"));
  #process: ChildProcess | undefined;
  port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get service(): Service {
    return { url: this.url, token: token() };
  }

  async start(): Promise<void> {
    this.port ||= await freePort();
    const command = ["-m", "auto_enrichment_command", "serve", "--embedded", "--port", String(this.port)];
    const settings = {
      AUTO_ENRICHMENT_DATA_DIR: this.#data,
      AUTO_ENRICHMENT_JWT_SECRET: SECRET,
      AUTO_ENRICHMENT_LOG_LEVEL: "error",
      AUTO_ENRICHMENT_SHUTDOWN_SECONDS: "3",
      AUTO_ENRICHMENT_WEBHOOK_ALLOWED_NETWORKS: "127.0.0.0/8",
    };
    this.#process = spawn(process.env["PYTHON"] ?? join(REPOSITORY, ".venv/bin/python"), command, {
      cwd: REPOSITORY,
      env: { ...process.env, ...settings },
      stdio: ["ignore", "ignore", "inherit"],
    });
    await until(() => fetch(`${this.url}/readyz`).then((answer) => answer.ok).catch(() => false));
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    if (this.#process?.exitCode === null && this.#process.kill(signal)) await once(this.#process, "exit");
  }

  async end(): Promise<void> {
    await this.stop();
    rmSync(this.#data, { recursive: true, force: true });
  }
}

/** An address that leads to a port, whose connections can all be cut at once. */
export class Way {
  readonly #open = new Set<Socket>();
  readonly #server;

  constructor(port: number) {
    this.#server = createServer((from) => {
      const to = connect(port, "127.0.0.1");
      for (const [socket, other] of [[from, to], [to, from]] as const) {
        this.#open.add(socket);
        socket.on("error", () => other.destroy()).on("close", () => this.#open.delete(socket)).pipe(other);
      }
    });
  }

  async open(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  cut(): void {
    for (const socket of this.#open) socket.resetAndDestroy();
  }

  close(): void {
    this.#server.close();
    this.cut();
  }
}
