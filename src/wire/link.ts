// A connection to the hub that comes back: dials, says hello, waits for welcome, watches the pulse, redials for ever.
// What is lost while it is down is not its business: the layers above resend what they still need when it is up again.
import { FlockworkError } from "../ids/index.js";
import { backoffMs, DEFAULT_BACKOFF, type Backoff } from "./backoff.js";
import { certificateFault } from "./certificate.js";
import { systemClock, type Clock } from "./clock.js";
import { decodeFrame, encodeFrame } from "./frame.js";
import { checkMessage, type MessageFrom, type MessageOf } from "./messages.js";
import type { Token } from "./token.js";
import { checkWelcome, proveHello } from "./handshake.js";
import { Outbox } from "./outbox.js";
import { Pulse } from "./pulse.js";
import type { Dial, Socket } from "./socket.js";

type Welcome = MessageOf<"welcome">;
type Notice = MessageOf<"notice">;

export interface LinkOptions {
  readonly url: string;
  readonly dial: Dial;
  /** Called on each open, so that it can list what is the case then. */
  hello(): MessageOf<"hello">;
  /** Proves who we are, and lets the hub prove that it knows it too. */
  readonly token?: Token | undefined;
  onUp(welcome: Welcome): void;
  /** The link was up and is not any more; it is being redialled. Not called for close() and fatal notices. */
  onDown(reason: string): void;
  /** Everything but `welcome`, `notice` and `beat`. May throw FlockworkError `bad_message`, which becomes a notice. */
  onMessage(message: MessageFrom<"hub">): void;
  /** Notices of the hub, and our own about messages of the hub that do not fit. */
  onNotice?(notice: Notice): void;
  /** Once an outage: a try to reach the hub failed, and the link goes on trying. */
  onWaiting?(error: FlockworkError): void;
  /** The link has stopped for good. */
  onFatal?(error: FlockworkError): void;
  readonly beatEveryMs?: number;
  readonly silentAfterMs?: number;
  /** How long after the open the welcome may take. */
  readonly welcomeTimeoutMs?: number;
  readonly backoff?: Backoff;
  readonly random?: () => number;
  readonly clock?: Clock;
}

/** How long close() waits for the other side. */
const CLOSE_MS = 1000;

type State =
  | { readonly is: "idle" }
  | { readonly is: "waiting"; readonly cancel: () => void }
  | {
      readonly is: "dialling";
      readonly socket: Socket;
      opened: boolean;
      /** The hello has been sent; what the welcome must prove. */
      answered: { readonly expected: string | undefined } | undefined;
      cancel: () => void;
      error?: string;
      /** The hub is there, but its certificate is not accepted: why. */
      fault?: string | undefined;
    }
  | {
      readonly is: "up";
      readonly socket: Socket;
      readonly pulse: Pulse;
      readonly since: number;
      error?: string;
    }
  | { readonly is: "closed" };

