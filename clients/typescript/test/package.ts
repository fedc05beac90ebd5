import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const SOURCES = fileURLToPath(new URL("../../", import.meta.url));
const RECIPES = join("docs", "recipes.md");

test("a package of a fresh checkout holds what it compiles to, and all that it names", () => {
  const checkout = mkdtempSync(join(tmpdir(), "package-"));
  try {
    const folder = join(checkout, "clients", "typescript");
    mkdirSync(join(checkout, "docs"));
    cpSync(join(SOURCES, "..", "..", RECIPES), join(checkout, RECIPES));
    const made = ["dist", "node_modules"].map((name) => join(SOURCES, name));
    cpSync(SOURCES, folder, { recursive: true, filter: (path) => !made.includes(path) });
    symlinkSync(join(SOURCES, "node_modules"), join(folder, "node_modules"));
    const told = execFileSync("npm", ["pack", "--dry-run", "--json", "--silent"], { cwd: folder, encoding: "utf8" });
    const [packed] = JSON.parse(told.slice(told.indexOf("[\n"))) as [{ files: { path: string }[] }];
    const paths = new Set(packed.files.map(({ path }) => path));
    for (const name of ["README.md", "dist/src/index.js", "dist/src/index.d.ts"]) assert.ok(paths.has(name), name);
    const { files } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { files: string[] };
    assert.deepEqual(files.filter((name) => !existsSync(join(folder, name))), []);
  } finally {
    rmSync(checkout, { recursive: true });
  }
});
