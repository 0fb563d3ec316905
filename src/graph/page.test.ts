// docs/graph.md says what the catalogue says.
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { graphPage, PAGE } from "../../tools/graph-page.js";

it("docs/graph.md is current; write it anew by npx tsx tools/graph-page.ts", () => {
  const page = readFileSync(PAGE, "utf8");
  expect(page).toBe(graphPage(page));
});
