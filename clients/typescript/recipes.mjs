// Writes the recipes of docs/recipes.md that are for Node and React to test/recipes, to be compiled and run.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";

const page = readFileSync(new URL("../../docs/recipes.md", import.meta.url), "utf8");
const folder = new URL("test/recipes/", import.meta.url);
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
for (const [, code, name] of page.matchAll(/```(?:js|tsx?)\n(\/\/ ([\w.]+).*?)```/gs)) {
  writeFileSync(new URL(name, folder), code);
}
