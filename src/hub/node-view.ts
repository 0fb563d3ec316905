// A node as the hub sees it.
import type { Domain, NodeId, NodeKind, NodeState } from "../ids/index.js";
import type { EngineFields, MessageOf } from "../wire/index.js";
import type { Given } from "./given.js";
import type { Hello, Peer } from "./peer.js";

/** It stays for a while after its link broke. */
export interface NodeView {
  readonly id: NodeId;
  /** Stands for it in columns of numbers. */
  readonly number: number;
  readonly kind: NodeKind;
  readonly domain: Domain;
  readonly instance: string;
  /** Whose token it joined with, or whose it says it is where no token is asked for. */
  readonly owner: string;
  readonly services: readonly string[];
  readonly software: string;
  slots: number;
  /** Its operator's words: the hub's own labels begin with a sign that these may not begin with. */
  readonly labels: readonly string[];
  /** What it computes programs with. */
  engine: EngineFields | undefined;
  readonly joinedAt: number;
  peer: Peer | undefined;
  /** What it was given and has not answered. */
  readonly given: Given;
  /** Connections that only beat; any byte of theirs is a sign of life. */
  readonly beats: Set<Peer>;
  state: NodeState;
  solved: number;
  failed: number;
  quarantinedUntil: number;
  leftAt: number;
}

/** A node that has just come. */
export function newView(
  number: number,
  peer: Peer,
  hello: Hello,
  node: NonNullable<MessageOf<"hello">["node"]>,
  given: Given,
): NodeView {
  return {
    id: hello.id as NodeId,
    number,
    kind: hello.kind,
    domain: hello.domain as Domain,
    instance: hello.instance,
    owner: ownerOf(peer, node),
    services: node.services,
    software: hello.software,
    slots: node.slots,
    labels: (node.labels ?? []).filter((label) => !label.startsWith("@")),
    engine: node.engine,
    joinedAt: Date.now(),
    peer,
    given,
    beats: new Set(),
    state: "running",
    solved: 0,
    failed: 0,
    quarantinedUntil: 0,
    leftAt: 0,
  };
}

/** Whose token a node came with; without tokens, whose it says it is. */
export function ownerOf({ bearer }: Peer, { owner }: { readonly owner?: string | undefined }): string {
  return bearer?.token === undefined ? (owner ?? "local") : bearer.owner;
}
