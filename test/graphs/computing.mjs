// A node that computes programs, and that may lie, lag or tell what it holds: `computing.mjs '{"hub":"ws://...", "lie":"nan"}'`.
// Says "ready <id>", then "lied" at its first lie. Reads "store" from stdin; answers "store <values> <bytes>".
import { createInterface } from "node:readline";
import { openEngines } from "../../dist/flock/index.node.js";
import { ComputingNode, noModules } from "../../dist/node/index.js";
import { folderSpill } from "../../dist/node/values/spill.node.js";
import { ValueStore } from "../../dist/node/values/value-store.js";
import { Tensor } from "../../dist/tensor/index.js";
import { dialWith } from "../../dist/wire/socket.node.js";

/** `honest`: how many programs it runs before it lies. `slower`: how many times slower it is than its benchmark says. */
const { hub, lie, honest = 0, slower = 1, ...options } = JSON.parse(process.argv[2]);
const print = (line) => process.stdout.write(`${line}\n`);

let ran = 0;
let lied = false;
function lies() {
  if (lie === undefined || ran <= honest) return false;
  if (!lied) print("lied");
  return (lied = true);
}

const outputs = {
  numbers: ({ dtype, shape, data }) => {
    const wrong = data.slice();
    wrong[wrong.length - 1] += typeof wrong[0] === "bigint" ? 1n : 1;
    return new Tensor(dtype, shape, wrong);
  },
  nan: ({ dtype, shape, data }) => new Tensor(dtype, shape, data.slice().fill(NaN)),
  /** As many bytes as the right one has. */
  shape: ({ dtype, shape, data }) =>
    new Tensor(dtype, shape.length > 1 ? [...shape].reverse() : [...shape, 1], data),
};

/** The engines of this machine, with what they answer bent. */
async function engine(wanted) {
  const slots = await openEngines(wanted);
  return {
    ...slots,
    run(program, inputs) {
      const run = slots.run(program, inputs);
      const settled = run.settled.then(async (result) => {
        ran++;
        await new Promise((resolve) => setTimeout(resolve, (slower - 1) * result.ms));
        const bent = outputs[lie] !== undefined && lies();
        return {
          ms: slower * result.ms,
          outputs: bent ? result.outputs.map(outputs[lie]) : result.outputs,
        };
      });
      return { settled, kill: () => run.kill() };
    },
  };
}

let store;
function held(of) {
  store = of;
}
const { put } = ValueStore.prototype;
ValueStore.prototype.put = function (name, data, sha256) {
  held(this);
  // The right hash, and other bytes.
  if (lie === "held" && lies()) {
    data = data.slice();
    data[data.length - 1] ^= 1;
  }
  return put.call(this, name, data, sha256);
};

const node = await ComputingNode.start(
  {
    hub,
    slots: 1,
    engine: {},
    onNotice: ({ code, message }) => print(`notice ${code} ${message}`),
    ...options,
  },
  { dial: dialWith({}), software: "test", modules: noModules, engine, spill: folderSpill },
);
print(`ready ${node.id}`);
createInterface({ input: process.stdin }).on("line", (line) => {
  if (line === "store") print(`store ${store?.size ?? 0} ${store?.used ?? 0}`);
});
