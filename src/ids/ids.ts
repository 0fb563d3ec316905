// Branded identifiers: a NodeId can not be passed where a TaskId is meant. No logic beyond making and reading them.

declare const brand: unique symbol;
type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** `name.hh.hh.hh.hh`: a name of at most 28 bytes and four random bytes, as AML-IP prints them. */
export type NodeId = Brand<string, "NodeId">;
/** A client's session: unique within a hub; a main node that gives the same session name resumes it. */
export type SessionId = Brand<string, "SessionId">;
/** A task's number: chosen by the hub, never reused, a safe integer. */
export type TaskId = Brand<number, "TaskId">;
/** SHA-256 of a blob, 64 lower-case hexadecimal digits. */
export type BlobHash = Brand<string, "BlobHash">;
/** A name that separates the users of one hub. */
export type Domain = Brand<string, "Domain">;

/** AML-IP's default domain. */
export const DEFAULT_DOMAIN = "166" as Domain;
/** The port a hub listens on unless told otherwise. */
export const DEFAULT_PORT = 9999;

export const NAME_BYTES = 28;

/** What a peer of a hub can be (AML-IP's twelve). */
export const NODE_KINDS = [
  "undetermined",
  "discovery",
  "agent",
  "main",
  "computing",
  "status",
  "meta",
  "edge",
  "inference",
  "model_receiver",
  "model_sender",
  "fiware",
] as const;
export type NodeKind = (typeof NODE_KINDS)[number];

/** Where a peer is in its life (AML-IP's four). */
export const NODE_STATES = ["unknown", "running", "stopped", "dropped"] as const;
export type NodeState = (typeof NODE_STATES)[number];

/**
 * Builds a node id. `random` gives four bytes; bytes 10, 20, 30, 40 print `.0a.14.1e.28`.
 * A name longer than 28 bytes of UTF-8 is cut at a character boundary.
 */
export function makeNodeId(name: string, random: Uint8Array): NodeId {
  const tail = Array.from(random.subarray(0, 4), (b) => b.toString(16).padStart(2, "0"));
  return `${cutToBytes(name || "node", NAME_BYTES)}.${tail.join(".")}` as NodeId;
}

/** The name part of a node id. */
export function nodeName(id: NodeId): string {
  return id.replace(/(\.[0-9a-f]{2}){4}$/, "");
}

/** `bytes` random bytes from the platform's cryptographic source (also there in insecure pages). */
export function randomBytes(bytes: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(bytes));
}

/** `bytes` random bytes as lower-case hexadecimal. */
export function randomHex(bytes: number): string {
  return Array.from(randomBytes(bytes), (b) => b.toString(16).padStart(2, "0")).join("");
}

function cutToBytes(text: string, limit: number): string {
  let bytes = 0;
  let out = "";
  for (const char of text) {
    bytes += new TextEncoder().encode(char).length;
    if (bytes > limit) break;
    out += char;
  }
  return out;
}