export class Link<R extends "client" | "node" | "beat"> {
  readonly #options: LinkOptions;
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  readonly #random: () => number;
  readonly #outbox: Outbox<MessageFrom<R>>;
  #state: State = { is: "idle" };
  #retry = 0;
  #waitingTold = false;
  #leaves = true;
  #first: PromiseWithResolvers | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#backoff = options.backoff ?? DEFAULT_BACKOFF;
    this.#random = options.random ?? Math.random;
    this.#outbox = new Outbox((frame, tail) => {
      if (this.#state.is !== "up") return;
      this.#state.socket.send(frame, tail);
      this.#state.pulse.sent();
    });
  }

  /** Whether the hub has welcomed us and the connection stands. */
  get up(): boolean {
    return this.#state.is === "up";
  }

  /** Bytes that were sent but have not left this process. */
  get bufferedAmount(): number {
    return this.#state.is === "up" ? this.#state.socket.bufferedAmount : 0;
  }

  /** Resolves when some of them may have left, or the connection has gone. */
  drained(): Promise<void> {
    return this.#state.is === "up" ? this.#state.socket.drained() : Promise.resolve();
  }

  /** Starts the link. Resolves when it is up for the first time, rejects when it stopped before (fatal notice, close). */
  connect(): Promise<Welcome> {
    this.#first ??= withResolvers();
    if (this.#state.is === "idle") this.#dial();
    else if (this.#state.is === "closed") this.#first.reject(closedError(this.#options.url));
    return this.#first.promise;
  }

  /** Queues a message for this tick's frame. False, and the message dropped, while the link is not up. */
  send(message: MessageFrom<R>): boolean {
    if (this.#state.is !== "up" || this.#closing) return false;
    this.#outbox.push(message);
    return true;
  }

  /** Like send, for a message that may wait a moment for others to travel with. */
  sendLater(message: MessageFrom<R>): boolean {
    if (this.#state.is !== "up" || this.#closing) return false;
    this.#outbox.pushLater(message);
    return true;
  }

  /** Sends a message at once, in a frame of its own: a large one, that others should not have to wait for. */
  sendAlone(message: MessageFrom<R>): boolean {
    if (this.#state.is !== "up" || this.#closing) return false;
    this.#outbox.sendAlone(message);
    return true;
  }

  /** Sends what is queued now, before the end of the tick. */
  flush(): void {
    this.#outbox.flush();
  }

  /** Leaves on purpose: goodbye, then a polite close. Resolves when closed, after a second at most. */
  close(): Promise<void> {
    this.#closing ??= this.#leave();
    return this.#closing;
  }

  /** Cuts the connection as a broken network would; the link redials. For tests. */
  drop(): void {
    if (this.#state.is === "up" || this.#state.is === "dialling") {
      this.#state.error = "cut by drop()";
      this.#state.socket.terminate();
    }
  }

  #dial(): void {
    const { url, dial } = this.#options;
    let socket: Socket;
    try {
      socket = dial(url);
    } catch (error) {
      this.#stop(
        new FlockworkError(
          "bad_argument",
          `The hub's address "${url}" can not be used (${reasonOf(error)}). Write it like ws://localhost:9999.`,
          { cause: error },
        ),
      );
      return;
    }
    const state: State = {
      is: "dialling",
      socket,
      opened: false,
      answered: undefined,
      cancel: () => undefined,
    };
    this.#state = state;
    socket.onOpen = () => {
      state.opened = true;
      state.cancel = this.#clock.after(this.#options.welcomeTimeoutMs ?? 5000, () => {
        state.error = "it accepts connections but does not answer as a hub";
        socket.terminate();
      });
    };
    socket.onError = (error) => {
      if (this.#state.is === "dialling" || this.#state.is === "up") this.#state.error ??= reasonOf(error);
      if (this.#state.is === "dialling") this.#state.fault = certificateFault(this.#options.url, error);
    };
    socket.onMessage = (bytes, tail) => this.#received(socket, bytes, tail);
    socket.onClose = (code, reason) => this.#lost(socket, code, reason);
  }

  #received(socket: Socket, bytes: Uint8Array, tail?: Uint8Array): void {
    if (this.#state.is === "up") this.#state.pulse.heard();
    const messages = this.#guarded(() => decodeFrame(bytes, tail)) ?? [];
    for (const message of messages) {
      // A handler may have closed or dropped the link.
      if ((this.#state.is !== "up" && this.#state.is !== "dialling") || this.#state.socket !== socket) return;
      this.#guarded(() => this.#take(checkMessage(message, "hub"), socket));
    }
  }

  /** Runs `fn`; a `bad_message` it throws costs that message only, a `version_mismatch` stops the link. */
  #guarded<T>(fn: () => T): T | undefined {
    try {
      return fn();
    } catch (error) {
      if (!(error instanceof FlockworkError)) throw error;
      if (error.code === "version_mismatch") {
        this.#stop(error);
        return undefined;
      }
      if (error.code !== "bad_message") throw error;
      this.#options.onNotice?.({ t: "notice", code: error.code, message: error.message, fatal: false });
      return undefined;
    }
  }

  #take(message: MessageFrom<"hub">, socket: Socket): void {
    if (message.t === "notice") this.#noticed(message, socket);
    else if (message.t === "challenge") this.#challenged(message, socket);
    else if (message.t === "welcome") this.#welcomed(message, socket);
    else if (this.#state.is !== "up")
      throw new FlockworkError("bad_message", `The hub sent "${message.t}" before "welcome".`);
    else if (message.t !== "beat") this.#options.onMessage(message);
  }

  /** The hub's first word: now the hello, with the proof of the token if there is one. */
  #challenged(challenge: MessageOf<"challenge">, socket: Socket): void {
    const state = this.#state;
    if (state.is !== "dialling" || state.answered !== undefined)
      throw new FlockworkError("bad_message", `The hub sent a second "challenge".`);
    const { hello, expected } = proveHello(this.#options.hello(), challenge, this.#options.token);
    this.#leaves = hello.role !== "beat";
    state.answered = { expected };
    socket.send(encodeFrame([hello]));
  }

  #noticed(notice: Notice, socket: Socket): void {
    if (!notice.fatal || notice.code === "hub_stopping") {
      // A hub that stops is usually one that restarts.
      if (notice.fatal && (this.#state.is === "up" || this.#state.is === "dialling"))
        this.#state.error = "the hub is stopping";
      this.#options.onNotice?.(notice);
      if (notice.fatal) socket.close();
      return;
    }
    this.#stop(new FlockworkError(notice.code, notice.message));
  }

  #welcomed(welcome: Welcome, socket: Socket): void {
    if (this.#state.is !== "dialling")
      throw new FlockworkError("bad_message", `The hub sent a second "welcome".`);
    try {
      checkWelcome(welcome, this.#state.answered?.expected, this.#options.url);
    } catch (error) {
      this.#stop(error as FlockworkError);
      return;
    }
    this.#state.cancel();
    const pulse = new Pulse({
      clock: this.#clock,
      beatEveryMs: this.#options.beatEveryMs ?? 1000,
      silentAfterMs: this.#options.silentAfterMs ?? 3000,
      bytesReceived: () => socket.bytesReceived,
      beat: () => socket.send(BEAT),
      silent: () => {
        if (this.#state.is === "up") this.#state.error = "nothing heard from the hub";
        socket.terminate();
      },
    });
    this.#state = { is: "up", socket, pulse, since: this.#clock.now() };
    this.#waitingTold = false;
    this.#first?.resolve(welcome);
    this.#options.onUp(welcome);
  }

  /** The socket is gone: redial after a while, unless we are leaving. */
  #lost(socket: Socket, code: number, closeReason: string): void {
    const state = this.#state;
    if ((state.is !== "up" && state.is !== "dialling") || state.socket !== socket) return;
    const reason = state.error ?? (closeReason || `the connection closed, code ${code}`);
    const wasUp = this.#release(state);
    // A connection that did not last is no success: a hub that drops us at once must not be dialled in a tight loop.
    if (state.is === "up" && this.#clock.now() - state.since >= this.#backoff.maxMs) this.#retry = 0;
    const ms = backoffMs(this.#backoff, this.#retry, this.#random);
    this.#retry = Math.min(this.#retry + 1, 30);
    this.#state = { is: "waiting", cancel: this.#clock.after(ms, () => this.#dial()) };
    if (wasUp) this.#options.onDown(reason);
    else if (!this.#waitingTold) {
      this.#waitingTold = true;
      const why =
        (state.is === "dialling" ? state.fault : undefined) ??
        `No hub answers at ${this.#options.url} (${reason}). Start one there with "flockwork up", or give another address with --hub`;
      this.#options.onWaiting?.(new FlockworkError("hub_unreachable", `${why}; still trying.`));
    }
  }

  /** Ends the duties of a connection. Returns whether it was up. */
  #release(state: Extract<State, { socket: Socket }>): boolean {
    this.#outbox.clear();
    if (state.is === "up") state.pulse.stop();
    else state.cancel();
    return state.is === "up";
  }

  /** Stops for good because of `error`. */
  #stop(error: FlockworkError): void {
    const state = this.#state;
    this.#state = { is: "closed" };
    if (state.is === "up" || state.is === "dialling") {
      this.#release(state);
      state.socket.close();
      this.#terminateLater(state.socket);
    }
    this.#first?.reject(error);
    this.#options.onFatal?.(error);
  }

  async #leave(): Promise<void> {
    const state = this.#state;
    if (state.is === "up") {
      if (this.#leaves) this.#outbox.push({ t: "goodbye" } as MessageFrom<R>);
      this.#outbox.flush();
    }
    this.#state = { is: "closed" };
    this.#first?.reject(closedError(this.#options.url));
    if (state.is === "waiting") state.cancel();
    if (state.is !== "up" && state.is !== "dialling") return;
    this.#release(state);
    if (state.is === "up") state.socket.close();
    else state.socket.terminate();
    await this.#terminateLater(state.socket);
  }

  /** Resolves when the socket has closed; cuts it when that takes too long. */
  #terminateLater(socket: Socket): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(CLOSE_MS, () => {
        socket.terminate();
        resolve();
      });
      socket.onClose = () => {
        cancel();
        resolve();
      };
    });
  }
}

const BEAT = encodeFrame([{ t: "beat" }]);

interface PromiseWithResolvers {
  readonly promise: Promise<Welcome>;
  resolve(welcome: Welcome): void;
  reject(error: FlockworkError): void;
}

function withResolvers(): PromiseWithResolvers {
  let resolve!: (welcome: Welcome) => void;
  let reject!: (error: FlockworkError) => void;
  const promise = new Promise<Welcome>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

function closedError(url: string): FlockworkError {
  return new FlockworkError("closed", `The link to ${url} has been closed.`);
}

/** A network error in few words. Node hides the reason of "localhost" failures in an AggregateError. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors.at(-1));
  if (error instanceof Error) return error.message || error.name;
  return String(error);
}
