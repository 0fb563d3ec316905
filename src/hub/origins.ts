// Whose jobs a `run` brings: the main nodes that asked, and the jobs' numbers there. Most runs have one main node.
import type { Assignment } from "../scheduler/index.js";
import type { MessageOf } from "../wire/index.js";
import type { Job } from "./jobs.js";

type Origins = Pick<MessageOf<"run">, "clients" | "from" | "seqs">;

export function originsOf(assignments: readonly Assignment<Job>[]): Origins {
  const seqs = new Float64Array(assignments.length);
  const clients = new Map<string, number>();
  let from: Uint16Array | undefined;
  for (const [i, { tag }] of assignments.entries()) {
    const { client } = tag.options;
    let index = clients.get(client);
    if (index === undefined) clients.set(client, (index = clients.size));
    if (index > 0) (from ??= new Uint16Array(seqs.length))[i] = index;
    seqs[i] = tag.seq;
  }
  return { clients: [...clients.keys()], ...(from && { from }), seqs };
}
