// npx tsx tools/graph-page.ts: writes docs/graph.md, whose tables are the catalogue's rows. A unit test makes sure that the page is current.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { catalogue, type Entry, type Row } from "../src/graph/index.js";

export const PAGE = fileURLToPath(new URL("../docs/graph.md", import.meta.url));
const START = "<!-- What follows is made by tools/graph-page.ts. -->";

const TITLES: Readonly<Record<Row["family"], string>> = {
  source: "Sources",
  elementwise: "Element by element",
  compare: "Comparison and logic",
  reduce: "Reductions",
  stats: "Statistics",
  shape: "Shapes",
  index: "Indexing and order",
  linear: "Matrix products",
  conv: "Convolution and pooling",
  nn: "Activations, normalisation, attention",
  loss: "Losses",
  random: "Random numbers",
  host: "Linear algebra by host operators",
  flow: "Gradients' flow",
};

/** The page as it should be: what people wrote above the mark, and the tables. */
export function graphPage(written: string): string {
  const at = written.indexOf(START);
  if (at < 0) throw new Error(`docs/graph.md has lost its mark: ${START}`);
  const families = Object.keys(TITLES) as Row["family"][];
  const tables = families.flatMap((family) => {
    const rows = catalogue.filter(({ row }) => row.family === family);
    return rows.length === 0 ? [] : [table(TITLES[family], rows)];
  });
  return `${written.slice(0, at)}${START}\n\n${catalogue.length} rows.\n\n${tables.join("\n")}`;
}

function table(title: string, rows: readonly Entry[]): string {
  const lines = rows
    .toSorted((a, b) => (a.row.name < b.row.name ? -1 : 1))
    .map(({ row, names, method }) => {
      const [name, ...aliases] = names.map((each) => `\`${method ? "." : ""}${each}\``);
      const called = aliases.length > 0 ? `${name} (${aliases.join(", ")})` : name;
      return `| ${called} | ${made(row)} | ${gradient(row)} | ${row.doc.replaceAll("|", "\\|")} |\n`;
    });
  return `## ${title}\n\n| name | made of | gradient | what |\n|---|---|---|---|\n${lines.join("")}`;
}

function made(row: Row): string {
  if (row.kind === "tensor") return row.onnx;
  return row.kind === "host" ? `host, version ${row.version}` : "others";
}

function gradient(row: Row): string {
  if (row.kind === "composition") return row.differentiable ? "yes" : "no";
  if (row.gradient === undefined) return "no";
  return row.gradient === "zero" ? "zero" : "yes";
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(PAGE, graphPage(readFileSync(PAGE, "utf8")));
