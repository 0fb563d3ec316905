// Takes pictures of every page in both themes, at the width of a phone and of a desk, and puts the four of a page on one sheet:
//   node tools/pictures.mjs [folder] [page ...]
// A flock at work is started for it, and ended with it.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { ComputingNode, connect, MainNode, ServiceError, startHub } from "../dist/flock/index.node.js";

const [folder = "docs/pictures/pages", ...only] = process.argv.slice(2);
const SIZES = { phone: [390, 844], desk: [1280, 800] };
const THEMES = ["light", "dark"];

const hub = await startHub({ port: 0, log: { level: "silent" } });
const base = hub.url.replace("ws", "http");
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const after = (ms) => async (job) => {
  await wait(ms * (0.6 + 0.8 * Math.random()));
  return job.text();
};
const NODES = [
  ["lab-01", 4, { embed: 90, score: 30 }],
  ["lab-02", 4, { embed: 95, score: 33 }],
  ["lab-03", 2, { embed: 140, score: 50 }],
  ["old-laptop", 1, { score: 160 }],
  ["rack", 8, { embed: 40, score: 14, train: 900 }],
  ["attic", 2, { embed: 300, train: 2100 }],
];
const nodes = [];
for (const [name, slots, speeds] of NODES) {
  const services = Object.fromEntries(Object.entries(speeds).map(([service, ms]) => [service, after(ms)]));
  if (name === "attic")
    services.train = async () => {
      await wait(700);
      throw new ServiceError("The batch does not fit into 512 MB.", { code: "out_of_memory" });
    };
  nodes.push(await ComputingNode.join({ hub: hub.url, name, slots, services }));
}
for (const name of ["lab-04", "lab-05"])
  nodes.push(await ComputingNode.join({ hub: hub.url, name, slots: 1 }));
const flock = await connect({ hub: hub.url, name: "ensemble" });

/** Five small networks beside each other, and their mean. Each operation is a task, so that there is something to see. */
const kept = [];
async function ensemble() {
  const graph = flock.graph({ name: "ensemble", eager: true });
  const random = (rows, columns) =>
    graph.tensor(
      Array.from({ length: rows }, () => Array.from({ length: columns }, () => Math.random() - 0.5)),
    );
  const x = random(64, 128);
  const keep = (expression) => (kept.push(expression), expression);
  const members = Array.from({ length: 5 }, () => {
    const hidden = keep(keep(x.matmul(random(128, 64))).relu());
    return keep(keep(hidden.matmul(random(64, 10))).softmax());
  });
  const mean = members.reduce((sum, member) => keep(sum.add(member))).mul(1 / members.length);
  await graph.value(keep(mean));
  return graph;
}
const graph = await ensemble();
const mains = [];
let over = false;
async function ask(session, service, atOnce) {
  const main = await MainNode.join({ hub: hub.url, name: session, session });
  mains.push(main);
  while (!over) {
    const batch = main.submit(
      service,
      Array.from({ length: atOnce }, (_, i) => `${service} ${i}`),
    );
    for await (const result of batch) if (over || result.index < 0) break;
  }
}
const asking = [
  ask("nightly", "embed", 200),
  ask("search", "score", 400),
  ask("anna", "train", 12),
  ask("tabs", "upper", 300),
];

const userData = mkdtempSync(join(tmpdir(), "flockwork-pictures-"));
const executablePath = execFileSync("which", ["chromium"], { encoding: "utf8" }).trim();
const browser = await chromium.launchPersistentContext(userData, {
  executablePath,
  headless: true,
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});

/** Each page, and what is done there before it is looked at. */
const PAGES = {
  participate: async (page) => {
    await page.goto(`${base}/`);
    await page.getByRole("button", { name: "Participate" }).click();
    await page.locator('[data-phase="on"]').waitFor();
    await wait(4000);
  },
  "before-participating": (page) => page.goto(`${base}/`),
  overview: (page) => settle(page, "#/"),
  nodes: (page) => settle(page, "#/nodes"),
  node: async (page) => settle(page, `#/nodes/${nodes[4].id}`),
  jobs: (page) => settle(page, "#/jobs"),
  "job-set": (page) => settle(page, "#/jobs/0"),
  graphs: (page) => settle(page, "#/graphs"),
  graph: async (page) => {
    await settle(page, `#/graphs/${graph.id}`);
    await page.locator("svg .group").first().waitFor();
  },
  errors: (page) => settle(page, "#/errors"),
};

async function settle(page, hash) {
  await page.goto(`${base}/dashboard${hash}`);
  await page.locator('[data-link="up"]').waitFor();
  await wait(2500);
}

/** One picture of a page, as PNG. */
async function take(name, open, theme, [width, height]) {
  const page = await browser.newPage();
  await page.setViewportSize({ width, height });
  await page.emulateMedia({ colorScheme: theme });
  page.on("console", (message) => message.type() === "error" && console.error(`${name}: ${message.text()}`));
  page.on("pageerror", (error) => console.error(`${name}: ${error}`));
  await open(page);
  const picture = await page.screenshot();
  await page.close();
  return picture;
}

/** The four pictures of a page on one sheet: desks above each other, phones beside them. */
async function sheet(pictures) {
  const image = (size, theme) =>
    `<img class="${size}" src="data:image/png;base64,${pictures[`${size} ${theme}`].toString("base64")}">`;
  const page = await browser.newPage();
  await page.setViewportSize({ width: 1190, height: 840 });
  await page.setContent(`<style>
    body { margin: 0; padding: 16px; background: #8a9691; display: grid; gap: 16px; grid-template-columns: 640px 1fr 1fr }
    img { display: block; border-radius: 10px; width: 100% } .column { display: grid; gap: 16px; align-content: start }
    .phone { border-radius: 16px }</style>
    <div class="column">${image("desk", "light")}${image("desk", "dark")}</div>
    <div>${image("phone", "light")}</div><div>${image("phone", "dark")}</div>`);
  const picture = await page.screenshot({ type: "jpeg", quality: 72, fullPage: true });
  await page.close();
  return picture;
}

mkdirSync(folder, { recursive: true });
try {
  await wait(9000);
  for (const [name, open] of Object.entries(PAGES)) {
    if (only.length > 0 && !only.includes(name)) continue;
    const pictures = {};
    for (const theme of THEMES)
      for (const [size, place] of Object.entries(SIZES))
        pictures[`${size} ${theme}`] = await take(name, open, theme, place);
    writeFileSync(join(folder, `${name}.jpg`), await sheet(pictures));
  }
} finally {
  over = true;
  await browser.close();
  rmSync(userData, { recursive: true, force: true });
  await flock.close();
  for (const main of mains) await main.close();
  await Promise.allSettled(asking);
  await Promise.all(nodes.map((node) => node.abort()));
  await hub.close();
}
process.exit();
