// What graphs and their connection need of each other.
import type { FlockworkError } from "../../ids/index.js";
import type { Tensor } from "../../tensor/index.js";
import type { GraphAnswer } from "./book.js";
import type { GraphMessage } from "./saying.js";
import type { FetchOutput } from "./bringing.js";
import type { FleetAnswer } from "./fleet.js";

/** The connection, as a graph sees it. */
export interface GraphHost {
  /** Drops it while there is no connection: resend() says it again. */
  send(message: GraphMessage): void;
  fleet(): Promise<FleetAnswer>;
  readonly fetch: FetchOutput;
  /** A graph has begun, or is over. */
  entered(graph: GraphMember): void;
  left(id: string): void;
}

/** A graph, as the connection sees it. */
export interface GraphMember {
  /** Its name on the wire. */
  readonly id: string;
  receive(message: GraphAnswer): void;
  /** The link is up again; `same`: to the hub that it was to. */
  resend(same: boolean): void;
  /** The tensor that was given under this number. */
  given(number: number): Tensor | undefined;
  /** The link has stopped for good. */
  stop(error: FlockworkError): void;
}
